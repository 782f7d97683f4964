#include "quic/stream/stream_table.h"

#include <map>

#include "tests/support/heap.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

TEST_SUITE("quic stream table") {
  TEST_CASE("random insertions and removals agree with a map") {
    const uint64_t seed = tests::test_seed(5);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    StreamTable table;
    std::map<uint64_t, Stream*> model;
    for (int step = 0; step < 50'000; step++) {
      const uint64_t id = rng.below(step % 10'000 < 5000 ? 600 : 60);
      const auto found = model.find(id);
      REQUIRE_EQ(table.find(StreamId(id)), found == model.end() ? nullptr : found->second);
      if (found == model.end()) {
        model[id] = &table.insert(StreamId(id));
      } else {
        table.erase(*found->second);
        model.erase(found);
      }
      REQUIRE_EQ(table.size(), model.size());
    }
    size_t visited = 0;
    table.for_each([&](Stream& stream) { visited += model.at(stream.id().value()) == &stream; });
    CHECK_EQ(visited, model.size());
  }

  TEST_CASE("memory is given back") {
    const size_t before = tests::heap_bytes();
    StreamTable table;
    for (uint64_t i = 0; i < 1000; i++) table.insert(StreamId(4 * i));
    for (uint64_t i = 0; i < 1000; i++) table.erase(*table.find(StreamId(4 * i)));
    CHECK_EQ(tests::heap_bytes(), before);
  }

  TEST_CASE("a stream is small beside its buffers") {
    CHECK_LE(sizeof(Stream) + sizeof(SendStream) - sizeof(SendBuffer) + sizeof(ReceiveStream) - sizeof(ReceiveBuffer),
             400);
  }
}
