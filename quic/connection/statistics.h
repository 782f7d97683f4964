// Statistics of a connection: counters and the present state of its path, by value.
#pragma once

#include "base/time.h"
#include "quic/stream/datagram_queue.h"
#include "quic/stream/streams.h"

namespace quoll::quic {

struct Statistics {
  // UDP payloads.
  uint64_t datagrams_sent = 0;
  uint64_t datagrams_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  // QUIC packets.
  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;
  uint64_t packets_lost = 0;
  uint64_t packets_spuriously_lost = 0;
  uint64_t packets_duplicate = 0;
  uint64_t packets_dropped = 0;             // could not be opened or read, or came at the wrong time
  uint64_t packets_undecryptable_kept = 0;  // came before their keys, and were kept
  uint64_t probe_timeouts = 0;
  uint64_t early_repeats = 0;  // of the handshake, before a PTO (RFC 9002 §6.2.3)
  uint64_t key_updates = 0;
  uint64_t migrations = 0;
  uint64_t mtu_probes_sent = 0;
  uint64_t mtu_probes_lost = 0;
  uint64_t black_holes = 0;
  // The current path.
  Duration smoothed_rtt, latest_rtt, min_rtt, rttvar;
  uint64_t congestion_window = 0;
  uint64_t bytes_in_flight = 0;
  uint64_t congestion_events = 0;
  Bandwidth delivery_rate;
  Bandwidth pacing_rate;
  uint16_t mtu = 0;
  bool ecn_capable = false;
  StreamStatistics streams;
  DatagramStatistics datagrams;
};

}  // namespace quoll::quic
