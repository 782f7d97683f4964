// ClientOrigin: a server as URLs name it (scheme, host, port, and where connect_to leads): its addresses, the connections
// to it, and the transfers that wait for one.
//
// A connection is tried address by address: the next one follows at once when an attempt fails, and after kAttemptDelay
// without an answer (RFC 8305 §5, §8), while the former go on. The first to be established wins, and the others are closed.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "web/client_connection.h"
#include "web/client_transfer.h"

namespace quoll::web {

/// A server whose connections take no request at all is not asked for ever.
inline constexpr int kUselessConnectionsMax = 3;
inline constexpr Duration kAttemptDelay = Duration::milliseconds(300);

class ClientOrigin {
 public:
  struct Key {
    std::string scheme, host;
    uint16_t port = 0;
    std::string target_host;
    uint16_t target_port = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  ClientOrigin(ClientContext& context, Key key, std::string authority);

  void add(ClientTransfer& transfer) { waiting_.push_back(&transfer); }
  void remove(ClientTransfer& transfer) { std::erase(waiting_, &transfer); }
  /// What is due: connections that ended are forgotten, transfers that wait are opened, attempts are begun.
  void turn();
  Instant next_timeout() const;
  /// ICMP says that nobody listens at the address.
  void on_refused(const SocketAddress& remote);
  bool is_empty() const { return waiting_.empty() && connections_.empty(); }
  std::list<std::unique_ptr<ClientConnection>>& connections() { return connections_; }
  void close_all();

 private:
  void forget_ended();
  void end_losers();
  void close_idle();
  void open_waiting();
  bool wants_connection() const;
  bool is_attempting() const;
  void attempt();
  bool resolve();
  void begin(const SocketAddress& remote);
  void fail_waiting(const Failure& failure);

  ClientContext& context_;
  Key key_;
  std::string authority_;
  std::string server_name_;  // for TLS
  std::list<std::unique_ptr<ClientConnection>> connections_;
  std::deque<ClientTransfer*> waiting_;

  // The attempts of now.
  std::vector<IpAddress> addresses_;
  size_t next_address_ = 0;
  bool attempting_ = false;
  Instant next_attempt_ = Instant::never();
  int useless_ = 0;                 // connections in a row that took no request
  std::optional<Failure> failure_;  // of the last one
};

}  // namespace quoll::web
