// The static table (RFC 9204 §3.1 and appendix A), by index and by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace quoll::qpack {

struct StaticEntry {
  std::string_view name;
  std::string_view value;
};

inline constexpr size_t kStaticEntries = 99;

/// Null for an index that the table does not have.
const StaticEntry* static_entry(uint64_t index);

/// Where a field line stands in the table.
struct StaticMatch {
  uint8_t name_index = 0;              // the first entry of that name
  std::optional<uint8_t> exact_index;  // the entry of that name and value
};
/// Empty when the name is not there.
std::optional<StaticMatch> find_static(std::string_view name, std::string_view value);

}  // namespace quoll::qpack
