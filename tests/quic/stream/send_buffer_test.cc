#include "quic/stream/send_buffer.h"

#include <algorithm>
#include <array>
#include <vector>

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

  TEST_CASE("rewind() sends everything anew (RFC 9001 §4.6.2, RFC 9000 §17.2.5.3)") {
    SendBuffer buffer;
    append(buffer, 1000);
    send(buffer, 600);
    buffer.on_lost({100, 200});
    buffer.rewind();
    CHECK_EQ(buffer.sent_end(), 0);
    CHECK_EQ(buffer.next(UINT64_MAX), Interval{0, 1000});
    // What became of packets from before is no news.
    buffer.on_acked({0, 600});
    buffer.on_lost({0, 600});
    CHECK_EQ(buffer.next(UINT64_MAX), Interval{0, 1000});
    CHECK_EQ(read(buffer, send(buffer, 1000)), bytes_at(0, 1000));
    buffer.on_acked({0, 1000});
    CHECK(buffer.all_acked());
  }

  TEST_CASE("clear() drops the bytes and remembers how far they went (RFC 9000 §3.2)") {
    bool released = false;
    const std::vector<uint8_t> memory = bytes_at(0, 1000);
    SendBuffer buffer;
    REQUIRE(buffer.append(
        Slice::of_application(memory, [](void* context) { *static_cast<bool*>(context) = true; }, &released)));
    send(buffer, 600);
    buffer.on_lost({0, 100});
    CHECK_FALSE(released);
    buffer.clear();
    CHECK(released);
    CHECK_EQ(buffer.end(), 1000);
    CHECK_EQ(buffer.sent_end(), 600);
    CHECK_EQ(buffer.held(), 0);
    CHECK_FALSE(buffer.next(UINT64_MAX));
    CHECK_FALSE(buffer.has_lost());
    buffer.on_lost({0, 600});
    buffer.on_acked({0, 600});
    CHECK_FALSE(buffer.next(UINT64_MAX));
    CHECK_FALSE(buffer.append(Slice::copy_of(memory)));
    CHECK_FALSE(buffer.append_copy(memory));
  }

  TEST_CASE("slices are let go one by one, as soon as all before is acknowledged (RFC 9000 §2.2)") {
    std::array<bool, 4> released{};
    const std::vector<uint8_t> memory = bytes_at(0, 1000);
    SendBuffer buffer;
    for (bool& flag : released) {
      REQUIRE(buffer.append(
          Slice::of_application(memory, [](void* context) { *static_cast<bool*>(context) = true; }, &flag)));
    }
    send(buffer, 4000);
    buffer.on_acked({1000, 3500});
    CHECK_EQ(released, std::array{false, false, false, false});
    buffer.on_acked({0, 999});
    CHECK_EQ(released, std::array{false, false, false, false});
    buffer.on_acked({999, 1000});
    CHECK_EQ(released, std::array{true, true, true, false});
    CHECK_EQ(buffer.acked_start(), 3500);
    CHECK_EQ(read(buffer, {3600, 3700}), bytes_at(600, 100));
    buffer.on_acked({3500, 4000});
    CHECK_EQ(released, std::array{true, true, true, true});
  }

  TEST_CASE("a careless writer is refused after many slices, and copies still share blocks") {
    SendBuffer buffer;
    const std::vector<uint8_t> memory(kSendSliceSizeMin);
    for (size_t i = 0; i < kSendSlicesMax; i++) REQUIRE(buffer.append(Slice::of_static(memory)));
    CHECK_FALSE(buffer.append(Slice::of_static(memory)));
    CHECK_FALSE(buffer.append_copy(memory));
    CHECK_EQ(buffer.end(), kSendSlicesMax * kSendSliceSizeMin);
    send(buffer, buffer.end());
    buffer.on_acked({0, 2 * kSendSliceSizeMin});
    CHECK(buffer.append_copy(memory));
    CHECK(buffer.append(Slice::of_static(memory)));
    CHECK_FALSE(buffer.append(Slice::of_static(memory)));
  }

  TEST_CASE("sending, acknowledging and losing allocate nothing once warm") {
    const std::vector<uint8_t> memory(65536);
    SendBuffer buffer;
    uint64_t sum = 0;
    const auto run = [&](int packets) {
      for (int i = 0; i < packets; i++) {
        if (buffer.held() < 1 << 20) REQUIRE(buffer.append(Slice::of_static(memory)));
        const Interval range = send(buffer, 1200);
        buffer.for_each_piece(range, [&](Bytes piece) { sum += piece.size(); });
        const uint64_t oldest = range.start < 24000 ? 0 : range.start - 24000;
        if (i % 7 == 3) {
          buffer.on_lost({oldest, oldest + 1200});
        } else {
          buffer.on_acked({oldest, oldest + 1200});
        }
        if (i % 200 == 0) buffer.on_acked({0, oldest});
      }
    };
    run(2000);
    const size_t before = tests::heap_allocations();
    run(20000);
    CHECK_EQ(tests::heap_allocations(), before);
    CHECK(sum > 20000 * 1000);
  }

  TEST_CASE("with the last byte all memory is given back but what the next message needs, and that by trim()") {
    const std::vector<uint8_t> memory(100);
    SendBuffer buffer;
    const size_t before = tests::heap_bytes();
    for (int i = 0; i < 1000; i++) {
      REQUIRE(buffer.append(Slice::of_static(memory)));
      REQUIRE(buffer.append_copy(memory));
    }
    send(buffer, buffer.end());
    for (uint64_t at = 100; at < buffer.end(); at += 200) buffer.on_lost({at, at + 50});
    for (uint64_t at = 100; at < buffer.end(); at += 100) buffer.on_acked({at + 50, at + 99});
    if (tests::heap_is_counted()) CHECK(tests::heap_bytes() > before + 100000);
    buffer.on_acked({0, buffer.end()});
    CHECK(buffer.all_acked());
    CHECK_LE(tests::heap_bytes(), before + kSendBlockMin + 64 * kSendPiecesKept);
    buffer.trim();
    CHECK_EQ(tests::heap_bytes(), before);
  }

  TEST_CASE("messages one at a time allocate nothing once warm, and never change while they wait") {
    SendBuffer buffer;
    std::vector<uint8_t> message(300);
    const auto round = [&](uint8_t value) {
      std::ranges::fill(message, value);
      const uint64_t start = buffer.end();
      REQUIRE(buffer.append_copy(Bytes(message).first(100)));
      REQUIRE(buffer.append_copy(Bytes(message).subspan(100)));
      send(buffer, buffer.end());
      bool same = true;
      buffer.for_each_piece({start, buffer.end()}, [&](Bytes piece) {
        for (const uint8_t byte : piece) same = same && byte == value;
      });
      CHECK(same);
      buffer.on_acked({start, buffer.end()});
    };
    round(0);
    const size_t before = tests::heap_allocations();
    for (int i = 0; i < 200; i++) round(static_cast<uint8_t>(i));
    CHECK_EQ(tests::heap_allocations(), before);
  }

  TEST_CASE("small writes cost little more memory than they have bytes") {
    const std::vector<uint8_t> memory(40);
    SendBuffer buffer;
    const size_t before = tests::heap_bytes();
    for (int i = 0; i < 10000; i++) REQUIRE(buffer.append_copy(memory));
    if (tests::heap_is_counted()) CHECK(tests::heap_bytes() - before < 400000 + kSendBlockMax + 8192);
    buffer.clear();
    CHECK_EQ(tests::heap_bytes() - before, 0);
  }

  TEST_CASE("ranges beyond the limit are merged: some bytes go twice, and all arrive (RFC 9000 §13.3)") {
    constexpr uint64_t kSize = 10000;
    SendBuffer buffer;
    append(buffer, kSize);
    std::vector<bool> arrived(kSize);
    send(buffer, kSize);
    // Every other byte is lost.
    for (uint64_t at = 0; at < kSize; at += 2) buffer.on_lost({at, at + 1});
    // And the others acknowledged, as far as that can be remembered.
    for (uint64_t at = 1; at < kSize; at += 2) buffer.on_acked({at, at + 1});
    uint64_t sent = 0;
    std::vector<Interval> in_flight;
    while (!buffer.all_acked()) {
      while (const auto next = buffer.next(UINT64_MAX)) {
        const Interval range = send(buffer, 3);
        REQUIRE_EQ(read(buffer, range), bytes_at(range.start, range.size()));
        in_flight.push_back(range);
        sent += range.size();
        REQUIRE(sent < 4 * kSize);
      }
      REQUIRE_FALSE(in_flight.empty());
      // The last first: the worst for what has to be remembered.
      for (size_t i = in_flight.size(); i-- > 0;) buffer.on_acked(in_flight[i]);
      in_flight.clear();
    }
    CHECK(sent >= kSize / 2);
  }

  TEST_CASE("one lost range too many is joined to the nearer neighbour") {
    for (const uint64_t offset : {10, 90}) {
      SendBuffer buffer;
      append(buffer, 200 * kSendRangesMax);
      send(buffer, buffer.end());
      for (uint64_t i = 0; i < kSendRangesMax; i++) buffer.on_lost({100 * i, 100 * i + 1});
      buffer.on_lost({500 + offset, 500 + offset + 1});
      buffer.on_lost({150 * kSendRangesMax, 150 * kSendRangesMax + 1});  // behind all
      uint64_t sent = 0;
      while (buffer.has_lost()) sent += send(buffer, buffer.end()).size();
      CHECK_EQ(sent, kSendRangesMax + 10 + (50 * kSendRangesMax + 100));
    }
  }

  TEST_CASE("random writes, losses and acknowledgements against a map of bytes (RFC 9000 §2.2, §13.3)") {
    enum class State : uint8_t { unsent, in_flight, lost, acked };
    const uint64_t seed = tests::test_seed(30);
    for (uint64_t round = 0; round < 40; round++) {
      INFO("QUOLL_TEST_SEED=" << seed << " round " << round);
      tests::SeededRng rng(seed * 1000 + round);
      SendBuffer buffer;
      std::vector<State> model;
      std::vector<Interval> packets;  // whose fate is open, and some that were declared lost
      uint64_t acked_start = 0, sent_end = 0;
      const size_t write_max = round % 2 == 0 ? 100 : 5000;
      const size_t packet_max = 1 + rng.below(1500);
      const auto next_expected = [&](uint64_t limit) -> std::optional<Interval> {
        uint64_t start = acked_start;
        while (start < model.size() && model[start] != State::lost) start++;
        if (start < model.size()) {
          uint64_t end = start;
          while (end < model.size() && model[end] == State::lost) end++;
          return Interval{start, end};
        }
        if (sent_end >= std::min<uint64_t>(limit, model.size())) return {};
        return Interval{sent_end, std::min<uint64_t>(limit, model.size())};
      };
      for (int step = 0; step < 2000; step++) {
        const uint64_t kind = rng.below(12);
        if (kind < 2 && model.size() < 15000) {
          const std::vector<uint8_t> bytes = bytes_at(model.size(), rng.below(write_max + 1));
          REQUIRE((kind == 0 ? buffer.append(Slice::copy_of(bytes)) : buffer.append_copy(bytes)));
          model.resize(model.size() + bytes.size(), State::unsent);
        } else if (kind < 6) {
          const uint64_t limit = rng.below(3) == 0 ? rng.below(model.size() + 1) : UINT64_MAX;
          const auto next = buffer.next(limit);
          REQUIRE_EQ(next, next_expected(limit));
          if (!next) continue;
          const Interval range = {next->start,
                                  next->start + std::min<uint64_t>(next->size(), 1 + rng.below(packet_max))};
          REQUIRE_EQ(read(buffer, range), bytes_at(range.start, range.size()));
          buffer.on_sent(range);
          std::fill(model.begin() + range.start, model.begin() + range.end, State::in_flight);
          sent_end = std::max(sent_end, range.end);
          packets.push_back(range);
        } else if (kind < 11 && !packets.empty()) {
          const size_t which = rng.below(3) == 0 ? rng.below(packets.size()) : 0;
          const Interval range = packets[which];
          const bool lost = kind < 8;
          lost ? buffer.on_lost(range) : buffer.on_acked(range);
          for (uint64_t at = range.start; at < range.end; at++) {
            if (model[at] != State::acked) model[at] = lost ? State::lost : State::acked;
          }
          if (!lost || rng.below(2) == 0) packets.erase(packets.begin() + which);
        } else if (kind == 11 && acked_start == 0 && rng.below(10) == 0 &&
                   std::ranges::find(model, State::acked) == model.end()) {
          buffer.rewind();
          std::ranges::fill(model, State::unsent);
          sent_end = 0;
          packets.clear();
        }
        while (acked_start < model.size() && model[acked_start] == State::acked) acked_start++;
        REQUIRE_EQ(buffer.end(), model.size());
        REQUIRE_EQ(buffer.sent_end(), sent_end);
        REQUIRE_EQ(buffer.acked_start(), acked_start);
        REQUIRE_EQ(buffer.held(), model.size() - acked_start);
        REQUIRE_EQ(buffer.all_acked(), acked_start == model.size());
        if (acked_start < model.size()) {
          const uint64_t start = acked_start + rng.below(model.size() - acked_start);
          const Interval range = {start, start + rng.below(model.size() - start + 1)};
          if (step % 16 == 0) REQUIRE_EQ(read(buffer, range), bytes_at(range.start, range.size()));
        }
      }
    }
  }
}
