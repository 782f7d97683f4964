#include "quic/endpoint/resumption_state.h"
#include "quic/endpoint/resumption_store.h"
#include "tests/quic/endpoint/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::kWallOrigin;

namespace {

ResumptionState state_of(uint8_t name, Version version = Version::v1) {
  tls::ClientTicket ticket;
  ticket.server_name = "example.com";
  ticket.application_protocol = "h3";
  ticket.cipher_suite = tls::CipherSuite::aes_128_gcm_sha256;
  ticket.psk = crypto::Digest(32);
  ticket.ticket = {1, 2, name};
  ticket.lifetime_seconds = 3600;
  ticket.received = kWallOrigin;
  ticket.authenticated_until = kWallOrigin + Duration::seconds(100'000);
  ResumptionState state{.ticket = ticket, .version = version, .token = {}};
  state.parameters.initial_max_data = 1'000'000 + name;
  state.parameters.initial_max_streams_bidi = 100;
  return state;
}

ResumptionState token_of(std::vector<uint8_t> token, Version version = Version::v1) {
  return {.ticket = {}, .version = version, .token = std::move(token)};
}

bool same(const ResumptionState& a, const ResumptionState& b) {
  return a.ticket == b.ticket && a.parameters == b.parameters && a.version == b.version && a.token == b.token;
}

}  // namespace

TEST_SUITE("quic resumption state") {
  TEST_CASE("what is encoded decodes to the same") {
    auto both = state_of(1, Version::v2);
    both.token = std::vector<uint8_t>(300, 7);
    for (const ResumptionState& state : {state_of(1), both, token_of({1, 2, 3}), ResumptionState{}}) {
      const auto encoded = encode_resumption_state(state);
      REQUIRE_FALSE(encoded.empty());
      const auto decoded = decode_resumption_state(encoded);
      REQUIRE(decoded);
      CHECK(same(*decoded, state));
    }
  }

  TEST_CASE("anything else is refused") {
    auto state = state_of(1);
    state.token = {1, 2, 3};
    const auto good = encode_resumption_state(state);
    for (size_t size = 0; size < good.size(); size++) CHECK_FALSE(decode_resumption_state(Bytes(good).first(size)));
    auto bad = good;
    bad.push_back(0);
    CHECK_FALSE(decode_resumption_state(bad));
    for (size_t i = 0; i < good.size(); i++) {
      for (int bit = 0; bit < 8; bit++) {
        bad = good;
        bad[i] ^= static_cast<uint8_t>(1 << bit);
        const auto decoded = decode_resumption_state(bad);
        if (decoded) CHECK(encode_resumption_state(*decoded) == bad);
      }
    }
  }

  // RFC 9000 §7.4.1: some parameters must not be remembered.
  TEST_CASE("parameters that belong to one connection are not kept") {
    auto state = state_of(1);
    state.parameters.stateless_reset_token.emplace();
    CHECK(encode_resumption_state(state).empty());
    state.parameters = remembered_parameters(state.parameters);
    CHECK_FALSE(encode_resumption_state(state).empty());
    state.token.resize(65'536);
    CHECK(encode_resumption_state(state).empty());
  }
}

TEST_SUITE("quic resumption store") {
  // RFC 9000 §8.1.3, RFC 8446 appendix C.4
  TEST_CASE("tickets and tokens are given out once, the newest first, together") {
    ResumptionStore store;
    store.put("a.example", state_of(1));
    store.put("a.example", token_of({1}));
    store.put("a.example", state_of(2));
    store.put("a.example", token_of({2}));
    store.put("a.example", token_of({3}));
    auto taken = store.take("a.example", kWallOrigin);
    REQUIRE(taken);
    CHECK(taken->ticket == state_of(2).ticket);
    CHECK_EQ(taken->parameters.initial_max_data, 1'000'002);
    CHECK(taken->token == std::vector<uint8_t>{3});
    taken = store.take("a.example", kWallOrigin);
    CHECK(taken->ticket == state_of(1).ticket);
    CHECK(taken->token == std::vector<uint8_t>{2});
    taken = store.take("a.example", kWallOrigin);
    CHECK_FALSE(taken->ticket);
    CHECK(taken->token == std::vector<uint8_t>{1});
    CHECK_FALSE(store.take("a.example", kWallOrigin));
    CHECK_EQ(store.servers(), 0);
  }

  // RFC 9369 §5
  TEST_CASE("a token of another version stays behind") {
    ResumptionStore store;
    store.put("a.example", token_of({1}, Version::v1));
    store.put("a.example", token_of({2}, Version::v2));
    store.put("a.example", state_of(1, Version::v1));
    auto taken = store.take("a.example", kWallOrigin);
    CHECK(taken->version == Version::v1);
    CHECK(taken->token == std::vector<uint8_t>{1});
    taken = store.take("a.example", kWallOrigin);
    CHECK(taken->version == Version::v2);
    CHECK(taken->token == std::vector<uint8_t>{2});
  }

  // RFC 9000 §8.1.3: not for other servers.
  TEST_CASE("nothing is given to other servers, and nothing that is too old") {
    ResumptionStore store;
    store.put("a.example", state_of(1));
    CHECK_FALSE(store.take("b.example", kWallOrigin));
    CHECK_FALSE(store.take("a.example", kWallOrigin + Duration::seconds(3600)));
    CHECK_EQ(store.servers(), 0);
    store.put("a.example", ResumptionState{});
    CHECK_EQ(store.servers(), 0);
  }

  TEST_CASE("what is kept is bounded: the oldest go first") {
    ResumptionStore store({.servers = 2, .tickets_per_server = 2, .tokens_per_server = 1, .token_size = 4});
    for (uint8_t i = 0; i < 5; i++) store.put("a.example", state_of(i));
    store.put("a.example", token_of({1}));
    store.put("a.example", token_of({2}));
    store.put("a.example", token_of({1, 2, 3, 4, 5}));
    auto taken = store.take("a.example", kWallOrigin);
    CHECK(taken->ticket == state_of(4).ticket);
    CHECK(taken->token == std::vector<uint8_t>{2});
    store.put("b.example", state_of(1));
    store.put("a.example", state_of(6));
    store.put("c.example", state_of(1));
    CHECK_EQ(store.servers(), 2);
    CHECK(store.names() == std::vector<std::string>{"a.example", "c.example"});
    CHECK_FALSE(store.take("b.example", kWallOrigin));
    CHECK(store.take("a.example", kWallOrigin)->ticket == state_of(6).ticket);
  }
}
