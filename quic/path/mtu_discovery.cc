#include "quic/path/mtu_discovery.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace quoll::quic {

namespace {

/// UDP payloads that links and tunnels commonly leave: their MTU less 40 or 20 bytes of IP, less 8 of UDP. Ascending.
/// MTUs: 1280 (the least of IPv6), 1400 (VPNs, clouds), 1420 (WireGuard), 1460, 1480 (tunnels), 1492 (PPPoE), 1500
/// (Ethernet), 4352 (FDDI's heirs), 9000 (jumbo frames).
constexpr std::array<uint16_t, 15> kCommonSizes = {1232, 1252, 1352, 1372, 1392, 1412, 1432, 1444,
                                                   1452, 1464, 1472, 4304, 4324, 8952, 8972};
static_assert(std::ranges::is_sorted(kCommonSizes));

/// RFC 9000 §18.2: the largest UDP payload that there is.
constexpr uint16_t kLargestMtu = 65527;

uint16_t at_least_base(uint64_t size) {
  return static_cast<uint16_t>(std::clamp<uint64_t>(size, kBaseMtu, kLargestMtu));
}

/// A size between two others (both excluded) that halves the common sizes there, or else the range.
uint16_t middle(uint16_t below, uint16_t above) {
  const auto* first = std::ranges::upper_bound(kCommonSizes, below);
  const auto* last = std::ranges::lower_bound(kCommonSizes, above);
  if (first < last) return *std::next(first, (last - first) / 2);
  return static_cast<uint16_t>(below + (above - below) / 2);
}

}  // namespace

MtuDiscovery::MtuDiscovery(Options options)
    : raise_interval_(options.raise_interval),
      limit_(at_least_base(options.max)),
      mtu_(std::min(at_least_base(options.initial), limit_)) {
  if (options.enabled) search(limit_);
}

void MtuDiscovery::set_peer_max(uint64_t max_udp_payload_size) {
  // RFC 9000 §14, §18.2: the peer's limit bounds the size as the path does.
  limit_ = std::min(limit_, at_least_base(max_udp_payload_size));
  mtu_ = std::min(mtu_, limit_);
  suspect_nothing();
  if (state_ == State::searching) search(limit_);
  if (mtu_ == limit_) resume_ = Instant::never();
}

std::optional<uint16_t> MtuDiscovery::probe(Instant now) const {
  if (in_flight_ != 0) return {};
  switch (state_) {
    case State::disabled:
      return {};
    case State::searching:
      return candidate_;
    case State::resting:
      if (now < resume_) return {};
      return limit_;
  }
  return {};
}

void MtuDiscovery::on_probe_sent(Instant, uint16_t size) {
  if (state_ == State::resting) search(limit_);
  in_flight_ = size;
}

bool MtuDiscovery::on_probe_acked(Instant now, uint16_t size) {
  const bool awaited = size == in_flight_;
  if (awaited) in_flight_ = 0;
  // An acknowledgment that is late still proves the size, unless the path was given up as a black hole since then.
  if ((!awaited && state_ != State::searching) || size <= mtu_ || size > limit_) return false;
  mtu_ = size;
  full_size_sent_.reset();
  const bool surprise = state_ != State::searching || too_big_ <= size;
  if (surprise) too_big_ = static_cast<uint16_t>(limit_ + 1);
  if (surprise || candidate_ <= size) choose(now);
  return true;
}

void MtuDiscovery::on_probe_lost(Instant now, uint16_t size) {
  if (size != in_flight_) return;
  in_flight_ = 0;
  if (state_ != State::searching || size != candidate_) return;
  // RFC 8899 §5.1.2: a loss is no proof before MAX_PROBES.
  if (++probes_lost_ < kMtuProbesMax) return;
  too_big_ = size;
  choose(now);
}

