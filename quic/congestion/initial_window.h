// InitialWindow: what may be in flight before anything is known of a path but its round-trip time (RFC 9002 §7.2).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/mul_div.h"
#include "base/time.h"

namespace quoll::quic {

struct InitialWindow {
  static constexpr uint32_t kDatagramsMin = 2, kDatagramsMax = 100;
  /// As often, at most, `datagrams` counts on a long path: round trips by way of a geostationary satellite take 0.6 s.
  static constexpr int64_t kSpansMax = 6;

  /// kDatagramsMin to kDatagramsMax. Ten is what RFC 9002 asks for; some large servers begin with two or three times as many.
  uint32_t datagrams = 10;
  /// A window is a rate in disguise: the same one is a sixth of the rate where the round trip is six times as long, and a transfer has as
  /// many more seconds to wait until it has doubled far enough. With a span, `datagrams` are what may be in flight in
  /// each such part of a round trip that is longer: the rate at the beginning is the same on all long paths. Infinite: never.
  Duration span = Duration::infinite();

  /// `round_trip` is zero while it is not known.
  constexpr uint64_t bytes(uint64_t max_datagram_size, Duration round_trip = {}) const {
    // RFC 9002 §7.2 for ten: no more than the larger of 14,720 bytes and two datagrams.
    const uint64_t once = std::min(datagrams * max_datagram_size,
                                   std::max<uint64_t>(datagrams * kEthernetPayload, 2 * max_datagram_size));
    if (span.is_infinite() || round_trip <= span) return once;
    if (round_trip >= span * kSpansMax) return once * kSpansMax;
    return mul_div(once, static_cast<uint64_t>(round_trip.as_nanoseconds()),
                   static_cast<uint64_t>(span.as_nanoseconds()));
  }

  constexpr bool is_sane() const {
    return datagrams >= kDatagramsMin && datagrams <= kDatagramsMax && span > Duration();
  }
  friend bool operator==(const InitialWindow&, const InitialWindow&) = default;

 private:
  static constexpr uint64_t kEthernetPayload = 1472;  // a tenth of RFC 9002's 14,720
};

/// What our programs use: 0.24 s for 300 KB at 40 Mbit/s and 50 ms, where ten datagrams take 0.34 s, and 11 s instead of 14 for 20 MB by way
/// of a satellite. The pacer spreads it over half a round trip; its bursts stay those of RFC 9002 §7.7.
inline constexpr InitialWindow kEagerInitialWindow = {.datagrams = 48, .span = Duration::milliseconds(100)};

}  // namespace quoll::quic
