#include "qpack/encoder.h"

#include <string>

#include "qpack/decoder.h"
#include "qpack/unacknowledged.h"
#include "tests/qpack/pair.h"
#include "tests/qpack/support.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::qpack;
using namespace quoll::qpack::tests;

namespace {

std::vector<uint8_t> encode(Encoder& encoder, uint64_t stream_id, const http::FieldSection& section) {
  std::vector<uint8_t> out;
  encoder.encode(stream_id, section, out);
  return out;
}

const http::FieldSection& request() {
  static const http::FieldSection section = {
      {":method", "GET"}, {":authority", "www.example.com"}, {"user-agent", "a program of some name/1.0"}};
  return section;
}

bool refuses(std::string_view bytes) {
  Encoder encoder({});
  REQUIRE(encoder.set_peer_settings(4096, 100).has_value());
  encode(encoder, 4, request());
  return failed_with(encoder.on_decoder_stream(hex(bytes)), ErrorCode::decoder_stream_error);
}

}  // namespace

// RFC 9204 §3.2.3: the capacity is 0 until SETTINGS say otherwise.
TEST_CASE("without a table nothing is said on the encoder stream") {
  Encoder encoder({});
  for (int i = 0; i < 3; i++) CHECK(encode(encoder, 0, request())[0] == 0);
  CHECK(encoder.encoder_stream().empty());
  REQUIRE(encoder.set_peer_settings(0, 100).has_value());
  for (int i = 0; i < 3; i++) CHECK(encode(encoder, 0, request())[0] == 0);
  CHECK(encoder.encoder_stream().empty());
}

// RFC 9204 §3.2.3: a remembered maximum is given again, and none where none was.
TEST_CASE("the maximum capacity of the peer cannot change once it is known") {
  Encoder encoder({});
  CHECK(encoder.set_peer_settings(0, 0).has_value());
  CHECK(encoder.set_peer_settings(4096, 0).has_value());
  CHECK(encoder.set_peer_settings(4096, 100).has_value());
  CHECK(failed_with(encoder.set_peer_settings(8192, 100), ErrorCode::decoder_stream_error));
  CHECK(failed_with(encoder.set_peer_settings(0, 100), ErrorCode::decoder_stream_error));
}

// RFC 9204 §2.1.2: never blocking when told not to.
TEST_CASE("entries that are not acknowledged are referenced only on streams that may block") {
  Encoder encoder({});
  REQUIRE(encoder.set_peer_settings(4096, 0).has_value());
  CHECK(encode(encoder, 4, request())[0] == 0);
  CHECK(encoder.statistics().inserts == 2);
  CHECK(encode(encoder, 8, request())[0] == 0);
  CHECK(encoder.statistics().inserts == 2);
  REQUIRE(encoder.on_decoder_stream(hex("02")).has_value());
  const std::vector<uint8_t> indexed = encode(encoder, 12, request());
  CHECK(indexed.size() == 5);
  CHECK(indexed[0] == 3);
  CHECK(encoder.statistics().blocked_streams == 0);
}

TEST_CASE("no more streams are at risk than the peer lets be blocked") {
  Encoder encoder({});
  REQUIRE(encoder.set_peer_settings(4096, 2).has_value());
  CHECK(encode(encoder, 0, request())[0] != 0);
  CHECK(encode(encoder, 4, request())[0] != 0);
  CHECK(encode(encoder, 8, request())[0] == 0);
  CHECK(encode(encoder, 4, request())[0] != 0);  // at risk already
  CHECK(encoder.statistics().blocked_streams == 2);
  REQUIRE(encoder.on_decoder_stream(hex("44")).has_value());  // cancelled, both sections of it
  CHECK(encoder.statistics().blocked_streams == 1);
  CHECK(failed_with(encoder.on_decoder_stream(hex("84")), ErrorCode::decoder_stream_error));
}

