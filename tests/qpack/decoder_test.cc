#include "qpack/decoder.h"

#include <string>

#include "qpack/dynamic_table.h"
#include "qpack/field_lines.h"
#include "tests/qpack/support.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::qpack;
using namespace quoll::qpack::tests;

namespace {

constexpr const char* kTwoEntries = "3fbd01c00f7777772e6578616d706c652e636f6dc10c2f73616d706c652f70617468";

Result<DecodeStatus> decode(Decoder& decoder, uint64_t stream_id, std::string_view section) {
  http::FieldSection out;
  return decoder.decode(stream_id, hex(section), out);
}

bool refuses_section(std::string_view section) {
  Decoder decoder({.max_table_capacity = 220, .blocked_streams = 4});
  REQUIRE(decoder.on_encoder_stream(hex(kTwoEntries)).has_value());
  return failed_with(decode(decoder, 4, section), ErrorCode::decompression_failed);
}

bool refuses_instructions(std::string_view instructions, uint64_t capacity = 220) {
  Decoder decoder({.max_table_capacity = capacity});
  return failed_with(decoder.on_encoder_stream(hex(instructions)), ErrorCode::encoder_stream_error);
}

}  // namespace

// RFC 9204 §2.1.2, §2.2.1: a section that needs inserts to come waits for them, no longer.
TEST_CASE("a section is blocked until its entries arrive") {
  Decoder decoder({.max_table_capacity = 220, .blocked_streams = 1});
  http::FieldSection out;
  CHECK(is(decoder.decode(4, hex("03811011"), out), DecodeStatus::blocked));
  CHECK(out.empty());
  CHECK_FALSE(decoder.poll_unblocked());
  const std::vector<uint8_t> instructions = hex(kTwoEntries);
  for (size_t i = 0; i < instructions.size(); i++) {
    CHECK_FALSE(decoder.poll_unblocked());
    CHECK(decoder.on_encoder_stream(Bytes(instructions).subspan(i, 1)).has_value());
  }
  CHECK(decoder.poll_unblocked() == 4);
  CHECK_FALSE(decoder.poll_unblocked());
  CHECK(is(decoder.decode(4, hex("03811011"), out), DecodeStatus::done));
  CHECK(out == http::FieldSection{{":authority", "www.example.com"}, {":path", "/sample/path"}});
  // RFC 9204 §2.2.2.1, §4.4.1: acknowledged; and that says that both inserts arrived, so no increment does.
  CHECK(copy_of(decoder.decoder_stream()) == hex("84"));
}

// RFC 9204 §2.1.2: more blocked streams than promised are a connection error.
TEST_CASE("more blocked streams than allowed are an error, the same stream again is not") {
  Decoder decoder({.max_table_capacity = 220, .blocked_streams = 2});
  CHECK(is(decode(decoder, 4, "03811011"), DecodeStatus::blocked));
  CHECK(is(decode(decoder, 4, "03811011"), DecodeStatus::blocked));
  CHECK(is(decode(decoder, 8, "020080"), DecodeStatus::blocked));
  CHECK(failed_with(decode(decoder, 12, "020080"), ErrorCode::decompression_failed));
  decoder.cancel(4);
  CHECK(is(decode(decoder, 12, "020080"), DecodeStatus::blocked));
  decoder.check_invariants();
}

// RFC 9204 §2.2.2.2, §4.4.2.
TEST_CASE("a stream that is given up is cancelled, unless there is no table") {
  Decoder decoder({.max_table_capacity = 220});
  decoder.cancel(8);
  CHECK(copy_of(decoder.decoder_stream()) == hex("48"));
  Decoder without({.max_table_capacity = 0});
  without.cancel(8);
  CHECK(without.decoder_stream().empty());
}

// RFC 9204 §2.2.2.3, §4.4.3: inserts that no section acknowledged are, all at once.
TEST_CASE("inserts are acknowledged by one increment") {
  Decoder decoder({.max_table_capacity = 220});
  CHECK(decoder.on_encoder_stream(hex(kTwoEntries)).has_value());
  CHECK(copy_of(decoder.decoder_stream()) == hex("02"));
  decoder.sent(1);
  CHECK(decoder.decoder_stream().empty());
  CHECK(is(decode(decoder, 0, "0000d1"), DecodeStatus::done));
  CHECK(decoder.decoder_stream().empty());  // §4.4.1: no Required Insert Count, no acknowledgment
}