void MtuDiscovery::on_packet_acked(Packet packet) {
  const uint16_t size = packet.size;
  used_ = true;
  if (size >= mtu_) full_size_sent_ = std::max(full_size_sent_.value_or(packet.time_sent), packet.time_sent);
  if (suspect_ != 0 && size >= suspect_) suspect_nothing();
  if (hint_ != 0 && size > hint_) hint_ = 0;
}

bool MtuDiscovery::on_packet_lost(Instant now, Packet packet) {
  const uint16_t size = packet.size;
  if (size <= kBaseMtu || mtu_ == kBaseMtu) return false;
  // What left later arrived in full size: a queue was full. Its losses are declared one by one, as the time threshold and
  // ACKs have it, with no acknowledgment between.
  if (full_size_sent_ && packet.time_sent <= *full_size_sent_) return false;
  // RFC 9000 §14.2.1: what ICMP said was provisional until loss detection agrees.
  if (hint_ != 0 && size > hint_) {
    const uint16_t hint = hint_;
    fall(now);
    if (state_ == State::resting) search(hint);
    return true;
  }
  if (losses_ != 0 && last_loss_ == now) return false;
  last_loss_ = now;
  suspect_ = losses_ == 0 ? size : std::min(suspect_, size);
  if (++losses_ < kBlackHoleLosses) return false;
  fall(now);
  return true;
}

bool MtuDiscovery::on_pto(Instant now, uint32_t count) {
  if (count < kBlackHolePtos || mtu_ == kBaseMtu) return false;
  fall(now);
  return true;
}

void MtuDiscovery::on_icmp_hint(Instant now, uint16_t mtu) {
  // RFC 9000 §14.2.1: below 1200 it is ignored.
  if (mtu < kBaseMtu) return;
  if (mtu < mtu_) {
    hint_ = hint_ == 0 ? mtu : std::min(hint_, mtu);
    return;
  }
  // RFC 8899 §4.6.2: at or above what is probed, it makes no sense. A hint never raises the size, it says what to try
  // next.
  if (state_ != State::searching || mtu >= candidate_) return;
  too_big_ = static_cast<uint16_t>(mtu + 1);
  candidate_ = 0;
  if (mtu == mtu_) {
    choose(now);
  } else {
    candidate_ = mtu;
    probes_lost_ = 0;
  }
}

Instant MtuDiscovery::next_timeout() const { return state_ == State::resting && used_ ? resume_ : Instant::never(); }

void MtuDiscovery::on_timeout(Instant now) {
  if (now >= next_timeout()) search(limit_);
}

void MtuDiscovery::search(uint16_t largest) {
  resume_ = Instant::never();
  too_big_ = static_cast<uint16_t>(largest + 1);
  candidate_ = largest;
  probes_lost_ = 0;
  state_ = largest > mtu_ ? State::searching : State::resting;
}

void MtuDiscovery::choose(Instant now) {
  probes_lost_ = 0;
  if (too_big_ - 1 - mtu_ < kMtuGainMin) {
    rest(now, raise_interval_);
  } else {
    state_ = State::searching;
    candidate_ = middle(mtu_, too_big_);
  }
}

void MtuDiscovery::rest(Instant now, Duration pause) {
  state_ = State::resting;
  used_ = false;
  // With nothing above to look for, there is nothing to resume.
  resume_ = mtu_ < limit_ ? now + pause : Instant::never();
}

void MtuDiscovery::fall(Instant now) {
  mtu_ = kBaseMtu;
  full_size_sent_.reset();
  in_flight_ = 0;
  suspect_nothing();
  if (state_ == State::disabled) return;
  const bool recent = !last_black_hole_.is_never() && now - last_black_hole_ < raise_interval_;
  pause_ = recent ? std::min(pause_ * 2, raise_interval_) : std::min(kBlackHolePause, raise_interval_);
  last_black_hole_ = now;
  rest(now, pause_);
}

void MtuDiscovery::suspect_nothing() {
  losses_ = 0;
  suspect_ = 0;
  hint_ = 0;
}

}  // namespace quoll::quic
