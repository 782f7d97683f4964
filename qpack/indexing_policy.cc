#include "qpack/indexing_policy.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace quoll::qpack {

namespace {

/// Names that are remembered, in sets by hash.
constexpr size_t kNames = 64;
constexpr size_t kNamesInSet = 4;
/// Places for lines that are remembered, when the first one comes and at most: some more than the table holds.
constexpr size_t kRememberedFirst = 8;
constexpr uint64_t kRememberedMin = 64;
constexpr uint64_t kRememberedMax = 1024;
constexpr uint64_t kCapacityPerRemembered = 8;
/// Below the largest size, places for each line; and those where a line may stand.
constexpr size_t kPlacesPerLine = 2;
constexpr uint32_t kPlacesTried = 4;
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

std::span<IndexingPolicy::Name> IndexingPolicy::set_of(uint32_t hash) {
  return std::span(names_).subspan(hash % (names_.size() / kNamesInSet) * kNamesInSet, kNamesInSet);
}

void IndexingPolicy::grow_names() {
  std::vector<Name> before(std::max(kNamesInSet, 2 * names_.size()));
  before.swap(names_);
  // The order within the sets stays.
  for (const Name& known : before) {
    if (known.hash != 0) *std::ranges::find(set_of(known.hash), 0U, &Name::hash) = known;
  }
}

/// The place of a line, or for it: one that is free, else one of another line, which is forgotten.
IndexingPolicy::Remembered& IndexingPolicy::remembered(uint32_t hash) {
  const auto place = [&](uint32_t i) -> Remembered& { return remembered_[(hash + i) & (remembered_.size() - 1)]; };
  for (uint32_t i = 0; i < kPlacesTried; i++) {
    if (place(i).hash == hash || place(i).hash == 0) return place(i);
  }
  return place(0);
}

void IndexingPolicy::make_room_for_line() {
  if (lines_ * kPlacesPerLine < remembered_.size() || remembered_.size() == remembered_max_) return;
  std::vector<Remembered> before(std::max(kRememberedFirst, 2 * remembered_.size()));
  before.swap(remembered_);
  for (const Remembered& line : before) {
    if (line.hash != 0) remembered(line.hash) = line;
  }
}

IndexingPolicy::Name& IndexingPolicy::name_of(std::string_view name, uint32_t hash) {
  if (names_.empty()) grow_names();
  auto set = set_of(hash);
  auto found = std::ranges::find(set, hash, &Name::hash);
  while (found == set.end() && set.back().hash != 0 && names_.size() < kNames) {
    grow_names();
    set = set_of(hash);
    found = set.end();
  }
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
  make_room_for_line();
  Remembered& seen = remembered(line.hash.line);
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
  if (seen.hash == 0) lines_++;
  seen = {.hash = line.hash.line, .is_counted = !is_first, .worth = {}};
  seen.worth.add(worth, line.now, half_life_);
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
  if (remembered_.empty()) return;
  if (Remembered& seen = remembered(hash.line); seen.hash == hash.line) known.count_again(seen);
}

}  // namespace quoll::qpack
