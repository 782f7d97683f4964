// Floods of first packets: Initials with invented ids and addresses, forged tokens, garbage (RFC 9000 §8.1, §21.2, §21.3).
#include "tests/quic/attacks/attack.h"

#include <set>

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

/// A client's first datagrams, each with an id of its own.
Data first_flight(const Stage& s, uint64_t seed, const Data& token = {}, std::optional<ConnectionId> id = {}) {
  Puppet::Options options = s.puppet ? Puppet::Options{} : s.options;
  options.seed = seed;
  options.tls_client = std::make_shared<const tls::ClientConfig>(s.tls_client);
  std::array<uint8_t, 8> bytes{};
  store_be(bytes.data(), 0xc11e'0000'0000'0000 + seed);
  options.first_destination = id.value_or(ConnectionId(bytes));
  options.id = id_of("c", static_cast<uint8_t>(seed));
  options.parameters = s.options.parameters;
  options.token = token;
  Puppet client(options);
  client.start();
  return client.take_datagrams().at(0);
}

/// A server with nobody there yet.
struct Server : Attack {
  Server() : Attack(Role::server) {
    puppet_hears = false;
    server.transport.handshake_timeout = Duration::seconds(10);
  }
  void open() { start(); }
  Path from(uint32_t number) const { return {.local = path.local, .remote = stranger(number)}; }
};

}  // namespace

