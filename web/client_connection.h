// ClientConnection: one connection of a client, or an attempt at one: the session, and the transfers that are open on it.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "h3/over_quic.h"
#include "web/client_context.h"

namespace quoll::web {

/// Tickets that wait for the server's SETTINGS, which are kept with them (RFC 9114 §7.2.4.2).
inline constexpr size_t kTicketsWaitingMax = 8;

class ClientConnection {
 public:
  struct Start {
    quic::ConnectionHandle handle;
    std::string authority;  // for people, and for the resumption store
    SocketAddress remote;
    std::optional<h3::Settings> remembered;  // early data is offered
    std::unique_ptr<ConnectionLog> log;
  };
  ClientConnection(ClientContext& context, Start start);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ~ClientConnection();

  quic::ConnectionHandle handle() const { return start_.handle; }
  const SocketAddress& remote() const { return start_.remote; }
  bool is_established() const { return connected_at_.has_value(); }
  Instant connected_at() const { return connected_at_.value_or(Instant()); }
  bool was_resumed() const { return resumed_; }
  bool offers_early_data() const { return start_.remembered && !is_established(); }
  bool accepted_early_data() const { return early_data_accepted_; }
  bool is_over() const { return over_; }
  bool is_closing() const { return closing_; }
  /// Why it is over.
  const Failure& failure() const { return failure_; }
  /// A request could be opened on it.
  bool takes(const ClientTransfer& transfer) const;
  bool has_room() const { return transfers_.size() < context_.options.exchanges_max && !out_of_streams_; }
  bool is_going_away() const { return going_away_ || closing_ || over_; }
  bool is_idle() const { return transfers_.empty(); }
  bool was_used() const { return requests_ > 0; }
  Instant idle_since() const { return idle_since_; }
  bool got_ticket() const { return got_ticket_; }
  Duration probe_timeout() const;

  h3::Session* session();
  void on_event(quic::Event& event);
  void take_events();
  /// CONNECTION_CLOSE with H3_NO_ERROR. Transfers are requeued or fail.
  void close();

  // Transfers.
  void attach(uint64_t stream, ClientTransfer& transfer);
  void detach(uint64_t stream);
  void note_out_of_streams() { out_of_streams_ = true; }

 private:
  friend struct ClientEventVisitor;
  ClientTransfer* find(uint64_t stream);
  /// To go through while they come and go.
  std::vector<ClientTransfer*> transfers_now() const;
  void on_connected(const quic::Connected& event);
  void on_closed(const quic::Closed& event);
  void on_resumption(quic::ResumptionState state);
  void keep_tickets();
  void on_goaway(uint64_t id);
  void note_used();

  ClientContext& context_;
  Start start_;
  h3::OverQuic over_quic_;
  std::unordered_map<uint64_t, ClientTransfer*> transfers_;
  std::vector<quic::ResumptionState> tickets_;  // that wait for SETTINGS
  std::optional<Instant> connected_at_;
  Instant idle_since_;
  uint64_t requests_ = 0;
  Failure failure_{.kind = FailureKind::cancelled, .text = "the client closed the connection"};
  bool settings_known_ = false;
  bool resumed_ = false;
  bool early_data_accepted_ = false;
  bool got_ticket_ = false;
  bool going_away_ = false;
  bool out_of_streams_ = false;
  bool closing_ = false;  // we have closed it
  bool worth_a_retry_ = false;
  bool over_ = false;
  bool used_ = false;  // noted in ClientContext::used
};

}  // namespace quoll::web
