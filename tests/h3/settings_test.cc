#include "h3/settings.h"

#include "h3/error.h"
#include "h3/frame.h"
#include "h3/stream_type.h"
#include "tests/h3/support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using tests::h3_error;

namespace {

using Pairs = std::vector<std::pair<uint64_t, uint64_t>>;

std::vector<uint8_t> payload(const Pairs& pairs) {
  std::vector<uint8_t> out;
  for (const auto& [id, value] : pairs) {
    write_varint(out, id);
    write_varint(out, value);
  }
  return out;
}

Result<Settings> parse(const Pairs& pairs) { return Settings::parse(payload(pairs)); }

}  // namespace

TEST_SUITE("h3 settings") {
  // RFC 9114 §7.2.4
  TEST_CASE("known settings are taken, others ignored, and an empty frame changes nothing") {
    CHECK(parse({}) == Settings{});
    CHECK(parse({{0x01, 4096}, {0x06, 65536}, {0x07, 100}, {0x08, 1}, {0x33, 1}, {0x21, 5}, {0x0d, 9}}) ==
          Settings{.qpack_max_table_capacity = 4096,
                   .qpack_blocked_streams = 100,
                   .max_field_section_size = 65536,
                   .enable_connect_protocol = true,
                   .h3_datagram = true});
    CHECK(parse({{0x06, 0}}).value().max_field_section_size == 0);
  }

  // RFC 9114 §7.2.4
  TEST_CASE("a setting that comes twice is an error, whether known or not") {
    CHECK_EQ(h3_error(parse({{0x01, 1}, {0x01, 1}})), "H3_SETTINGS_ERROR");
    CHECK_EQ(h3_error(parse({{0x2100, 1}, {0x06, 2}, {0x2100, 2}})), "H3_SETTINGS_ERROR");
  }

  // RFC 9114 §7.2.4.1
  TEST_CASE("settings of HTTP/2 are an error") {
    for (const uint64_t id : {0x00, 0x02, 0x03, 0x04, 0x05}) CHECK_EQ(h3_error(parse({{id, 0}})), "H3_SETTINGS_ERROR");
  }

  // RFC 8441 §3
  // RFC 9297 §2.1.1
  TEST_CASE("switches are 0 or 1") {
    for (const uint64_t id : {0x08, 0x33}) {
      CHECK_EQ(h3_error(parse({{id, 2}})), "H3_SETTINGS_ERROR");
      CHECK_EQ(h3_error(parse({{id, kVarintMax}})), "H3_SETTINGS_ERROR");
      CHECK(parse({{id, 0}}) == Settings{});
    }
  }

  // RFC 9114 §7.1
  TEST_CASE("a payload that ends within a setting is a frame error") {
    const std::vector<uint8_t> whole = payload({{0x01, 4096}, {0x06, 70000}});
    for (size_t size = 0; size < whole.size(); size++) {
      CAPTURE(size);
      const bool at_end = size == 0 || size == 3;
      CHECK_EQ(h3_error(Settings::parse(Bytes(whole).first(size))), at_end ? "" : "H3_FRAME_ERROR");
    }
  }

  TEST_CASE("more settings than anybody needs are too much") {
    Pairs pairs;
    for (uint64_t i = 0; i < 256; i++) pairs.push_back({reserved_id(i), i});
    CHECK(parse(pairs) == Settings{});
    pairs.push_back({reserved_id(256), 0});
    CHECK_EQ(h3_error(parse(pairs)), "H3_EXCESSIVE_LOAD");
  }

  TEST_CASE("what is written is read back, with something reserved beside it") {
    const uint64_t seed = tests::test_seed(12);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 300; round++) {
      Settings settings{.qpack_max_table_capacity = rng.below(3) == 0 ? 0 : rng.below(kVarintMax),
                        .qpack_blocked_streams = rng.below(100),
                        .max_field_section_size = {},
                        .enable_connect_protocol = rng.below(2) == 0,
                        .h3_datagram = rng.below(2) == 0};
      if (rng.below(2) == 0) settings.max_field_section_size = rng.below(1 << 20);
      std::vector<uint8_t> out;
      settings.write(out, std::pair(reserved_id(rng.below(1 << 30)), rng.below(kVarintMax)));
      CHECK(Settings::parse(out) == settings);
    }
    std::vector<uint8_t> nothing;
    Settings{}.write(nothing);
    CHECK(nothing.empty());
  }

  // RFC 9114 §7.2.4.2
  // RFC 9204 §3.2.3
  TEST_CASE("remembered settings are compatible when keeping to them breaks none of the new ones") {
    const Settings before{.qpack_max_table_capacity = 4096,
                          .qpack_blocked_streams = 10,
                          .max_field_section_size = 1000,
                          .enable_connect_protocol = true,
                          .h3_datagram = true};
    CHECK(check_compatible(before, before));
    CHECK_EQ(h3_error(check_compatible({}, before)),
             "H3_SETTINGS_ERROR");  // the new limit on field sections was not known
    Settings now = before;
    now.qpack_blocked_streams = 11;
    now.max_field_section_size = 1001;
    CHECK(check_compatible(before, now));
    now = before;
    for (const uint64_t capacity : {8192, 2048, 0}) {
      now.qpack_max_table_capacity = capacity;
      CHECK_EQ(h3_error(check_compatible(before, now)), "QPACK_DECODER_STREAM_ERROR");
    }
    now = before;
    now.qpack_blocked_streams = 9;
    CHECK_EQ(h3_error(check_compatible(before, now)), "H3_SETTINGS_ERROR");
    now = before;
    now.max_field_section_size = 999;
    CHECK_EQ(h3_error(check_compatible(before, now)), "H3_SETTINGS_ERROR");
    now.max_field_section_size.reset();  // said before, left out now
    CHECK_EQ(h3_error(check_compatible(before, now)), "H3_SETTINGS_ERROR");
    now = before;
    now.enable_connect_protocol = false;
    CHECK_EQ(h3_error(check_compatible(before, now)), "H3_SETTINGS_ERROR");
    now = before;
    now.h3_datagram = false;
    CHECK_EQ(h3_error(check_compatible(before, now)), "H3_SETTINGS_ERROR");
    CHECK(check_compatible({}, {.qpack_max_table_capacity = 4096, .qpack_blocked_streams = 1, .h3_datagram = true}));
  }
}

TEST_SUITE("h3 errors") {
  // RFC 9114 §8.1
  TEST_CASE("codes have the names of the RFCs, and others have none") {
    CHECK_EQ(name_of(0x0100), "H3_NO_ERROR");
    CHECK_EQ(name_of(0x0110), "H3_VERSION_FALLBACK");
    CHECK_EQ(name_of(0x33), "H3_DATAGRAM_ERROR");
    CHECK_EQ(name_of(0x0200), "QPACK_DECOMPRESSION_FAILED");
    CHECK_EQ(name_of(0x0202), "QPACK_DECODER_STREAM_ERROR");
    for (const uint64_t code : {uint64_t{0}, uint64_t{0x0111}, uint64_t{0x0203}, reserved_id(7), UINT64_MAX}) {
      CHECK(name_of(code).empty());
    }
  }
}
