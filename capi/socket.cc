#include "capi/endpoint.h"
#include "udp/run.h"

using namespace quoll;

struct quoll_socket {
  quoll_socket(udp::Socket bound, udp::Loop waiting) : socket(std::move(bound)), loop(std::move(waiting)) {}

  udp::Socket socket;
  udp::Loop loop;
  udp::Driver driver{loop, std::span(&socket, 1)};
};

int quoll_socket_open(const quoll_address* address, quoll_socket** socket) {
  if (!socket) return capi::invalid("no place for the socket");
  const auto wanted = address ? capi::address_of(*address) : SocketAddress{.ip = IpAddress::v6({}), .port = 0};
  if (!wanted || wanted->ip.family() == IpAddress::Family::none) return capi::invalid("no address to bind to");
  Result<udp::Socket> bound = udp::Socket::bind(*wanted);
  // A host without IPv6 has IPv4.
  if (!bound && !address) bound = udp::Socket::bind(SocketAddress{.ip = IpAddress::v4({}), .port = 0});
  if (!bound) return capi::fail(bound.error());
  Result<udp::Loop> loop = udp::Loop::create();
  if (!loop) return capi::fail(loop.error());
  auto made = std::make_unique<quoll_socket>(std::move(*bound), std::move(*loop));
  if (const Result<void> started = made->driver.start(); !started) return capi::fail(started.error());
  *socket = made.release();
  return QUOLL_OK;
}

void quoll_socket_free(quoll_socket* socket) { delete socket; }

int quoll_socket_address(const quoll_socket* socket, quoll_address* address) {
  if (!socket || !address) return capi::invalid("a socket and a place for its address are wanted");
  *address = capi::address_of(socket->socket.local_address());
  return QUOLL_OK;
}

int quoll_socket_fd(const quoll_socket* socket) { return socket ? socket->socket.fd() : -1; }

int quoll_socket_turn(quoll_socket* socket, quoll_endpoint* endpoint, uint64_t max_wait) {
  if (!socket || !endpoint) return capi::invalid("a socket and an endpoint are wanted");
  quic::Endpoint& core = *endpoint->endpoint;
  const Instant now = udp::now();
  if (core.next_timeout() <= now) core.on_timeout(now);
  const bool all_sent = socket->driver.transmit(now, core);
  const bool may_wait = all_sent && !endpoint->has_events();
  if (const Result<void> updated = socket->driver.update_watches(); !updated) return capi::fail(updated.error());
  const Instant deadline = may_wait ? std::min(core.next_timeout(), now + capi::duration_of(max_wait)) : now;
  bool came = false;
  for (const udp::Loop::Ready& ready : socket->loop.wait(deadline)) {
    if (ready.readable) socket->driver.receive(core, ready.key);
    came |= ready.readable;
  }
  return came || !all_sent ? 1 : 0;
}

void quoll_socket_wake(quoll_socket* socket) {
  if (socket) socket->loop.wake();
}
