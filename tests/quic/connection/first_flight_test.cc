// The first flights of both sides: sizes, connection ids, what is dropped, and what may be sent before the client's
// address is validated (RFC 9000 §5.2, §7.2, §7.3, §8.1, §12.2, §14.1).
#include <algorithm>
#include <numeric>

#include "base/hex.h"
#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

/// Bytes that the endpoint has sent so far.
size_t bytes_sent(const Stage& s) {
  return std::accumulate(s.puppet->datagrams().begin(), s.puppet->datagrams().end(), size_t{0},
                         [](size_t sum, const SeenDatagram& d) { return sum + d.bytes.size(); });
}

/// A datagram with a long header of a version that nobody knows.
Data unknown_version(size_t size) {
  Data datagram = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 4, 9, 9, 9, 9};
  datagram.resize(size);
  return datagram;
}

}  // namespace

TEST_SUITE("quic connection: first flight") {
  // RFC 9000 §7.2, §8.1, §14.1; RFC 9001 §9.3
  TEST_CASE(
      "a client's Initial datagrams have 1200 bytes, and until it is answered one connection id of eight or more") {
    Stage s(Role::client);
    s.start();
    s.puppet->answers = false;
    s.drain();
    s.advance(Duration::seconds(4));
    REQUIRE_GE(s.seen(), 3);  // with probes
    for (const SeenPacket& packet : s.puppet->packets()) {
      CHECK(packet.type == PacketType::initial);
      CHECK_GE(s.puppet->datagrams()[packet.datagram].bytes.size(), 1200);
      CHECK_GE(packet.destination.size(), 8);
      CHECK(packet.destination == s.puppet->packets()[0].destination);
      CHECK(packet.source == s.puppet->packets()[0].source);
    }
  }

  // RFC 9000 §14.1
  TEST_CASE("a server expands its ack-eliciting Initial datagrams to 1200 bytes") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    size_t initials = 0;
    for (const SeenPacket& packet : s.puppet->packets()) {
      if (packet.type != PacketType::initial || !packet.is_ack_eliciting()) continue;
      initials++;
      CHECK_GE(s.puppet->datagrams()[packet.datagram].bytes.size(), 1200);
    }
    CHECK_GE(initials, 1);
  }

  TEST_CASE("a server's first flight holds the handshake alone, and spare connection ids follow the client's answer") {
    Stage s(Role::server);
    s.start();
    s.answer();
    REQUIRE_GE(s.seen(), 2);
    for (const SeenPacket& packet : s.puppet->packets()) CHECK(packet.type != PacketType::one_rtt);
    s.run();
    CHECK(s.find(T::new_connection_id));
  }

  // RFC 9000 §14.1
  TEST_CASE("a server drops Initial packets of smaller datagrams") {
    Stage s(Role::server);
    s.start();
    s.puppet->initial_size = 1199;
    for (const Data& datagram : s.puppet->take_datagrams()) {
      CHECK_EQ(datagram.size(), 1199);
      s.deliver(datagram);
    }
    s.advance(Duration::seconds(2));
    CHECK_EQ(s.datagrams(), 0);
    CHECK_EQ(s.endpoint->connections(), 0);
  }

  // RFC 9000 §14
  TEST_CASE("datagrams of wrong sizes do not close a connection") {
    Stage s(Role::server);
    s.start();
    s.answer();
    s.puppet->initial_size = 500;
    s.send({.type = PacketType::initial, .frames = frames(PingFrame{})});
    s.puppet->initial_size = 1200;
    s.run();
    REQUIRE(s.connection());
    CHECK(s.connection()->is_confirmed());
    for (const size_t size : {1, 20, 1199, 1473, 9000}) s.deliver(Data(size, 0x40));
    s.send_frames(PingFrame{});
    s.advance(Duration::milliseconds(100));
    CHECK_FALSE(s.connection()->is_closed());
    CHECK_FALSE(s.close());
  }

  // RFC 9000 §7.2
  TEST_CASE("a server sends to the Source Connection ID of the client's first Initial packet") {
    Stage s(Role::server);
    s.options.id = id_of("chosen");
    REQUIRE(s.handshake());
    for (const SeenPacket& packet : s.puppet->packets()) {
      CHECK(packet.destination == id_of("chosen"));
      CHECK(packet.token.empty());  // RFC 9000 §17.2.2
    }
  }

  // RFC 9000 §7.2
  TEST_CASE("Initial packets with another Source Connection ID than the first are dropped") {
    for (const Role role : {Role::client, Role::server}) {
      Stage s(role);
      s.start();
      s.drain();
      const std::vector<Data> flight = s.puppet->take_datagrams();
      REQUIRE_FALSE(flight.empty());
      s.deliver(flight[0]);
      const size_t before = s.seen();
      const Data ping = frames(PingFrame{});
      const auto other = s.send({.type = PacketType::initial, .frames = ping, .source = id_of("another")});
      const auto same = s.send({.type = PacketType::initial, .frames = ping});
      CHECK_FALSE(s.acknowledged(other, Space::initial));
      CHECK(s.acknowledged(same, Space::initial));
      // Where packets go has not changed either.
      for (size_t i = before; i < s.seen(); i++) CHECK(s.puppet->packets()[i].destination == id_of("puppet"));
    }
  }

  // RFC 9000 §7.2, §17.2.5.1
  TEST_CASE("a client sends to the Source Connection ID of the first Initial packet, and to no later one") {
    Stage s(Role::client);
    s.options.id = id_of("server", 7);
    REQUIRE(s.handshake());
    bool answered = false;
    for (const SeenPacket& packet : s.puppet->packets()) {
      answered |= packet.destination == id_of("server", 7);
      if (answered) CHECK(packet.destination == id_of("server", 7));
    }
    CHECK(answered);
    // A long header that says otherwise changes nothing.
    s.send({.type = PacketType::handshake, .frames = frames(PingFrame{}), .source = id_of("another")});
    s.send_frames(PingFrame{});
    s.advance(Duration::milliseconds(100));
    CHECK(s.puppet->packets().back().destination == id_of("server", 7));
  }

  // RFC 9000 §7.3, §18.2; RFC 9001 §8.2
  TEST_CASE("a client's parameters tell its Source Connection ID and nothing that is a server's") {
    Stage s(Role::client);
    REQUIRE(s.handshake());
    const auto& parameters = s.puppet->peer_parameters();
    REQUIRE(parameters);  // parsing refuses what only servers send
    CHECK(parameters->initial_source_connection_id == s.puppet->packets()[0].source);
    CHECK_FALSE(parameters->original_destination_connection_id);
    CHECK_FALSE(parameters->retry_source_connection_id);
    CHECK_FALSE(parameters->stateless_reset_token);
    CHECK_FALSE(parameters->preferred_address);
    CHECK_GE(parameters->active_connection_id_limit, 2);
  }

  // RFC 9000 §7.3, §18.2; RFC 9001 §8.2
  TEST_CASE("a server's parameters tell the connection ids of the handshake") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    const auto& parameters = s.puppet->peer_parameters();
    REQUIRE(parameters);
    CHECK(parameters->initial_source_connection_id == s.puppet->packets()[0].source);
    CHECK(parameters->original_destination_connection_id == id_of("invent"));
    CHECK_FALSE(parameters->retry_source_connection_id);
    CHECK_GE(parameters->active_connection_id_limit, 2);
  }

  // RFC 9000 §7.3
  TEST_CASE("connection ids that do not match the parameters close the connection") {
    const auto refused = [](Role role, auto amend) {
      Stage s(role);
      s.options.amend = amend;
      s.handshake();
      return s.closed_with(TransportError::transport_parameter_error) ||
             s.closed_with(TransportError::protocol_violation);
    };
    using P = TransportParameters;
    CHECK(refused(Role::server, [](P& p) { p.initial_source_connection_id.reset(); }));
    CHECK(refused(Role::server, [](P& p) { p.initial_source_connection_id = id_of("forged"); }));
    CHECK(refused(Role::client, [](P& p) { p.initial_source_connection_id.reset(); }));
    CHECK(refused(Role::client, [](P& p) { p.initial_source_connection_id = id_of("forged"); }));
    CHECK(refused(Role::client, [](P& p) { p.original_destination_connection_id.reset(); }));
    CHECK(refused(Role::client, [](P& p) { p.original_destination_connection_id = id_of("forged"); }));
    CHECK(refused(Role::client, [](P& p) { p.retry_source_connection_id = id_of("forged"); }));
  }

  // RFC 9000 §7.4, §18.2
  TEST_CASE("parameters that are invalid or a server's close the connection with TRANSPORT_PARAMETER_ERROR") {
    const auto refused = [](Role role, const char* raw) {
      Stage s(role);
      s.options.raw_parameters = *from_hex(raw) + *from_hex("0f08") + Data{'p', 'u', 'p', 'p', 'e', 't', 0, 0};
      s.handshake();
      return s.closed_with(TransportError::transport_parameter_error);
    };
    CHECK(refused(Role::server, "0e0101"));                // active_connection_id_limit 1
    CHECK(refused(Role::server, "030204af"));              // max_udp_payload_size 1199
    CHECK(refused(Role::server, "0a0115"));                // ack_delay_exponent 21
    CHECK(refused(Role::server, "0b048000400000"));        // max_ack_delay 2^14, and a byte too many
    CHECK(refused(Role::server, "0808d000000000000001"));  // initial_max_streams_bidi over 2^60
    CHECK(refused(Role::server,
                  "0210"
                  "00112233445566778899aabbccddeeff"));  // a server's
    CHECK(refused(Role::server, "000101"));
    CHECK(refused(Role::client, "0e0101"));
  }

  // RFC 9000 §5.2.2
  TEST_CASE("a server answers unknown versions in datagrams of full size, and drops small ones") {
    Stage s(Role::server);
    s.start();
    s.deliver(unknown_version(1199));
    CHECK_EQ(s.datagrams(), 0);
    s.deliver(unknown_version(1200));
    CHECK_EQ(s.puppet->version_negotiations().size(), 1);
    CHECK_EQ(s.endpoint->connections(), 0);
  }

  // RFC 9000 §5.2.2
  TEST_CASE("a server drops what begins no connection and belongs to none") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    const size_t before = s.datagrams();
    for (const PacketType type : {PacketType::handshake, PacketType::zero_rtt}) {
      const ConnectionId nobody = id_of("nobody"), me = id_of("me");
      const LongHeader header{.type = type, .destination = nobody, .source = me};
      Data datagram(1200, 0x55);
      Writer writer(datagram);
      const HeaderPlaces places = write_long_header(writer, header, {.number = 1, .size = 4});
      writer.zeros(1100);
      finish_long_header(writer, places, 16);
      s.deliver(datagram);
    }
    s.deliver(Data{0x40, 1, 2});
    CHECK_EQ(s.datagrams(), before);
    CHECK_EQ(s.endpoint->connections(), 1);
  }

  // RFC 9000 §5.2.1
  TEST_CASE("a client drops packets of another version than the connection's") {
    Stage s(Role::client);
    s.transport.versions = {Version::v1, Version::v2};
    s.start();
    s.drain();
    const std::vector<Data> flight = s.puppet->take_datagrams();
    for (const Data& datagram : flight) s.deliver(datagram);
    const Data ping = frames(PingFrame{});
    const auto other = s.send({.type = PacketType::handshake, .frames = ping, .version = Version::v2});
    CHECK_FALSE(s.acknowledged(other, Space::handshake));
    CHECK_FALSE(s.close());
  }

  // RFC 9000 §5.2
  TEST_CASE("a packet that turns out wrong behind good frames closes the connection") {
    for (const Role role : {Role::client, Role::server}) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.send({.frames = frames(PingFrame{}) + Data{0x21}});
      CHECK(s.closed_with(TransportError::frame_encoding_error));
    }
  }

  // RFC 9000 §12.2
  TEST_CASE("coalesced packets are processed and acknowledged each on its own, forged ones passed over") {
    for (const Role role : {Role::client, Role::server}) {
      Stage s(role);
      s.start();
      s.drain();
      s.puppet->sends_done = false;
      for (const Data& datagram : s.puppet->take_datagrams()) s.deliver(datagram);
      if (!s.puppet->can_seal(PacketType::handshake)) s.answer();
      REQUIRE(s.puppet->can_seal(PacketType::handshake));
      const Data ping = frames(PingFrame{});
      const PacketNumber handshake = s.puppet->next_number(Space::handshake);
      const Data datagram = s.puppet->seal({.type = PacketType::handshake, .frames = ping}) +
                            s.puppet->seal({.type = PacketType::handshake, .frames = ping, .forged = true}) +
                            s.puppet->seal({.type = PacketType::handshake, .frames = ping});
      s.deliver(datagram);
      CHECK(s.acknowledged(handshake, Space::handshake));
      CHECK_FALSE(s.acknowledged(handshake + 1, Space::handshake));
      CHECK(s.acknowledged(handshake + 2, Space::handshake));
    }
    Stage s(Role::server);
    s.start();
    s.answer();
    const PacketNumber initial = s.puppet->next_number(Space::initial);
    const Data ping = frames(PingFrame{});
    s.deliver(s.puppet->seal({.type = PacketType::initial, .frames = ping, .size = 600}) +
              s.puppet->seal({.type = PacketType::initial, .frames = ping, .size = 600}));
    CHECK(s.acknowledged(initial, Space::initial));
    CHECK(s.acknowledged(initial + 1, Space::initial));
  }

  // RFC 9000 §12.2
  TEST_CASE("packets in one datagram have one Destination Connection ID") {
    for (const Role role : {Role::client, Role::server}) {
      Stage s(role);
      REQUIRE(s.handshake());
      size_t coalesced = 0;
      for (size_t i = 1; i < s.seen(); i++) {
        const SeenPacket& before = s.puppet->packets()[i - 1];
        const SeenPacket& packet = s.puppet->packets()[i];
        if (before.datagram != packet.datagram) continue;
        coalesced++;
        CHECK(before.destination == packet.destination);
      }
      CHECK_GE(coalesced, 1);
    }
  }

  // RFC 9000 §17.2
  TEST_CASE("connection ids have the size that the endpoint chose, 20 bytes at most") {
    for (const Role role : {Role::client, Role::server}) {
      for (const size_t size : {0, 4, 20}) {
        Stage s(role);
        s.endpoint_config.connection_ids = std::make_shared<RandomConnectionIds>(size);
        CHECK(s.handshake());
        for (const SeenPacket& packet : s.puppet->packets()) {
          if (has_long_header(packet.type)) CHECK_EQ(packet.source.size(), size);
          CHECK_LE(packet.destination.size(), 20);
        }
      }
    }
  }

  // RFC 9000 §8, §8.1, §14.1
  TEST_CASE("before validation a server sends three times what it received, and all bytes received count") {
    Stage s(Role::server);
    s.tls_server.identities = {s.authority.issue({.ocsp_response = Data(5000, 0x11)})};
    s.start();
    size_t received = 0;
    for (const Data& datagram : s.puppet->take_datagrams()) {
      received += datagram.size();
      s.deliver(datagram);
    }
    s.puppet->answers = false;
    CHECK_LE(bytes_sent(s), 3 * received);
    CHECK_GT(bytes_sent(s), 3 * received - 1200);  // the flight is larger than the allowance
    s.advance(Duration::seconds(3));
    CHECK_LE(bytes_sent(s), 3 * received);
    // A packet with bytes behind it that mean nothing.
    const Data more =
        s.puppet->seal({.type = PacketType::initial, .frames = frames(PingFrame{}), .size = 1200}) + Data(200);
    s.deliver(more);
    received += more.size();
    CHECK_LE(bytes_sent(s), 3 * received);
    s.advance(Duration::seconds(3));
    CHECK_GT(bytes_sent(s), 3 * received - 1200);
    CHECK_LE(bytes_sent(s), 3 * received);
  }

  // RFC 9000 §8.1, RFC 9002 §6.2.2.1
  TEST_CASE("a client with nothing in flight probes with a padded Initial packet") {
    Stage s(Role::client);
    s.start();
    s.puppet->answers = false;
    s.drain();
    const PacketNumber last = s.puppet->packets().back().number;
    s.send({.type = PacketType::initial, .frames = ack_of({{0, last + 1}})});
    const size_t before = s.seen();
    s.advance(Duration::seconds(2));
    REQUIRE_GT(s.seen(), before);
    const SeenPacket& probe = s.puppet->packets()[before];
    CHECK(probe.type == PacketType::initial);
    CHECK(probe.is_ack_eliciting());
    CHECK_GE(s.puppet->datagrams()[probe.datagram].bytes.size(), 1200);
  }

  // RFC 9000 §8.1, RFC 9002 §6.2.2.1
  TEST_CASE("a client that has Handshake keys probes with a Handshake packet") {
    Stage s(Role::client);
    s.start();
    s.drain();
    // Only the ServerHello arrives.
    const std::vector<Data> flight = s.puppet->take_datagrams();
    s.puppet->answers = false;
    REQUIRE_GE(flight.size(), 2);
    s.deliver(flight[0]);
    const size_t before = s.seen();
    s.advance(Duration::seconds(2));
    bool probed = false;
    for (size_t i = before; i < s.seen(); i++) {
      const SeenPacket& packet = s.puppet->packets()[i];
      probed |= packet.type == PacketType::handshake && packet.is_ack_eliciting();
    }
    CHECK(probed);
  }
}

}  // namespace quoll::quic::tests
