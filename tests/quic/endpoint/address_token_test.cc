#include "quic/endpoint/address_token.h"

#include <set>

#include "tests/quic/endpoint/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using Kind = AddressTokens::Verdict::Kind;
using tests::address;
using tests::connection_id;
using tests::kWallOrigin;

namespace {

struct Fixture {
  explicit Fixture(uint64_t seed = 1, uint8_t secret_fill = 1) : rng(seed), tokens(make(secret_fill)) {}

  AddressTokens make(uint8_t fill) {
    FleetSecret secret;
    std::ranges::fill(MutBytes(secret), fill);
    return AddressTokens(crypto::best(), FleetKeys(crypto::best(), secret), rng, {});
  }
  std::vector<uint8_t> retry_token() { return tokens.retry_token(kWallOrigin, token); }
  /// The Initial packet that answers our Retry.
  AddressTokens::Initial initial(const std::vector<uint8_t>& bytes) const {
    return {.client = token.client, .version = token.version, .destination = token.retry_source, .token = bytes};
  }
  Kind judge(UnixTime now, const AddressTokens::Initial& packet) { return tokens.judge(now, packet).kind; }

  tests::SeededRng rng;
  AddressTokens tokens;
  RetryToken token{.client = address("198.51.100.7:5000"),
                   .version = Version::v1,
                   .original_destination = connection_id(1, 14),
                   .retry_source = connection_id(2)};
};

constexpr Duration kSecond = Duration::seconds(1);

}  // namespace

