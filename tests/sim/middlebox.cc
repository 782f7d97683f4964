#include "tests/sim/middlebox.h"

namespace quoll::sim {

SocketAddress Nat::outside_of(const SocketAddress& inside) {
  const auto found = out_.find(inside);
  if (found != out_.end()) return found->second;
  const SocketAddress outside{.ip = IpAddress::v4({192, 0, 2, host_}), .port = next_port_++};
  out_.emplace(inside, outside);
  in_.emplace(outside, inside);
  return outside;
}

std::optional<SocketAddress> Nat::inside_of(const SocketAddress& outside) const {
  const auto found = in_.find(outside);
  if (found == in_.end()) return {};
  return found->second;
}

void Nat::rebind(bool new_address) {
  out_.clear();
  in_.clear();
  if (new_address) host_++;
  rebound_++;
}

void NatOut::pass(Instant now, Datagram datagram, Exit& exit) {
  datagram.source = nat_->outside_of(datagram.source);
  exit.forward(now, std::move(datagram));
}

void NatIn::pass(Instant now, Datagram datagram, Exit& exit) {
  const std::optional<SocketAddress> inside = nat_->inside_of(datagram.destination);
  if (!inside) return exit.drop(datagram, "no NAT mapping");
  datagram.destination = *inside;
  exit.forward(now, std::move(datagram));
}

void FirewallOut::pass(Instant now, Datagram datagram, Exit& exit) {
  state_->known.emplace(datagram.source.key(), datagram.destination.key());
  exit.forward(now, std::move(datagram));
}

void FirewallIn::pass(Instant now, Datagram datagram, Exit& exit) {
  if (!state_->known.contains({datagram.destination.key(), datagram.source.key()})) {
    return exit.drop(datagram, "firewall");
  }
  exit.forward(now, std::move(datagram));
}

}  // namespace quoll::sim
