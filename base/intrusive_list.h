// IntrusiveList: a doubly linked list through hooks inside its elements: no allocation, and O(1) for everything.
//
// For who waits: streams with data to send, connections with something to transmit. An element derives from
// ListHook<Tag> once for each list that it may be in; being linked or not is the answer to "is it waiting". The list
// does not own. An element that is destroyed leaves its list by itself; a list that is destroyed unlinks what it held.
// Hooks cannot be copied or moved, since neighbours point at them: elements live in a Slab or as members.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace quoll {

template <class T, class Tag>
class IntrusiveList;

/// The Tag tells the lists apart that one type can be in.
template <class Tag = void>
class ListHook {
 public:
  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { unlink(); }

  bool is_linked() const { return next_ != nullptr; }

  /// Leaves the list; does nothing when in none.
  void unlink() {
    if (!is_linked()) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class IntrusiveList;

  ListHook* previous_ = nullptr;
  ListHook* next_ = nullptr;
};

template <class T, class Tag = void>
class IntrusiveList {
  using Hook = ListHook<Tag>;

 public:
  class Iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    Iterator() = default;
    explicit Iterator(Hook* at) : at_(at) {}
    T& operator*() const { return static_cast<T&>(*at_); }
    T* operator->() const { return &**this; }
    Iterator& operator++() {
      at_ = at_->next_;
      return *this;
    }
    Iterator& operator--() {
      at_ = at_->previous_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(std::exchange(at_, at_->next_)); }
    Iterator operator--(int) { return Iterator(std::exchange(at_, at_->previous_)); }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    Hook* at_ = nullptr;
  };

  IntrusiveList() { ends_.previous_ = ends_.next_ = &ends_; }
  ~IntrusiveList() { clear(); }

  bool empty() const { return ends_.next_ == &ends_; }
  T& front() { return first_or_last(ends_.next_); }
  T& back() { return first_or_last(ends_.previous_); }

  /// The element must be in no list of this Tag.
  void push_back(T& element) { link(ends_.previous_, element, &ends_); }
  void push_front(T& element) { link(&ends_, element, ends_.next_); }
  void insert_before(T& place, T& element) {
    Hook& at = place;
    link(at.previous_, element, &at);
  }

  /// Removes the first element; null when there is none.
  T* pop_front() {
    if (empty()) return nullptr;
    T& element = front();
    static_cast<Hook&>(element).unlink();
    return &element;
  }

  /// Whether an element is in a list of this Tag, and out of whatever list of this Tag it is in. Types with several
  /// hooks say so by the list.
  static bool is_linked(const T& element) { return static_cast<const Hook&>(element).is_linked(); }
  static void remove(T& element) { static_cast<Hook&>(element).unlink(); }

  void clear() {
    while (pop_front()) {
    }
  }

  /// While iterating, the element under the iterator may be unlinked after the iterator has stepped past it.
  Iterator begin() { return Iterator(ends_.next_); }
  Iterator end() { return Iterator(&ends_); }

 private:
  T& first_or_last(Hook* hook) {
    QUOLL_DCHECK(!empty());
    return static_cast<T&>(*hook);
  }

  static void link(Hook* previous, Hook& hook, Hook* next) {
    QUOLL_DCHECK(!hook.is_linked());
    hook.previous_ = previous;
    hook.next_ = next;
    previous->next_ = &hook;
    next->previous_ = &hook;
  }

  Hook ends_;  // before the first element and after the last
};

}  // namespace quoll
