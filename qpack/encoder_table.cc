#include "qpack/encoder_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace quoll::qpack {

namespace {

/// Chains are short with as many buckets as entries of usual size; they are never longer than the table has entries.
constexpr uint64_t kUsualEntrySize = 64;
constexpr uint64_t kBucketsMax = 4096;
constexpr size_t kBucketsFirst = 4;

uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9fb21c651e98df25;
  return hash ^ hash >> 32;
}

uint64_t hash_text(uint64_t hash, std::string_view text) {
  const uint8_t* at = as_bytes(text).data();
  size_t left = text.size();
  hash = mix(hash, left);
  for (; left >= 8; at += 8, left -= 8) hash = mix(hash, load_le<uint64_t>(at));
  uint64_t word = 0;
  for (size_t i = 0; i < left; i++) word |= uint64_t{at[i]} << (8 * i);
  return mix(hash, word);
}

}  // namespace

LineHash hash_line(std::string_view name, std::string_view value) {
  const uint64_t hash = hash_text(0x2545f4914f6cdd1d, name);
  return {.name = static_cast<uint32_t>(hash), .line = static_cast<uint32_t>(hash_text(hash, value))};
}

EncoderTable::EncoderTable(uint64_t capacity)
    : table_(capacity),
      half_life_(Worth::half_life_of(table_.maximum())),
      // One more: the note of an entry comes before those that it evicts go.
      notes_(static_cast<size_t>(max_entries(table_.maximum())) + 1),
      buckets_max_(static_cast<size_t>(std::bit_ceil(std::min(table_.maximum() / kUsualEntrySize + 1, kBucketsMax)))),
      names_(kBucketsFirst),
      lines_(kBucketsFirst) {
  table_.set_capacity(table_.maximum());
}

std::optional<uint64_t> EncoderTable::find_line(LineHash hash, std::string_view name, std::string_view value,
                                                uint64_t limit) const {
  for (uint64_t next = lines_[bucket(hash.line)]; next > table_.first();) {
    const uint64_t index = next - 1;
    const Note& note = notes_[index];
    next = note.older_line;
    if (note.hash.line != hash.line || index >= limit) continue;
    const auto entry = table_.find(index);
    if (entry->name == name && entry->value == value) return index;
  }
  return {};
}

std::optional<uint64_t> EncoderTable::find_name(LineHash hash, std::string_view name, uint64_t limit) const {
  for (uint64_t next = names_[bucket(hash.name)]; next > table_.first();) {
    const uint64_t index = next - 1;
    const Note& note = notes_[index];
    next = note.older_name;
    if (note.hash.name == hash.name && index < limit && table_.find(index)->name == name) return index;
  }
  return {};
}

uint64_t EncoderTable::depth(uint64_t absolute_index) const {
  return inserted_ - notes_[absolute_index].inserted_before;
}

bool EncoderTable::has_room(uint64_t size, uint64_t keep_from) const {
  if (size > table_.capacity()) return false;
  uint64_t used = table_.size();
  for (uint64_t index = table_.first(); used > table_.capacity() - size; index++) {
    if (index >= keep_from || notes_[index].pins != 0) return false;
    used -= table_.find(index)->size();
  }
  return true;
}

void EncoderTable::insert(LineHash hash, std::string_view name, std::string_view value) {
  const uint64_t size = entry_size(name, value);
  QUOLL_CHECK(table_.insert(name, value));
  inserted_new_ += size;
  added(hash, size, {});
}

void EncoderTable::duplicate(uint64_t absolute_index) {
  const LineHash hash = notes_[absolute_index].hash;
  // The copy has all its worth; what is left behind is only in the way.
  const Worth worth = std::exchange(notes_[absolute_index].worth, {});
  table_.duplicate(absolute_index);
  added(hash, table_.find(table_.insert_count() - 1)->size(), worth);
}

void EncoderTable::added(LineHash hash, uint64_t size, Worth worth) {
  const Note* made = notes_.emplace(Note{.hash = hash,
                                         .worth = worth,
                                         .pins = 0,
                                         .inserted_before = inserted_,
                                         .new_through = inserted_new_,
                                         .older_name = names_[bucket(hash.name)],
                                         .older_line = lines_[bucket(hash.line)]});
  inserted_ += size;
  while (notes_.first() < table_.first()) {
    QUOLL_DCHECK(notes_.front().pins == 0);
    notes_.pop();
  }
  QUOLL_CHECK(made && notes_.next() == table_.insert_count());
  names_[bucket(hash.name)] = table_.insert_count();
  lines_[bucket(hash.line)] = table_.insert_count();
  if (notes_.size() > names_.size() && names_.size() < buckets_max_) grow_buckets();
}

void EncoderTable::grow_buckets() {
  const size_t buckets = 2 * names_.size();
  names_.assign(buckets, 0);
  lines_.assign(buckets, 0);
  for (uint64_t index = notes_.first(); index != notes_.next(); index++) {
    Note& note = notes_[index];
    note.older_name = std::exchange(names_[bucket(note.hash.name)], index + 1);
    note.older_line = std::exchange(lines_[bucket(note.hash.line)], index + 1);
  }
}

void EncoderTable::unpin(uint64_t absolute_index) {
  QUOLL_CHECK(notes_[absolute_index].pins != 0);
  notes_[absolute_index].pins--;
}

void EncoderTable::check_invariants(uint64_t pins) const {
  table_.check_invariants();
  QUOLL_CHECK(notes_.first() == table_.first() && notes_.next() == table_.insert_count());
  for (uint64_t index = notes_.first(); index != notes_.next(); index++) {
    QUOLL_CHECK(pins >= notes_[index].pins);
    pins -= notes_[index].pins;
  }
  QUOLL_CHECK(pins == 0);
}

}  // namespace quoll::qpack
