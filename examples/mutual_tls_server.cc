// An HTTP/3 server for clients that have a certificate of our authority, which it greets by name.
// usage: mutual_tls_server ADDRESS:PORT CERT KEY CLIENT_AUTHORITY   (PEM files)
#include <cstdio>

#include "os/trust.h"
#include "web/load_identity.h"
#include "web/server.h"

using namespace quoll;

int fail(const char* what, const Error& error) {
  std::fprintf(stderr, "mutual_tls_server: %s: %s\n", what, error.reason);
  return 1;
}

/// The first DNS name of the certificate, which was verified in the handshake.
std::string name_of(const x509::Certificate* certificate) {
  if (certificate && certificate->subject_alt_names) {
    for (const x509::GeneralName& name : *certificate->subject_alt_names) {
      if (name.kind == x509::GeneralName::Kind::dns) return std::string(as_text(name.value));
    }
  }
  return "nobody";
}

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc == 5 ? argv[1] : "");
  if (!address) return std::fputs("usage: mutual_tls_server ADDRESS:PORT CERT KEY CLIENT_AUTHORITY\n", stderr), 2;
  auto identity = web::load_identity(argv[2], argv[3]);
  if (!identity) return fail(argv[2], identity.error());
  auto trust = std::make_shared<x509::TrustStore>();
  if (auto loaded = os::load_trust_file(*trust, argv[4]); !loaded) return fail(argv[4], loaded.error());
  web::ServerOptions options;
  options.listen = {*address};
  options.identities = {*identity};
  options.client_policy.authentication = tls::ClientAuthentication::required;  // optional: also those who have none
  options.client_policy.trust = trust;
  auto server = web::Server::listen(std::move(options), [](web::Exchange& exchange) {
    exchange.send(200, {}, "hello, " + name_of(exchange.connection()->peer_certificate()) + "\n");
  });
  if (!server) return fail("no server", server.error());
  std::printf("listening on https://%s\n", (*server)->addresses().front().to_string().c_str());
  std::fflush(stdout);
  return (*server)->run() ? 0 : 1;
}
