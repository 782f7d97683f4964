// Acknowledgments: what they say of packets, paths and congestion, and what that means to the owners of frames
// (RFC 9000 §13; RFC 9002 §5, §6, §7).
#include "base/shrink.h"
#include "quic/connection/state.h"

namespace quoll::quic {
namespace {

/// RFC 9000 §19.3: the field in units of 2^exponent microseconds; absurd values become infinite.
Duration decoded_ack_delay(uint64_t field, uint64_t exponent) {
  constexpr uint64_t kLargest = uint64_t{1} << 40;  // 12 days
  if (field > kLargest >> exponent) return Duration::infinite();
  return Duration::microseconds(static_cast<int64_t>(field << exponent));
}

trace::LossReason reason_of(LossDetection::LossCause cause) {
  switch (cause) {
    case LossDetection::LossCause::packet_threshold:
      return trace::LossReason::reordering_threshold;
    case LossDetection::LossCause::time_threshold:
      return trace::LossReason::time_threshold;
    case LossDetection::LossCause::given_up:
      return trace::LossReason::pto_expired;
  }
  return trace::LossReason::unspecified;
}

}  // namespace

Result<void> Connection::State::on_ack_frame(const PacketContext& context, Space which, const AckFrame& frame) {
  const uint64_t exponent = peer_parameters ? peer_parameters->ack_delay_exponent : 3;
  // RFC 9000 §13.2.5: Initial and Handshake packets are not delayed, whatever their field says.
  const Duration delay = which == Space::application ? decoded_ack_delay(frame.ack_delay, exponent) : Duration();
  const CongestionState before = current->controller->state();
  const Result<AckSummary> acked = loss.on_ack(
      context.received_at, {.space = which, .largest_acknowledged = frame.largest_acknowledged, .ack_delay = delay},
      frame.ranges);
  if (!acked) {
    settle_outcomes(context.now);
    return std::unexpected(acked.error());
  }
  const Instant now = context.now;
  Controller& controller = *current->controller;
  const EcnValidator::State ecn_before = ecn.state();
  const bool congested = ecn.on_ack({.space = which,
                                     .counts = frame.ecn,
                                     .ect0_acked = acked->ect0_acked,
                                     .ect1_acked = acked->ect1_acked,
                                     .largest_increased = acked->largest_increased});
  if (trace && ecn.state() != ecn_before) {
    trace(now, trace::EcnStateUpdated{.old = ecn_before, .state = ecn.state()});
  }
  if (acked->undo) controller.on_spurious_loss(now);
  if (congested) {
    const Instant period = controller.recovery_start();
    controller.on_ecn_ce({.now = now,
                          .largest_time_sent = acked->largest_time_sent,
                          .bytes_in_flight = current->recovery.bytes_in_flight});
    if (controller.recovery_start() != period) counters.congestion_events++;
  }
  on_lost_summary(now, acked->lost, acked->prior_bytes_in_flight);
  if (acked->bytes_acked != 0) {
    controller.on_ack({.now = now,
                       .bytes_acked = acked->bytes_acked,
                       .bytes_acked_after_recovery_start = acked->bytes_acked_after_recovery_start,
                       .prior_bytes_in_flight = acked->prior_bytes_in_flight,
                       .bytes_in_flight = current->recovery.bytes_in_flight,
                       .newest_time_sent = acked->newest_time_sent,
                       .rtt_sample = acked->rtt_sample,
                       .rate = acked->rate},
                      current->recovery.rtt);
  }
  current->recovery.recovery_start = controller.recovery_start();
  counters.packets_spuriously_lost += acked->spurious_packets;
  if (!acked->rate.delivery_rate.is_zero()) last_rate = acked->rate;
  if (acked->rtt_sample) {
    streams.set_smoothed_rtt(current->recovery.rtt.smoothed_rtt());
    protection.set_pto(loss.pto());
  }
  if (which == Space::application && acked->newly_acked != 0) {
    if (const std::optional<PacketNumber> largest = loss.largest_acknowledged(which)) {
      protection.on_packet_acked(*largest);
      // RFC 9001 §4.1.2: as good as HANDSHAKE_DONE, which may have been lost.
      if (role == Role::client && handshake_complete && *largest >= first_one_rtt_number) confirm_handshake(now);
    }
  }
  settle_outcomes(now);
  update_pacing(now);
  if (trace) trace_recovery(now, before);
  trace_loss_timer(now);
  return {};
}

void Connection::State::on_lost_summary(Instant now, const LossSummary& lost, uint64_t prior_bytes_in_flight) {
  if (lost.packets == 0) return;
  ecn.on_lost(lost.ect_packets);
  const Instant before = current->controller->recovery_start();
  current->controller->on_loss({.now = now,
                                .bytes_lost = lost.bytes,
                                .prior_bytes_in_flight = prior_bytes_in_flight,
                                .bytes_in_flight = current->recovery.bytes_in_flight,
                                .newest_time_sent = lost.newest_time_sent,
                                .ranges = lost.ranges,
                                .persistent_congestion = lost.persistent_congestion,
                                .excess = lost.excess});
  if (current->controller->recovery_start() != before) counters.congestion_events++;
  current->recovery.recovery_start = current->controller->recovery_start();
}

void Connection::State::settle_outcomes(Instant now) {
  while (const std::optional<LossDetection::Outcome> outcome = loss.poll_outcome()) on_packet_outcome(now, *outcome);
  tell_acked(now);
  for (const Space which : {Space::initial, Space::handshake, Space::application}) {
    if (has_space(which)) space(which).tokens.release_below(loss.first_token(which));
  }
}

void Connection::State::on_packet_outcome(Instant now, const LossDetection::Outcome& outcome) {
  using Kind = LossDetection::Outcome::Kind;
  PathState* path = nullptr;
  for (const std::unique_ptr<PathState>& each : paths) {
    if (each && each->number == outcome.path) path = each.get();
  }
  const bool acked = outcome.kind == Kind::acked || outcome.kind == Kind::acked_late;
  if (trace && acked) trace_acked(now, outcome);
  if (outcome.kind == Kind::lost) {
    counters.packets_lost++;
    if (trace) {
      trace(now, trace::PacketLost{.type = trace::type_of(outcome.space),
                                   .number = outcome.packet_number,
                                   .reason = reason_of(outcome.cause),
                                   .is_mtu_probe = outcome.is_mtu_probe});
    }
  }
  if (path && outcome.is_mtu_probe) {
    if (acked && path->mtu.on_probe_acked(now, outcome.size)) on_mtu_changed(now, *path);
    if (outcome.kind == Kind::lost) {
      counters.mtu_probes_lost++;
      path->mtu.on_probe_lost(now, outcome.size);
    }
  } else if (path && acked) {
    path->mtu.on_packet_acked({.time_sent = outcome.time_sent, .size = outcome.size});
  } else if (path && outcome.kind == Kind::lost && path->mtu.on_packet_lost(now, {outcome.time_sent, outcome.size})) {
    counters.black_holes++;
    on_mtu_changed(now, *path);
  }
  const FrameTokens& tokens = space(outcome.space).tokens;
  for (uint64_t i = outcome.tokens.begin; i < outcome.tokens.end(); i++) {
    if (acked) {
      on_frame_acked(outcome.space, tokens[i]);
    } else {
      on_frame_lost(outcome.space, tokens[i]);
    }
  }
}

void Connection::State::on_mtu_changed(Instant now, PathState& path) {
  path.controller->set_max_datagram_size(path.mtu.mtu());
  trace(now, trace::MtuUpdated{.mtu = path.mtu.mtu()});
}

void Connection::State::on_frame_acked(Space which, const FrameToken& token) {
  switch (owner_of(token.kind)) {
    case FrameOwner::received_packets:
      return space(which).received.on_ack_acked(token.offset);
    case FrameOwner::crypto_stream:
      if (CryptoStream* stream = crypto_stream(which)) stream->on_acked(token);
      return;
    case FrameOwner::streams:
      return streams.on_acked(token);
    case FrameOwner::local_connection_ids:
      return local_ids->on_acked(token);
    case FrameOwner::remote_connection_ids:
      return remote_ids->on_acked(token);
    case FrameOwner::new_token:
      release(new_token_in_flight);
      new_token_due = false;
      issue_new_token(present);
      return;
    case FrameOwner::handshake:
      return;
    case FrameOwner::datagrams:
      return datagrams.on_acked(token);
  }
}

void Connection::State::on_frame_lost(Space which, const FrameToken& token) {
  switch (owner_of(token.kind)) {
    case FrameOwner::received_packets:
      return;  // RFC 9000 §13.3: a newer one says more
    case FrameOwner::crypto_stream:
      if (CryptoStream* stream = crypto_stream(which)) stream->on_lost(token);
      return;
    case FrameOwner::streams:
      return streams.on_lost(token);
    case FrameOwner::local_connection_ids:
      return local_ids->on_lost(token);
    case FrameOwner::remote_connection_ids:
      return remote_ids->on_lost(token);
    case FrameOwner::new_token:
      if (!new_token_in_flight.empty()) new_token_due = true;
      return;
    case FrameOwner::handshake:
      handshake_done_due = true;
      return;
    case FrameOwner::datagrams:
      return datagrams.on_lost(token);
  }
}

/// RFC 9002 §6.2.4: what the oldest packets in flight carried is sent once more, as if they were lost, by as many probes.
/// Data is left alone where there is new data to send.
bool Connection::State::repeat_oldest(Space which, size_t packets) {
  using Kind = FrameToken::Kind;
  const bool has_new_data = which == Space::application && streams.has_data();
  const SentPackets& sent = loss.sent_packets(which);
  const FrameTokens& tokens = space(which).tokens;
  bool found = false;
  for (PacketNumber number = sent.first(); number < sent.next_packet_number() && packets != 0; number++) {
    const SentPackets::Entry& entry = sent[number];
    if (entry.state != SentPackets::State::outstanding || !entry.ack_eliciting) continue;
    found = true;
    packets--;
    for (uint64_t i = entry.tokens().begin; i < entry.tokens().end(); i++) {
      const Kind kind = tokens[i].kind;
      if (kind == Kind::datagram || (kind == Kind::stream && has_new_data)) continue;
      on_frame_lost(which, tokens[i]);
    }
  }
  return found;
}

void Connection::State::update_pacing(Instant now) {
  if (!config.pacing) return;
  current->pacer.set_rate(now, current->controller->pacing_rate(current->recovery.rtt));
  current->pacer.set_burst(now, current->controller->burst());
}

}  // namespace quoll::quic
