// Version negotiation, incompatible and compatible (RFC 9000 §6; RFC 9368; RFC 9369 §4, §5).
#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

Data unknown_version(size_t size) {
  Data datagram = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 4, 9, 9, 9, 9};
  datagram.resize(size);
  return datagram;
}

const VersionInformation kOffer{.chosen = Version::v1, .available = {Version::v1, Version::v2}};

}  // namespace

TEST_SUITE("quic connection: version negotiation") {
  // RFC 9000 §6.1, §17.2.1; RFC 9368 §2.1
  TEST_CASE("a server answers an unknown version once, with all of its versions and the connection ids swapped") {
    Stage s(Role::server);
    s.transport.versions = {Version::v2, Version::v1};
    s.start();
    // A second packet in the same datagram.
    s.deliver(unknown_version(600) + unknown_version(700));
    REQUIRE_EQ(s.puppet->version_negotiations().size(), 1);
    const SeenVersionNegotiation& answer = s.puppet->version_negotiations()[0];
    CHECK(answer.destination == Data{9, 9, 9, 9});
    CHECK(answer.source == Data{1, 2, 3, 4, 5, 6, 7, 8});
    for (const Version version : {Version::v1, Version::v2}) {
      CHECK(std::ranges::find(answer.versions, version) != answer.versions.end());
    }
    CHECK_EQ(load_be<uint32_t>(s.puppet->datagrams()[0].bytes.data() + 1), 0);
  }

  // RFC 9000 §17.2.1
  TEST_CASE("connection ids of an unknown version may be as long as they like") {
    Stage s(Role::server);
    s.start();
    Data datagram = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 200};
    datagram.resize(206, 0x33);
    datagram.push_back(150);
    datagram.resize(1300, 0x44);
    s.deliver(datagram);
    REQUIRE_EQ(s.puppet->datagrams().size(), 1);
    // Versions 1 and 2 could not read such ids themselves, so the bytes are looked at.
    const Data& answer = s.puppet->datagrams()[0].bytes;
    CHECK_EQ(answer[5], 150);
    CHECK_EQ(answer[6 + 150], 200);
  }

  // RFC 9000 §6.1; RFC 9368 §2.1
  TEST_CASE("Version Negotiation is not answered by Version Negotiation, and a client sends none") {
    for (const Role role : {Role::client, Role::server}) {
      Stage s(role);
      if (role == Role::client) {
        s.start();
        s.puppet->answers = false;
        s.drain();
        const size_t before = s.datagrams();
        s.deliver(unknown_version(1200));
        CHECK_EQ(s.datagrams(), before);
      } else {
        s.start();
        const ConnectionId destination = id_of("a"), source = id_of("b");
        const InvariantHeader answered{.long_header = true, .destination = destination, .source = source};
        Data datagram(1200);
        Writer writer(datagram);
        const Version versions[] = {Version{0x1a2a3a4a}};
        write_version_negotiation(writer, answered, versions, 0);
        s.deliver(datagram);
        CHECK_EQ(s.datagrams(), 0);
      }
      CHECK(s.puppet->version_negotiations().empty());
    }
  }

  // RFC 9000 §6.2; RFC 9368 §2.1
  TEST_CASE("a client without a version in common gives up") {
    Stage s(Role::client);
    s.start();
    s.puppet->answers = false;
    s.drain();
    s.deliver(s.puppet->version_negotiation({Version{0x1a2a3a4a}, Version::v2}));
    REQUIRE(s.event<Closed>());
    CHECK(s.event<Closed>()->why == Closed::Why::version_negotiation);
  }

  // RFC 9000 §6.2; RFC 9368 §4
  TEST_CASE("Version Negotiation is ignored when it lists our version, or comes after another packet") {
    Stage s(Role::client);
    s.start();
    s.drain();
    const size_t before = s.datagrams();
    s.deliver(s.puppet->version_negotiation({Version::v2, Version::v1}));
    CHECK_EQ(s.datagrams(), before);
    const Data hostile = s.puppet->version_negotiation({Version::v2});
    s.send({.type = PacketType::initial, .frames = ack_of({{0, 1}})});
    s.deliver(hostile);
    CHECK_FALSE(s.event<Closed>());
    s.run();
    CHECK(s.event<Connected>());
  }

  // RFC 9000 §6.3, §15
  TEST_CASE("a client may begin in a reserved version, which nobody has, and goes on in one that the server names") {
    Stage s(Role::client);
    s.client.original_version = reserved_version(0x12345678);
    s.start();
    s.drain();
    REQUIRE_EQ(s.datagrams(), 1);
    const Data first = s.puppet->datagrams()[0].bytes;
    CHECK_EQ(load_be<uint32_t>(first.data() + 1), static_cast<uint32_t>(*s.client.original_version));
    CHECK_GE(first.size(), 1200);
    CHECK_EQ(s.seen(), 0);  // the puppet cannot read it
    // What a server answers that knows no more of it than RFC 8999 says: the ids, swapped.
    const size_t source = 6 + size_t{first[5]};
    Data negotiation = {0x8a, 0, 0, 0, 0};
    negotiation.insert(negotiation.end(), first.begin() + static_cast<ptrdiff_t>(source),
                       first.begin() + static_cast<ptrdiff_t>(source + 1 + first[source]));
    negotiation.insert(negotiation.end(), first.begin() + 5, first.begin() + static_cast<ptrdiff_t>(source));
    negotiation.insert(negotiation.end(), {0x0a, 0x1a, 0x2a, 0x3a, 0, 0, 0, 1});
    s.deliver(negotiation);
    s.run();
    REQUIRE(s.event<Connected>());
    CHECK(s.event<Connected>()->version == Version::v1);
    CHECK(s.puppet->packets()[0].version == Version::v1);
  }

  // RFC 9368 §2.1, §4, §6
  TEST_CASE("a client goes on in a version in common, from the beginning, and ignores further Version Negotiation") {
    Stage s(Role::client);
    s.transport.versions = {Version::v2, Version::v1};
    s.options.version = Version::v2;
    s.options.amend = [](TransportParameters& p) {
      p.version_information = VersionInformation{.chosen = Version::v1, .available = {Version::v1}};
    };
    s.start();
    s.puppet->answers = false;
    s.drain();
    REQUIRE(s.puppet->packets()[0].version == Version::v2);
    const Data negotiation = s.puppet->version_negotiation({Version{0x1a2a3a4a}, Version::v1});
    s.puppet->forget_connection();
    const size_t before = s.seen();
    s.deliver(negotiation);
    REQUIRE_GT(s.seen(), before);
    const SeenPacket& again = s.puppet->packets()[before];
    CHECK(again.version == Version::v1);
    REQUIRE(again.has(T::crypto));
    CHECK_EQ(again.find(T::crypto)->numbers[0], 0);
    CHECK(again.token.empty());
    s.deliver(s.puppet->version_negotiation({Version::v2}));
    CHECK_FALSE(s.event<Closed>());
    s.puppet->answers = true;
    s.puppet->forget_connection();
    s.advance(Duration::seconds(3));  // its probes begin the connection anew at the puppet
    REQUIRE(s.event<Connected>());
    CHECK(s.event<Connected>()->version == Version::v1);
    CHECK_EQ(s.connection()->tls().application_protocol, "h3");
  }

  // RFC 9368 §4
  TEST_CASE("a server that would have understood the first version gives a downgrade away") {
    Stage s(Role::client);
    s.transport.versions = {Version::v2, Version::v1};
    s.options.version = Version::v2;
    s.options.amend = [](TransportParameters& p) {
      p.version_information = VersionInformation{.chosen = Version::v1, .available = {Version::v1, Version::v2}};
    };
    s.start();
    s.puppet->answers = false;
    s.drain();
    const Data negotiation = s.puppet->version_negotiation({Version::v1});
    s.puppet->forget_connection();
    s.deliver(negotiation);
    s.puppet->answers = true;
    s.puppet->forget_connection();
    s.advance(Duration::seconds(3));
    CHECK(s.closed_with(TransportError::version_negotiation_error));
  }

  // RFC 9368 §2.3; RFC 9369 §4.1
  TEST_CASE("a server goes on in the version that it prefers, with all CRYPTO frames, Handshake and 1-RTT packets") {
    Stage s(Role::server);
    s.transport.versions = {Version::v2, Version::v1};
    s.options.parameters.version_information = kOffer;
    REQUIRE(s.handshake());
    CHECK(s.connection()->version() == Version::v2);
    for (const SeenPacket& packet : s.puppet->packets()) {
      if (packet.type == PacketType::one_rtt) continue;  // opened with keys of version 2
      if (packet.type == PacketType::handshake || packet.has(T::crypto)) CHECK(packet.version == Version::v2);
    }
    REQUIRE(s.puppet->peer_parameters()->version_information);
    CHECK(s.puppet->peer_parameters()->version_information->chosen == Version::v2);
  }

  // RFC 9369 §5
  TEST_CASE("after compatible negotiation, tickets and tokens belong to the negotiated version") {
    const auto set_up = [](Stage& s) {
      s.transport.versions = {Version::v2, Version::v1};
      s.endpoint_config.retry = RetryPolicy::always;
      s.endpoint_config.secret.emplace();
    };
    Stage first(Role::server);
    set_up(first);
    const tls::TicketKeys::Secret secret;
    first.tls_server.ticket_keys =
        tls::tests::must(tls::TicketKeys::from_secrets(crypto::best(), std::span(&secret, 1)));
    first.options.parameters.version_information = kOffer;
    REQUIRE(first.handshake());
    first.advance(Duration::milliseconds(100));
    REQUIRE(first.connection()->version() == Version::v2);
    REQUIRE_FALSE(first.puppet->tickets().empty());
    REQUIRE(first.find(T::new_token));

    // Back in a version, in which the server stays or which it changes.
    const auto comes_back = [&](Stage& s, Version version, Bytes token, const tls::ClientTicket& ticket) {
      set_up(s);
      s.tls_server = first.tls_server;
      s.tls_client = first.tls_client;
      s.now = first.now + Duration::seconds(1);
      s.options.version = version;
      s.options.parameters.version_information = kOffer;
      s.options.parameters.version_information->chosen = version;
      s.options.ticket = ticket;
      s.options.token.assign(token.begin(), token.end());
      REQUIRE(s.handshake());
      CHECK(s.connection()->version() == Version::v2);
    };
    const Data token = first.find(T::new_token)->bytes;
    Stage original(Role::server, 2), negotiated(Role::server, 3);
    comes_back(original, Version::v1, token, first.puppet->tickets()[0]);
    CHECK_FALSE(original.puppet->session().negotiated().resumed);
    CHECK_EQ(original.puppet->retries().size(), 1);
    comes_back(negotiated, Version::v2, token, first.puppet->tickets()[0]);
    CHECK(negotiated.puppet->session().negotiated().resumed);
    CHECK(negotiated.puppet->retries().empty());
  }

  // RFC 9369 §5
  TEST_CASE("a ticket of the original version resumes a connection that goes on in another") {
    Stage first(Role::server);
    const tls::TicketKeys::Secret secret;
    first.tls_server.ticket_keys =
        tls::tests::must(tls::TicketKeys::from_secrets(crypto::best(), std::span(&secret, 1)));
    REQUIRE(first.handshake());
    first.advance(Duration::milliseconds(100));
    REQUIRE(first.connection()->version() == Version::v1);
    REQUIRE_FALSE(first.puppet->tickets().empty());
    Stage second(Role::server, 2);
    second.tls_server = first.tls_server;
    second.tls_client = first.tls_client;
    second.now = first.now + Duration::seconds(1);
    second.transport.versions = {Version::v2, Version::v1};
    second.options.parameters.version_information = kOffer;
    second.options.ticket = first.puppet->tickets()[0];
    REQUIRE(second.handshake());
    CHECK(second.connection()->version() == Version::v2);
    CHECK(second.puppet->session().negotiated().resumed);
  }

  // RFC 9369 §4.1
  TEST_CASE("the original version's Initial packets are read until a Handshake packet came") {
    Stage s(Role::server);
    s.transport.versions = {Version::v2, Version::v1};
    s.options.parameters.version_information = kOffer;
    s.start();
    s.answer();
    REQUIRE(s.puppet->version() == Version::v2);
    const Data ping = frames(PingFrame{});
    const PacketNumber original = s.send({.type = PacketType::initial, .frames = ping, .version = Version::v1});
    CHECK(s.acknowledged(original, Space::initial));
    const PacketNumber negotiated = s.send({.type = PacketType::initial, .frames = ping});
    CHECK(s.acknowledged(negotiated, Space::initial));
    // Handshake packets of the original version are none.
    const PacketNumber wrong = s.send({.type = PacketType::handshake, .frames = ping, .version = Version::v1});
    CHECK_FALSE(s.acknowledged(wrong, Space::handshake));
    s.run();
    CHECK(s.connection()->is_confirmed());
  }

  // RFC 9368 §2.3; RFC 9369 §4.1
  TEST_CASE("a client follows the server's version, checks its parameters, and drops packets of others") {
    Stage s(Role::client);
    s.transport.versions = {Version::v1, Version::v2};
    s.options.negotiate = Version::v2;
    s.start();
    s.drain();
    const std::vector<Data> flight = s.puppet->take_datagrams();
    for (const Data& datagram : flight) s.deliver(datagram);
    const PacketNumber wrong =
        s.send({.type = PacketType::handshake, .frames = frames(PingFrame{}), .version = Version::v1});
    CHECK_FALSE(s.acknowledged(wrong, Space::handshake));
    s.run();
    REQUIRE(s.event<Connected>());
    CHECK(s.event<Connected>()->version == Version::v2);
    for (const SeenPacket& packet : s.puppet->packets()) {
      if (packet.type == PacketType::handshake) CHECK(packet.version == Version::v2);
    }
    REQUIRE(s.puppet->peer_parameters()->version_information);
    CHECK(s.puppet->peer_parameters()->version_information->chosen == Version::v1);

    // The first flight, read as one of version 2, is checked like any other (RFC 9368 §2.3).
    Stage wrong_ids(Role::client);
    wrong_ids.transport.versions = {Version::v1, Version::v2};
    wrong_ids.options.negotiate = Version::v2;
    wrong_ids.options.amend = [](TransportParameters& p) { p.original_destination_connection_id = id_of("forged"); };
    wrong_ids.handshake();
    CHECK((wrong_ids.closed_with(TransportError::transport_parameter_error) ||
           wrong_ids.closed_with(TransportError::protocol_violation)));
  }

  // RFC 9368 §4; RFC 9369 §4
  TEST_CASE("version information that does not fit the version in use closes the connection") {
    const auto refused = [](Role role, VersionInformation information, TransportError code) {
      Stage s(role);
      s.transport.versions = {Version::v1, Version::v2};
      s.options.amend = [&](TransportParameters& p) { p.version_information = information; };
      s.handshake();
      return s.closed_with(code);
    };
    const auto kError = TransportError::version_negotiation_error;
    CHECK(refused(Role::server, {.chosen = Version::v2, .available = {Version::v1, Version::v2}}, kError));
    CHECK(refused(Role::client, {.chosen = Version::v2, .available = {Version::v1, Version::v2}}, kError));
    CHECK(refused(Role::server, {.chosen = Version::v1, .available = {Version::v2}},
                  TransportError::transport_parameter_error));
  }
}

}  // namespace quoll::quic::tests
