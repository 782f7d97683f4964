// MtuDiscovery: the largest datagram that a path carries (RFC 8899 §5, RFC 9000 §14): DPLPMTUD from 1200 bytes up to
// what both ends and the interface allow, with the detection of black holes. One per path (RFC 9000 §14.2).
//
// A probe is a datagram of its own with PING and PADDING; its loss is no sign of congestion. One is in flight at a
// time, so probes are a round trip apart (RFC 8899 §8). The search begins with the largest size, which most paths
// carry, then halves the range over sizes that are common, then over all, until the gain is small. A size is given up
// after kMtuProbesMax losses. Then it rests, and is raised again after raise_interval if the path was in use.
//
// When packets larger than the base are lost time after time and none as large that was sent later arrives, or after some
// PTOs in a row, the path may have become a black hole (RFC 8899 §4.3): the size falls to the base, and after a pause the
// search begins anew. ICMP hints narrow a search; that packets in use are too big is believed when one is lost (RFC 9000
// §14.2.1).
//
// There are neither BASE and ERROR states nor their probes: a QUIC handshake and path validation prove the base, with
// datagrams of 1200 bytes, and a path that does not carry them is no path (RFC 9000 §14.3.1).
#pragma once

#include <optional>

#include "base/time.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// UDP payload bytes: RFC 9000 §14.1. BASE_PLPMTU and MIN_PLPMTU of RFC 8899.
inline constexpr uint16_t kBaseMtu = 1200;
/// RFC 8899 §5.1.2: MAX_PROBES, for each size.
inline constexpr int kMtuProbesMax = 3;
/// A search ends when there is no more to be won.
inline constexpr uint16_t kMtuGainMin = 20;
/// Instants at which packets were declared lost, with nothing as large acknowledged that left later: a burst in a full
/// queue is one.
inline constexpr int kBlackHoleLosses = 3;
/// PTOs in a row: where nothing at all is acknowledged, no packet is ever declared lost.
inline constexpr uint32_t kBlackHolePtos = 3;
/// From the fall to the next search, doubling with each further black hole up to the raise interval. Long enough for
/// a path that drops now and then not to oscillate (RFC 8899 §5.3.3), short enough to make up for a false alarm.
inline constexpr Duration kBlackHolePause = Duration::seconds(10);

class MtuDiscovery {
 public:
  struct Options {
    bool enabled = true;
    uint16_t initial = kBaseMtu;                       // UDP payload, at least 1200
    uint16_t max = 1452;                               // what the interface takes, if known: 1500 less IPv6 and UDP
    Duration raise_interval = Duration::seconds(600);  // RFC 8899 §5.1.1: PMTU_RAISE_TIMER
  };
  /// Sizes below 1200 are taken for 1200. Not enabled: the size stays at `initial` until it falls.
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
  /// A packet that was no probe, and the datagram's size.
  struct Packet {
    Instant time_sent;
    uint16_t size;
  };
  /// It arrived, or was lost. on_packet_lost() is true when mtu() has fallen back: a black hole.
  void on_packet_acked(Packet packet);
  bool on_packet_lost(Instant now, Packet packet);
  /// The PTO expired for the `count`th time in a row while packets were in flight on this path; true when mtu() has
  /// fallen.
  bool on_pto(Instant now, uint32_t count);
  /// ICMP "packet too big" names `mtu` (UDP payload bytes), for a packet that we did send: a hint.
  void on_icmp_hint(Instant now, uint16_t mtu);
  /// When to look for more again; never while searching, or on a path that was not used since.
  Instant next_timeout() const;
  void on_timeout(Instant now);

  bool is_searching() const { return state_ == State::searching; }

 private:
  enum class State : uint8_t { disabled, searching, resting };

  /// Searches from mtu_ to `largest`, that size first.
  void search(uint16_t largest);
  /// Chooses the next size, or ends the search.
  void choose(Instant now);
  void rest(Instant now, Duration pause);
  void fall(Instant now);
  void suspect_nothing();

  Instant resume_ = Instant::never();     // of a search that rests
  Instant last_loss_ = Instant::never();  // that raised suspicion
  Instant last_black_hole_ = Instant::never();
  std::optional<Instant> full_size_sent_;  // the newest packet of mtu_ bytes that arrived
  Duration raise_interval_;
  Duration pause_ = kBlackHolePause;
  uint16_t limit_;          // the largest size that is allowed
  uint16_t mtu_;            // the largest that is known to work, or is assumed to
  uint16_t too_big_ = 0;    // the smallest that is held not to work
  uint16_t candidate_ = 0;  // the size to probe
  uint16_t in_flight_ = 0;  // the probe's, or 0
  uint16_t hint_ = 0;       // of ICMP, below mtu_ and not confirmed by a loss; or 0
  uint16_t suspect_ = 0;    // the smallest packet lost since suspicion rose
  State state_ = State::disabled;
  uint8_t probes_lost_ = 0;  // of candidate_
  uint8_t losses_ = 0;       // towards kBlackHoleLosses
  bool used_ = false;        // something was delivered since the search rests
};

}  // namespace quoll::quic
