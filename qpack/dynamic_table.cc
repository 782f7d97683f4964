#include "qpack/dynamic_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace quoll::qpack {

namespace {

constexpr uint64_t kSmallestBlock = 256;

/// memmove that takes empty ranges with null pointers.
void move_text(char* to, std::string_view from) {
  if (!from.empty()) std::memmove(to, from.data(), from.size());
}

}  // namespace

DynamicTable::DynamicTable(uint64_t maximum)
    : maximum_(std::min(maximum, kTableCapacityMax)), entries_(static_cast<size_t>(maximum_ / kEntryOverhead)) {}

std::optional<DynamicTable::Entry> DynamicTable::find(uint64_t absolute_index) const {
  const Place* place = entries_.find(absolute_index);
  if (!place) return {};
  const char* name = text_.get() + place->offset;
  return Entry{.name = {name, place->name_size}, .value = {name + place->name_size, place->value_size}};
}

void DynamicTable::set_capacity(uint64_t capacity) {
  QUOLL_CHECK(capacity <= maximum_);
  capacity_ = capacity;
  evict_to(capacity);
}

bool DynamicTable::insert(std::string_view name, std::string_view value) {
  const uint64_t size = entry_size(name, value);
  if (size > capacity_) return false;
  evict_to(capacity_ - size);
  std::unique_ptr<char[]> old;
  const uint32_t offset = make_room(name.size() + value.size(), old);
  // RFC 9204 §3.2.2: the name may be that of an entry that just went. Its bytes are still where they were, or in `old`.
  move_text(text_.get() + offset, name);
  move_text(text_.get() + offset + name.size(), value);
  const Place* made = entries_.emplace(Place{.offset = offset,
                                             .name_size = static_cast<uint32_t>(name.size()),
                                             .value_size = static_cast<uint32_t>(value.size())});
  QUOLL_CHECK(made);
  size_ += size;
  return true;
}

void DynamicTable::duplicate(uint64_t absolute_index) {
  const Place source = entries_[absolute_index];
  const char* const text = text_.get() + source.offset;
  evict_to(capacity_ - source.size());
  std::unique_ptr<char[]> old;
  const uint64_t text_bytes = uint64_t{source.name_size} + source.value_size;
  const uint32_t offset = make_room(text_bytes, old);
  move_text(text_.get() + offset, {text, static_cast<size_t>(text_bytes)});
  const Place* made =
      entries_.emplace(Place{.offset = offset, .name_size = source.name_size, .value_size = source.value_size});
  QUOLL_CHECK(made);
  size_ += source.size();
}

void DynamicTable::evict_to(uint64_t size) {
  while (size_ > size) {
    size_ -= entries_.front().size();
    entries_.pop();
  }
}

std::optional<uint32_t> DynamicTable::room_in_ring(uint64_t size) const {
  if (entries_.empty()) return size <= text_capacity_ ? std::optional<uint32_t>(0) : std::nullopt;
  const Place& oldest = entries_.front();
  const Place& newest = entries_.back();
  const uint64_t tail = uint64_t{newest.offset} + newest.name_size + newest.value_size;
  // Strictly more than is needed, here and below: the newest text never ends where the oldest begins, so offsets tell
  // whether the ring has wrapped, even when texts are empty.
  if (newest.offset < oldest.offset) {  // wrapped: what is free lies between the newest and the oldest
    return oldest.offset - tail > size ? std::optional<uint32_t>(static_cast<uint32_t>(tail)) : std::nullopt;
  }
  if (text_capacity_ - tail >= size) return static_cast<uint32_t>(tail);
  return size < oldest.offset ? std::optional<uint32_t>(0) : std::nullopt;
}

uint32_t DynamicTable::make_room(uint64_t size, std::unique_ptr<char[]>& old) {
  if (const auto offset = room_in_ring(size)) return *offset;
  // Twice what is needed: then a gap at the end, which a text that did not fit there leaves, always has its place too.
  const uint64_t wanted = text_size() + size;
  uint64_t grown = std::max(kSmallestBlock, 2 * text_capacity_);
  while (grown < 2 * wanted) grown *= 2;
  grown = std::max(std::min(grown, 2 * capacity_), wanted);
  auto block = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(grown));
  uint64_t at = 0;
  for (uint64_t index = entries_.first(); index != entries_.next(); index++) {
    Place& place = entries_[index];
    const size_t bytes = size_t{place.name_size} + place.value_size;
    move_text(block.get() + at, {text_.get() + place.offset, bytes});
    place.offset = static_cast<uint32_t>(at);
    at += bytes;
  }
  old = std::exchange(text_, std::move(block));
  text_capacity_ = grown;
  return static_cast<uint32_t>(at);
}

void DynamicTable::check_invariants() const {
  QUOLL_CHECK(capacity_ <= maximum_ && size_ <= capacity_);
  QUOLL_CHECK(text_capacity_ <= std::max(kSmallestBlock, 2 * maximum_));
  uint64_t size = 0;
  for (uint64_t index = entries_.first(); index != entries_.next(); index++) {
    const Place& place = entries_[index];
    QUOLL_CHECK(uint64_t{place.offset} + place.name_size + place.value_size <= text_capacity_);
    size += place.size();
  }
  QUOLL_CHECK(size == size_);
}

}  // namespace quoll::qpack
