// Nat: the rebind scenario's translator, on the client's side of the server: UDP sources on their way to the server get an
// outer address and port, and what the server sends there finds its way back.
//
// As ns-3's scenario has it: a flow keeps its own port at first; at every rebind all flows get new ports, which were never used
// before, and the old ones are forgotten, so that what is under way to them is lost, as is anything to a port that no flow
// has. With addresses, the outer address changes too, within its last octet (IPv6: its last two). Translation takes place where a
// packet arrives: the capture of the client's side shows inner addresses in what arrives and leaves there, while that of
// the server's side shows outer ones. Other protocols pass untouched. Unlike ns-3's, it translates IPv6 as well, draws no
// port below 1024, which dissectors and servers take for other protocols' or for attacks, and leaves no address behind on a
// packet whose protocol it does not translate.
#pragma once

#include <bitset>
#include <memory>
#include <vector>

#include "interop/link/error_model.h"
#include "interop/link/packet.h"

namespace quoll::link {

struct NatConfig {
  Duration first = {};  // when the first rebind comes
  Duration every = {};  // and how long after it the others; zero: there are none
  bool addresses = false;
};

class Nat {
 public:
  Nat(NatConfig config, Rng& rng) : config_(config), next_(config.first), rng_(rng) {}

  /// Time does not run back over both of them.
  Fate to_server(MutBytes packet, Duration since_start);
  Fate to_client(MutBytes packet, Duration since_start);

  uint64_t rebinds() const { return rebinds_; }

 private:
  static constexpr size_t kPorts = 65'536;
  static constexpr uint16_t kPortMin = 1024;

  struct Binding {
    uint16_t inner_port, outer_port;
  };
  struct Client {
    IpAddress inner, outer;
    std::vector<Binding> bindings;
    std::bitset<kPorts> used;  // outer ports, of now and before
  };

  void keep_up(Duration since_start);
  void rebind();
  IpAddress other_address(const Client& client);
  uint16_t fresh_port(Client& client);
  Client& client_at(const IpAddress& inner);
  const Binding& binding_of(Client& client, uint16_t inner_port);

  NatConfig config_;
  Duration next_;
  Rng& rng_;
  std::vector<Client> clients_;
  uint64_t rebinds_ = 0;
};

/// One direction of a Nat, which both of them share.
class NatDirection final : public ErrorModel {
 public:
  NatDirection(std::shared_ptr<Nat> nat, bool to_server) : nat_(std::move(nat)), to_server_(to_server) {}
  Fate judge(MutBytes packet, Duration since_start) override {
    return to_server_ ? nat_->to_server(packet, since_start) : nat_->to_client(packet, since_start);
  }

 private:
  std::shared_ptr<Nat> nat_;
  bool to_server_;
};

}  // namespace quoll::link
