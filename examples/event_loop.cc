// The echo client without udp::run(): QUIC in an event loop of your own, here one of poll(2) that also watches standard
// input. Lines go to the echo server as they are typed.   usage: event_loop ADDRESS:PORT
#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "base/buffer_pool.h"
#include "examples/self_signed.h"
#include "quic/endpoint/endpoint.h"
#include "udp/loop.h"
#include "udp/socket.h"

using namespace quoll;

int main(int argc, char** argv) {
  const auto server = argc == 2 ? SocketAddress::parse(argv[1]) : std::nullopt;
  if (!server) return std::fputs("usage: event_loop ADDRESS:PORT\n", stderr), 2;
  const bool ipv6 = server->ip.family() == IpAddress::Family::ipv6;
  auto socket = udp::Socket::bind(*SocketAddress::parse(ipv6 ? "[::]:0" : "0.0.0.0:0"));
  if (!socket) return std::perror("event_loop"), 1;

  auto tls = std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {"echo"};
  tls->verification = tls::PeerVerification::none;
  auto client = std::make_shared<quic::ClientConfig>();
  client->tls = tls;
  quic::EndpointConfig config;
  config.wall_clock = examples::wall_clock;
  quic::Endpoint endpoint(config, crypto::best(), os::thread_rng());
  const auto handle = endpoint.connect(udp::now(), client, socket->path_to(*server), {.server_name = "localhost"});
  if (!handle) return 1;

  BufferPool pool(socket->receive_buffer_size(), 64);
  std::vector<uint8_t> scratch(64 * 1024);
  std::optional<quic::StreamId> stream;
  Slice typed;  // what the stream's send buffer did not take yet
  for (bool blocked = false, input_over = false;;) {
    // 1. What the endpoint has to tell.
    while (const auto event = endpoint.poll_event()) {
      const auto& news = std::get<quic::Event>(event->event);
      quic::Streams* streams = endpoint.find(*handle) ? &endpoint.find(*handle)->streams() : nullptr;
      if (std::get_if<quic::Connected>(&news)) stream = streams->open(false);
      if (const auto* closed = std::get_if<quic::Closed>(&news)) return closed->error_code == 0 ? 0 : 1;
      if (!std::get_if<quic::StreamReadable>(&news)) continue;
      for (auto chunk = streams->read(*stream); chunk && *chunk; chunk = streams->read(*stream)) {
        (void)!write(STDOUT_FILENO, (*chunk)->data.data(), (*chunk)->data.size());
        if ((*chunk)->fin) endpoint.close(udp::now(), quic::ApplicationErrorCode{0}, "done");
      }
    }
    // 2. What it has to send: `blocked` keeps a transmit that the socket did not take in the scratch.
    static std::optional<Transmit> transmit;
    do {
      if (!blocked) transmit = endpoint.poll_transmit(udp::now(), scratch);
      blocked = transmit && socket->send(*transmit) == udp::Socket::SendResult::would_block;
    } while (transmit && !blocked);
    // 3. Wait for the socket, for input once there is a stream, and no longer than the endpoint's timers.
    const int input = stream && !input_over && typed.empty() ? STDIN_FILENO : -1;
    pollfd watched[] = {{socket->fd(), static_cast<short>(blocked ? POLLIN | POLLOUT : POLLIN), 0}, {input, POLLIN, 0}};
    const Duration left = std::max(endpoint.next_timeout() - udp::now(), Duration());
    poll(watched, 2, left.is_infinite() ? -1 : static_cast<int>(left.as_milliseconds() + 1));
    // 4. What has come.
    Received received[16];
    for (size_t count = 1; count != 0;) {
      count = socket->receive(pool, received);
      for (size_t i = 0; i < count; i++) endpoint.receive(udp::now(), std::move(received[i]));
    }
    if (endpoint.next_timeout() <= udp::now()) endpoint.on_timeout(udp::now());
    if (!stream || !endpoint.find(*handle)) continue;
    quic::Streams& streams = endpoint.find(*handle)->streams();
    if (watched[1].revents != 0) {
      uint8_t line[4096];
      const ssize_t size = read(STDIN_FILENO, line, sizeof line);
      if (size > 0) typed = Slice::copy_of(Bytes(line).first(static_cast<size_t>(size)));
      if (size <= 0) input_over = true, (void)streams.finish(*stream);
    }
    (void)streams.write(*stream, typed);
  }
}
