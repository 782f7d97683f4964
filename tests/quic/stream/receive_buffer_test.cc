#include "quic/stream/receive_buffer.h"

#include <algorithm>
#include <vector>

#include "base/buffer_pool.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

// Last, so that its CHECK takes the place of ours in this file alone.
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
    CHECK_EQ(buffer.memory(), 0);
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
    CHECK_EQ(buffer.memory(), 0);
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
    CHECK_EQ(buffer.memory(), 0);
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
    CHECK_EQ(buffer.memory(), 0);
  }
}
