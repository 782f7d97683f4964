// Ring: a queue whose elements are numbered 0, 1, 2, … in the order of arrival and found by number in O(1). The numbers
// present are [first, next), always without a gap.
//
// Sent packets live in one, packet number -> entry: a packet number that is skipped on purpose gets an empty entry, an
// entry that is acknowledged out of order is marked by its owner and popped once it is first. It is a plain FIFO too,
// for events, datagrams and slices, so elements need only be movable (trivial ones are moved as memory). Capacity is a
// power of two and doubles as needed; growing moves elements, so references last until the next emplace only. Never
// more than `limit` elements: emplace() refuses. Nothing is allocated before the first element, or once warm.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace quoll {

template <class T>
class Ring {
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  explicit Ring(size_t limit) : limit_(limit) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    clear();
    deallocate();
  }

  /// The number of the oldest element; next() when there is none.
  uint64_t first() const { return first_; }
  /// The number that the next element gets.
  uint64_t next() const { return next_; }
  size_t size() const { return static_cast<size_t>(next_ - first_); }
  bool empty() const { return first_ == next_; }
  size_t limit() const { return limit_; }
  size_t capacity() const { return capacity_; }

  /// The element of a number, null when it is gone or yet to come.
  T* find(uint64_t number) { return number - first_ < next_ - first_ ? slot(number) : nullptr; }
  const T* find(uint64_t number) const { return number - first_ < next_ - first_ ? slot(number) : nullptr; }

  /// The element of a number that is present.
  T& operator[](uint64_t number) {
    QUOLL_DCHECK(number - first_ < next_ - first_);
    return *slot(number);
  }
  const T& operator[](uint64_t number) const {
    QUOLL_DCHECK(number - first_ < next_ - first_);
    return *slot(number);
  }
  T& front() { return (*this)[first_]; }
  const T& front() const { return (*this)[first_]; }
  T& back() { return (*this)[next_ - 1]; }
  const T& back() const { return (*this)[next_ - 1]; }

  /// Makes an element in place, numbered next(); null, and nothing changed, when `limit` are present. A large plain
  /// struct is best made empty and filled through the pointer.
  template <class... Arguments>
  [[nodiscard]] T* emplace(Arguments&&... arguments) {
    if (size() >= limit_) [[unlikely]]
      return nullptr;
    if (size() == capacity_) [[unlikely]] {
      // An argument may lie in the memory that is about to move.
      T made(std::forward<Arguments>(arguments)...);
      move_to(capacity_ == 0 ? kSmallestCapacity : 2 * capacity_);
      return std::construct_at(slot(next_++), std::move(made));
    }
    return std::construct_at(slot(next_++), std::forward<Arguments>(arguments)...);
  }

  /// Removes the oldest element; not empty.
  void pop() {
    QUOLL_DCHECK(!empty());
    std::destroy_at(slot(first_));
    first_++;
  }

  /// Removes all elements; numbering goes on.
  void clear() {
    while (!empty()) pop();
  }

  /// Returns memory beyond what the present elements need.
  void trim() {
    if (empty()) {
      deallocate();
    } else if (const size_t wanted = std::bit_ceil(size()); wanted < capacity_) {
      move_to(wanted);
    }
  }

 private:
  static constexpr size_t kSmallestCapacity = std::bit_floor(std::clamp<size_t>(256 / sizeof(T), 2, 8));

  T* slot(uint64_t number) { return slots_ + (number & (capacity_ - 1)); }
  const T* slot(uint64_t number) const { return slots_ + (number & (capacity_ - 1)); }

  void move_to(size_t capacity) {
    T* slots = std::allocator<T>().allocate(capacity);
    for (uint64_t number = first_; number != next_; number++) {
      T* from = slot(number);
      T* to = slots + (number & (capacity - 1));
      if constexpr (std::is_trivially_copyable_v<T>) {
        std::memcpy(static_cast<void*>(to), from, sizeof(T));
      } else {
        std::construct_at(to, std::move(*from));
        std::destroy_at(from);
      }
    }
    deallocate();
    slots_ = slots;
    capacity_ = capacity;
  }

  void deallocate() {
    if (slots_) std::allocator<T>().deallocate(slots_, capacity_);
    slots_ = nullptr;
    capacity_ = 0;
  }

  T* slots_ = nullptr;
  size_t capacity_ = 0;  // 0 or a power of two
  uint64_t first_ = 0;
  uint64_t next_ = 0;
  size_t limit_;
};

}  // namespace quoll
