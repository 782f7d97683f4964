// An Exchange that a test fills, and that keeps what a handler answers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "web/exchange.h"

namespace quoll::tests {

class FakeExchange final : public web::Exchange {
 public:
  FakeExchange(std::string method, std::string path, http::FieldSection fields = {})
      : method_(std::move(method)), path_(std::move(path)), fields_(std::move(fields)) {}

  // What came of it.
  unsigned status = 0;
  http::FieldSection head;
  std::string body;
  bool finished = false;
  std::optional<Error> failure;  // of the body
  size_t piece_max = SIZE_MAX;   // bytes that a body is asked for at a time
  bool pull = true;              // ask a body for its bytes at once
  std::unique_ptr<web::BodySource> source;

  std::string field(std::string_view name) const { return std::string(head.find(name).value_or("(none)")); }
  /// Takes the rest of the body.
  void pull_all() {
    while (source && !finished) pull_piece();
  }
  void pull_piece() {
    Result<web::BodySource::Piece> piece = source->next(piece_max);
    if (!piece) {
      failure = piece.error();
      source.reset();
      return;
    }
    if (piece->data.size() > piece_max || (piece->data.empty() && !piece->end)) std::abort();
    body.append(as_text(piece->data.bytes()));
    finished = piece->end;
  }

  std::string_view method() const override { return method_; }
  std::string_view scheme() const override { return "https"; }
  std::string_view authority() const override { return "localhost"; }
  std::string_view path() const override { return path_; }
  std::string_view connect_protocol() const override { return fields_.find(":protocol").value_or(""); }
  const http::FieldSection& fields() const override { return fields_; }
  SocketAddress peer() const override { return {.ip = IpAddress::v4({192, 0, 2, 1}), .port = 5555}; }
  const quic::Connection* connection() const override { return nullptr; }
  bool is_early() const override { return false; }
  std::optional<Slice> read(size_t) override { return {}; }
  bool is_request_complete() const override { return true; }
  const http::FieldSection& trailers() const override { return none_; }
  void on_readable(std::function<void()>) override {}
  void inform(unsigned, const http::FieldSection&) override {}
  void respond(unsigned code, const http::FieldSection& fields) override {
    status = code;
    head = fields;
  }
  void write(Slice& data) override {
    body.append(as_text(data.bytes()));
    data = {};
  }
  void on_writable(std::function<void()>) override {}
  void finish(const http::FieldSection&) override { finished = true; }
  void send(unsigned code, const http::FieldSection& fields, std::unique_ptr<web::BodySource> given) override {
    respond(code, fields);
    source = std::move(given);
    if (!source) {
      finished = true;
    } else if (pull) {
      pull_all();
    }
  }
  void abort(h3::ErrorCode) override {}
  Exchange* push(const http::FieldSection&) override { return nullptr; }
  std::optional<size_t> max_datagram_size() const override { return {}; }
  bool send_datagram(Bytes) override { return false; }
  std::optional<Slice> receive_datagram() override { return {}; }
  void on_datagram(std::function<void()>) override {}
  void on_end(std::function<void(const web::Outcome&)>) override {}

 private:
  std::string method_, path_;
  http::FieldSection fields_, none_;
};

}  // namespace quoll::tests
