// The input drives sends, ACKs, timeouts, discards and path changes of a LossDetection with a controller beside it; a map
// of packets follows.
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "base/reader.h"
#include "quic/congestion/make_controller.h"
#include "quic/recovery/loss_detection.h"

using namespace quoll;
using namespace quoll::quic;
using Kind = LossDetection::Outcome::Kind;

namespace {

enum class Fate { outstanding, acked, lost, acked_late, gone };

struct Tracked {
  Fate fate = Fate::outstanding;
  uint64_t size = 0;
  bool in_flight = false;
  bool ack_eliciting = false;
  uint8_t path = 0;
};

class Run {
 public:
  explicit Run(uint8_t options) : role_(options & 1 ? Role::server : Role::client), loss_({.role = role_}) {
    for (PathRecovery& path : paths_) QUOLL_CHECK(loss_.add_path(path));
    using enum CongestionAlgorithm;
    controller_ =
        make_controller(std::array{new_reno, cubic, bbr2, bbr3}[options >> 1 & 3], kSmallestMaxDatagramSize, 1);
  }

  /// False when the peer was found out.
  bool step(Reader& program) {
    const uint8_t kind = program.u8();
    now_ += Duration::microseconds(static_cast<int64_t>(kind >> 4) * kind);
    const Space space = static_cast<Space>(first_space_ + program.u8() % (kSpaceCount - first_space_));
    switch (kind & 0x0f) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        send(space, program.u8());
        break;
      case 5:
      case 6:
      case 7:
      case 8:
        if (!acknowledge(space, program)) return false;
        break;
      case 9:
      case 10:
        expire();
        break;
      case 11:
        if (first_space_ < 2) discard();
        break;
      case 12:
        loss_.on_handshake_confirmed(now_);
        confirmed_ = true;
        break;
      case 13:
        limited_ = role_ == Role::server && (program.u8() & 1) != 0;
        loss_.set_amplification_limited(now_, limited_);
        break;
      case 14:
        current_ = program.u8() % 2;
        loss_.set_current_path(now_, current_);
        break;
      case 15:
        loss_.skip_packet_number(space);
        break;
    }
    poll();
    validate();
    return true;
  }

 private:
  std::map<PacketNumber, Tracked>& packets(Space space) { return packets_[static_cast<size_t>(space)]; }

  void send(Space space, uint8_t bits) {
    SentPacket packet{.time_sent = now_, .size = static_cast<uint16_t>(1 + bits * 5)};
    packet.in_flight = bits % 8 != 0;
    packet.ack_eliciting = packet.in_flight && bits % 16 != 1;
    packet.is_mtu_probe = bits % 32 == 5;
    packet.path = current_;
    packets(space)[loss_.next_packet_number(space)] = {
        .size = packet.size, .in_flight = packet.in_flight, .ack_eliciting = packet.ack_eliciting, .path = current_};
    loss_.on_packet_sent(space, packet);
    if (packet.in_flight) {
      controller_->on_packet_sent({.now = now_, .bytes = packet.size, .bytes_in_flight = path().bytes_in_flight});
    }
  }

  bool acknowledge(Space space, Reader& program) {
    const PacketNumber next = loss_.next_packet_number(space);
    std::vector<Interval> ranges;
    PacketNumber end = next + 1 - std::min<PacketNumber>(next + 1, 1 + program.u8() % 8);
    for (int count = program.u8() % 4; count >= 0 && end > 0; count--) {
      const PacketNumber start = end - std::min<PacketNumber>(end, 1 + program.u8() % 16);
      ranges.push_back({start, end});
      end = start - std::min<PacketNumber>(start, 1 + program.u8() % 8);
    }
    if (ranges.empty()) return true;
    const uint8_t delay_byte = program.u8();
    const Duration delay = Duration::microseconds(delay_byte * 100);
    const auto summary = loss_.on_ack(
        now_, {.space = space, .largest_acknowledged = ranges.front().end - 1, .ack_delay = delay}, ranges);
    if (!summary) return false;
    given_up_ = 0;
    QUOLL_CHECK(summary->bytes_acked_after_recovery_start <= summary->bytes_acked);
    QUOLL_CHECK(summary->rate.total_delivered == path().delivery_rate.delivered());
    if (summary->undo) controller_->on_spurious_loss(now_);
    if (summary->newly_acked != 0 && delay_byte % 8 == 7) {
      controller_->on_ecn_ce(
          {.now = now_, .largest_time_sent = summary->largest_time_sent, .bytes_in_flight = path().bytes_in_flight});
    }
    if (delay_byte % 8 == 5) controller_->on_app_limited(now_, path().bytes_in_flight);
    on_lost(summary->lost);
    if (summary->bytes_acked != 0) {
      controller_->on_ack({.now = now_,
                           .bytes_acked = summary->bytes_acked,
                           .bytes_acked_after_recovery_start = summary->bytes_acked_after_recovery_start,
                           .prior_bytes_in_flight = summary->prior_bytes_in_flight,
                           .bytes_in_flight = path().bytes_in_flight,
                           .newest_time_sent = summary->newest_time_sent,
                           .rtt_sample = summary->rtt_sample,
                           .rate = summary->rate},
                          path().rtt);
    }
    path().recovery_start = controller_->recovery_start();
    return true;
  }

