#include "tests/quic/stream/streams_model.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;

TEST_SUITE("quic streams: model") {
  TEST_CASE("two sides, all operations, over a pipe that loses and reorders") {
    const uint64_t seed = test_seed(1);
    INFO("seed " << seed);
    uint64_t bytes = 0;
    for (uint64_t run = 0; run < 60; run++) {
      SeededRng rng(seed + run);
      StreamLimits limits;
      limits.initial_stream_window = 1 + rng.below(4000);
      limits.max_stream_window = limits.initial_stream_window * (1 + rng.below(8));
      limits.initial_connection_window = 1 + rng.below(8000);
      limits.max_connection_window = limits.initial_connection_window * (1 + rng.below(8));
      limits.max_bidirectional_streams = 1 + rng.below(10);
      limits.max_unidirectional_streams = 1 + rng.below(10);
      limits.send_buffer_max = 1 + rng.below(30'000);
      limits.max_own_streams = 1 + rng.below(12);
      StreamsModel model(rng, limits);
      for (int i = 0; i < 3000; i++) model.step();
      model.finish();
      bytes += model.bytes_read();
    }
    CHECK_GT(bytes, 100'000);
  }

  TEST_CASE("with wide windows too, and no memory stays behind") {
    const uint64_t seed = test_seed(2);
    INFO("seed " << seed);
    const size_t before = heap_bytes();
    for (uint64_t run = 0; run < 10; run++) {
      SeededRng rng(seed + run);
      StreamsModel model(rng, StreamLimits());
      for (int i = 0; i < 3000; i++) model.step();
      model.finish();
    }
    CHECK_EQ(heap_bytes(), before);
  }
}
