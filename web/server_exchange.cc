#include "web/server_exchange.h"

#include <array>
#include <charconv>

#include "http/characters.h"
#include "web/server_connection.h"

namespace quoll::web {
namespace {

/// RFC 9110 §6.4.1: such a response has no content, whatever the handler gives.
bool has_no_content(std::string_view method, unsigned status) {
  return method == "HEAD" || status == 204 || status == 304;
}

}  // namespace

ServerExchange::ServerExchange(ServerConnection& connection, uint64_t stream, http::FieldSection fields,
                               bool has_request_body)
    : connection_(connection),
      stream_(stream),
      fields_(std::move(fields)),
      request_complete_(!has_request_body),
      client_waits_(has_request_body && http::equals_ignoring_case(pseudo("expect"), "100-continue")) {}

std::string_view ServerExchange::authority() const {
  const std::string_view authority = pseudo(":authority");
  return authority.empty() ? pseudo("host") : authority;
}

SocketAddress ServerExchange::peer() const { return connection_.peer(); }

const quic::Connection* ServerExchange::connection() const { return connection_.transport(); }

bool ServerExchange::is_early() const {
  // RFC 8470 §5.1: early on a hop before this one, whatever the field says and however often.
  return !connection_.is_established() || fields_.find("early-data").has_value();
}

std::optional<Slice> ServerExchange::read(size_t max) {
  if (request_complete_ || aborted_) return {};
  h3::Session* session = connection_.session();
  if (!session) return {};
  Result<std::optional<h3::Chunk>> chunk = session->read_body(stream_, max);
  if (!chunk) return {};
  if (!*chunk) {
    ask_for_content();
    return {};
  }
  client_waits_ = false;
  request_complete_ = (*chunk)->fin;
  if ((*chunk)->data.empty()) return {};
  return std::move((*chunk)->data);
}

void ServerExchange::on_readable(std::function<void()> callback) {
  if (callback) ask_for_content();
  set(on_readable_, std::move(callback));
  if (response_finished_) settle_request();
}

/// RFC 9110 §10.1.1: somebody wants the content, which the client holds back until it is asked for it or answered.
void ServerExchange::ask_for_content() {
  if (std::exchange(client_waits_, false) && outcome_.status == 0) inform(100, {});
}

void ServerExchange::set(Callback& callback, std::function<void()> function) {
  if (!callback.set(std::move(function))) return;
  // Later: not from within the handler.
  (&callback == &on_readable_   ? missed_readable_
   : &callback == &on_writable_ ? missed_writable_
                                : missed_datagram_) = true;
  connection_.call_missed(stream_);
}

void ServerExchange::take_missed() {
  if (std::exchange(missed_readable_, false)) take_readable();
  if (std::exchange(missed_writable_, false)) take_writable();
  if (std::exchange(missed_datagram_, false)) take_datagram();
}

void ServerExchange::inform(unsigned status, const http::FieldSection& fields) {
  h3::Session* session = connection_.session();
  if (session && !aborted_) (void)session->inform(stream_, status, fields);
}

void ServerExchange::respond(unsigned status, const http::FieldSection& fields) {
  send_head(status, fields, nullptr, false);
}

void ServerExchange::send_head(unsigned status, const http::FieldSection& fields, const BodySource* body, bool end) {
  h3::Session* session = connection_.session();
  if (!session || aborted_ || outcome_.status != 0) return;
  http::FieldSection& head = connection_.context().scratch;
  head.clear();
  // RFC 9110 §6.6.1: an origin server with a clock sends Date.
  if (!fields.find("date")) head.add("date", connection_.context().date());
  // RFC 9110 §8.6: a length may not be said of what is no content.
  const bool has_length = !(status == 204 || (method() == "CONNECT" && status / 100 == 2));
  for (const http::FieldLine line : fields) {
    if (has_length || line.name != "content-length") head.add(line);
  }
  if (body && has_length && !fields.find("content-length")) {
    if (const std::optional<uint64_t> size = body->size()) {
      std::array<char, 24> digits;
      const auto last = std::to_chars(digits.data(), digits.data() + digits.size(), *size).ptr;
      head.add("content-length", std::string_view(digits.data(), last));
    }
  }
  if (Result<void> sent = session->respond(stream_, status, head, end); !sent) {
    abort(h3::ErrorCode::internal_error);
    return;
  }
  outcome_.status = status;
  no_content_ = has_no_content(method(), status);
}

void ServerExchange::write(Slice& data) {
  h3::Session* session = connection_.session();
  if (!session || aborted_ || response_finished_ || no_content_) {
    data = Slice();
    return;
  }
  const size_t before = data.size();
  if (Result<void> written = session->write_body(stream_, data); !written) {
    abort(h3::ErrorCode::internal_error);
    data = Slice();
    return;
  }
  outcome_.bytes_sent += before - data.size();
}

void ServerExchange::finish(const http::FieldSection& trailers) {
  h3::Session* session = connection_.session();
  if (!session || aborted_ || response_finished_) return;
  if (Result<void> finished = session->finish(stream_, trailers); !finished) {
    abort(h3::ErrorCode::internal_error);
    return;
  }
  response_finished_ = true;
  settle_request();
}

void ServerExchange::send(unsigned status, const http::FieldSection& fields, std::unique_ptr<BodySource> body) {
  const bool empty = !body || body->size() == 0 || has_no_content(method(), status);
  send_head(status, fields, body.get(), empty);
  if (aborted_ || outcome_.status == 0) return;
  if (empty) {
    response_finished_ = true;
    settle_request();
    return;
  }
  pump_ = BodyPump(std::move(body));
  pump();
}

void ServerExchange::pump() {
  h3::Session* session = connection_.session();
  if (!session || aborted_) return;
  const BodyPump::Outcome outcome = pump_.run(*session, stream_);
  outcome_.bytes_sent = pump_.sent();
  switch (outcome) {
    case BodyPump::Outcome::blocked:
      return;
    case BodyPump::Outcome::done:
      pump_.stop();
      response_finished_ = true;
      settle_request();
      return;
    case BodyPump::Outcome::failed:
      abort(h3::ErrorCode::internal_error);
      return;
  }
}

void ServerExchange::settle_request() {
  if (on_readable_ || request_complete_ || aborted_) return;
  if (h3::Session* session = connection_.session()) session->discard(stream_);
  request_complete_ = true;
}

void ServerExchange::abort(h3::ErrorCode code) {
  if (aborted_) return;
  aborted_ = true;
  pump_.stop();
  outcome_.code = static_cast<uint64_t>(code);
  if (h3::Session* session = connection_.session()) session->abort(stream_, code);
}

Exchange* ServerExchange::push(const http::FieldSection& request) {
  h3::Session* session = connection_.session();
  if (!session || aborted_) return nullptr;
  const Result<std::optional<uint64_t>> stream = session->push(stream_, request);
  if (!stream || !*stream) return nullptr;
  return &connection_.add_exchange(**stream, request, false);
}

std::optional<size_t> ServerExchange::max_datagram_size() const {
  h3::Session* session = connection_.session();
  return session && !aborted_ ? session->max_datagram_size(stream_) : std::nullopt;
}

bool ServerExchange::send_datagram(Bytes payload) {
  h3::Session* session = connection_.session();
  return session && !aborted_ && session->send_datagram(stream_, payload).value_or(false);
}

std::optional<Slice> ServerExchange::receive_datagram() {
  h3::Session* session = connection_.session();
  return session && !aborted_ ? session->receive_datagram(stream_) : std::nullopt;
}

void ServerExchange::take_readable() {
  if (!aborted_) on_readable_();
}

void ServerExchange::take_writable() {
  if (pump_.is_active()) {
    pump();
  } else if (!aborted_) {
    on_writable_();
  }
}

void ServerExchange::take_aborted(uint64_t code) {
  // Without the whole request there is no answer to it (RFC 9114 §4.1.1), unless it was given already.
  if (aborted_) return;
  if (!response_finished_) abort(h3::ErrorCode::request_incomplete);
  outcome_.code = code;
}

void ServerExchange::take_stopped(uint64_t code) {
  if (aborted_) return;
  abort(h3::ErrorCode::request_cancelled);
  outcome_.code = code;
}

void ServerExchange::end(bool delivered, uint64_t connection_code) {
  outcome_.complete = delivered && response_finished_ && !aborted_;
  if (outcome_.complete) {
    outcome_.code = 0;
  } else if (outcome_.code == 0) {
    outcome_.code = connection_code;
  }
  aborted_ = true;
  pump_.stop();
  if (on_end_) on_end_(outcome_);
}

}  // namespace quoll::web
