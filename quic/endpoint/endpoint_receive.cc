// Endpoint: datagrams to connections (RFC 9000 §5.2).
#include "quic/endpoint/endpoint_state.h"

namespace quoll::quic {

void Endpoint::State::receive(Instant now, Received& received) {
  settle();
  const Arrival arrival{
      .now = now, .wall = config.wall_clock(now), .path = received.path, .ecn = received.ecn, .buffer = received.data};
  Run run;
  MutBytes rest = received.data.bytes();
  if (rest.empty()) {
    statistics.datagrams_received++;
    drop();
  }
  const size_t segment_size = received.segment_size != 0 ? received.segment_size : rest.size();
  while (!rest.empty()) {
    const MutBytes datagram = rest.first(std::min(segment_size, rest.size()));
    rest = rest.subspan(datagram.size());
    statistics.datagrams_received++;
    on_datagram(arrival, run, datagram);
  }
  flush(arrival, run);
}

void Endpoint::State::on_datagram(const Arrival& arrival, Run& run, MutBytes datagram) {
  const auto header = parse_invariant_header(datagram, ids.size());
  if (!header) {
    // RFC 9000 §10.3: whatever ends in a token is a reset, even if its header is none that we can read.
    if (!is_stateless_reset(arrival, datagram)) drop();
    return;
  }
  // The datagrams of a train mostly have one id.
  if (!header->long_header && !run.id.empty() && std::ranges::equal(header->destination, run.id)) {
    append(arrival, run, *run.slot, datagram);
    return;
  }
  ConnectionSlot* slot = route(*header, arrival.path);
  if (!slot) {
    on_unrouted(arrival, *header, datagram);
  } else if (slot->offer) {
    hold(arrival, *slot->offer, datagram);
  } else {
    append(arrival, run, *slot, datagram);
    run.id = header->long_header ? Bytes() : header->destination;
  }
}

void Endpoint::State::append(const Arrival& arrival, Run& run, ConnectionSlot& slot, MutBytes datagram) {
  if (run.slot != &slot || run.size == run.datagrams.size()) {
    flush(arrival, run);
    run.slot = &slot;
  }
  run.datagrams[run.size++] = {.bytes = datagram, .ecn = arrival.ecn};
}

void Endpoint::State::flush(const Arrival& arrival, Run& run) {
  ConnectionSlot* slot = std::exchange(run.slot, nullptr);
  const size_t size = std::exchange(run.size, 0);
  run.id = {};  // what the connection receives may change its routes
  if (size != 0) deliver(arrival, *slot, std::span(run.datagrams).first(size));
}

void Endpoint::State::deliver(const Arrival& arrival, ConnectionSlot& slot,
                              std::span<const ReceivedDatagram> datagrams) {
  if (slot.connection->is_drained()) {  // only its events wait
    statistics.datagrams_dropped += datagrams.size();
    return;
  }
  slot.connection->receive(arrival.now, arrival.wall, arrival.path, datagrams, arrival.buffer);
  after_input(slot);
}

ConnectionSlot* Endpoint::State::route(const InvariantHeader& header, const Path& path) {
  // RFC 9000 §5.2.2: of a version that we do not speak, no field means what it means to us.
  if (header.long_header && header.version != Version::negotiation && !is_supported(header.version)) return nullptr;
  if (header.destination.empty() && ids.size() == 0) {
    if (ConnectionSlot* slot = route_by_address(path)) return slot;
  }
  if (const auto found = table.find(table.by_id(header.destination))) return slots.find(*found);
  if (!header.long_header) return nullptr;
  const auto found = table.find(table.by_initial(header.destination, path.remote));
  return found ? slots.find(*found) : nullptr;
}

ConnectionSlot* Endpoint::State::route_by_address(const Path& path) {
  // A connection may have begun without knowing its local address.
  const SocketAddress locals[] = {path.local, {.ip = {}, .port = path.local.port}, {}};
  for (const SocketAddress& remote : {path.remote, SocketAddress()}) {
    for (const SocketAddress& local : locals) {
      const auto found = table.find(table.by_address({.local = local, .remote = remote}));
      if (found) return slots.find(*found);
    }
  }
  return nullptr;
}

void Endpoint::State::on_unrouted(const Arrival& arrival, const InvariantHeader& header, MutBytes datagram) {
  // RFC 9000 §10.3.1: the comparison must be made when a datagram belongs to no connection. Connections compare those
  // that belong to them and cannot be opened.
  if (is_stateless_reset(arrival, datagram)) return;
  if (header.long_header) {
    on_unknown_long(arrival, header, datagram);
  } else {
    on_unknown_short(arrival, header, datagram);
  }
}

bool Endpoint::State::is_stateless_reset(const Arrival& arrival, Bytes datagram) {
  const std::optional<Bytes> candidate = stateless_reset_candidate(datagram);
  if (!candidate) return false;
  const auto found = table.find(table.by_token(*candidate));
  ConnectionSlot* slot = found ? slots.find(*found) : nullptr;
  if (!slot || !slot->connection || !slot->connection->is_reset_token(*candidate)) return false;
  statistics.stateless_resets_received++;
  slot->connection->on_stateless_reset(arrival.now);
  after_input(*slot);
  return true;
}

void Endpoint::State::on_unknown_short(const Arrival& arrival, const InvariantHeader& header, Bytes datagram) {
  statistics.unroutable++;
  drop();
  // RFC 9000 §5.2.1: a client discards them. §10.3.2: without connection ids there are no tokens.
  if (!config.server || header.destination.empty()) return;
  // RFC 9000 §17.3.1: without the fixed bit it is no packet, unless we said otherwise (RFC 9287).
  if ((datagram[0] & kFixedBit) == 0 && !config.server->transport.grease_quic_bit) return;
  const ConnectionId id(header.destination);
  if (config.may_reset && !config.may_reset(id)) return;  // RFC 9000 §21.11
  if (!answers.has_room(arrival.now)) {
    statistics.answers_suppressed++;
    return;
  }
  switch (answers.reset(arrival.now, arrival.path, datagram.size(), reset_tokens->token_of(id))) {
    case StatelessAnswers::Outcome::queued:
      statistics.stateless_resets_sent++;
      break;
    case StatelessAnswers::Outcome::suppressed:
      statistics.answers_suppressed++;
      break;
    case StatelessAnswers::Outcome::none:
      break;
  }
}

void Endpoint::State::on_unknown_long(const Arrival& arrival, const InvariantHeader& header, MutBytes datagram) {
  // RFC 9000 §5.2.1: a client discards what matches no connection. §6.1: nobody answers Version Negotiation.
  if (!config.server || header.version == Version::negotiation) {
    statistics.unroutable++;
    drop();
    return;
  }
  if (!is_supported(header.version)) {
    negotiate_version(arrival, header, datagram.size());
    return;
  }
  // RFC 9287 §3.1: clients with a token may clear the QUIC bit of a first packet, too.
  DatagramReader reader(datagram, {.local_connection_id_size = ids.size(),
                                   .role = Role::server,
                                   .accept_fixed_bit_zero = config.server->transport.grease_quic_bit});
  const std::optional<ParsedPacket> parsed = reader.next();
  const auto* packet = parsed && *parsed ? std::get_if<ProtectedPacket>(&**parsed) : nullptr;
  // RFC 9000 §5.2.2: 0-RTT and Handshake packets that come before an Initial packet are dropped.
  if (!packet || packet->type() != PacketType::initial) {
    statistics.unroutable++;
    drop();
    return;
  }
  // RFC 9000 §14.1.
  if (datagram.size() < kInitialDatagramSizeMin) {
    statistics.too_small_initials++;
    drop();
    return;
  }
  on_initial(arrival, *packet, datagram);
}

}  // namespace quoll::quic
