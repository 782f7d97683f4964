// A counter over HTTP/3 with 0-RTT: what may be replayed is answered only where that does no harm (RFC 8470).
// usage: early_data_server [ADDRESS:PORT]
#include <cstdio>

#include "examples/self_signed.h"
#include "web/server.h"

using namespace quoll;

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:4433");
  if (!address) return std::fputs("usage: early_data_server [ADDRESS:PORT]\n", stderr), 2;
  int counter = 0;  // one worker: handlers run on its thread alone
  web::ServerOptions options;
  options.listen = {*address};
  options.identities = {examples::self_signed()};
  auto server = web::Server::listen(std::move(options), [&counter](web::Exchange& exchange) {
    const bool is_safe = exchange.method() == "GET" || exchange.method() == "HEAD";
    // Whoever saw a 0-RTT request can send it again: it must not change anything. 425 (Too Early) makes the client send it
    // again when the handshake is complete, by when no replay gets through.
    if (exchange.is_early() && !is_safe) return exchange.send(425);
    if (exchange.method() == "POST") counter++;
    exchange.send(200, {}, std::to_string(counter) + (exchange.is_early() ? " (asked early)\n" : "\n"));
  });
  if (!server) return std::fprintf(stderr, "early_data_server: %s\n", server.error().reason), 1;
  std::printf("listening on https://%s\n", (*server)->addresses().front().to_string().c_str());
  std::fflush(stdout);
  return (*server)->run() ? 0 : 1;
}
