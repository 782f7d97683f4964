#include "base/trace.h"

#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

using namespace quoll;

namespace {

struct PacketSent {
  uint64_t packet_number;
};
struct PacketLost {
  uint64_t packet_number;
};
using Event = std::variant<PacketSent, PacketLost>;

struct Recorder final : TraceSink<Event> {
  void on_event(Instant now, const Event& event) override { events.emplace_back(now, event); }
  std::vector<std::pair<Instant, Event>> events;
};

}  // namespace

TEST_SUITE("trace") {
  TEST_CASE("a sink sees the events in order with their instants") {
    Recorder recorder;
    const Trace<Event> trace(&recorder);
    CHECK(trace);
    trace(Instant::from_nanoseconds(1), PacketSent{.packet_number = 7});
    trace(Instant::from_nanoseconds(2), PacketLost{.packet_number = 8});
    REQUIRE_EQ(recorder.events.size(), 2);
    CHECK_EQ(recorder.events[0].first, Instant::from_nanoseconds(1));
    CHECK_EQ(std::get<PacketSent>(recorder.events[0].second).packet_number, 7);
    CHECK_EQ(std::get<PacketLost>(recorder.events[1].second).packet_number, 8);
  }

  TEST_CASE("without a sink an event is not even built") {
    struct Costly {
      explicit Costly(int& built_count) : built(built_count) {}
      Costly(Costly&& other) : built(other.built) { built++; }
      int& built;
    };
    int built = 0;
    const Trace<std::variant<Costly>> trace;
    CHECK_FALSE(trace);
    trace(Instant(), Costly(built));
    CHECK_EQ(built, 0);
  }
}
