#include "interop/link/nat.h"

#include <algorithm>

namespace quoll::link {

Fate Nat::to_server(MutBytes packet, Duration since_start) {
  keep_up(since_start);
  const std::optional<IpPacket> shape = parse_ip(packet);
  if (!shape || !shape->is_udp) return Fate::delivered;
  const IpAddress inner = address_of(packet, *shape, End::source);
  const Binding& binding = binding_of(inner, port_of(packet, *shape, End::source));
  set_port(packet, *shape, End::source, binding.outer_port);
  set_address(packet, *shape, End::source, client_at(inner).outer);
  return Fate::delivered;
}

Fate Nat::to_client(MutBytes packet, Duration since_start) {
  keep_up(since_start);
  const std::optional<IpPacket> shape = parse_ip(packet);
  if (!shape || !shape->is_udp) return Fate::delivered;
  const IpAddress outer = address_of(packet, *shape, End::destination);
  const uint16_t outer_port = port_of(packet, *shape, End::destination);
  const auto binding = std::find_if(bindings_.begin(), bindings_.end(), [&](const Binding& one) {
    return one.outer_port == outer_port && client_at(one.inner).outer == outer;
  });
  if (binding == bindings_.end()) return Fate::dropped;
  set_port(packet, *shape, End::destination, binding->inner_port);
  set_address(packet, *shape, End::destination, binding->inner);
  return Fate::delivered;
}

void Nat::keep_up(Duration since_start) {
  while (next_ <= since_start) {
    rebind();
    next_ = config_.every > Duration() ? next_ + config_.every : Duration::infinite();
  }
}

void Nat::rebind() {
  rebinds_++;
  if (config_.addresses) {
    for (Client& client : clients_) client.outer = other_address(client);
  }
  for (Binding& binding : bindings_) binding.outer_port = fresh_port();
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
    // Two clients' addresses stay apart, or their ports could not tell whose a packet is.
    const bool taken = std::any_of(clients_.begin(), clients_.end(),
                                   [&](const Client& one) { return one.inner == address || one.outer == address; });
    if (!taken) return address;
  }
}

uint16_t Nat::fresh_port() {
  if (used_.count() >= kPorts / 2) {  // a port can be used again when nothing remembers it
    used_.reset();
    for (const Binding& binding : bindings_) used_.set(binding.outer_port);
  }
  for (;;) {
    const auto port = static_cast<uint16_t>(kPortMin + rng_.below(kPorts - kPortMin));
    if (used_.test(port)) continue;
    used_.set(port);
    return port;
  }
}

Nat::Client& Nat::client_at(const IpAddress& inner) {
  for (Client& client : clients_) {
    if (client.inner == inner) return client;
  }
  clients_.push_back({.inner = inner, .outer = inner});
  return clients_.back();
}

Nat::Binding& Nat::binding_of(const IpAddress& inner, uint16_t port) {
  for (Binding& binding : bindings_) {
    if (binding.inner == inner && binding.inner_port == port) return binding;
  }
  const uint16_t outer_port = used_.test(port) ? fresh_port() : port;
  used_.set(outer_port);
  bindings_.push_back({.inner = inner, .inner_port = port, .outer_port = outer_port});
  return bindings_.back();
}

}  // namespace quoll::link
