#include "quic/wire/transport_parameters.h"

#include <string>
#include <vector>

#include "base/hex.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

using Data = std::vector<uint8_t>;

ConnectionId id_of(const char* hex) { return ConnectionId(*from_hex(hex)); }

Data written(const TransportParameters& parameters, const ReservedParameter* reserved = nullptr) {
  Counter counter;
  write_transport_parameters(counter, parameters, reserved);
  Data out(counter.size());
  Writer writer(out);
  write_transport_parameters(writer, parameters, reserved);
  REQUIRE(writer.ok());
  REQUIRE_EQ(writer.size(), out.size());
  return out;
}

TransportParameters everything() {
  TransportParameters all{.max_idle_timeout = 30'000,
                          .max_udp_payload_size = 1472,
                          .initial_max_data = 1,
                          .initial_max_stream_data_bidi_local = 200,
                          .initial_max_stream_data_bidi_remote = 30'000,
                          .initial_max_stream_data_uni = kVarintMax,
                          .initial_max_streams_bidi = kStreamCountMax,
                          .initial_max_streams_uni = 5,
                          .ack_delay_exponent = 20,
                          .max_ack_delay = 16'383,
                          .active_connection_id_limit = 8,
                          .max_datagram_frame_size = 65'535,
                          .disable_active_migration = true,
                          .grease_quic_bit = true};
  all.initial_source_connection_id = id_of("0102030405");
  all.version_information = VersionInformation{.chosen = Version::v2, .available = {Version::v2, Version::v1}};
  all.original_destination_connection_id = id_of("8394c8f03e515708");
  all.retry_source_connection_id = ConnectionId();
  all.stateless_reset_token.emplace().fill(0xab);
  all.preferred_address = PreferredAddress{.ipv4 = SocketAddress::parse("192.0.2.1:443"),
                                           .ipv6 = SocketAddress::parse("[2001:db8::1]:4433"),
                                           .connection_id = id_of("aabbccdd"),
                                           .stateless_reset_token = {1, 2, 3}};
  return all;
}

Result<TransportParameters> parse(const char* hex, Role sender) {
  return parse_transport_parameters(*from_hex(hex), sender);
}

void expect_refused(const Result<TransportParameters>& result) {
  REQUIRE(!result);
  CHECK_EQ(result.error().domain, ErrorDomain::transport);
  CHECK_EQ(result.error().code, static_cast<uint64_t>(TransportError::transport_parameter_error));
  CHECK(*result.error().reason != '\0');
}

void expect_refused(const char* hex, Role sender = Role::server) {
  CAPTURE(std::string(hex));
  expect_refused(parse(hex, sender));
}

void expect_taken(const char* hex, Role sender = Role::server) {
  CAPTURE(std::string(hex));
  CHECK(parse(hex, sender));
}

}  // namespace

