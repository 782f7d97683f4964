// The Endpoint with scripted connections: routes, batches, offers, timers, events, and how connections end.
#include "quic/endpoint/endpoint.h"

#include <set>

#include "quic/endpoint/endpoint_state.h"
#include "tests/quic/endpoint/endpoint_fixture.h"
#include "tests/quic/endpoint/scripted/connection.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at_ms;
using tests::connection_id;
using tests::LongDatagram;
using tests::path_from;
using tests::Script;
using tests::Scripts;
using tests::short_datagram;

namespace {

struct Fixture : Scripts, tests::EndpointFixture {
  explicit Fixture(Configure configure = {}) : EndpointFixture(std::move(configure)) {}

  Script& script(size_t i) { return Scripts::all().at(i); }
  static size_t begun() { return Scripts::all().size(); }
  /// A server's connection, just accepted.
  Script& accept(uint8_t name = 1) {
    receive(LongDatagram{.destination = connection_id(name)}.bytes());
    return Scripts::all().back();
  }
  ConnectionHandle connect(std::string_view remote = "203.0.113.1:443") {
    const auto handle =
        endpoint().connect(now, std::make_shared<ClientConfig>(), path_from(remote), {.server_name = "example.com"});
    REQUIRE(handle);
    return *handle;
  }
};

}  // namespace