// RFC 9204 §2.1.2: the streams that may be blocked go to sections that save something by it.
TEST_CASE("a section that saves little takes none of the last streams that may be at risk") {
  const http::FieldSection large = {{"user-agent", "a program of some name/1.0"}, {"x-name", "a value of some length"}};
  const http::FieldSection small = {{"x-name", "another"}};
  for (const uint64_t limit : {4u, 100u}) {
    Encoder encoder({});
    REQUIRE(encoder.set_peer_settings(4096, limit).has_value());
    for (uint64_t i = 0; i < 3; i++) CHECK(encode(encoder, 4 * i, large)[0] != 0);
    CHECK(encoder.statistics().blocked_streams == 3);
    // Only its name could be referenced. With many streams left that is enough; and one that is at risk has no more to lose.
    const std::vector<uint8_t> bytes = encode(encoder, 12, small);
    CHECK((bytes[0] == 0) == (limit == 4));
    CHECK(encoder.statistics().blocked_streams == (limit == 4 ? 3 : 4));
    CHECK(encode(encoder, 8, small)[0] != 0);
    CHECK(encode(encoder, 16, large)[0] != 0);
    encoder.check_invariants();
    Decoder decoder({.blocked_streams = limit});
    REQUIRE(decoder.on_encoder_stream(encoder.encoder_stream()).has_value());
    http::FieldSection out;
    CHECK(is(decoder.decode(12, bytes, out), DecodeStatus::done));
    CHECK(out == small);
  }
}

// RFC 9204 §2.1.2.
TEST_CASE("no stream is put at risk for a shorter name index") {
  Encoder encoder({});
  REQUIRE(encoder.set_peer_settings(4096, 100).has_value());
  encode(encoder, 0, {{"user-agent", "a program of some name/1.0"}});
  REQUIRE(encoder.on_decoder_stream(hex("80")).has_value());
  encode(encoder, 4, {{"accept", "text/this, text/that"}});
  REQUIRE(encoder.statistics().inserts == 2);
  const std::vector<uint8_t> bytes =
      encode(encoder, 8, {{"accept", "something else"}, {"user-agent", "a program of some name/1.0"}});
  CHECK(bytes[0] == 2);
  CHECK(encoder.statistics().blocked_streams == 1);
  // Where the section has to wait for the same entry anyway, it takes its name too: a byte less than by index 29.
  const std::vector<uint8_t> longer = encode(encoder, 4, {{"accept", "something a"}});
  const std::vector<uint8_t> shorter = encode(
      encoder, 4,
      {{"accept", "something e"}, {"user-agent", "a program of some name/1.0"}, {"accept", "text/this, text/that"}});
  CHECK(shorter[0] == 3);
  CHECK(shorter.size() == longer.size() - 1 + 2);
}

// RFC 9204 §4.4.1, §4.4.3.
TEST_CASE("acknowledgments of what was not sent are errors") {
  CHECK_FALSE(refuses("84"));
  CHECK(refuses("8484"));
  CHECK(refuses("88"));
  CHECK(refuses("00"));
  CHECK(refuses("03"));
  CHECK_FALSE(refuses("02"));
  CHECK(refuses("0201"));
  CHECK(refuses("8401"));  // the section had acknowledged both
  CHECK(refuses("ffffffffffffffffffff"));
  CHECK_FALSE(refuses("48"));  // §4.4.2: of a stream that has nothing
}

// RFC 9204 §7.1.3.
TEST_CASE("what must never be indexed is a literal that says so, and credentials are not inserted") {
  Encoder encoder({});
  REQUIRE(encoder.set_peer_settings(4096, 100).has_value());
  const http::FieldSection section = {
      {"x-secret", "s", true}, {"authorization", "Basic eDp5"}, {":method", "GET", true}};
  Decoder decoder({});
  for (uint64_t i = 0; i < 5; i++) {
    http::FieldSection out;
    CHECK(is(decoder.decode(i, encode(encoder, i, section), out), DecodeStatus::done));
    CHECK(out == section);
  }
  CHECK(encoder.statistics().inserts == 0);
}

