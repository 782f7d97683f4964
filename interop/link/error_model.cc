#include "interop/link/error_model.h"

#include <algorithm>

#include "interop/link/packet.h"

namespace quoll::link {
namespace {

bool is_udp(Bytes packet) {
  const std::optional<IpPacket> shape = parse_ip(packet);
  return shape && shape->is_udp;
}

/// By the version field alone, as ns-3's scenario looks at it.
bool is_version_negotiation(Bytes payload) {
  return payload.size() > 5 && std::all_of(payload.begin() + 1, payload.begin() + 5, [](uint8_t b) { return b == 0; });
}

}  // namespace

bool RandomChoice::hits() {
  const bool hit = in_a_row_ < burst_max_ && rng_.below(kWhole) < rate_;
  in_a_row_ = hit ? in_a_row_ + 1 : 0;
  return hit;
}

Fate DropRate::judge(MutBytes packet, Duration) {
  if (!is_udp(packet)) return Fate::delivered;
  return choice_.hits() ? Fate::dropped : Fate::delivered;
}

Fate CorruptRate::judge(MutBytes packet, Duration) {
  const std::optional<IpPacket> shape = parse_ip(packet);
  if (!shape || !shape->is_udp) return Fate::delivered;
  const Bytes payload = Bytes(packet).subspan(shape->payload_at());
  if (is_version_negotiation(payload)) {
    choice_.spare();
    return Fate::delivered;
  }
  if (payload.empty() || !choice_.hits()) return Fate::delivered;
  const size_t offset = rng_.below(std::min(kOffsetMax + 1, payload.size()));
  const auto value = static_cast<uint8_t>(payload[offset] + 1 + rng_.below(255));  // any but the one that is there
  set_payload_byte(packet, *shape, offset, value);
  return Fate::corrupted;
}

Fate DropList::judge(MutBytes packet, Duration) {
  if (!is_udp(packet)) return Fate::delivered;
  return numbers_.contains(++count_) ? Fate::dropped : Fate::delivered;
}

Fate Blackhole::judge(MutBytes, Duration since_start) {
  const int64_t period = (on_ + off_).as_nanoseconds();
  if (period <= 0 || since_start < Duration()) return Fate::delivered;
  const int64_t round = since_start.as_nanoseconds() / period;
  const bool is_off = since_start - (on_ + off_) * round >= on_;
  return is_off && static_cast<uint64_t>(round) < repeat_ ? Fate::dropped : Fate::delivered;
}

}  // namespace quoll::link
