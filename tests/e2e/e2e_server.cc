// e2e_server --cert CHAIN.pem --key KEY.pem: an HTTP/3 server on a port of 127.0.0.1 that does for tests/e2e what static
// files cannot: it takes bodies, answers with trailers and interim responses, pushes, and echoes datagrams.
//
// Prints "listening on https://localhost:PORT/" when it is ready; SIGTERM ends it in order. The table kRoutes lists what it
// answers.
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <thread>

#include "base/hex.h"
#include "crypto/hash.h"
#include "crypto/provider.h"
#include "os/file.h"
#include "web/server.h"

namespace {

using namespace quoll;
using http::FieldSection;
using web::Exchange;

constexpr size_t kFileSizeMax = 1 << 20;
constexpr size_t kPieceSize = 64 * 1024;

/// Calls `take` with each piece of the body, and `done` after the last.
void read_all(Exchange& exchange, std::function<void(Bytes)> take, std::function<void()> done) {
  auto pump = [&exchange, take = std::move(take), done = std::move(done), over = false]() mutable {
    while (const auto piece = exchange.read()) take(piece->bytes());
    if (over || !exchange.is_request_complete()) return;
    over = true;
    done();
  };
  auto shared = std::make_shared<decltype(pump)>(std::move(pump));
  exchange.on_readable([shared] { (*shared)(); });
  (*shared)();
}

/// The body comes back as it comes in, and its trailers; neither is read faster than the client takes the response.
struct Echo {
  explicit Echo(Exchange& to) : exchange(to) {}

  void pump() {
    while (true) {
      if (!rest.empty()) exchange.write(rest);
      if (!rest.empty()) return;  // on_writable
      auto piece = exchange.read();
      if (!piece) break;
      rest = std::move(*piece);
    }
    if (finished || !exchange.is_request_complete()) return;
    finished = true;
    exchange.finish(exchange.trailers());
  }

  Exchange& exchange;
  Slice rest;
  bool finished = false;
};

void echo(Exchange& exchange) {
  exchange.respond(200);
  auto state = std::make_shared<Echo>(exchange);
  exchange.on_readable([state] { state->pump(); });
  exchange.on_writable([state] { state->pump(); });
  state->pump();
}

/// "SIZE SHA256" of the request's body.
void upload(Exchange& exchange) {
  struct State {
    crypto::Hash hash{*crypto::best().sha256};
    uint64_t size = 0;
  };
  auto state = std::make_shared<State>();
  read_all(
      exchange,
      [state](Bytes piece) {
        state->hash.update(piece);
        state->size += piece.size();
      },
      [state, &exchange] {
        exchange.send(200, {}, std::to_string(state->size) + " " + to_hex(state->hash.digest()) + "\n");
      });
}

/// An answer while the request's body is still to come: the rest of it is not wanted (RFC 9114 §4.1).
void unread(Exchange& exchange) { exchange.send(200, {}, "enough\n"); }

/// The request's field lines, one a line.
void fields(Exchange& exchange) {
  std::string text;
  for (const http::FieldLine line : exchange.fields())
    text.append(line.name).append("=").append(line.value).append("\n");
  exchange.send(200, {{"content-type", "text/plain"}}, text);
}

void early(Exchange& exchange) { exchange.send(200, {}, exchange.is_early() ? "early\n" : "late\n"); }

/// RFC 8470 §5.2: this one does not want to be replayed.
void too_early(Exchange& exchange) {
  if (exchange.is_early()) return exchange.send(425);
  exchange.send(200, {}, "safe\n");
}

void inform(Exchange& exchange) {
  exchange.inform(103, {{"link", "</style.css>; rel=preload"}});
  exchange.send(200, {}, "informed\n");
}

void trailers(Exchange& exchange) {
  exchange.respond(200);
  static constexpr std::string_view kText = "body\n";
  Slice body = Slice::of_static(as_bytes(kText));
  exchange.write(body);
  exchange.finish({{"checksum", "none"}, {"path", exchange.path()}});
}

void push(Exchange& exchange) {
  const FieldSection request = {
      {":method", "GET"}, {":scheme", "https"}, {":authority", exchange.authority()}, {":path", "/pushed"}};
  Exchange* pushed = exchange.push(request);
  exchange.send(200, {}, pushed ? "pushed\n" : "no push\n");
  if (pushed) pushed->send(200, {{"content-type", "text/plain"}}, "what was pushed\n");
}

/// RFC 9220: datagrams of an extended CONNECT come back.
void datagrams(Exchange& exchange) {
  if (exchange.connect_protocol() != "echo") return exchange.send(501);
  exchange.respond(200);
  exchange.on_datagram([&exchange] {
    while (const auto payload = exchange.receive_datagram()) exchange.send_datagram(payload->bytes());
  });
  read_all(exchange, [](Bytes) {}, [&exchange] { exchange.finish(); });
}

/// Begins a response and gives it up.
void reset(Exchange& exchange) {
  exchange.respond(200, {{"content-length", "1000"}});
  static constexpr std::string_view kText = "not all of it";
  Slice body = Slice::of_static(as_bytes(kText));
  exchange.write(body);
  exchange.abort(h3::ErrorCode::internal_error);
}

/// Never answers.
void never(Exchange&) {}

/// Bytes 0, 1, ... 250, 0, 1, ...
class Pattern : public web::BodySource {
 public:
  explicit Pattern(uint64_t size) : left_(size), size_(size) {}

