#include "tests/sim/congestion_watch.h"

#include <algorithm>

#include "quic/congestion/controller.h"
#include "quic/recovery/pacer.h"
#include "tests/sim/journal.h"

namespace quoll::sim {
namespace {

constexpr uint64_t kProbesOfTimeout = 3 * 2;  // RFC 9002 §6.2.4: up to two, in each space

}  // namespace

void CongestionWatch::add(quic::ConnectionHandle connection) {
  const auto is_it = [&](const Watched& each) { return each.connection == connection; };
  if (std::none_of(watched_.begin(), watched_.end(), is_it)) watched_.emplace_back().connection = connection;
}

void CongestionWatch::before(Instant now, const quic::Endpoint& endpoint) {
  std::erase_if(watched_, [&](const Watched& each) { return !endpoint.find(each.connection); });
  for (Watched& watched : watched_) {
    const quic::Connection* connection = endpoint.find(watched.connection);
    const quic::Statistics statistics = connection->statistics();
    // RFC 9002 §6.2.4, and §6.2.3: what the peer shows to lack of the handshake goes again at once.
    if (statistics.probe_timeouts != watched.last.probe_timeouts ||
        statistics.early_repeats != watched.last.early_repeats) {
      watched.probes_allowed = watched.unpaced_probes_allowed = kProbesOfTimeout * statistics.mtu;
    }
    // RFC 9002 §7.3.2: a packet beyond the window at the beginning of a recovery.
    if (statistics.congestion_events != watched.last.congestion_events) watched.probes_allowed += statistics.mtu;
    if (statistics.migrations != watched.last.migrations || watched.rates.empty()) {  // another path
      watched.sent.clear();
      watched.rates.clear();
      watched.idle_burst = quic::initial_window(statistics.mtu);
    }
    watched.last = statistics;
    watched.rates.emplace_back(now, statistics.pacing_rate);
    while (watched.rates.size() > 1 && watched.rates[1].first <= now - kSpan) watched.rates.pop_front();
  }
}

std::string CongestionWatch::after(const Transmit& train, const quic::Endpoint& endpoint) {
  for (Watched& watched : watched_) {
    const quic::Connection* connection = endpoint.find(watched.connection);
    if (!connection) continue;
    const quic::Statistics statistics = connection->statistics();
    if (std::string wrong = judge(train, watched, statistics); !wrong.empty()) return wrong;
    watched.last = statistics;
  }
  return {};
}

std::string CongestionWatch::judge(const Transmit& train, Watched& watched, const quic::Statistics& now) {
  const quic::Statistics& last = watched.last;
  if (now.congestion_window < quic::minimum_window(quic::kSmallestMaxDatagramSize)) {
    return "a window of " + std::to_string(now.congestion_window) + " bytes, below the floor";
  }
  // Nothing was in flight, or nothing any more when the endpoint began with this train and discarded keys; or there is no rate yet.
  const bool was_idle = now.bytes_in_flight <= train.bytes.size() || last.pacing_rate.is_infinite();
  if (was_idle) watched.idle_burst = quic::initial_window(now.mtu);
  if (now.migrations != last.migrations || now.bytes_in_flight <= last.bytes_in_flight) return {};
  const uint64_t added = now.bytes_in_flight - last.bytes_in_flight;
  // RFC 9000 §14.1: padding, which counts, goes with an ACK or a CONNECTION_CLOSE in an Initial packet.
  if (packet_name(train.bytes).starts_with("Initial")) watched.probes_allowed += now.mtu;
  const uint64_t limit = std::max(last.congestion_window, last.bytes_in_flight);
  const uint64_t beyond = now.bytes_in_flight > limit ? now.bytes_in_flight - limit : 0;
  if (beyond > watched.probes_allowed) {
    return std::to_string(now.bytes_in_flight) + " bytes in flight with a window of " +
           std::to_string(last.congestion_window) + ", and probes of " + std::to_string(watched.probes_allowed);
  }
  watched.probes_allowed -= beyond;
  const uint64_t probes = std::min(watched.unpaced_probes_allowed, added);
  watched.unpaced_probes_allowed -= probes;
  // A probe of the MTU waits as a packet of the present size does, and is paid for afterwards.
  const bool is_mtu_probe = now.mtu_probes_sent != last.mtu_probes_sent;
  return judge_pacing(train.departure, watched, now, added, is_mtu_probe ? added : probes);
}

std::string CongestionWatch::judge_pacing(Instant departure, Watched& watched, const quic::Statistics& now,
                                          uint64_t added, uint64_t unpaced) {
  watched.rates.emplace_back(watched.rates.empty() ? departure : watched.rates.back().first, now.pacing_rate);
  Bandwidth rate;
  for (const auto& [at, each] : watched.rates) rate = std::max(rate, each);
  const uint64_t of_idle_burst = std::min(watched.idle_burst, added);
  if (!watched.last.pacing_rate.is_infinite()) watched.idle_burst -= of_idle_burst;
  unpaced += of_idle_burst;
  watched.sent.push_back({.at = departure, .bytes = added, .unpaced = unpaced});
  while (watched.sent.front().at <= departure - kSpan) watched.sent.pop_front();
  if (rate.is_infinite()) return {};
  paced_trains_++;
  uint64_t bytes = 0, free = 0;
  for (const Sent& each : watched.sent) {
    bytes += each.bytes;
    free += each.unpaced;
  }
  const quic::Pacer::Options pacer;
  const uint64_t quantum = std::min(pacer.quantum_max, rate.bytes_in(pacer.quantum_time));
  const uint64_t bucket = std::max({pacer.burst, quantum, quic::initial_window(now.mtu)});
  const uint64_t allowed = rate.bytes_in(kSpan) + bucket + free;
  if (bytes <= allowed) return {};
  return std::to_string(bytes) + " bytes within 10 ms, where " + std::to_string(allowed) + " are allowed, at " +
         std::to_string(rate.as_bytes_per_second()) + " bytes a second";
}

}  // namespace quoll::sim
