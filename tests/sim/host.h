// Host: an Endpoint with its socket: splits trains into datagrams and lets them go at their departure, gathers what
// arrives into trains, keeps the one timer that an endpoint wants, and gives events to an application.
//
// It watches the endpoint's manners as it goes: invariants hold after every use, a timeout that was served is not due
// again, outputs come to an end, the network is not sent more than is due (congestion_watch.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "crypto/drbg.h"
#include "quic/endpoint/endpoint.h"
#include "tests/sim/congestion_watch.h"
#include "tests/sim/journal.h"
#include "tests/sim/scheduler.h"
#include "tests/support/random.h"

namespace quoll::sim {

/// What runs on a host.
class Application {
 public:
  virtual ~Application() = default;
  virtual void on_event(Instant now, const quic::EndpointEvent& event) = 0;
  virtual Instant next_timeout() const = 0;
  virtual void on_timeout(Instant now) = 0;
};

/// Where endpoints and applications report what must not be; the first report ends the scenario.
class Verdict {
 public:
  void fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
  }
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

 private:
  std::string failure_;
};

/// What a run shares.
struct World {
  Scheduler scheduler;
  Journal journal;
  Verdict verdict;

  Instant now() const { return scheduler.now(); }
  void fail(std::string what) {
    journal.note(now(), "FAILURE: " + what);
    verdict.fail(std::move(what));
  }
};

/// The time at the origin of the virtual clock.
inline constexpr UnixTime kSimulationEpoch = UnixTime::from_seconds(1'800'000'000);

class Host {
 public:
  struct Options {
    uint64_t seed = 1;
    size_t scratch_size = 65'535;  // what poll_transmit() gets: the longest train
    bool gather = true;            // datagrams that arrive together become a train
    Duration gather_for = {};      // they wait so long for others
    uint32_t check_every = 1;      // check_invariants() after one in so many uses
    size_t datagram_max = 65'527;  // the largest that may be sent
  };
  struct Counters {
    uint64_t trains_sent = 0;      // of more than one datagram
    uint64_t trains_received = 0;  // likewise
    uint64_t datagrams_sent = 0;
    uint64_t held_for_departure = 0;
  };
  using Send = std::function<void(Datagram)>;

  /// `towards`: where this host sends to. The configuration's clock is set here.
  Host(World& world, Direction towards, quic::EndpointConfig config, const Options& options);
  void attach(Send send, Application* application) {
    send_ = std::move(send);
    application_ = application;
  }

  /// A connection whose manners are to be looked at.
  void watch(quic::ConnectionHandle connection) { watch_.add(connection); }
  uint64_t paced_trains() const { return watch_.paced_trains(); }
  quic::Endpoint& endpoint() { return *endpoint_; }
  const quic::Endpoint& endpoint() const { return *endpoint_; }
  const Counters& counters() const { return counters_; }
  /// The process dies and another one takes its place, which knows nothing of the connections.
  void restart(quic::EndpointConfig config);

  /// From the network.
  void deliver(Datagram datagram);
  /// After any use of the endpoint or a connection: polls all outputs until they are empty, and sets the timer.
  void pump();

 private:
  static constexpr int kTransmitsMax = 50'000;  // of one instant
  static constexpr int kRepeatedTimeoutsMax = 8;

  void receive_all();
  bool transmit_all();
  bool events_all();
  void send_train(const Transmit& train);
  void send_datagram(Datagram datagram);
  void set_timer();
  void on_wake(Instant armed);
  void start(quic::EndpointConfig config);
  void check();

  World& world_;
  Direction towards_;
  Options options_;
  crypto::Drbg rng_;
  tests::SeededRng dice_;
  std::unique_ptr<quic::Endpoint> endpoint_;
  Send send_;
  Application* application_ = nullptr;
  std::vector<uint8_t> scratch_;
  std::vector<Datagram> inbox_;
  bool receiving_ = false;
  bool pumping_ = false;
  bool again_ = false;
  Instant armed_ = Instant::never();
  Instant last_timeout_ = Instant::never();
  int repeated_timeouts_ = 0;
  Instant transmit_instant_ = Instant::never();
  int transmits_ = 0;
  Instant last_departure_;
  uint64_t next_id_ = 0;
  CongestionWatch watch_;
  Counters counters_;
};

}  // namespace quoll::sim
