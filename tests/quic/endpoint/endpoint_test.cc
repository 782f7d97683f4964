// What an Endpoint does before there is a connection. tests/quic/endpoint/scripted/ tests what it does with them.
#include "quic/endpoint/endpoint.h"

#include "quic/protect/packet_keys.h"
#include "tests/quic/endpoint/endpoint_fixture.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::address;
using tests::connection_id;
using tests::LongDatagram;
using tests::short_datagram;

namespace {

using Fixture = tests::EndpointFixture;

void always_retry(EndpointConfig& config) {
  config.retry = RetryPolicy::always;
  config.ask_before_accept = true;
}
void ask(EndpointConfig& config) { config.ask_before_accept = true; }
void client_only(EndpointConfig& config) { config.server = nullptr; }

bool is_version_negotiation(Bytes datagram) {
  return (datagram[0] & 0x80) != 0 && load_be<uint32_t>(&datagram[1]) == 0;
}

/// A client's answer to a Retry packet, or nothing when the datagram is none.
LongDatagram answer_of(std::vector<uint8_t>& datagram) {
  DatagramReader reader(datagram, {.local_connection_id_size = 0, .role = Role::client});
  const auto parsed = reader.next();
  REQUIRE((parsed && *parsed));
  const auto* retry = std::get_if<RetryPacket>(&**parsed);
  REQUIRE(retry);
  return {.version = retry->version,
          .destination = ConnectionId(retry->source),
          .token = {retry->token.begin(), retry->token.end()}};
}

const Offered* offered(const EndpointEvent& event) { return std::get_if<Offered>(&event.event); }

}  // namespace

TEST_SUITE("quic endpoint version negotiation") {
  // RFC 9000 §5.2.2, §6.1
  TEST_CASE("a first packet of an unknown version is answered with ours") {
    Fixture f;
    auto datagram = LongDatagram{}.bytes();
    store_be(&datagram[1], uint32_t{0x0a1a2a3a});
    f.receive(datagram);
    const auto sent = f.transmits();
    REQUIRE_EQ(sent.size(), 1);
    CHECK(is_version_negotiation(sent[0].bytes));
    CHECK(sent[0].path == f.path);
    CHECK_EQ(f.endpoint().statistics().version_negotiations_sent, 1);
  }

  // RFC 9000 §5.2.2: servers must drop smaller packets that specify unsupported versions.
  TEST_CASE("a small packet of an unknown version is dropped") {
    Fixture f;
    auto datagram = LongDatagram{.size = 1199}.bytes();
    store_be(&datagram[1], uint32_t{0x0a1a2a3a});
    f.receive(datagram);
    CHECK(f.transmits().empty());
    CHECK_EQ(f.endpoint().statistics().datagrams_dropped, 1);
  }

  // RFC 9000 §17.2.1: version-specific rules for connection ids must not influence whether it is sent.
  TEST_CASE("connection ids of an unknown version may have any size") {
    Fixture f;
    std::vector<uint8_t> datagram(1200, 0x11);
    datagram[0] = 0x80;
    store_be(&datagram[1], uint32_t{0x0a1a2a3a});
    datagram[5] = 255;
    datagram[6 + 255] = 0;
    f.receive(datagram);
    CHECK_EQ(f.transmits().size(), 1);
  }

  // RFC 9000 §6.1: an endpoint must not send it in response to Version Negotiation. RFC 9000 §5.2.1: clients discard.
  TEST_CASE("Version Negotiation is never answered, and clients send none") {
    Fixture server, client(client_only);
    auto datagram = LongDatagram{}.bytes();
    store_be(&datagram[1], uint32_t{0});
    server.receive(datagram);
    store_be(&datagram[1], uint32_t{0x0a1a2a3a});
    client.receive(datagram);
    CHECK(server.transmits().empty());
    CHECK(client.transmits().empty());
  }

  TEST_CASE("a version that the configuration leaves out is unknown") {
    Fixture f([](EndpointConfig& config) {
      auto server = std::make_shared<ServerConfig>();
      server->transport.versions = {Version::v1};
      config.server = server;
      config.ask_before_accept = true;
    });
    f.receive(LongDatagram{.version = Version::v2}.bytes());
    const auto sent = f.transmits();
    REQUIRE_EQ(sent.size(), 1);
    CHECK(is_version_negotiation(sent[0].bytes));
    CHECK(f.events().empty());
  }
}

