// NewReno: the congestion controller of RFC 9002 §7 and Appendix B.
#pragma once

#include "quic/congestion/window_controller.h"

namespace quoll::quic {

class NewReno final : public WindowController {
 public:
  explicit NewReno(Options options = {}) : WindowController(options) {}

 private:
  void grow(Instant now, uint64_t bytes, const Rtt& rtt) override;
  uint64_t reduced_threshold() override;
  void on_unused(Instant) override {}
  void on_persistent_congestion() override { acked_ = 0; }
  void save() override {}
  void restore() override {}

  uint64_t acked_ = 0;  // bytes towards the next datagram of growth
};

}  // namespace quoll::quic