// RFC 9204 §2.2.3, §3.1, §4.5.1: what an encoder cannot have meant.
TEST_CASE("malformed sections are errors") {
  CHECK(refuses_section(""));
  CHECK(refuses_section("00"));
  CHECK(refuses_section("0080"));      // Base would be negative
  CHECK(refuses_section("0382"));      // as would this
  CHECK(refuses_section("ff00"));      // a Required Insert Count that the table cannot have
  CHECK(refuses_section("0d00"));      // as would this, by one
  CHECK(refuses_section("020081"));    // relative index below 0
  CHECK(refuses_section("020010"));    // an entry that is there, but beyond the Required Insert Count
  CHECK(refuses_section("0000ff24"));  // static index 99
  CHECK(refuses_section("00005f54016100"));
  CHECK(refuses_section("00005103"));  // a value that is cut off
  CHECK(refuses_section("000023616263"));
  CHECK(refuses_section("0000218118"));
  CHECK(refuses_section("000080"));  // a reference while the Required Insert Count is 0
  // RFC 9204 §7.4: an integer beyond 62 bits, as an index and as a length.
  CHECK(refuses_section("0000ffffffffffffffffffff"));
  CHECK(refuses_section("0000517fffffffffffffffffff"));
}

// RFC 9204 §2.2.3: an entry that was evicted.
TEST_CASE("a reference to an evicted entry is an error") {
  Decoder decoder({.max_table_capacity = 100});
  REQUIRE(decoder
              .on_encoder_stream(hex("3f45"
                                     "416101"
                                     "31"
                                     "416201"
                                     "32"
                                     "416301"
                                     "33"))
              .has_value());
  CHECK(is(decode(decoder, 4, "040081"), DecodeStatus::done));
  CHECK(failed_with(decode(decoder, 4, "040082"), ErrorCode::decompression_failed));
  for (const char* instruction : {"02", "820134"}) {  // a duplicate of it, and its name
    Decoder other({.max_table_capacity = 100});
    REQUIRE(other.on_encoder_stream(hex("3f45416101314162013241630133")).has_value());
    CHECK(failed_with(other.on_encoder_stream(hex(instruction)), ErrorCode::encoder_stream_error));
  }
}

// RFC 9204 §3.1, §3.2.2, §3.2.3, §4.3.
TEST_CASE("malformed encoder instructions are errors") {
  CHECK(refuses_instructions("3fbe01"));          // capacity 221 of 220
  CHECK(refuses_instructions("3fbd0100"));        // a duplicate of nothing
  CHECK(refuses_instructions("3fbd01800161"));    // a name of nothing
  CHECK(refuses_instructions("3fbd01ff240161"));  // static index 99
  CHECK(refuses_instructions("c00161"));          // no capacity yet
  CHECK(refuses_instructions("c00161", 0));
  CHECK(refuses_instructions("3fbd01c0810e"));  // padding of Huffman code
  CHECK(refuses_instructions("3fffffffffffffffffff"));
  CHECK_FALSE(refuses_instructions("3fbd01c00161"));
}

// RFC 9204 §3.2.2, §7.4: known by the announced length; nothing is kept.
TEST_CASE("a text too large for the table is refused before it arrives") {
  CHECK(refuses_instructions("3fbd01c07fbd01"));  // a value of 316 bytes
  CHECK(refuses_instructions("3fbd015fffffffffffff01"));
  CHECK(refuses_instructions("3fbd01c0ffb405"));      // 819 bytes of Huffman code cannot be 188 or less
  CHECK_FALSE(refuses_instructions("3fbd01c07f3d"));  // 188 bytes and 32, and none of :authority
  CHECK_FALSE(refuses_instructions("3fbd01c0ffc004"));
}

// RFC 9114 §4.2.2: the size is what it decodes to, so it is limited while decoding.
TEST_CASE("a section that decodes to too much is not given, and acknowledged") {
  Decoder decoder({.max_table_capacity = 4096, .max_field_section_size = 200});
  std::vector<uint8_t> instructions;
  write(instructions, SetDynamicTableCapacity{4096});
  write(instructions, InsertWithLiteralName{.name = "n", .value = std::string(67, 'v')}, true);
  REQUIRE(decoder.on_encoder_stream(instructions).has_value());
  http::FieldSection out = {{"before", "it"}};
  CHECK(is(decoder.decode(4, hex("02008080"), out), DecodeStatus::done));
  CHECK(out.size() == 3);
  out.truncate(1);
  CHECK(is(decoder.decode(8, hex("0200808080"), out), DecodeStatus::too_large));
  CHECK(out == http::FieldSection{{"before", "it"}});
  CHECK(copy_of(decoder.decoder_stream()) == hex("8488"));
  // Literals are refused by their lengths.
  CHECK(is(decode(decoder, 12,
                  "0000"
                  "517f8101"),
           DecodeStatus::done) == false);
  std::vector<uint8_t> literal = hex("0000");
  write_literal_line(literal, "a", std::string(168, '&'), {.never_indexed = false, .huffman = true});
  CHECK(is(decoder.decode(16, literal, out), DecodeStatus::too_large));
  literal = hex("0000");
  write_literal_line(literal, "a", std::string(167, '&'), {.never_indexed = false, .huffman = true});
  CHECK(is(decoder.decode(16, literal, out), DecodeStatus::done));
}

