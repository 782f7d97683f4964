#include "app/demo_site.h"

#include <array>
#include <cstdio>
#include <memory>

#include "app/demo_page.h"
#include "app/options.h"
#include "base/hex.h"
#include "crypto/hash.h"
#include "crypto/provider.h"
#include "http/status.h"
#include "web/file_body.h"
#include "web/static_files.h"

namespace quoll::app {
namespace {

namespace status = http::status;
using http::FieldSection;
using web::Exchange;

constexpr uint64_t kTiles = 100;
constexpr uint64_t kBytesMax = uint64_t{1} << 40;  // of /bytes/N

constexpr std::string_view kIcon =
    R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#b5521b"/>)svg"
    R"svg(<circle cx="15" cy="15" r="8" fill="none" stroke="#fff" stroke-width="4"/><path d="M19 19l7 7" stroke="#fff" )svg"
    R"svg(stroke-width="4" stroke-linecap="round"/></svg>)svg";

void send_text(Exchange& exchange, std::string_view type, Slice text) {
  FieldSection fields{{"content-type", type}, {"cache-control", "no-store"}};
  exchange.send(status::kOk, fields, web::slice_body(std::move(text)));
}

std::string tile(uint64_t number) {
  std::array<char, 256> text;
  const int size = std::snprintf(text.data(), text.size(),
                                 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><rect width=\"8\" "
                                 "height=\"8\" fill=\"hsl(%u 60%% 55%%)\"/></svg>\n",
                                 static_cast<unsigned>(number * 360 / kTiles));
  return std::string(text.data(), static_cast<size_t>(size));
}

/// N bytes of one block over and over, which is never copied.
class RepeatedBlock final : public web::BodySource {
 public:
  explicit RepeatedBlock(uint64_t size) : size_(size), left_(size) {}
  Result<Piece> next(size_t max) override {
    const size_t size = static_cast<size_t>(std::min<uint64_t>({left_, max, kBlock.size()}));
    left_ -= size;
    return Piece{.data = Slice::of_static(Bytes(kBlock).first(size)), .end = left_ == 0};
  }
  std::optional<uint64_t> size() const override { return size_; }

 private:
  static constexpr std::array<uint8_t, 16 * 1024> kBlock{};
  uint64_t size_, left_;
};

/// A number of at most so much, after a prefix and before a suffix.
std::optional<uint64_t> number_in(std::string_view path, std::string_view prefix, std::string_view suffix,
                                  uint64_t max) {
  if (!path.starts_with(prefix) || !path.ends_with(suffix) || path.size() < prefix.size() + suffix.size()) return {};
  path.remove_prefix(prefix.size());
  path.remove_suffix(suffix.size());
  return parse_number(path, max);
}

/// Reads a body, and answers when it is complete.
struct Upload {
  Exchange& exchange;
  crypto::Hash hash{*crypto::best().sha256};
  uint64_t size = 0;

  void read() {
    while (const auto piece = exchange.read()) {
      hash.update(piece->bytes());
      size += piece->size();
    }
    if (!exchange.is_request_complete()) return;
    std::string answer =
        "{\"bytes\":" + std::to_string(size) + ",\"sha256\":\"" + to_hex(hash.digest().bytes()) + "\"}\n";
    exchange.on_readable({});
    send_text(exchange, "application/json", Slice::copy_of(as_bytes(answer)));
  }
};

/// Gives back what comes as fast as it is taken: what the client does not read, it may not send.
struct Echo {
  Exchange& exchange;
  Slice waiting{};

  void pump() {
    for (;;) {
      if (!waiting.empty()) exchange.write(waiting);
      if (!waiting.empty()) return;
      auto piece = exchange.read();
      if (!piece) break;
      waiting = std::move(*piece);
    }
    if (!exchange.is_request_complete()) return;
    exchange.on_readable({});
    exchange.on_writable({});
    exchange.finish();
  }
};

void begin_upload(Exchange& exchange) {
  auto upload = std::make_shared<Upload>(exchange);
  exchange.on_readable([upload] { upload->read(); });
  upload->read();
}

void begin_echo(Exchange& exchange) {
  auto echo = std::make_shared<Echo>(exchange);
  const std::string_view type = exchange.fields().find("content-type").value_or("application/octet-stream");
  exchange.respond(status::kOk, {{"content-type", type}, {"cache-control", "no-store"}});
  exchange.on_readable([echo] { echo->pump(); });
  exchange.on_writable([echo] { echo->pump(); });
  echo->pump();
}

void serve_post(Exchange& exchange, std::string_view path) {
  if (path == "/upload") return begin_upload(exchange);
  if (path == "/echo") return begin_echo(exchange);
  web::respond_with_status(exchange, status::kMethodNotAllowed, {{"allow", web::StaticFiles::kAllow}});
}

void serve_get(Exchange& exchange, std::string_view path) {
  constexpr std::string_view kSvg = "image/svg+xml";
  if (path == "/" || path == "/index.html") {
    return send_text(exchange, "text/html; charset=utf-8", Slice::of_static(as_bytes(kDemoPage)));
  }
  if (path == "/icon.svg") return send_text(exchange, kSvg, Slice::of_static(as_bytes(kIcon)));
  if (const auto number = number_in(path, "/tile/", ".svg", kTiles - 1)) {
    return send_text(exchange, kSvg, Slice::copy_of(as_bytes(tile(*number))));
  }
  if (const auto size = number_in(path, "/bytes/", "", kBytesMax)) {
    const FieldSection fields{{"content-type", "application/octet-stream"}, {"cache-control", "no-store"}};
    return exchange.send(status::kOk, fields, std::make_unique<RepeatedBlock>(*size));
  }
  if (path == "/upload" || path == "/echo") {
    return web::respond_with_status(exchange, status::kMethodNotAllowed, {{"allow", "POST, PUT"}});
  }
  web::respond_with_status(exchange, status::kNotFound);
}

}  // namespace

void serve_demo_site(Exchange& exchange) {
  const std::string_view method = exchange.method();
  const std::string_view path = exchange.path().substr(0, exchange.path().find('?'));
  if (method == "GET" || method == "HEAD") return serve_get(exchange, path);
  if (method == "POST" || method == "PUT") return serve_post(exchange, path);
  const bool is_options = method == "OPTIONS";
  const FieldSection allow{{"allow", "GET, HEAD, OPTIONS, POST, PUT"}};
  if (is_options) return exchange.send(status::kNoContent, allow, std::unique_ptr<web::BodySource>());
  // RFC 9220 §3: a protocol that nobody speaks here.
  if (!exchange.connect_protocol().empty()) return web::respond_with_status(exchange, status::kNotImplemented);
  web::respond_with_status(exchange, status::kMethodNotAllowed, allow);
}

}  // namespace quoll::app
