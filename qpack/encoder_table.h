// The encoder's view of the dynamic table that it fills: entries found by name and by line, and which of them may go
// (RFC 9204 §2.1.1).
//
// Entries leave in the order in which they came, so what keeps an entry keeps all after it: an unacknowledged section pins
// only the oldest entry that it references. Chains of entries with the same hash lead from newer to older ones and end
// where entries are gone; nothing has to be taken out of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ring.h"
#include "qpack/dynamic_table.h"

namespace quoll::qpack {

/// The hashes of a field line that all lookups use.
struct LineHash {
  uint32_t name = 0;
  uint32_t line = 0;
};
LineHash hash_line(std::string_view name, std::string_view value);

/// Bytes that references saved, of which half is forgotten in a half-life: what an entry is likely to save soon. Time is
/// counted in sections.
class Worth {
 public:
  void add(uint64_t saved, uint32_t now, uint32_t half_life) {
    scaled_ = scaled_at(now, half_life) + (saved << kScale);
    last_ = now;
  }
  uint64_t at(uint32_t now, uint32_t half_life) const { return scaled_at(now, half_life) >> kScale; }
  /// Sections until half is forgotten: a small table turns over faster.
  static constexpr uint32_t half_life_of(uint64_t table_capacity) {
    return static_cast<uint32_t>(std::clamp<uint64_t>(table_capacity / 128, 2, 32));
  }

 private:
  static constexpr unsigned kScale = 4;  // binary places
  uint64_t scaled_at(uint32_t now, uint32_t half_life) const {
    const uint32_t age = now - last_;
    if (age / half_life >= 32) return 0;
    const uint64_t whole = scaled_ >> (age / half_life);
    return whole - whole * (age % half_life) / (2 * half_life);
  }

  uint64_t scaled_ = 0;
  uint32_t last_ = 0;
};

class EncoderTable {
 public:
  /// Of that capacity from the beginning, as soon as the peer is told.
  explicit EncoderTable(uint64_t capacity);

  const DynamicTable& entries() const { return table_; }
  uint64_t insert_count() const { return table_.insert_count(); }

  /// The newest entry with that name and value, or that name, among those below `limit`: an absolute index.
  std::optional<uint64_t> find_line(LineHash hash, std::string_view name, std::string_view value, uint64_t limit) const;
  std::optional<uint64_t> find_name(LineHash hash, std::string_view name, uint64_t limit) const;

  /// Sizes of this entry and all newer ones: when it exceeds the capacity, the entry is gone.
  uint64_t depth(uint64_t absolute_index) const;
  /// The same, without this entry and without duplicates: what is new since.
  uint64_t new_since(uint64_t absolute_index) const { return inserted_new_ - notes_[absolute_index].new_through; }
  /// Whether room for an entry can be made without evicting an entry that is pinned, or at or above `keep_from`.
  bool has_room(uint64_t size, uint64_t keep_from) const;
  /// has_room() is true for them. `name` may lie in the table.
  void insert(LineHash hash, std::string_view name, std::string_view value);
  void duplicate(uint64_t absolute_index);

  /// A reference to the entry saves that much.
  void on_used(uint64_t absolute_index, uint64_t saved, uint32_t now) {
    notes_[absolute_index].worth.add(saved, now, half_life_);
  }
  uint64_t worth(uint64_t absolute_index, uint32_t now) const {
    return notes_[absolute_index].worth.at(now, half_life_);
  }
  bool is_pinned(uint64_t absolute_index) const { return notes_[absolute_index].pins != 0; }

  void pin(uint64_t absolute_index) { notes_[absolute_index].pins++; }
  void unpin(uint64_t absolute_index);
  uint64_t evictions() const { return table_.first(); }

  void check_invariants(uint64_t pins) const;

 private:
  /// What is kept beside an entry, under its absolute index.
  struct Note {
    LineHash hash;
    Worth worth;
    uint32_t pins = 0;             // unacknowledged sections whose oldest reference it is
    uint64_t inserted_before = 0;  // sizes of all entries before it, since the beginning
    uint64_t new_through = 0;      // the same with it, but without duplicates
    // Absolute index and one, 0 for none, of the next older entry in the chain.
    uint64_t older_name = 0;
    uint64_t older_line = 0;
  };

  void added(LineHash hash, uint64_t size, Worth worth);
  void grow_buckets();
  size_t bucket(uint32_t hash) const { return hash & (names_.size() - 1); }

  DynamicTable table_;
  uint32_t half_life_;
  Ring<Note> notes_;
  uint64_t inserted_ = 0;
  uint64_t inserted_new_ = 0;
  // Of each hash: absolute index and one of the newest entry, 0 for none. As many as entries, up to a maximum.
  size_t buckets_max_;
  std::vector<uint64_t> names_;
  std::vector<uint64_t> lines_;
};

}  // namespace quoll::qpack
