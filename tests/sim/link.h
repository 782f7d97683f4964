// Link: one direction of the network, a list of elements that every datagram passes one after the other. An Element takes
// a datagram at an instant and says what goes on, and when: nothing (lost), the same, something changed, several.
//
// An element is given datagrams in the order of time, also when the elements before it delay them, because what goes on
// later waits in the scheduler.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/journal.h"
#include "tests/sim/scheduler.h"

namespace quoll::sim {

class Link;

/// Where an element puts what becomes of a datagram.
class Exit {
 public:
  Exit(Link& link, size_t next) : link_(link), next_(next) {}
  /// Goes on to the next element, now or later.
  void forward(Instant when, Datagram datagram);
  /// The end of it; `why` is static text.
  void drop(const Datagram& datagram, const char* why);
  /// A line in the journal about something that was done to a datagram.
  void note(const Datagram& datagram, const char* what);

 private:
  Link& link_;
  size_t next_;
};

class Element {
 public:
  virtual ~Element() = default;
  virtual void pass(Instant now, Datagram datagram, Exit& exit) = 0;
};

class Link {
 public:
  using Deliver = std::function<void(Datagram)>;

  Link(Scheduler& scheduler, Journal& journal, Direction direction, Deliver deliver)
      : scheduler_(scheduler), journal_(journal), direction_(direction), deliver_(std::move(deliver)) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  template <class E, class... Arguments>
  E& add(Arguments&&... arguments) {
    auto made = std::make_unique<E>(std::forward<Arguments>(arguments)...);
    E& element = *made;
    elements_.push_back(std::move(made));
    return element;
  }

  void send(Datagram datagram) { enter(0, std::move(datagram)); }
  Direction direction() const { return direction_; }

 private:
  friend class Exit;
  void enter(size_t index, Datagram datagram);

  Scheduler& scheduler_;
  Journal& journal_;
  Direction direction_;
  Deliver deliver_;
  std::vector<std::unique_ptr<Element>> elements_;
};

}  // namespace quoll::sim
