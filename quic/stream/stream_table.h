// StreamTable: the streams that exist, found by id in O(1). An open-addressing hash table, at most half full.
//
// No ring over ids: a stream may stay open while millions after it come and go. The hash has no key: to make n ids
// collide in a table for m streams a peer would have to open and close about n * m of them, and what it keeps open has a
// limit. Streams are objects of the heap, each with its parts: an idle connection with a handful of them must stay
// small, and chunks for four or eight objects would cost it more than the allocator does. Memory is given back as
// streams go.
#pragma once

#include <memory>
#include <vector>

#include "quic/stream/stream.h"

namespace quoll::quic {

class StreamTable {
 public:
  /// Null when there is none.
  Stream* find(StreamId id) const;
  /// A new stream, whose id is not in the table.
  Stream& insert(StreamId id);
  void erase(Stream& stream);
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Calls visit(Stream&) for each stream, in no order; visit must neither insert nor erase.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const std::unique_ptr<Stream>& slot : slots_) {
      if (slot) visit(*slot);
    }
  }

 private:
  using Slots = std::vector<std::unique_ptr<Stream>>;

  static constexpr size_t kSmallest = 8;

  size_t home_of(StreamId id) const {
    return static_cast<size_t>(id.value() * 0x9e3779b97f4a7c15u >> 32) & (slots_.size() - 1);
  }
  size_t place_of(StreamId id) const;
  void resize(size_t slots);

  Slots slots_;  // a power of two, or none
  size_t size_ = 0;
};

}  // namespace quoll::quic
