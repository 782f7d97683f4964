// Uploads standard input, which is read as fast as the server takes it.   usage: upload_client URL
#include <cstdio>

#include "web/client.h"

using namespace quoll;

struct StandardInput final : web::BodySource {
  /// Called when there is room to send, and not before: the file is read no faster than the server lets us send.
  Result<Piece> next(size_t max) override {
    Buffer buffer = Buffer::allocate(std::min<size_t>(max, 64 * 1024));
    buffer.truncate(std::fread(buffer.bytes().data(), 1, buffer.size(), stdin));
    if (std::ferror(stdin)) return usage_error("standard input cannot be read");  // the request ends with a reset
    return Piece{.data = buffer.slice(), .end = std::feof(stdin) != 0};
  }
};

struct Report final : web::Listener {
  void on_response(web::ClientExchange&, unsigned code, const http::FieldSection&) override { status = code; }
  void on_end(web::ClientExchange& exchange, const std::optional<web::Failure>& failure) override {
    std::printf("%u after %llu bytes%s%s\n", status, static_cast<unsigned long long>(exchange.facts().body_sent),
                failure ? ": " : "", failure ? failure->text.c_str() : "");
    complete = status == 200 && !failure;
  }
  unsigned status = 0;
  bool complete = false;
};

int main(int argc, char** argv) {
  const auto url = http::Url::parse(argc > 1 ? argv[1] : "");
  if (!url) return std::fprintf(stderr, "usage: upload_client URL (%s)\n", url.error().reason), 2;
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->verification = tls::PeerVerification::none;  // whoever is there
  auto client = web::Client::create({.tls = tls}).value();
  Report report;
  client->send({.method = "PUT", .url = *url, .body = std::make_unique<StandardInput>()}, report);
  client->run();
  return report.complete ? 0 : 1;
}
