#include "base/writer.h"

#include <vector>

#include "base/hex.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

/// A structure with something of everything.
template <Sink S>
void write_sample(S& sink) {
  sink.u8(0x01);
  const LengthPrefix outer(sink, Prefix::u24);
  sink.u16(0x0203);
  {
    const LengthPrefix inner(sink, Prefix::varint2);
    sink.u24(0x040506);
    sink.varint(15293);
    sink.varint(37, 4);
  }
  const LengthPrefix last(sink, Prefix::u8);
  sink.bytes(as_bytes("abc"));
  sink.zeros(2);
}

constexpr const char* kSample =
    "01"
    "000013"
    "0203"
    "4009"
    "040506"
    "7bbd"
    "80000025"
    "05"
    "616263"
    "0000";

}  // namespace

TEST_SUITE("writer") {
  TEST_CASE("integers are big-endian, varints shortest unless a width is given") {
    uint8_t room[64];
    Writer writer(room);
    writer.u8(0x01);
    writer.u16(0x0203);
    writer.u24(0x040506);
    writer.u32(0x0708090a);
    writer.u64(0x0b0c0d0e0f101112);
    for (const uint64_t value : {uint64_t{37}, uint64_t{15293}, uint64_t{494878333}, uint64_t{151288809941952652}}) {
      writer.varint(value);
    }
    writer.varint(37, 2);
    CHECK_EQ(to_hex(writer.written()),
             "01"
             "0203"
             "040506"
             "0708090a"
             "0b0c0d0e0f101112"
             "25"
             "7bbd"
             "9d7f3e7d"
             "c2197c5eff14e88c"
             "4025");
  }

  TEST_CASE("length prefixes nest and are filled in when they end") {
    uint8_t room[64];
    Writer writer(room);
    write_sample(writer);
    CHECK(writer.ok());
    CHECK_EQ(to_hex(writer.written()), kSample);
  }

  TEST_CASE("the counter says what the writer writes") {
    Counter counter;
    write_sample(counter);
    CHECK(counter.ok());
    CHECK_EQ(counter.size(), from_hex(kSample)->size());
  }

  TEST_CASE("with any less room the writer fails and writes nothing past the end") {
    const std::vector<uint8_t> sample = *from_hex(kSample);
    for (size_t size = 0; size < sample.size(); size++) {
      CAPTURE(size);
      std::vector<uint8_t> room(sample.size(), 0xa5);
      Writer writer(MutBytes(room).first(size));
      write_sample(writer);
      CHECK_FALSE(writer.ok());
      CHECK_EQ(writer.remaining(), 0);
      CHECK_LE(writer.size(), size);
      for (size_t i = writer.size(); i < room.size(); i++) CHECK_EQ(room[i], 0xa5);
    }
  }

  TEST_CASE("after a failure smaller writes that would fit are ignored too") {
    uint8_t room[4] = {};
    Writer writer(room);
    writer.u8(1);
    writer.u32(2);
    writer.u8(3);
    writer.bytes(as_bytes("x"));
    writer.zeros(0);
    CHECK_FALSE(writer.ok());
    CHECK_EQ(to_hex(writer.written()), "01");
    CHECK_EQ(to_hex(room), "01000000");
  }

  TEST_CASE("each prefix takes the longest body it can say, and one byte more fails both sinks") {
    struct Form {
      Prefix prefix;
      size_t width, largest;
    };
    std::vector<uint8_t> room(size_t{1} << 25);
    for (const auto& [prefix, width, largest] : {Form{Prefix::u8, 1, 255},
                                                 {Prefix::u16, 2, 65535},
                                                 {Prefix::u24, 3, 16777215},
                                                 {Prefix::varint1, 1, 63},
                                                 {Prefix::varint2, 2, 16383}}) {
      CAPTURE(width);
      for (const size_t excess : {0u, 1u}) {
        Writer writer(room);
        Counter counter;
        {
          const LengthPrefix in_writer(writer, prefix);
          const LengthPrefix in_counter(counter, prefix);
          writer.zeros(largest + excess);
          counter.zeros(largest + excess);
        }
        CHECK_EQ(writer.ok(), excess == 0);
        CHECK_EQ(counter.ok(), excess == 0);
        CHECK_EQ(writer.size(), width + largest + excess);
        CHECK_EQ(counter.size(), width + largest + excess);
      }
    }
  }

  TEST_CASE("varint prefixes of four and eight bytes carry their marks") {
    uint8_t room[16];
    Writer writer(room);
    {
      const LengthPrefix outer(writer, Prefix::varint8);
      LengthPrefix inner(writer, Prefix::varint4);
      writer.u8(0xee);
      inner.close();
      writer.u8(0xff);
    }
    CHECK_EQ(to_hex(writer.written()),
             "c000000000000006"
             "80000001"
             "ee"
             "ff");
  }

  TEST_CASE("patch overwrites what is written") {
    uint8_t room[4] = {};
    Writer writer(room);
    writer.u32(0);
    writer.patch(1, 0x0102, 2);
    CHECK_EQ(to_hex(writer.written()), "00010200");
  }

  TEST_CASE("a writer without room fails at the first byte") {
    Writer writer{MutBytes()};
    writer.bytes({});
    writer.zeros(0);
    CHECK(writer.ok());
    writer.u8(0);
    CHECK_FALSE(writer.ok());
  }
}
