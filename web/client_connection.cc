#include "web/client_connection.h"

#include <utility>

#include "web/client_transfer.h"
#include "web/failure.h"

namespace quoll::web {
namespace {

h3::SessionOptions session_options(const ClientContext& context, const std::optional<h3::Settings>& remembered) {
  h3::SessionOptions options = context.options.session;
  options.remembered = remembered;
  return options;
}

}  // namespace

ClientConnection::ClientConnection(ClientContext& context, Start start)
    : context_(context),
      start_(std::move(start)),
      over_quic_(h3::Role::client, session_options(context, start_.remembered), context.rng),
      idle_since_(context.now) {
  const uint32_t index = start_.handle.index;
  if (index >= context_.table.size()) context_.table.resize(index + 1);
  context_.table[index] = this;
  // RFC 9114 §3.3: with 0-RTT streams may be opened at once.
  if (start_.remembered) {
    if (h3::Session* open = session()) open->start();
  }
}

ClientConnection::~ClientConnection() {
  if (context_.table[start_.handle.index] == this) context_.table[start_.handle.index] = nullptr;
  if (used_) std::erase(context_.used, this);
  if (start_.log) context_.closing_logs.push_back({.handle = start_.handle, .log = std::move(start_.log)});
}

void ClientConnection::note_used() {
  if (!std::exchange(used_, true)) context_.used.push_back(this);
}

h3::Session* ClientConnection::session() {
  quic::Connection* connection = over_ ? nullptr : context_.endpoint->find(start_.handle);
  if (!connection) return nullptr;
  note_used();
  return &over_quic_.use(*connection);
}

bool ClientConnection::takes(const ClientTransfer& transfer) const {
  if (is_going_away()) return false;
  // RFC 9220 §3: only a server that has said so takes :protocol.
  if (!transfer.request().protocol.empty() && !settings_known_) return false;
  return is_established() || (start_.remembered && transfer.may_be_early());
}

Duration ClientConnection::probe_timeout() const {
  const quic::Connection* connection = context_.endpoint->find(start_.handle);
  if (!connection) return {};
  const quic::Statistics statistics = connection->statistics();
  return statistics.smoothed_rtt + statistics.rttvar * 4 + Duration::milliseconds(25);
}

void ClientConnection::attach(uint64_t stream, ClientTransfer& transfer) {
  requests_++;
  transfers_.emplace(stream, &transfer);
}

void ClientConnection::detach(uint64_t stream) {
  transfers_.erase(stream);
  if (transfers_.empty()) idle_since_ = context_.now;
}

std::vector<ClientTransfer*> ClientConnection::transfers_now() const {
  std::vector<ClientTransfer*> now;
  for (const auto& [stream, transfer] : transfers_) now.push_back(transfer);
  return now;
}

ClientTransfer* ClientConnection::find(uint64_t stream) {
  const auto at = transfers_.find(stream);
  return at == transfers_.end() ? nullptr : at->second;
}

// --- The transport's events

void ClientConnection::on_event(quic::Event& event) {
  note_used();
  if (const auto* connected = std::get_if<quic::Connected>(&event)) on_connected(*connected);
  if (auto* received = std::get_if<quic::ResumptionReceived>(&event)) on_resumption(std::move(received->state));
  if (const auto* available = std::get_if<quic::StreamsAvailable>(&event); available && !available->unidirectional) {
    out_of_streams_ = false;
  }
  if (quic::Connection* connection = context_.endpoint->find(start_.handle)) over_quic_.on_event(*connection, event);
  if (const auto* closed = std::get_if<quic::Closed>(&event)) on_closed(*closed);
}

void ClientConnection::on_connected(const quic::Connected& event) {
  connected_at_ = idle_since_ = context_.now;
  resumed_ = event.resumed;
  early_data_accepted_ = event.early_data_accepted;
  out_of_streams_ = false;
  for (const auto& [stream, transfer] : transfers_) {
    transfer->note_connected(*this);
  }
}

void ClientConnection::on_closed(const quic::Closed& event) {
  over_ = true;
  failure_ = failure_of(event, start_.authority, is_established());
  using Why = quic::Closed::Why;
  worth_a_retry_ =
      is_established() &&
      (event.why == Why::stateless_reset || event.why == Why::idle_timeout || event.why == Why::no_viable_path ||
       (event.why == Why::peer && event.application && h3::is_no_error(event.error_code)));
  over_quic_.on_gone();
  keep_tickets();
}

void ClientConnection::on_resumption(quic::ResumptionState state) {
  got_ticket_ = got_ticket_ || state.ticket;
  if (tickets_.size() < kTicketsWaitingMax) tickets_.push_back(std::move(state));
  if (const h3::Session* open = session(); open && open->peer_settings()) keep_tickets();
}

void ClientConnection::keep_tickets() {
  const h3::Session* open = session();
  for (quic::ResumptionState& state : tickets_) {
    if (state.ticket && open && open->peer_settings()) {
      state.ticket->application_settings.clear();
      open->peer_settings()->write(state.ticket->application_settings);
    }
    context_.store.put(start_.authority, std::move(state));
  }
  tickets_.clear();
}

void ClientConnection::close() {
  if (std::exchange(closing_, true)) return;
  keep_tickets();
  // An attempt that lost to another one: early requests go there.
  for (ClientTransfer* transfer : transfers_now()) {
    if (is_established() || !transfer->requeue()) transfer->end(failure_);
  }
  if (h3::Session* open = session()) open->close(h3::ErrorCode::no_error, {});
}

// --- The session's events

struct ClientEventVisitor {
  ClientConnection& connection;

