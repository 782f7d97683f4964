#include "quic/endpoint/fleet_keys.h"

#include <set>

#include "tests/quic/endpoint/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

FleetSecret secret_of(uint8_t fill) {
  FleetSecret secret;
  std::ranges::fill(MutBytes(secret), fill);
  return secret;
}

std::vector<std::vector<uint8_t>> all(const FleetKeys& keys) {
  std::vector<std::vector<uint8_t>> out;
  for (const Bytes key : {keys.retry_token.bytes(), keys.new_token.bytes(), keys.stateless_reset.bytes(),
                          keys.tls_tickets.bytes(), keys.connection_ids.bytes()}) {
    out.emplace_back(key.begin(), key.end());
  }
  return out;
}

}  // namespace

TEST_SUITE("quic fleet keys") {
  TEST_CASE(
      "servers with the same secret have the same keys, others have "
      "other ones") {
    const FleetKeys one(crypto::best(), secret_of(1)), again(crypto::portable(), secret_of(1));
    const FleetKeys other(crypto::best(), secret_of(2));
    CHECK(all(one) == all(again));
    std::set<std::vector<uint8_t>> different;
    for (const auto& key : all(one)) different.insert(key);
    for (const auto& key : all(other)) different.insert(key);
    CHECK_EQ(different.size(), 10);
  }

  // RFC 9000 §10.3.2
  TEST_CASE(
      "a reset token follows from the connection id and the fleet's "
      "secret alone") {
    const FleetKeys keys(crypto::best(), secret_of(1));
    const FleetResetTokens tokens(crypto::best(), keys.stateless_reset);
    const FleetResetTokens after_restart(crypto::portable(), keys.stateless_reset);
    const FleetResetTokens elsewhere(crypto::best(), FleetKeys(crypto::best(), secret_of(2)).stateless_reset);
    const ConnectionId id = tests::connection_id(7);
    CHECK(tokens.token_of(id) == after_restart.token_of(id));
    CHECK(tokens.token_of(id) != elsewhere.token_of(id));
  }

  // RFC 9000 §10.3.2: the same stateless reset token must not be used for
  // multiple connection ids.
  TEST_CASE(
      "different connection ids have different reset tokens, also those "
      "of other sizes") {
    const FleetKeys keys(crypto::best(), secret_of(1));
    const FleetResetTokens tokens(crypto::best(), keys.stateless_reset);
    std::set<StatelessResetToken> seen;
    for (size_t size = 1; size <= kConnectionIdSizeMax; size++) {
      for (int fill = 0; fill < 32; fill++) {
        seen.insert(tokens.token_of(tests::connection_id(static_cast<uint8_t>(fill), size)));
      }
    }
    CHECK_EQ(seen.size(), 32 * kConnectionIdSizeMax);
  }

  TEST_CASE("the reset token is HMAC-SHA-256 cut to 16 bytes") {
    const FleetKeys keys(crypto::best(), secret_of(3));
    const ConnectionId id = tests::connection_id(9, 16);
    const crypto::Digest digest = crypto::hmac(*crypto::best().sha256, keys.stateless_reset.bytes(), id);
    const StatelessResetToken token = FleetResetTokens(crypto::best(), keys.stateless_reset).token_of(id);
    CHECK(std::ranges::equal(token, digest.bytes().first(16)));
  }
}
