// Messages that may get lost (RFC 9221): sends ten, and waits a second for their echoes.
// usage: datagram_client ADDRESS:PORT
#include <cstdio>

#include "os/system_rng.h"
#include "os/wall_clock.h"
#include "quic/endpoint/endpoint.h"
#include "udp/run.h"

using namespace quoll;

struct Pinger {
  quic::Endpoint& endpoint;
  int sent = 0, echoed = 0;
  Instant give_up = Instant::never();
  bool done = false;

  void on_event(Instant now, quic::EndpointEvent& event) {
    quic::Connection* connection = endpoint.find(event.connection);
    const auto& news = std::get<quic::Event>(event.event);
    if (std::get_if<quic::Connected>(&news)) {
      // An Error: the server takes none, or none of this size (max_datagram_size()). False: the queue is full.
      while (sent < 10 && connection->send_datagram(Slice::copy_of(as_bytes("hello"))).value_or(false)) sent++;
      give_up = now + Duration::seconds(1);
    } else if (std::get_if<quic::DatagramReceived>(&news)) {
      while (connection->receive_datagram()) echoed++;
    } else if (std::get_if<quic::Closed>(&news)) {
      done = true;
    }
  }
  /// Called by run() once a turn, and at next_timeout().
  void on_turn(Instant now) {
    const bool over = now >= give_up || (sent != 0 && echoed == sent);
    if (over) endpoint.close(now, quic::ApplicationErrorCode{0}, "done");
  }
  Instant next_timeout() const { return give_up; }
  bool is_done() const { return done; }
};

int main(int argc, char** argv) {
  const auto server = argc == 2 ? SocketAddress::parse(argv[1]) : std::nullopt;
  if (!server) return std::fputs("usage: datagram_client ADDRESS:PORT\n", stderr), 2;
  auto socket = udp::Socket::bind_for(*server);
  if (!socket) return std::perror("datagram_client"), 1;
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {"datagram-echo"};
  tls->verification = tls::PeerVerification::none;  // whoever is there
  auto client = std::make_shared<quic::ClientConfig>();
  client->tls = tls;
  client->transport.max_datagram_frame_size = 65'535;
  quic::Endpoint endpoint({.wall_clock = os::wall_clock_at}, crypto::best(), os::thread_rng());
  if (!endpoint.connect(udp::now(), client, socket->path_to(*server), {.server_name = "localhost"})) return 1;
  Pinger pinger{endpoint};
  const bool ran = udp::run(endpoint, *socket, pinger).has_value();
  std::printf("%d of %d came back\n", pinger.echoed, pinger.sent);
  return ran && pinger.sent != 0 && pinger.echoed == pinger.sent ? 0 : 1;
}
