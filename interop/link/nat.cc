#include "interop/link/nat.h"

#include <algorithm>

namespace quoll::link {

Fate Nat::to_server(MutBytes packet, Duration since_start) {
  keep_up(since_start);
  const std::optional<IpPacket> shape = parse_ip(packet);
  if (!shape || !shape->is_udp) return Fate::delivered;
  Client& client = client_at(address_of(packet, *shape, End::source));
  set_port(packet, *shape, End::source, binding_of(client, port_of(packet, *shape, End::source)).outer_port);
  set_address(packet, *shape, End::source, client.outer);
  return Fate::delivered;
}

Fate Nat::to_client(MutBytes packet, Duration since_start) {
  keep_up(since_start);
  const std::optional<IpPacket> shape = parse_ip(packet);
  if (!shape || !shape->is_udp) return Fate::delivered;
  const IpAddress outer = address_of(packet, *shape, End::destination);
  const uint16_t outer_port = port_of(packet, *shape, End::destination);
  for (const Client& client : clients_) {
    if (client.outer != outer) continue;
    for (const Binding& binding : client.bindings) {
      if (binding.outer_port != outer_port) continue;
      set_port(packet, *shape, End::destination, binding.inner_port);
      set_address(packet, *shape, End::destination, client.inner);
      return Fate::delivered;
    }
  }
  return Fate::dropped;
}

void Nat::keep_up(Duration since_start) {
  while (next_ <= since_start) {
    rebind();
    next_ = config_.every > Duration() ? next_ + config_.every : Duration::infinite();
  }
}

void Nat::rebind() {
  rebinds_++;
  for (Client& client : clients_) {
    if (config_.addresses) client.outer = other_address(client);
    for (Binding& binding : client.bindings) binding.outer_port = fresh_port(client);
  }
}

IpAddress Nat::other_address(const Client& client) {
  for (;;) {
    IpAddress address;
    if (client.inner.family() == IpAddress::Family::ipv4) {
      std::array<uint8_t, 4> octets;
      copy_bytes(octets.data(), client.inner.octets());
      octets[3] = static_cast<uint8_t>(1 + rng_.below(254));
      address = IpAddress::v4(octets);
    } else {
      std::array<uint8_t, 16> octets;
      copy_bytes(octets.data(), client.inner.octets());
      store_be(octets.data() + 14, static_cast<uint16_t>(1 + rng_.below(65'534)));
      address = IpAddress::v6(octets);
    }
    // All clients' addresses stay apart.
    const bool taken = std::any_of(clients_.begin(), clients_.end(),
                                   [&](const Client& one) { return one.inner == address || one.outer == address; });
    if (!taken) return address;
  }
}

uint16_t Nat::fresh_port(Client& client) {
  if (client.used.count() >= kPorts / 2) {  // by now nobody remembers the first ones
    client.used.reset();
    for (const Binding& binding : client.bindings) client.used.set(binding.outer_port);
  }
  for (;;) {
    const auto port = static_cast<uint16_t>(kPortMin + rng_.below(kPorts - kPortMin));
    if (client.used.test(port)) continue;
    client.used.set(port);
    return port;
  }
}

Nat::Client& Nat::client_at(const IpAddress& inner) {
  for (Client& client : clients_) {
    if (client.inner == inner) return client;
  }
  clients_.push_back({.inner = inner, .outer = inner, .bindings = {}, .used = {}});
  return clients_.back();
}

const Nat::Binding& Nat::binding_of(Client& client, uint16_t inner_port) {
  for (const Binding& binding : client.bindings) {
    if (binding.inner_port == inner_port) return binding;
  }
  const uint16_t outer_port = client.used.test(inner_port) ? fresh_port(client) : inner_port;
  client.used.set(outer_port);
  client.bindings.push_back({.inner_port = inner_port, .outer_port = outer_port});
  return client.bindings.back();
}

}  // namespace quoll::link
