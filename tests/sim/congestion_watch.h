// CongestionWatch: what connections owe the network, looked at from outside, around each train that a host sends (RFC 9002 §7):
//
// - the window is never below its floor (§7.2);
// - what is in flight exceeds the window by probes of a PTO alone (§7.5), two datagrams in each packet number space, and by one
//   datagram when a recovery begins (§7.3.2);
// - over any 10 ms no more comes into flight than the highest pacing rate of that time allows, one bucket of the pacer's, an
//   initial window for each time that nothing was in flight, and probes (§7.7, quic/recovery/pacer.h).
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "quic/endpoint/endpoint.h"

namespace quoll::sim {

class CongestionWatch {
 public:
  /// From now on this connection is looked at.
  void add(quic::ConnectionHandle connection);
  void clear() { watched_.clear(); }
  /// Before the endpoint is asked for a train.
  void before(Instant now, const quic::Endpoint& endpoint);
  /// After it gave this one. What is wrong, or empty.
  std::string after(const Transmit& train, const quic::Endpoint& endpoint);

  /// Trains that came while a pacing rate was known.
  uint64_t paced_trains() const { return paced_trains_; }

 private:
  static constexpr Duration kSpan = Duration::milliseconds(10);

  struct Sent {
    Instant at;
    uint64_t bytes = 0;
    uint64_t unpaced = 0;  // of these, what need not heed the pacer
  };
  struct Watched {
    quic::ConnectionHandle connection;
    quic::Statistics last;
    uint64_t probes_allowed = 0, unpaced_probes_allowed = 0;  // bytes, since the last PTO
    uint64_t idle_burst = 0;                                  // bytes, since nothing was in flight
    std::deque<Sent> sent;
    std::deque<std::pair<Instant, Bandwidth>> rates;
  };

  std::string judge(const Transmit& train, Watched& watched, const quic::Statistics& now);
  std::string judge_pacing(Instant departure, Watched& watched, const quic::Statistics& now, uint64_t added,
                           uint64_t unpaced);

  std::vector<Watched> watched_;
  uint64_t paced_trains_ = 0;
};

}  // namespace quoll::sim
