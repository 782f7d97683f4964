#include "quic/wire/frame_writer.h"

#include <string>
#include <vector>

#include "base/hex.h"
#include "tests/support/frame_collector.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::written;

namespace {

const std::vector<uint8_t> kData = {'a', 'b', 'c'};

/// `room` is used up as far as it can be: `data` bytes fit behind `header_size(data)`, one more does not.
template <class HeaderSize>
void expect_most(size_t room, std::optional<size_t> data, HeaderSize header_size) {
  CAPTURE(room);
  if (!data) {
    CHECK_GT(header_size(0), room);
    return;
  }
  CHECK_LE(header_size(*data) + *data, room);
  CHECK_GT(header_size(*data + 1) + *data + 1, room);
}

constexpr size_t kRooms[] = {0,  1,  2,   3,   4,   5,    10,    60,    62,    63,    64,    65,    66,    67,   68,
                             69, 70, 100, 200, 500, 1200, 16383, 16384, 16385, 16386, 16387, 16390, 16400, 65000};

}  // namespace

TEST_SUITE("quic frame writers") {
  TEST_CASE("STREAM frames leave out what need not be said") {  // RFC 9000 §19.8
    const StreamFrame at_zero{.stream_id = StreamId(4), .data = kData};
    const StreamFrame later{.stream_id = StreamId(4), .offset = 5, .data = kData, .fin = true};
    CHECK_EQ(to_hex(written(at_zero)), "0a0403616263");
    CHECK_EQ(to_hex(written(at_zero, Extent::rest_of_packet)), "0804616263");
    CHECK_EQ(to_hex(written(later)), "0f040503616263");
    CHECK_EQ(to_hex(written(later, Extent::rest_of_packet)), "0d0405616263");
  }

  TEST_CASE("DATAGRAM frames with and without length") {  // RFC 9221 §4
    const DatagramFrame frame{.data = kData};
    CHECK_EQ(to_hex(written(frame)), "3103616263");
    CHECK_EQ(to_hex(written(frame, Extent::rest_of_packet)), "30616263");
  }

  TEST_CASE("a frame that does not fit leaves nothing usable behind, and fails the sink") {
    const StreamFrame frame{.stream_id = StreamId(4), .offset = 5, .data = kData};
    for (size_t room = 0; room < frame_size(frame); room++) {
      std::vector<uint8_t> bytes(room);
      Writer writer(bytes);
      write_frame(writer, frame);
      CHECK_FALSE(writer.ok());
    }
  }

  TEST_CASE("the room for stream data is used to the last byte that fits") {
    for (const Extent extent : {Extent::length, Extent::rest_of_packet}) {
      for (const uint64_t offset : {uint64_t{0}, uint64_t{63}, uint64_t{1} << 40}) {
        for (const size_t room : kRooms) {
          const StreamId id(1000);
          expect_most(room, stream_data_room(id, offset, room, extent), [&](size_t data) {
            Counter counter;
            write_stream_header(counter, {.stream_id = id, .offset = offset, .data_size = data, .extent = extent});
            return counter.size();
          });
        }
      }
    }
  }

  TEST_CASE("the room for crypto data and datagrams is used to the last byte that fits") {
    for (const size_t room : kRooms) {
      for (const uint64_t offset : {0, 64, 20000}) {
        expect_most(room, crypto_data_room(offset, room), [&](size_t data) {
          Counter counter;
          write_crypto_header(counter, offset, data);
          return counter.size();
        });
      }
      for (const Extent extent : {Extent::length, Extent::rest_of_packet}) {
        expect_most(room, datagram_data_room(room, extent), [&](size_t data) {
          Counter counter;
          write_datagram_header(counter, data, extent);
          return counter.size();
        });
      }
    }
  }

  TEST_CASE("every known frame type has its name") {
    size_t known = 0;
    for (uint64_t type = 0; type < 2 * kFrameTypeEnd; type++) {
      const bool is_known = traits_of(FrameType{type}).known;
      CHECK_EQ(std::string(frame_name(FrameType{type})) != "unknown", is_known);
      known += is_known;
    }
    CHECK_EQ(known, 33);
    CHECK_EQ(std::string(frame_name(FrameType{0x0d})), "STREAM");
  }
}
