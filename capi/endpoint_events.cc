// quoll_endpoint_poll_event(): what the transport and the sessions tell, as one kind of struct.
#include "capi/endpoint.h"
#include "crypto/ct.h"
#include "quic/endpoint/resumption_state.h"

using namespace quoll;

/// One event of the transport's; gives false for what only the library has use for.
struct QuicEventTeller {
  quoll_endpoint& endpoint;
  quoll_event& out;

  bool tell(int kind) {
    out.kind = kind;
    return true;
  }
  bool tell(int kind, quic::StreamId stream) {
    out.stream = stream.value();
    return tell(kind);
  }
  bool tell(int kind, quic::StreamId stream, quic::ApplicationErrorCode code) {
    out.error_code = static_cast<uint64_t>(code);
    out.by_application = 1;
    return tell(kind, stream);
  }

  bool operator()(const quic::Connected& event) {
    out.resumed = event.resumed;
    out.early = event.early_data_accepted;
    return tell(QUOLL_EVENT_CONNECTED);
  }
  bool operator()(const quic::EarlyDataRejected&) { return tell(QUOLL_EVENT_EARLY_DATA_REJECTED); }
  bool operator()(const quic::Confirmed&) { return false; }
  bool operator()(const quic::ResumptionReceived& event) {
    endpoint.tell_resumption(event.state, out);
    return true;
  }
  bool operator()(const quic::StreamOpened& event) {
    out.unidirectional = event.stream_id.is_unidirectional();
    return tell(QUOLL_EVENT_STREAM_OPENED, event.stream_id);
  }
  bool operator()(const quic::StreamReadable& event) { return tell(QUOLL_EVENT_STREAM_READABLE, event.stream_id); }
  bool operator()(const quic::StreamWritable& event) { return tell(QUOLL_EVENT_STREAM_WRITABLE, event.stream_id); }
  bool operator()(const quic::StreamDelivered& event) {
    out.delivered = 1;
    return tell(QUOLL_EVENT_STREAM_DELIVERED, event.stream_id);
  }
  bool operator()(const quic::StreamStopped& event) {
    return tell(QUOLL_EVENT_STREAM_STOPPED, event.stream_id, event.error);
  }
  bool operator()(const quic::StreamReset& event) {
    return tell(QUOLL_EVENT_STREAM_RESET, event.stream_id, event.error);
  }
  bool operator()(const quic::StreamsAvailable& event) {
    out.unidirectional = event.unidirectional;
    return tell(QUOLL_EVENT_STREAMS_AVAILABLE);
  }
  bool operator()(const quic::DatagramReceived&) { return tell(QUOLL_EVENT_DATAGRAM); }
  bool operator()(const quic::Migrated& event) {
    out.address = capi::address_of(event.path.remote);
    return tell(QUOLL_EVENT_MIGRATED);
  }
  bool operator()(const quic::MigrationFailed&) { return tell(QUOLL_EVENT_MIGRATION_FAILED); }
  bool operator()(const quic::Closed& event) {
    endpoint.tell_closed(event, out);
    return true;
  }
};

/// The same for a session's.
struct H3EventTeller {
  quoll_endpoint& endpoint;
  capi::H3Connection& session;
  quoll_event& out;

  bool tell(int kind, uint64_t stream = QUOLL_NO_STREAM) {
    out.kind = kind;
    out.stream = stream;
    return true;
  }

