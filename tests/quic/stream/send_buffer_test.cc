#include "quic/stream/send_buffer.h"

#include <algorithm>
#include <array>
#include <vector>

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

void append(SendBuffer& buffer, size_t size) { REQUIRE(buffer.append(Slice::copy_of(bytes_at(buffer.end(), size)))); }

std::vector<uint8_t> read(const SendBuffer& buffer, Interval range) {
  std::vector<uint8_t> bytes;
  buffer.for_each_piece(range, [&](Bytes piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  return bytes;
}

size_t pieces(const SendBuffer& buffer, Interval range) {
  size_t count = 0;
  buffer.for_each_piece(range, [&](Bytes) { count++; });
  return count;
}

/// Sends `size` bytes, at most, of what comes next.
Interval send(SendBuffer& buffer, uint64_t size, uint64_t limit = UINT64_MAX) {
  Interval range = buffer.next(limit).value_or(Interval{});
  range.end = std::min(range.end, range.start + size);
  buffer.on_sent(range);
  return range;
}

}  // namespace

TEST_SUITE("quic send buffer") {
  TEST_CASE("bytes go out in order, and are released when they are acknowledged (RFC 9000 §2.2)") {
    SendBuffer buffer;
    CHECK_FALSE(buffer.next(UINT64_MAX));
    CHECK(buffer.all_acked());
    append(buffer, 1000);
    append(buffer, 500);
    CHECK_EQ(buffer.end(), 1500);
    CHECK_EQ(buffer.next(UINT64_MAX), Interval{0, 1500});
    CHECK_EQ(read(buffer, {0, 1500}), bytes_at(0, 1500));
    CHECK_EQ(read(buffer, {900, 1100}), bytes_at(900, 200));
    CHECK_EQ(send(buffer, 1200), Interval{0, 1200});
    CHECK_EQ(buffer.sent_end(), 1200);
    CHECK_EQ(buffer.next(UINT64_MAX), Interval{1200, 1500});
    send(buffer, 1200);
    CHECK_FALSE(buffer.next(UINT64_MAX));
    buffer.on_acked({0, 1200});
    CHECK_EQ(buffer.acked_start(), 1200);
    CHECK_EQ(buffer.held(), 300);
    CHECK_FALSE(buffer.all_acked());
    buffer.on_acked({1200, 1500});
    CHECK(buffer.all_acked());
  }

  TEST_CASE("flow control binds new bytes, not lost ones (RFC 9000 §4.1)") {
    SendBuffer buffer;
    append(buffer, 1000);
    CHECK_EQ(buffer.next(400), Interval{0, 400});
    send(buffer, 1000, 400);
    CHECK_FALSE(buffer.next(400));
    CHECK_FALSE(buffer.next(0));
    buffer.on_lost({100, 400});
    CHECK_EQ(buffer.next(0), Interval{100, 400});
    CHECK_EQ(buffer.next(1000), Interval{100, 400});
  }

  TEST_CASE("what was lost is sent again before new data (RFC 9000 §13.3)") {
    SendBuffer buffer;
    append(buffer, 1000);
    send(buffer, 100);
    send(buffer, 100);
    send(buffer, 100);
    buffer.on_lost({100, 200});
    CHECK(buffer.has_lost());
    buffer.on_lost({0, 100});
    CHECK_EQ(send(buffer, 50), Interval{0, 50});
    CHECK_EQ(send(buffer, 200), Interval{50, 200});
    CHECK_FALSE(buffer.has_lost());
    CHECK_EQ(buffer.next(UINT64_MAX), Interval{300, 1000});
  }

  TEST_CASE("what is acknowledged is not sent again (RFC 9000 §13.3)") {
    SendBuffer buffer;
    append(buffer, 1000);
    send(buffer, 1000);
    buffer.on_acked({200, 300});
    buffer.on_lost({100, 400});
    CHECK_EQ(send(buffer, 1000), Interval{100, 200});
    CHECK_EQ(send(buffer, 1000), Interval{300, 400});
    CHECK_FALSE(buffer.next(UINT64_MAX));
    buffer.on_lost({500, 600});
    buffer.on_acked({500, 550});  // late
    CHECK_EQ(buffer.next(UINT64_MAX), Interval{550, 600});
    buffer.on_acked({0, 1000});
    CHECK_FALSE(buffer.next(UINT64_MAX));
    CHECK(buffer.all_acked());
    buffer.on_lost({0, 1000});
    CHECK_FALSE(buffer.next(UINT64_MAX));
  }

  TEST_CASE("small writes share a block and go out as one piece") {
    SendBuffer buffer;
    for (int i = 0; i < 300; i++) REQUIRE(buffer.append_copy(bytes_at(buffer.end(), 3)));
    CHECK_EQ(buffer.end(), 900);
    CHECK_EQ(pieces(buffer, {0, 900}), 1);
    CHECK_EQ(read(buffer, {0, 900}), bytes_at(0, 900));
    append(buffer, 10);  // a slice, but too small to be held
    CHECK_EQ(pieces(buffer, {0, 910}), 1);
    append(buffer, 1000);
    REQUIRE(buffer.append_copy(bytes_at(buffer.end(), 30)));
    CHECK_EQ(pieces(buffer, {0, 1940}), 3);
    CHECK_EQ(read(buffer, {0, 1940}), bytes_at(0, 1940));
  }
}
