// A QUIC server that sends back whatever arrives on a stream.   usage: quic_echo_server [ADDRESS:PORT]
#include <cstdio>
#include <map>

#include "examples/self_signed.h"
#include "os/wall_clock.h"
#include "quic/endpoint/endpoint.h"
#include "udp/run.h"

using namespace quoll;

struct EchoServer {
  quic::Endpoint& endpoint;
  // What was read and did not fit the stream's send buffer yet.
  std::map<std::pair<uint32_t, quic::StreamId>, quic::Chunk> pending = {};

  void on_event(Instant, quic::EndpointEvent& event) {
    const auto& news = std::get<quic::Event>(event.event);
    if (const auto* readable = std::get_if<quic::StreamReadable>(&news)) echo(event.connection, readable->stream_id);
    if (const auto* writable = std::get_if<quic::StreamWritable>(&news)) echo(event.connection, writable->stream_id);
    if (std::get_if<quic::Closed>(&news))
      std::erase_if(pending, [&](auto& each) { return each.first.first == event.connection.index; });
  }
  bool is_done() const { return false; }

  void echo(quic::ConnectionHandle handle, quic::StreamId id) {
    quic::Streams& streams = endpoint.find(handle)->streams();
    quic::Chunk& chunk = pending[{handle.index, id}];
    while (streams.write(id, chunk.data)) {  // fails when the client gave the stream up
      if (!chunk.data.empty()) return;       // StreamWritable follows; not reading meanwhile holds the client back
      if (chunk.fin && streams.finish(id)) break;
      auto next = streams.read(id);
      if (!next) break;
      if (!*next) return;  // StreamReadable follows
      chunk = std::move(**next);
    }
    pending.erase({handle.index, id});
  }
};

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:4433");
  if (!address) return std::fputs("usage: quic_echo_server [ADDRESS:PORT]\n", stderr), 2;
  auto socket = udp::Socket::bind(*address);
  if (!socket) return std::perror("quic_echo_server"), 1;
  auto tls = std::make_shared<tls::ServerConfig>();
  tls->application_protocols = {"echo"};
  tls->identities = {examples::self_signed()};
  auto server = std::make_shared<quic::ServerConfig>();
  server->tls = tls;
  quic::Endpoint endpoint({.server = server, .wall_clock = os::wall_clock_at}, crypto::best(), os::thread_rng());
  EchoServer echo{endpoint};
  std::printf("listening on %s\n", socket->local_address().to_string().c_str());
  std::fflush(stdout);
  return udp::run(endpoint, *socket, echo) ? 0 : 1;
}
