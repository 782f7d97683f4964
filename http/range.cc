#include "http/range.h"

#include <algorithm>
#include <charconv>

#include "http/characters.h"
#include "http/list.h"

namespace quoll::http {
namespace {

constexpr std::string_view kUnit = "bytes";

/// 1*DIGIT off the front. RFC 9110 §14.1.2: numbers that are too large for us are the largest that we have.
std::optional<uint64_t> take_number(std::string_view& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end == text.data() || !is_digit(text[0])) return {};
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc::result_out_of_range ? UINT64_MAX : number;
}

bool take(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

/// One range-spec of a representation that is not empty. Its size is 0: valid, but not satisfiable. Empty: malformed.
std::optional<ByteRange> parse_spec(std::string_view spec, uint64_t representation_size) {
  if (take(spec, "-")) {
    const auto suffix = take_number(spec);
    if (!suffix || !spec.empty()) return {};
    const uint64_t size = std::min(*suffix, representation_size);
    return ByteRange{.offset = representation_size - size, .size = size};
  }
  const auto first = take_number(spec);
  if (!first || !take(spec, "-")) return {};
  uint64_t last = UINT64_MAX;
  if (!spec.empty()) {
    const auto given = take_number(spec);
    if (!given || !spec.empty() || *given < *first) return {};
    last = *given;
  }
  if (*first >= representation_size) return ByteRange{};
  return ByteRange{.offset = *first, .size = std::min(last, representation_size - 1) - *first + 1};
}

/// Ranges that overlap or touch become one, at the place of the first of them.
void coalesce(std::vector<ByteRange>& ranges) {
  struct Placed {
    ByteRange range;
    size_t place;
  };
  std::vector<Placed> sorted;
  sorted.reserve(ranges.size());
  for (size_t i = 0; i < ranges.size(); i++) sorted.push_back({ranges[i], i});
  std::ranges::sort(sorted, {}, [](const Placed& placed) { return placed.range.offset; });
  std::vector<Placed> merged;
  for (const Placed& next : sorted) {
    if (merged.empty() || next.range.offset > merged.back().range.end()) {
      merged.push_back(next);
      continue;
    }
    Placed& before = merged.back();
    before.range.size = std::max(before.range.end(), next.range.end()) - before.range.offset;
    before.place = std::min(before.place, next.place);
  }
  std::ranges::sort(merged, {}, &Placed::place);
  ranges.clear();
  for (const Placed& placed : merged) ranges.push_back(placed.range);
}

}  // namespace

SelectedRanges select_ranges(std::string_view range_field, uint64_t representation_size) {
  // RFC 9110 §14.2: of nothing there are no parts to name.
  if (representation_size == 0) return {};
  const size_t equals = range_field.find('=');
  // RFC 9110 §14.2: a unit that is not understood must be ignored; its name has no case (§14.1).
  if (equals == std::string_view::npos || !equals_ignoring_case(trim(range_field.substr(0, equals)), kUnit)) return {};
  SelectedRanges selected;
  List specs(range_field.substr(equals + 1));
  size_t count = 0;
  while (const auto spec = specs.next()) {
    const auto range = parse_spec(*spec, representation_size);
    if (!range || ++count > kRangesMax) return {};
    if (range->size != 0) selected.ranges.push_back(*range);
  }
  if (count == 0) return {};
  if (selected.ranges.size() > 1) coalesce(selected.ranges);
  selected.verdict = selected.ranges.empty() ? RangeVerdict::unsatisfiable : RangeVerdict::partial;
  return selected;
}

std::string content_range(ByteRange range, uint64_t representation_size) {
  std::string text = "bytes ";
  text.append(std::to_string(range.offset)).append("-").append(std::to_string(range.end() - 1));
  return text.append("/").append(std::to_string(representation_size));
}

std::string unsatisfied_range(uint64_t representation_size) {
  return std::string("bytes */").append(std::to_string(representation_size));
}

std::optional<ContentRange> parse_content_range(std::string_view field) {
  ContentRange content;
  field = trim(field);
  const size_t space = field.find(' ');
  if (space == std::string_view::npos || !equals_ignoring_case(field.substr(0, space), kUnit)) return {};
  field.remove_prefix(space + 1);
  if (!take(field, "*")) {
    const auto first = take_number(field);
    if (!first || !take(field, "-")) return {};
    const auto last = take_number(field);
    if (!last || *last < *first || *last == UINT64_MAX) return {};
    content.range = ByteRange{.offset = *first, .size = *last - *first + 1};
  }
  if (!take(field, "/")) return {};
  if (!take(field, "*")) {
    content.representation_size = take_number(field);
    if (!content.representation_size) return {};
  }
  if (!field.empty()) return {};
  // RFC 9110 §14.4: a range within what there is; and a response without a range has nothing to say but the size.
  if (content.range && content.representation_size && content.range->end() > *content.representation_size) return {};
  if (!content.range && !content.representation_size) return {};
  return content;
}

}  // namespace quoll::http
