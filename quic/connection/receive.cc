// Datagrams to packets: routing inside of a connection, opening, duplicates, packets that come before their keys
// (RFC 9000 §5.2, §12.2, §12.3, §14.1; RFC 9001 §5.7).
#include "base/shrink.h"
#include "quic/connection/state.h"

namespace quoll::quic {
namespace {

bool has_short_header(Bytes datagram) { return !datagram.empty() && (datagram[0] & kLongHeaderBit) == 0; }

}  // namespace

HeaderOptions Connection::State::header_options() const {
  return {.local_connection_id_size = local_ids->initial().size(),
          .role = role,
          .accept_fixed_bit_zero = config.grease_quic_bit};
}

PacketNumber Connection::State::expected_number(Space which) const {
  const std::optional<PacketNumber> largest = space(which).received.largest_received();
  return largest ? *largest + 1 : 0;
}

void Connection::State::receive(Instant now, const Path& path, std::span<const ReceivedDatagram> received,
                                const Buffer& buffer) {
  while (!received.empty()) {
    size_t taken = receive_one_rtt_batch(now, path, received, buffer);
    if (taken == 0) {
      receive_datagram(now, path, received.front(), buffer);
      taken = 1;
    }
    received = received.subspan(taken);
    if (is_open() && !kept_packets.empty()) receive_kept(now);
  }
  if (is_open()) replace_retired_ids(now);
  restart_quiet_timer(now);
}

void Connection::State::count_received(Instant now, const Path& path, const ReceivedDatagram& datagram) {
  counters.datagrams_received++;
  counters.bytes_received += datagram.bytes.size();
  if (!is_open()) {
    // RFC 9000 §10.2.1: answered while closing, ever more rarely.
    if (close.phase == CloseState::Phase::closing && ++close.received >= close.answer_at) {
      close.answer_at = 2 * close.received;
      close.due = true;
    }
    if (current && is_same_path(current->path, path)) current->amplification.on_received(datagram.bytes.size());
    return;
  }
  if (PathState* known = find_path(path)) {
    known->amplification.on_received(datagram.bytes.size());
    known->last_received = now;
    if (known->path.local.ip.family() == IpAddress::Family::none) known->path.local = path.local;
    if (known == current) loss.set_amplification_limited(now, known->amplification.allowance() == 0);
  }
}

size_t Connection::State::receive_one_rtt_batch(Instant now, const Path& path,
                                                std::span<const ReceivedDatagram> received, const Buffer& buffer) {
  if (!is_open() || !protection.can_open(PacketType::one_rtt)) return 0;
  std::array<ProtectedPacket, kOpenBatchMax> packets;
  std::array<OpenedPacket, kOpenBatchMax> opened;
  size_t count = 0;
  while (count < std::min(received.size(), kOpenBatchMax) && has_short_header(received[count].bytes)) {
    const std::optional<ParsedPacket> parsed = DatagramReader(received[count].bytes, header_options()).next();
    const auto* packet = parsed && *parsed ? std::get_if<ProtectedPacket>(&**parsed) : nullptr;
    if (!packet) break;
    packets[count++] = *packet;
  }
  if (count == 0) return 0;
  const Result<void> done = protection.open_one_rtt(
      now, std::span(packets).first(count), expected_number(Space::application), std::span(opened).first(count));
  for (size_t i = 0; i < count; i++) {
    count_received(now, path, received[i]);
    PacketContext context{.now = now,
                          .received_at = now,
                          .path = path,
                          .ecn = received[i].ecn,
                          .destination = packets[i].destination(),
                          .datagram_size = received[i].bytes.size(),
                          .packet_size = packets[i].bytes().size(),
                          .buffer = &buffer};
    if (done && is_open()) on_opened(context, opened[i]);
    if (!context.opened) check_stateless_reset(now, context, received[i].bytes);
  }
  if (!done) fail(now, done.error());
  return count;
}

void Connection::State::receive_datagram(Instant now, const Path& path, const ReceivedDatagram& datagram,
                                         const Buffer& buffer) {
  count_received(now, path, datagram);
  PacketContext context{.now = now,
                        .received_at = now,
                        .path = path,
                        .ecn = datagram.ecn,
                        .datagram_size = datagram.bytes.size(),
                        .buffer = &buffer};
  if (is_open()) {
    receive_packets(context, datagram.bytes);
  } else if (close.phase == CloseState::Phase::closing) {
    // RFC 9000 §10.2.2: the peer's CONNECTION_CLOSE ends our answers to it.
    if (protection.can_open(PacketType::one_rtt)) receive_packets(context, datagram.bytes);
  }
  if (!context.opened) check_stateless_reset(now, context, datagram.bytes);
}

void Connection::State::receive_packets(PacketContext& context, MutBytes datagram) {
  DatagramReader reader(datagram, header_options());
  while (const std::optional<ParsedPacket> parsed = reader.next()) {
    if (!*parsed) {
      count_drop(trace::reason_of(parsed->error()));
      continue;
    }
    const Packet& packet = **parsed;
    if (const auto* with_frames = std::get_if<ProtectedPacket>(&packet)) {
      receive_packet(context, *with_frames);
    } else if (const auto* retry = std::get_if<RetryPacket>(&packet)) {
      on_retry(context.now, *retry);
    } else if (const auto* negotiation = std::get_if<VersionNegotiationPacket>(&packet)) {
      on_version_negotiation(context.now, *negotiation);
    } else {  // a long header of a version that we do not speak
      count_drop(trace::DropReason::unsupported_version);
    }
    if (close.phase == CloseState::Phase::draining || close.phase == CloseState::Phase::drained) return;
  }
}

void Connection::State::check_stateless_reset(Instant now, const PacketContext&, Bytes datagram) {
  // RFC 9000 §10.3.1: looked for in every datagram of which nothing could be opened.
  const std::optional<Bytes> candidate = stateless_reset_candidate(datagram);
  if (!candidate || !remote_ids->is_reset_token(*candidate)) return;
  trace(now, trace::StatelessResetReceived{.token = *candidate, .size = datagram.size()});
  on_stateless_reset(now);
}

bool Connection::State::is_expected_version(const ProtectedPacket& packet) {
  if (packet.version() == version) return true;
  // RFC 9369 §4.1: 0-RTT packets and early Initial packets have the original version.
  if (packet.version() == original_version) {
    return role == Role::server && (packet.type() == PacketType::initial || packet.type() == PacketType::zero_rtt);
  }
  // RFC 9368 §2.3: the server's first packet may be in another, compatible version that we offered.
  return role == Role::client && handshake && !handshake->version_is_settled &&
         std::ranges::find(config.versions, packet.version()) != config.versions.end();
}

/// Of what its header says; empty: nothing speaks against it.
std::optional<trace::DropReason> Connection::State::reason_to_drop(const PacketContext& context,
                                                                   const ProtectedPacket& packet) {
  if (!has_long_header(packet.type())) return {};
  if (!handshake) {
    // RFC 9001 §4.9.3: reordered 0-RTT packets are still read for a while after the handshake.
    const bool is_late_data = packet.type() == PacketType::zero_rtt && protection.can_open(PacketType::zero_rtt);
    if (!is_late_data) return trace::DropReason::no_keys;
    return packet.version() == original_version ? std::nullopt : std::optional(trace::DropReason::unsupported_version);
  }
  // RFC 9000 §14.1: a server discards an Initial packet in a datagram of less than 1200 bytes.
  if (role == Role::server && packet.type() == PacketType::initial && context.datagram_size < kInitialDatagramSizeMin) {
    return trace::DropReason::initial_too_small;
  }
  // RFC 9000 §7.2: once the peer's id is known, packets from another one are discarded.
  const bool id_known = role == Role::server || handshake->processed_packet;
  if (id_known && !std::ranges::equal(packet.source(), handshake->ids.peers_initial_source.bytes())) {
    return trace::DropReason::wrong_connection_id;
  }
  if (!is_expected_version(packet)) return trace::DropReason::unsupported_version;
  return {};
}

bool Connection::State::is_worth_keeping(PacketType type) const {
  if (!handshake) return false;
  switch (type) {
    case PacketType::initial:
      return false;
    case PacketType::zero_rtt:
      return role == Role::server && !zero_rtt_decided;
    case PacketType::handshake:
      return true;
    case PacketType::one_rtt:
      return !handshake_complete;
  }
  return false;
}

void Connection::State::keep_packet(const PacketContext& context, const ProtectedPacket& packet) {
  const size_t size = packet.bytes().size();
  if (!is_worth_keeping(packet.type())) {
    return count_drop(trace::DropReason::no_keys, trace::kind_of(packet.type()), size);
  }
  if (kept_packets.size() >= kKeptPacketsMax || kept_bytes + size > kKeptBytesMax) {
    return count_drop(trace::DropReason::buffer_full, trace::kind_of(packet.type()), size);
  }
  KeptPacket added{.bytes = Buffer::allocate(size),
                   .path = context.path,
                   .type = packet.type(),
                   .ecn = context.ecn,
                   .received_at = context.received_at};
  copy_bytes(added.bytes.bytes().data(), packet.bytes());
  kept_packets.push_back(std::move(added));
  kept_bytes += size;
  counters.packets_kept++;
  repeat_handshake_early(context.now);
  trace(context.now, trace::PacketBuffered{.kind = trace::kind_of(packet.type()), .size = size});
}

void Connection::State::receive_kept(Instant now) {
  for (size_t i = 0; i < kept_packets.size();) {
    if (!protection.can_open(kept_packets[i].type)) {
      i++;
      continue;
    }
    KeptPacket next = std::move(kept_packets[i]);
    kept_packets.erase(kept_packets.begin() + static_cast<std::ptrdiff_t>(i));
    kept_bytes -= next.bytes.size();
    PacketContext context{.now = now,
                          .received_at = next.received_at,
                          .path = next.path,
                          .ecn = next.ecn,
                          .datagram_size = kInitialDatagramSizeMin,
                          .buffer = &next.bytes};
    receive_packets(context, next.bytes.bytes());
    if (!is_open()) return;
    i = 0;  // new keys may have come
  }
  if (handshake) return;
  // The handshake is confirmed: no more keys will come.
  for (const KeptPacket& each : kept_packets) {
    count_drop(trace::DropReason::no_keys, trace::kind_of(each.type), each.bytes.size());
  }
  forget_kept();
}

void Connection::State::forget_kept() {
  release(kept_packets);
  kept_bytes = 0;
}

void Connection::State::receive_packet(PacketContext& context, const ProtectedPacket& packet) {
  context.destination = packet.destination();
  context.source = packet.source();
  context.version = packet.version();
  context.packet_size = packet.bytes().size();
  if (const std::optional<trace::DropReason> reason = reason_to_drop(context, packet)) {
    return count_drop(*reason, trace::kind_of(packet.type()), context.packet_size);
  }
  const bool other_version =
      packet.type() == PacketType::initial && packet.version() != version && packet.version() != original_version;
  if (other_version) {
    protection.install_initial(packet.version(), handshake->initial_destination, PacketProtection::Initial::add);
  }
  if (!protection.can_open(packet.type())) return keep_packet(context, packet);
  const Result<OpenedPacket> opened = protection.open(context.now, packet, expected_number(space_of(packet.type())));
  if (!opened) return fail(context.now, opened.error());
  if (other_version && opened->status != OpenedPacket::Status::opened) {
    // A forgery must not change what we seal with.
    protection.install_initial(version, handshake->initial_destination, PacketProtection::Initial::replace);
  }
  on_opened(context, *opened);
}

void Connection::State::on_opened(PacketContext& context, const OpenedPacket& packet) {
  const trace::PacketKind kind = trace::kind_of(packet.type);
  if (packet.status != OpenedPacket::Status::opened) {
    const bool has_keys = packet.status == OpenedPacket::Status::unauthenticated;
    return count_drop(has_keys ? trace::DropReason::unauthenticated : trace::DropReason::no_keys, kind,
                      context.packet_size);
  }
  context.opened = true;
  if (!is_open()) {
    (void)dispatch(context, packet);
    return;
  }
  ReceivedPackets& received = space(space_of(packet.type)).received;
  if (received.is_duplicate(packet.number)) {  // RFC 9000 §12.3
    counters.packets_duplicate++;
    trace(context.now, trace::PacketDropped{.kind = kind,
                                            .reason = trace::DropReason::duplicate,
                                            .number = packet.number,
                                            .size = context.packet_size});
    return;
  }
  // RFC 9000 §17.2, §17.3.1: after both protections were removed.
  if (const Result<void> bits = check_reserved_bits(packet.first_byte); !bits) return fail(context.now, bits.error());
  context.path_state = path_of(context, packet.type);
  if (!context.path_state && !is_worth_reading(context, packet.type)) {
    return count_drop(trace::DropReason::path_limit, kind, context.packet_size);
  }
  counters.packets_received++;
  if (trace) trace_received(context, packet);
  if (has_long_header(packet.type)) on_handshake_header(context, packet);
  const Result<PayloadTraits> traits = dispatch(context, packet);
  if (!traits) return fail(context.now, traits.error());
  if (is_open()) after_packet(context, packet, *traits);
}

/// A packet on a path that could not be had. It is authentic, and what it says counts: it may bring the connection ids for
/// want of which a server has no path to answer on. RFC 9000 §9: a client reads nothing from an address that is not the
/// server's.
bool Connection::State::is_worth_reading(const PacketContext& context, PacketType type) const {
  if (type != PacketType::one_rtt || !handshake_complete) return false;
  return role == Role::server || context.path.remote == current->path.remote;
}

void Connection::State::on_handshake_header(PacketContext& context, const OpenedPacket& packet) {
  if (!handshake) return;
  if (role == Role::client && !handshake->processed_packet) {
    // RFC 9000 §7.2: the server's Source Connection ID is the Destination Connection ID from now on.
    const ConnectionId servers(context.source);
    handshake->ids.peers_initial_source = servers;
    remote_ids->replace_initial(servers);
    current->remote_id.id = servers;
  }
  handshake->processed_packet = true;
  const bool tells_version = context.version != original_version || packet.type == PacketType::handshake;
  if (role == Role::client && !handshake->version_is_settled && tells_version) {
    // RFC 9369 §4.1: the first long header with another version than the original one has the negotiated one. Before it,
    // a server may acknowledge a part of the ClientHello in the original version.
    handshake->version_is_settled = true;
    version = context.version;
  }
  if (role == Role::server && packet.type == PacketType::handshake) {
    // RFC 9000 §8.1: who sends Handshake packets has got our Initial. RFC 9001 §4.9.1: Initial keys are done.
    current->amplification.set_validated();
    current->validation.set_validated();
    loss.set_amplification_limited(context.now, false);
    discard_keys(context.now, PacketType::initial);
  }
}

void Connection::State::after_packet(PacketContext& context, const OpenedPacket& packet, const PayloadTraits& traits) {
  if (streams.take_refusal()) {  // not acknowledged, so it will come again
    return count_drop(trace::DropReason::buffer_full, trace::kind_of(packet.type), context.packet_size);
  }
  const Instant now = context.now;
  ReceivedPackets& received = space(space_of(packet.type)).received;
  // An ACK in this very packet can make us forget its number: it acknowledges an ACK of higher ones, before which no
  // honest peer has sent it.
  if (!received.is_duplicate(packet.number)) {
    received.on_packet(context.received_at,
                       {.number = packet.number, .ack_eliciting = traits.ack_eliciting, .ecn = context.ecn});
  }
  restart_idle_timer(now);
  ack_eliciting_sent_since_receive = false;
  if (packet.type == PacketType::one_rtt) {
    if (role == Role::server && protection.can_open(PacketType::zero_rtt) && zero_rtt_discard_at.is_never()) {
      zero_rtt_discard_at = now + loss.pto() * 3;  // RFC 9001 §4.9.3
    }
    if (traits.ack_eliciting) {
      note_arrival(now);
      answer_sign_of_life();
    }
    if (context.path_state) context.path_state->local_id_sequence = local_ids->sequence_of(context.destination);
    const bool is_newest = packet.number >= largest_non_probing;
    if (is_newest && context.path_state == current) spin = spin_bit_of(packet.first_byte) == (role == Role::server);
    if (!traits.probing && is_newest && context.path_state) {
      largest_non_probing = packet.number;
      on_non_probing_packet(now, *context.path_state);
    }
  }
  if (datagrams.take_news()) datagram_event_due = true;
  if (crypto_arrived) drive_tls(now);
}

}  // namespace quoll::quic