TEST_SUITE("quic endpoint routes") {
  // RFC 9000 §5.2
  TEST_CASE("datagrams of one client begin one connection, and another client's another one") {
    Fixture f;
    f.receive(LongDatagram{}.bytes());
    f.receive(LongDatagram{}.bytes());
    CHECK_EQ(f.begun(), 1);
    CHECK_EQ(f.script(0).datagrams.size(), 2);
    f.receive(LongDatagram{}.bytes(), "198.51.100.1:1001");
    f.receive(LongDatagram{.destination = connection_id(9)}.bytes());
    CHECK_EQ(f.begun(), 3);
    CHECK_EQ(f.endpoint().connections(), 3);
    CHECK_EQ(f.endpoint().statistics().accepted, 3);
  }

  TEST_CASE("a server's connection knows what the first packet said") {
    Fixture f;
    f.receive(LongDatagram{.version = Version::v2}.bytes());
    const Connection::ServerStart& start = f.script(0).server;
    CHECK(start.version == Version::v2);
    CHECK(start.original_destination == connection_id(0xd1));
    CHECK(start.destination == connection_id(0xd1));
    CHECK(start.source == connection_id(0x51, 5));
    CHECK_FALSE(start.retry_source);
    CHECK_FALSE(start.address_validated);
    CHECK(start.path == f.path);
  }

  TEST_CASE("packets with ids of a connection come from any address, and no longer when the ids are retired") {
    Fixture f;
    Script& script = f.accept();
    f.receive(short_datagram(script.id, 50), "198.51.100.99:7");
    CHECK_EQ(script.datagrams.size(), 2);
    const ConnectionId another = connection_id(0xaa);
    script.add_id(another);
    f.receive(short_datagram(script.id, 50));
    f.receive(short_datagram(another, 50));
    CHECK_EQ(script.datagrams.size(), 4);
    script.remove_id(another);
    f.receive(short_datagram(script.id, 50));
    f.receive(short_datagram(another, 50));
    CHECK_EQ(script.datagrams.size(), 5);
    CHECK_EQ(f.endpoint().statistics().unroutable, 1);
  }

  TEST_CASE("what the application did to ids counts for the next datagram") {
    Fixture f;
    Script& script = f.accept();
    const ConnectionHandle handle = f.handle_of_only();
    f.settle();
    REQUIRE(f.endpoint().find(handle));
    script.add_id(connection_id(0xab));  // as if by a call of the connection
    f.receive(short_datagram(connection_id(0xab), 50));
    CHECK_EQ(script.datagrams.size(), 2);
  }

  // RFC 9000 §7.2: the client's first id is given up when the handshake is done with it.
  TEST_CASE("the client's first id routes from its address alone, until the connection removes it") {
    Fixture f;
    Script& script = f.accept();
    f.receive(LongDatagram{.destination = connection_id(1)}.bytes());
    CHECK_EQ(f.begun(), 1);
    f.receive(short_datagram(connection_id(1), 50));  // no short header has it
    CHECK_EQ(script.datagrams.size(), 2);
    script.remove_id(connection_id(1));
    f.receive(short_datagram(script.id, 50));
    f.receive(LongDatagram{.destination = connection_id(1)}.bytes());
    CHECK_EQ(f.begun(), 2);
  }

  TEST_CASE("an id that is in use is drawn again") {
    struct Few final : ConnectionIdGenerator {
      size_t size() const override { return 1; }
      ConnectionId generate(Rng& rng) override { return connection_id(static_cast<uint8_t>(rng.below(4)), 1); }
    };
    Fixture f([](EndpointConfig& config) { config.connection_ids = std::make_shared<Few>(); });
    std::set<uint8_t> ids;
    for (uint8_t i = 0; i < 4; i++) ids.insert(f.accept(i).id.data()[0]);
    CHECK(ids.size() >= 3);  // sixteen draws of the last one may fail, but hardly those before
  }

  // RFC 9000 §5.2, §5.2.1
  TEST_CASE("a client without connection ids is told by its addresses, also when the server has moved") {
    Fixture f([](EndpointConfig& config) {
      config.connection_ids = std::make_shared<RandomConnectionIds>(0);
      config.server = nullptr;
    });
    f.connect("203.0.113.1:443");
    f.connect("203.0.113.2:443");
    // RFC 9000 §5.1
    const auto again = f.endpoint().connect(f.now, std::make_shared<ClientConfig>(), path_from("203.0.113.1:443"),
                                            {.server_name = "example.com"});
    CHECK_FALSE(again);
    f.receive(short_datagram({}, 50), "203.0.113.1:443");
    f.receive(LongDatagram{.destination = {}}.bytes(), "203.0.113.2:443");
    CHECK_EQ(f.script(0).datagrams.size(), 1);
    CHECK_EQ(f.script(1).datagrams.size(), 1);
    f.receive(short_datagram({}, 50), "203.0.113.3:443");
    CHECK_EQ(f.script(0).datagrams.size(), 2);
  }

  // RFC 9000 §6.2
  TEST_CASE("Version Negotiation reaches the client that it answers") {
    Fixture f;
    f.connect();
    const ConnectionId source = connection_id(0x33, 20);
    std::vector<uint8_t> datagram(100);
    Writer writer(datagram);
    const Version versions[] = {Version::v2};
    write_version_negotiation(
        writer, {.long_header = true, .version = Version::v1, .destination = source, .source = f.script(0).id},
        versions, 0);
    datagram.resize(writer.size());
    f.receive(datagram, "203.0.113.1:443");
    CHECK_EQ(f.script(0).datagrams.size(), 1);
  }

  TEST_CASE("hosts of garbage that looks like an Initial packet leave nothing behind") {
    Fixture f;
    auto datagram = LongDatagram{}.bytes();
    copy_bytes(datagram.data() + 100, as_bytes("garbage"));
    for (int i = 0; i < 10; i++) f.receive(datagram);
    CHECK_EQ(f.begun(), 10);
    CHECK_EQ(f.endpoint().connections(), 0);
    CHECK_EQ(f.endpoint().statistics().datagrams_dropped, 10);
    CHECK_EQ(f.endpoint().statistics().accepted, 0);
    CHECK(f.events().empty());
    CHECK(f.transmits().empty());
  }
}

