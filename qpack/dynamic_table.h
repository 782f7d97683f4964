// The dynamic table (RFC 9204 §3.2): field lines first in, first out, numbered by absolute index, within a capacity.
//
// Both sides keep one: the decoder fills it as it is told, the encoder as it decides. It knows neither references nor
// acknowledgments: an encoder asks itself whether it may evict, before it inserts. Texts lie in one block of memory that is
// used as a ring and grows with what the table holds; it is never larger than twice the capacity. Views of entries last
// until the table changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/ring.h"

namespace quoll::qpack {

/// RFC 9204 §3.2.1: what an entry counts beside its name and value.
inline constexpr uint64_t kEntryOverhead = 32;
/// Offsets in a table are 32 bits wide, and nobody has use for more; a larger limit is as good as this one.
inline constexpr uint64_t kTableCapacityMax = uint64_t{1} << 30;

constexpr uint64_t entry_size(std::string_view name, std::string_view value) {
  return name.size() + value.size() + kEntryOverhead;
}

/// RFC 9204 §4.5.1.1: MaxEntries of a decoder that announced this maximum capacity.
constexpr uint64_t max_entries(uint64_t max_table_capacity) { return max_table_capacity / kEntryOverhead; }

class DynamicTable {
 public:
  struct Entry {
    std::string_view name;
    std::string_view value;
    uint64_t size() const { return entry_size(name, value); }
  };

  /// `maximum`: the largest capacity that it may ever get (§3.2.3). The capacity is 0 at first.
  explicit DynamicTable(uint64_t maximum);

  uint64_t maximum() const { return maximum_; }
  uint64_t capacity() const { return capacity_; }
  uint64_t size() const { return size_; }
  /// Entries inserted so far: the absolute index of the next one.
  uint64_t insert_count() const { return entries_.next(); }
  /// The absolute index of the oldest entry; insert_count() when there is none.
  uint64_t first() const { return entries_.first(); }

  /// Empty when it was evicted or is yet to come.
  std::optional<Entry> find(uint64_t absolute_index) const;

  /// Evicts what is too much; `capacity` <= maximum().
  void set_capacity(uint64_t capacity);
  /// Evicts as needed, then adds. False, and nothing changed, when the entry is larger than the capacity. `name` may lie in
  /// the table, also in an entry that is evicted by this; `value` may not.
  [[nodiscard]] bool insert(std::string_view name, std::string_view value);
  /// The same for a copy of an entry that is there; it always fits.
  void duplicate(uint64_t absolute_index);

  void check_invariants() const;

 private:
  struct Place {
    uint32_t offset = 0;
    uint32_t name_size = 0;
    uint32_t value_size = 0;
    uint64_t size() const { return uint64_t{name_size} + value_size + kEntryOverhead; }
  };

  void evict_to(uint64_t size);
  /// Room for `size` bytes of text in one piece. The block that was in use before is kept in `old` if it is replaced.
  uint32_t make_room(uint64_t size, std::unique_ptr<char[]>& old);
  std::optional<uint32_t> room_in_ring(uint64_t size) const;
  uint64_t text_size() const { return size_ - entries_.size() * kEntryOverhead; }

  uint64_t maximum_;
  uint64_t capacity_ = 0;
  uint64_t size_ = 0;
  Ring<Place> entries_;  // numbered by absolute index
  std::unique_ptr<char[]> text_;
  uint64_t text_capacity_ = 0;
};

}  // namespace quoll::qpack
