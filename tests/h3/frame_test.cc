#include "h3/frame.h"

#include <string>
#include <vector>

#include "h3/stream_type.h"
#include "tests/h3/support.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using tests::h3_error;

namespace {

constexpr FrameType kKnown[] = {FrameType::data,
                                FrameType::headers,
                                FrameType::cancel_push,
                                FrameType::settings,
                                FrameType::push_promise,
                                FrameType::goaway,
                                FrameType::max_push_id,
                                FrameType::priority_update_request,
                                FrameType::priority_update_push};

using Frames = std::vector<std::pair<FrameHeader, std::vector<uint8_t>>>;

/// Reads a stream that comes in pieces that end where `cut` says.
template <class Cut>
Frames read_all(Bytes stream, bool& at_boundary, Cut cut) {
  Frames frames;
  FrameReader reader;
  bool inside = false;
  while (!stream.empty()) {
    Bytes piece = stream.first(std::min(stream.size(), cut()));
    stream = stream.subspan(piece.size());
    while (!piece.empty()) {
      if (!inside) {
        const auto header = reader.read_header(piece);
        if (!header) break;
        frames.push_back({*header, {}});
      }
      const Bytes part = reader.take_payload(piece);
      frames.back().second.insert(frames.back().second.end(), part.begin(), part.end());
      inside = reader.payload_left() != 0;
    }
    CHECK(piece.empty());
  }
  at_boundary = reader.is_at_boundary();
  return frames;
}

std::vector<uint8_t> payload_of(const std::vector<uint8_t>& frame, FrameType type) {
  Bytes input = frame;
  FrameReader reader;
  const auto header = reader.read_header(input);
  REQUIRE(header);
  CHECK(header->type == type);
  CHECK(header->length == input.size());
  CHECK_EQ(h3_error(check_length(*header)), "");
  return {input.begin(), input.end()};
}

}  // namespace

