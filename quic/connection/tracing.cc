// What the connection tells a trace sink, where it takes more than one line.
#include "quic/connection/datagram.h"
#include "quic/connection/state.h"

namespace quoll::quic {

void Connection::State::count_drop(trace::DropReason reason, trace::PacketKind kind, size_t size) {
  counters.packets_dropped++;
  trace(present,
        trace::PacketDropped{.kind = kind, .reason = reason, .size = size, .datagram_id = counters.datagrams_received});
}

void Connection::State::trace_acked(Instant now, const LossDetection::Outcome& outcome) {
  Interval& numbers = traced.acked.numbers;
  const bool follows = outcome.space == traced.acked.space && outcome.packet_number == numbers.end;
  if (!numbers.empty() && !follows) tell_acked(now);
  if (numbers.empty()) {
    traced.acked.space = outcome.space;
    numbers.start = outcome.packet_number;
  }
  numbers.end = outcome.packet_number + 1;
}

void Connection::State::tell_acked(Instant now) {
  if (traced.acked.numbers.empty()) return;
  trace(now, traced.acked);
  traced.acked = {};
}

/// RFC 9002 §6.2: one timer for both; which it is, is seen when it expires.
void Connection::State::trace_loss_timer(Instant now, bool expired) {
  if (!trace) return;
  const Instant timer = loss.next_timeout();
  if (expired) trace(now, trace::TimerUpdated{.kind = trace::TimerKind::pto, .change = trace::TimerChange::expired});
  if (timer == traced.loss_timer && !expired) return;
  traced.loss_timer = timer;
  if (timer.is_never()) {
    trace(now, trace::TimerUpdated{.kind = trace::TimerKind::pto, .change = trace::TimerChange::cancelled});
  } else {
    trace(now,
          trace::TimerUpdated{.kind = trace::TimerKind::pto, .change = trace::TimerChange::set, .delta = timer - now});
  }
}

/// Empty: there was nothing to hold back.
void Connection::State::trace_blocked(Instant now, std::optional<trace::BlockedReason> reason) {
  if (!trace || reason == traced.blocked) return;
  if (traced.blocked) {
    trace(now, trace::ConnectionBlockedUpdated{.is_blocked = false, .reason = *traced.blocked});
  }
  if (reason) trace(now, trace::ConnectionBlockedUpdated{.is_blocked = true, .reason = *reason});
  traced.blocked = reason;
}

void Connection::State::trace_recovery(Instant now, CongestionState before) const {
  const PathState& path = *current;
  const Controller& controller = *path.controller;
  uint64_t in_flight = 0;
  for (const Space which : {Space::initial, Space::handshake, Space::application}) {
    if (loss.has_space(which)) in_flight += loss.ack_eliciting_in_flight(which);
  }
  trace(now, trace::MetricsUpdated{.min_rtt = path.recovery.rtt.min_rtt(),
                                   .smoothed_rtt = path.recovery.rtt.smoothed_rtt(),
                                   .latest_rtt = path.recovery.rtt.latest_rtt(),
                                   .rttvar = path.recovery.rtt.rttvar(),
                                   .pto_count = static_cast<uint32_t>(loss.pto_count()),
                                   .congestion_window = controller.window(),
                                   .bytes_in_flight = path.recovery.bytes_in_flight,
                                   .slow_start_threshold = controller.slow_start_threshold(),
                                   .packets_in_flight = in_flight,
                                   .pacing_rate = config.pacing ? path.pacer.rate() : Bandwidth()});
  if (controller.state() != before) {
    trace(now, trace::CongestionStateUpdated{.old = before, .state = controller.state()});
  }
}

void Connection::State::trace_sent(const Datagram& datagram) const {
  const Datagram::Open& open = *datagram.open;
  const bool is_long = has_long_header(open.type);
  trace(datagram.now,
        trace::PacketSent{
            .header = {.type = open.type,
                       .number = open.number.number,
                       .number_size = static_cast<uint8_t>(open.number.size),
                       .version = !is_long                            ? Version::negotiation
                                  : open.type == PacketType::zero_rtt ? original_version
                                                                      : version,
                       .destination = datagram.path.remote_id.id,
                       .source = is_long ? Bytes(local_ids->initial()) : Bytes(),
                       .token = open.type == PacketType::initial && handshake ? Bytes(handshake->token) : Bytes(),
                       .spin_bit = open.spin_bit,
                       .key_phase = open.key_phase},
            .size = open.size(),
            .frames = open.payload->written(),
            .path = datagram.path.number,
            .datagram_id = counters.datagrams_sent + 1,
            .is_mtu_probe = datagram.is_mtu_probe,
            .reason = datagram.is_probe ? trace::SendReason::pto_probe : trace::SendReason::normal});
}

void Connection::State::trace_received(const PacketContext& context, const OpenedPacket& packet) const {
  trace(context.now, trace::PacketReceived{
                         .header = {.type = packet.type,
                                    .number = packet.number,
                                    .number_size = static_cast<uint8_t>(packet_number_size_of(packet.first_byte)),
                                    .version = context.version,
                                    .destination = context.destination,
                                    .source = context.source,
                                    .spin_bit = packet.type == PacketType::one_rtt && spin_bit_of(packet.first_byte),
                                    .key_phase = packet.type == PacketType::one_rtt && key_phase_of(packet.first_byte)},
                         .size = context.packet_size,
                         .frames = packet.payload,
                         .path = context.path_state ? context.path_state->number : trace::PathNumber{0},
                         .datagram_id = counters.datagrams_received,
                         .was_buffered = context.received_at != context.now});
}

}  // namespace quoll::quic
