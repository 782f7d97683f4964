#include "qpack/indexing_policy.h"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

namespace quoll::qpack {

namespace {

/// Names that are remembered, in sets by hash.
constexpr size_t kNames = 64;
constexpr size_t kNamesInSet = 4;
/// Lines that are remembered: some more than the table holds. A connection of a few requests stays with the fewest.
constexpr uint64_t kRememberedMin = 64;
constexpr uint64_t kRememberedMax = 1024;
constexpr uint64_t kCapacityPerRemembered = 8;
/// New lines of one name that are counted before both counts are halved.
constexpr uint16_t kLinesMax = 16;

/// An insert costs a byte more than a literal when the section itself references it, and drives others out.
constexpr uint64_t kWorthMin = 4;
/// When it may not, the line is sent twice: then it must be likely to come again, by its name (in 256) or, since it did
/// before, by itself (in 100 of what a reference saves).
constexpr uint64_t kShareMin = 160;
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
      remembered_max_(static_cast<size_t>(
          std::bit_ceil(std::clamp(table_capacity / kCapacityPerRemembered, kRememberedMin, kRememberedMax)))) {}

void IndexingPolicy::Name::count_line() {
  if (later.lines >= kLinesMax) {
    later.lines /= 2;
    later.again /= 2;
  }
  later.lines++;
}

void IndexingPolicy::Name::count_again(Remembered& remembered) {
  if (std::exchange(remembered.is_counted, false) && later.again < later.lines) later.again++;
}

IndexingPolicy::Remembered& IndexingPolicy::remembered(LineHash hash) {
  if (remembered_.empty()) remembered_.resize(kRememberedMin);
  return remembered_[hash.line & (remembered_.size() - 1)];
}

void IndexingPolicy::remember(Remembered& place, const Remembered& line) {
  if (place.hash == 0) remembered_used_++;
  place = line;
  if (4 * remembered_used_ <= remembered_.size() || remembered_.size() == remembered_max_) return;
  // Lines that had a place each keep one each.
  const std::vector<Remembered> before = std::exchange(remembered_, std::vector<Remembered>(2 * remembered_.size()));
  for (const Remembered& one : before) {
    if (one.hash != 0) remembered({.name = 0, .line = one.hash}) = one;
  }
}

IndexingPolicy::Name& IndexingPolicy::name_of(std::string_view name, uint32_t hash) {
  if (names_.empty()) names_.resize(kNames);
  const auto set = std::span(names_).subspan(hash % (kNames / kNamesInSet) * kNamesInSet, kNamesInSet);
  const auto found = std::ranges::find(set, hash, &Name::hash);
  const bool is_there = found != set.end();
  const auto place = is_there ? found : set.end() - 1;
  std::rotate(set.begin(), place, place + 1);
  if (is_there) return set.front();
  // Of new lines of a name that nothing is known of, two in five came again. Its first line does much oftener, but not how
  // often is known: it counts for less than those that come with every message.
  Name known = {.hash = hash, .first = {.again = 1, .lines = 3}, .later = {.again = 2, .lines = 5}};
  if (contains(kConstant, name)) known.first = {.again = 1, .lines = 1};
  if (contains(kChanging, name)) {
    known.is_changing = true;
    known.first = known.later = {.again = 1, .lines = 8};
  }
  return set.front() = known;
}

std::optional<uint64_t> IndexingPolicy::on_new(const Line& line) {
  Name& name = name_of(line.name, line.hash.name);
  Remembered& seen = remembered(line.hash);
  if (seen.hash == line.hash.line) {
    name.count_again(seen);
    seen.worth.add(line.saved, line.now, half_life_);
    const uint64_t worth = seen.worth.at(line.now, half_life_);
    const bool wanted = line.pays_now ? worth >= kWorthMin : worth * 100 >= line.saved * kWorthOfSavedMin;
    return wanted ? std::optional(worth) : std::nullopt;
  }
  const bool is_first = !std::exchange(name.is_known, true);
  const uint64_t worth = (is_first ? name.first : name.later).of(line.saved);
  const bool wanted = wants_unseen(name, line, is_first, worth);
  Remembered made = {.hash = line.hash.line, .is_counted = !is_first, .worth = {}};
  made.worth.add(worth, line.now, half_life_);
  remember(seen, made);
  if (!is_first) name.count_line();
  return wanted ? std::optional(worth) : std::nullopt;
}

bool IndexingPolicy::wants_unseen(Name& name, const Line& line, bool is_first, uint64_t worth) {
  if (!line.pays_now) return is_first ? !name.is_changing : name.later.of(256) >= kShareMin;
  // Other lines of the section are judged alike: it may have several of a name.
  if (worth < kWorthMin || (name.on_probation && name.inserted_at != line.now)) return false;
  name.on_probation = true;
  name.inserted_at = line.now;
  return true;
}

void IndexingPolicy::on_repeated(std::string_view name, LineHash hash) {
  Name& known = name_of(name, hash.name);
  known.on_probation = false;
  if (Remembered& seen = remembered(hash); seen.hash == hash.line) known.count_again(seen);
}

}  // namespace quoll::qpack