TEST_SUITE("quic endpoint first packets") {
  // RFC 9000 §14.1
  TEST_CASE("an Initial packet in a datagram of less than 1200 bytes is discarded") {
    Fixture f(ask);
    f.receive(LongDatagram{.size = 1199}.bytes());
    CHECK(f.events().empty());
    CHECK_EQ(f.endpoint().statistics().too_small_initials, 1);
    f.receive(LongDatagram{.size = 1200}.bytes());
    CHECK_EQ(f.events().size(), 1);
  }

  // RFC 9000 §7.2
  TEST_CASE("a first connection id of less than 8 bytes is no client's") {
    Fixture f(ask);
    f.receive(LongDatagram{.destination = connection_id(1, 7)}.bytes());
    CHECK(f.events().empty());
    f.receive(LongDatagram{.destination = connection_id(1, 8)}.bytes());
    CHECK_EQ(f.events().size(), 1);
  }

  // RFC 9000 §5.2.2
  TEST_CASE("0-RTT and Handshake packets of no connection are dropped without an answer") {
    Fixture f(ask);
    f.receive(LongDatagram{.type = PacketType::zero_rtt}.bytes());
    f.receive(LongDatagram{.type = PacketType::handshake}.bytes());
    CHECK(f.events().empty());
    CHECK(f.transmits().empty());
    CHECK_EQ(f.endpoint().statistics().unroutable, 2);
  }

  // RFC 9000 §5.2.1
  TEST_CASE("a client accepts nobody") {
    Fixture f(client_only);
    f.receive(LongDatagram{}.bytes());
    f.receive(short_datagram(connection_id(1), 100));
    CHECK(f.events().empty());
    CHECK(f.transmits().empty());
    CHECK_EQ(f.endpoint().statistics().datagrams_dropped, 2);
  }

  // RFC 9000 §5.2.2: CONNECTION_REFUSED.
  TEST_CASE("a closed endpoint refuses clients") {
    Fixture f(ask);
    f.endpoint().close(f.now, ApplicationErrorCode{0}, "");
    f.receive(LongDatagram{}.bytes());
    CHECK(f.events().empty());
    const auto sent = f.transmits();
    REQUIRE_EQ(sent.size(), 1);
    CHECK(sent[0].bytes.size() < 100);
    CHECK_EQ(f.endpoint().statistics().refused, 1);
  }

  TEST_CASE("bytes of any kind are survived") {
    const uint64_t seed = tests::test_seed(12);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    Fixture f(ask);
    for (int i = 0; i < 20'000; i++) {
      auto datagram = rng.bytes(rng.below(4) == 0 ? 1200 + rng.below(100) : rng.below(80));
      if (!datagram.empty() && rng.below(2) == 0) {
        const auto good = LongDatagram{}.bytes();
        std::copy_n(good.begin(), std::min<size_t>(datagram.size(), rng.below(30)), datagram.begin());
      }
      f.now = f.now + Duration::milliseconds(1);
      f.receive(datagram);
      f.events();
      f.transmits();
      f.endpoint().on_timeout(f.now);
      if (i % 100 == 0) f.check();
    }
    f.check();
  }
}

