#include "quic/recovery/loss_detection.h"

#include <algorithm>

#include "quic/wire/error_code.h"

namespace quoll::quic {
namespace {

using State = SentPackets::State;
constexpr uint64_t kAckFrameType = 0x02;
constexpr std::array kSpaces = {Space::initial, Space::handshake, Space::application};

}  // namespace

std::optional<uint8_t> LossDetection::add_path(PathRecovery& path) {
  for (uint8_t i = 0; i < kRecoveryPathsMax; i++) {
    if (paths_[i] != nullptr) continue;
    paths_[i] = &path;
    if (current_path_ == kNoPath) current_path_ = i;
    return i;
  }
  return std::nullopt;
}

void LossDetection::remove_path(uint8_t path) {
  QUOLL_CHECK(path < kRecoveryPathsMax && path != current_path_);
  paths_[path] = nullptr;
  // The number will be given to another path.
  for (const Space space : spaces()) {
    SpaceState& state = state_of(space);
    for (PacketNumber number = state.sent.first(); number < state.sent.next_packet_number(); number++) {
      if (state.sent[number].path == path) state.sent[number].path = kNoPath;
    }
  }
}

void LossDetection::set_current_path(Instant now, uint8_t path) {
  QUOLL_CHECK(path < kRecoveryPathsMax && paths_[path] != nullptr);
  if (path == current_path_) return;
  current_path_ = path;
  lost_run_.reset();
  episode_lost_ = episode_spurious_ = 0;
  episode_floor_ = current().recovery_start;
  pending_lost_ = {};
  set_timer(now);
}

void LossDetection::on_packet_sent(Space space, const SentPacket& packet) {
  SpaceState& state = state_of(space);
  QUOLL_CHECK(packet.path < kRecoveryPathsMax && paths_[packet.path] != nullptr);
  make_room(packet.time_sent, space);
  SentPackets::Entry& entry = state.sent.add(packet);
  if (!entry.in_flight) return;
  PathRecovery& path = *paths_[packet.path];
  entry.rate = path.delivery_rate.on_packet_sent(entry.time_sent, entry.size, path.bytes_in_flight);
  path.bytes_in_flight += entry.size;
  if (entry.ack_eliciting) {
    state.ack_eliciting_in_flight++;
    state.time_of_last_ack_eliciting = entry.time_sent;
  }
  set_timer(packet.time_sent);
}

void LossDetection::skip_packet_number(Space space) {
  SentPackets& sent = state_of(space).sent;
  if (!sent.is_full()) sent.skip();
}

void LossDetection::make_room(Instant now, Space space) {
  SpaceState& state = state_of(space);
  if (state.sent.size() >= kAckOnlyPacketsMax) {
    state.sent.retire([](PacketNumber, const SentPackets::Entry& entry) {
      return (entry.state == State::outstanding && !entry.in_flight) || entry.state == State::skipped;
    });
  }
  if (state.sent.size() < kUnansweredPacketsMax) return;
  const PacketNumber oldest = state.sent.first();
  // A peer that acknowledges at all has had the time for it.
  const bool unanswered = state.sent[oldest].time_sent < now - pto() * kUnansweredPtos;
  if (!unanswered && !state.sent.is_full()) return;
  if (state.sent[oldest].state == State::outstanding)
    declare_lost(now, space, oldest, LossCause::given_up, pending_lost_);
  state.sent.retire([oldest](PacketNumber number, const SentPackets::Entry&) { return number == oldest; });
  retire(now, state);
}

// --- Acknowledgments

void LossDetection::begin_ack() {
  summary_ = {};
  summary_.lost = std::exchange(pending_lost_, {});
  summary_.prior_bytes_in_flight = current().bytes_in_flight;
  summary_.newest_time_sent = Instant::from_nanoseconds(INT64_MIN);
  largest_newly_acked_.reset();
  current().delivery_rate.begin_ack();
}

Result<void> LossDetection::check_sent(Space space, PacketNumber number) const {
  // RFC 9000 §13.1: an ACK of a packet that was never sent, be it to come or skipped (§21.4), is a protocol violation.
  if (number < next_packet_number(space)) return {};
  return close_with(TransportError::protocol_violation, "acknowledged a packet that was not sent", kAckFrameType);
}

Result<void> LossDetection::on_ack_range(Instant now, Space space, Interval range) {
  SpaceState& state = state_of(space);
  QUOLL_DCHECK(range.start < range.end);
  if (const Result<void> known = check_sent(space, range.end - 1); !known) return known;
  bool skipped = state.sent.contains_skipped(range);
  state.sent.take_acked(range, [&](PacketNumber number, SentPackets::Entry& entry) {
    switch (entry.state) {
      case State::outstanding:
        return on_packet_acked(now, space, number, entry);
      case State::lost:
        return on_spurious_loss(now, space, number, entry);
      case State::skipped:
        skipped = true;
        return;
      case State::acked:
      case State::forgotten:
        return;
    }
  });
  if (skipped) {
    return close_with(TransportError::protocol_violation, "acknowledged a packet number that was skipped",
                      kAckFrameType);
  }
  return {};
}

void LossDetection::on_packet_acked(Instant now, Space space, PacketNumber number, SentPackets::Entry& entry) {
  SpaceState& state = state_of(space);
  entry.state = State::acked;
  summary_.newly_acked++;
  summary_.ack_eliciting = summary_.ack_eliciting || entry.ack_eliciting;
  if (!largest_newly_acked_ || number > *largest_newly_acked_) {
    largest_newly_acked_ = number;
    largest_newly_acked_path_ = entry.path;
    summary_.largest_time_sent = entry.time_sent;
  }
  report(Outcome::Kind::acked, space, number, entry);
  if (entry.in_flight) leave_flight(state, entry);
  if (!is_current(entry)) return;
  summary_.ect0_acked += entry.ecn == Ecn::ect0;
  summary_.ect1_acked += entry.ecn == Ecn::ect1;
  lost_run_.on_acked(entry.time_sent);
  if (!entry.in_flight) return;
  summary_.bytes_acked += entry.size;
  if (entry.time_sent > current().recovery_start) summary_.bytes_acked_after_recovery_start += entry.size;
  summary_.newest_time_sent = std::max(summary_.newest_time_sent, entry.time_sent);
  current().delivery_rate.on_packet_acked(now, entry.rate,
                                          {.time_sent = entry.time_sent, .packet_number = number, .size = entry.size});
}

void LossDetection::on_spurious_loss(Instant now, Space space, PacketNumber number, SentPackets::Entry& entry) {
  SpaceState& state = state_of(space);
  entry.state = State::acked;
  report(Outcome::Kind::acked_late, space, number, entry);
  if (is_current(entry)) lost_run_.on_acked_late(entry.time_sent);
  if (!entry.in_flight) return;
  if (!is_current(entry) || entry.is_mtu_probe) return;
  summary_.spurious_packets++;
  current().delivery_rate.on_late_ack(now, entry.size);
  // RFC 9002 §6.1.1: reordering is wider than the threshold; it grows so far that this would not have been a loss.
  if (state.largest_acked && *state.largest_acked > number) {
    const uint64_t distance = *state.largest_acked - number + 1;
    packet_threshold_ = std::clamp(distance, packet_threshold_, kPacketThresholdMax);
  }
  if (entry.time_sent > episode_floor_) episode_spurious_++;
}

Result<AckSummary> LossDetection::finish_ack(Instant now, const Ack& ack) {
  SpaceState& state = state_of(ack.space);
  if (summary_.spurious_packets != 0) {
    // RFC 9002 §6.1.2: once for each ACK that shows it, since one reordering hits many packets.
    time_threshold_eighths_ = std::min(time_threshold_eighths_ + 1, kTimeThresholdEighthsMax);
    summary_.undo = episode_lost_ != 0 && episode_spurious_ >= episode_lost_;
    if (summary_.undo) episode_lost_ = episode_spurious_ = 0;
  }
  if (largest_newly_acked_) {
    if (!state.largest_acked || ack.largest_acknowledged > *state.largest_acked) {
      summary_.largest_increased = true;
      state.largest_acked = ack.largest_acknowledged;
    }
    if (ack.space == Space::handshake) handshake_acked_ = true;
    take_rtt_sample(now, ack);
    detect_lost(now, ack.space, summary_.lost);
    // RFC 9002 §6.2.1: a client that does not know whether the server has validated its address keeps its backoff.
    if (peer_completed_address_validation()) pto_count_ = 0;
  }
  summary_.rate = current().delivery_rate.finish_ack(current().rtt.min_rtt());
  retire(now, state);
  if (largest_newly_acked_) set_timer(now);
  return summary_;
}

void LossDetection::take_rtt_sample(Instant now, const Ack& ack) {
  // RFC 9002 §5.1: only if the largest acknowledged is newly acknowledged, and something ack-eliciting is with it.
  // RFC 9000 §9.4: packets on another path are no sample of this one.
  if (*largest_newly_acked_ != ack.largest_acknowledged || !summary_.ack_eliciting) return;
  if (largest_newly_acked_path_ != current_path_) return;
  // Acknowledged before it was to leave: somebody did not hold it back until its departure.
  if (now < summary_.largest_time_sent) return;
  const Duration latest_rtt = now - summary_.largest_time_sent;
  // RFC 9002 §5.3: Initial packets are not delayed on purpose, so a reported delay is not believed.
  const Duration reported = ack.space == Space::initial ? Duration() : ack.ack_delay;
  const Duration limit = handshake_confirmed_ ? options_.max_ack_delay : Duration::infinite();
  current().rtt.on_sample(now, latest_rtt, {.reported = reported, .limit = limit});
  summary_.rtt_sample = current().rtt.latest_rtt();
}

// --- Loss

void LossDetection::detect_lost(Instant now, Space space, LossSummary& lost) {
  SpaceState& state = state_of(space);
  state.loss_time = Instant::never();
  if (!state.largest_acked) return;
  const Duration loss_delay = current().rtt.loss_delay(time_threshold_eighths_);
  const Instant lost_send_time = now - loss_delay;
  PacketNumber number = std::max(state.cursor, state.sent.first());
  for (; number <= *state.largest_acked; number++) {
    const SentPackets::Entry& entry = state.sent[number];
    if (entry.state == State::acked && is_current(entry)) lost_run_.on_passed_acked(entry.time_sent);
    if (entry.state != State::outstanding) continue;
    // RFC 9002 §6.1: lost by packet threshold or by time threshold; a packet that is not in flight is just let go.
    const bool is_late = entry.time_sent <= lost_send_time;
    if (!entry.in_flight || is_late || is_beyond_packet_threshold(state, number)) {
      declare_lost(now, space, number, is_late ? LossCause::time_threshold : LossCause::packet_threshold, lost);
      continue;
    }
    // RFC 9002 §6.1.2: a timer for the remaining time. All later packets were sent later.
    state.loss_time = entry.time_sent + loss_delay;
    break;
  }
  state.cursor = number;
  if (!lost.persistent_congestion) return;
  lost_run_.reset();
  current().rtt.on_persistent_congestion();
}

bool LossDetection::is_beyond_packet_threshold(const SpaceState& state, PacketNumber number) const {
  const uint64_t distance = *state.largest_acked - number;
  if (distance < packet_threshold_) return false;
  // RFC 9002 §A.10: numbers that we skipped ourselves are no reordering.
  return distance - state.sent.skipped_between(number, *state.largest_acked) >= packet_threshold_;
}

void LossDetection::declare_lost(Instant now, Space space, PacketNumber number, LossCause cause, LossSummary& lost) {
  SpaceState& state = state_of(space);
  SentPackets::Entry& entry = state.sent[number];
  entry.state = State::lost;
  if (!entry.in_flight) return;
  leave_flight(state, entry);
  entry.set_lost_at(now);
  report(Outcome::Kind::lost, space, number, entry).cause = cause;
  // RFC 9000 §14.4: the loss of an MTU probe is no sign of congestion.
  if (!is_current(entry) || entry.is_mtu_probe) return;
  const std::optional<ExcessiveLoss> excess = current().delivery_rate.on_packet_lost(entry.rate, entry.size);
  if (excess && (!lost.excess || (excess->is_certain && !lost.excess->is_certain))) lost.excess = excess;
  lost.ranges += !state.last_lost || number != *state.last_lost + 1;
  state.last_lost = number;
  lost.newest_time_sent = lost.packets == 0 ? entry.time_sent : std::max(lost.newest_time_sent, entry.time_sent);
  lost.bytes += entry.size;
  lost.packets++;
  lost.ect_packets += entry.ecn == Ecn::ect0 || entry.ecn == Ecn::ect1;
  if (entry.time_sent > current().recovery_start && episode_floor_ != current().recovery_start) {
    // The first loss of a new recovery period.
    episode_floor_ = current().recovery_start;
    episode_lost_ = episode_spurious_ = 0;
  }
  if (entry.time_sent > episode_floor_) episode_lost_++;
  // RFC 9002 §7.6.2: ack-eliciting packets, and only those sent when there was an RTT sample.
  const std::optional<Instant> first_sample = current().rtt.first_sample();
  if (!entry.ack_eliciting || !first_sample || entry.time_sent <= *first_sample) return;
  const bool several_spaces = handshake_spaces_ && std::ranges::any_of(*handshake_spaces_, [](const SpaceState& each) {
                                return !each.sent.empty();
                              });
  lost_run_.on_lost(entry.time_sent, several_spaces);
  const Duration limit = current().rtt.persistent_congestion_duration(options_.max_ack_delay);
  if (lost_run_.duration() > limit) lost.persistent_congestion = true;
}

// --- Bookkeeping

void LossDetection::leave_flight(SpaceState& state, const SentPackets::Entry& entry) {
  if (entry.path != kNoPath) {
    QUOLL_DCHECK(paths_[entry.path]->bytes_in_flight >= entry.size);
    paths_[entry.path]->bytes_in_flight -= entry.size;
  }
  if (entry.ack_eliciting) state.ack_eliciting_in_flight--;
}

void LossDetection::retire(Instant now, SpaceState& state) {
  // RFC 9000 §13.3: a lost packet is remembered for a PTO, which adequately allows for reordering.
  const Instant forget_lost_before = now - pto();
  state.sent.retire([&](PacketNumber, const SentPackets::Entry& entry) {
    switch (entry.state) {
      case State::outstanding:
        return false;
      case State::lost:
        return !entry.in_flight || entry.lost_at() <= forget_lost_before;
      case State::acked:
      case State::forgotten:
      case State::skipped:
        return true;
    }
    return true;
  });
}

LossDetection::Outcome& LossDetection::report(Outcome::Kind kind, Space space, PacketNumber number,
                                              const SentPackets::Entry& entry) {
  Outcome* outcome = outcomes_.emplace();
  QUOLL_CHECK(outcome != nullptr);  // the caller polls after each call
  outcome->tokens = entry.tokens();
  outcome->packet_number = number;
  outcome->time_sent = entry.time_sent;
  outcome->size = entry.size;
  outcome->kind = kind;
  outcome->space = space;
  outcome->path = entry.path;
  outcome->is_mtu_probe = entry.is_mtu_probe;
  return *outcome;
}

std::optional<LossDetection::Outcome> LossDetection::poll_outcome() {
  if (outcomes_.empty()) return std::nullopt;
  const Outcome outcome = outcomes_.front();
  outcomes_.pop();
  return outcome;
}

void LossDetection::trim() {
  const bool is_over =
      handshake_confirmed_ && handshake_spaces_ &&
      std::ranges::all_of(*handshake_spaces_, [](const SpaceState& each) { return each.sent.empty(); });
  if (is_over) {
    handshake_spaces_.reset();
    lost_run_.forget_spaces();
  }
  for (const Space space : spaces()) {
    SentPackets& sent = state_of(space).sent;
    // What is not in flight is nobody's duty to acknowledge.
    sent.retire([](PacketNumber, const SentPackets::Entry& entry) {
      return entry.state != State::outstanding || !entry.in_flight;
    });
    sent.trim();
  }
  outcomes_.trim();
}

void LossDetection::discard_packet(Space space, PacketNumber number) {
  SpaceState& state = state_of(space);
  SentPackets::Entry& entry = state.sent[number];
  if (entry.state == State::outstanding) {
    if (entry.in_flight) leave_flight(state, entry);
    report(Outcome::Kind::discarded, space, number, entry);
  }
  if (entry.state != State::skipped) entry.state = State::forgotten;
}

// --- Spaces and phases

std::span<const Space> LossDetection::spaces() const {
  return handshake_spaces_ ? std::span(kSpaces) : std::span(kSpaces).last(1);
}

void LossDetection::discard_space(Instant now, Space space) {
  if (!has_space(space)) return;
  SpaceState& state = state_of(space);
  // RFC 9002 §6.4: out of bytes in flight with them, and all their state with it.
  for (PacketNumber number = state.sent.first(); number < state.sent.next_packet_number(); number++) {
    const SentPackets::Entry& entry = state.sent[number];
    if (entry.state == State::outstanding && entry.in_flight) leave_flight(state, entry);
  }
  lost_run_.reset();  // from here on there may be one space only
  state.sent.clear();
  state.sent.trim();
  state.largest_acked.reset();
  state.loss_time = Instant::never();
  pto_count_ = 0;  // RFC 9002 §6.2.2: discarded keys are progress, timers are reset
  set_timer(now);
}

void LossDetection::discard_zero_rtt(Instant now) {
  SpaceState& state = state_of(Space::application);
  for (PacketNumber number = state.sent.first(); number < state.sent.next_packet_number(); number++) {
    if (state.sent[number].is_zero_rtt) discard_packet(Space::application, number);
  }
  retire(now, state);
  set_timer(now);
}

void LossDetection::on_retry(Instant now) {
  for (const Space space : spaces()) {
    SpaceState& state = state_of(space);
    for (PacketNumber number = state.sent.first(); number < state.sent.next_packet_number(); number++) {
      discard_packet(space, number);
    }
    state.loss_time = Instant::never();
    retire(now, state);
  }
  lost_run_.reset();
  pto_count_ = 0;
  set_timer(now);
}

void LossDetection::on_handshake_keys(Instant now) {
  has_handshake_keys_ = true;
  set_timer(now);
}

void LossDetection::on_handshake_confirmed(Instant now) {
  handshake_confirmed_ = true;
  set_timer(now);
}

void LossDetection::set_amplification_limited(Instant now, bool limited) {
  if (limited == amplification_limited_) return;
  amplification_limited_ = limited;
  set_timer(now);
}

// --- Timers

bool LossDetection::peer_completed_address_validation() const {
  // RFC 9002 §A.8: clients validate a server's address implicitly.
  return options_.role == Role::server || handshake_acked_ || handshake_confirmed_;
}

LossDetection::PtoTime LossDetection::pto_time(Instant now) const {
  const int64_t backoff = int64_t{1} << std::min(pto_count_, kPtoBackoffMax);
  const Duration period = current().rtt.pto_base() * backoff;
  PtoTime earliest;
  for (const Space space : spaces()) {
    const SpaceState& state = state_of(space);
    if (state.ack_eliciting_in_flight == 0) continue;
    Duration duration = period;
    if (space == Space::application) {
      // RFC 9002 §6.2.1: not before the handshake is confirmed; max_ack_delay is for this space alone.
      if (!handshake_confirmed_) continue;
      duration += options_.max_ack_delay * backoff;
    }
    const Instant time = state.time_of_last_ack_eliciting + duration;
    if (time < earliest.time) earliest = {.time = time, .space = space};
  }
  if (earliest.time.is_never() && !peer_completed_address_validation()) {
    // RFC 9002 §6.2.2.1: the client probes lest the server be stuck at its amplification limit. Its 0-RTT packets in
    // flight, whose PTO is not armed, do not change that.
    return {
        .time = now + period, .space = has_handshake_keys_ ? Space::handshake : Space::initial, .anti_deadlock = true};
  }
  return earliest;
}

Space LossDetection::earliest_loss_space() const {
  Space earliest = spaces().front();
  for (const Space space : spaces()) {
    if (state_of(space).loss_time < state_of(earliest).loss_time) earliest = space;
  }
  return earliest;
}

void LossDetection::set_timer(Instant now) {
  // RFC 9002 §6.2.1: no PTO while a timer for the time threshold runs.
  timer_ = state_of(earliest_loss_space()).loss_time;
  if (!timer_.is_never()) return;
  // RFC 9002 §6.2.2.1: a server that may not send arms no timer.
  if (amplification_limited_) return;
  timer_ = pto_time(now).time;
}

LossDetection::Timeout LossDetection::on_timeout(Instant now) {
  Timeout result;
  if (now < timer_) return result;
  result.lost = std::exchange(pending_lost_, {});
  const Space space = earliest_loss_space();
  if (!state_of(space).loss_time.is_never()) {
    detect_lost(now, space, result.lost);
    retire(now, state_of(space));
  } else if (const PtoTime pto = pto_time(now); !pto.time.is_never()) {
    // RFC 9002 §6.2: a probe, and nothing is declared lost; two packets, since one more may be dropped (§6.2.4).
    result.probe = Probe{.space = pto.space,
                         .packets = static_cast<uint8_t>(pto.anti_deadlock ? 1 : 2),
                         .anti_deadlock = pto.anti_deadlock};
    pto_count_++;
  }
  set_timer(now);
  return result;
}

}  // namespace quoll::quic
