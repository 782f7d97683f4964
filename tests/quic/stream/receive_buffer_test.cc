#include "quic/stream/receive_buffer.h"

#include <algorithm>
#include <vector>

#include "base/buffer_pool.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

uint8_t byte_at(uint64_t offset) { return static_cast<uint8_t>(offset * 7 + (offset >> 8)); }

std::vector<uint8_t> bytes_at(uint64_t offset, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = byte_at(offset + i);
  return bytes;
}

Slice slice_at(uint64_t offset, size_t size) { return Slice::copy_of(bytes_at(offset, size)); }

bool insert(ReceiveBuffer& buffer, uint64_t offset, size_t size) {
  return buffer.insert(offset, slice_at(offset, size));
}

std::vector<uint8_t> read_all(ReceiveBuffer& buffer, size_t max = SIZE_MAX) {
  std::vector<uint8_t> bytes;
  while (const std::optional<Slice> slice = buffer.read(max)) {
    bytes.insert(bytes.end(), slice->bytes().begin(), slice->bytes().end());
  }
  return bytes;
}

}  // namespace

TEST_SUITE("quic receive buffer") {
  TEST_CASE("bytes in order are read at once (RFC 9000 §2.2)") {
    ReceiveBuffer buffer;
    CHECK_FALSE(buffer.read(10));
    CHECK(insert(buffer, 0, 100));
    CHECK(insert(buffer, 100, 1000));
    CHECK(buffer.is_readable());
    CHECK_EQ(buffer.contiguous_end(), 1100);
    CHECK_EQ(buffer.read(40)->size(), 40);
    CHECK_EQ(buffer.read_offset(), 40);
    CHECK_EQ(buffer.held(), 1060);
    CHECK_EQ(read_all(buffer), bytes_at(40, 1060));
    CHECK_FALSE(buffer.is_readable());
    CHECK_EQ(buffer.held(), 0);
    CHECK_LE(buffer.memory(), kReceiveKeptMax);
  }

  TEST_CASE("bytes out of order wait for those before them (RFC 9000 §2.2)") {
    ReceiveBuffer buffer;
    CHECK(insert(buffer, 1000, 1000));
    CHECK(insert(buffer, 3000, 1000));
    CHECK_FALSE(buffer.is_readable());
    CHECK_EQ(buffer.held(), 2000);
    CHECK(insert(buffer, 0, 1000));
    CHECK_EQ(buffer.contiguous_end(), 2000);
    CHECK_EQ(read_all(buffer), bytes_at(0, 2000));
    CHECK(insert(buffer, 2000, 1000));
    CHECK_EQ(read_all(buffer), bytes_at(2000, 2000));
    CHECK_LE(buffer.memory(), kReceiveKeptMax);
  }

  TEST_CASE("bytes that come twice are kept once, the first copy (RFC 9000 §2.2)") {
    ReceiveBuffer buffer;
    CHECK(insert(buffer, 1000, 1000));
    CHECK(insert(buffer, 3000, 1000));
    const std::vector<uint8_t> other(5000, 0xee);
    CHECK(buffer.insert(0, Slice::copy_of(other)));
    CHECK_EQ(buffer.held(), 5000);
    CHECK(buffer.insert(0, Slice::copy_of(other)));
    CHECK_EQ(buffer.held(), 5000);
    const std::vector<uint8_t> read = read_all(buffer);
    REQUIRE_EQ(read.size(), 5000);
    for (size_t i = 0; i < read.size(); i++) {
      CHECK_EQ(read[i], (i >= 1000 && i < 2000) || (i >= 3000 && i < 4000) ? byte_at(i) : 0xee);
    }
    CHECK(buffer.insert(4000, Slice::copy_of(other)));
    CHECK_EQ(buffer.held(), 4000);
  }

  TEST_CASE("more gaps than allowed are refused, and nothing changes; what follows in order is taken") {
    ReceiveBuffer buffer;
    for (uint64_t i = 1; i <= kReceiveGapsMax; i++) REQUIRE(insert(buffer, 2 * i, 1));
    CHECK_FALSE(insert(buffer, 2 * kReceiveGapsMax + 2, 1));
    CHECK_EQ(buffer.held(), kReceiveGapsMax);
    CHECK(insert(buffer, 0, 2));
    CHECK_EQ(buffer.contiguous_end(), 3);
    CHECK(insert(buffer, 2 * kReceiveGapsMax + 2, 1));
    CHECK_FALSE(insert(buffer, 2 * kReceiveGapsMax + 4, 1));
    CHECK(insert(buffer, 2 * kReceiveGapsMax + 3, 1));
    CHECK(insert(buffer, 3, 2 * kReceiveGapsMax));
    CHECK_EQ(read_all(buffer), bytes_at(0, 2 * kReceiveGapsMax + 4));
    CHECK_LE(buffer.memory(), kReceiveKeptMax);
  }

  TEST_CASE("after clear() nothing is kept") {
    ReceiveBuffer buffer;
    CHECK(insert(buffer, 0, 100));
    CHECK(insert(buffer, 1000, 100));
    buffer.clear();
    CHECK_EQ(buffer.held(), 0);
    CHECK_EQ(buffer.memory(), 0);
    CHECK_FALSE(buffer.is_readable());
    CHECK(insert(buffer, 0, 100));
    CHECK_FALSE(buffer.read(10));
    CHECK_LE(buffer.memory(), kReceiveKeptMax);
  }

  TEST_CASE("fragments in every order come out in order (RFC 9000 §2.2)") {
    constexpr size_t kSize = 6000;
    const auto run = [&](const char* name, const std::vector<uint64_t>& order, size_t size) {
      CAPTURE(name);
      CAPTURE(size);
      ReceiveBuffer buffer;
      for (const uint64_t offset : order) REQUIRE(insert(buffer, offset, size));
      CHECK_EQ(buffer.held(), kSize);
      CHECK_EQ(read_all(buffer, 77), bytes_at(0, kSize));
      CHECK_LE(buffer.memory(), kReceiveKeptMax);
    };
    for (const size_t size : {size_t{10}, size_t{600}}) {
      std::vector<uint64_t> ascending, descending, interleaved;
      for (uint64_t at = 0; at < kSize; at += size) ascending.push_back(at);
      descending.assign(ascending.rbegin(), ascending.rend());
      for (size_t i = 1; i < ascending.size(); i += 2) interleaved.push_back(ascending[i]);
      for (size_t i = 0; i < ascending.size(); i += 2) interleaved.push_back(ascending[i]);
      run("ascending", ascending, size);
      run("descending", descending, size);
      run("interleaved", interleaved, size);
    }
  }

  TEST_CASE("one piece of data fills many gaps") {
    ReceiveBuffer buffer;
    for (uint64_t at = 1000; at < 9000; at += 1000) REQUIRE(insert(buffer, at, 700));
    REQUIRE(insert(buffer, 500, 9000));
    CHECK_EQ(buffer.held(), 9000);
    CHECK_FALSE(buffer.is_readable());
    REQUIRE(insert(buffer, 0, 2000));
    CHECK_EQ(read_all(buffer), bytes_at(0, 9500));
  }

  TEST_CASE("empty data and old data are no news") {
    ReceiveBuffer buffer;
    CHECK(insert(buffer, 0, 0));
    CHECK(insert(buffer, 500, 0));
    CHECK_EQ(buffer.contiguous_end(), 0);
    CHECK_LE(buffer.memory(), kReceiveKeptMax);
    CHECK(insert(buffer, 0, 700));
    CHECK_FALSE(buffer.read(0));
    CHECK_EQ(read_all(buffer), bytes_at(0, 700));
    CHECK(insert(buffer, 0, 700));
    CHECK(insert(buffer, 699, 1));
    CHECK_FALSE(buffer.is_readable());
    CHECK(insert(buffer, 600, 200));
    CHECK_EQ(read_all(buffer), bytes_at(700, 100));
  }

  TEST_CASE("offsets reach to 2^62-1 (RFC 9000 §4.5)") {
    ReceiveBuffer buffer;
    const uint64_t end = (uint64_t{1} << 62) - 1;
    CHECK(insert(buffer, end - 1000, 1000));
    CHECK_EQ(buffer.held(), 1000);
    CHECK_FALSE(buffer.is_readable());
  }

  TEST_CASE("data in order that is read at once is neither copied nor costs an allocation") {
    BufferPool pool(65536, 4);
    ReceiveBuffer buffer;
    uint64_t offset = 0;
    const auto round = [&] {
      Buffer train = pool.take().value();
      const Slice data = train.slice(train.bytes().subspan(20, 1200));
      const uint8_t* const place = data.data();
      REQUIRE(buffer.insert(offset, data));
      const std::optional<Slice> read = buffer.read(SIZE_MAX);
      REQUIRE(read);
      CHECK_EQ(read->data(), place);
      offset += read->size();
    };
    round();
    const size_t before = tests::heap_allocations();
    for (int i = 0; i < 100; i++) round();
    CHECK_EQ(tests::heap_allocations(), before);
  }

  TEST_CASE("a train that is read as a whole costs no allocation once warm, its small last part neither") {
    if (!tests::heap_is_counted()) return;
    BufferPool pool(65536, 4);
    ReceiveBuffer buffer;
    uint64_t offset = 0;
    const auto round = [&](size_t first_packet) {
      const Buffer train = pool.take().value();
      for (size_t packet = first_packet; packet < 50; packet++) {
        const size_t size = packet == 49 ? 100 : 1200;
        REQUIRE(buffer.insert(offset, train.slice(train.bytes().subspan(1250 * packet, size))));
        offset += size;
      }
      while (buffer.read(SIZE_MAX)) continue;
    };
    round(0);
    const size_t before = tests::heap_allocations();
    for (size_t i = 0; i < 100; i++) round(i % 50);
    CHECK_EQ(tests::heap_allocations(), before);
    CHECK_GT(buffer.memory(), 0);
    CHECK_LE(buffer.memory(), kReceiveKeptMax);
    buffer.trim();
    CHECK_EQ(buffer.memory(), 0);
    round(0);
  }

  TEST_CASE("small fragments that wait share a block, which is used again when they are gone") {
    if (!tests::heap_is_counted()) return;
    BufferPool pool(65536, 8);
    ReceiveBuffer buffer;
    uint64_t offset = 0;
    const auto round = [&] {
      for (int i = 0; i < 4; i++) {
        const Buffer train = pool.take().value();
        REQUIRE(buffer.insert(offset, train.slice(train.bytes().first(50))));
        offset += 50;
      }
      CHECK_LE(pool.statistics().in_use, 3);  // the first, and two of the test at the end
      size_t read = 0;
      while (const std::optional<Slice> slice = buffer.read(SIZE_MAX)) read += slice->size();
      CHECK_EQ(read, 200);
    };
    round();
    const size_t before = tests::heap_allocations();
    for (int i = 0; i < 100; i++) round();
    CHECK_EQ(tests::heap_allocations(), before);
    // What the application still holds is not written over.
    const Buffer train = pool.take().value();
    std::ranges::fill(const_cast<Buffer&>(train).bytes(), uint8_t{1});
    REQUIRE(buffer.insert(offset, train.slice(train.bytes().first(50))));
    const Buffer other = pool.take().value();
    std::ranges::fill(const_cast<Buffer&>(other).bytes(), uint8_t{2});
    REQUIRE(buffer.insert(offset + 50, other.slice(other.bytes().first(50))));
    CHECK(buffer.read(50));
    const std::optional<Slice> kept = buffer.read(50);
    REQUIRE(kept);
    offset += 100;
    round();
    CHECK(std::ranges::all_of(kept->bytes(), [](uint8_t byte) { return byte == 2; }));
  }

  TEST_CASE("full trains are kept where they are, read late or filled up late") {
    BufferPool pool(65536, 64);
    ReceiveBuffer buffer;
    std::vector<const uint8_t*> places;
    for (size_t i = 0; i < 20; i++) {
      Buffer train = pool.take().value();
      for (size_t at = 0; at + 1400 <= train.size(); at += 1400) {
        const Bytes part = train.bytes().subspan(at + 50, 1350);
        places.push_back(part.data());
        REQUIRE(buffer.insert(1350 * places.size(), train.slice(part)));  // the first packet is missing
      }
    }
    CHECK_EQ(pool.statistics().in_use, 20);
    REQUIRE(insert(buffer, 0, 1350));
    REQUIRE(buffer.read(SIZE_MAX));
    for (const uint8_t* place : places) CHECK_EQ(buffer.read(SIZE_MAX)->data(), place);
    CHECK_EQ(pool.statistics().in_use, 0);
  }

  TEST_CASE("memory is counted while slices keep it, once for each run of them") {
    BufferPool pool(65536, 4);
    const Buffer first = pool.take().value(), second = pool.take().value();
    const auto part = [](const Buffer& buffer, size_t at) { return buffer.slice(buffer.bytes().subspan(at, 1000)); };
    ReceiveBuffer buffer;
    constexpr size_t kOther = 200000;  // bytes that allow for all that, behind a gap
    REQUIRE(insert(buffer, 10000, kOther));
    REQUIRE(buffer.insert(1000, part(first, 0)));
    REQUIRE(buffer.insert(3000, part(first, 1000)));
    const size_t books = buffer.memory() - 65536;
    CHECK(books < kOther + 1024);
    REQUIRE(buffer.insert(2000, part(second, 0)));  // between two of the first
    CHECK_EQ(buffer.memory(), 3 * 65536 + books);
    REQUIRE(buffer.insert(4000, part(second, 1000)));
    REQUIRE(buffer.insert(5000, part(second, 2000)));
    REQUIRE(buffer.insert(0, part(first, 2000)));
    CHECK_EQ(buffer.memory(), 4 * 65536 + books);
    for (const size_t left : {4, 3, 2, 1, 1, 0}) {
      CHECK_EQ(buffer.read(SIZE_MAX)->size(), 1000);
      CHECK_EQ(buffer.memory(), left * 65536 + books);
    }
  }

  TEST_CASE("datagrams that hold little else are let go") {
    BufferPool pool(65536, 4096);
    for (const size_t size : {1, 100, 1200}) {
      for (const bool in_order : {true, false}) {
        CAPTURE(size);
        CAPTURE(in_order);
        ReceiveBuffer buffer;
        for (uint64_t i = 0; i < 1000; i++) {
          const uint64_t offset = in_order ? i * size : 1 + 2 * i * size;
          Buffer datagram = pool.take().value();
          const MutBytes part = datagram.bytes().subspan(100, size);
          copy_bytes(part.data(), bytes_at(offset, size));
          REQUIRE(buffer.insert(offset, datagram.slice(part)));
          datagram = {};
          REQUIRE(pool.statistics().in_use * 65536 <= buffer.memory());
          REQUIRE(buffer.memory() <= kPinnedFactorMax * buffer.held() + kReceiveSlack);
        }
        buffer.unpin();
        CHECK_EQ(pool.statistics().in_use, 0);
        if (in_order) CHECK_EQ(read_all(buffer), bytes_at(0, 1000 * size));
      }
    }
  }

  TEST_CASE("reading on does not leave a few bytes with much memory") {
    BufferPool pool(65536, 4096);
    ReceiveBuffer buffer;
    REQUIRE(insert(buffer, 0, 1 << 20));
    for (uint64_t i = 0; i < 40; i++) {
      const Buffer datagram = pool.take().value();
      REQUIRE(buffer.insert((2 << 20) + 2000 * i, datagram.slice(datagram.bytes().first(600))));
    }
    CHECK_EQ(pool.statistics().in_use, 40);
    CHECK_EQ(read_all(buffer, 10000).size(), 1 << 20);
    CHECK(pool.statistics().in_use <= 3);
    CHECK_EQ(buffer.held(), 40 * 600);
  }

  TEST_CASE("fragments of one byte stay cheap however they come") {
    constexpr uint64_t kBytes = 100000;
    const auto run = [](const char* name, auto offset_of) {
      CAPTURE(name);
      const size_t heap = tests::heap_bytes();
      {
        BufferPool pool(65536, 4096);
        ReceiveBuffer buffer;
        Buffer datagram = pool.take().value();
        size_t used = 0, most = 0;
        uint64_t taken = 0;
        for (uint64_t i = 0; i < kBytes; i++) {
          if (used == 1200) {
            datagram = pool.take().value();
            used = 0;
          }
          const uint64_t offset = offset_of(i);
          datagram.bytes()[used] = byte_at(offset);
          taken += buffer.insert(offset, datagram.slice(datagram.bytes().subspan(used, 1))) ? 1 : 0;
          used += 6;
          REQUIRE(buffer.memory() <= kPinnedFactorMax * buffer.held() + kReceiveSlack);
          if (tests::heap_bytes() > heap) most = std::max(most, tests::heap_bytes() - heap);
        }
        CHECK_EQ(buffer.held(), taken);
        // Two buffers of the pool; allocators round up.
        CHECK(most <= 2 * 66000 + kPinnedFactorMax * buffer.held() + kReceiveSlack);
      }
      CHECK_EQ(tests::heap_bytes(), heap);
    };
    run("in order, unread", [](uint64_t i) { return i; });
    run("in order, the first missing", [](uint64_t i) { return i + 1; });
    run("backward", [](uint64_t i) { return kBytes - i; });
    run("every other", [](uint64_t i) { return 1 + 2 * i; });
    // 1000 gaps, then their bytes, and on.
    run("interleaved", [](uint64_t i) { return 1 + i / 2000 * 2000 + (i % 2000 < 1000 ? 0 : 1) + 2 * (i % 1000); });
    run("from both ends", [](uint64_t i) { return i % 2 == 0 ? 1 + i : 2 * kBytes - i; });
    run("scattered", [](uint64_t i) { return 1 + i * 7919 % kBytes; });
  }

  TEST_CASE("a window of data in small datagrams, against order, costs little time") {
    // 16 MiB in 600-byte pieces of buffers of 2 KiB, in orders that would make a sorted array move much.
    constexpr uint64_t kPieces = 28000;
    const std::vector<uint8_t> memory(2048);
    for (const bool backward : {true, false}) {
      ReceiveBuffer buffer;
      for (uint64_t i = 0; i < kPieces; i++) {
        const uint64_t piece = backward ? kPieces - i : 1 + (i / 1000 * 1000 + i * 577 % 1000);
        const Buffer datagram = Buffer::allocate(2048);
        REQUIRE(buffer.insert(600 * piece, datagram.slice(datagram.bytes().first(600))));
      }
      CHECK_EQ(buffer.held(), 600 * kPieces);
      CHECK_FALSE(buffer.is_readable());
    }
  }

  TEST_CASE("random data, overlapping, against a map of bytes (RFC 9000 §2.2)") {
    const uint64_t seed = tests::test_seed(20);
    for (uint64_t round = 0; round < 60; round++) {
      INFO("QUOLL_TEST_SEED=" << seed << " round " << round);
      tests::SeededRng rng(seed * 1000 + round);
      BufferPool pool(round % 2 == 0 ? 65536 : 2048, 4096);
      Buffer datagram = pool.take().value();
      size_t used = 0;
      ReceiveBuffer buffer;
      const size_t size = 2000 + rng.below(60000);
      const size_t size_max = 1 + rng.below(round % 3 == 0 ? 20 : 1800);
      std::vector<int> model(size, -1);
      uint64_t read_offset = 0, held = 0;
      const auto end_of_contiguous = [&] {
        uint64_t end = read_offset;
        while (end < size && model[end] >= 0) end++;
        return end;
      };
      for (int step = 0; step < 3000; step++) {
        const uint64_t kind = rng.below(10);
        if (kind < 8) {
          const uint64_t offset = rng.below(kind < 4 ? size : std::min<uint64_t>(size, read_offset + 4 * size_max));
          const size_t count = std::min<size_t>(rng.below(size_max + 1), size - offset);
          if (used + count + 10 > datagram.size() || rng.below(20) == 0) {
            datagram = pool.take().value();
            used = 0;
          }
          const MutBytes part = datagram.bytes().subspan(used, count);
          used += count + rng.below(10);
          const auto value = static_cast<uint8_t>(rng.below(256));
          std::fill(part.begin(), part.end(), value);
          if (!buffer.insert(offset, datagram.slice(part))) {
            // It was refused for gaps: there are that many.
            size_t gaps = 0;
            for (size_t i = read_offset + 1; i < size; i++) gaps += model[i] >= 0 && model[i - 1] < 0 ? 1 : 0;
            REQUIRE(gaps >= kReceiveGapsMax);
          } else {
            for (uint64_t i = std::max(offset, read_offset); i < offset + count; i++) {
              if (model[i] < 0) {
                model[i] = value;
                held++;
              }
            }
          }
        } else if (kind == 8) {
          const size_t max = 1 + rng.below(3000);
          if (const auto slice = buffer.read(max)) {
            REQUIRE(slice->size() <= max);
            for (const uint8_t byte : slice->bytes()) REQUIRE_EQ(byte, model[read_offset++]);
            held -= slice->size();
          } else {
            REQUIRE(model[read_offset] < 0);
          }
        } else if (rng.below(20) == 0) {
          buffer.unpin();
        }
        REQUIRE_EQ(buffer.read_offset(), read_offset);
        REQUIRE_EQ(buffer.held(), held);
        REQUIRE_EQ(buffer.contiguous_end(), end_of_contiguous());
        REQUIRE(buffer.memory() <= kPinnedFactorMax * held + kReceiveSlack);
        if (held == 0) REQUIRE_LE(buffer.memory(), kReceiveKeptMax);
        if (read_offset == size) break;
      }
    }
  }
}
