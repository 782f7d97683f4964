#include "tests/sim/journal.h"

#include <algorithm>

#include "quic/wire/packet_header.h"

namespace quoll::sim {

std::string packet_name(Bytes start) {
  if (start.empty()) return "nothing";
  if ((start[0] & quic::kLongHeaderBit) == 0) return "1-RTT";
  if (start.size() < 5) return "long";
  const auto version = quic::Version{load_be<uint32_t>(start.data() + 1)};
  if (version == quic::Version::negotiation) return "Version Negotiation";
  static constexpr const char* kNames[] = {"Initial", "0-RTT", "Handshake", "Retry"};
  const uint8_t bits = (start[0] >> 4) & 3;
  if (version == quic::Version::v1) return std::string(kNames[bits]) + " v1";
  if (version == quic::Version::v2) return std::string(kNames[(bits + 3) & 3]) + " v2";  // RFC 9369 §3.2
  return "unknown version";
}

void Journal::datagram(Instant now, Direction direction, const char* what, const Datagram& datagram) {
  Entry entry{.when = now,
              .direction = direction,
              .what = what,
              .id = datagram.id,
              .size = static_cast<uint32_t>(datagram.bytes.size()),
              .source_port = datagram.source.port,
              .destination_port = datagram.destination.port,
              .ecn = datagram.ecn,
              .origin = datagram.origin,
              .intact = datagram.intact};
  std::copy_n(datagram.bytes.begin(), std::min(entry.start.size(), datagram.bytes.size()), entry.start.begin());
  add(std::move(entry));
}

void Journal::note(Instant now, std::string text) {
  Entry entry;
  entry.when = now;
  entry.text = std::move(text);
  add(std::move(entry));
}

void Journal::add(Entry entry) {
  if (entries_.size() < kCapacity) {
    entries_.push_back(std::move(entry));
  } else {
    entries_[next_] = std::move(entry);
    next_ = (next_ + 1) % kCapacity;
  }
}

size_t Journal::count(const std::vector<Instant>& times, Instant after, Instant until) {
  const auto from = std::upper_bound(times.begin(), times.end(), after);
  return static_cast<size_t>(std::upper_bound(from, times.end(), until) - from);
}

void Journal::write(std::FILE* file) const {
  static constexpr const char* kOrigins[] = {"", " (duplicate)", " (replayed)", " (forged)"};
  static constexpr const char* kEcn[] = {"", " ect1", " ect0", " ce"};
  for (size_t i = 0; i < entries_.size(); i++) {
    const Entry& entry = entries_[(next_ + i) % entries_.size()];
    const double ms = static_cast<double>(entry.when.as_nanoseconds()) / 1e6;
    if (!entry.what) {
      std::fprintf(file, "%12.3f  %s\n", ms, entry.text.c_str());
      continue;
    }
    std::fprintf(file, "%12.3f  %s %-22s #%-6llu %5u bytes %u->%u %s%s%s%s\n", ms,
                 entry.direction == Direction::to_server ? "->" : "<-", entry.what,
                 static_cast<unsigned long long>(entry.id), entry.size, entry.source_port, entry.destination_port,
                 packet_name(Bytes(entry.start).first(std::min<size_t>(entry.start.size(), entry.size))).c_str(),
                 kEcn[static_cast<size_t>(entry.ecn)], kOrigins[static_cast<size_t>(entry.origin)],
                 entry.intact ? "" : " (changed)");
  }
}

}  // namespace quoll::sim
