// Trace: where an owner reports what it did, as small structs of its layer: `trace_(now, PacketLost{...})`.
//
// A layer names its events in one std::variant and gives each owner a Trace of it. A TraceSink, outside the core, turns
// events into qlog, counters or a test's expectations. Without a sink, which is the default, reporting costs one
// predicted branch: the event is not even built, since everything up to the branch is inlined. What an event points at
// is valid during the call only. A sink observes: it must not call back into the core.
#pragma once

#include <utility>

#include "base/time.h"

namespace quoll {

template <class Event>
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void on_event(Instant now, const Event& event) = 0;
};

template <class Event>
class Trace {
 public:
  /// Reports to nobody.
  constexpr Trace() = default;
  /// The sink outlives the trace.
  explicit constexpr Trace(TraceSink<Event>* sink) : sink_(sink) {}

  /// Something listens: worth asking before work that only the trace needs.
  explicit operator bool() const { return sink_ != nullptr; }

  template <class E>
  void operator()(Instant now, E&& event) const {
    if (sink_) [[unlikely]]
      sink_->on_event(now, Event(std::forward<E>(event)));
  }

 private:
  TraceSink<Event>* sink_ = nullptr;
};

}  // namespace quoll