TEST_SUITE("quic endpoint retry") {
  // RFC 9000 §8.1.2, §17.2.5.3
  TEST_CASE("a client that answers a Retry is validated") {
    Fixture f(always_retry);
    f.receive(LongDatagram{}.bytes());
    auto sent = f.transmits();
    REQUIRE_EQ(sent.size(), 1);
    CHECK(f.events().empty());
    CHECK_EQ(f.endpoint().statistics().retries_sent, 1);
    const LongDatagram answer = answer_of(sent[0].bytes);
    CHECK_EQ(answer.destination.size(), 8);
    CHECK_FALSE(answer.destination == connection_id(0xd1));  // RFC 9000 §17.2.5.1
    f.receive(answer.bytes());
    const auto events = f.events();
    REQUIRE_EQ(events.size(), 1);
    REQUIRE(offered(events[0]));
    CHECK(offered(events[0])->address_validated);
    // RFC 9000 §8.1.2: no second Retry.
    CHECK_FALSE(f.endpoint().retry(f.now, events[0].connection));
    CHECK(f.endpoint().refuse(f.now, events[0].connection));
  }

  // RFC 9000 §17.2.5.1: one Retry in response to a datagram.
  TEST_CASE("each datagram gets one Retry, in its own version") {
    Fixture f(always_retry);
    f.receive(LongDatagram{.version = Version::v2}.bytes());
    f.receive(LongDatagram{.version = Version::v1}.bytes());
    auto sent = f.transmits();
    REQUIRE_EQ(sent.size(), 2);
    CHECK(answer_of(sent[0].bytes).version == Version::v2);
    CHECK(answer_of(sent[1].bytes).version == Version::v1);
  }

  // RFC 9000 §8.1.2: INVALID_TOKEN.
  TEST_CASE("a Retry token that is too old, or comes from elsewhere, is refused at once") {
    Fixture f(always_retry);
    f.receive(LongDatagram{}.bytes());
    auto sent = f.transmits();
    LongDatagram answer = answer_of(sent[0].bytes);
    f.receive(answer.bytes(), "198.51.100.1:1001");
    f.receive(answer.bytes(), "198.51.100.2:1000");
    f.now = f.now + Duration::seconds(16);
    f.receive(answer.bytes());
    CHECK(f.events().empty());
    CHECK_EQ(f.transmits().size(), 3);
    CHECK_EQ(f.endpoint().statistics().invalid_tokens, 3);
    CHECK_EQ(f.endpoint().statistics().refused, 3);
    CHECK_EQ(f.endpoint().statistics().retries_sent, 1);
  }

  // RFC 9000 §8.1.3: an invalid token is treated as none.
  TEST_CASE("a token that is none of ours is as none") {
    Fixture retrying(always_retry), asking(ask);
    const LongDatagram datagram{.token = std::vector<uint8_t>(50, 0x4e)};
    retrying.receive(datagram.bytes());
    CHECK_EQ(retrying.endpoint().statistics().retries_sent, 1);
    asking.receive(datagram.bytes());
    const auto events = asking.events();
    REQUIRE_EQ(events.size(), 1);
    CHECK_FALSE(offered(events[0])->address_validated);
    CHECK_EQ(asking.endpoint().statistics().invalid_tokens, 1);
  }

  TEST_CASE("a Retry of one server is good at another one of the fleet") {
    FleetSecret secret;
    secret.data()[0] = 5;
    const auto configure = [&](EndpointConfig& config) {
      always_retry(config);
      config.secret = secret;
    };
    Fixture one(configure), other(configure);
    one.receive(LongDatagram{}.bytes());
    auto sent = one.transmits();
    other.receive(answer_of(sent[0].bytes).bytes());
    CHECK_EQ(other.events().size(), 1);
  }

  TEST_CASE("answers are limited, and so is their queue") {
    Fixture f([](EndpointConfig& config) {
      always_retry(config);
      config.stateless_answers_per_second = 10;
    });
    for (int i = 0; i < 50; i++) f.receive(LongDatagram{}.bytes());
    CHECK_EQ(f.transmits().size(), 10);
    CHECK_EQ(f.endpoint().statistics().answers_suppressed, 40);
  }
}

TEST_SUITE("quic endpoint offers to the application") {
  TEST_CASE("an offer is told once, and can be retried or refused once") {
    Fixture f(ask);
    f.receive(LongDatagram{}.bytes());
    f.receive(LongDatagram{}.bytes());
    auto events = f.events();
    REQUIRE_EQ(events.size(), 1);
    CHECK(offered(events[0])->path == f.path);
    CHECK(f.endpoint().find(events[0].connection) == nullptr);
    CHECK(f.endpoint().retry(f.now, events[0].connection));
    CHECK_FALSE(f.endpoint().retry(f.now, events[0].connection));
    CHECK_FALSE(f.endpoint().refuse(f.now, events[0].connection));
    CHECK_EQ(f.transmits().size(), 1);
    CHECK_EQ(f.endpoint().statistics().retries_sent, 1);
    f.check();
  }

  TEST_CASE("an undecided offer is refused after a while") {
    Fixture f(ask);
    f.receive(LongDatagram{}.bytes());
    const auto events = f.events();
    const Instant timeout = f.endpoint().next_timeout();
    CHECK_EQ(timeout, f.now + Duration::seconds(5));
    f.now = timeout;
    f.endpoint().on_timeout(f.now);
    CHECK_EQ(f.endpoint().statistics().refused, 1);
    CHECK_FALSE(f.endpoint().accept(f.now, events[0].connection));
    CHECK(f.endpoint().next_timeout().is_never());
    f.check();
  }

  TEST_CASE("an offer that is refused before it was told is never told") {
    Fixture f(ask);
    f.receive(LongDatagram{}.bytes());
    f.endpoint().close(f.now, ApplicationErrorCode{0}, "");
    CHECK(f.events().empty());
    CHECK_EQ(f.endpoint().statistics().refused, 1);
  }

  TEST_CASE("too many offers are met with Retry, then with refusals") {
    Fixture f([](EndpointConfig& config) {
      ask(config);
      config.max_offered = 4;
    });
    for (uint8_t i = 0; i < 6; i++) f.receive(LongDatagram{.destination = connection_id(i)}.bytes());
    CHECK_EQ(f.events().size(), 2);
    CHECK_EQ(f.endpoint().statistics().retries_sent, 4);
    auto sent = f.transmits();
    for (auto& each : sent) f.receive(answer_of(each.bytes).bytes());
    CHECK_EQ(f.events().size(), 2);
    CHECK_EQ(f.endpoint().statistics().refused, 2);
    f.check();
  }
}

