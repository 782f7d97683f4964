#include "quic/wire/packet_header.h"

#include <string>
#include <vector>

#include "base/hex.h"
#include "quic/wire/error_code.h"
#include "quic/wire/packet_header_writer.h"
#include "quic/wire/stateless_reset.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

using Data = std::vector<uint8_t>;

const Data kDestination = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
const Data kSource = {1, 2, 3};
const HeaderOptions kServer{.local_connection_id_size = 8, .role = Role::server};
const HeaderOptions kClient{.local_connection_id_size = 8, .role = Role::client};

/// A packet with `payload` bytes of payload and tag behind its number.
Data long_packet(const LongHeader& header, size_t payload, SizedPacketNumber number = {2, 4}) {
  Data room(2000);
  Writer writer(room);
  const HeaderPlaces places = write_long_header(writer, header, number);
  writer.zeros(payload);
  finish_long_header(writer, places, 0);
  REQUIRE(writer.ok());
  REQUIRE_EQ(writer.size() - payload, header_size(header, number));
  room.resize(writer.size());
  return room;
}

Data short_packet(const ShortHeader& header, size_t payload) {
  Data room(2000);
  Writer writer(room);
  write_short_header(writer, header, {0x1234, 2});
  writer.zeros(payload);
  REQUIRE(writer.ok());
  REQUIRE_EQ(writer.size() - payload, header_size(header, {0x1234, 2}));
  room.resize(writer.size());
  return room;
}