// RFC 9204 §7.1.3.
TEST_CASE("a line that must never be indexed says so") {
  Decoder decoder({.max_table_capacity = 0});
  http::FieldSection out;
  CHECK(is(decoder.decode(0,
                          hex("0000"
                              "71016b"
                              "31610162"
                              "510163"),
                          out),
           DecodeStatus::done));
  CHECK(out == http::FieldSection{{":path", "k", true}, {"a", "b", true}, {":path", "c"}});
}

// RFC 9204 §7.3: what is said and not taken is limited.
TEST_CASE("a peer that does not take the decoder stream is stopped") {
  Decoder decoder({.max_table_capacity = 220});
  REQUIRE(decoder.on_encoder_stream(hex(kTwoEntries)).has_value());
  Result<DecodeStatus> done = DecodeStatus::done;
  size_t sections = 0;
  for (; done && sections < 100000; sections++) done = decode(decoder, 4, "030080");
  CHECK(failed_with(done, ErrorCode::decompression_failed));
  CHECK(decoder.decoder_stream().size() <= 70000);
}

// RFC 9204 §2.2.2.2, §7.3: an encoder that missed a cancellation would keep entries for ever.
TEST_CASE("a cancellation that could not be kept ends the connection, even if the decoder stream is taken at last") {
  Decoder decoder({.max_table_capacity = 220});
  REQUIRE(decoder.on_encoder_stream(hex(kTwoEntries)).has_value());
  uint64_t stream_id = 0;
  while (decoder.decoder_stream().size() <= 64 * 1024) decoder.cancel(stream_id += 4);
  decoder.sent(decoder.decoder_stream().size());
  CHECK(is(decode(decoder, 4, "030080"), DecodeStatus::done));
  while (decoder.decoder_stream().size() <= 64 * 1024) decoder.cancel(stream_id += 4);
  const size_t size = decoder.decoder_stream().size();
  decoder.cancel(stream_id + 4);
  CHECK(decoder.decoder_stream().size() == size);
  decoder.sent(size);
  CHECK(failed_with(decode(decoder, 4, "030080"), ErrorCode::decompression_failed));
  CHECK(failed_with(decoder.on_encoder_stream(hex("00")), ErrorCode::encoder_stream_error));
}

// RFC 9204 §4.5.1.1: the example, and all counts around a wrap.
TEST_CASE("Required Insert Counts survive their encoding") {
  CHECK(decode_insert_count(4, 3, 10) == 9);
  for (uint64_t entries = 1; entries < 6; entries++) {
    for (uint64_t inserted = 0; inserted < 40; inserted++) {
      for (uint64_t required = inserted >= entries ? inserted - entries + 1 : 0; required <= inserted + entries;
           required++) {
        CHECK(decode_insert_count(encode_insert_count(required, entries), entries, inserted) == required);
      }
      CHECK_FALSE(decode_insert_count(2 * entries + 1, entries, inserted));
    }
  }
  CHECK_FALSE(decode_insert_count(1, 0, 0));
  CHECK_FALSE(decode_insert_count(1, 3, 0));  // zero has another form
}

TEST_CASE("decoding allocates nothing once it is warm") {
  if (!quoll::tests::heap_is_counted()) return;
  Decoder decoder({.max_table_capacity = 220});
  REQUIRE(decoder.on_encoder_stream(hex(kTwoEntries)).has_value());
  http::FieldSection out;
  const std::vector<uint8_t> section = hex("030081805188626a0f18e85c884780d1");
  size_t allocations = 0;
  for (int i = 0; i < 20; i++) {
    if (i == 10) allocations = quoll::tests::heap_allocations();
    out.clear();
    REQUIRE(is(decoder.decode(4, section, out), DecodeStatus::done));
    decoder.sent(decoder.decoder_stream().size());
  }
  CHECK(quoll::tests::heap_allocations() == allocations);
}
