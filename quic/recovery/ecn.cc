#include "quic/recovery/ecn.h"

#include <algorithm>

namespace quoll::quic {

void EcnValidator::start() {
  if (!enabled_) return;
  state_ = State::testing;
  testing_until_.reset();
  marked_sent_ = marked_lost_ = marked_acked_ = marked_ce_ = 0;
}

void EcnValidator::on_packet_sent(Instant now, Space space, Ecn mark, Duration pto) {
  if (mark == Ecn::ect0) {
    spaces_[static_cast<size_t>(space)].ect0_sent++;
    marked_sent_++;
  }
  if (state_ != State::testing) return;
  if (!testing_until_) testing_until_ = now + pto * kEcnTestingPtos;
  // RFC 9000 §13.4.2: ten packets or three PTOs, so that a path that drops marked packets costs little.
  if (marked_sent_ >= kEcnTestingPackets || now >= *testing_until_) state_ = State::unknown;
}

bool EcnValidator::on_ack(const Ack& ack) {
  SpaceState& state = spaces_[static_cast<size_t>(ack.space)];
  // RFC 9000 §13.4.2.1: an ACK that came out of order must not fail the validation, so it is not looked at.
  if (!ack.largest_increased) return false;
  if (!is_valid(state, ack)) {
    state_ = State::failed;  // RFC 9000 §13.4.2.2
    if (ack.counts) state.counts = *ack.counts;
    return false;
  }
  if (!ack.counts) return false;
  const uint64_t ce_increase = ack.counts->ce - state.counts.ce;
  state.counts = *ack.counts;
  if (state_ == State::failed) return false;
  marked_acked_ += ack.ect0_acked;
  marked_ce_ = static_cast<uint32_t>(std::min<uint64_t>(marked_ce_ + ce_increase, UINT32_MAX));
  // RFC 9000 §A.4: capable once a marked packet was acknowledged and the counts agree; not if all of the test were
  // CE, which is the work of a device that marks everything.
  if (state_ == State::unknown && marked_acked_ != 0) {
    const bool all_ce = marked_acked_ >= kEcnTestingPackets && marked_ce_ >= marked_acked_;
    state_ = all_ce ? State::failed : State::capable;
    if (all_ce) return false;
  }
  return ce_increase != 0;
}

bool EcnValidator::is_valid(const SpaceState& state, const Ack& ack) const {
  // RFC 9000 §13.4.2.1: marked packets acknowledged without counts.
  if (!ack.counts) return ack.ect0_acked == 0 && ack.ect1_acked == 0;
  const EcnCounts& counts = *ack.counts;
  // Counts of a space never shrink.
  if (counts.ect0 < state.counts.ect0 || counts.ect1 < state.counts.ect1 || counts.ce < state.counts.ce) return false;
  const uint64_t ce = counts.ce - state.counts.ce;
  // RFC 9000 §13.4.2.1: fewer marks reported than marked packets newly acknowledged.
  if (counts.ect0 - state.counts.ect0 + ce < ack.ect0_acked) return false;
  if (counts.ect1 - state.counts.ect1 + ce < ack.ect1_acked) return false;
  // RFC 9000 §13.4.2.1: more ECT(0) than was ever sent with it, or any ECT(1), which is never sent here.
  return counts.ect0 <= state.ect0_sent && counts.ect1 == 0;
}

void EcnValidator::on_lost(uint32_t ect_packets) {
  marked_lost_ += ect_packets;
  // RFC 9000 §13.4.2: all marked packets were lost, so the mark is to blame.
  if (state_ == State::unknown && marked_acked_ == 0 && marked_sent_ != 0 && marked_lost_ >= marked_sent_) {
    state_ = State::failed;
  }
}

}  // namespace quoll::quic
