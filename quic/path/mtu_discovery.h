// MtuDiscovery: the largest datagram that a path carries (RFC 8899 §5, RFC 9000 §14): DPLPMTUD from 1200 bytes up to what
// both ends and the interface allow, with the detection of black holes.
//
// A probe is a datagram of its own with PING and PADDING; its loss is no sign of congestion. The search is binary. When
// full-sized packets are lost while smaller ones arrive, the size falls back to the base (§5.? black hole). ICMP hints
// only narrow the search; they are never believed (RFC 9000 §14.2.1).
#pragma once

#include <optional>

#include "base/time.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// UDP payload bytes: RFC 9000 §14.1.
inline constexpr uint16_t kBaseMtu = 1200;

class MtuDiscovery {
 public:
  struct Options {
    bool enabled = true;
    uint16_t initial = kBaseMtu;                       // UDP payload, at least 1200
    uint16_t max = 1452;                               // what the interface takes, if known: 1500 less IPv6 and UDP
    Duration raise_interval = Duration::seconds(600);  // RFC 8899 §5.1.1: PMTU_RAISE_TIMER
  };
  explicit MtuDiscovery(Options options);

  /// The largest UDP payload to send.
  uint16_t mtu() const { return mtu_; }
  /// The peer's max_udp_payload_size.
  void set_peer_max(uint64_t max_udp_payload_size);

  /// The size of a probe that should go out now; empty when none should. Only once the handshake is confirmed.
  std::optional<uint16_t> probe(Instant now) const;
  void on_probe_sent(Instant now, uint16_t size);
  /// True when mtu() has grown.
  bool on_probe_acked(Instant now, uint16_t size);
  void on_probe_lost(Instant now, uint16_t size);
  /// A packet that was no probe arrived, or was lost, in a datagram of `size`. on_packet_lost() is true when mtu() has
  /// fallen back: a black hole.
  void on_packet_acked(uint16_t size);
  bool on_packet_lost(Instant now, uint16_t size);
  /// ICMP "packet too big" names `mtu` (UDP payload bytes), for a packet that we did send: a hint.
  void on_icmp_hint(Instant now, uint16_t mtu);
  Instant next_timeout() const;

 private:
  uint16_t mtu_;
};

}  // namespace quoll::quic