TEST_SUITE("quic transport parameters") {
  TEST_CASE("absent parameters have their defaults") {  // RFC 9000 §18.2
    const Result<TransportParameters> none = parse("", Role::client);
    REQUIRE(none);
    CHECK_EQ(none->max_idle_timeout, 0);
    CHECK(none->idle_timeout().is_infinite());
    CHECK_EQ(none->max_udp_payload_size, 65'527);
    CHECK_EQ(none->initial_max_data, 0);
    CHECK_EQ(none->initial_max_streams_bidi, 0);
    CHECK_EQ(none->ack_delay_exponent, 3);
    CHECK_EQ(none->max_ack_delay, 25);
    CHECK_EQ(none->active_connection_id_limit, 2);
    CHECK_EQ(none->max_datagram_frame_size, 0);
    CHECK_FALSE(none->disable_active_migration);
    CHECK_FALSE(none->grease_quic_bit);
    CHECK_FALSE(none->initial_source_connection_id);
    CHECK(written(TransportParameters()).empty());
  }

  TEST_CASE("all parameters round trip, and every prefix is all of them that are whole, or wrong") {
    const TransportParameters all = everything();
    const Data bytes = written(all);
    const Result<TransportParameters> result = parse_transport_parameters(bytes, Role::server);
    REQUIRE(result);
    CHECK(*result == all);
    size_t whole = 0;
    for (size_t size = 0; size < bytes.size(); size++) {
      const Data prefix(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      const Result<TransportParameters> part = parse_transport_parameters(prefix, Role::server);
      if (!part) {
        expect_refused(part);
        continue;
      }
      whole++;
      CHECK_LE(written(*part).size(), size);
    }
    CHECK_EQ(whole, 20);  // before each of the 20 parameters
  }

  TEST_CASE("each integer has its number and its limits") {  // RFC 9000 §18.2, §4.6
    struct Row {
      uint64_t id;
      uint64_t smallest;
      uint64_t largest;
    };
    constexpr Row rows[] = {
        {0x01, 0, kVarintMax}, {0x03, 1200, kVarintMax}, {0x04, 0, kVarintMax},      {0x05, 0, kVarintMax},
        {0x06, 0, kVarintMax}, {0x07, 0, kVarintMax},    {0x08, 0, kStreamCountMax}, {0x09, 0, kStreamCountMax},
        {0x0a, 0, 20},         {0x0b, 0, 16'383},        {0x0e, 2, kVarintMax},      {0x20, 0, kVarintMax},
    };
    const auto message = [](uint64_t id, uint64_t value, size_t width, size_t length) {
      Data room(32);
      Writer writer(room);
      writer.varint(id);
      writer.varint(length);
      writer.varint(value, width);
      room.resize(writer.size());
      return room;
    };
    for (const Row& row : rows) {
      CAPTURE(row.id);
      for (const uint64_t value : {row.smallest, row.largest}) {
        CHECK(parse_transport_parameters(message(row.id, value, 8, 8), Role::client));
      }
      if (row.smallest > 0) {
        expect_refused(parse_transport_parameters(message(row.id, row.smallest - 1, 8, 8), Role::client));
      }
      if (row.largest < kVarintMax) {
        expect_refused(parse_transport_parameters(message(row.id, row.largest + 1, 8, 8), Role::client));
      }
      // The value is one integer, and nothing else.
      Data longer = message(row.id, row.smallest, 2, 3);
      longer.push_back(0);
      expect_refused(parse_transport_parameters(longer, Role::client));
      expect_refused(
          parse_transport_parameters(message(row.id, row.smallest, 1 + (row.smallest > 63), 0), Role::client));
    }
  }

  TEST_CASE("values of a wrong length are refused") {
    expect_refused("0c0100");                              // disable_active_migration: empty
    expect_refused("6ab20100");                            // RFC 9287 §3: grease_quic_bit: empty
    expect_refused("020f000102030405060708090a0b0c0d0e");  // stateless_reset_token: 16 bytes
    expect_refused("0211000102030405060708090a0b0c0d0e0f10");
    expect_taken("0210000102030405060708090a0b0c0d0e0f");
    for (const char* id : {"00", "0f", "10"}) {  // connection ids: 20 bytes at most
      expect_taken((id + std::string("14") + std::string(40, '0')).c_str());
      expect_refused((id + std::string("15") + std::string(42, '0')).c_str());
      expect_taken((id + std::string("00")).c_str());
    }
  }

  TEST_CASE("a parameter that comes twice is refused") {  // RFC 9000 §7.4
    expect_refused("010100010100");
    expect_refused("0c000c00");
    expect_refused("6ab2006ab200");
    expect_refused("0f000f00");
    expect_refused("7f00007f0000");  // unknown
    expect_refused("1b001b00");      // reserved
  }

  TEST_CASE("unknown and reserved parameters are ignored") {  // RFC 9000 §7.4.2, §18.1
    const Result<TransportParameters> result = parse("1b03ffffff040105c00000000000ffff02abcd", Role::client);
    REQUIRE(result);
    CHECK_EQ(result->initial_max_data, 5);
    Data many(200);
    Writer writer(many);
    for (uint64_t i = 0; i < 60; i++) {  // more than are tracked
      writer.varint(0x3000 + i);
      writer.varint(0);
    }
    CHECK(parse_transport_parameters(writer.written(), Role::client));
  }

  TEST_CASE("a client that sends a server's parameter is refused") {  // RFC 9000 §18.2
    TransportParameters all = everything();
    const auto only = [&](auto member) {
      TransportParameters one;
      one.*member = all.*member;
      const Data bytes = written(one);
      CHECK(parse_transport_parameters(bytes, Role::server));
      expect_refused(parse_transport_parameters(bytes, Role::client));
    };
    only(&TransportParameters::original_destination_connection_id);
    only(&TransportParameters::retry_source_connection_id);
    only(&TransportParameters::stateless_reset_token);
    only(&TransportParameters::preferred_address);
  }

  TEST_CASE("a preferred address needs connection ids") {  // RFC 9000 §18.2
    const std::string addresses = "c000020101bb20010db80000000000000000000000011151";
    const std::string token = "000102030405060708090a0b0c0d0e0f";
    expect_taken(("0d2d" + addresses + "04aabbccdd" + token).c_str());
    expect_refused(("0d29" + addresses + "00" + token).c_str());
    expect_refused(("0d2c" + addresses + "04aabbccdd" + token.substr(2)).c_str());
    expect_refused(("0d2e" + addresses + "04aabbccdd" + token + "00").c_str());
    expect_refused(("0d3e" + addresses + "15" + std::string(42, 'a') + token).c_str());
    expect_taken(("0d2d" + addresses + "04aabbccdd" + token + "0f0101").c_str());
    expect_refused(("0d2d" + addresses + "04aabbccdd" + token + "0f00").c_str());  // the server's id is empty
    // All zeros: nothing offered in that family.
    const auto result =
        parse(("0d2d" + std::string(12, '0') + addresses.substr(12) + "04aabbccdd" + token).c_str(), Role::server);
    REQUIRE(result);
    CHECK_FALSE(result->preferred_address->ipv4);
    CHECK_EQ(result->preferred_address->ipv6->to_string(), "[2001:db8::1]:4433");
    CHECK(written(*result) == *from_hex("0d2d" + std::string(12, '0') + addresses.substr(12) + "04aabbccdd" + token));
  }

  TEST_CASE("version information that does not parse is refused") {  // RFC 9368 §4
    expect_taken("110400000001");
    expect_taken("11080000000100000001", Role::client);
    expect_refused("1100");
    expect_refused("1103000000");
    expect_refused("11050000000100");
    expect_refused("110400000000");
    expect_refused("11080000000100000000");
    // A client's chosen version is among the available ones; a server's need not be.
    expect_taken("1108000000016b3343cf");
    expect_refused("1108000000016b3343cf", Role::client);
    expect_refused("110400000001", Role::client);
  }

  TEST_CASE("a reserved parameter is of its form, and is ignored") {  // RFC 9000 §18.1
    tests::SeededRng rng(7);
    for (int round = 0; round < 200; round++) {
      const ReservedParameter reserved = ReservedParameter::random(rng);
      CHECK_EQ(reserved.id % 31, 27);
      CHECK(varint_fits(reserved.id));
      const Data bytes = written(everything(), &reserved);
      CHECK_GT(bytes.size(), written(everything()).size());
      const auto result = parse_transport_parameters(bytes, Role::server);
      REQUIRE(result);
      CHECK(*result == everything());
    }
  }

  TEST_CASE("what is remembered for 0-RTT leaves out what must not be") {  // RFC 9000 §7.4.1
    const TransportParameters all = everything();
    const TransportParameters remembered = remembered_parameters(all);
    TransportParameters expected = all;
    const TransportParameters defaults;
    expected.ack_delay_exponent = defaults.ack_delay_exponent;
    expected.max_ack_delay = defaults.max_ack_delay;
    expected.initial_source_connection_id.reset();
    expected.original_destination_connection_id.reset();
    expected.preferred_address.reset();
    expected.retry_source_connection_id.reset();
    expected.stateless_reset_token.reset();
    expected.version_information.reset();
    expected.grease_quic_bit = false;  // RFC 9287 §3.1 has its own rule
    CHECK(remembered == expected);
    CHECK(*parse_transport_parameters(written(remembered), Role::server) == remembered);
  }

  TEST_CASE("accepting 0-RTT with a smaller limit is refused on both sides") {  // RFC 9000 §7.4.1, RFC 9221 §3
    const TransportParameters remembered = remembered_parameters(everything());
    CHECK(can_accept_early_data(remembered, everything()));
    CHECK(check_early_data_limits(remembered, everything()));
    for (const auto limit :
         {&TransportParameters::active_connection_id_limit, &TransportParameters::initial_max_data,
          &TransportParameters::initial_max_stream_data_bidi_local,
          &TransportParameters::initial_max_stream_data_bidi_remote, &TransportParameters::initial_max_stream_data_uni,
          &TransportParameters::initial_max_streams_bidi, &TransportParameters::initial_max_streams_uni,
          &TransportParameters::max_datagram_frame_size}) {
      TransportParameters now = everything();
      now.*limit -= 1;
      CHECK_FALSE(can_accept_early_data(remembered, now));
      const Result<void> result = check_early_data_limits(remembered, now);
      REQUIRE(!result);
      CHECK_EQ(result.error().code, static_cast<uint64_t>(TransportError::protocol_violation));
      TransportParameters less = remembered;
      less.*limit -= 1;
      CHECK(can_accept_early_data(less, everything()));
      CHECK(check_early_data_limits(less, everything()));
    }
    // What a server may also reject for, and a client has to bear.
    TransportParameters now = everything();
    now.max_udp_payload_size -= 1;
    CHECK_FALSE(can_accept_early_data(remembered, now));
    CHECK(check_early_data_limits(remembered, now));
    now = everything();
    now.max_idle_timeout -= 1;
    CHECK_FALSE(can_accept_early_data(remembered, now));
    now.max_idle_timeout = 0;  // no timeout at all
    CHECK(can_accept_early_data(remembered, now));
    TransportParameters mobile = remembered;
    mobile.disable_active_migration = false;
    CHECK_FALSE(can_accept_early_data(mobile, everything()));
  }

  TEST_CASE("connection ids are authenticated") {  // RFC 9000 §7.3
    const ConnectionId s1 = id_of("51"), s2 = id_of("52"), s3 = id_of("53"), c1 = id_of("c1");
    const auto refused = [](const TransportParameters& peers, Role peer, const HandshakeConnectionIds& seen) {
      const Result<void> result = authenticate_connection_ids(peers, peer, seen);
      return !result && result.error().code == static_cast<uint64_t>(TransportError::transport_parameter_error);
    };
    TransportParameters client;
    const HandshakeConnectionIds seen_by_server{.peers_initial_source = c1};
    CHECK(refused(client, Role::client, seen_by_server));
    client.initial_source_connection_id = c1;
    CHECK(authenticate_connection_ids(client, Role::client, seen_by_server));
    CHECK(refused(client, Role::client, {.peers_initial_source = s1}));

    // Figure 7, without Retry.
    TransportParameters server;
    HandshakeConnectionIds seen{.peers_initial_source = s3, .original_destination = s1};
    CHECK(refused(server, Role::server, seen));
    server.initial_source_connection_id = s3;
    CHECK(refused(server, Role::server, seen));
    server.original_destination_connection_id = s1;
    CHECK(authenticate_connection_ids(server, Role::server, seen));
    server.original_destination_connection_id = s2;
    CHECK(refused(server, Role::server, seen));
    server.original_destination_connection_id = s1;
    server.retry_source_connection_id = s2;
    CHECK(refused(server, Role::server, seen));

    // Figure 8, with Retry.
    seen.retry_source = s2;
    CHECK(authenticate_connection_ids(server, Role::server, seen));
    server.retry_source_connection_id = s3;
    CHECK(refused(server, Role::server, seen));
    server.retry_source_connection_id.reset();
    CHECK(refused(server, Role::server, seen));

    // Empty ids are values too.
    server = {};
    server.initial_source_connection_id = ConnectionId();
    server.original_destination_connection_id = s1;
    CHECK(authenticate_connection_ids(server, Role::server,
                                      {.peers_initial_source = ConnectionId(), .original_destination = s1}));
    server.initial_source_connection_id.reset();
    CHECK(refused(server, Role::server, {.peers_initial_source = ConnectionId(), .original_destination = s1}));
  }
}
