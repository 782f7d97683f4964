// Byte ranges (RFC 9110 §14): what a Range field asks for, and Content-Range.
//
// select_ranges() judges a field against the size of a representation. A field that is malformed, in another unit than
// bytes, or longer than the limit below is ignored, as §14.2 allows: the whole is sent. Ranges that overlap or touch become
// one, so that no field makes a response larger than the representation and its parts' heads (§17.15); what is left stays in
// the order that was asked for (§15.3.7.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quoll::http {

/// A field with more ranges is ignored. Readers of large documents ask for some ten at a time.
inline constexpr size_t kRangesMax = 64;

/// A part of a representation, not empty.
struct ByteRange {
  uint64_t offset = 0;
  uint64_t size = 0;

  uint64_t end() const { return offset + size; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class RangeVerdict : uint8_t {
  whole,          // there is nothing to heed: 200
  partial,        // 206 with the ranges
  unsatisfiable,  // 416
};

struct SelectedRanges {
  RangeVerdict verdict = RangeVerdict::whole;
  std::vector<ByteRange> ranges{};  // disjoint; for `partial` at least one
};

SelectedRanges select_ranges(std::string_view range_field, uint64_t representation_size);

/// "bytes 0-499/1234".
std::string content_range(ByteRange range, uint64_t representation_size);
/// "bytes */1234", for a 416 response.
std::string unsatisfied_range(uint64_t representation_size);

struct ContentRange {
  std::optional<ByteRange> range{};               // none in a 416 response
  std::optional<uint64_t> representation_size{};  // none where the sender does not know it ("*")
  friend bool operator==(const ContentRange&, const ContentRange&) = default;
};
/// RFC 9110 §14.4. Empty: malformed, contradictory, or in another unit than bytes.
std::optional<ContentRange> parse_content_range(std::string_view field);

}  // namespace quoll::http