TEST_SUITE("quic endpoint stateless resets for strangers") {
  // RFC 9000 §10.3, §10.3.3
  TEST_CASE("a short packet of no connection gets a reset that is smaller") {
    Fixture f;
    for (const size_t size : {22, 43, 44, 1200}) {
      f.receive(short_datagram(connection_id(1), size));
      const auto sent = f.transmits();
      REQUIRE_EQ(sent.size(), 1);
      CHECK(sent[0].bytes.size() < size);
      CHECK_EQ(sent[0].bytes[0] & 0xc0, 0x40);
    }
    CHECK_EQ(f.endpoint().statistics().stateless_resets_sent, 4);
  }

  // RFC 9000 §10.3: too small to be valid.
  TEST_CASE("what is too small for a packet is dropped") {
    Fixture f;
    for (size_t size = 9; size < 22; size++) f.receive(short_datagram(connection_id(1), size));
    CHECK(f.transmits().empty());
  }

  // RFC 9000 §10.3.3
  TEST_CASE("two servers that get each other's answers fall silent") {
    for (const size_t size : {100, 1200}) {
      Fixture a, b;
      b.receive(short_datagram(connection_id(1), size));
      size_t exchanged = 0;
      for (Fixture *from = &b, *to = &a;; std::swap(from, to)) {
        const auto sent = from->transmits();
        if (sent.empty()) break;
        exchanged += sent.size();
        for (const auto& each : sent) to->receive(each.bytes);
      }
      CHECK(exchanged > 10);
      CHECK(exchanged < 64);
    }
  }

  // RFC 9000 §10.3.3, §6.1: nor by any other answer.
  TEST_CASE("a server does not answer another server's Retry, Version Negotiation or refusal") {
    Fixture a(always_retry), b(always_retry);
    a.receive(LongDatagram{}.bytes());
    auto unknown = LongDatagram{}.bytes();
    store_be(&unknown[1], uint32_t{0x0a1a2a3a});
    a.receive(unknown);
    a.endpoint().close(a.now, ApplicationErrorCode{0}, "");
    a.receive(LongDatagram{}.bytes());
    const auto sent = a.transmits();
    CHECK_EQ(sent.size(), 3);
    for (const auto& each : sent) b.receive(each.bytes);
    CHECK(b.transmits().empty());
  }

  // RFC 9000 §21.11
  TEST_CASE("no reset is sent for ids that another endpoint may have") {
    Fixture f(
        [](EndpointConfig& config) { config.may_reset = [](const ConnectionId& id) { return id.data()[0] == 1; }; });
    f.receive(short_datagram(connection_id(1), 100));
    f.receive(short_datagram(connection_id(2), 100));
    CHECK_EQ(f.transmits().size(), 1);
  }

  // RFC 9000 §10.3.2: it cannot be for zero-length ids.
  TEST_CASE("without connection ids there are no resets") {
    Fixture f([](EndpointConfig& config) { config.connection_ids = std::make_shared<RandomConnectionIds>(0); });
    f.receive(short_datagram({}, 100));
    CHECK(f.transmits().empty());
  }

  // RFC 9000 §17.3.1, RFC 9287 §3
  TEST_CASE("a short header without the fixed bit is a packet only where we said that it may be cleared") {
    for (const bool grease : {false, true}) {
      Fixture f([&](EndpointConfig& config) {
        auto server = std::make_shared<ServerConfig>();
        server->transport.grease_quic_bit = grease;
        config.server = server;
      });
      auto datagram = short_datagram(connection_id(1), 100);
      datagram[0] = 0;
      f.receive(datagram);
      CHECK_EQ(f.transmits().size(), grease ? 1 : 0);
    }
  }
}
