// QUIC in an event loop of your own: an echo client without udp::run(), whose poll(2) watches standard input as well. Lines
// go to the echo server as they are typed.   usage: event_loop_poll ADDRESS:PORT
#include <poll.h>
#include <unistd.h>

#include "os/system_rng.h"
#include "os/wall_clock.h"
#include "quic/endpoint/endpoint.h"
#include "udp/loop.h"
#include "udp/outbox.h"

using namespace quoll;

int main(int argc, char** argv) {
  const auto server = SocketAddress::parse(argc == 2 ? argv[1] : "");
  if (!server) return dprintf(2, "usage: event_loop_poll ADDRESS:PORT\n"), 2;
  auto socket = udp::Socket::bind_for(*server).value();
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {"echo"};
  tls->verification = tls::PeerVerification::none;
  auto client = std::make_shared<quic::ClientConfig>();
  client->tls = tls;
  quic::Endpoint endpoint({.wall_clock = os::wall_clock_at}, crypto::best(), os::thread_rng());
  const auto handle = *endpoint.connect(udp::now(), client, socket.path_to(*server), {.server_name = "localhost"});
  udp::Outbox outbox;  // keeps what a full socket did not take
  BufferPool pool(socket.receive_buffer_size(), 256);
  const auto streams = [&]() -> quic::Streams& { return endpoint.find(handle)->streams(); };  // until Closed
  std::optional<quic::StreamId> stream;
  Slice typed;  // what the stream's send buffer did not take yet
  for (int input = STDIN_FILENO;;) {
    // 1. What the endpoint has to tell, and to send.
    if (endpoint.next_timeout() <= udp::now()) endpoint.on_timeout(udp::now());
    while (const auto event = endpoint.poll_event()) {
      const auto& news = std::get<quic::Event>(event->event);
      if (const auto* closed = std::get_if<quic::Closed>(&news)) return closed->error_code == 0 ? 0 : 1;
      if (std::get_if<quic::Connected>(&news)) stream = streams().open(/*unidirectional=*/false);
      for (auto chunk = streams().read(*stream); chunk && *chunk; chunk = streams().read(*stream)) {
        (void)!write(STDOUT_FILENO, (*chunk)->data.data(), (*chunk)->data.size());
        if ((*chunk)->fin) endpoint.close(udp::now(), quic::ApplicationErrorCode{0}, "done");
      }
    }
    if (stream) (void)streams().write(*stream, typed);
    const bool again = outbox.transmit(udp::now(), endpoint, std::span(&socket, 1)) == udp::Outbox::Progress::limit;
    // 2. Wait for datagrams, room to send them, input where there is a place for it, and the next timer.
    pollfd watched[] = {{socket.fd(), POLLIN, 0}, {stream && typed.empty() ? input : -1, POLLIN, 0}};
    if (outbox.blocked_socket()) watched[0].events |= POLLOUT;
    const Duration left = again ? Duration() : std::max(endpoint.next_timeout() - udp::now(), Duration());
    poll(watched, 2, left.is_infinite() ? -1 : static_cast<int>(left.as_milliseconds() + 1));
    // 3. Take what has come.
    Received received[16];
    const size_t count = socket.receive(pool, received);
    for (size_t i = 0; i < count; i++) endpoint.receive(udp::now(), std::move(received[i]));
    if (watched[1].revents == 0) continue;
    uint8_t line[4096];
    const ssize_t size = read(0, line, sizeof line);
    typed = Slice::copy_of(Bytes(line).first(static_cast<size_t>(std::max<ssize_t>(size, 0))));
    if (size <= 0) input = -1, (void)streams().finish(*stream);
  }
}
