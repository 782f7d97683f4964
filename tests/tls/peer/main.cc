// tls_peer: a TLS 1.3 client and server over TCP on the product's Stream, for tests against other software. It says how
// it went in lines of "name=value" on stdout. Exit code: 0 when the handshake was completed and nothing failed, 1 when
// something did, 2 for a wrong command line, 3 when the transport failed.
#include <cstdio>
#include <string_view>

#include "tests/tls/peer/roles.h"

int main(int argc, char** argv) {
  const std::string_view role = argc > 1 ? argv[1] : "";
  if (role == "client") return quoll::tls::peer::run_client(argc - 2, argv + 2);
  if (role == "server") return quoll::tls::peer::run_server(argc - 2, argv + 2);
  std::fputs("usage: tls_peer client|server OPTIONS (see tests/tls/peer/roles.h)\n", stderr);
  return 2;
}