TEST_SUITE("quic attacks: first packets") {
  // RFC 9000 §8, §8.1, §21.1.1.1
  TEST_CASE(
      "Initials with spoofed addresses: never more handshakes than the limit, never more than three times the bytes") {
    Server s;
    s.endpoint_config.max_handshakes = 20;
    s.open();
    std::vector<uint64_t> in(200), out(200);
    for (uint32_t i = 0; i < 200; i++) {
      const Data flight = first_flight(s, i + 1);
      const uint64_t before = s.bytes_out;
      s.hit(flight, s.from(i));
      CHECK_LE(s.bytes_out - before, 3 * flight.size());
      CHECK_LE(s.endpoint->connections(), 20);
      s.now += Duration::milliseconds(1);
    }
    CHECK_EQ(s.endpoint->statistics().accepted, 20);
    CHECK_EQ(s.endpoint->statistics().refused, 180);
    // Probes on timeouts included: no address hears more than three times what it sent.
    s.wait(Duration::seconds(5));
    CHECK_LE(s.bytes_out, 3 * s.bytes_in);
    s.wait(Duration::seconds(60));
    CHECK_EQ(s.endpoint->connections(), 0);
    CHECK_LE(s.bytes_out, 3 * s.bytes_in);
  }

  // RFC 9000 §8.1.2, §21.3
  TEST_CASE("memory of handshakes that nobody goes on with comes back") {
    Server s;
    s.open();
    for (int round = 0; round < 4; round++) {
      if (round == 1) s.mark();
      for (uint32_t i = 0; i < 40; i++) s.hit(first_flight(s, i + 1), s.from(i));
      s.wait(Duration::seconds(60));
      CHECK_EQ(s.endpoint->connections(), 0);
    }
    CHECK_LE(s.heap, kSome);
  }

  // RFC 9000 §8.1.2
  TEST_CASE("under load strangers get a Retry and no memory") {
    Server s;
    s.endpoint_config.retry = RetryPolicy::under_load;
    s.endpoint_config.retry_threshold = 10;
    s.open();
    for (uint32_t i = 0; i < 10; i++) s.hit(first_flight(s, i + 1), s.from(i));
    CHECK_EQ(s.endpoint->connections(), 10);
    for (uint32_t i = 0; i < 200; i++) {
      if (i == 100) s.mark();
      s.hit(first_flight(s, i + 100), s.from(i + 100));
    }
    CHECK_EQ(s.endpoint->connections(), 10);
    CHECK_EQ(s.endpoint->statistics().retries_sent, 200);
    CHECK_LE(s.heap, kSome);
    CHECK_LT(s.bytes_out, s.bytes_in);
    // A client that answers the Retry gets in all the same.
    s.puppet_hears = true;
    for (int i = 0; i < 10 && !s.puppet->is_complete(); i++) {
      s.reply();
      s.now += Duration::milliseconds(5);
    }
    CHECK(s.puppet->is_complete());
  }

  // RFC 9000 §21.9
  TEST_CASE("answers to strangers are limited each second, whatever is asked") {
    Server s;
    s.endpoint_config.retry = RetryPolicy::always;
    s.endpoint_config.stateless_answers_per_second = 50;
    s.open();
    for (uint32_t i = 0; i < 300; i++) s.hit(first_flight(s, i + 1), s.from(i));
    CHECK_LE(s.datagrams_out, 50);
    CHECK_GE(s.endpoint->statistics().answers_suppressed, 250);
    s.mark();
    s.now += Duration::seconds(10);
    for (uint32_t i = 0; i < 300; i++) s.hit(first_flight(s, i + 1), s.from(i));
    CHECK_LE(s.datagrams_out, 50);
    CHECK_LE(s.heap, kSome);
  }

  // RFC 9000 §8.1.4, §21.3
  TEST_CASE("forged tokens validate no address") {
    Server s;
    s.endpoint_config.retry = RetryPolicy::always;
    s.open();
    // A real one, of another address, another id, cut, with bits turned over; and noise of all sizes.
    s.puppet_hears = true;
    s.hit(first_flight(s, 500, {}, s.puppet->original_destination()));
    s.puppet_hears = false;
    REQUIRE_EQ(s.puppet->retries().size(), 1);
    const Data real = s.puppet->retries()[0].token;
    std::vector<Data> tokens = {real};
    for (size_t bit = 0; bit < 8 * real.size(); bit += 11) {
      tokens.push_back(real);
      tokens.back()[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
    for (size_t size = 1; size < real.size(); size += 7)
      tokens.emplace_back(real.begin(), real.begin() + static_cast<ptrdiff_t>(size));
    for (const size_t size : {1, 16, 100, 500, 600}) tokens.push_back(s.rng.bytes(size));
    s.mark();
    uint32_t number = 0;
    for (const Data& token : tokens) {
      number++;
      s.hit(first_flight(s, number, token), s.from(number));
      CHECK_EQ(s.endpoint->connections(), 0);
    }
    CHECK_EQ(s.endpoint->statistics().accepted, 0);
    CHECK_GE(s.endpoint->statistics().invalid_tokens, tokens.size() - 1);
    CHECK_LT(s.bytes_out, s.bytes_in);
    CHECK_LE(s.heap, kSome);
  }

  // RFC 9000 §8.1.3, §8.1.4
  TEST_CASE("a token of NEW_TOKEN that is used from many addresses validates only its own") {
    Attack s(Role::server);
    REQUIRE(s.handshake());
    const CollectedFrame* frame = s.find(FrameType::new_token);
    REQUIRE(frame);
    const Data token = frame->bytes;
    s.puppet_hears = false;
    s.mark();
    for (uint32_t i = 0; i < 50; i++) {
      const uint64_t before = s.bytes_out;
      const Data flight = first_flight(s, i + 1, token);
      s.hit(flight, {.local = s.path.local, .remote = stranger(i)});
      CHECK_LE(s.bytes_out - before, 3 * flight.size());
    }
    s.wait(Duration::seconds(3));
    CHECK_LE(s.bytes_out, 3 * s.bytes_in);
  }

  // RFC 9000 §5.2.2
  TEST_CASE("Initials that do not open leave nothing, and are not answered") {
    Server s;
    s.open();
    const Data real = first_flight(s, 1);
    for (uint32_t i = 0; i < 400; i++) {
      if (i == 200) s.mark();
      Data broken = real;
      broken[30 + i] ^= 0x40;
      s.hit(broken, s.from(i));
    }
    CHECK_EQ(s.endpoint->connections(), 0);
    CHECK_EQ(s.datagrams_out, 0);
    CHECK_LE(s.heap, kSome);
  }

  // RFC 9000 §14.1
  TEST_CASE("empty and tiny datagrams are dropped") {
    for (const Role role : kBothRoles) {
      Attack s(role);
      REQUIRE(s.handshake());
      for (uint32_t i = 0; i < 1000; i++) {
        if (i == 500) s.mark();
        const Data noise = s.rng.bytes(i % 22);
        s.hit(noise);
        s.hit(noise, {.local = s.path.local, .remote = stranger(i)});
      }
      CHECK(s.is_open());
      CHECK_EQ(s.datagrams_out, 0);
      CHECK_LE(s.heap, kSome);
    }
  }

  // RFC 9000 §5.2, §7.2
  TEST_CASE("two clients that invent the same first id are two connections") {
    Server s;
    s.open();
    const ConnectionId same = id_of("invent");
    s.hit(first_flight(s, 1, {}, same), s.from(1));
    s.hit(first_flight(s, 2, {}, same), s.from(2));
    CHECK_EQ(s.endpoint->connections(), 2);
    // The puppet is the third.
    s.puppet_hears = true;
    s.run();
    CHECK(s.puppet->is_complete());
    CHECK_EQ(s.endpoint->connections(), 3);
    // From the same address it is the same connection, and its packets change nothing.
    s.puppet_hears = false;
    for (int i = 0; i < 50; i++) s.hit(first_flight(s, 3, {}, same), s.from(1));
    CHECK_EQ(s.endpoint->connections(), 3);
  }

  // RFC 9000 §5.1
  TEST_CASE("a generator that repeats itself leaves connections apart, and what gets no id is refused") {
    class Poor final : public ConnectionIdGenerator {
     public:
      size_t size() const override { return 8; }
      ConnectionId generate(Rng& rng) override { return id_of("poor", static_cast<uint8_t>(rng.below(8))); }
    };
    Server s;
    s.endpoint_config.connection_ids = std::make_shared<Poor>();
    s.open();
    for (uint32_t i = 0; i < 100; i++) {
      if (i == 50) s.mark();
      s.hit(first_flight(s, i + 1), s.from(i));
    }
    CHECK_LE(s.endpoint->connections(), 8);
    CHECK_GE(s.endpoint->connections(), 1);
    CHECK_LE(s.bytes_out, 3 * s.bytes_in);
    CHECK_LE(s.heap, 4 * kSome);
  }

  // RFC 9000 §8.1: 0-RTT is no reason to trust an address
  TEST_CASE("a flood of undecided offers is bounded, and refused in the end") {
    Server s;
    s.endpoint_config.ask_before_accept = true;
    s.endpoint_config.retry = RetryPolicy::never;
    s.endpoint_config.max_offered = 16;
    s.open();
    for (uint32_t i = 0; i < 100; i++) s.hit(first_flight(s, i + 1), s.from(i));
    CHECK_EQ(s.endpoint->connections(), 0);
    CHECK_GE(s.endpoint->statistics().refused, 80);
    // More datagrams for the same offer are held up to a limit.
    s.mark();
    for (int i = 0; i < 100; i++) s.hit(first_flight(s, 1), s.from(0));
    CHECK_LE(s.heap, 8 * kSome);
    s.wait(Duration::seconds(10));
    s.mark();
    for (int round = 0; round < 3; round++) {
      for (uint32_t i = 0; i < 100; i++) s.hit(first_flight(s, i + 1), s.from(i));
      s.wait(Duration::seconds(10));
    }
    CHECK_LE(s.heap, kSome);
    CHECK_LE(s.bytes_out, s.bytes_in);
  }
}

}  // namespace quoll::quic::tests
