// The strict DER reader and writer (X.690): what DER forbids is refused, whatever BER would say.
#include <vector>

#include "crypto/der.h"

#include <doctest/doctest.h>

namespace quoll::crypto {
namespace {

using Buffer = std::vector<uint8_t>;

Buffer to_buffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

TEST_SUITE("der") {
  TEST_CASE("a sequence of two integers is read to its end") {
    const Buffer input{0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x02, 0x00, 0x80};
    DerReader reader(input);
    DerReader sequence = reader.enter(DerTag::sequence);
    CHECK(reader.finished());
    CHECK(to_buffer(sequence.read_unsigned_integer().value()) == Buffer{0x05});
    CHECK_FALSE(sequence.finished());
    CHECK(to_buffer(sequence.read_unsigned_integer().value()) == Buffer{0x80});
    CHECK(sequence.finished());
  }

  TEST_CASE("failure is sticky and reaches the readers made from a failed one") {
    const Buffer input{0x02, 0x01, 0x05, 0x02, 0x01, 0x06};
    DerReader reader(input);
    CHECK_FALSE(reader.read(DerTag::octet_string));
    CHECK(reader.failed());
    CHECK(reader.at_end());
    CHECK_FALSE(reader.read(DerTag::integer));
    CHECK(reader.enter(DerTag::sequence).failed());
    CHECK_FALSE(reader.finished());
  }

  TEST_CASE("lengths that are not the shortest, indefinite or too long are refused") {
    const Buffer refused[] = {
        {},
        {0x04},
        {0x04, 0x01},                                      // contents missing
        {0x04, 0x80, 0x00, 0x00},                          // indefinite
        {0x04, 0x81, 0x01, 0xaa},                          // long form of a short length
        {0x04, 0x82, 0x00, 0x01, 0xaa},                    // leading zero
        {0x04, 0x81},                                      // length missing
        {0x04, 0x82, 0x01},                                // length cut
        {0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00},        // far beyond the input
        {0x04, 0x85, 0x00, 0x00, 0x00, 0x00, 0x01, 0xaa},  // more length bytes than are sensible
        {0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0x04, 0xff},
        {0x1f, 0x01, 0x00},  // multi-byte tag
    };
    for (const Buffer& input : refused) {
      DerReader reader(input);
      CHECK_FALSE(reader.read_element());
      CHECK(reader.failed());
    }
  }

  TEST_CASE("long lengths are read") {
    for (const size_t length : {127, 128, 255, 256, 65535, 65536}) {
      Buffer storage(length + 8);
      DerWriter writer(storage);
      writer.write(DerTag::octet_string, Buffer(length, 0xab));
      const Bytes encoding = writer.finish().value();
      CHECK(encoding.size() == length + (length < 128 ? 2 : length < 256 ? 3 : length < 65536 ? 4 : 5));
      DerReader reader(encoding);
      CHECK(to_buffer(reader.read(DerTag::octet_string).value()) == Buffer(length, 0xab));
      CHECK(reader.finished());
      DerReader cut(encoding.first(encoding.size() - 1));
      CHECK_FALSE(cut.read(DerTag::octet_string));
    }
  }

  TEST_CASE("integers that are empty, padded or negative are refused") {
    const Buffer refused[] = {
        {0x02, 0x00},
        {0x02, 0x01, 0x80},
        {0x02, 0x02, 0xff, 0x01},
        {0x02, 0x02, 0x00, 0x7f},
        {0x02, 0x02, 0x00, 0x00},
        {0x42, 0x01, 0x01},
    };
    for (const Buffer& input : refused) {
      DerReader reader(input);
      CHECK_FALSE(reader.read_unsigned_integer());
      CHECK(reader.failed());
    }
    const Buffer zero{0x02, 0x01, 0x00};
    CHECK(DerReader(zero).read_unsigned_integer().value().empty());
    CHECK(DerReader(zero).read_small_integer().value() == 0);
  }

  TEST_CASE("a small integer fits 64 bits") {
    const Buffer largest{0x02, 0x09, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    CHECK(DerReader(largest).read_small_integer() == UINT64_MAX);
    const Buffer larger{0x02, 0x09, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
    CHECK_FALSE(DerReader(larger).read_small_integer());
  }

  TEST_CASE("a bit string of whole bytes has no unused bits") {
    const Buffer whole{0x03, 0x02, 0x00, 0xa5};
    CHECK(to_buffer(DerReader(whole).read_bit_string_bytes().value()) == Buffer{0xa5});
    const Buffer part{0x03, 0x02, 0x01, 0xa4};
    CHECK_FALSE(DerReader(part).read_bit_string_bytes());
    const Buffer empty{0x03, 0x00};
    CHECK_FALSE(DerReader(empty).read_bit_string_bytes());
  }

  TEST_CASE("peek tells an optional element") {
    const Buffer input{0xa0, 0x03, 0x02, 0x01, 0x02};
    DerReader reader(input);
    CHECK(reader.next_is(der_context_tag(0, true)));
    CHECK_FALSE(reader.next_is(der_context_tag(1, true)));
    CHECK(reader.enter(der_context_tag(0, true)).read_small_integer() == 2);
    CHECK_FALSE(reader.peek());
  }

  TEST_CASE("the writer nests, strips leading zeros of integers and adds a sign byte") {
    Buffer storage(32);
    DerWriter writer(storage);
    const size_t sequence = writer.open(DerTag::sequence);
    writer.write_unsigned_integer(Buffer{0x00, 0x00, 0x80});
    writer.write_unsigned_integer(Buffer{0x00, 0x00});
    writer.write_unsigned_integer(Buffer{0x01});
    writer.close(sequence);
    CHECK(to_buffer(writer.finish().value()) ==
          Buffer{0x30, 0x0a, 0x02, 0x02, 0x00, 0x80, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01});
  }

  TEST_CASE("the writer takes bit strings of whole bytes, and elements as they are") {
    Buffer storage(16);
    DerWriter writer(storage);
    const size_t sequence = writer.open(DerTag::sequence);
    writer.write_bit_string_bytes(Buffer{0xa5, 0x5a});
    writer.write_bit_string_bytes({});
    writer.write_element(Buffer{0x05, 0x00});
    writer.close(sequence);
    CHECK(to_buffer(writer.finish().value()) ==
          Buffer{0x30, 0x0a, 0x03, 0x03, 0x00, 0xa5, 0x5a, 0x03, 0x01, 0x00, 0x05, 0x00});
  }

  TEST_CASE("a buffer that is too small fails the writer, at every size") {
    for (size_t size = 0; size < 131 + 2 + 3; size++) {
      Buffer storage(size);
      DerWriter writer(storage);
      const size_t sequence = writer.open(DerTag::sequence);
      writer.write(DerTag::octet_string, Buffer(130, 1));
      writer.close(sequence);
      CHECK_FALSE(writer.finish());
    }
  }
}

}  // namespace
}  // namespace quoll::crypto