TEST_SUITE("h3 frames") {
  // RFC 9114 §7.1
  TEST_CASE("frames are the same however their bytes are split") {
    const uint64_t seed = tests::test_seed(11);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 200; round++) {
      std::vector<uint8_t> stream;
      Frames expected;
      for (uint64_t i = 0, count = rng.below(6); i < count; i++) {
        const FrameType type{rng.below(3) == 0 ? rng.below(kVarintMax) : rng.below(70)};
        const std::vector<uint8_t> payload = rng.bytes(rng.below(4) == 0 ? rng.below(300) : rng.below(9));
        write_header(stream, {.type = type, .length = payload.size()});
        stream.insert(stream.end(), payload.begin(), payload.end());
        expected.push_back({{.type = type, .length = payload.size()}, payload});
      }
      bool at_boundary = false;
      CHECK(read_all(stream, at_boundary, [&] { return size_t{1 + rng.below(20)}; }) == expected);
      CHECK(at_boundary);
      CHECK(read_all(stream, at_boundary, [] { return size_t{1}; }) == expected);
      CHECK(at_boundary);
      if (!stream.empty()) {
        stream.pop_back();
        (void)read_all(stream, at_boundary, [&] { return size_t{1 + rng.below(20)}; });
        // An empty last frame loses a byte of its header, others one of the payload.
        CHECK_FALSE(at_boundary);
      }
    }
  }

  // RFC 9114 §7.1
  TEST_CASE("headers in longer forms than needed are read, and slices are cut without a copy") {
    const std::vector<uint8_t> bytes = {0x40, 0x01, 0x80, 0, 0, 2, 'h', 'i', 0x00};
    Slice input = Slice::copy_of(bytes);
    FrameReader reader;
    CHECK(reader.read_header(input) == FrameHeader{.type = FrameType::headers, .length = 2});
    const uint8_t* where = input.data();
    const Slice payload = reader.take_payload(input);
    CHECK(payload.data() == where);
    CHECK(as_text(payload.bytes()) == "hi");
    CHECK(reader.is_at_boundary());
    CHECK_FALSE(reader.read_header(input));
    CHECK(input.empty());
    CHECK_FALSE(reader.is_at_boundary());
  }

  // RFC 9114 §7.2, Table 1
  // RFC 9218 §7.2
  TEST_CASE("each frame stands where its table says, and comes from the role that may send it") {
    const auto allowed = [](FrameType type, StreamKind stream, Role receiver) {
      const Result<void> result = check_frame(type, stream, receiver);
      CHECK((result || h3_error(result) == "H3_FRAME_UNEXPECTED"));
      return result.has_value();
    };
    // Columns: control, request, push, tunnel; received by the client, then the same by the server.
    const auto row = [&](FrameType type) {
      std::string text;
      for (const Role receiver : {Role::client, Role::server}) {
        for (const StreamKind stream :
             {StreamKind::control, StreamKind::request, StreamKind::push, StreamKind::tunnel}) {
          text.push_back(allowed(type, stream, receiver) ? 'y' : '-');
        }
      }
      return text;
    };
    CHECK_EQ(row(FrameType::data), "-yyy-yyy");
    CHECK_EQ(row(FrameType::headers), "-yy--yy-");
    CHECK_EQ(row(FrameType::cancel_push), "y---y---");
    CHECK_EQ(row(FrameType::settings), "y---y---");
    CHECK_EQ(row(FrameType::push_promise), "-y------");
    CHECK_EQ(row(FrameType::goaway), "y---y---");
    CHECK_EQ(row(FrameType::max_push_id), "----y---");
    CHECK_EQ(row(FrameType::priority_update_request), "----y---");
    CHECK_EQ(row(FrameType::priority_update_push), "----y---");
    CHECK_EQ(row(FrameType{0x0c}), "yyyyyyyy");
    CHECK_EQ(row(FrameType{reserved_id(0)}), "yyyyyyyy");
    CHECK_EQ(row(FrameType{kVarintMax}), "yyyyyyyy");
  }

  // RFC 9114 §7.2.8
  TEST_CASE("frame types of HTTP/2 that mean nothing here are unexpected everywhere") {
    for (const uint64_t type : {0x02, 0x06, 0x08, 0x09}) {
      for (const Role receiver : {Role::client, Role::server}) {
        for (const StreamKind stream :
             {StreamKind::control, StreamKind::request, StreamKind::push, StreamKind::tunnel}) {
          CHECK_EQ(h3_error(check_frame(FrameType{type}, stream, receiver)), "H3_FRAME_UNEXPECTED");
        }
      }
    }
  }

  // RFC 9114 §6.2.1
  // RFC 9114 §7.2.4
  TEST_CASE("a control stream begins with SETTINGS, and they come once") {
    CHECK_EQ(h3_error(check_settings_first(FrameType::settings, true)), "");
    CHECK_EQ(h3_error(check_settings_first(FrameType::goaway, true)), "H3_MISSING_SETTINGS");
    CHECK_EQ(h3_error(check_settings_first(FrameType::data, true)), "H3_MISSING_SETTINGS");
    CHECK_EQ(h3_error(check_settings_first(FrameType{reserved_id(3)}, true)), "H3_MISSING_SETTINGS");
    CHECK_EQ(h3_error(check_settings_first(FrameType::settings, false)), "H3_FRAME_UNEXPECTED");
    CHECK_EQ(h3_error(check_settings_first(FrameType::goaway, false)), "");
  }

  // RFC 9114 §7.1
  TEST_CASE("a length that a frame cannot have is an error before the payload comes") {
    for (const FrameType type : {FrameType::cancel_push, FrameType::goaway, FrameType::max_push_id}) {
      CHECK_EQ(h3_error(check_length({.type = type, .length = 0})), "H3_FRAME_ERROR");
      CHECK_EQ(h3_error(check_length({.type = type, .length = 1})), "");
      CHECK_EQ(h3_error(check_length({.type = type, .length = 8})), "");
      CHECK_EQ(h3_error(check_length({.type = type, .length = 9})), "H3_FRAME_ERROR");
    }
    for (const FrameType type :
         {FrameType::push_promise, FrameType::priority_update_request, FrameType::priority_update_push}) {
      CHECK_EQ(h3_error(check_length({.type = type, .length = 0})), "H3_FRAME_ERROR");
      CHECK_EQ(h3_error(check_length({.type = type, .length = 1})), "");
    }
    for (const FrameType type : {FrameType::data, FrameType::headers, FrameType::settings, FrameType{0x21}}) {
      CHECK_EQ(h3_error(check_length({.type = type, .length = 0})), "");
      CHECK_EQ(h3_error(check_length({.type = type, .length = kVarintMax})), "");
    }
  }

  // RFC 9114 §7.1
  // RFC 9114 §10.8
  TEST_CASE("a frame of one number contains that and nothing else") {
    CHECK_EQ(parse_id(std::vector<uint8_t>{0x40, 0x25}).value(), 0x25);
    CHECK_EQ(h3_error(parse_id({})), "H3_FRAME_ERROR");
    CHECK_EQ(h3_error(parse_id(std::vector<uint8_t>{0x40})), "H3_FRAME_ERROR");
    CHECK_EQ(h3_error(parse_id(std::vector<uint8_t>{0x01, 0x02})), "H3_FRAME_ERROR");
  }

  // RFC 9114 §7.2.6
  TEST_CASE("a server's GOAWAY names a request stream, a client's any push") {
    for (const uint8_t id : std::initializer_list<uint8_t>{0, 4, 8})
      CHECK_EQ(parse_goaway({&id, 1}, Role::client).value(), id);
    for (const uint8_t id : std::initializer_list<uint8_t>{1, 2, 3, 7}) {
      CHECK_EQ(h3_error(parse_goaway({&id, 1}, Role::client)), "H3_ID_ERROR");
      CHECK_EQ(parse_goaway({&id, 1}, Role::server).value(), id);
    }
    CHECK_EQ(h3_error(parse_goaway({}, Role::client)), "H3_FRAME_ERROR");
  }

  // RFC 9218 §7
  // RFC 9218 §7.2
  TEST_CASE("PRIORITY_UPDATE names a request stream or a push, with all parameters") {
    const auto parse = [](FrameType type, uint64_t id, std::string_view value) {
      std::vector<uint8_t> payload;
      write_varint(payload, id);
      payload.insert(payload.end(), value.begin(), value.end());
      return parse_priority_update(type, payload);
    };
    CHECK(parse(FrameType::priority_update_request, 8, "u=1, i") ==
          PriorityUpdate{.of_push = false, .id = 8, .priority = {.urgency = 1, .incremental = true}});
    CHECK(parse(FrameType::priority_update_push, 3, "") == PriorityUpdate{.of_push = true, .id = 3, .priority = {}});
    CHECK(parse(FrameType::priority_update_request, 0, "u=9, x=?0").value().priority == http::Priority{});
    CHECK_EQ(h3_error(parse(FrameType::priority_update_request, 1, "")), "H3_ID_ERROR");
    CHECK_EQ(h3_error(parse(FrameType::priority_update_request, 2, "")), "H3_ID_ERROR");
    CHECK_EQ(h3_error(parse(FrameType::priority_update_request, 4, "u=")), "H3_GENERAL_PROTOCOL_ERROR");
    CHECK_EQ(h3_error(parse_priority_update(FrameType::priority_update_push, {})), "H3_FRAME_ERROR");
  }

  // RFC 9114 §7.2.5
  TEST_CASE("PUSH_PROMISE is a push id and a field section, which may be empty") {
    const std::vector<uint8_t> payload = {0x40, 0x80, 'a', 'b'};
    const Result<PushPromise> promise = parse_push_promise(payload);
    REQUIRE(promise);
    CHECK_EQ(promise->push_id, 0x80);
    CHECK(as_text(promise->field_section) == "ab");
    CHECK(parse_push_promise(Bytes(payload).first(2)).value().field_section.empty());
    CHECK_EQ(h3_error(parse_push_promise(Bytes(payload).first(1))), "H3_FRAME_ERROR");
  }

  TEST_CASE("what is written is read back") {
    std::vector<uint8_t> out;
    write_id_frame(out, FrameType::goaway, 16384);
    CHECK_EQ(parse_goaway(payload_of(out, FrameType::goaway), Role::client).value(), 16384);
    out.clear();
    const Settings settings{.qpack_max_table_capacity = 4096, .qpack_blocked_streams = 16, .h3_datagram = true};
    write_settings(out, settings, std::pair(reserved_id(5), 77));
    CHECK(Settings::parse(payload_of(out, FrameType::settings)).value() == settings);
    out.clear();
    write_push_promise(out, 100, 2);
    out.push_back('x');
    out.push_back('y');
    const std::vector<uint8_t> payload = payload_of(out, FrameType::push_promise);
    CHECK_EQ(parse_push_promise(payload).value().push_id, 100);
    CHECK(as_text(parse_push_promise(payload).value().field_section) == "xy");
    out.clear();
    const PriorityUpdate update{.of_push = false, .id = 400, .priority = {.urgency = 0, .incremental = true}};
    write_priority_update(out, update);
    CHECK(parse_priority_update(FrameType::priority_update_request,
                                payload_of(out, FrameType::priority_update_request)) == update);
    out.clear();
    write_reserved(out, 2, as_bytes("noise"));
    CHECK(as_text(payload_of(out, FrameType{0x21 + 2 * 0x1f})) == "noise");
    const EncodedHeader encoded = encode_header({.type = FrameType::data, .length = 65536});
    out.clear();
    write_header(out, {.type = FrameType::data, .length = 65536});
    CHECK(std::ranges::equal(encoded.bytes(), out));
    CHECK_EQ(encoded.size, 5);
    CHECK_EQ(encode_header({.type = FrameType{kVarintMax}, .length = kVarintMax}).size, 16);
  }

  // RFC 9114 §7.2.8
  // RFC 9114 §6.2.3
  TEST_CASE("reserved identifiers are those of the pattern, and no known type is one") {
    CHECK(is_reserved(0x21));
    CHECK(is_reserved(0x40));
    CHECK_FALSE(is_reserved(0x22));
    CHECK_FALSE(is_reserved(0x02));
    CHECK_FALSE(is_reserved(0));
    for (const uint64_t n :
         {uint64_t{0}, uint64_t{1}, uint64_t{1000}, kReservedIdsMax, kReservedIdsMax + 1, UINT64_MAX}) {
      CHECK(is_reserved(reserved_id(n)));
      CHECK(varint_fits(reserved_id(n)));
    }
    for (const FrameType type : kKnown) {
      CHECK_FALSE(is_reserved(static_cast<uint64_t>(type)));
      CHECK_FALSE(name_of(type).empty());
    }
    CHECK(name_of(FrameType{0x21}).empty());
  }
}
