// Random schedules of sends, ACKs, timeouts and discards, with LossDetection and RFC 9002's pseudocode side by side.
#include "quic/recovery/loss_detection.h"
#include "tests/quic/recovery/rfc9002_model.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::Rfc9002Model;
using Kind = LossDetection::Outcome::Kind;

namespace {

class Schedule {
 public:
  explicit Schedule(uint64_t seed)
      : rng_(seed),
        role_(rng_.below(2) == 0 ? Role::client : Role::server),
        loss_({.role = role_, .max_ack_delay = Duration::milliseconds(25)}),
        model_(role_ == Role::server, Duration::milliseconds(25)) {
    (void)loss_.add_path(path_).value();
  }

  void run(int steps) {
    for (int step = 0; step < steps; step++) {
      now_ += Duration::microseconds(static_cast<int64_t>(rng_.below(rng_.below(40) == 0 ? 900'000 : 9'000)));
      const uint64_t choice = rng_.below(100);
      if (choice < 55) {
        send();
      } else if (choice < 85) {
        acknowledge();
      } else if (choice < 97) {
        expire();
      } else {
        change_phase();
      }
      compare();
    }
  }
  int persistent_congestions = 0, spurious = 0, lost_count = 0, probes = 0;

 private:
  Rfc9002Model::Thresholds thresholds() const { return {loss_.packet_threshold(), loss_.time_threshold_eighths()}; }

  int random_space() { return confirmed_ ? 2 : static_cast<int>(first_space_ + rng_.below(3 - first_space_)); }

  void send() {
    const int space = random_space();
    for (uint64_t i = 1 + rng_.below(4); i > 0; i--) {
      const uint64_t number = loss_.next_packet_number(static_cast<Space>(space));
      SentPacket packet{.time_sent = now_, .size = static_cast<uint16_t>(40 + rng_.below(1400))};
      packet.in_flight = rng_.below(8) != 0;
      packet.ack_eliciting = packet.in_flight && rng_.below(8) != 0;
      loss_.on_packet_sent(static_cast<Space>(space), packet);
      model_.on_sent(now_, space, number, {now_, packet.size, packet.ack_eliciting, packet.in_flight});
    }
  }

