// Range fields of strangers: what is selected lies inside, is disjoint, and selects itself again when it is written as a
// field. Content-Range: what is taken is written and taken again.
#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "http/range.h"

using namespace quoll;

namespace {

void check_selection(std::string_view field, uint64_t size) {
  const http::SelectedRanges selected = http::select_ranges(field, size);
  QUOLL_CHECK((selected.verdict == http::RangeVerdict::partial) == !selected.ranges.empty());
  QUOLL_CHECK(selected.ranges.size() <= http::kRangesMax);
  if (selected.ranges.empty()) return;
  std::string written = "bytes=";
  for (const http::ByteRange& range : selected.ranges) {
    QUOLL_CHECK(range.size > 0 && range.offset < size && range.size <= size - range.offset);
    if (written.back() != '=') written += ',';
    written += std::to_string(range.offset) + "-" + std::to_string(range.end() - 1);
    const auto content = http::parse_content_range(http::content_range(range, size));
    QUOLL_CHECK(content && content->range == range && content->representation_size == size);
  }
  QUOLL_CHECK(http::select_ranges(written, size).ranges == selected.ranges);
  auto sorted = selected.ranges;
  std::ranges::sort(sorted, {}, &http::ByteRange::offset);
  for (size_t i = 1; i < sorted.size(); i++) QUOLL_CHECK(sorted[i - 1].end() < sorted[i].offset);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 8) return 0;
  const uint64_t representation_size = load_be<uint64_t>(data);
  const std::string_view text = as_text(Bytes(data, size).subspan(8));
  check_selection(text, representation_size);
  check_selection(text, representation_size % 100);
  if (const auto content = http::parse_content_range(text)) {
    QUOLL_CHECK(content->range || content->representation_size);
    if (content->range && content->representation_size) {
      QUOLL_CHECK(http::parse_content_range(http::content_range(*content->range, *content->representation_size)) ==
                  content);
    }
  }
  return 0;
}
