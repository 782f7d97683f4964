// ConnectionIdGenerator: how an endpoint makes the connection ids that it is addressed by (RFC 9000 §5.1).
//
// All ids of an endpoint have one length, which short headers do not tell. An id must not let an observer link it to
// another one of the same connection (§5.1, §9.5): a generator draws from the Rng, or encrypts what it encodes.
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

/// Random ids; 8 bytes unless told otherwise.
class RandomConnectionIds final : public ConnectionIdGenerator {
 public:
  explicit RandomConnectionIds(size_t size = 8) : size_(size) {}
  size_t size() const override { return size_; }
  ConnectionId generate(Rng& rng) override;

 private:
  size_t size_;
};

/// Ids of 16 bytes that tell the worker a connection belongs to, to who has the key and to nobody else: one AES block of
/// worker number and random bytes. Other sockets steer datagrams by worker_of().
class WorkerConnectionIds final : public ConnectionIdGenerator {
 public:
  static constexpr size_t kSize = 16;

  WorkerConnectionIds(const crypto::Provider& provider, Bytes key, uint16_t worker);
  size_t size() const override { return kSize; }
  ConnectionId generate(Rng& rng) override;
  /// Empty when the id is none of ours.
  std::optional<uint16_t> worker_of(Bytes id) const;

 private:
  crypto::HeaderProtectionKey key_;
  uint16_t worker_;
};

}  // namespace quoll::quic
