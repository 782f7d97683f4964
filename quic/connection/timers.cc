// Timers: when something must be done although nothing arrives (RFC 9000 §10.1; RFC 9002 §6.2).
#include "quic/connection/state.h"

namespace quoll::quic {

Duration Connection::State::idle_period() const {
  // RFC 9000 §10.1: the smaller of both ends' timeouts, three PTOs at least.
  Duration period = config.max_idle_timeout;
  if (peer_parameters) period = std::min(period, peer_parameters->idle_timeout());
  return period.is_infinite() ? period : std::max(period, loss.pto() * 3);
}

void Connection::State::restart_idle_timer(Instant now) {
  const Duration period = idle_period();
  idle_deadline = now + period;
  const bool wanted = !config.keep_alive.is_zero() && (config.keep_alive_always || streams.statistics().open != 0);
  // RFC 9000 §10.1.2: in time for the peer's timeout too, which may be far shorter than ours, with room for a lost PING.
  const Duration interval = std::min(config.keep_alive, period / 3);
  keep_alive_at = wanted && handshake_complete ? now + interval : Instant::never();
}

/// An ack-eliciting 1-RTT packet came: what is said of a stall counts from here.
void Connection::State::note_arrival(Instant now) {
  const Duration interval = std::max(current->recovery.rtt.smoothed_rtt(), kStallIntervalMin);
  stall.run = now - stall.last > interval ? uint8_t{1} : std::min<uint8_t>(stall.run + 1, kStallRun);
  stall.last = now;
  stall.pings = config.stall_pings;
  stall.at = stall.run == kStallRun && stall.pings != 0 ? now + interval : Instant::never();
}

void Connection::State::on_stall(Instant now) {
  stall.at = Instant::never();
  if (stall.pings == 0 || !streams.awaits_data()) return;
  stall.pings--;
  space(Space::application).ping = true;
  stall.at = now + std::max(current->recovery.rtt.smoothed_rtt(), kStallIntervalMin);
}

/// A peer from whom PTOs got no answer is heard again: the next PTO may be far, so a probe goes now. One for each PTO, which
/// a peer cannot have more of than time gives it.
void Connection::State::answer_sign_of_life() {
  const bool is_new = loss.pto_count() != answered_pto_count;
  answered_pto_count = loss.pto_count();
  if (!is_new || answered_pto_count == 0 || !confirmed) return;
  if (!repeat_oldest(Space::application, 1)) return;
  SpaceState& state = space(Space::application);
  state.probes = std::max<uint8_t>(state.probes, 1);
  counters.early_repeats++;
}

void Connection::State::restart_quiet_timer(Instant now) {
  if (confirmed) quiet_at = now + loss.pto() * kQuietPtos;
}

/// What is only there so that the next packet is quick is given back. Once for each time of quiet: with the next
/// datagram, in or out, the timer starts anew.
void Connection::State::on_quiet() {
  quiet_at = Instant::never();
  if (loss.ack_eliciting_in_flight(Space::application) != 0) return;  // so there will be one
  if (!protection.next_timeout().is_never()) {
    quiet_at = protection.next_timeout();  // keys of a recent update are not to be given up yet
    return;
  }
  session->trim();
  protection.trim();
  loss.trim();
  application_space.tokens.release_below(loss.first_token(Space::application));
  application_space.tokens.trim();
  application_space.received.trim();
  application_crypto.trim();
  streams.trim();
  datagrams.trim();
  local_ids->trim();
  remote_ids->trim();
}

Instant Connection::State::ack_deadline() const {
  Instant earliest = Instant::never();
  for (const PacketType type : {PacketType::initial, PacketType::handshake, PacketType::one_rtt}) {
    if (!protection.can_seal(type)) continue;
    earliest = std::min(earliest, space(space_of(type)).received.next_timeout());
  }
  // What was due when we were last asked to send could not be sent; time alone does not change that.
  return earliest > present ? earliest : Instant::never();
}

Instant Connection::State::next_timeout() const {
  switch (close.phase) {
    case CloseState::Phase::drained:
      return Instant::never();
    case CloseState::Phase::closing:
    case CloseState::Phase::draining:
      return close.until;
    case CloseState::Phase::open:
      break;
  }
  Instant earliest = std::min({loss.next_timeout(), ack_deadline(), idle_deadline, keep_alive_at, stall.at,
                               pacing_until, quiet_at, protection.next_timeout(), zero_rtt_discard_at});
  if (handshake) earliest = std::min(earliest, handshake->deadline);
  for (const std::unique_ptr<PathState>& path : paths) {
    if (path) earliest = std::min({earliest, path->validation.next_timeout(), path->remove_at});
  }
  return std::min({earliest, current->mtu.next_timeout(), forget_original_at});
}

void Connection::State::on_timeout(Instant now) {
  if (!is_open()) {
    if (now >= close.until) become_drained();
    return;
  }
  if (now >= idle_deadline) {
    // RFC 9000 §10.1: silently.
    trace(now, trace::ConnectionClosed{.why = trace::CloseReason::idle_timeout});
    end({.why = Closed::Why::idle_timeout, .reason = "idle timeout"});
    return become_drained();
  }
  if (handshake && now >= handshake->deadline) {
    trace(now, trace::ConnectionClosed{.why = trace::CloseReason::aborted, .reason = "handshake timeout"});
    end({.why = Closed::Why::handshake_timeout, .reason = "the handshake took too long"});
    return become_drained();
  }
  if (now >= keep_alive_at) {
    keep_alive_at = Instant::never();
    space(Space::application).ping = true;
  }
  if (now >= stall.at) on_stall(now);
  if (now >= loss.next_timeout()) on_loss_timeout(now);
  if (now >= protection.next_timeout()) protection.on_timeout(now);
  if (now >= zero_rtt_discard_at) {
    zero_rtt_discard_at = Instant::never();
    discard_keys(now, PacketType::zero_rtt);
  }
  if (now >= forget_original_at) {
    forget_original_at = Instant::never();
    local_ids->remove_original_destination();
  }
  if (now >= quiet_at) on_quiet();
  current->mtu.on_timeout(now);
  for (size_t i = 0; i < paths.size() && is_open(); i++) {
    if (PathState* path = paths[i].get(); path && path->validation.on_timeout(now)) on_path_failed(now, *path);
    if (PathState* path = paths[i].get(); path && path != current && now >= path->remove_at) remove_path(*path);
  }
}

void Connection::State::on_loss_timeout(Instant now) {
  const CongestionState before = current->controller->state();
  const uint64_t prior_bytes_in_flight = current->recovery.bytes_in_flight;
  const LossDetection::Timeout timeout = loss.on_timeout(now);
  on_lost_summary(now, timeout.lost, prior_bytes_in_flight);
  settle_outcomes(now);
  update_pacing(now);
  if (timeout.probe) {
    counters.probe_timeouts++;
    if (current->mtu.on_pto(now, static_cast<uint32_t>(loss.pto_count()))) {
      counters.black_holes++;
      on_mtu_changed(now, *current);
    }
    SpaceState& state = space(timeout.probe->space);
    state.probes = timeout.probe->packets;
    repeat_oldest(timeout.probe->space, timeout.probe->packets);
    // RFC 9002 §6.2.4: what is in flight in other spaces goes along, since the peer may have the keys of one of them alone.
    for (const PacketType type : {PacketType::initial, PacketType::handshake, PacketType::one_rtt}) {
      const Space other = space_of(type);
      const bool can_seal = protection.can_seal(type) || (other == Space::application && !handshake_complete);
      if (!confirmed && other != timeout.probe->space && can_seal) repeat_oldest(other, timeout.probe->packets);
    }
  }
  if (trace) trace_recovery(now, before);
  trace_loss_timer(now, true);
}

}  // namespace quoll::quic
