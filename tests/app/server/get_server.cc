// get_server CERT.pem KEY.pem: an HTTP/3 server on a port of 127.0.0.1 for tests/app/get: it shows requests to those who
// send them, leads from place to place, sends parts, and fails in every way that a client has an exit code for.
//
// Prints its port, and that of a socket which never answers. SIGTERM ends it in order.
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>

#include "app/cert.h"
#include "app/signals.h"
#include "udp/socket.h"
#include "web/server.h"

namespace {

using namespace quoll;
using http::FieldSection;
using web::Exchange;

constexpr size_t kRangeSize = 100'000;

uint64_t number_in(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// "0123456789" again and again.
std::string pattern(size_t from, size_t to) {
  std::string text;
  for (size_t i = from; i < to; i++) text += static_cast<char>('0' + i % 10);
  return text;
}

/// The whole body, for `done`.
void read_all(Exchange& exchange, std::function<void(const std::string&)> done) {
  struct State {
    std::string body;
    bool over = false;
  };
  auto state = std::make_shared<State>();
  auto pump = [&exchange, state, done = std::move(done)] {
    while (const auto piece = exchange.read()) state->body.append(as_text(piece->bytes()));
    if (state->over || !exchange.is_request_complete()) return;
    state->over = true;
    done(state->body);
  };
  exchange.on_readable(pump);
  pump();
}

/// What was asked, as it came.
void echo(Exchange& exchange) {
  read_all(exchange, [&exchange](const std::string& body) {
    std::string text(exchange.method());
    text.append(" ").append(exchange.path()).append("\n");
    for (const http::FieldLine field : exchange.fields()) {
      if (!field.name.starts_with(':')) text.append(field.name).append(": ").append(field.value).append("\n");
    }
    text.append(exchange.is_early() ? "(early)\n" : "").append("\n").append(body);
    exchange.send(200, {{"content-type", "text/plain"}}, text);
  });
}

void count(Exchange& exchange) {
  read_all(exchange, [&exchange](const std::string& body) { exchange.send(200, {}, std::to_string(body.size())); });
}

/// /redirect/STATUS?LOCATION
void redirect(Exchange& exchange) {
  const std::string_view path = exchange.path();
  const size_t query = std::min(path.find('?'), path.size());
  const auto status = static_cast<unsigned>(number_in(path.substr(path.rfind('/', query) + 1)));
  exchange.send(status, {{"location", path.substr(std::min(query + 1, path.size()))}}, "elsewhere\n");
}

/// bytes=FIRST-, bytes=FIRST-LAST and bytes=-COUNT of kRangeSize bytes.
void range(Exchange& exchange) {
  std::string_view asked = exchange.fields().find("range").value_or("");
  if (!asked.starts_with("bytes=")) return exchange.send(200, {}, pattern(0, kRangeSize));
  asked.remove_prefix(6);
  const size_t dash = std::min(asked.find('-'), asked.size());
  const std::string_view end = asked.substr(std::min(dash + 1, asked.size()));
  size_t first = number_in(asked.substr(0, dash)), last = end.empty() ? kRangeSize - 1 : number_in(end);
  if (dash == 0) {
    first = kRangeSize - number_in(end);
    last = kRangeSize - 1;
  }
  last = std::min(last, kRangeSize - 1);
  const std::string size = std::to_string(kRangeSize);
  if (first > last) return exchange.send(416, {{"content-range", "bytes */" + size}}, "");
  const std::string where = "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + size;
  exchange.send(206, {{"content-range", where}}, pattern(first, last + 1));
}

/// A head, and half of what it promises.
void send_half(Exchange& exchange) {
  exchange.respond(200, {{"content-length", "2000"}});
  static const std::string text = pattern(0, 1000);
  Slice half = Slice::of_static(as_bytes(text));
  exchange.write(half);
}

/// Interim responses, a body, trailers.
void send_in_steps(Exchange& exchange) {
  exchange.inform(103, {{"link", "</style.css>"}});
  exchange.respond(200, {{"x-final", "yes"}});
  Slice text = Slice::of_static(as_bytes("in steps\n"));
  exchange.write(text);
  exchange.finish({{"x-trailer", "the end"}});
}

/// /flaky/NAME/COUNT[?RETRY-AFTER]: 503 so many times for that name.
void fail_at_first(Exchange& exchange) {
  static std::map<std::string, uint64_t> times;
  const std::string_view path = exchange.path();
  const size_t query = std::min(path.find('?'), path.size());
  const std::string name(path.substr(0, query));
  if (times[name]++ >= number_in(name.substr(name.rfind('/') + 1))) return exchange.send(200, {}, "at last\n");
  if (query == path.size()) return exchange.send(503, {}, "not now\n");
  exchange.send(503, {{"retry-after", path.substr(query + 1)}}, "not now\n");
}

void handle(Exchange& exchange) {
  const std::string_view path = exchange.path();
  const auto is = [path](std::string_view route) {
    return path == route || path.starts_with(std::string(route) + "?");
  };
  if (path.starts_with("/echo")) return echo(exchange);
  if (is("/count")) return count(exchange);
  if (path.starts_with("/redirect/")) return redirect(exchange);
  if (is("/loop")) return exchange.send(302, {{"location", "/loop"}}, "");
  if (is("/range")) return range(exchange);
  if (is("/whole")) return exchange.send(200, {}, pattern(0, kRangeSize));
  if (path.starts_with("/status/")) {
    return exchange.send(static_cast<unsigned>(number_in(path.substr(8))), {},
                         "status " + std::string(path.substr(8)) + "\n");
  }
  if (path.starts_with("/size/")) return exchange.send(200, {}, pattern(0, number_in(path.substr(6))));
  if (is("/half") || is("/half-reset")) {
    send_half(exchange);
    if (is("/half-reset")) exchange.abort(h3::ErrorCode::internal_error);
    return;
  }
  if (is("/rest")) {  // what was half comes whole to those who ask for the rest
    if (exchange.fields().find("range") != "bytes=1000-") return send_half(exchange);
    return exchange.send(206, {{"content-range", "bytes 1000-1999/2000"}}, pattern(1000, 2000));
  }
  if (is("/silent")) return;
  if (is("/reset")) return exchange.abort(h3::ErrorCode::internal_error);
  if (is("/steps")) return send_in_steps(exchange);
  if (is("/zero"))
    return exchange.send(200, {{"content-type", "application/octet-stream"}}, std::string_view("a\0b", 3));
  if (path.starts_with("/flaky/")) return fail_at_first(exchange);
  if (is("/named") || is("/")) {
    const std::string_view name = path.substr(std::min(path.find('?') + 1, path.size()));
    return exchange.send(200,
                         {{"content-disposition", "attachment; filename=\"" + std::string(name) + "\""},
                          {"last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"}},
                         "named\n");
  }
  if (is("/coded")) return exchange.send(200, {{"content-encoding", "gzip"}}, "squeezed\n");
  if (is("/unsized")) {
    exchange.respond(200);
    Slice text = Slice::of_static(as_bytes("0123456789"));
    exchange.write(text);
    return exchange.finish();
  }
  if (is("/early")) return exchange.is_early() ? exchange.send(425) : exchange.send(200, {}, "not early\n");
  if (is("/twice")) return exchange.send(200, {{"x-a", "1"}, {"x-a", "2"}}, "twice\n");
  exchange.send(404, {}, "there is nothing\n");
}

int complain(const Error& error) {
  std::fprintf(stderr, "get_server: %s\n", app::error_text(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  app::SignalThread::block({SIGTERM});
  auto certificates = app::read_certificates(argv[1]);
  auto key = app::read_private_key(argv[2]);
  if (!certificates) return complain(certificates.error());
  if (!key) return complain(key.error());
  std::vector<std::vector<uint8_t>> chain;
  for (const x509::Certificate& certificate : *certificates) {
    chain.emplace_back(certificate.der().begin(), certificate.der().end());
  }
  auto identity = tls::Identity::create(std::move(chain), std::move(*key));
  if (!identity) return complain(identity.error());

  web::ServerOptions options;
  options.listen = {*SocketAddress::parse("127.0.0.1:0")};
  options.identities = {std::make_shared<const tls::Identity>(std::move(*identity))};
  options.drain = Duration::milliseconds(200);
  auto server = web::Server::listen(std::move(options), handle);
  if (!server) return complain(server.error());
  const auto silent = udp::Socket::bind(*SocketAddress::parse("127.0.0.1:0"));
  if (!silent) return complain(silent.error());
  std::printf("%u %u\n", unsigned{(*server)->addresses()[0].port}, unsigned{silent->local_address().port});
  std::fflush(stdout);
  const app::SignalThread signals({SIGTERM}, [&server](int) { (*server)->stop(); });
  const auto ended = (*server)->run();
  return ended ? 0 : complain(ended.error());
}
