// AntiAmplification: a server sends at most three times what it received to an address that is not validated (RFC 9000
// §8, §8.1, §9.3).
#pragma once

#include <cstdint>

namespace quoll::quic {

class AntiAmplification {
 public:
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