TEST_SUITE("quic endpoint trains") {
  TEST_CASE("a train for one connection is given to it in one call, up to 64 datagrams") {
    Fixture f;
    Script& script = f.accept();
    std::vector<uint8_t> train;
    for (int i = 0; i < 100; i++) {
      const auto datagram = short_datagram(script.id, 200);
      train.insert(train.end(), datagram.begin(), datagram.end());
    }
    train.resize(train.size() - 50);  // the last one is shorter
    f.receive_train(train, 200);
    CHECK(script.batches == std::vector<size_t>{1, 64, 36});
    CHECK_EQ(script.datagrams.back().size(), 150);
    CHECK_EQ(f.endpoint().statistics().datagrams_received, 101);
  }

  TEST_CASE("a train of several connections, strangers and first packets is taken apart in order") {
    Fixture f;
    Script& a = f.accept(1);
    Script& b = f.accept(2);
    std::vector<uint8_t> train;
    const auto add = [&](const std::vector<uint8_t>& datagram) {
      train.insert(train.end(), datagram.begin(), datagram.end());
    };
    for (const ConnectionId& id : {a.id, a.id, b.id, b.id, b.id, a.id}) add(short_datagram(id, 1200));
    add(short_datagram(connection_id(0x99), 1200));
    add(LongDatagram{.destination = connection_id(3)}.bytes());
    add(LongDatagram{.destination = connection_id(3)}.bytes());
    add(short_datagram(a.id, 1200));
    f.receive_train(train, 1200);
    CHECK(a.batches == std::vector<size_t>{1, 2, 1, 1});
    CHECK(b.batches == std::vector<size_t>{1, 3});
    REQUIRE_EQ(f.begun(), 3);
    CHECK_EQ(f.script(2).datagrams.size(), 2);
    CHECK_EQ(f.endpoint().statistics().unroutable, 1);
  }

  TEST_CASE("a segment size beyond the data is a datagram, and an empty datagram is dropped") {
    Fixture f;
    Script& script = f.accept();
    f.receive_train(short_datagram(script.id, 100), 60'000);
    f.receive({});
    CHECK_EQ(script.datagrams.size(), 2);
    CHECK_EQ(f.endpoint().statistics().datagrams_dropped, 1);
  }
}

TEST_SUITE("quic endpoint stateless resets") {
  // RFC 9000 §10.3.1
  TEST_CASE("a datagram for nobody that ends in a connection's token resets that connection") {
    Fixture f;
    f.connect();
    StatelessResetToken token;
    token.fill(0x44);
    f.script(0).reset_tokens.push_back(token);
    f.script(0).changes.push_back({.kind = RouteChange::Kind::add_reset_token, .id = {}, .token = token});
    f.touch_all();
    auto datagram = short_datagram(connection_id(0x99), 60);
    std::ranges::copy(token, datagram.end() - 16);
    SUBCASE("with a short header") {}
    // RFC 9000 §10.3: any packet that ends in a token, since other versions may use long headers.
    SUBCASE("with a long header") { datagram[0] = 0xc0; }
    SUBCASE("with a header that cannot be read") {
      datagram[0] = 0xc0;
      datagram[5] = 0xff;
    }
    f.receive(datagram);
    CHECK_EQ(f.script(0).stateless_resets, 1);
    CHECK_EQ(f.endpoint().statistics().stateless_resets_received, 1);
    CHECK(f.transmits_after_first().empty());
  }

  // RFC 9000 §10.3.1: no checks for tokens of ids that were retired.
  TEST_CASE("a token that was removed means nothing") {
    Fixture f;
    f.connect();
    StatelessResetToken token;
    token.fill(0x44);
    f.script(0).reset_tokens.push_back(token);
    for (const auto kind : {RouteChange::Kind::add_reset_token, RouteChange::Kind::remove_reset_token}) {
      f.script(0).changes.push_back({.kind = kind, .id = {}, .token = token});
    }
    f.touch_all();
    auto datagram = short_datagram(connection_id(0x99), 60);
    std::ranges::copy(token, datagram.end() - 16);
    f.receive(datagram);
    CHECK_EQ(f.script(0).stateless_resets, 0);
  }

  // RFC 9000 §10.3.2
  TEST_CASE("an endpoint that forgot a connection ends it with the token that it announced") {
    Fixture f;
    Script& script = f.accept();
    const StatelessResetToken token = script.context.ids.reset_tokens->token_of(script.id);
    script.drained = script.closed = true;
    f.touch_all();
    f.events();
    f.settle();
    CHECK_FALSE(script.alive);
    f.transmits();
    f.receive(short_datagram(script.id, 100));
    const auto sent = f.transmits();
    REQUIRE_EQ(sent.size(), 1);
    CHECK(std::ranges::equal(Bytes(sent[0].bytes).last(16), token));
  }
}

TEST_SUITE("quic endpoint offers") {
  constexpr auto kAsk = [](EndpointConfig& config) { config.ask_before_accept = true; };

  TEST_CASE("an offer is accepted with all its datagrams, and its handle becomes the connection's") {
    Fixture f(kAsk);
    f.receive(LongDatagram{.size = 1200}.bytes());
    f.receive(LongDatagram{.type = PacketType::zero_rtt, .size = 900}.bytes());
    const auto events = f.events();
    REQUIRE_EQ(events.size(), 1);
    REQUIRE(std::holds_alternative<Offered>(events[0].event));
    CHECK(f.endpoint().find(events[0].connection) == nullptr);
    CHECK_EQ(f.endpoint().connections(), 0);
    REQUIRE(f.endpoint().accept(f.now, events[0].connection));
    CHECK_EQ(f.begun(), 1);
    CHECK_EQ(f.script(0).datagrams.size(), 2);
    CHECK(f.endpoint().find(events[0].connection) != nullptr);
    CHECK_FALSE(f.endpoint().accept(f.now, events[0].connection));
    f.receive(LongDatagram{}.bytes());
    CHECK_EQ(f.script(0).datagrams.size(), 3);
    f.check();
  }

  TEST_CASE("an offer holds few datagrams") {
    Fixture f(kAsk);
    for (int i = 0; i < 10; i++) f.receive(LongDatagram{}.bytes());
    CHECK_EQ(f.endpoint().statistics().datagrams_dropped, 6);
    REQUIRE(f.endpoint().accept(f.now, f.events().at(0).connection));
    CHECK_EQ(f.script(0).datagrams.size(), kHeldDatagramsMax);
  }

  TEST_CASE("a configuration that cannot work refuses the client") {
    Fixture f(kAsk);
    f.receive(LongDatagram{}.bytes());
    const ConnectionHandle offer = f.events().at(0).connection;
    Scripts::fail_next() = true;
    CHECK_FALSE(f.endpoint().accept(f.now, offer));
    CHECK_EQ(f.endpoint().statistics().refused, 1);
    CHECK_EQ(f.transmits().size(), 1);
    CHECK_FALSE(f.endpoint().refuse(f.now, offer));
    f.check();

    Fixture g;
    Scripts::fail_next() = true;
    g.receive(LongDatagram{}.bytes());
    CHECK_EQ(g.endpoint().statistics().refused, 1);
    CHECK_EQ(g.endpoint().connections(), 0);
  }
}

TEST_SUITE("quic endpoint polling") {
  TEST_CASE("connections with much to send take turns") {
    Fixture f;
    for (uint8_t i = 0; i < 3; i++) f.accept(i).datagrams_to_send = 3;
    for (uint8_t i = 0; i < 3; i++) f.script(i).path = path_from("198.51.100.1:" + std::to_string(i + 1));
    const auto sent = f.transmits();
    REQUIRE_EQ(sent.size(), 9);
    for (size_t i = 0; i < 9; i++) CHECK_EQ(sent[i].path.remote.port, i % 3 + 1);
    CHECK(f.transmits().empty());
  }

  TEST_CASE("using a connection makes the endpoint ask it again") {
    Fixture f;
    Script& script = f.accept();
    const ConnectionHandle handle = f.handle_of_only();
    f.transmits();
    f.settle();
    script.datagrams_to_send = 2;
    script.timeout = at_ms(77);
    CHECK(f.transmits().empty());  // nobody told
    REQUIRE(f.endpoint().find(handle));
    CHECK_EQ(f.transmits().size(), 2);
    CHECK_EQ(f.endpoint().next_timeout(), at_ms(77));
  }

  TEST_CASE("timers fire in order, once each, also when a connection asks for the past again") {
    Fixture f;
    for (uint8_t i = 0; i < 3; i++) f.accept(i).timeout = at_ms(10 * (i + 1));
    CHECK_EQ(f.endpoint().next_timeout(), at_ms(10));
    f.endpoint().on_timeout(at_ms(20));
    CHECK_EQ(f.script(0).timeouts, 1);
    CHECK_EQ(f.script(1).timeouts, 1);
    CHECK_EQ(f.script(2).timeouts, 0);
    CHECK_EQ(f.endpoint().next_timeout(), at_ms(30));
    f.script(0).timeout = at_ms(5);
    f.touch_all();
    CHECK_EQ(f.endpoint().next_timeout(), at_ms(5));
    f.endpoint().on_timeout(at_ms(21));
    CHECK_EQ(f.script(0).timeouts, 2);
    f.check();
  }

  TEST_CASE("a drained connection stays until its Closed is polled, then its handle is stale") {
    Fixture f;
    Script& script = f.accept();
    const ConnectionHandle handle = f.handle_of_only();
    script.events.push_back(Closed{.why = Closed::Why::peer, .reason = {}});
    script.closed = script.drained = true;
    f.touch_all();
    f.settle();
    CHECK(script.alive);
    CHECK_EQ(f.endpoint().connections(), 1);
    f.receive(short_datagram(script.id, 50));  // too late
    CHECK_EQ(script.datagrams.size(), 1);
    const auto event = f.endpoint().poll_event();
    REQUIRE(event);
    CHECK(std::holds_alternative<Closed>(std::get<Event>(event->event)));
    CHECK(f.endpoint().find(handle) != nullptr);  // its statistics may be read
    CHECK_FALSE(f.endpoint().poll_event());
    f.settle();
    CHECK_FALSE(script.alive);
    CHECK(f.endpoint().find(handle) == nullptr);
    CHECK_EQ(f.endpoint().connections(), 0);
    f.check();
  }

  TEST_CASE("handshakes that complete or fail make room for others") {
    Fixture f([](EndpointConfig& config) { config.max_handshakes = 2; });
    f.accept(1);
    f.accept(2);
    f.accept(3);
    CHECK_EQ(f.begun(), 2);
    CHECK_EQ(f.endpoint().statistics().refused, 1);
    f.script(0).established = true;
    f.script(1).closed = true;
    f.touch_all();
    f.accept(4);
    f.accept(5);
    f.accept(6);
    CHECK_EQ(f.begun(), 4);
    CHECK_EQ(f.endpoint().statistics().connected, 1);
    f.check();
  }

  TEST_CASE("under load, and only then, clients without a token get a Retry") {
    Fixture f([](EndpointConfig& config) { config.retry_threshold = 2; });
    f.accept(1);
    f.accept(2);
    CHECK_EQ(f.endpoint().statistics().retries_sent, 0);
    f.accept(3);
    CHECK_EQ(f.endpoint().statistics().retries_sent, 1);
    CHECK_EQ(f.begun(), 2);
  }

  TEST_CASE("closing closes every connection, and neither accepts nor connects any more") {
    Fixture f;
    f.accept(1);
    f.connect();
    f.endpoint().close(f.now, ApplicationErrorCode{7}, "bye");
    CHECK(f.script(0).close_called);
    CHECK(f.script(1).close_called);
    f.accept(3);
    CHECK_EQ(f.begun(), 2);
    CHECK_EQ(f.endpoint().statistics().refused, 1);
    CHECK_FALSE(f.endpoint().connect(f.now, std::make_shared<ClientConfig>(), f.path, {.server_name = "a"}));
    f.check();
  }

  TEST_CASE("there are never more connections than the limit, for servers and clients") {
    Fixture f([](EndpointConfig& config) { config.max_connections = 3; });
    f.connect("203.0.113.1:443");
    f.accept(1);
    f.accept(2);
    f.accept(3);
    CHECK_EQ(f.begun(), 3);
    CHECK_FALSE(f.endpoint().connect(f.now, std::make_shared<ClientConfig>(), f.path, {.server_name = "a"}));
    f.check();
  }

  TEST_CASE("a connection that cannot begin leaves nothing behind") {
    Fixture f;
    Scripts::fail_next() = true;
    CHECK_FALSE(f.endpoint().connect(f.now, std::make_shared<ClientConfig>(), f.path, {.server_name = "a"}));
    CHECK_FALSE(f.endpoint().connect(f.now, nullptr, f.path, {.server_name = "a"}));
    CHECK_EQ(f.endpoint().connections(), 0);
    f.check();
  }
}

TEST_SUITE("quic endpoint at random") {
  TEST_CASE("whatever happens, the invariants hold and everything ends") {
    const uint64_t seed = tests::test_seed(11);
    INFO("seed " << seed);
    for (const bool ask : {false, true}) {
      tests::SeededRng rng(seed);
      Fixture f([&](EndpointConfig& config) {
        config.ask_before_accept = ask;
        config.max_connections = 40;
        config.max_handshakes = 20;
        config.max_offered = 10;
        config.retry_threshold = 15;
      });
      std::vector<ConnectionHandle> handles;
      const auto some_script = [&]() -> Script* {
        for (int i = 0; i < 20 && f.begun() != 0; i++) {
          Script& script = f.script(rng.below(f.begun()));
          if (script.alive) return &script;
        }
        return nullptr;
      };
      for (int step = 0; step < 20'000; step++) {
        f.now = f.now + Duration::milliseconds(static_cast<int64_t>(rng.below(40)));
        Script* script = some_script();
        switch (rng.below(14)) {
          case 0:
          case 1:
            f.receive(LongDatagram{.destination = connection_id(static_cast<uint8_t>(rng.below(200)))}.bytes(),
                      "198.51.100.1:" + std::to_string(rng.below(3) + 1));
            break;
          case 2:
            if (const auto handle =
                    f.endpoint().connect(f.now, std::make_shared<ClientConfig>(), f.path, {.server_name = "a"})) {
              handles.push_back(*handle);
            }
            break;
          case 3:
            if (script) f.receive(short_datagram(script->id, 30 + rng.below(1000)));
            break;
          case 4:
            f.receive(short_datagram(connection_id(static_cast<uint8_t>(rng.below(256))), rng.below(80) + 9));
            break;
          case 5:
            if (script) script->add_id(connection_id(static_cast<uint8_t>(rng.below(256))));
            break;
          case 6:
            if (script) script->remove_id(connection_id(static_cast<uint8_t>(rng.below(256))));
            break;
          case 7:
            if (script) script->timeout = f.now + Duration::milliseconds(static_cast<int64_t>(rng.below(500)));
            break;
          case 8:
            if (script && !script->drained) {
              script->closed = script->drained = true;
              script->events.push_back(Closed{.reason = {}});
            }
            break;
          case 9:
            if (script) script->established = true;
            break;
          case 10:
            if (!handles.empty()) (void)f.endpoint().find(handles[rng.below(handles.size())]);
            break;
          case 11:
            if (!handles.empty()) {
              const ConnectionHandle handle = handles[rng.below(handles.size())];
              const uint64_t how = rng.below(4);
              if (how < 2) (void)f.endpoint().accept(f.now, handle);
              if (how == 2) (void)f.endpoint().retry(f.now, handle);
              if (how == 3) (void)f.endpoint().refuse(f.now, handle);
            }
            break;
          case 12:
            f.endpoint().on_timeout(f.now);
            break;
          case 13:
            for (const auto& event : f.events()) handles.push_back(event.connection);
            f.transmits();
            if (handles.size() > 100) handles.erase(handles.begin(), handles.begin() + 50);
            break;
        }
        if (script && script->alive) f.receive(short_datagram(script->id, 50));  // it may have changed
        if (step % 8 == 0) {
          for (const ConnectionHandle handle : handles) (void)f.endpoint().find(handle);
        }
        f.check();
      }
      // In the end all are drained, polled and gone.
      for (Script& script : Scripts::all()) script.drained = script.closed = true;
      f.endpoint().close(f.now, ApplicationErrorCode{0}, "");
      f.events();
      f.settle();
      CHECK_EQ(f.endpoint().connections(), 0);
      for (const Script& script : Scripts::all()) CHECK_FALSE(script.alive);
      f.check();
    }
  }
}
