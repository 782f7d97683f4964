#include "base/buffer_pool.h"

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;

TEST_SUITE("buffer pool") {
  TEST_CASE("a buffer comes back when the last slice of it goes") {
    BufferPool pool(100, 1);
    Slice slice;
    {
      std::optional<Buffer> buffer = pool.take();
      REQUIRE(buffer);
      CHECK_EQ(buffer->size(), 100);
      CHECK_EQ(reinterpret_cast<uintptr_t>(buffer->bytes().data()) % 64, 0);
      slice = buffer->slice(buffer->bytes().first(10));
    }
    CHECK_EQ(slice.pinned_size(), 100);
    CHECK_FALSE(pool.take());
    CHECK_EQ(pool.statistics().refused, 1);
    const uint8_t* memory = slice.data();
    slice = Slice();
    CHECK_EQ(pool.statistics().in_use, 0);
    CHECK_EQ(pool.statistics().free, 1);
    CHECK_EQ(pool.take()->bytes().data(), memory);
  }

  TEST_CASE("trim gives free memory back and leaves what is held") {
    BufferPool pool(100, 10);
    std::vector<Buffer> held;
    for (int i = 0; i < 10; i++) held.push_back(*pool.take());
    held.erase(held.begin() + 3, held.end());
    CHECK_EQ(pool.statistics().free, 7);
    pool.trim(2);
    CHECK_EQ(pool.statistics().free, 2);
    CHECK_EQ(pool.statistics().in_use, 3);
    CHECK_EQ(pool.statistics().high_water, 10);
    held.clear();
    CHECK_EQ(pool.statistics().free, 5);
    pool.trim(0);
    CHECK_EQ(pool.statistics().free, 0);
  }

  TEST_CASE("slices may outlive their pool") {
    auto pool = std::make_unique<BufferPool>(100, 4);
    Buffer buffer = *pool->take();
    copy_bytes(buffer.bytes().data(), as_bytes("still here"));
    Slice first = buffer.slice(buffer.bytes().first(10));
    const Buffer second = *pool->take();
    pool->take();
    pool.reset();
    buffer = Buffer();
    CHECK_EQ(as_text(first.bytes()), "still here");
  }

  TEST_CASE("random takes, slices and drops agree with a naive model") {
    const uint64_t seed = tests::test_seed(3);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    constexpr size_t kLimit = 12;
    BufferPool pool(64, kLimit);
    struct Held {
      Slice slice;
      size_t buffer;
      uint8_t fill;
    };
    std::vector<Held> held;
    size_t taken = 0, high_water = 0, refused = 0;
    for (int step = 0; step < 10000; step++) {
      const auto in_use = [&] {
        std::set<size_t> buffers;
        for (const Held& at : held) buffers.insert(at.buffer);
        return buffers.size();
      };
      const uint64_t choice = rng.below(10);
      if (choice <= 3) {
        const bool full = in_use() == kLimit;
        std::optional<Buffer> buffer = pool.take();
        REQUIRE_EQ(buffer.has_value(), !full);
        if (buffer) {
          const uint8_t fill = static_cast<uint8_t>(rng.next_u64());
          std::memset(buffer->bytes().data(), fill, buffer->size());
          held.push_back({buffer->slice(), taken++, fill});
        } else {
          refused++;
        }
      } else if (choice <= 5 && !held.empty() && held.size() < 100) {
        const Held& from = held[rng.below(held.size())];
        const size_t cut = rng.below(from.slice.size() + 1);
        held.push_back({from.slice.subslice(cut, from.slice.size() - cut), from.buffer, from.fill});
      } else if (choice == 6 && rng.below(20) == 0) {
        const size_t keep = rng.below(kLimit);
        pool.trim(keep);
        REQUIRE_LE(pool.statistics().free, keep);
      } else if (!held.empty()) {
        std::swap(held[rng.below(held.size())], held.back());
        held.pop_back();
      }
      const size_t used = in_use();
      high_water = std::max(high_water, used);
      REQUIRE_EQ(pool.statistics().in_use, used);
      REQUIRE_EQ(pool.statistics().high_water, high_water);
      REQUIRE_EQ(pool.statistics().refused, refused);
      REQUIRE_LE(used + pool.statistics().free, kLimit);
      for (const Held& at : held) {
        REQUIRE(std::ranges::all_of(at.slice.bytes(), [&](uint8_t byte) { return byte == at.fill; }));
      }
    }
  }
}
