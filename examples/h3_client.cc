// Prints what a URL leads to, from whoever is there: certificates are not verified.   usage: h3_client URL
#include <cstdio>

#include "web/client.h"

using namespace quoll;

struct Printer final : web::Listener {
  void on_response(web::ClientExchange&, unsigned code, const http::FieldSection&) override { status = code; }
  void on_readable(web::ClientExchange& exchange) override {
    while (auto data = exchange.read()) std::fwrite(data->data(), 1, data->size(), stdout);
  }
  void on_end(web::ClientExchange&, const std::optional<web::Failure>& failure) override {
    if (failure) std::fprintf(stderr, "h3_client: %s\n", failure->text.c_str()), status = 0;
  }
  unsigned status = 0;
};
int main(int argc, char** argv) {
  const auto url = http::Url::parse(argc > 1 ? argv[1] : "https://127.0.0.1:4433/");
  if (!url) return std::fprintf(stderr, "usage: h3_client URL (%s)\n", url.error().reason), 2;
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->verification = tls::PeerVerification::none;
  auto client = web::Client::create({.tls = tls}).value();
  Printer printer;
  client->send({.url = *url}, printer);
  client->run();
  return printer.status == 200 ? 0 : 1;
}
