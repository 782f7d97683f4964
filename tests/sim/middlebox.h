// Middleboxes at the client's side: a NAT whose mappings change while it is in use, and a firewall that lets in only what
// answers something that went out. Both have state that the two directions share.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "tests/sim/link.h"

namespace quoll::sim {

/// An order of addresses for maps.
struct AddressOrder {
  bool operator()(const SocketAddress& a, const SocketAddress& b) const { return a.key() < b.key(); }
};

/// Gives every address inside one outside, until it is rebound: then what comes to the old one is dropped.
class Nat {
 public:
  SocketAddress outside_of(const SocketAddress& inside);
  std::optional<SocketAddress> inside_of(const SocketAddress& outside) const;
  /// All mappings die; new ones get new ports, and a new address if asked for.
  void rebind(bool new_address);
  uint64_t rebound() const { return rebound_; }

 private:
  std::map<SocketAddress, SocketAddress, AddressOrder> out_, in_;
  uint16_t next_port_ = 20'000;
  uint8_t host_ = 1;
  uint64_t rebound_ = 0;
};

class NatOut final : public Element {
 public:
  explicit NatOut(std::shared_ptr<Nat> nat) : nat_(std::move(nat)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  std::shared_ptr<Nat> nat_;
};

class NatIn final : public Element {
 public:
  explicit NatIn(std::shared_ptr<Nat> nat) : nat_(std::move(nat)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  std::shared_ptr<Nat> nat_;
};

/// Pairs of addresses that something went out on.
struct FirewallState {
  std::set<std::pair<std::array<uint8_t, SocketAddress::kKeySize>, std::array<uint8_t, SocketAddress::kKeySize>>> known;
};

class FirewallOut final : public Element {
 public:
  explicit FirewallOut(std::shared_ptr<FirewallState> state) : state_(std::move(state)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  std::shared_ptr<FirewallState> state_;
};

class FirewallIn final : public Element {
 public:
  explicit FirewallIn(std::shared_ptr<FirewallState> state) : state_(std::move(state)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  std::shared_ptr<FirewallState> state_;
};

}  // namespace quoll::sim
