// A request in the first flight (0-RTT) where an earlier run left a ticket.   usage: early_data_client METHOD URL FILE
// FILE keeps tickets between runs.
#include <cstdio>

#include "os/wall_clock.h"
#include "web/client.h"
#include "web/session_file.h"

using namespace quoll;

struct Printer final : web::Listener {
  void on_response(web::ClientExchange&, unsigned code, const http::FieldSection&) override { status = code; }
  void on_readable(web::ClientExchange& exchange) override {
    while (auto data = exchange.read()) std::fwrite(data->data(), 1, data->size(), stdout);
  }
  void on_end(web::ClientExchange& exchange, const std::optional<web::Failure>& failure) override {
    const web::Facts& facts = exchange.facts();
    std::printf("%s, %s\n", facts.resumed ? "resumed" : "full handshake", facts.early_data ? "0-RTT" : "1-RTT");
    if (failure) std::fprintf(stderr, "early_data_client: %s\n", failure->text.c_str()), status = 0;
  }
  unsigned status = 0;
};

int main(int argc, char** argv) {
  const auto url = http::Url::parse(argc == 4 ? argv[2] : "");
  if (!url) return std::fputs("usage: early_data_client METHOD URL FILE\n", stderr), 2;
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->verification = tls::PeerVerification::none;
  auto client = web::Client::create({.tls = tls}).value();
  const web::TrustDigest trust = web::trust_digest(nullptr, {});  // tickets are good under the trust that earned them
  if (!web::load_sessions(argv[3], trust, client->resumption())) return std::perror(argv[3]), 1;
  Printer printer;
  // RFC 8470 §4: without the server's consent safe methods alone go early. Here POST does too, to see 425 at work: the
  // client sends such a request again by itself.
  client->send({.method = argv[1], .url = *url, .early_data = true}, printer);
  client->run();
  client->close();  // waits for tickets that are on their way
  if (!web::save_sessions(argv[3], trust, client->resumption(), os::wall_clock())) return std::perror(argv[3]), 1;
  return printer.status == 200 ? 0 : 1;
}
