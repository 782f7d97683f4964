// EcnValidator: whether the current path carries ECN marks, and what the peer's counts mean (RFC 9000 §13.4.2, §A.4).
//
// The first packets on a path carry ECT(0) as a test; then marking pauses until an ACK shows that the marks arrived.
// Counts are per packet number space and belong to the connection, the verdict belongs to the path: start() begins anew
// on another path, with the counts of then as the baseline. Any breach of the rules ends marking on the path.
#pragma once

#include <array>
#include <optional>

#include "base/net.h"
#include "base/time.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// RFC 9000 §13.4.2: packets that test a path, unless three PTOs end the test before.
inline constexpr uint32_t kEcnTestingPackets = 10;
inline constexpr int kEcnTestingPtos = 3;

class EcnValidator {
 public:
  enum class State : uint8_t { testing, unknown, failed, capable };

  /// `is_enabled` false: the socket cannot set marks, and nothing is ever marked.
  explicit EcnValidator(bool is_enabled = true)
      : state_(is_enabled ? State::testing : State::failed), enabled_(is_enabled) {}

  /// Another path, or another try on this one (RFC 9000 §13.4.2.2).
  void start();

  State state() const { return state_; }
  /// The mark for the next datagram.
  Ecn mark() const { return state_ == State::testing || state_ == State::capable ? Ecn::ect0 : Ecn::not_ect; }

  /// A packet left with mark(); `pto` is the current probe timeout.
  void on_packet_sent(Instant now, Space space, Ecn mark, Duration pto);

  struct Ack {
    Space space = Space::initial;
    std::optional<EcnCounts> counts = {};  // none when the frame has no ECN section
    uint32_t ect0_acked = 0;               // of AckSummary
    uint32_t ect1_acked = 0;
    bool largest_increased = false;
  };
  /// True when the count of CE has validly grown: a sign of congestion (RFC 9002 §7.1).
  bool on_ack(const Ack& ack);
  /// Marked packets that were declared lost, of LossSummary.
  void on_lost(uint32_t ect_packets);

 private:
  struct SpaceState {
    EcnCounts counts;  // as last reported
    uint64_t ect0_sent = 0;
  };

  bool is_valid(const SpaceState& state, const Ack& ack) const;

  std::array<SpaceState, kSpaceCount> spaces_{};
  State state_;
  bool enabled_;
  std::optional<Instant> testing_until_;
  uint32_t marked_sent_ = 0;  // on this path
  uint32_t marked_lost_ = 0;
  uint32_t marked_acked_ = 0;
  uint32_t marked_ce_ = 0;
};

}  // namespace quoll::quic
