#include "qpack/indexing_policy.h"

#include <algorithm>
#include <bit>

namespace quoll::qpack {

namespace {

constexpr size_t kNames = 64;
/// Lines that are remembered: some more than the table holds.
constexpr uint64_t kRememberedMin = 64;
constexpr uint64_t kRememberedMax = 1024;
constexpr uint64_t kCapacityPerRemembered = 8;
/// Lines of one name that are counted before both counts are halved.
constexpr uint16_t kLinesMax = 16;

/// An insert costs a byte more than a literal when the section itself references it, and drives others out.
constexpr uint64_t kWorthMin = 3;
/// When it may not, the line is sent twice: then it must be likely to come again, by its name (in 256) or, since it did
/// before, by itself (in 100 of what a reference saves).
constexpr uint64_t kShareMin = 180;
constexpr uint64_t kWorthOfSavedMin = 110;

/// Values that tell one message from the other.
constexpr std::string_view kChanging[] = {
    ":path", "age",        "content-length", "content-md5",       "content-range", "date",
    "etag",  "expires",    "if-none-match",  "if-modified-since", "last-modified", "location",
    "range", "set-cookie", "traceparent",    "x-request-id"};
/// Values that are the same in all messages of a side, or nearly.
constexpr std::string_view kConstant[] = {":authority", "accept-encoding", "accept-language", "server", "user-agent"};

constexpr bool contains(auto& names, std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

}  // namespace

bool is_credential(std::string_view name) { return name == "authorization" || name == "proxy-authorization"; }

IndexingPolicy::IndexingPolicy(uint64_t table_capacity)
    : half_life_(Worth::half_life_of(table_capacity)),
      remembered_(static_cast<size_t>(
          std::bit_ceil(std::clamp(table_capacity / kCapacityPerRemembered, kRememberedMin, kRememberedMax)))),
      names_(kNames) {}

void IndexingPolicy::Name::count(bool again) {
  if (lines >= kLinesMax) {
    lines /= 2;
    repeated /= 2;
  }
  lines++;
  repeated = static_cast<uint16_t>(repeated + (again ? 1 : 0));
}

IndexingPolicy::Name& IndexingPolicy::name_of(std::string_view name, uint32_t hash) {
  Name& known = names_[hash % kNames];
  if (known.hash == hash && known.lines != 0) return known;
  if (contains(kChanging, name)) {
    known = {.hash = hash, .lines = 8, .repeated = 1};
  } else if (contains(kConstant, name)) {
    known = {.hash = hash, .lines = 8, .repeated = 8};
  } else {
    known = {.hash = hash, .lines = 2, .repeated = 1};
  }
  return known;
}

std::optional<uint64_t> IndexingPolicy::on_new(const Line& line) {
  Name& name = name_of(line.name, line.hash.name);
  Remembered& remembered = remembered_[line.hash.line % remembered_.size()];
  const bool again = remembered.hash == line.hash.line;
  name.count(again);
  if (!again) remembered = {.hash = line.hash.line, .worth = {}};
  remembered.worth.add(again ? line.saved : name.share_of(line.saved), line.now, half_life_);
  const uint64_t worth = remembered.worth.at(line.now, half_life_);
  const bool wanted = line.pays_now ? worth >= kWorthMin
                                    : name.share_of(256) >= kShareMin || worth * 100 >= line.saved * kWorthOfSavedMin;
  return wanted ? std::optional(worth) : std::nullopt;
}

void IndexingPolicy::on_repeated(std::string_view name, LineHash hash) { name_of(name, hash.name).count(true); }

}  // namespace quoll::qpack
