#include "web/client_transfer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "web/client_connection.h"
#include "web/client_origin.h"
#include "web/failure.h"

namespace quoll::web {
namespace {

constexpr unsigned kTooEarly = 425;  // RFC 8470 §5.2

/// As HTTP/1.1 would have written the lines.
uint64_t size_of(const http::FieldSection& fields) { return fields.decoded_size() - (32 - 4) * fields.size(); }

}  // namespace

ClientTransfer::ClientTransfer(ClientContext& context, ClientRequest request, Listener& listener)
    : context_(context), request_(std::move(request)), listener_(listener), pump_(std::move(request_.body)) {
  facts_.timings.begin = context_.now;
}

h3::Session* ClientTransfer::session() const { return connection_ ? connection_->session() : nullptr; }

const quic::Connection* ClientTransfer::connection() const {
  const quic::Connection* connection = context_.endpoint->find(handle_);
  return connection && connection->is_established() ? connection : nullptr;
}

void ClientTransfer::note_connected(const ClientConnection& connection) {
  if (!facts_.timings.connected) {
    facts_.timings.connected = std::max(connection.connected_at(), facts_.timings.begin);
  }
  facts_.resumed = connection.was_resumed();
  facts_.early_data = sent_early_ && connection.accepted_early_data();
}

// --- The request

http::FieldSection ClientTransfer::head() const {
  http::FieldSection head;
  head.add(":method", request_.method);
  const bool is_tunnel = request_.method == "CONNECT" && request_.protocol.empty();  // RFC 9114 §4.4
  if (!is_tunnel) head.add(":scheme", request_.url.scheme);
  head.add(":authority", request_.url.authority());
  if (!is_tunnel) head.add(":path", request_.url.request_target());
  if (!request_.protocol.empty()) head.add(":protocol", request_.protocol);
  head.append(request_.fields);
  if (pump_.is_active() && !request_.fields.find("content-length")) {
    if (const std::optional<uint64_t> size = pump_.size()) {
      std::array<char, 24> digits;
      const auto last = std::to_chars(digits.data(), digits.data() + digits.size(), *size).ptr;
      head.add("content-length", std::string_view(digits.data(), last));
    }
  }
  return head;
}

bool ClientTransfer::open(ClientConnection& connection) {
  h3::Session* session = connection.session();
  if (!session) return false;
  const bool end = !pump_.is_active() && !request_.streaming;
  const Result<std::optional<uint64_t>> stream = session->request(head(), end, request_.priority);
  if (!stream) {
    this->end(Failure{.kind = FailureKind::stream,
                      .code = stream.error().code,
                      .application = stream.error().domain == ErrorDomain::application,
                      .text = std::string("the request cannot be sent: ") + stream.error().reason});
    return true;
  }
  if (!*stream) return false;
  phase_ = Phase::open;
  connection_ = &connection;
  handle_ = connection.handle();
  stream_ = **stream;
  sent_early_ = !connection.is_established();
  sending_over_ = end;
  facts_.connection_reused = connection.was_used();
  facts_.remote = connection.remote();
  if (const quic::Connection* quic = context_.endpoint->find(handle_)) facts_.local = quic->path().local;
  if (!facts_.timings.resolved) facts_.timings.resolved = facts_.timings.begin;
  if (connection.is_established()) note_connected(connection);
  facts_.timings.sent = context_.now;
  connection.attach(stream_, *this);
  if (pump_.is_active()) pump();
  return true;
}

void ClientTransfer::pump() {
  h3::Session* open = session();
  if (!open) return;
  const BodyPump::Outcome outcome = pump_.run(*open, stream_);
  facts_.body_sent = pump_.sent();
  switch (outcome) {
    case BodyPump::Outcome::blocked:
      return;
    case BodyPump::Outcome::done:
      sending_over_ = true;
      settle();
      return;
    case BodyPump::Outcome::failed:
      end(Failure{.kind = FailureKind::body,
                  .code = pump_.failure().code,
                  .text = std::string("the request's body failed: ") + pump_.failure().reason});
      return;
  }
}

void ClientTransfer::write(Slice& data) {
  h3::Session* open = sending_over_ ? nullptr : session();
  if (!open) {
    data = Slice();
    return;
  }
  const size_t before = data.size();
  if (!open->write_body(stream_, data)) data = Slice();
  facts_.body_sent += before - data.size();
}

void ClientTransfer::finish() {
  h3::Session* open = sending_over_ ? nullptr : session();
  if (!open) return;
  sending_over_ = true;
  (void)open->finish(stream_);
  settle();
}

void ClientTransfer::cancel() {
  end(Failure{.kind = FailureKind::cancelled,
              .code = static_cast<uint64_t>(h3::ErrorCode::request_cancelled),
              .application = true,
              .text = "cancelled"});
}

void ClientTransfer::wait_at(ClientOrigin& origin) {
  origin_ = &origin;
  origin.add(*this);
}

bool ClientTransfer::requeue() {
  if (phase_ != Phase::open || response_begun_ || request_.streaming || again_ == kAgainMax) return false;
  if (pump_.is_active()) {
    std::unique_ptr<BodySource> body = pump_.take_rewound();
    if (!body) return false;
    pump_ = BodyPump(std::move(body));
  }
  if (h3::Session* open = session()) open->abort(stream_, h3::ErrorCode::request_cancelled);
  connection_->detach(stream_);
  connection_ = nullptr;
  phase_ = Phase::waiting;
  sent_early_ = false;
  facts_.early_data = false;
  facts_.body_sent = 0;
  facts_.timings.sent = {};
  again_++;
  origin_->add(*this);
  return true;
}

void ClientTransfer::end(std::optional<Failure> failure) {
  if (phase_ == Phase::over) return;
  if (phase_ == Phase::open) {
    if (failure) {
      if (h3::Session* open = session()) open->abort(stream_, h3::ErrorCode::request_cancelled);
    }
    if (connection_) connection_->detach(stream_);
    connection_ = nullptr;
  } else if (origin_) {
    origin_->remove(*this);
  }
  phase_ = Phase::over;
  failure_ = std::move(failure);
  facts_.timings.end = udp::now();
  pump_.stop();
  context_.over.push_back(this);
}

void ClientTransfer::settle() {
  // A server may answer before it has the whole request: the rest goes out until the server stops it.
  if (response_complete_ && sending_over_) end({});
}

bool ClientTransfer::is_idempotent() const {
  // RFC 9110 §9.2.2.
  const std::string& method = request_.method;
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE" ||
         method == "TRACE";
}

void ClientTransfer::on_connection_over(const Failure& failure, bool worth_a_retry) {
  if (worth_a_retry && facts_.connection_reused && is_idempotent() && !retried_ && requeue()) {
    retried_ = true;
    return;
  }
  end(failure);
}

// --- Time

Instant ClientTransfer::deadline() const {
  Instant deadline = Instant::never();
  if (request_.time_limit) deadline = facts_.timings.begin + *request_.time_limit;
  if (request_.connect_limit && !is_connected()) {
    deadline = std::min(deadline, facts_.timings.begin + *request_.connect_limit);
  }
  return deadline;
}

void ClientTransfer::on_deadline(Instant now) {
  if (phase_ == Phase::over || now < deadline()) return;
  const std::string where = request_.url.authority();
  const Duration passed = now - facts_.timings.begin;
  end(Failure{.kind = FailureKind::timeout,
              .text = (is_connected() ? "the answer of " + where + " is not complete after "
                                      : "no connection to " + where + " after ") +
                      std::to_string(passed.as_milliseconds()) + " ms"});
}

// --- The response

std::optional<Slice> ClientTransfer::read(size_t max) {
  if (response_complete_) return {};
  h3::Session* open = session();
  if (!open) return {};
  Result<std::optional<h3::Chunk>> chunk = open->read_body(stream_, max);
  if (!chunk || !*chunk) return {};
  const bool fin = (*chunk)->fin;
  Slice data = std::move((*chunk)->data);
  facts_.body_received += data.size();
  if (fin) {
    response_complete_ = true;
    settle();
  }
  if (data.empty()) return {};
  return data;
}

void ClientTransfer::take_information(unsigned status, const http::FieldSection& fields) {
  if (!facts_.timings.first_byte) facts_.timings.first_byte = context_.now;
  facts_.header_size += size_of(fields);
  listener_.on_information(*this, status, fields);
}

void ClientTransfer::take_response(unsigned status, const http::FieldSection& fields, bool has_body) {
  // RFC 8470 §5.2: it goes again, after the handshake. It is the early one that this answers, whatever the server saw.
  if (status == kTooEarly && sent_early_ && !no_early_data_) {
    no_early_data_ = true;
    if (requeue()) return;
  }
  if (!facts_.timings.first_byte) facts_.timings.first_byte = context_.now;
  facts_.header_size += size_of(fields);
  response_begun_ = true;
  listener_.on_response(*this, status, fields);
  if (phase_ != Phase::open || has_body) return;
  response_complete_ = true;
  settle();
}

void ClientTransfer::take_readable() {
  if (!response_complete_) listener_.on_readable(*this);
}

void ClientTransfer::take_trailers(const http::FieldSection& fields) {
  facts_.header_size += size_of(fields);
  listener_.on_trailers(*this, fields);
}

void ClientTransfer::take_writable() {
  if (pump_.is_active() && !sending_over_) {
    pump();
  } else if (request_.streaming) {
    listener_.on_writable(*this);
  }
}

void ClientTransfer::take_aborted(uint64_t code, bool by_peer) {
  // RFC 9114 §4.1.1: nothing was done with it. Once: a server that refuses everything is not asked for ever.
  if (by_peer && code == static_cast<uint64_t>(h3::ErrorCode::request_rejected) && !retried_ && requeue()) {
    retried_ = true;
    return;
  }
  end(stream_failure(code, by_peer));
}

void ClientTransfer::take_stopped() {
  sending_over_ = true;
  settle();
}

void ClientTransfer::take_datagram() { listener_.on_datagram(*this); }

void ClientTransfer::take_closed() {
  if (response_complete_) {
    sending_over_ = true;
    settle();
    return;
  }
  end(Failure{.kind = FailureKind::stream,
              .code = static_cast<uint64_t>(h3::ErrorCode::request_incomplete),
              .application = true,
              .text = "the response ended before it was complete"});
}

// --- Datagrams

std::optional<size_t> ClientTransfer::max_datagram_size() const {
  h3::Session* open = session();
  return open ? open->max_datagram_size(stream_) : std::nullopt;
}

bool ClientTransfer::send_datagram(Bytes payload) {
  h3::Session* open = session();
  return open && open->send_datagram(stream_, payload).value_or(false);
}

std::optional<Slice> ClientTransfer::receive_datagram() {
  h3::Session* open = session();
  return open ? open->receive_datagram(stream_) : std::nullopt;
}

}  // namespace quoll::web
