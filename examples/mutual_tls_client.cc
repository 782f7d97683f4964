// Asks for a URL with a certificate of its own, of a server that an authority vouches for.
// usage: mutual_tls_client URL AUTHORITY [CERT KEY]   (PEM files)
#include <cstdio>

#include "os/trust.h"
#include "web/client.h"
#include "web/load_identity.h"

using namespace quoll;

struct Printer final : web::Listener {
  void on_response(web::ClientExchange&, unsigned code, const http::FieldSection&) override { status = code; }
  void on_readable(web::ClientExchange& exchange) override {
    while (auto data = exchange.read()) std::fwrite(data->data(), 1, data->size(), stdout);
  }
  void on_end(web::ClientExchange&, const std::optional<web::Failure>& failure) override {
    if (failure) std::fprintf(stderr, "mutual_tls_client: %s\n", failure->text.c_str()), status = 0;
  }
  unsigned status = 0;
};

int fail(const char* what, const Error& error) {
  std::fprintf(stderr, "mutual_tls_client: %s: %s\n", what, error.reason);
  return 1;
}

int main(int argc, char** argv) {
  const auto url = http::Url::parse(argc == 3 || argc == 5 ? argv[1] : "");
  if (!url) return std::fputs("usage: mutual_tls_client URL AUTHORITY [CERT KEY]\n", stderr), 2;
  auto trust = std::make_shared<x509::TrustStore>();
  if (auto loaded = os::load_trust_file(*trust, argv[2]); !loaded) return fail(argv[2], loaded.error());
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->trust = trust;
  if (argc == 5) {
    auto identity = web::load_identity(argv[3], argv[4]);
    if (!identity) return fail(argv[3], identity.error());
    tls->identities = {*identity};  // shown to servers that ask for one
  }
  auto client = web::Client::create({.tls = tls}).value();
  Printer printer;
  client->send({.url = *url}, printer);
  client->run();
  client->close();
  return printer.status == 200 ? 0 : 1;
}
