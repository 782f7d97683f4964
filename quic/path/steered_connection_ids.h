// SteeredConnectionIds: connection ids that tell the worker to who has the key, by a function that a small program in the
// kernel can work out (udp/steering.h): SipHash, where WorkerConnectionIds needs AES.
//
//     id = nonce (8 random bytes) | (worker (2) | server (2)) ^ F(nonce)
//
// where server numbers those of a fleet (0 where there is one alone),
// and F is SipHash-2-4 under the key of the nonce read as a number, most significant byte first, cut to its low 32 bits.
// F is a pseudo-random function, so as long as nonces differ (the birthday bound is 2^32 ids of one key) an id looks
// random, and is linked to no other. Against WorkerConnectionIds it is 4 bytes shorter and promises less: an id of a
// stranger counts as one of ours with a chance of 2^-16, and who changes an id of ours can choose another worker for it,
// though not another connection. Either way a datagram goes to a worker that does not know it and drops it.
#pragma once

#include <array>

#include "crypto/siphash.h"
#include "quic/path/connection_id_generator.h"

namespace quoll::quic {

class SteeredConnectionIds final : public ConnectionIdGenerator {
 public:
  static constexpr size_t kSize = 12;
  static constexpr size_t kKeySize = crypto::SipHash::kKeySize;

  /// `key`: random, the same for all workers of all servers, used for nothing else.
  SteeredConnectionIds(std::span<const uint8_t, kKeySize> key, uint16_t worker, uint16_t server = 0);
  size_t size() const override { return kSize; }
  ConnectionId generate(Rng& rng) override;

  /// Empty when the id is none of this server's.
  std::optional<uint16_t> worker_of(Bytes id) const;
  /// That of the datagram's first packet, found as RFC 8999 §5 says. From any thread.
  std::optional<uint16_t> worker_of_datagram(Bytes datagram) const;

 private:
  uint32_t function(const uint8_t* nonce) const;

  crypto::SipHash hash_;
  uint16_t worker_;
  uint16_t server_;
};

}  // namespace quoll::quic
