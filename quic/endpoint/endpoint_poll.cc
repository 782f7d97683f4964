// Endpoint: outputs, timers, and what follows an input.
#include "quic/endpoint/endpoint_state.h"

namespace quoll::quic {

void Endpoint::State::on_timeout(Instant now) {
  settle();
  // Timers are set again when connections are settled, not before: each is asked once.
  while (ConnectionSlot* slot = timers.pop(now)) {
    if (slot->offer) {
      refuse_offer(now, *slot);
    } else {
      slot->connection->on_timeout(now);
      after_input(*slot);
    }
  }
}

std::optional<Transmit> Endpoint::State::poll_transmit(Instant now, MutBytes scratch) {
  if (auto answer = answers.poll_transmit(now, scratch)) return answer;
  while (!to_transmit.empty()) {
    ConnectionSlot& slot = to_transmit.front();
    to_transmit.remove(slot);
    const bool was_closed = slot.connection->is_closed();
    std::optional<Transmit> transmit = slot.connection->poll_transmit(now, scratch);
    if (!to_settle.is_linked(slot)) to_settle.push_back(slot);  // sending moves timers
    // A key that is used up ends a connection while it sends.
    if (!was_closed && slot.connection->is_closed() && !with_events.is_linked(slot)) with_events.push_back(slot);
    if (!transmit) continue;
    // A train each: nobody waits for a connection that has much to send.
    to_transmit.push_back(slot);
    return transmit;
  }
  return {};
}

std::optional<EndpointEvent> Endpoint::State::poll_event() {
  while (!with_events.empty()) {
    ConnectionSlot& slot = with_events.front();
    with_events.remove(slot);
    if (slot.offer) {
      if (std::exchange(slot.offer->announced, true)) continue;
      const ConnectionAttempt& attempt = slot.offer->attempt;
      return EndpointEvent{
          .connection = slots.handle_of(slot),
          .event = Offered{
              .path = attempt.path, .address_validated = attempt.address_validated, .version = attempt.version}};
    }
    if (std::optional<Event> event = slot.connection->poll_event()) {
      // To take news from a stream may end it, and the peer is to be allowed another.
      touch(slot);
      return EndpointEvent{.connection = slots.handle_of(slot), .event = std::move(*event)};
    }
    // The last event was polled: now a drained connection may go.
    if (slot.connection->is_drained() && !to_settle.is_linked(slot)) to_settle.push_back(slot);
  }
  return {};
}

void Endpoint::State::touch(ConnectionSlot& slot) {
  if (!to_transmit.is_linked(slot)) to_transmit.push_back(slot);
  if (!with_events.is_linked(slot)) with_events.push_back(slot);
  if (!to_settle.is_linked(slot)) to_settle.push_back(slot);
}

void Endpoint::State::after_input(ConnectionSlot& slot) {
  // At once: the next datagram may come for an id that was just issued or retired.
  apply_route_changes(slot);
  touch(slot);
}

void Endpoint::State::settle() {
  while (ConnectionSlot* slot = to_settle.pop_front()) settle(*slot);
}

void Endpoint::State::settle(ConnectionSlot& slot) {
  const Connection& connection = *slot.connection;
  apply_route_changes(slot);
  if (!slot.established && connection.is_established()) {
    slot.established = true;
    statistics.connected++;
  }
  if (slot.handshaking && (slot.established || connection.is_closed())) {
    slot.handshaking = false;
    handshakes--;
  }
  if (!connection.is_drained()) {
    timers.set(slot, connection.next_timeout());
    return;
  }
  timers.remove(slot);
  // Kept until its Closed is polled. An application that never polls runs into max_connections.
  if (!with_events.is_linked(slot)) erase(slot);
}

void Endpoint::State::apply_route_changes(ConnectionSlot& slot) {
  while (const std::optional<RouteChange> change = slot.connection->poll_route_change()) {
    switch (change->kind) {
      case RouteChange::Kind::add_id:
        // The client's choice is routed with its address already, and ids of no bytes by addresses alone.
        if (change->id.empty() || table.by_id(change->id) == slot.initial_id) break;
        (void)add_route(slot, table.by_id(change->id));
        break;
      case RouteChange::Kind::remove_id: {
        const RouteKey key = table.by_id(change->id);
        remove_route(slot, key == slot.initial_id ? slot.initial_route : key);
        break;
      }
      case RouteChange::Kind::add_reset_token:
        (void)add_route(slot, table.by_token(change->token));
        break;
      case RouteChange::Kind::remove_reset_token:
        remove_route(slot, table.by_token(change->token));
        break;
    }
  }
}

bool Endpoint::State::add_route(ConnectionSlot& slot, RouteKey key) {
  if (std::ranges::find(slot.routes, key) != slot.routes.end()) return true;
  if (slot.routes.size() == kRoutesPerConnectionMax || !table.add(key, slots.handle_of(slot))) return false;
  slot.routes.push_back(key);
  return true;
}

void Endpoint::State::remove_route(ConnectionSlot& slot, RouteKey key) {
  const auto at = std::ranges::find(slot.routes, key);
  if (at == slot.routes.end()) return;
  table.remove(key);
  *at = slot.routes.back();
  slot.routes.pop_back();
}

void Endpoint::State::erase(ConnectionSlot& slot) {
  for (const RouteKey key : slot.routes) table.remove(key);
  timers.remove(slot);
  if (slot.connection) connections--;
  if (slot.offer) offers--;
  if (slot.handshaking) handshakes--;
  slots.erase(slot);
  if (slots.empty()) slots.trim();
}

}  // namespace quoll::quic
