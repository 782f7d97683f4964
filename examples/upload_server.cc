// Takes uploads, and writes them to standard output as fast as that takes them.   usage: upload_server [ADDRESS:PORT]
#include <cstdio>

#include "examples/self_signed.h"
#include "web/server.h"

using namespace quoll;

/// The body of one request on its way out. What is not read stays in the transport, whose flow control holds the client back.
/// fwrite() may block, and the worker's other connections with it: good for one client at a time.
void take(web::Exchange& exchange, size_t taken = 0) {
  exchange.on_readable([&exchange, taken]() mutable {
    while (const auto data = exchange.read(64 * 1024)) taken += std::fwrite(data->data(), 1, data->size(), stdout);
    std::fflush(stdout);
    if (exchange.is_request_complete()) exchange.send(200, {}, std::to_string(taken) + " bytes\n");
  });
}

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:4433");
  if (!address) return std::fputs("usage: upload_server [ADDRESS:PORT]\n", stderr), 2;
  web::ServerOptions options;
  options.listen = {*address};
  options.identities = {examples::self_signed()};
  options.transport.streams.max_stream_window = 1024 * 1024;  // bytes that a client may be ahead of us, per stream
  auto server = web::Server::listen(std::move(options), [](web::Exchange& exchange) {
    if (exchange.method() != "PUT") return exchange.send(405, {{"allow", "PUT"}}, "PUT alone\n");
    take(exchange);
  });
  if (!server) return std::fprintf(stderr, "upload_server: %s\n", server.error().reason), 1;
  std::fprintf(stderr, "listening on https://%s\n", (*server)->addresses().front().to_string().c_str());
  return (*server)->run() ? 0 : 1;
}
