// AntiAmplification: a server sends at most three times what it received to an address that is not validated (RFC 9000
// §8, §8.1, §9.3, §21.1.1.1).
//
// One per path. Bytes are UDP payload bytes of whole datagrams: those received count even when nothing in them could
// be used, as long as they are the connection's (§8.1); those sent count whatever they hold. Before validation a
// client's path counts too, but a client is not limited (set_validated() at once). What becomes of timers while
// nothing may be sent is recovery's business (RFC 9002 §6.2.2.1).
#pragma once

#include <cstdint>

namespace quoll::quic {

class AntiAmplification {
 public:
  /// RFC 9000 §8: the limit is three times what arrived.
  static constexpr uint64_t kFactor = 3;

  void on_received(uint64_t bytes) { received_ += bytes; }
  void on_sent(uint64_t bytes) { sent_ += bytes; }
  void set_validated() { validated_ = true; }
  bool is_validated() const { return validated_; }
  /// Bytes that may be sent now.
  uint64_t allowance() const {
    if (validated_) return UINT64_MAX;
    return kFactor * received_ > sent_ ? kFactor * received_ - sent_ : 0;
  }

 private:
  uint64_t received_ = 0;
  uint64_t sent_ = 0;
  bool validated_ = false;
};

}  // namespace quoll::quic
