// Address validation tokens (RFC 9000 §8.1.1, §8.1.3, §8.1.4, §19.7).
#include <set>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

/// A server that asks everybody for a token, with a secret that another one may share.
struct Asking : Stage {
  explicit Asking(uint64_t seed = 1) : Stage(Role::server, seed) {
    endpoint_config.retry = RetryPolicy::always;
    endpoint_config.secret.emplace();
    quoll::tests::SeededRng(77).fill(*endpoint_config.secret);
  }
  /// Tokens that it gave in NEW_TOKEN frames.
  std::vector<Data> given() const {
    std::vector<Data> tokens;
    for (const CollectedFrame& f : all(T::new_token)) tokens.push_back(f.bytes);
    return tokens;
  }
};

/// Whether a server lets a client with this token in without a Retry.
bool admits(const Data& token, auto change, uint64_t seed = 9) {
  Asking s(seed);
  s.options.token = token;
  s.options.first_destination = id_of("anew", static_cast<uint8_t>(seed));
  change(s);
  s.start();
  s.puppet->obeys_retry = false;
  s.run();
  return s.puppet->retries().empty() && s.puppet->is_complete();
}
bool admits(const Data& token) {
  return admits(token, [](Stage&) {});
}

Data token_of_first_connection(uint64_t seed = 1) {
  Asking s(seed);
  REQUIRE(s.handshake());
  REQUIRE_FALSE(s.given().empty());
  return s.given()[0];
}

}  // namespace

