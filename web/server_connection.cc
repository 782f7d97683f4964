#include "web/server_connection.h"

#include "h3/message.h"

namespace quoll::web {

std::string_view WorkerContext::date() {
  const UnixTime time = clock.at(now);
  if (time.as_seconds() != date_second_) {
    date_second_ = time.as_seconds();
    date_ = http::date_text(time);
  }
  return http::as_text(date_);
}

namespace {

/// RFC 9114 §4.2.1: handlers are no HTTP/3. What was split for the sake of compression they get as one field.
http::FieldSection with_one_cookie(http::FieldSection fields) {
  if (fields.count("cookie") < 2) return fields;
  std::optional<std::string> joined = h3::joined_cookie(fields);
  http::FieldSection whole;
  for (const http::FieldLine line : fields) {
    if (line.name != "cookie") {
      whole.add(line);
    } else if (joined) {
      whole.add(line.name, *joined, line.never_indexed);
      joined.reset();
    }
  }
  return whole;
}

}  // namespace

ServerConnection::ServerConnection(WorkerContext& context, quic::ConnectionHandle handle,
                                   const quic::Connection& connection, std::unique_ptr<ConnectionLog> log)
    : context_(context),
      handle_(handle),
      peer_(connection.path().remote),
      over_quic_(h3::Role::server, context.options->session, *context.rng),
      log_(std::move(log)) {
  // RFC 9114 §7.2.4.2: settings go out as soon as the transport can send, which is before the handshake is complete.
  (void)session();
}

void ServerConnection::note_used() {
  if (!std::exchange(used_, true)) context_.used.push_back(this);
}

void ServerConnection::call_missed(uint64_t stream) {
  missed_.push_back(stream);
  note_used();
}

h3::Session* ServerConnection::session() {
  quic::Connection* connection = over_ ? nullptr : context_.endpoint->find(handle_);
  if (!connection) return nullptr;
  note_used();
  return &over_quic_.use(*connection);
}

void ServerConnection::on_event(const quic::Event& event) {
  note_used();
  if (std::holds_alternative<quic::Connected>(event)) established_ = true;
  if (const auto* migrated = std::get_if<quic::Migrated>(&event)) peer_ = migrated->path.remote;
  if (const auto* closed = std::get_if<quic::Closed>(&event)) close_code_ = closed->error_code;
  if (quic::Connection* connection = context_.endpoint->find(handle_)) over_quic_.on_event(*connection, event);
  if (std::holds_alternative<quic::Closed>(event)) {
    over_ = true;
    over_quic_.on_gone();
  }
}

ServerExchange& ServerConnection::add_exchange(uint64_t stream, http::FieldSection fields, bool has_request_body) {
  context_.exchanges++;
  return exchanges_.try_emplace(stream, *this, stream, std::move(fields), has_request_body).first->second;
}

ServerExchange* ServerConnection::find(uint64_t stream) {
  const auto at = exchanges_.find(stream);
  return at == exchanges_.end() ? nullptr : &at->second;
}

void ServerConnection::close(h3::ErrorCode code) {
  if (h3::Session* open = session()) open->close(code, {});
}

struct ServerEventVisitor {
  ServerConnection& connection;

  void operator()(h3::RequestReceived& event) {
    WorkerContext& context = connection.context_;
    context.requests++;
    ServerExchange& exchange =
        connection.add_exchange(event.stream, with_one_cookie(std::move(event.fields)), event.has_body);
    (*context.handler)(exchange);
  }
  void operator()(const h3::BodyReadable& event) {
    if (ServerExchange* exchange = connection.find(event.stream)) exchange->take_readable();
  }
  void operator()(h3::TrailersReceived& event) {
    if (ServerExchange* exchange = connection.find(event.stream)) exchange->take_trailers(std::move(event.fields));
  }
  void operator()(const h3::BodyWritable& event) {
    if (ServerExchange* exchange = connection.find(event.stream)) exchange->take_writable();
  }
  void operator()(const h3::MessageAborted& event) {
    if (ServerExchange* exchange = connection.find(event.stream)) exchange->take_aborted(event.code);
  }
  void operator()(const h3::SendingStopped& event) {
    if (ServerExchange* exchange = connection.find(event.stream)) exchange->take_stopped(event.code);
  }
  void operator()(const h3::DatagramReceived& event) {
    if (ServerExchange* exchange = connection.find(event.stream)) exchange->take_datagram();
  }
  void operator()(const h3::ExchangeClosed& event) {
    const auto at = connection.exchanges_.find(event.stream);
    if (at == connection.exchanges_.end()) return;
    at->second.end(event.delivered, connection.close_code_);
    connection.exchanges_.erase(event.stream);
    connection.context_.exchanges--;
  }
  // What a server's handlers are not told: settings, priorities (applied already), a client's GOAWAY and CANCEL_PUSH (an
  // abort of its stream follows), and what only a client gets.
  void operator()(const h3::SettingsReceived&) {}
  void operator()(const h3::PriorityUpdated&) {}
  void operator()(const h3::GoawayReceived&) {}
  void operator()(const h3::PushCancelled&) {}
  void operator()(const h3::SessionFailed&) {}
  void operator()(const h3::RequestsAvailable&) {}
  void operator()(const h3::InformationReceived&) {}
  void operator()(const h3::ResponseReceived&) {}
  void operator()(const h3::PushPromised&) {}
  void operator()(const h3::PushStarted&) {}
};

void ServerConnection::take_events() {
  for (;;) {
    while (std::optional<h3::Event> event = over_quic_.poll_event()) std::visit(ServerEventVisitor{*this}, *event);
    if (missed_.empty()) break;
    for (const uint64_t stream : std::exchange(missed_, {})) {
      if (ServerExchange* exchange = find(stream)) exchange->take_missed();
    }
  }
  if (context_.draining && exchanges_.empty() && !over_) close(h3::ErrorCode::no_error);
  if (over_) {
    // Whatever a session forgot to tell: nobody waits for the end in vain.
    for (auto& [stream, exchange] : exchanges_) {
      exchange.end(false, close_code_);
      context_.exchanges--;
    }
    exchanges_.clear();
  }
  used_ = false;
}

}  // namespace quoll::web