Data operator+(Data a, const Data& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool equal(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

ParsedPacket first_of(Data& datagram, const HeaderOptions& options) {
  DatagramReader reader(datagram, options);
  const std::optional<ParsedPacket> packet = reader.next();
  REQUIRE(packet);
  return *packet;
}

template <class T>
T expect(const ParsedPacket& packet) {
  REQUIRE(packet);
  REQUIRE(std::holds_alternative<T>(*packet));
  return std::get<T>(*packet);
}

void expect_drop(Data datagram, const HeaderOptions& options, PacketDrop reason) {
  const ParsedPacket packet = first_of(datagram, options);
  REQUIRE(!packet);
  CHECK(packet.error() == reason);
}

/// All that the datagram holds: what each packet is, or why it was dropped.
std::string outline(Data datagram, const HeaderOptions& options) {
  std::string text;
  DatagramReader reader(datagram, options);
  while (const std::optional<ParsedPacket> packet = reader.next()) {
    if (!*packet) {
      text += "drop" + std::to_string(static_cast<int>(packet->error())) + " ";
    } else if (const auto* plain = std::get_if<ProtectedPacket>(&**packet)) {
      text += std::string(1, "I0H1"[static_cast<int>(plain->type())]) + " ";
    } else {
      text += "other" + std::to_string((*packet)->index()) + " ";
    }
  }
  return text;
}

std::string drop(PacketDrop reason) { return "drop" + std::to_string(static_cast<int>(reason)) + " "; }

}  // namespace

TEST_SUITE("quic packet headers") {
  TEST_CASE("the headers of RFC 9001 §A.2 and §A.3 are written byte for byte") {
    Data room(64);
    Writer client(room);
    HeaderPlaces places = write_long_header(client, {.destination = kDestination}, {2, 4});
    client.patch(places.packet_number - 2, 0x4000 | 1182, 2);
    CHECK_EQ(to_hex(client.written()), "c300000001088394c8f03e5157080000449e00000002");
    Writer server(room);
    const Data source = *from_hex("f067a5502a4262b5");
    places = write_long_header(server, {.source = source}, {1, 2});
    server.patch(places.packet_number - 2, 0x4000 | 117, 2);
    CHECK_EQ(to_hex(server.written()), "c1000000010008f067a5502a4262b50040750001");
  }

  TEST_CASE("Length covers packet number, payload and tag") {  // RFC 9000 §17.2
    Data room(2000);
    Writer writer(room);
    const HeaderPlaces places = write_long_header(writer, {.destination = kDestination}, {2, 4});
    writer.zeros(1162);
    finish_long_header(writer, places, 16);
    CHECK_EQ(to_hex(writer.written().first(places.packet_number + 4)), "c300000001088394c8f03e5157080000449e00000002");
    Writer large(room);
    const HeaderPlaces too_long = write_long_header(large, {}, {2, 4});
    finish_long_header(large, too_long, 16384);
    CHECK_FALSE(large.ok());
  }

  TEST_CASE("long headers of both versions round trip") {  // RFC 9000 §17.2, RFC 9369 §3.2
    const Data token = {9, 8, 7};
    for (const Version version : {Version::v1, Version::v2}) {
      for (const PacketType type : {PacketType::initial, PacketType::zero_rtt, PacketType::handshake}) {
        const LongHeader header{.type = type,
                                .version = version,
                                .destination = kDestination,
                                .source = kSource,
                                .token = type == PacketType::initial ? Bytes(token) : Bytes()};
        Data datagram = long_packet(header, 100);
        const auto packet = expect<ProtectedPacket>(first_of(datagram, kServer));
        CHECK(packet.type() == type);
        CHECK(packet.version() == version);
        CHECK(equal(packet.destination(), kDestination));
        CHECK(equal(packet.source(), kSource));
        CHECK(equal(packet.token(), header.token));
        CHECK_EQ(packet.packet_number_offset(), datagram.size() - 104);
        CHECK_EQ(packet.protected_size(), 104);
        CHECK(packet.bytes().data() == datagram.data());
        CHECK_EQ(packet_number_size_of(packet.bytes()[0]), 4);
      }
    }
  }

  TEST_CASE("the type bits of version 2 are its own") {  // RFC 9369 §3.2
    const auto bits = [](PacketType type, Version version) {
      return long_packet({.type = type, .version = version}, 30)[0] >> 4 & 3;
    };
    CHECK_EQ(bits(PacketType::initial, Version::v1), 0);
    CHECK_EQ(bits(PacketType::zero_rtt, Version::v1), 1);
    CHECK_EQ(bits(PacketType::handshake, Version::v1), 2);
    CHECK_EQ(bits(PacketType::initial, Version::v2), 1);
    CHECK_EQ(bits(PacketType::zero_rtt, Version::v2), 2);
    CHECK_EQ(bits(PacketType::handshake, Version::v2), 3);
  }

  TEST_CASE("short headers round trip") {  // RFC 9000 §17.3
    for (int flags = 0; flags < 4; flags++) {
      const ShortHeader header{
          .destination = kDestination, .spin_bit = (flags & 1) != 0, .key_phase = (flags & 2) != 0};
      Data datagram = short_packet(header, 40);
      const auto packet = expect<ProtectedPacket>(first_of(datagram, kServer));
      CHECK(packet.type() == PacketType::one_rtt);
      CHECK(equal(packet.destination(), kDestination));
      CHECK_EQ(packet.packet_number_offset(), 9);
      CHECK_EQ(packet.bytes().size(), datagram.size());
      CHECK_EQ(spin_bit_of(datagram[0]), header.spin_bit);
      CHECK_EQ(key_phase_of(datagram[0]), header.key_phase);
      CHECK_EQ(packet_number_size_of(datagram[0]), 2);
      CHECK(check_reserved_bits(datagram[0]));
    }
  }

  TEST_CASE("every truncated datagram is dropped, without a read beyond its end") {
    const Data token = {9, 8, 7};
    const Data whole = long_packet({.destination = kDestination, .source = kSource, .token = token}, 30);
    for (size_t size = 1; size < whole.size(); size++) {
      CAPTURE(size);
      expect_drop(Data(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)), kServer, PacketDrop::truncated);
    }
    const Data short_one = short_packet({.destination = kDestination}, 18);
    CHECK_EQ(outline(short_one, kServer), "1 ");
    for (size_t size = 1; size < short_one.size(); size++) {
      expect_drop(Data(short_one.begin(), short_one.begin() + static_cast<ptrdiff_t>(size)), kServer,
                  size < 9 ? PacketDrop::truncated : PacketDrop::too_short);
    }
    Data nothing;
    CHECK_FALSE(DatagramReader(nothing, kServer).next());
  }

  TEST_CASE("a packet without room for a sample is dropped") {  // RFC 9001 §5.4.2
    CHECK_EQ(outline(long_packet({.destination = kDestination}, 16), kServer), "I ");
    CHECK_EQ(outline(long_packet({.destination = kDestination}, 15), kServer), drop(PacketDrop::too_short));
    CHECK_EQ(outline(long_packet({.destination = kDestination}, 0, {0, 1}), kServer), drop(PacketDrop::too_short));
  }

  TEST_CASE("coalesced packets come one after the other") {  // RFC 9000 §12.2
    const auto of = [](PacketType type) { return long_packet({.type = type, .destination = kDestination}, 30); };
    const Data initial = of(PacketType::initial);
    const Data handshake = of(PacketType::handshake);
    const Data zero_rtt = of(PacketType::zero_rtt);
    const Data one_rtt = short_packet({.destination = kDestination}, 30);
    CHECK_EQ(outline(initial + zero_rtt + handshake + one_rtt, kServer), "I 0 H 1 ");
    CHECK_EQ(outline(one_rtt + initial, kServer), "1 ");  // extends to the end of the datagram
    // A packet that is dropped does not keep those after it from being processed.
    const Data tiny = long_packet({.destination = kDestination}, 3);
    CHECK_EQ(outline(tiny + handshake, kServer), drop(PacketDrop::too_short) + "H ");
    // A packet for another connection id is ignored, those after it are not.
    const Data other = long_packet({.type = PacketType::handshake, .destination = kSource}, 30);
    CHECK_EQ(outline(initial + other + handshake, kServer), "I " + drop(PacketDrop::other_connection_id) + "H ");
    // What has no Length comes alone.
    Data unknown = handshake;
    unknown[1] = 0xff;
    CHECK_EQ(outline(initial + unknown, kServer), "I " + drop(PacketDrop::misplaced));
    CHECK_EQ(outline(unknown + initial, kServer), "other3 ");
    // Garbage behind a packet is one drop.
    CHECK_EQ(outline(initial + Data(100, 0), kServer), "I " + drop(PacketDrop::fixed_bit));
  }

  TEST_CASE("the fixed bit may be 0 only where we said so") {  // RFC 9000 §17.2, §17.3; RFC 9287 §3
    const Data handshake =
        long_packet({.type = PacketType::handshake, .destination = kDestination, .fixed_bit = false}, 30);
    const Data one_rtt = short_packet({.destination = kDestination, .fixed_bit = false}, 30);
    CHECK_EQ(outline(handshake + one_rtt, kServer), drop(PacketDrop::fixed_bit) + drop(PacketDrop::fixed_bit));
    HeaderOptions greased = kServer;
    greased.accept_fixed_bit_zero = true;
    CHECK_EQ(outline(handshake + one_rtt, greased), "H 1 ");
  }

  TEST_CASE("connection ids over 20 bytes are dropped in versions 1 and 2 only") {  // RFC 9000 §17.2
    for (const bool destination : {false, true}) {
      Data packet = {0xc0, 0, 0, 0, 1};
      for (const bool first : {true, false}) {
        const size_t size = first == destination ? 21 : 0;
        packet.push_back(static_cast<uint8_t>(size));
        packet.resize(packet.size() + size);
      }
      packet = packet + *from_hex("0020") + Data(32);
      expect_drop(packet, kServer, PacketDrop::connection_id_too_long);
      packet[1] = 0x7f;  // another version: read, so that it can be answered
      const auto unknown = expect<UnknownVersionPacket>(first_of(packet, kServer));
      CHECK_EQ(unknown.destination.size() + unknown.source.size(), 21);
      CHECK_EQ(static_cast<uint32_t>(unknown.version), 0x7f000001u);
    }
  }

  TEST_CASE("what only the other role receives is dropped") {
    // RFC 9000 §17.2.3: 0-RTT packets; §17.2.2: tokens in Initial packets of servers.
    const Data token = {9, 8, 7};
    expect_drop(long_packet({.type = PacketType::zero_rtt, .destination = kDestination}, 30), kClient,
                PacketDrop::wrong_role);
    expect_drop(long_packet({.destination = kDestination, .token = token}, 30), kClient, PacketDrop::unexpected_token);
  }

  TEST_CASE("Retry packets of both versions round trip") {  // RFC 9000 §17.2.5, RFC 9369 §3.2
    const Data token = {5, 6, 7, 8};
    for (const Version version : {Version::v1, Version::v2}) {
      Data datagram(200);
      Writer writer(datagram);
      write_retry(writer, {.version = version, .destination = kDestination, .source = kSource, .token = token}, 0x0f);
      writer.bytes(Data(16, 0xaa));
      datagram.resize(writer.size());
      CHECK_EQ(datagram[0], version == Version::v1 ? 0xff : 0xcf);
      const auto retry = expect<RetryPacket>(first_of(datagram, kClient));
      CHECK(retry.version == version);
      CHECK(equal(retry.destination, kDestination));
      CHECK(equal(retry.source, kSource));
      CHECK(equal(retry.token, token));
      CHECK(equal(retry.integrity_tag, Data(16, 0xaa)));
      CHECK(equal(retry.without_tag, Bytes(datagram).first(datagram.size() - 16)));
      expect_drop(datagram, kServer, PacketDrop::wrong_role);
      // RFC 9000 §17.2.5.2: no token.
      datagram.resize(datagram.size() - token.size());
      expect_drop(datagram, kClient, PacketDrop::bad_retry);
      datagram.resize(datagram.size() - 1);
      expect_drop(datagram, kClient, PacketDrop::truncated);
    }
  }

  TEST_CASE("the Retry packet of RFC 9001 §A.4 is read") {
    Data datagram = *from_hex("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba");
    const auto retry = expect<RetryPacket>(first_of(datagram, kClient));
    CHECK(retry.destination.empty());
    CHECK_EQ(to_hex(retry.source), "f067a5502a4262b5");
    CHECK_EQ(to_hex(retry.token), "746f6b656e");
    CHECK_EQ(to_hex(retry.integrity_tag), "04a265ba2eff4d829058fb3f0f2496ba");
  }

  TEST_CASE("Version Negotiation packets swap the connection ids and round trip") {  // RFC 8999 §6, RFC 9000 §17.2.1
    const Data long_id(255, 0x55);
    for (const Data& source : {kSource, Data(), long_id}) {
      const InvariantHeader answered{.long_header = true, .destination = kDestination, .source = source};
      Data datagram(600);
      Writer writer(datagram);
      const Version versions[] = {Version::v1, Version{0x1a2a3a4a}, Version::v2};
      write_version_negotiation(writer, answered, versions, 0x15);
      datagram.resize(writer.size());
      CHECK_EQ(datagram[0], 0xd5);
      const auto packet = expect<VersionNegotiationPacket>(first_of(datagram, kClient));
      CHECK(equal(packet.destination, source));
      CHECK(equal(packet.source, kDestination));
      REQUIRE_EQ(packet.size(), 3);
      for (size_t i = 0; i < 3; i++) CHECK(packet[i] == versions[i]);
      // RFC 9368 §2.1: servers ignore it.
      expect_drop(datagram, kServer, PacketDrop::wrong_role);
      // RFC 8999 §6: the other bits of the first byte mean nothing.
      datagram[0] = 0x80;
      expect<VersionNegotiationPacket>(first_of(datagram, kClient));
      // RFC 8999 §6: a truncated version, no version.
      for (size_t cut = 1; cut <= 12; cut++) {
        datagram.pop_back();
        if (cut % 4 == 0 && cut < 12) continue;
        expect_drop(datagram, kClient, PacketDrop::bad_version_negotiation);
      }
    }
  }

  TEST_CASE("the invariant header is read for any version") {  // RFC 8999 §5
    const Data datagram = *from_hex("80ffffffff02aabb01cc");
    const auto header = parse_invariant_header(datagram, 8);
    REQUIRE(header);
    CHECK(header->long_header);
    CHECK_EQ(static_cast<uint32_t>(header->version), 0xffffffffu);
    CHECK_EQ(to_hex(header->destination), "aabb");
    CHECK_EQ(to_hex(header->source), "cc");
    CHECK_EQ(header->size, datagram.size());
    const Data short_one = *from_hex("00aabbccdd");
    CHECK_EQ(to_hex(parse_invariant_header(short_one, 3)->destination), "aabbcc");
    CHECK(parse_invariant_header(short_one, 5).error() == PacketDrop::truncated);
  }

  TEST_CASE("reserved bits are PROTOCOL_VIOLATION") {  // RFC 9000 §17.2, §17.3.1
    for (int first = 0; first < 256; first++) {
      const auto byte = static_cast<uint8_t>(first);
      const bool clear = (first & 0x80) != 0 ? (first & 0x0c) == 0 : (first & 0x18) == 0;
      const Result<void> result = check_reserved_bits(byte);
      REQUIRE_EQ(result.has_value(), clear);
      if (!clear) CHECK_EQ(result.error().code, static_cast<uint64_t>(TransportError::protocol_violation));
    }
  }

  TEST_CASE("each packet type belongs to its packet number space") {  // RFC 9000 §12.3
    CHECK(space_of(PacketType::initial) == Space::initial);
    CHECK(space_of(PacketType::handshake) == Space::handshake);
    CHECK(space_of(PacketType::zero_rtt) == Space::application);
    CHECK(space_of(PacketType::one_rtt) == Space::application);
  }

  TEST_CASE("a stateless reset looks like a short header and ends in its token") {  // RFC 9000 §10.3
    StatelessResetToken token;
    token.fill(0xee);
    Data datagram(21);
    Writer writer(datagram);
    write_stateless_reset(writer, Data(5, 0xff), token);
    REQUIRE(writer.ok());
    CHECK_EQ(datagram[0], 0x7f);
    CHECK(equal(*stateless_reset_candidate(datagram), token));
    CHECK_FALSE(stateless_reset_candidate(Bytes(datagram).first(20)));
  }
}
