// A QUIC server that sends back whatever arrives on a stream.   usage: quic_echo_server [ADDRESS:PORT]
#include <cstdio>
#include <map>

#include "examples/self_signed.h"
#include "quic/endpoint/endpoint.h"
#include "udp/run.h"

using namespace quoll;

struct EchoServer {
  quic::Endpoint& endpoint;
  // What did not fit a stream's send buffer yet, by connection and stream.
  std::map<std::pair<uint64_t, quic::StreamId>, quic::Chunk> pending = {};

  void on_event(Instant, quic::EndpointEvent& event) {
    const auto* news = std::get_if<quic::Event>(&event.event);
    if (!news) return;
    if (const auto* readable = std::get_if<quic::StreamReadable>(news)) echo(event.connection, readable->stream_id);
    if (const auto* writable = std::get_if<quic::StreamWritable>(news)) echo(event.connection, writable->stream_id);
    if (std::get_if<quic::Closed>(news)) {
      std::erase_if(pending, [&](auto& each) { return each.first.first == number_of(event.connection); });
    }
  }
  bool is_done() const { return false; }

  static uint64_t number_of(quic::ConnectionHandle handle) { return uint64_t{handle.generation} << 32 | handle.index; }

  void echo(quic::ConnectionHandle handle, quic::StreamId id) {
    quic::Streams& streams = endpoint.find(handle)->streams();
    quic::Chunk& chunk = pending[{number_of(handle), id}];
    for (;;) {
      // A failure means that the client gave the stream up.
      if (!streams.write(id, chunk.data)) break;
      if (!chunk.data.empty()) return;  // StreamWritable follows; not reading meanwhile holds the client back
      if (chunk.fin) {
        (void)streams.finish(id);
        break;
      }
      auto next = streams.read(id);
      if (!next) break;
      if (!*next) return;  // StreamReadable follows
      chunk = std::move(**next);
    }
    pending.erase({number_of(handle), id});
  }
};

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:4433");
  auto socket = udp::Socket::bind(address.value());
  if (!socket) return std::perror("quic_echo_server"), 1;

  auto tls = std::make_shared<tls::ServerConfig>();
  tls->application_protocols = {"echo"};
  tls->identities = {examples::self_signed()};
  auto server = std::make_shared<quic::ServerConfig>();
  server->tls = tls;
  quic::EndpointConfig config;
  config.wall_clock = examples::wall_clock;
  config.server = server;
  quic::Endpoint endpoint(config, crypto::best(), os::thread_rng());

  std::printf("listening on %s\n", socket->local_address().to_string().c_str());
  std::fflush(stdout);
  EchoServer echo{endpoint};
  return udp::run(endpoint, *socket, echo) ? 0 : 1;
}