  Result<Piece> next(size_t max) override {
    const size_t count = static_cast<size_t>(std::min<uint64_t>({left_, max, kPieceSize}));
    Buffer buffer = Buffer::allocate(count);
    for (size_t i = 0; i < count; i++) buffer.bytes()[i] = static_cast<uint8_t>((size_ - left_ + i) % 251);
    left_ -= count;
    return Piece{.data = buffer.slice(), .end = left_ == 0};
  }
  std::optional<uint64_t> size() const override { return size_; }

 private:
  uint64_t left_;
  uint64_t size_;
};

/// /bytes?N
void bytes(Exchange& exchange) {
  const std::string_view path = exchange.path();
  const size_t mark = path.find('?');
  uint64_t count = 0;
  if (mark != std::string_view::npos) std::from_chars(path.data() + mark + 1, path.data() + path.size(), count);
  exchange.send(200, {{"content-type", "application/octet-stream"}}, std::make_unique<Pattern>(count));
}

void page(Exchange& exchange) {
  exchange.send(200, {{"content-type", "text/html"}}, "<!doctype html><title>handlers</title>");
}

struct Route {
  std::string_view path;
  void (*handler)(Exchange&);
};
constexpr Route kRoutes[] = {
    {"/", page},         {"/bytes", bytes},   {"/datagrams", datagrams}, {"/early", early},
    {"/echo", echo},     {"/fields", fields}, {"/inform", inform},       {"/never", never},
    {"/push", push},     {"/reset", reset},   {"/too-early", too_early}, {"/trailers", trailers},
    {"/unread", unread}, {"/upload", upload},
};

void route(Exchange& exchange) {
  const std::string_view path = exchange.path().substr(0, exchange.path().find('?'));
  const auto found = std::ranges::find(kRoutes, path, &Route::path);
  if (found == std::end(kRoutes)) return exchange.send(404);
  found->handler(exchange);
}

std::string read_text(const char* path) {
  const auto contents = os::read_file(path, kFileSizeMax);
  return contents ? std::string(contents->begin(), contents->end()) : std::string();
}

int failed(const char* what, const Error& error) {
  std::fprintf(stderr, "e2e_server: %s: %s\n", what, error.reason);
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  std::map<std::string_view, const char*> options;
  for (int i = 1; i + 1 < count; i += 2) options[arguments[i]] = arguments[i + 1];
  if (!options["--cert"] || !options["--key"]) {
    std::fprintf(stderr, "usage: e2e_server --cert CHAIN.pem --key KEY.pem\n");
    return 2;
  }
  auto identity = tls::Identity::from_pem(crypto::best(), read_text(options["--cert"]), read_text(options["--key"]));
  if (!identity) return failed("the certificate", identity.error());

  web::ServerOptions settings;
  settings.listen = {*SocketAddress::parse("127.0.0.1:0")};
  settings.identities = {std::make_shared<const tls::Identity>(std::move(*identity))};
  auto server = web::Server::listen(std::move(settings), route);
  if (!server) return failed("listen", server.error());

  // One thread waits for the signal; all others, which are made later, leave it to that one.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  std::thread([ends, &server] {
    int number = 0;
    sigwait(&ends, &number);
    (*server)->stop();
  }).detach();

  std::printf("listening on https://localhost:%u/\n", (*server)->addresses()[0].port);
  std::fflush(stdout);
  const auto served = (*server)->run();
  return served ? 0 : failed("run", served.error());
}
