// Slab: objects with stable addresses and handles that know when their object is gone.
//
// A Handle is an index and a generation; find() of a handle whose object was erased gives null, also when the place is
// used again, so a handle can be given to an application or kept in a timer without dangling. A place whose 2^31
// generations are used up is given up, so a stale handle never matches. Objects live in chunks of about a page and
// never move; freed places are used again, last freed first; nothing is allocated once warm. At most `limit` objects
// live at a time. trim() returns the memory of chunks without objects and keeps the generations (8 bytes for each place
// that was ever used).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"

namespace quoll {

/// Names an object of a Slab<T>. A default one names nothing.
template <class T>
struct Handle {
  uint32_t index = 0;
  uint32_t generation = 0;  // odd for every object

  friend bool operator==(Handle, Handle) = default;
};

template <class T>
class Slab {
 public:
  explicit Slab(uint32_t limit) : limit_(limit) {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for_each([this](T& object) { erase(object); });
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t limit() const { return limit_; }

  /// Makes an object; null when `limit` objects live.
  template <class... Arguments>
  T* emplace(Arguments&&... arguments) {
    if (size_ == limit_) return nullptr;
    const uint32_t index = take_place();
    Chunk& chunk = chunks_[index / kPlacesPerChunk];
    if (!chunk.slots) chunk.slots = std::make_unique_for_overwrite<Slot[]>(kPlacesPerChunk);
    chunk.live++;
    size_++;
    places_[index].generation++;
    Slot& slot = chunk.slots[index % kPlacesPerChunk];
    slot.index = index;
    return std::construct_at(slot.object(), std::forward<Arguments>(arguments)...);
  }

  /// The object of a handle; null when it was erased, or the handle names none.
  T* find(Handle<T> handle) {
    if (handle.index >= places_.size() || places_[handle.index].generation != handle.generation) return nullptr;
    if (handle.generation % 2 == 0) return nullptr;
    return object_at(handle.index);
  }

  /// The handle of an object that lives in this slab.
  Handle<T> handle_of(const T& object) const {
    const uint32_t index = reinterpret_cast<const Slot&>(object).index;
    return {.index = index, .generation = places_[index].generation};
  }

  /// Destroys an object of this slab. Its handles find nothing any more, already while its destructor runs.
  void erase(T& object) {
    const uint32_t index = reinterpret_cast<Slot&>(object).index;
    QUOLL_DCHECK(index < places_.size() && &object == object_at(index));
    places_[index].generation++;
    std::destroy_at(&object);
    chunks_[index / kPlacesPerChunk].live--;
    size_--;
    if (places_[index].generation == 0) return;  // all generations used: the place is given up
    places_[index].next_free = std::exchange(free_list_, index);
  }

  /// Calls visit(T&) for each object, in no promised order. visit may erase the object that it was given, and make new
  /// ones, which may be visited or not.
  template <class Visit>
  void for_each(Visit visit) {
    for (uint32_t index = 0; index < places_.size(); index++) {
      if (places_[index].generation % 2 == 1) visit(*object_at(index));
    }
  }

  void trim() {
    for (Chunk& chunk : chunks_) {
      if (chunk.live == 0) chunk.slots.reset();
    }
  }

 private:
  /// The object comes first, so that a reference to it leads to its slot.
  struct Slot {
    alignas(T) std::byte storage[sizeof(T)];
    uint32_t index;

    T* object() { return reinterpret_cast<T*>(storage); }
  };
  struct Chunk {
    std::unique_ptr<Slot[]> slots;  // null when trimmed
    uint32_t live = 0;
  };
  struct Place {
    uint32_t generation = 0;  // odd while an object lives there
    uint32_t next_free = kNone;
  };

  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kChunkSize = 4096;
  static constexpr uint32_t kPlacesPerChunk = std::bit_floor(std::max<uint32_t>(kChunkSize / sizeof(Slot), 1));

  T* object_at(uint32_t index) { return chunks_[index / kPlacesPerChunk].slots[index % kPlacesPerChunk].object(); }

  uint32_t take_place() {
    if (free_list_ != kNone) return std::exchange(free_list_, places_[free_list_].next_free);
    const uint32_t index = static_cast<uint32_t>(places_.size());
    QUOLL_CHECK(index != kNone);
    places_.emplace_back();
    if (index % kPlacesPerChunk == 0) chunks_.emplace_back();
    return index;
  }

  std::vector<Place> places_;
  std::vector<Chunk> chunks_;
  uint32_t free_list_ = kNone;
  uint32_t size_ = 0;
  uint32_t limit_;
};

}  // namespace quoll
