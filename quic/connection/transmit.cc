// Owners to packets: which datagrams leave now, what stands in them and in which order (RFC 9000 §12.2, §13, §14.1; RFC 9002
// §7). "Who may send" is interest (something is to be said) within constraint (keys, amplification limit, congestion
// window, pacing); probes of a PTO need not heed the last two.
#include "quic/connection/datagram.h"
#include "quic/connection/state.h"

namespace quoll::quic {
namespace {

constexpr std::array kPacketOrder = {PacketType::initial, PacketType::zero_rtt, PacketType::handshake,
                                     PacketType::one_rtt};
/// A packet with less room than this is not begun: it would carry next to nothing.
constexpr size_t kPacketRoomMin = 96;
/// What a CONNECTION_CLOSE takes at most: type, code, frame type, the reason and its length.
constexpr size_t kCloseFrameRoom = 1 + 8 + 8 + 2 + kCloseReasonMax;

}  // namespace

// --- What is sent

std::optional<Transmit> Connection::State::poll_transmit(Instant now, MutBytes scratch) {
  pacing_until = Instant::never();
  switch (close.phase) {
    case CloseState::Phase::drained:
    case CloseState::Phase::draining:
      return std::nullopt;
    case CloseState::Phase::closing:
      return transmit_close(now, scratch);
    case CloseState::Phase::open:
      break;
  }
  if (protection.can_seal(PacketType::one_rtt)) {
    if (protection.wants_update()) update_keys(now);
    if (protection.must_close()) {  // RFC 9001 §6.6: while there is a packet left to say so
      fail(now, close_with(TransportError::aead_limit_reached, "the keys are used up").error());
      return transmit_close(now, scratch);
    }
  }
  if (std::optional<Transmit> transmit = transmit_path_frames(now, scratch)) return transmit;
  if (std::optional<Transmit> transmit = transmit_mtu_probe(now, scratch)) return transmit;
  return transmit_train(now, scratch);
}

/// The order in which owners speak in a packet.
void Connection::State::write_frames(PacketBuilder& packet, Instant now, bool ack_only) {
  SpaceState& state = space(packet.space());
  if (packet.type() != PacketType::zero_rtt) write_ack(packet, now);
  if (ack_only) {
    // RFC 9000 §13.2.4: so that ACKs are acknowledged. With it the packet is in flight, and the window is heeded.
    const bool has_room = current->controller->can_send(current->recovery.bytes_in_flight, current->mtu.mtu());
    if (state.received.wants_ping() && has_room && !packet.empty()) (void)packet.add(PingFrame{}, FrameType::ping);
    return;
  }
  if (packet.type() != PacketType::zero_rtt) {
    if (CryptoStream* stream = crypto_stream(packet.space())) stream->write_frames(packet);
  }
  if (packet.space() == Space::application) write_application_frames(packet);
  const bool ping = state.ping || state.probes != 0 || state.received.wants_ping();
  if (ping && !packet.traits().ack_eliciting) (void)packet.add(PingFrame{}, FrameType::ping);
  if (packet.traits().ack_eliciting) state.ping = false;
}

void Connection::State::write_application_frames(PacketBuilder& packet) {
  if (packet.type() == PacketType::one_rtt) {
    write_handshake_done_and_tokens(packet);
    local_ids->write_frames(packet);
    remote_ids->write_frames(packet);
  }
  streams.write_control_frames(packet);
  datagrams.write_frames(packet, payload_size_max());
  streams.write_stream_frames(packet);
}

void Connection::State::write_handshake_done_and_tokens(PacketBuilder& packet) {
  if (handshake_done_due) {
    handshake_done_due = !packet.add(HandshakeDoneFrame{}, FrameType::handshake_done,
                                     FrameToken{.kind = FrameToken::Kind::handshake_done});
  }
  if (new_token_due) {
    new_token_due = !packet.add(NewTokenFrame{.token = new_token_in_flight}, FrameType::new_token,
                                FrameToken{.kind = FrameToken::Kind::new_token});
  }
}

void Connection::State::write_ack(PacketBuilder& packet, Instant now, size_t reserved) {
  ReceivedPackets& received = space(packet.space()).received;
  if (!wants_ack(space(packet.space()))) return;
  const bool is_application = packet.space() == Space::application;
  const auto delay = static_cast<uint64_t>(received.ack_delay(now).as_microseconds());
  const AckFields fields{.ack_delay = is_application ? std::min(delay >> config.ack_delay_exponent, kVarintMax) : 0,
                         .ecn = received.ecn_counts()};
  (void)packet.add_ack(received.ranges(), fields, reserved);
}

/// RFC 9000 §13.2.1: with whatever is sent, as soon as there is something new to acknowledge. A probe, or a PING after a
/// silence, says everything again: perhaps the peer is silent because an ACK was lost.
bool Connection::State::wants_ack(const SpaceState& state) const {
  const bool asks = state.probes != 0 || state.ping;
  return state.received.has_unacked() || (asks && !state.received.ranges().empty());
}

bool Connection::State::wants_application_frames(PacketType type) const {
  const bool beyond_zero_rtt =
      type == PacketType::one_rtt && (handshake_done_due || new_token_due || local_ids->wants_to_send() ||
                                      remote_ids->wants_to_send() || application_crypto.wants_to_send());
  return beyond_zero_rtt || streams.wants_to_send() || datagrams.wants_to_send();
}

bool Connection::State::wants_to_send(PacketType type) const {
  const SpaceState& state = space(space_of(type));
  return state.ping || state.probes != 0 || has_content(type);
}

bool Connection::State::has_content(PacketType type) const {
  switch (type) {
    case PacketType::initial:
      return handshake && handshake->initial.wants_to_send();
    case PacketType::handshake:
      return handshake && handshake->handshake.wants_to_send();
    case PacketType::zero_rtt:
    case PacketType::one_rtt:
      break;
  }
  return wants_application_frames(type);
}

size_t Connection::State::payload_size_max() const {
  // The largest payload of a 1-RTT packet: with the shortest packet number, alone in its datagram.
  const size_t overhead = 1 + current->remote_id.id.size() + kPacketNumberSizeMax + kTagSize;
  return current->mtu.mtu() - overhead;
}

// --- Trains

std::optional<Transmit> Connection::State::transmit_train(Instant now, MutBytes scratch) {
  PathState& path = *current;
  const Ecn mark = ecn.mark();
  size_t total = 0;
  size_t segment = 0;
  std::optional<Instant> departure;
  for (size_t count = 0; count < kTrainMax; count++) {
    size_t room = std::min<size_t>(path.mtu.mtu(), scratch.size() - total);
    if (segment != 0 && room < segment) break;
    if (segment != 0) room = segment;
    const size_t size = build_datagram(now, path, scratch.subspan(total, room), mark, departure);
    total += size;
    if (segment == 0) segment = size;
    if (size < segment || segment < path.mtu.mtu() || ecn.mark() != mark) break;
  }
  if (total == 0) return std::nullopt;
  std::optional<Transmit> transmit = finish_transmit(now, path, mark, scratch.first(total), segment);
  if (transmit) transmit->departure = departure.value_or(now);
  return transmit;
}

std::optional<Transmit> Connection::State::finish_transmit(Instant now, const PathState& path, Ecn mark, Bytes bytes,
                                                           size_t segment) {
  if (const Result<void> sealed = shared.train->seal(); !sealed) {
    shared.train->clear();
    fail(now, sealed.error());
    return std::nullopt;
  }
  datagrams.on_sealed();
  counters.datagrams_sent += (bytes.size() + segment - 1) / segment;
  counters.bytes_sent += bytes.size();
  restart_quiet_timer(now);
  const auto segment_size = static_cast<uint16_t>(bytes.size() > segment ? segment : 0);
  trace(now, trace::DatagramsSent{.size = bytes.size(), .segment_size = segment_size, .ecn = mark});
  trace_loss_timer(now);
  // RFC 9001 §4.9.1: a client is done with Initial keys when it first sends a Handshake packet.
  if (role == Role::client && handshake_packet_sent && is_open()) discard_keys(now, PacketType::initial);
  if (is_open()) settle_outcomes(now);  // what was given up to make room
  return Transmit{.path = path.path, .ecn = mark, .bytes = bytes, .segment_size = segment_size, .departure = now};
}

bool Connection::State::may_send_in_flight(Instant now, PathState& path, size_t size,
                                           std::optional<Instant>& departure) {
  if (!path.controller->can_send(path.recovery.bytes_in_flight, size)) {
    path.pacer.set_waiting(now, false);
    return false;
  }
  if (!config.pacing) return true;
  if (path.recovery.bytes_in_flight == 0) path.pacer.on_idle();
  const Instant earliest = departure.value_or(now);
  const Instant due = path.pacer.departure(earliest, size);
  if (due <= earliest) return true;
  if (!departure && due <= now + config.departure_horizon) {
    departure = due;
    return true;
  }
  path.pacer.set_waiting(now, true);
  // With trains handed out ahead, there is to be one under way while the next are made.
  pacing_until = departure ? due : due - config.departure_horizon / 2;
  return false;
}

size_t Connection::State::build_datagram(Instant now, PathState& path, MutBytes room, Ecn mark,
                                         std::optional<Instant>& departure) {
  const uint64_t allowance = path.amplification.allowance();
  if (allowance < room.size()) room = room.first(static_cast<size_t>(allowance));
  Datagram datagram(now, path, room, mark);
  bool interest = false;
  for (const PacketType type : kPacketOrder) {
    if (type == PacketType::zero_rtt && protection.can_seal(PacketType::one_rtt)) continue;
    if (!protection.can_seal(type)) continue;
    const bool ack_due = type != PacketType::zero_rtt && space(space_of(type)).received.is_due(now);
    const bool content = wants_to_send(type);
    if (!ack_due && !content) continue;
    interest = true;
    const bool probe = space(space_of(type)).probes != 0;
    const bool in_flight = content && (probe || may_send_in_flight(now, path, room.size(), departure));
    if (!in_flight && !ack_due) continue;
    datagram.departure = departure.value_or(now);
    build_packet(datagram, type, !in_flight);
  }
  const bool has_data_blocked = interest && datagram.size() == 0;
  if (role == Role::server && !path.is_validated()) {
    // RFC 9002 §6.2.2.1: the timer rests while nothing may be sent.
    loss.set_amplification_limited(now, has_data_blocked && allowance < kInitialDatagramSizeMin);
  }
  if (trace) trace_blocked(now, datagram.size() == 0 ? blocked_reason(path, interest) : std::nullopt);
  if (datagram.size() == 0) {
    note_app_limited(now, path, interest);
    return 0;
  }
  departure = datagram.departure;
  return finish_datagram(datagram);
}

/// Why nothing of what there is to say was said.
std::optional<trace::BlockedReason> Connection::State::blocked_reason(const PathState& path, bool interest) const {
  if (!interest) {
    return streams.is_blocked() ? std::optional(trace::BlockedReason::connection_flow_control) : std::nullopt;
  }
  if (path.amplification.allowance() < kInitialDatagramSizeMin) return trace::BlockedReason::amplification_protection;
  return pacing_until.is_never() ? trace::BlockedReason::congestion_control : trace::BlockedReason::pacing;
}

void Connection::State::note_app_limited(Instant now, PathState& path, bool interest) {
  // The window has room, and there is nothing to send: neither growth nor rate samples count (RFC 9002 §7.8).
  if (interest || !path.controller->can_send(path.recovery.bytes_in_flight, path.mtu.mtu())) return;
  path.pacer.set_waiting(now, false);
  path.controller->on_app_limited(now, path.recovery.bytes_in_flight);
  path.recovery.delivery_rate.on_app_limited(path.recovery.bytes_in_flight);
}

// --- Packets of a datagram

bool Connection::State::begin_packet(Datagram& datagram, PacketType type) {
  // The packet before stays open, for padding, unless this one is certain.
  if (datagram.rest().size() < kPacketRoomMin) return false;
  // A probe goes even then: in its place the oldest packet is given up.
  if (loss.sent_packets(space_of(type)).is_full() && space(space_of(type)).probes == 0) return false;
  if (type == PacketType::one_rtt) maybe_skip_number();
  const PacketNumber number = loss.next_packet_number(space_of(type));
  const std::optional<size_t> number_size = packet_number_size(number, loss.largest_acknowledged(space_of(type)));
  if (!number_size || number > kPacketNumberMax) return false;
  if (datagram.open) finish_packet(datagram);
  const MutBytes room = datagram.rest();
  Datagram::Open& open = datagram.open.emplace();
  open.type = type;
  open.bytes = room;
  open.number = {.number = number, .size = *number_size};
  Writer header(room);
  const bool fixed_bit = !grease_fixed_bit() || next_random_bit();
  if (has_long_header(type)) {
    const bool with_token = type == PacketType::initial && role == Role::client;
    const Version in_header = type == PacketType::zero_rtt ? original_version : version;
    open.packet_number_offset = write_long_header(header,
                                                  {.type = type,
                                                   .version = in_header,
                                                   .destination = datagram.path.remote_id.id,
                                                   .source = local_ids->initial(),
                                                   .token = with_token && handshake ? Bytes(handshake->token) : Bytes(),
                                                   .fixed_bit = fixed_bit},
                                                  open.number)
                                    .packet_number;
  } else {
    open.spin_bit = is_spinning ? spin : next_random_bit();  // RFC 9000 §17.4
    open.key_phase = protection.key_phase();
    open.packet_number_offset = write_short_header(header,
                                                   {.destination = datagram.path.remote_id.id,
                                                    .spin_bit = open.spin_bit,
                                                    .key_phase = open.key_phase,
                                                    .fixed_bit = fixed_bit},
                                                   open.number)
                                    .packet_number;
  }
  if (!header.ok() || room.size() < header.size() + kTagSize + kPacketNumberSizeMax) {
    datagram.open.reset();
    return false;
  }
  const MutBytes payload = room.subspan(header.size(), room.size() - header.size() - kTagSize);
  open.payload.emplace(type, payload, space(space_of(type)).tokens, shared.train->gaps(), !trace);
  return true;
}

void Connection::State::build_packet(Datagram& datagram, PacketType type, bool ack_only) {
  // RFC 9000 §14.1: what must be padded to 1200 bytes is not sent when the room does not allow it.
  const bool must_pad = type == PacketType::initial && (role == Role::client || !ack_only);
  if (must_pad && datagram.room.size() < kInitialDatagramSizeMin) return;
  if (!begin_packet(datagram, type)) return;
  PacketBuilder& payload = *datagram.open->payload;
  const bool has_ack = wants_ack(space(space_of(type)));
  // RFC 9002 §6.2.4: of two probes, each is to bring the other end further.
  if (!ack_only && space(space_of(type)).probes != 0 && !has_content(type)) repeat_oldest(space_of(type), 1);
  write_frames(payload, datagram.departure, ack_only);
  if (payload.empty()) {
    // Nothing fitted after all. The packet before it is complete, so the padding that it asked for comes here.
    if (datagram.must_be_full && datagram.finished < kInitialDatagramSizeMin) {
      payload.pad_to(1);
    } else {
      datagram.open.reset();
    }
    return;
  }
  datagram.open->has_ack = has_ack && type != PacketType::zero_rtt;
  if (must_pad && (role == Role::client || payload.traits().ack_eliciting)) datagram.must_be_full = true;
  SpaceState& state = space(space_of(type));
  if (state.probes != 0 && payload.traits().ack_eliciting) {
    state.probes--;
    datagram.is_probe = true;
  }
}

/// The last packet of a datagram takes the padding that the datagram needs.
size_t Connection::State::finish_datagram(Datagram& datagram) {
  if (datagram.must_be_full && datagram.open && datagram.size() < kInitialDatagramSizeMin) {
    PacketBuilder& payload = *datagram.open->payload;
    // RFC 9000 §13.2.1: padding is in flight, so it needs something that brings an acknowledgment. In the handshake there
    // is always more to come.
    if (payload.type() == PacketType::one_rtt && !payload.traits().ack_eliciting) {
      (void)payload.add(PingFrame{}, FrameType::ping);
    }
    const size_t missing = kInitialDatagramSizeMin - datagram.size();
    payload.pad_to(payload.size() + missing);
  }
  if (datagram.open) finish_packet(datagram);
  datagram.path.amplification.on_sent(datagram.finished);
  return datagram.finished;
}

void Connection::State::finish_packet(Datagram& datagram) {
  Datagram::Open& open = *datagram.open;
  PacketBuilder& payload = *open.payload;
  // RFC 9001 §5.4.2: so that there is a sample.
  if (open.number.size + payload.size() < kSampleOffset) payload.pad_to(kSampleOffset - open.number.size);
  const size_t size = open.size();
  const MutBytes bytes = open.bytes.first(size);
  if (has_long_header(open.type)) {
    constexpr uint16_t kTwoBytes = 0x4000;
    const auto length = static_cast<uint16_t>(size - open.packet_number_offset);
    store_be(bytes.data() + open.packet_number_offset - kLengthFieldSize, static_cast<uint16_t>(length | kTwoBytes));
  }
  const Space which = space_of(open.type);
  const PayloadTraits& traits = payload.traits();
  if (trace) trace_sent(datagram);
  if (open.type == PacketType::one_rtt) first_one_rtt_number = std::min(first_one_rtt_number, open.number.number);
  loss.on_packet_sent(which, {.time_sent = datagram.departure,
                              .size = static_cast<uint16_t>(size),
                              .tokens = space(which).tokens.take(),
                              .path = datagram.path.number,
                              .ecn = datagram.mark,
                              .ack_eliciting = traits.ack_eliciting,
                              .in_flight = traits.in_flight,
                              .is_probe = datagram.is_probe,
                              .is_mtu_probe = datagram.is_mtu_probe,
                              .is_zero_rtt = open.type == PacketType::zero_rtt});
  if (open.has_ack) space(which).received.on_ack_sent(traits.ack_eliciting);
  on_packet_sent(datagram, open.type, size, traits);
  shared.train->add({.keys = protection.seal_keys(open.type),
                     .number = open.number.number,
                     .bytes = bytes,
                     .packet_number_offset = open.packet_number_offset,
                     .packet_number_size = open.number.size,
                     .gaps_begin = payload.gaps_begin(),
                     .gaps_count = payload.gaps_count()});
  datagram.finished += size;
  datagram.packets++;
  datagram.open.reset();
}

void Connection::State::on_packet_sent(const Datagram& datagram, PacketType type, size_t size,
                                       const PayloadTraits& traits) {
  PathState& path = datagram.path;
  counters.packets_sent++;
  if (type == PacketType::handshake) handshake_packet_sent = true;
  ecn.on_packet_sent(datagram.now, space_of(type), datagram.mark, loss.pto());
  if (traits.in_flight) {
    path.pacer.on_packet_sent(datagram.departure, size);
    path.controller->on_packet_sent(
        {.now = datagram.departure, .bytes = size, .bytes_in_flight = path.recovery.bytes_in_flight});
    // A controller may begin anew after a rest.
    if (path.recovery.bytes_in_flight == size && &path == current) update_pacing(datagram.now);
  }
  if (traits.ack_eliciting && !ack_eliciting_sent_since_receive) {
    // RFC 9000 §10.1: the idle timer begins anew with the first one since something was received.
    ack_eliciting_sent_since_receive = true;
    restart_idle_timer(datagram.now);
  }
}

// --- Datagrams of their own

std::optional<Transmit> Connection::State::transmit_path_frames(Instant now, MutBytes scratch) {
  if (!protection.can_seal(PacketType::one_rtt)) return std::nullopt;
  for (const std::unique_ptr<PathState>& each : paths) {
    if (!each) continue;
    PathState& path = *each;
    const bool challenge = path.validation.is_due(now);
    if (!challenge && path.responses.empty()) continue;
    // RFC 9000 §8.2.1, §8.2.2: 1200 bytes, unless the anti-amplification limit allows less.
    const uint64_t allowance = path.amplification.allowance();
    const size_t room = static_cast<size_t>(std::min<uint64_t>(allowance, kInitialDatagramSizeMin));
    // RFC 9000 §8.2.2: constrained by congestion control. Else a flood of challenges from a peer that acknowledges
    // nothing would bring any number of packets into flight. But one may go in the place of a probe (RFC 9002 §7.5): a
    // peer that waits for it may acknowledge where we no longer listen, so that nothing else makes room.
    const bool has_room = path.controller->can_send(path.recovery.bytes_in_flight, room);
    uint8_t& probes = space(Space::application).probes;
    if (!has_room && (&path != current || probes == 0)) continue;
    Datagram datagram(now, path, scratch.first(std::min(room, scratch.size())), Ecn::not_ect);
    if (!begin_packet(datagram, PacketType::one_rtt)) continue;
    if (!has_room) probes--;
    PacketBuilder& payload = *datagram.open->payload;
    if (!path.responses.empty() &&
        payload.add(PathResponseFrame{.data = path.responses.front()}, FrameType::path_response)) {
      path.responses.pop();
    }
    if (challenge) {
      const PathData data = path.validation.make_challenge(now, *shared.rng);
      (void)payload.add(PathChallengeFrame{.data = data}, FrameType::path_challenge);
      if (room < kInitialDatagramSizeMin) path.validation.note_small();
    }
    datagram.must_be_full = room == kInitialDatagramSizeMin;
    const size_t size = finish_datagram(datagram);
    return finish_transmit(now, path, Ecn::not_ect, scratch.first(size), size);
  }
  return std::nullopt;
}

std::optional<Transmit> Connection::State::transmit_mtu_probe(Instant now, MutBytes scratch) {
  if (!confirmed) return std::nullopt;
  PathState& path = *current;
  const std::optional<uint16_t> size = path.is_validated() ? path.mtu.probe(now) : std::nullopt;
  if (!size || *size > scratch.size()) return std::nullopt;
  // The pacer is asked as for any other packet: data in packets of the present size would never leave enough for more.
  // The one packet that may go beyond the window as a recovery begins (RFC 9002 §7.3.2) is for what was lost.
  if (path.recovery.bytes_in_flight + *size > path.controller->window()) return std::nullopt;
  std::optional<Instant> departure = now;
  if (!may_send_in_flight(now, path, path.mtu.mtu(), departure)) return std::nullopt;
  Datagram datagram(now, path, scratch.first(*size), Ecn::not_ect);
  if (!begin_packet(datagram, PacketType::one_rtt)) return std::nullopt;
  PacketBuilder& payload = *datagram.open->payload;
  (void)payload.add(PingFrame{}, FrameType::ping);
  payload.pad_to(payload.size() + payload.room());
  datagram.is_mtu_probe = true;
  path.mtu.on_probe_sent(now, static_cast<uint16_t>(datagram.size()));
  counters.mtu_probes_sent++;
  const size_t built = finish_datagram(datagram);
  return finish_transmit(now, path, Ecn::not_ect, scratch.first(built), built);
}

std::optional<Transmit> Connection::State::transmit_close(Instant now, MutBytes scratch) {
  if (close.until == Instant::never()) close.until = now + loss.pto() * kClosingPtos;  // closed without a clock
  if (!close.due) return std::nullopt;
  PathState& path = *current;
  const size_t room =
      static_cast<size_t>(std::min<uint64_t>({path.amplification.allowance(), path.mtu.mtu(), scratch.size()}));
  Datagram datagram(now, path, scratch.first(room), Ecn::not_ect);
  // RFC 9000 §10.2.3: at every level that the peer may be able to read.
  for (const PacketType type : kPacketOrder) {
    if (type == PacketType::zero_rtt || !protection.can_seal(type)) continue;
    if (type == PacketType::initial && role == Role::client && room < kInitialDatagramSizeMin) continue;
    if (!begin_packet(datagram, type)) continue;
    // What arrived before the end is acknowledged with it: an acknowledgment has no other packet to go in any more.
    PacketBuilder& payload = *datagram.open->payload;
    write_ack(payload, now, kCloseFrameRoom);
    datagram.open->has_ack = !payload.empty();
    write_close(payload);
    if (type == PacketType::initial && role == Role::client) datagram.must_be_full = true;
  }
  close.due = false;
  if (datagram.size() == 0) return std::nullopt;
  const size_t size = finish_datagram(datagram);
  return finish_transmit(now, path, Ecn::not_ect, scratch.first(size), size);
}

// --- Bits

bool Connection::State::next_random_bit() {
  if (random_bits_left == 0) {
    random_bits = shared.rng->next_u64();
    random_bits_left = 64;
  }
  const bool bit = (random_bits & 1) != 0;
  random_bits >>= 1;
  random_bits_left--;
  return bit;
}

bool Connection::State::grease_fixed_bit() const {
  // RFC 9287 §3.1: only to a peer that has said that it takes such packets.
  return config.grease_quic_bit && handshake_complete && peer_parameters && peer_parameters->grease_quic_bit;
}

void Connection::State::maybe_skip_number() {
  // RFC 9000 §21.4: at random places, so that who acknowledges what it did not receive is found out.
  if (config.skip_packet_number_every == 0) return;
  if (next_skip_in == 0) {
    next_skip_in = 1 + shared.rng->below(2 * uint64_t{config.skip_packet_number_every});
    return;
  }
  if (--next_skip_in == 0) loss.skip_packet_number(Space::application);
}

void Connection::State::update_keys(Instant now) {
  protection.initiate_update(now, loss.next_packet_number(Space::application), loss.pto());
  trace(now, trace::KeyUpdated{.type = PacketType::one_rtt,
                               .sender = role,
                               .key_phase = protection.key_updates(),
                               .reason = trace::KeyReason::local_update});
}

}  // namespace quoll::quic