  template <class Event, class Function>
  void with(const Event& event, Function function) {
    if (ClientTransfer* transfer = connection.find(event.stream)) function(*transfer);
  }

  void operator()(const h3::SettingsReceived&) {
    connection.settings_known_ = true;
    connection.keep_tickets();
  }
  void operator()(const h3::InformationReceived& event) {
    with(event, [&](ClientTransfer& transfer) { transfer.take_information(event.status, event.fields); });
  }
  void operator()(const h3::ResponseReceived& event) {
    with(event, [&](ClientTransfer& transfer) { transfer.take_response(event.status, event.fields, event.has_body); });
  }
  void operator()(const h3::BodyReadable& event) {
    with(event, [](ClientTransfer& transfer) { transfer.take_readable(); });
  }
  void operator()(const h3::TrailersReceived& event) {
    with(event, [&](ClientTransfer& transfer) { transfer.take_trailers(event.fields); });
  }
  void operator()(const h3::BodyWritable& event) {
    with(event, [](ClientTransfer& transfer) { transfer.take_writable(); });
  }
  void operator()(const h3::MessageAborted& event) {
    with(event, [&](ClientTransfer& transfer) { transfer.take_aborted(event.code, event.by_peer); });
  }
  void operator()(const h3::SendingStopped& event) {
    with(event, [](ClientTransfer& transfer) { transfer.take_stopped(); });
  }
  void operator()(const h3::DatagramReceived& event) {
    with(event, [](ClientTransfer& transfer) { transfer.take_datagram(); });
  }
  void operator()(const h3::ExchangeClosed& event) {
    // When the connection is over, what becomes of its transfers is decided together.
    if (connection.over_) return;
    with(event, [](ClientTransfer& transfer) { transfer.take_closed(); });
  }
  void operator()(const h3::GoawayReceived& event) { connection.on_goaway(event.id); }
  void operator()(const h3::RequestsAvailable&) { connection.out_of_streams_ = false; }
  void operator()(const h3::PushPromised& event) {
    if (h3::Session* open = connection.session()) open->cancel_push(event.push_id);
  }
  // Pushes are not taken; a failure of the session follows as Closed; the rest is a server's.
  void operator()(const h3::PushStarted&) {}
  void operator()(const h3::PushCancelled&) {}
  void operator()(const h3::SessionFailed&) {}
  void operator()(const h3::RequestReceived&) {}
  void operator()(const h3::PriorityUpdated&) {}
};

void ClientConnection::on_goaway(uint64_t id) {
  going_away_ = true;
  // RFC 9114 §5.2: requests from there on were not processed, and may go again on another connection. What is answered
  // already goes on.
  for (ClientTransfer* transfer : transfers_now()) {
    if (transfer->stream() >= id && !transfer->is_answered() && !transfer->requeue()) {
      transfer->end(stream_failure(static_cast<uint64_t>(h3::ErrorCode::request_rejected), true));
    }
  }
}

void ClientConnection::take_events() {
  while (std::optional<h3::Event> event = over_quic_.poll_event()) std::visit(ClientEventVisitor{*this}, *event);
  used_ = false;
  if (!over_) return;
  for (ClientTransfer* transfer : transfers_now()) transfer->on_connection_over(failure_, worth_a_retry_);
}

}  // namespace quoll::web
