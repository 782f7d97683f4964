// ConnectionIdGenerator: how an endpoint makes the connection ids that it is addressed by (RFC 9000 §5.1).
//
// All ids of an endpoint have one length, which short headers do not tell. An id must not let an observer link it to
// another one of the same connection (§5.1, §9.5): a generator draws from the Rng, or encrypts what it encodes. None
// promises that ids never repeat; who keeps the routes asks again for an id that is taken.
//
// WorkerConnectionIds is in the spirit of QUIC-LB (draft-ietf-quic-load-balancers) but no form of it: it needs the
// encryption direction of AES alone, and a stranger's id is told from ours.
#pragma once

#include <memory>
#include <optional>

#include "base/rng.h"
#include "crypto/header_protection.h"
#include "crypto/provider.h"
#include "quic/wire/types.h"

namespace quoll::quic {

class ConnectionIdGenerator {
 public:
  virtual ~ConnectionIdGenerator() = default;
  /// Of every id, 0 to 20. With 0, a connection is told by its addresses alone, and cannot migrate.
  virtual size_t size() const = 0;
  virtual ConnectionId generate(Rng& rng) = 0;
};

/// Random ids; 8 bytes unless told otherwise. Fewer than 8 collide on a busy endpoint.
class RandomConnectionIds final : public ConnectionIdGenerator {
 public:
  explicit RandomConnectionIds(size_t size = 8);
  size_t size() const override { return size_; }
  ConnectionId generate(Rng& rng) override;

 private:
  size_t size_;
};

/// Ids of 16 bytes that tell the worker a connection belongs to, to who has the key and to nobody else. Other sockets
/// steer datagrams by worker_of().
///
///     id = nonce (10 random bytes) | worker (2) ^ F(nonce, 0) | check (4) = F(nonce, 1, worker)
///
/// where F is AES under the key, of a block that holds the nonce, the number of the use and the worker; cut to size.
/// F is a pseudo-random function, so as long as nonces differ (the birthday bound is 2^40 ids of one key) an id looks
/// random: it is linked to no other. The check covers the worker: who has no key makes an id that steers anywhere
/// with a chance of 2^-32 a try, also by changing one of ours. So ids of strangers, and first ids that clients
/// invent, are told from ours.
class WorkerConnectionIds final : public ConnectionIdGenerator {
 public:
  static constexpr size_t kSize = 16;

  /// `key`: 16 or 32 bytes for AES-128 or AES-256, the same for all workers, used for nothing else.
  WorkerConnectionIds(const crypto::Provider& provider, Bytes key, uint16_t worker);
  size_t size() const override { return kSize; }
  ConnectionId generate(Rng& rng) override;
  /// Empty when the id is none of ours.
  std::optional<uint16_t> worker_of(Bytes id) const;

 private:
  static constexpr size_t kNonceSize = 10;
  static constexpr size_t kCheckSize = 4;
  static_assert(kNonceSize + sizeof(uint16_t) + kCheckSize == kSize);

  enum class Use : uint8_t { hide_worker, check };
  crypto::HeaderMask function(Bytes nonce, Use use, uint16_t worker) const;

  crypto::HeaderProtectionKey key_;
  uint16_t worker_;
};

}  // namespace quoll::quic