  bool operator()(h3::RequestReceived& event) {
    // RFC 8470 §5.1: early on a hop before this one, whatever the field says and however often.
    out.early = !session.established || event.fields.find("early-data");
    out.has_body = event.has_body;
    endpoint.tell_fields(std::move(event.fields), out);
    return tell(QUOLL_EVENT_H3_REQUEST, event.stream);
  }
  bool operator()(h3::InformationReceived& event) {
    out.http_status = event.status;
    out.has_body = 1;
    endpoint.tell_fields(std::move(event.fields), out);
    return tell(QUOLL_EVENT_H3_RESPONSE, event.stream);
  }
  bool operator()(h3::ResponseReceived& event) {
    out.http_status = event.status;
    out.has_body = event.has_body;
    endpoint.tell_fields(std::move(event.fields), out);
    return tell(QUOLL_EVENT_H3_RESPONSE, event.stream);
  }
  bool operator()(h3::TrailersReceived& event) {
    endpoint.tell_fields(std::move(event.fields), out);
    return tell(QUOLL_EVENT_H3_TRAILERS, event.stream);
  }
  bool operator()(const h3::BodyReadable& event) { return tell(QUOLL_EVENT_STREAM_READABLE, event.stream); }
  bool operator()(const h3::BodyWritable& event) { return tell(QUOLL_EVENT_STREAM_WRITABLE, event.stream); }
  bool operator()(const h3::MessageAborted& event) {
    out.error_code = event.code;
    out.by_application = 1;
    return tell(QUOLL_EVENT_STREAM_RESET, event.stream);
  }
  bool operator()(const h3::SendingStopped& event) {
    out.error_code = event.code;
    out.by_application = 1;
    return tell(QUOLL_EVENT_STREAM_STOPPED, event.stream);
  }
  bool operator()(const h3::ExchangeClosed& event) {
    out.delivered = event.delivered;
    return tell(QUOLL_EVENT_H3_CLOSED, event.stream);
  }
  bool operator()(const h3::DatagramReceived& event) { return tell(QUOLL_EVENT_DATAGRAM, event.stream); }
  bool operator()(const h3::GoawayReceived& event) {
    // A client's names pushes, of which there are none.
    return tell(QUOLL_EVENT_H3_GOAWAY, session.is_server ? QUOLL_NO_STREAM : event.id);
  }
  bool operator()(const h3::RequestsAvailable&) { return tell(QUOLL_EVENT_STREAMS_AVAILABLE); }
  // Settings are looked at where tickets wait for them; priorities are applied already; pushes are not taken, so none is
  // promised; after a failure CLOSED follows.
  bool operator()(const h3::SettingsReceived&) { return false; }
  bool operator()(const h3::PriorityUpdated&) { return false; }
  bool operator()(const h3::PushPromised&) { return false; }
  bool operator()(const h3::PushStarted&) { return false; }
  bool operator()(const h3::PushCancelled&) { return false; }
  bool operator()(const h3::SessionFailed&) { return false; }
};

void quoll_endpoint::tell_closed(const quic::Closed& closed, quoll_event& out) {
  out.kind = QUOLL_EVENT_CLOSED;
  out.error_code = closed.error_code;
  out.by_application = closed.application;
  event_text = closed.reason;
  out.text = event_text.c_str();
  using Why = quic::Closed::Why;
  switch (closed.why) {
    case Why::local:
      out.close_reason = QUOLL_CLOSE_LOCAL;
      break;
    case Why::peer:
      out.close_reason = QUOLL_CLOSE_PEER;
      break;
    case Why::stateless_reset:
      out.close_reason = QUOLL_CLOSE_STATELESS_RESET;
      break;
    case Why::idle_timeout:
      out.close_reason = QUOLL_CLOSE_IDLE_TIMEOUT;
      break;
    case Why::handshake_timeout:
      out.close_reason = QUOLL_CLOSE_HANDSHAKE_TIMEOUT;
      break;
    case Why::no_viable_path:
      out.close_reason = QUOLL_CLOSE_NO_VIABLE_PATH;
      break;
    case Why::version_negotiation:
      out.close_reason = QUOLL_CLOSE_VERSION_NEGOTIATION;
      break;
  }
}

void quoll_endpoint::tell_resumption(const quic::ResumptionState& state, quoll_event& out) {
  crypto::ct::wipe(event_data.data(), event_data.size());
  event_data = quic::encode_resumption_state(state);
  out.kind = QUOLL_EVENT_RESUMPTION;
  out.data = event_data.data();
  out.data_size = event_data.size();
}

void quoll_endpoint::tell_fields(http::FieldSection fields, quoll_event& out) {
  event_section = std::move(fields);
  event_fields.clear();
  for (const http::FieldLine line : event_section) {
    event_fields.push_back({line.name.data(), line.name.size(), line.value.data(), line.value.size()});
  }
  out.fields = event_fields.data();
  out.field_count = event_fields.size();
}

