#include "quic/stream/stream_table.h"

namespace quoll::quic {

Stream* StreamTable::find(StreamId id) const { return slots_.empty() ? nullptr : slots_[place_of(id)].get(); }

Stream& StreamTable::insert(StreamId id) {
  if (2 * (size_ + 1) > slots_.size()) resize(slots_.empty() ? kSmallest : 2 * slots_.size());
  std::unique_ptr<Stream>& slot = slots_[place_of(id)];
  QUOLL_DCHECK(!slot);
  slot = std::make_unique<Stream>(id);
  size_++;
  return *slot;
}

void StreamTable::erase(Stream& stream) {
  const size_t mask = slots_.size() - 1;
  size_t hole = place_of(stream.id());
  QUOLL_DCHECK(slots_[hole].get() == &stream);
  slots_[hole].reset();
  size_--;
  // Those behind move up where the hole lies between their home and their place, so that no search stops early.
  for (size_t at = (hole + 1) & mask; slots_[at]; at = (at + 1) & mask) {
    const size_t home = home_of(slots_[at]->id());
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = std::move(slots_[at]);
    hole = at;
  }
  if (size_ == 0) {
    Slots().swap(slots_);
  } else if (slots_.size() > kSmallest && 8 * size_ <= slots_.size()) {
    resize(slots_.size() / 2);
  }
}

/// Where `id` is, or would be put.
size_t StreamTable::place_of(StreamId id) const {
  size_t at = home_of(id);
  while (slots_[at] && slots_[at]->id() != id) at = (at + 1) & (slots_.size() - 1);
  return at;
}

void StreamTable::resize(size_t slots) {
  Slots old = std::exchange(slots_, Slots(slots));
  for (std::unique_ptr<Stream>& stream : old) {
    if (stream) slots_[place_of(stream->id())] = std::move(stream);
  }
}

}  // namespace quoll::quic
