// Sends a text to the echo server over QUIC and prints what comes back.   usage: quic_echo_client ADDRESS:PORT TEXT
#include <cstdio>

#include "os/system_rng.h"
#include "os/wall_clock.h"
#include "quic/endpoint/endpoint.h"
#include "udp/run.h"

using namespace quoll;

struct EchoClient {
  quic::Endpoint& endpoint;
  std::string_view text;
  bool failed = false, done = false;

  void on_event(Instant now, quic::EndpointEvent& event) {
    quic::Connection* connection = endpoint.find(event.connection);
    const auto& news = std::get<quic::Event>(event.event);
    if (std::get_if<quic::Connected>(&news)) {
      const quic::StreamId stream = connection->streams().open(/*unidirectional=*/false).value();
      (void)connection->streams().write(stream, as_bytes(text));  // a text this small is taken whole
      (void)connection->streams().finish(stream);
    } else if (const auto* readable = std::get_if<quic::StreamReadable>(&news)) {
      for (;;) {
        const auto chunk = connection->streams().read(readable->stream_id);
        if (!chunk || !*chunk) return;  // given up by the server, or StreamReadable follows
        std::fwrite((*chunk)->data.data(), 1, (*chunk)->data.size(), stdout);
        if ((*chunk)->fin) return connection->close(now, quic::ApplicationErrorCode{0}, "done");
      }
    } else if (const auto* closed = std::get_if<quic::Closed>(&news)) {
      failed = closed->why != quic::Closed::Why::local || closed->error_code != 0;
      if (failed) std::fprintf(stderr, "quic_echo_client: the connection ended: %s\n", closed->reason.c_str());
      done = true;
    }
  }
  bool is_done() const { return done; }
};

int main(int argc, char** argv) {
  const auto server = argc == 3 ? SocketAddress::parse(argv[1]) : std::nullopt;
  if (!server) return std::fputs("usage: quic_echo_client ADDRESS:PORT TEXT\n", stderr), 2;
  auto socket = udp::Socket::bind_for(*server);
  if (!socket) return std::perror("quic_echo_client"), 1;
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {"echo"};
  tls->verification = tls::PeerVerification::none;  // the server's certificate is self-signed: whoever answers will do
  auto client = std::make_shared<quic::ClientConfig>();
  client->tls = tls;
  quic::Endpoint endpoint({.wall_clock = os::wall_clock_at}, crypto::best(), os::thread_rng());
  if (!endpoint.connect(udp::now(), client, socket->path_to(*server), {.server_name = "localhost"})) return 1;
  EchoClient echo{endpoint, argv[2]};
  return udp::run(endpoint, *socket, echo) && !echo.failed ? 0 : 1;
}
