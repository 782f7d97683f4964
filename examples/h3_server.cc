// An HTTP/3 server that greets.   usage: h3_server [ADDRESS:PORT]
#include <cstdio>

#include "examples/self_signed.h"
#include "web/server.h"

using namespace quoll;

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:4433");
  if (!address) return std::fputs("usage: h3_server [ADDRESS:PORT]\n", stderr), 2;
  web::ServerOptions options;
  options.listen = {*address};
  options.identities = {examples::self_signed()};
  auto server = web::Server::listen(std::move(options), [](web::Exchange& exchange) {
    if (exchange.path() != "/") return exchange.send(404, {}, "nothing here\n");
    exchange.send(200, {{"content-type", "text/plain"}}, "hello, HTTP/3\n");
  });
  if (!server) return std::fprintf(stderr, "h3_server: %s\n", server.error().reason), 1;
  std::printf("listening on https://%s\n", (*server)->addresses().front().to_string().c_str());
  std::fflush(stdout);
  return (*server)->run() ? 0 : 1;
}