  void expire() {
    // An idle timeout would have closed the connection; times would go up to where they saturate.
    if (loss_.next_timeout() - now_ > Duration::seconds(30)) return;
    now_ = std::max(now_, loss_.next_timeout());
    const auto timeout = loss_.on_timeout(now_);
    // A probe timeout declares nothing lost; it may be the first to tell what on_packet_sent() had given up.
    if (timeout.probe) QUOLL_CHECK(timeout.lost.packets <= given_up_);
    given_up_ = 0;
    on_lost(timeout.lost);
  }

  void on_lost(const LossSummary& lost) {
    if (lost.packets == 0) return;
    controller_->on_loss({.now = now_,
                          .bytes_lost = lost.bytes,
                          .bytes_in_flight = path().bytes_in_flight,
                          .newest_time_sent = lost.newest_time_sent,
                          .ranges = lost.ranges,
                          .persistent_congestion = lost.persistent_congestion,
                          .excess = lost.excess});
    path().recovery_start = controller_->recovery_start();
  }

  void discard() {
    const Space space = static_cast<Space>(first_space_++);
    loss_.discard_space(now_, space);
    for (auto& [number, packet] : packets(space)) packet.fate = Fate::gone;
  }

  void poll() {
    while (const auto outcome = loss_.poll_outcome()) {
      Tracked& packet = packets(outcome->space).at(outcome->packet_number);
      QUOLL_CHECK(outcome->size == packet.size);
      switch (outcome->kind) {
        case Kind::acked:
          QUOLL_CHECK(packet.fate == Fate::outstanding);
          packet.fate = Fate::acked;
          break;
        case Kind::lost:
          QUOLL_CHECK(packet.fate == Fate::outstanding && packet.in_flight);
          packet.fate = Fate::lost;
          given_up_ += outcome->cause == LossDetection::LossCause::given_up;
          break;
        case Kind::acked_late:
          QUOLL_CHECK(packet.fate == Fate::lost || !packet.in_flight);
          packet.fate = Fate::acked_late;
          break;
        case Kind::discarded:
          QUOLL_CHECK(false);
      }
    }
  }

  void validate() {
    std::array<uint64_t, 2> in_flight{};
    bool armed = false;
    for (size_t i = 0; i < kSpaceCount; i++) {
      uint64_t eliciting = 0;
      for (const auto& [number, packet] : packets_[i]) {
        if (packet.fate != Fate::outstanding || !packet.in_flight) continue;
        in_flight[packet.path] += packet.size;
        eliciting += packet.ack_eliciting;
      }
      QUOLL_CHECK(eliciting == loss_.ack_eliciting_in_flight(static_cast<Space>(i)));
      armed = armed || (eliciting != 0 && (i != 2 || confirmed_));
    }
    for (size_t i = 0; i < paths_.size(); i++) QUOLL_CHECK(paths_[i].bytes_in_flight == in_flight[i]);
    if (armed && !limited_) QUOLL_CHECK(!loss_.next_timeout().is_never());
    QUOLL_CHECK(controller_->window() >= minimum_window(kSmallestMaxDatagramSize));
    QUOLL_CHECK(!controller_->pacing_rate(path().rtt).is_zero());
  }

  PathRecovery& path() { return paths_[current_]; }

  Role role_;
  std::array<PathRecovery, 2> paths_;
  LossDetection loss_;
  std::unique_ptr<Controller> controller_;
  std::array<std::map<PacketNumber, Tracked>, kSpaceCount> packets_;
  Instant now_;
  uint32_t given_up_ = 0;  // and not yet told
  int first_space_ = 0;
  uint8_t current_ = 0;
  bool confirmed_ = false;
  bool limited_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader program(Bytes(data, std::min<size_t>(size, 4096)));  // validate() looks at every packet
  Run run(program.u8());
  while (program.remaining() >= 8 && run.step(program)) {
  }
  return 0;
}
