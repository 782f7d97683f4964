// ServerConnection: one HTTP/3 connection of a server's worker: the session over the transport, and its exchanges.
//
// Handlers may use an exchange at any time on the worker's thread, also from the callback of another connection's
// exchange. So a connection that is used notes itself with its worker, which takes the events of those at the end of each
// turn: a callback is never called from within another one.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "h3/over_quic.h"
#include "http/date.h"
#include "quic/endpoint/endpoint.h"
#include "web/clock.h"
#include "web/connection_log.h"
#include "web/server.h"
#include "web/server_exchange.h"

namespace quoll::web {

/// What the connections of a worker share.
struct WorkerContext {
  const ServerOptions* options = nullptr;
  const Handler* handler = nullptr;
  Rng* rng = nullptr;
  quic::Endpoint* endpoint = nullptr;
  Instant now;
  WallClock clock;
  http::FieldSection scratch;  // of the head that is being sent
  std::vector<ServerConnection*> used;
  bool draining = false;  // connections are closed when they are idle
  uint64_t requests = 0;
  uint64_t exchanges = 0;

  /// The value of Date now.
  std::string_view date();

 private:
  int64_t date_second_ = -1;
  http::DateText date_{};
};

class ServerConnection {
 public:
  ServerConnection(WorkerContext& context, quic::ConnectionHandle handle, const quic::Connection& connection,
                   std::unique_ptr<ConnectionLog> log);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  quic::ConnectionHandle handle() const { return handle_; }
  WorkerContext& context() { return context_; }
  const SocketAddress& peer() const { return peer_; }
  bool is_established() const { return established_; }
  /// The transport's connection, until the next call of the endpoint; null when it is over.
  const quic::Connection* transport() const { return context_.endpoint->find(handle_); }
  /// The session, until the next call of the endpoint; null when the connection is over.
  h3::Session* session();

  void on_event(const quic::Event& event);
  /// Tells exchanges what the session has to tell, until it has nothing more.
  void take_events();
  /// Closed, and everybody knows.
  bool is_over() const { return over_; }
  ServerExchange& add_exchange(uint64_t stream, http::FieldSection fields, bool has_request_body);
  void close(h3::ErrorCode code);
  /// Before the end of the turn, take_missed() of that exchange.
  void call_missed(uint64_t stream);
  /// Outlives the connection in the endpoint.
  std::unique_ptr<ConnectionLog> take_log() { return std::move(log_); }

 private:
  friend struct ServerEventVisitor;
  ServerExchange* find(uint64_t stream);
  void note_used();

  WorkerContext& context_;
  quic::ConnectionHandle handle_;
  SocketAddress peer_;
  h3::OverQuic over_quic_;
  std::unordered_map<uint64_t, ServerExchange> exchanges_;  // by stream
  std::vector<uint64_t> missed_;                            // exchanges with take_missed() to call
  std::unique_ptr<ConnectionLog> log_;
  uint64_t close_code_ = 0;
  bool established_ = false;
  bool over_ = false;
  bool used_ = false;  // noted in WorkerContext::used
};

}  // namespace quoll::web
