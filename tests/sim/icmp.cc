// What routers tell about datagrams that are too big for them, and what liars tell about others (RFC 9000 §14.2.1).

#include <algorithm>

#include "tests/sim/simulation.h"

namespace quoll::sim {
namespace {

/// An ICMP message holds the start of the datagram that it is about: of old routers, not a byte of the payload (RFC 792),
/// of others what fits a packet that every path carries (RFC 4443 §3.2).
constexpr size_t kQuotedSizes[] = {0, 5, 20, 512, 1'200};
constexpr uint16_t kSizesThatHurt[] = {0, 68, 500, 1'199, 1'200, 1'300, 65'535};
constexpr uint64_t kLieEvery = 10;

}  // namespace

MtuLimit::TooBig Simulation::router_of(Link& link) {
  if (options_.icmp == Icmp::silent) return {};
  return [this, direction = link.direction()](const Datagram& datagram, uint16_t mtu) {
    tell_too_big(direction, datagram, mtu, 512);
  };
}

void Simulation::add_liar(Link& link, uint64_t seed) {
  const auto rng = std::make_shared<tests::SeededRng>(seed);
  link.add<Tap>([this, rng, direction = link.direction()](Instant, const Datagram& datagram) {
    if (datagram.origin != Origin::sent || !datagram.intact || rng->below(kLieEvery) != 0) return;
    tell_too_big(direction, datagram, kSizesThatHurt[rng->below(std::size(kSizesThatHurt))],
                 kQuotedSizes[rng->below(std::size(kQuotedSizes))]);
  });
}

/// The message comes back to the sender, for the connection whose path it is.
void Simulation::tell_too_big(Direction direction, const Datagram& datagram, uint16_t mtu, size_t quoted_size) {
  Host& host = direction == Direction::to_server ? client_ : server_;
  const Path path{.local = datagram.original_source, .remote = datagram.destination};
  std::vector<uint8_t> quoted = datagram.bytes;
  quoted.resize(std::min(quoted.size(), quoted_size));
  world_.scheduler.after(Duration::milliseconds(1), [this, &host, path, mtu, quoted = std::move(quoted)] {
    const auto tell = [&](Conversation& conversation) {
      if (conversation.closed()) return;
      if (quic::Connection* connection = conversation.connection(); connection && connection->path() == path) {
        features_.add(options_.icmp == Icmp::lying ? Feature::icmp_lies : Feature::icmp_told);
        connection->on_icmp_too_big(world_.now(), path, mtu, quoted);
      }
    };
    if (&host == &client_) {
      for (Pair& pair : pairs_) tell(*pair.client);
    } else {
      for (const auto& conversation : server_conversations_) tell(*conversation);
    }
    host.pump();
  });
}

/// What anybody can send.
void Simulation::forge_too_big(int times) {
  if (times == 0) return;
  tests::SeededRng rng(options_.seed + static_cast<uint64_t>(times));
  const auto tell = [&](Conversation& conversation) {
    quic::Connection* connection = conversation.closed() ? nullptr : conversation.connection();
    if (!connection) return;
    features_.add(Feature::icmp_forged);
    const uint16_t mtu = kSizesThatHurt[rng.below(std::size(kSizesThatHurt))];
    connection->on_icmp_too_big(world_.now(), connection->path(), mtu, rng.bytes(rng.below(60)));
  };
  for (Pair& pair : pairs_) tell(*pair.client);
  for (const auto& conversation : server_conversations_) tell(*conversation);
  client_.pump();
  server_.pump();
  world_.scheduler.after(Duration::milliseconds(100), [this, times] { forge_too_big(times - 1); });
}

}  // namespace quoll::sim
