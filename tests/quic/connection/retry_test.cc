// Retry, seen from the client that gets one and from the server that sends one (RFC 9000 §8.1.2, §17.2.5; RFC 9369 §4.1).
#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;
const Data kToken = {9, 8, 7, 6, 5};

/// A client that has sent its first flight to a silent puppet.
struct Waiting : Stage {
  explicit Waiting(std::vector<Version> versions = {Version::v1}) : Stage(Role::client) {
    transport.versions = std::move(versions);
    options.version = transport.versions[0];
    start();
    puppet->answers = false;
    drain();
  }
  /// The ClientHello that the endpoint sent from packet `since` on.
  Data client_hello(size_t since) const {
    Data hello(2000);
    size_t end = 0;
    for (size_t i = since; i < seen(); i++) {
      for (const CollectedFrame& f : puppet->packets()[i].frames) {
        if (f.type != T::crypto) continue;
        std::copy(f.bytes.begin(), f.bytes.end(), hello.begin() + static_cast<ptrdiff_t>(f.numbers[0]));
        end = std::max(end, f.numbers[0] + f.bytes.size());
      }
    }
    hello.resize(end);
    return hello;
  }
};

}  // namespace

TEST_SUITE("quic connection: Retry") {
  // RFC 9000 §8.1.2, §8.1.3, §17.2.5.1, §17.2.5.2, §17.2.5.3; RFC 9369 §4.1
  TEST_CASE("after a Retry a client sends the same hello, its token, to the new connection id, and goes on counting") {
    for (const Version version : {Version::v1, Version::v2}) {
      Waiting s({version, version == Version::v1 ? Version::v2 : Version::v1});
      const size_t before = s.seen();
      const SeenPacket first = s.puppet->packets()[0];
      s.deliver(s.puppet->retry(kToken, id_of("retry")));
      s.advance(Duration::seconds(2));  // with probes
      REQUIRE_GE(s.seen(), before + 2);
      for (size_t i = before; i < s.seen(); i++) {
        const SeenPacket& packet = s.puppet->packets()[i];
        CHECK(packet.type == PacketType::initial);
        CHECK(packet.version == version);
        CHECK(packet.token == kToken);
        CHECK(packet.destination == id_of("retry"));
        CHECK(packet.source == first.source);
        CHECK_GT(packet.number, s.puppet->packets()[before - 1].number);
        CHECK_GE(s.puppet->datagrams()[packet.datagram].bytes.size(), 1200);
      }
      CHECK(s.client_hello(before) == s.client_hello(0));
    }
  }

  // RFC 9000 §7.3, §17.2.5
  TEST_CASE("a handshake completes through a Retry, whatever its unused bits are") {
    Stage s(Role::client);
    quoll::tests::SeededRng rng(3);
    tls::TicketKeys::Secret secret;
    rng.fill(secret);
    s.tls_server.ticket_keys = tls::tests::must(tls::TicketKeys::from_secrets(crypto::best(), std::span(&secret, 1)));
    s.start();
    s.puppet->answers = false;
    s.drain();
    s.puppet->answers = true;
    s.deliver(s.puppet->retry(kToken, id_of("retry")));
    s.run();
    CHECK(s.puppet->is_complete());
    CHECK(s.event<Connected>());
    // The token is of this attempt alone (RFC 9000 §8.1.3).
    s.advance(Duration::milliseconds(100));
    const auto* kept = s.event<ResumptionReceived>();
    REQUIRE(kept);
    CHECK(kept->state.token.empty());
  }

  // RFC 9000 §7.3
  TEST_CASE("a server that does not own up to its Retry is refused") {
    Stage s(Role::client);
    s.options.amend = [](TransportParameters& p) { p.retry_source_connection_id.reset(); };
    s.start();
    s.puppet->answers = false;
    s.drain();
    s.puppet->answers = true;
    s.deliver(s.puppet->retry(kToken, id_of("retry")));
    s.run();
    CHECK((s.closed_with(TransportError::transport_parameter_error) ||
           s.closed_with(TransportError::protocol_violation)));
  }

  // RFC 9000 §17.2.5.1, §17.2.5.2
  TEST_CASE("a Retry that is wrong is dropped: its tag, what the tag covers, its connection id") {
    const auto ignored = [](auto make) {
      Waiting s;
      const size_t before = s.datagrams();
      s.deliver(make(*s.puppet));
      return s.datagrams() == before && !s.connection()->is_closed();
    };
    CHECK(ignored([](Puppet& p) {
      Data retry = p.retry(kToken, id_of("retry"), false);
      retry.back() ^= 1;
      return retry;
    }));
    CHECK(ignored([](Puppet& p) {
      Data retry = p.retry(kToken, id_of("retry"), false);
      retry[retry.size() - 17] ^= 1;  // the token, which the tag covers
      return retry;
    }));
    CHECK(ignored([](Puppet& p) { return p.retry(kToken, p.original_destination(), false); }));
  }

  // RFC 9000 §17.2.5.2
  TEST_CASE("a second Retry, and one after an Initial packet, are dropped") {
    Waiting s;
    s.deliver(s.puppet->retry(kToken, id_of("retry")));
    const size_t before = s.seen();
    s.deliver(s.puppet->retry({1}, id_of("second"), false));
    CHECK_EQ(s.seen(), before);
    s.advance(Duration::seconds(2));
    CHECK(s.puppet->packets().back().destination == id_of("retry"));
    CHECK(s.puppet->packets().back().token == kToken);

    Waiting late;
    const PacketNumber last = late.puppet->packets().back().number;
    const Data retry = late.puppet->retry(kToken, id_of("retry"), false);
    late.send({.type = PacketType::initial, .frames = ack_of({{0, last + 1}})});
    late.deliver(retry);
    late.advance(Duration::seconds(2));
    CHECK(late.puppet->packets().back().token.empty());
    CHECK(late.puppet->packets().back().destination == id_of("puppet"));
  }

  // RFC 9000 §17.2.5.1; RFC 9369 §4.1
  TEST_CASE("a server's Retry has a new connection id and the client's version, one for each datagram") {
    for (const Version version : {Version::v1, Version::v2}) {
      Stage s(Role::server);
      s.endpoint_config.retry = RetryPolicy::always;
      s.transport.versions = {Version::v1, Version::v2};
      s.options.version = version;
      s.start();
      s.puppet->obeys_retry = false;
      const Data ping = frames(PingFrame{});
      s.deliver(s.puppet->seal({.type = PacketType::initial, .frames = ping, .size = 600}) +
                s.puppet->seal({.type = PacketType::initial, .frames = ping, .size = 600}));
      REQUIRE_EQ(s.puppet->retries().size(), 1);
      const SeenRetry& retry = s.puppet->retries()[0];
      CHECK(retry.tag_is_right);
      CHECK(retry.version == version);
      CHECK(retry.source != id_of("invent"));
      CHECK(retry.destination == id_of("puppet"));
      CHECK_EQ(s.endpoint->connections(), 0);
    }
  }

  // RFC 9000 §7.3, §8.1.2; RFC 9369 §4.1
  TEST_CASE("a server that sent a Retry says so, in whatever version it goes on") {
    for (const bool change : {false, true}) {
      Stage s(Role::server);
      s.endpoint_config.retry = RetryPolicy::always;
      s.transport.versions = {Version::v2, Version::v1};
      if (change) {
        s.options.parameters.version_information =
            VersionInformation{.chosen = Version::v1, .available = {Version::v1, Version::v2}};
      }
      CHECK(s.handshake());
      REQUIRE_EQ(s.puppet->retries().size(), 1);
      CHECK(s.puppet->version() == (change ? Version::v2 : Version::v1));
      REQUIRE(s.puppet->peer_parameters());
      CHECK(s.puppet->peer_parameters()->retry_source_connection_id == s.puppet->retries()[0].source);
      CHECK(s.puppet->peer_parameters()->original_destination_connection_id == id_of("invent"));
    }
  }
}

}  // namespace quoll::quic::tests