  void acknowledge() {
    const int space = random_space();
    const Space s = static_cast<Space>(space);
    const uint64_t next = loss_.next_packet_number(s), first = loss_.sent_packets(s).first();
    if (first == next) return;
    std::set<uint64_t> numbers;
    std::vector<Interval> ranges;
    uint64_t end = next - (rng_.below(3) == 0 ? 0 : rng_.below(std::min<uint64_t>(next - first, 12)));
    for (uint64_t i = 1 + rng_.below(3); i > 0 && end > first; i--) {
      const uint64_t start = std::max(first, end - std::min(end, 1 + rng_.below(8)));
      ranges.push_back({start, end});
      for (uint64_t number = start; number < end; number++) numbers.insert(number);
      end = start - std::min(start, 1 + rng_.below(6));
    }
    const Duration delay = Duration::microseconds(static_cast<int64_t>(rng_.below(60'000)));
    const auto summary =
        loss_.on_ack(now_, {.space = s, .largest_acknowledged = ranges.front().end - 1, .ack_delay = delay}, ranges);
    REQUIRE(summary);
    const auto expected = model_.on_ack(now_, space, numbers, delay, thresholds());
    REQUIRE_EQ(summary->newly_acked, expected.acked.size());
    spurious += static_cast<int>(summary->spurious_packets);
    check(expected, summary->lost);
  }

  void expire() {
    // An idle timeout would have closed the connection; times would go up to where they saturate.
    if (loss_.next_timeout() - now_ > Duration::seconds(30)) return;
    now_ = std::max(now_, loss_.next_timeout());
    std::optional<int> probe_space;
    const auto expected = model_.on_timeout(now_, thresholds(), probe_space);
    const auto timeout = loss_.on_timeout(now_);
    REQUIRE_EQ(timeout.probe.has_value(), probe_space.has_value());
    if (probe_space) REQUIRE_EQ(static_cast<int>(timeout.probe->space), *probe_space);
    probes += timeout.probe.has_value();
    check(expected, timeout.lost);
  }

  void check(const Rfc9002Model::Result& expected, const LossSummary& lost) {
    // With several spaces what is acknowledged is remembered up to a limit, and then persistence is not established.
    const bool exact = first_space_ == 2 || model_.acked_times.size() <= kAckedTimesMax;
    if (expected.persistent_congestion && exact) REQUIRE(lost.persistent_congestion);
    if (lost.persistent_congestion) {
      REQUIRE(model_.is_persistent_congestion_possible());
      persistent_congestions++;
      model_.on_persistent_congestion();
    }
    std::set<uint64_t> acked_numbers, lost_numbers;
    while (const auto outcome = loss_.poll_outcome()) {
      if (outcome->kind == Kind::acked) REQUIRE(acked_numbers.insert(outcome->packet_number).second);
      if (outcome->kind == Kind::lost) REQUIRE(lost_numbers.insert(outcome->packet_number).second);
    }
    REQUIRE(acked_numbers == expected.acked);
    REQUIRE(lost_numbers == expected.lost);
    lost_count += static_cast<int>(lost_numbers.size());
  }

  void change_phase() {
    if (role_ == Role::server && !confirmed_ && rng_.below(2) == 0) {
      limited_ = !limited_;
      loss_.set_amplification_limited(now_, limited_);
      return model_.on_limited(now_, limited_);
    }
    if (phase_ > 3 || rng_.below(3) != 0) return;
    switch (phase_++) {
      case 0:
        loss_.on_handshake_keys(now_);
        return model_.on_handshake_keys(now_);
      case 1:
      case 3:
        loss_.discard_space(now_, static_cast<Space>(first_space_));
        model_.on_discard(now_, static_cast<int>(first_space_));
        first_space_++;
        return;
      case 2:
        confirmed_ = true;
        loss_.on_handshake_confirmed(now_);
        return model_.on_confirmed(now_);
    }
  }

  void compare() {
    REQUIRE_EQ(path_.bytes_in_flight, model_.bytes_in_flight);
    REQUIRE_EQ(loss_.pto_count(), model_.pto_count);
    REQUIRE_EQ(path_.rtt.smoothed_rtt(), model_.smoothed_rtt);
    REQUIRE_EQ(path_.rtt.rttvar(), model_.rttvar);
    REQUIRE_EQ(path_.rtt.min_rtt(), model_.min_rtt);
    REQUIRE_EQ(loss_.next_timeout().as_nanoseconds(), model_.timer.as_nanoseconds());
  }

  tests::SeededRng rng_;
  Role role_;
  PathRecovery path_;
  LossDetection loss_;
  Rfc9002Model model_;
  Instant now_;
  uint64_t first_space_ = 0;
  int phase_ = 0;
  bool confirmed_ = false, limited_ = false;
};

}  // namespace

TEST_SUITE("quic loss detection") {
  TEST_CASE("random schedules agree with the pseudocode of RFC 9002 Appendix A") {
    const uint64_t seed = tests::test_seed(1);
    int persistent = 0, spurious = 0, lost = 0, probes = 0;
    for (uint64_t i = 0; i < 300; i++) {
      INFO("seed ", seed + i);
      Schedule schedule(seed + i);
      schedule.run(400);
      persistent += schedule.persistent_congestions;
      spurious += schedule.spurious;
      lost += schedule.lost_count;
      probes += schedule.probes;
    }
    // The schedules are worth something.
    CHECK_GT(persistent, 20);
    CHECK_GT(spurious, 100);
    CHECK_GT(lost, 1000);
    CHECK_GT(probes, 1000);
  }
}