TEST_SUITE("quic address tokens") {
  // RFC 9000 §8.1.2
  TEST_CASE("a Retry token gives the original destination back to who was sent it") {
    Fixture f;
    const auto token = f.retry_token();
    CHECK_EQ(token.size(), AddressTokens::kRetryTokenSize);
    const auto verdict = f.tokens.judge(kWallOrigin + kSecond, f.initial(token));
    CHECK(verdict.kind == Kind::retry);
    CHECK(verdict.original_destination == connection_id(1, 14));
    CHECK(f.judge(kWallOrigin + kSecond, f.initial(token)) == Kind::retry);  // of a retransmission
  }

  // RFC 9000 §8.1.4: tokens of Retry packets verify that address and port
  // remain constant.
  TEST_CASE("a Retry token is invalid from another address or another port") {
    Fixture f;
    const auto token = f.retry_token();
    auto packet = f.initial(token);
    packet.client = address("198.51.100.7:5001");
    CHECK(f.judge(kWallOrigin, packet) == Kind::invalid_retry);
    packet.client = address("198.51.100.8:5000");
    CHECK(f.judge(kWallOrigin, packet) == Kind::invalid_retry);
    packet.client = address("[::ffff:198.51.100.7]:5000");
    CHECK(f.judge(kWallOrigin, packet) == Kind::invalid_retry);
  }

  // RFC 9000 §8.1.4: only accepted for a short time.
  TEST_CASE(
      "a Retry token expires after some seconds, and is not taken from "
      "the far future") {
    Fixture f;
    const auto token = f.retry_token();
    CHECK(f.judge(kWallOrigin + Duration::milliseconds(14'999), f.initial(token)) == Kind::retry);
    CHECK(f.judge(kWallOrigin + Duration::seconds(15), f.initial(token)) == Kind::invalid_retry);
    CHECK(f.judge(kWallOrigin - kTokenClockSkew, f.initial(token)) == Kind::retry);
    CHECK(f.judge(kWallOrigin - kTokenClockSkew - kSecond, f.initial(token)) == Kind::invalid_retry);
  }

  // RFC 9000 §17.2.5.2, §17.2.5.3; RFC 9369 §4.1
  TEST_CASE("a Retry token belongs to its connection id and version") {
    Fixture f;
    const auto token = f.retry_token();
    auto packet = f.initial(token);
    const ConnectionId other = connection_id(3);
    packet.destination = other;
    CHECK(f.judge(kWallOrigin, packet) == Kind::invalid_retry);
    packet = f.initial(token);
    packet.version = Version::v2;
    CHECK(f.judge(kWallOrigin, packet) == Kind::invalid_retry);
  }

  // RFC 9000 §8.1.3, §8.1.4
  TEST_CASE(
      "a NEW_TOKEN token validates the address it was made for, whatever "
      "the port, once") {
    Fixture f;
    const auto token = f.tokens.new_token(kWallOrigin, address("198.51.100.7:1").ip, Version::v1);
    CHECK_EQ(token.size(), AddressTokens::kNewTokenSize);
    auto packet = f.initial(token);
    packet.client = address("198.51.100.8:6000");
    CHECK(f.judge(kWallOrigin, packet) == Kind::none);
    packet.client = address("198.51.100.7:6000");
    CHECK(f.judge(kWallOrigin + kSecond, packet) == Kind::new_token);
    CHECK(f.judge(kWallOrigin + kSecond, packet) == Kind::none);
  }

  // RFC 9000 §8.1.3: a token should have an expiration time. An invalid one
  // leaves the client as one without.
  TEST_CASE("a NEW_TOKEN token that is too old is as none") {
    Fixture f;
    const auto token = f.tokens.new_token(kWallOrigin, f.token.client.ip, Version::v1);
    CHECK(f.judge(kWallOrigin + Duration::seconds(7 * 24 * 3600), f.initial(token)) == Kind::none);
    CHECK(f.judge(kWallOrigin - Duration::seconds(60), f.initial(token)) == Kind::none);
    CHECK(f.judge(kWallOrigin + Duration::seconds(7 * 24 * 3600 - 1), f.initial(token)) == Kind::new_token);
  }

  // RFC 9369 §5: servers must validate the originating version of any token.
  TEST_CASE("a NEW_TOKEN token is good for the version that it was issued in") {
    Fixture f;
    const auto token = f.tokens.new_token(kWallOrigin, f.token.client.ip, Version::v2);
    auto packet = f.initial(token);
    CHECK(f.judge(kWallOrigin, packet) == Kind::none);
    packet.version = Version::v2;
    CHECK(f.judge(kWallOrigin, packet) == Kind::new_token);
  }

  // RFC 9000 §8.1.1: the server can identify how a token was provided.
  TEST_CASE("the two kinds of tokens cannot serve for each other") {
    Fixture f;
    auto retry = f.retry_token();
    auto fresh = f.tokens.new_token(kWallOrigin, f.token.client.ip, Version::v1);
    std::swap(retry[0], fresh[0]);
    CHECK(f.judge(kWallOrigin, f.initial(retry)) == Kind::none);
    CHECK(f.judge(kWallOrigin, f.initial(fresh)) == Kind::none);
    retry.resize(AddressTokens::kNewTokenSize);
    CHECK(f.judge(kWallOrigin, f.initial(retry)) == Kind::none);
    fresh.resize(AddressTokens::kRetryTokenSize);
    CHECK(f.judge(kWallOrigin, f.initial(fresh)) == Kind::invalid_retry);
  }

  // RFC 9000 §8.1.4: integrity protection against modification or falsification
  // by clients.
  TEST_CASE("no token is taken that was changed in a bit, cut, extended or made up") {
    Fixture f;
    for (const auto& good : {f.retry_token(), f.tokens.new_token(kWallOrigin, f.token.client.ip, Version::v1)}) {
      const auto is_good = [&](const std::vector<uint8_t>& token) {
        const Kind kind = f.judge(kWallOrigin, f.initial(token));
        return kind == Kind::retry || kind == Kind::new_token;
      };
      for (size_t bit = 0; bit < 8 * good.size(); bit++) {
        auto bad = good;
        bad[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
        CHECK_FALSE(is_good(bad));
      }
      for (size_t size = 0; size < good.size(); size++) CHECK_FALSE(is_good({good.begin(), good.begin() + size}));
      auto longer = good;
      longer.push_back(0);
      CHECK_FALSE(is_good(longer));
      CHECK_FALSE(is_good(f.rng.bytes(good.size())));
      CHECK(is_good(good));
    }
  }

  // RFC 9000 §8.1.4
  TEST_CASE("tokens of a fleet are good at each of its servers, and nowhere else") {
    Fixture one(1), same(2), other(3, 9);
    const auto token = one.retry_token();
    CHECK(same.judge(kWallOrigin, same.initial(token)) == Kind::retry);
    CHECK(other.judge(kWallOrigin, other.initial(token)) == Kind::invalid_retry);
    const auto fresh = one.tokens.new_token(kWallOrigin, one.token.client.ip, Version::v1);
    CHECK(other.judge(kWallOrigin, other.initial(fresh)) == Kind::none);
    CHECK(same.judge(kWallOrigin, same.initial(fresh)) == Kind::new_token);
  }

  // RFC 9000 §8.1.3: every NEW_TOKEN frame is unique across all clients, and
  // nothing in it can be linked.
  TEST_CASE("tokens for the same client have nothing in common but their kind") {
    Fixture f;
    std::set<std::vector<uint8_t>> seen;
    for (int i = 0; i < 200; i++) {
      auto token = f.tokens.new_token(kWallOrigin, f.token.client.ip, Version::v1);
      token.erase(token.begin());
      token.resize(20);
      seen.insert(token);
    }
    CHECK_EQ(seen.size(), 200);
  }
}

TEST_SUITE("quic used tokens") {
  // RFC 9000 §8.1.4: should not be accepted multiple times.
  TEST_CASE(
      "no token is ever taken twice, however many there are, and memory "
      "stays bounded") {
    const uint64_t seed = tests::test_seed(5);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    UsedTokens used;
    struct Token {
      std::vector<uint8_t> salt;
      UnixTime issued;
    };
    std::vector<Token> tokens;
    UnixTime now = kWallOrigin;
    size_t refused = 0;
    const size_t count = UsedTokens::kTokensPerFilter * 5 / 2;
    for (size_t i = 0; i < count; i++) {
      now = now + Duration::milliseconds(10);
      Token token{.salt = rng.bytes(UsedTokens::kSaltSize), .issued = now - Duration::milliseconds(5)};
      if (!used.use(token.salt, token.issued, now)) {
        refused++;
      } else if (i % 16 == 0) {
        tokens.push_back(std::move(token));
      }
    }
    CHECK(refused < count * 3 / 100);
    for (const Token& token : tokens) CHECK_FALSE(used.use(token.salt, token.issued, now));
  }
}