// RFC 9204 §2.1.1: entries that are referenced or not acknowledged stay.
TEST_CASE("nothing is evicted that is not acknowledged") {
  Encoder encoder({.table_capacity_max = 128});
  REQUIRE(encoder.set_peer_settings(4096, 100).has_value());
  for (uint64_t i = 0; i < 50; i++) {
    encode(encoder, 4 * i, {{"user-agent", "number " + std::to_string(i) + " of many"}});
    encoder.check_invariants();
  }
  CHECK(encoder.statistics().evictions == 0);
  CHECK(encoder.statistics().table_size <= 128);
}

// RFC 9204 §2.1.3: sections do not come to need what flow control holds back without end.
TEST_CASE("inserts stop while the encoder stream is not taken") {
  Encoder encoder({.table_capacity_max = 1 << 20});
  REQUIRE(encoder.set_peer_settings(1 << 20, 100).has_value());
  for (uint64_t i = 0; i < 500; i++) {
    encode(encoder, 4, {{"x-" + std::to_string(i), std::string(500, static_cast<char>('!' + i % 7))}});
  }
  CHECK(encoder.encoder_stream().size() < 20000);
}

TEST_CASE("a decoder that acknowledges nothing costs bounded memory") {
  Encoder encoder({});
  REQUIRE(encoder.set_peer_settings(4096, 100).has_value());
  encode(encoder, 0, request());
  REQUIRE(encoder.on_decoder_stream(hex("02")).has_value());
  std::vector<uint8_t> last;
  for (uint64_t i = 1; i < UnacknowledgedSections::kMax + 10; i++) last = encode(encoder, 4 * i, request());
  CHECK(last[0] == 0);
  encoder.check_invariants();
}

// RFC 9204 §3.2.2: the one entry that fits is replaced by the next.
TEST_CASE("a table that has room for one entry only takes one after the other") {
  Encoder encoder({});
  REQUIRE(encoder.set_peer_settings(63, 100).has_value());
  Decoder decoder({.max_table_capacity = 63});
  for (uint64_t i = 0; i < 40; i++) {
    const http::FieldSection section = {{"server", "~" + std::to_string(i / 8) + "~~~~~~~~~~~"}};
    const std::vector<uint8_t> bytes = encode(encoder, 4 * i, section);
    const Bytes instructions = encoder.encoder_stream();
    REQUIRE(decoder.on_encoder_stream(instructions).has_value());
    encoder.sent(instructions.size());
    http::FieldSection out;
    CHECK(is(decoder.decode(4 * i, bytes, out), DecodeStatus::done));
    CHECK(out == section);
    const Bytes answers = decoder.decoder_stream();
    REQUIRE(encoder.on_decoder_stream(answers).has_value());
    decoder.sent(answers.size());
    encoder.check_invariants();
  }
  CHECK(encoder.statistics().evictions == 4);
}

TEST_CASE("an encoder and a decoder agree, whatever the network does") {
  const uint64_t seed = quoll::tests::test_seed(2);
  INFO("QUOLL_TEST_SEED=", seed);
  quoll::tests::SeededRng rng(seed);
  uint64_t evictions = 0, duplicates = 0;
  for (int i = 0; i < 600; i++) {
    const std::vector<uint8_t> program = rng.bytes(2000);
    Reader reader(program);
    Pair pair(reader);
    pair.run(reader);
    evictions += pair.statistics().evictions;
    duplicates += pair.statistics().duplicates;
  }
  CHECK(evictions > 1000);
  CHECK(duplicates > 50);
}

TEST_CASE("encoding allocates nothing once it is warm") {
  if (!quoll::tests::heap_is_counted()) return;
  Encoder encoder({});
  REQUIRE(encoder.set_peer_settings(4096, 100).has_value());
  std::vector<uint8_t> out;
  size_t allocations = 0;
  for (uint64_t i = 0; i < 100; i++) {
    if (i == 50) allocations = quoll::tests::heap_allocations();
    out.clear();
    encoder.encode(4, request(), out);
    encoder.sent(encoder.encoder_stream().size());
    REQUIRE(encoder.on_decoder_stream(hex("84")).has_value());
  }
  CHECK(quoll::tests::heap_allocations() - allocations <= 50);  // hex() makes one each time
}