TEST_SUITE("quic connection: tokens") {
  // RFC 9000 §8.1.1, §8.1.3
  TEST_CASE("a token of NEW_TOKEN validates a later connection, one of Retry its own attempt only") {
    const Data later = token_of_first_connection();
    CHECK(admits(later));
    Asking s;
    REQUIRE(s.handshake());  // by its Retry's token
    REQUIRE_EQ(s.puppet->retries().size(), 1);
    CHECK_FALSE(admits(s.puppet->retries()[0].token));
  }

  // RFC 9000 §8.1.3, §19.7
  TEST_CASE("tokens of NEW_TOKEN are never empty and never the same") {
    std::set<Data> tokens;
    size_t count = 0;
    for (uint64_t seed = 1; seed < 6; seed++) {
      Asking s(seed);
      s.server.new_tokens = 2;
      REQUIRE(s.handshake());
      for (const Data& token : s.given()) {
        count++;
        CHECK_FALSE(token.empty());
        CHECK(tokens.insert(token).second);
      }
    }
    CHECK_GE(count, 5);
    CHECK_EQ(tokens.size(), count);
  }

  // RFC 9000 §8.1.3; RFC 9001 §9.2
  TEST_CASE("a token shows nothing of its client or connection") {
    const Data a = token_of_first_connection(1), b = token_of_first_connection(2);
    const auto contains = [](const Data& token, Bytes part) { return !std::ranges::search(token, part).empty(); };
    for (const Data& token : {a, b}) {
      CHECK_FALSE(contains(token, address_of("198.51.100.7:50000").ip.octets()));
      CHECK_FALSE(contains(token, id_of("invent").bytes()));
      CHECK_FALSE(contains(token, id_of("puppet").bytes()));
    }
    // Two tokens for the same client at the same time have nothing in common.
    size_t equal = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); i++) equal += a[i] == b[i];
    CHECK_LE(equal, 8);
  }

  // RFC 9000 §8.1.4
  TEST_CASE("a token that was changed anywhere, or guessed, does not validate") {
    const Data token = token_of_first_connection();
    for (size_t i = 0; i < token.size(); i += 5) {
      Data changed = token;
      changed[i] ^= 0x10;
      CHECK_FALSE(admits(changed));
    }
    CHECK_FALSE(admits(Data(token.size(), 0)));
    CHECK_FALSE(admits(Data(token.begin(), token.end() - 1)));
    quoll::tests::SeededRng rng(5);
    CHECK_FALSE(admits(rng.bytes(token.size())));
    // Nor does a token of another secret.
    CHECK_FALSE(admits(token, [](Stage& s) { s.endpoint_config.secret->data()[0] ^= 1; }));
  }

  // RFC 9000 §8.1.4
  TEST_CASE("a token from another IP address does not validate, and the limit stays in force") {
    const Data token = token_of_first_connection();
    CHECK_FALSE(admits(token, [](Stage& s) { s.path.remote = address_of("198.51.100.8:50000"); }));
    CHECK(admits(token, [](Stage& s) { s.path.remote = address_of("198.51.100.7:1234"); }));
    for (const bool moved : {false, true}) {
      Asking s(4);
      s.endpoint_config.retry = RetryPolicy::never;
      s.tls_server.identities = {s.authority.issue({.ocsp_response = Data(9000, 0x11)})};
      s.options.token = token;
      if (moved) s.path.remote = address_of("198.51.100.8:50000");
      s.start();
      s.answer();
      s.puppet->answers = false;
      s.advance(Duration::seconds(2));
      size_t sent = 0;
      for (const SeenDatagram& d : s.puppet->datagrams()) sent += d.bytes.size();
      CHECK_EQ(sent <= 3 * 1200, moved);
    }
  }

  // RFC 9000 §8.1.4
  TEST_CASE("a token is good for its time alone") {
    const Data token = token_of_first_connection();
    CHECK(admits(token, [](Stage& s) { s.now += Duration::seconds(3600); }));
    CHECK_FALSE(admits(token, [](Stage& s) { s.now += Duration::seconds(8 * 24 * 3600); }));
    // A Retry's, for seconds.
    Asking s;
    s.start();
    s.answer();
    REQUIRE_EQ(s.puppet->retries().size(), 1);
    s.now += s.endpoint_config.retry_token_lifetime + Duration::seconds(1);
    s.puppet->answers = true;
    s.answer();
    CHECK_EQ(s.endpoint->connections(), 0);
  }

  // RFC 9000 §8.1.3
  TEST_CASE("a token is looked at whenever the address is not validated, asked for or not") {
    const Data token = token_of_first_connection();
    Asking s(6);
    s.endpoint_config.retry = RetryPolicy::never;
    s.options.token = Data(60, 0x42);
    s.start();
    s.run();
    // A token that is no good does no harm, and validates nothing.
    CHECK(s.puppet->is_complete());
    CHECK_EQ(s.endpoint->statistics().invalid_tokens, 1);
  }

  // RFC 9000 §8.1.3; RFC 9001 §9.2
  TEST_CASE("a client sends a token of NEW_TOKEN, as it came, in all Initial packets of its next connection") {
    Stage first(Role::client);
    REQUIRE(first.handshake());
    const Data token = {0, 1, 2, 255, 254, 7};
    first.send_frames(NewTokenFrame{.token = token});
    const auto* kept = first.event<ResumptionReceived>();
    REQUIRE(kept);
    CHECK(kept->state.token == token);
    CHECK(first.all(T::new_token).empty());  // RFC 9000 §19.7: clients send none

    Stage second(Role::client, 2);
    second.resumption = kept->state;
    second.start();
    second.puppet->answers = false;
    second.drain();
    second.advance(Duration::seconds(2));
    REQUIRE_GE(second.seen(), 2);
    for (const SeenPacket& packet : second.puppet->packets()) CHECK(packet.token == token);
    // A Retry's token takes its place.
    const size_t before = second.seen();
    second.deliver(second.puppet->retry({5, 5}, id_of("retry")));
    second.advance(Duration::seconds(2));
    REQUIRE_GT(second.seen(), before);
    for (size_t i = before; i < second.seen(); i++) CHECK(second.puppet->packets()[i].token == Data{5, 5});
    // Without that memory there is no token: it goes to the server that it came from alone.
    Stage third(Role::client, 3);
    REQUIRE(third.handshake());
    for (const SeenPacket& packet : third.puppet->packets()) CHECK(packet.token.empty());
  }
}

}  // namespace quoll::quic::tests