/// RFC 9114 §7.2.4.2: a ticket is told together with the server's settings, or without them when they never came.
bool quoll_endpoint::take_ticket(capi::H3Connection& session, quoll_event& out) {
  if (session.tickets.empty()) return false;
  quic::Connection* connection = endpoint->find(session.handle);
  const h3::Session* open = connection && !session.closed ? &session.over_quic.use(*connection) : nullptr;
  const bool known = open && open->peer_settings();
  if (!known && !session.closed) return false;
  quic::ResumptionState state = std::move(session.tickets.front());
  session.tickets.erase(session.tickets.begin());
  if (state.ticket && known) {
    state.ticket->application_settings.clear();
    open->peer_settings()->write(state.ticket->application_settings);
  }
  tell_resumption(state, out);
  return true;
}

bool quoll_endpoint::next_of_session(quoll_event& out) {
  while (!used.empty()) {
    capi::H3Connection& session = *used.front();
    out.connection = capi::name_of(session.handle);
    while (std::optional<h3::Event> event = session.over_quic.poll_event()) {
      if (std::visit(H3EventTeller{*this, session, out}, *event)) return true;
    }
    if (take_ticket(session, out)) return true;
    used.pop_front();
    session.noted = false;
    if (session.closed) {
      tell_closed(*session.closed, out);
      sessions.erase(out.connection);
      return true;
    }
  }
  return false;
}

/// An event of a connection that speaks HTTP/3: the session's, and ours where it is about the connection.
bool quoll_endpoint::translate_h3(quic::ConnectionHandle handle, const quic::Event& event, quoll_event& out) {
  const auto known = sessions.find(capi::name_of(handle));
  if (known != sessions.end() && known->second->closed) return false;
  quic::Connection* connection = endpoint->find(handle);
  if (known == sessions.end() && !connection) return false;
  // A server's begins with the first that is heard of it.
  capi::H3Connection& session =
      known != sessions.end() ? *known->second : add_h3(handle, h3::Role::server, setup.session);
  note_used(session);
  if (session.is_server || std::holds_alternative<quic::Connected>(event)) session.usable = true;
  if (std::holds_alternative<quic::Connected>(event)) session.established = true;
  if (connection) session.over_quic.on_event(*connection, event);
  if (const auto* closed = std::get_if<quic::Closed>(&event)) {
    session.over_quic.on_gone();
    session.closed = *closed;
    return false;
  }
  if (const auto* resumption = std::get_if<quic::ResumptionReceived>(&event)) {
    if (session.tickets.size() < capi::kTicketsWaitingMax) session.tickets.push_back(resumption->state);
    return false;
  }
  const bool of_connection =
      std::holds_alternative<quic::Connected>(event) || std::holds_alternative<quic::EarlyDataRejected>(event) ||
      std::holds_alternative<quic::Migrated>(event) || std::holds_alternative<quic::MigrationFailed>(event);
  return of_connection && std::visit(QuicEventTeller{*this, out}, event);
}

bool quoll_endpoint::translate(const quic::EndpointEvent& event, quoll_event& out) {
  out.connection = capi::name_of(event.connection);
  const auto* news = std::get_if<quic::Event>(&event.event);
  if (!news) return false;  // an Offered: we did not ask to be asked
  return setup.http3 ? translate_h3(event.connection, *news, out) : std::visit(QuicEventTeller{*this, out}, *news);
}

bool quoll_endpoint::next_event(quoll_event& out) {
  for (;;) {
    out = quoll_event{};
    out.stream = QUOLL_NO_STREAM;
    out.text = "";
    if (next_of_session(out)) return true;
    out.stream = QUOLL_NO_STREAM;
    std::optional<quic::EndpointEvent> event;
    if (!waiting.empty()) {
      event = std::move(waiting.front());
      waiting.pop_front();
    } else {
      event = endpoint->poll_event();
    }
    if (!event) return false;
    if (translate(*event, out)) return true;
  }
}

int quoll_endpoint_poll_event(quoll_endpoint* endpoint, quoll_event* event) {
  if (!endpoint || !capi::is_struct(event))
    return capi::invalid("an endpoint and an event with its struct_size are wanted");
  quoll_event out;
  if (!endpoint->next_event(out)) return 0;
  capi::write_struct(event, out);
  return 1;
}
