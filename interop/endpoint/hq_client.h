// HqClient: fetches files over hq-interop, over one connection after the other as a plan says.
//
// An application for udp::run(). It ends with the last connection of the plan, or with the first failure: a request that is
// not answered whole, or a connection that ends with an error.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interop/endpoint/download.h"
#include "interop/endpoint/settings.h"
#include "quic/endpoint/endpoint.h"
#include "quic/endpoint/resumption_store.h"
#include "udp/socket.h"

namespace quoll::interop {

/// What one connection does.
struct PlannedConnection {
  std::vector<http::Url> requests;
  bool keeps_ticket = false;  // waits for one, for the next connection
  bool resumes = false;
  bool early_data = false;  // the requests go in 0-RTT
  bool updates_keys = false;
};
/// Which connections a test case wants for its requests.
std::deque<PlannedConnection> plan_for(TestCase test_case, const std::vector<http::Url>& requests);

class HqClient {
 public:
  struct Target {
    Path path;
    std::string server_name;
  };
  HqClient(quic::Endpoint& endpoint, std::shared_ptr<const quic::ClientConfig> config, Target target,
           std::deque<PlannedConnection> plan, std::string downloads)
      : endpoint_(endpoint),
        config_(std::move(config)),
        target_(std::move(target)),
        plan_(std::move(plan)),
        downloads_(std::move(downloads)) {}

  void on_event(Instant now, quic::EndpointEvent& event);
  void on_turn(Instant now);
  bool is_done() const { return done_; }
  Instant next_timeout() const { return give_up_ticket_at_; }
  bool failed() const { return failed_; }

 private:
  struct Fetch {
    std::string name;
    std::unique_ptr<Download> file;
  };

  void connect(Instant now);
  void remember_path(const quic::Connection& connection);
  void send_requests();
  void read(quic::StreamId id);
  void on_closed(const quic::Closed& closed);
  /// Before the handshake is confirmed a close is an error to the peer (RFC 9000 §10.2.3).
  bool is_finished() const { return confirmed_ && pending_.empty() && fetches_.empty(); }
  void fail(const std::string& why);
  quic::Connection* connection() { return handle_ ? endpoint_.find(*handle_) : nullptr; }

  quic::Endpoint& endpoint_;
  std::shared_ptr<const quic::ClientConfig> config_;
  Target target_;
  std::deque<PlannedConnection> plan_;
  std::string downloads_;
  quic::ResumptionStore tickets_;

  // Of the connection in use.
  std::optional<quic::ConnectionHandle> handle_;
  PlannedConnection now_doing_;
  std::deque<http::Url> pending_;
  std::map<quic::StreamId, Fetch> fetches_;
  bool confirmed_ = false;
  bool has_ticket_ = false;
  Instant give_up_ticket_at_ = Instant::never();

  bool done_ = false;
  bool failed_ = false;
};

}  // namespace quoll::interop
