// Sends datagrams (RFC 9221) back to who sent them.   usage: datagram_server [ADDRESS:PORT]
#include <cstdio>

#include "examples/self_signed.h"
#include "os/wall_clock.h"
#include "quic/endpoint/endpoint.h"
#include "udp/run.h"

using namespace quoll;

struct DatagramEcho {
  quic::Endpoint& endpoint;

  void on_event(Instant, quic::EndpointEvent& event) {
    if (!std::get_if<quic::DatagramReceived>(&std::get<quic::Event>(event.event))) return;
    quic::Connection* connection = endpoint.find(event.connection);
    while (auto datagram = connection->receive_datagram()) {
      (void)connection->send_datagram(std::move(*datagram));  // dropped if the queue is full: such is their nature
    }
  }
  bool is_done() const { return false; }
};

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:4433");
  if (!address) return std::fputs("usage: datagram_server [ADDRESS:PORT]\n", stderr), 2;
  auto socket = udp::Socket::bind(*address);
  if (!socket) return std::perror("datagram_server"), 1;
  auto tls = std::make_shared<tls::ServerConfig>();
  tls->application_protocols = {"datagram-echo"};
  tls->identities = {examples::self_signed()};
  auto server = std::make_shared<quic::ServerConfig>();
  server->tls = tls;
  server->transport.max_datagram_frame_size = 65'535;  // 0, as by default: none are taken
  quic::Endpoint endpoint({.server = server, .wall_clock = os::wall_clock_at}, crypto::best(), os::thread_rng());
  DatagramEcho echo{endpoint};
  std::printf("listening on %s\n", socket->local_address().to_string().c_str());
  std::fflush(stdout);
  return udp::run(endpoint, *socket, echo) ? 0 : 1;
}
