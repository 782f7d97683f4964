// QUIC in an event loop of your own: the datagram server without udp::run(), in a loop of epoll(7) with a timerfd.
// usage: event_loop_epoll [ADDRESS:PORT]
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdio>

#include "examples/self_signed.h"
#include "os/wall_clock.h"
#include "quic/endpoint/endpoint.h"
#include "udp/loop.h"
#include "udp/outbox.h"

using namespace quoll;

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:4433");
  if (!address) return std::fputs("usage: event_loop_epoll [ADDRESS:PORT]\n", stderr), 2;
  auto socket = udp::Socket::bind(*address).value();
  auto tls = std::make_shared<tls::ServerConfig>();
  tls->application_protocols = {"datagram-echo"};
  tls->identities = {examples::self_signed()};
  auto server = std::make_shared<quic::ServerConfig>();
  server->tls = tls;
  server->transport.max_datagram_frame_size = 65'535;
  quic::Endpoint endpoint({.server = server, .wall_clock = os::wall_clock_at}, crypto::best(), os::thread_rng());
  udp::Outbox outbox;  // keeps what a full socket did not take
  BufferPool pool(socket.receive_buffer_size(), 256);
  std::printf("listening on %s\n", socket.local_address().to_string().c_str());
  std::fflush(stdout);
  const int loop = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  epoll_event of_timer{.events = EPOLLIN, .data = {.fd = timer}};
  epoll_ctl(loop, EPOLL_CTL_ADD, timer, &of_timer);
  for (int operation = EPOLL_CTL_ADD;; operation = EPOLL_CTL_MOD) {
    // 1. What the endpoint has to tell, and to send.
    if (endpoint.next_timeout() <= udp::now()) endpoint.on_timeout(udp::now());
    while (const auto event = endpoint.poll_event()) {
      quic::Connection* connection = endpoint.find(event->connection);
      if (!std::get_if<quic::DatagramReceived>(&std::get<quic::Event>(event->event))) continue;
      while (auto datagram = connection->receive_datagram()) (void)connection->send_datagram(std::move(*datagram));
    }
    const bool more = outbox.transmit(udp::now(), endpoint, std::span(&socket, 1)) == udp::Outbox::Progress::limit;
    // 2. Wait for datagrams, for room to send them, and for the next timer.
    const uint32_t wanted = outbox.blocked_socket() ? EPOLLIN | EPOLLOUT : EPOLLIN;
    epoll_event of_socket{.events = wanted, .data = {.fd = socket.fd()}};
    epoll_ctl(loop, operation, socket.fd(), &of_socket);
    const int64_t next = (endpoint.next_timeout() - udp::now()).as_nanoseconds();
    const int64_t left = std::clamp<int64_t>(next, 1, 1'000'000'000'000);  // 0 would disarm it
    const itimerspec at{{}, {left / 1'000'000'000, left % 1'000'000'000}};
    timerfd_settime(timer, 0, &at, nullptr);
    epoll_event ready[2];
    epoll_wait(loop, ready, 2, more ? 0 : -1);
    // 3. Take what has come.
    Received received[16];
    const size_t count = socket.receive(pool, received);
    for (size_t i = 0; i < count; i++) endpoint.receive(udp::now(), std::move(received[i]));
  }
}
