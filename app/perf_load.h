// PerfLoad: the client side of a measurement: connections and requests as a plan says, counted and timed. One thread, one
// socket, straight on quic::Endpoint and h3::OverQuic, so that little stands between the clock and the transport.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/latency_histogram.h"
#include "app/perf.h"
#include "app/perf_data.h"
#include "h3/over_quic.h"
#include "quic/endpoint/endpoint.h"
#include "quic/endpoint/resumption_store.h"
#include "udp/loop.h"
#include "udp/socket.h"
#include "web/clock.h"

namespace quoll::app {

struct PerfPlan {
  SocketAddress remote;
  std::string server_name;
  http::FieldSection request;  // its head, pseudo-header fields included
  size_t connections = 1;      // at a time
  size_t streams = 1;          // requests at a time on each
  uint64_t requests = 1;       // in all; with `time` as many as can be
  std::optional<Duration> time{};
  std::optional<uint64_t> upload{};  // bytes that each request carries
  PerfWork work = PerfWork::transfers;
  bool resumes = false, early_data = false;
  Duration linger{};  // after the last answer, so that what belongs to handshakes is over
  std::shared_ptr<const quic::ClientConfig> config;
};

struct PerfResult {
  uint64_t done = 0, failed = 0;  // requests
  uint64_t connections = 0;       // whose handshakes were complete
  uint64_t resumed = 0, early = 0;
  uint64_t bytes_received = 0, bytes_sent = 0;  // of bodies
  Duration elapsed;
  uint64_t cpu_microseconds = 0;
  LatencyHistogram latency;     // from a request to the end of its answer
  LatencyHistogram first_byte;  // from the first packet of a new connection to the head of its first answer
  LatencyHistogram handshake;   // from that packet to the end of the handshake
  std::string failure;          // the first one, a line for a person
  http::FieldSection fields;    // of the last answer
};

class PerfLoad {
 public:
  /// An Error of the system's: no socket.
  [[nodiscard]] static Result<std::unique_ptr<PerfLoad>> create(PerfPlan plan, const PerfData& data);
  PerfLoad(const PerfLoad&) = delete;
  PerfLoad& operator=(const PerfLoad&) = delete;
  ~PerfLoad();

  /// Does what the plan says; connections that stay stay open. To be called once.
  [[nodiscard]] Result<void> run();
  /// Closes the connections that are left.
  void close();
  const PerfResult& result() const { return result_; }

  // For udp::run().
  void on_event(Instant now, quic::EndpointEvent& event);
  void on_turn(Instant now);
  Instant next_timeout() const;
  bool is_done() const { return done_; }

 private:
  struct Request {
    Instant begin;
    uint64_t sent = 0;  // of the body
    bool refused = false;
  };
  struct Link {
    Link(quic::ConnectionHandle name, const h3::SessionOptions& options, Rng& rng, Instant at)
        : handle(name), h3(h3::Role::client, options, rng), begin(at) {}

    quic::ConnectionHandle handle;
    h3::OverQuic h3;
    Instant begin;
    std::unordered_map<uint64_t, Request> requests;  // by their streams
    bool established = false, answered = false, out_of_streams = false, closing = false, has_ticket = false;
  };

  PerfLoad(PerfPlan plan, const PerfData& data, udp::Loop loop, udp::Socket socket);

  void begin_connections(Instant now);
  bool may_connect() const;
  bool connect(Instant now);
  Link* find(quic::ConnectionHandle handle);
  void forget(Link& link);
  void on_connected(Link& link, Instant now, const quic::Connected& event);
  void on_resumption(Link& link, quic::ResumptionState state);
  void on_closed(Link& link, const quic::Closed& event);
  void take_news(Link& link, Instant now);
  void take(Link& link, Instant now, const h3::Event& event);
  void take_response(Link& link, Instant now, const h3::ResponseReceived& response);
  void send_requests(Link& link, Instant now);
  void send_body(h3::Session& session, Link& link, uint64_t stream);
  void read_body(Link& link, Instant now, uint64_t stream);
  void complete(Link& link, Instant now, uint64_t stream);
  void fail(Link& link, uint64_t stream, const std::string& why);
  /// One that has done its only request.
  void close_used(Link& link);
  bool wants_more() const { return !over_ && begun_ < plan_.requests; }
  /// Nothing more is begun: `why` is not empty when that is a failure.
  void give_up(const std::string& why);
  void begin_measure(Instant now);
  void end_measure(Instant now);

  const PerfPlan plan_;
  const PerfData& data_;
  h3::SessionOptions session_options_;
  web::WallClock clock_;
  udp::Loop loop_;
  udp::Socket socket_;
  std::unique_ptr<quic::Endpoint> endpoint_;
  quic::ResumptionStore tickets_;
  std::optional<h3::Settings> settings_;      // of the server, for 0-RTT
  std::vector<std::unique_ptr<Link>> links_;  // by the handle's index
  size_t open_ = 0;                           // links
  size_t unanswered_ = 0;                     // of these
  uint64_t begun_ = 0;                        // requests; connections where each has one
  bool first_ = true;                         // of the turns
  std::optional<Instant> measured_from_;
  uint64_t cpu_before_ = 0;
  Instant answered_at_;  // the last time
  Instant ends_at_ = Instant::never();
  Instant lingers_until_ = Instant::never();
  bool over_ = false;  // nothing more is begun
  bool closing_ = false;
  bool done_ = false;
  PerfResult result_;
};

}  // namespace quoll::app
