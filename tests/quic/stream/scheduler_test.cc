#include "quic/stream/scheduler.h"

#include <deque>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

struct Entries {
  explicit Entries(size_t count) {
    for (size_t i = 0; i < count; i++) entries.emplace_back(StreamId(4 * i));
  }
  SchedulerEntry& operator[](size_t i) { return entries[i]; }
  void all(Scheduler& scheduler, StreamPriority priority, SendNeed need = SendNeed::credit) {
    for (SchedulerEntry& entry : entries) {
      scheduler.set_priority(entry, priority);
      scheduler.set_need(entry, need);
    }
  }
  std::deque<SchedulerEntry> entries;
};

}  // namespace

TEST_SUITE("quic stream scheduler") {
  // RFC 9218 §4.1
  TEST_CASE("the most urgent stream goes first") {
    Scheduler scheduler;
    Entries entries(8);
    for (uint8_t i = 0; i < 8; i++) {
      scheduler.set_priority(entries[i], {.urgency = static_cast<uint8_t>(7 - i)});
      scheduler.set_need(entries[i], SendNeed::credit);
    }
    for (size_t i = 8; i-- > 0;) {
      CHECK_EQ(scheduler.next(true), &entries[i]);
      scheduler.set_need(entries[i], SendNeed::nothing);
    }
    CHECK_EQ(scheduler.next(true), nullptr);
    CHECK_FALSE(scheduler.can_send(true));
  }

  // RFC 9218 §10
  TEST_CASE("streams that are not incremental go one after the other, the lowest id first") {
    Scheduler scheduler;
    Entries entries(3);
    scheduler.set_need(entries[1], SendNeed::credit);
    scheduler.set_need(entries[2], SendNeed::credit);
    scheduler.set_need(entries[0], SendNeed::credit);
    for (int i = 0; i < 5; i++) {
      CHECK_EQ(scheduler.next(true), &entries[0]);
      scheduler.on_sent(entries[0], 5000);
    }
    scheduler.set_need(entries[0], SendNeed::nothing);
    CHECK_EQ(scheduler.next(true), &entries[1]);
    scheduler.set_need(entries[0], SendNeed::credit);  // it has more: it goes on
    CHECK_EQ(scheduler.next(true), &entries[0]);
  }

  // RFC 9218 §10
  TEST_CASE("incremental streams of one urgency take turns of about a packet") {
    Scheduler scheduler;
    Entries entries(4);
    entries.all(scheduler, {.incremental = true});
    std::vector<size_t> sent(4);
    for (int i = 0; i < 4000; i++) {
      SchedulerEntry* entry = scheduler.next(true);
      REQUIRE(entry);
      const size_t index = entry->id().index();
      const size_t size = index == 0 ? 100 : 1200;  // one with small frames gets as much
      sent[index] += size;
      scheduler.on_sent(*entry, size);
    }
    for (const size_t size : sent) {
      CHECK_GE(size + 2400, sent[0]);
      CHECK_LE(size, sent[0] + 2400);
    }
  }

  // RFC 9000 §13.3
  TEST_CASE("at equal urgency repairs go before new data, and need no credit") {
    Scheduler scheduler;
    Entries entries(3);
    scheduler.set_need(entries[0], SendNeed::credit);
    scheduler.set_need(entries[1], SendNeed::no_credit);
    scheduler.set_priority(entries[2], {.urgency = 1});
    scheduler.set_need(entries[2], SendNeed::credit);
    CHECK_EQ(scheduler.next(true), &entries[2]);
    CHECK_EQ(scheduler.next(false), &entries[1]);
    scheduler.set_need(entries[2], SendNeed::nothing);
    CHECK_EQ(scheduler.next(true), &entries[1]);
    scheduler.set_need(entries[1], SendNeed::nothing);
    CHECK_EQ(scheduler.next(false), nullptr);
    CHECK_FALSE(scheduler.can_send(false));
    CHECK(scheduler.wants_credit());
    CHECK_EQ(scheduler.next(true), &entries[0]);
  }

  TEST_CASE("a stream that changes its priority moves") {
    Scheduler scheduler;
    Entries entries(2);
    entries.all(scheduler, {});
    scheduler.set_priority(entries[1], {.urgency = 0});
    CHECK_EQ(scheduler.next(true), &entries[1]);
    scheduler.set_priority(entries[1], {.urgency = 7});
    CHECK_EQ(scheduler.next(true), &entries[0]);
  }

  TEST_CASE("random streams: the next one is always among the most urgent that can send") {
    const uint64_t seed = tests::test_seed(11);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    Scheduler scheduler;
    Entries entries(20);
    for (int step = 0; step < 20'000; step++) {
      SchedulerEntry& entry = entries[rng.below(20)];
      if (rng.below(3) == 0) {
        scheduler.set_priority(entry,
                               {.urgency = static_cast<uint8_t>(rng.below(8)), .incremental = rng.below(2) == 0});
      } else {
        scheduler.set_need(entry, SendNeed{static_cast<uint8_t>(rng.below(3))});
      }
      for (const bool credit : {false, true}) {
        int best = 8;
        bool repair = false;
        for (SchedulerEntry& e : entries.entries) {
          if (e.need() == SendNeed::nothing || (e.need() == SendNeed::credit && !credit)) continue;
          if (e.priority().urgency < best) repair = false;
          best = std::min<int>(best, e.priority().urgency);
          repair |= e.priority().urgency == best && e.need() == SendNeed::no_credit;
        }
        SchedulerEntry* next = scheduler.next(credit);
        REQUIRE_EQ(next != nullptr, best < 8);
        REQUIRE_EQ(scheduler.can_send(credit), best < 8);
        if (!next) continue;
        REQUIRE_EQ(next->priority().urgency, best);
        REQUIRE_EQ(next->need() == SendNeed::no_credit, repair);
        scheduler.on_sent(*next, rng.below(2000));
      }
    }
  }
}
