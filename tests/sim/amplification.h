// AmplificationMonitor: watches at the server that it sends no more than three times what it got to an address of which
// nobody can have shown that it is there (RFC 9000 §8.1, §9.3): from the outside, so with what an observer can know.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "quic/wire/packet_header.h"
#include "tests/sim/host.h"
#include "tests/sim/middlebox.h"

namespace quoll::sim {

class AmplificationMonitor {
 public:
  /// `delay`: a datagram takes at least so long from the server to the client.
  explicit AmplificationMonitor(Duration delay) : delay_(delay) {}

  void on_received(const Datagram& datagram) {
    Address& address = addresses_[datagram.source];
    address.received += datagram.bytes.size();
    if (shows_a_token(datagram)) address.validated = true;
    // RFC 9000 §8.2.3: what answers a challenge to one address may come from another. And it is an answer too when an
    // attacker delivers it: later than the client's own, or with but the last of its packets changed.
    for (auto& [where, each] : addresses_) {
      if (!each.first_sent.is_never() && datagram.sent >= each.first_sent + delay_) each.validated = true;
    }
  }

  void on_sent(World& world, const Datagram& datagram) {
    Address& address = addresses_[datagram.destination];
    address.first_sent = std::min(address.first_sent, datagram.sent);
    address.sent += datagram.bytes.size();
    if (!address.validated && address.sent > 3 * address.received) {
      world.fail("the server sent " + std::to_string(address.sent) + " bytes to " + datagram.destination.to_string() +
                 ", which sent " + std::to_string(address.received) + " and is not validated");
    }
  }

 private:
  struct Address {
    uint64_t received = 0, sent = 0;
    Instant first_sent = Instant::never();
    bool validated = false;
  };

  /// An Initial packet with a token, whatever that is worth.
  static bool shows_a_token(const Datagram& datagram) {
    std::vector<uint8_t> copy = datagram.bytes;
    quic::DatagramReader reader(copy, {.role = quic::Role::server, .accept_fixed_bit_zero = true});
    const auto packet = reader.next();
    if (!packet || !*packet) return false;
    const auto* initial = std::get_if<quic::ProtectedPacket>(&**packet);
    return initial && initial->type() == quic::PacketType::initial && !initial->token().empty();
  }

  Duration delay_;
  std::map<SocketAddress, Address, AddressOrder> addresses_;
};

}  // namespace quoll::sim
