#include "quic/path/anti_amplification.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

TEST_SUITE("quic anti-amplification") {
  // RFC 9000 §8, §8.1
  TEST_CASE("an address that is not validated gets three times what came from it, and not a byte more") {
    AntiAmplification limit;
    CHECK_EQ(limit.allowance(), 0);
    limit.on_received(1200);
    CHECK_EQ(limit.allowance(), 3600);
    limit.on_sent(1200);
    limit.on_sent(2400);
    CHECK_EQ(limit.allowance(), 0);
    limit.on_received(100);
    CHECK_EQ(limit.allowance(), 300);
  }

  // RFC 9000 §8, §21.1.1.1
  TEST_CASE("what was sent beyond the limit is paid for before more may go") {
    AntiAmplification limit;
    limit.on_received(100);
    limit.on_sent(400);
    CHECK_EQ(limit.allowance(), 0);
    limit.on_received(33);
    CHECK_EQ(limit.allowance(), 0);
    limit.on_received(1);
    CHECK_EQ(limit.allowance(), 2);
  }

  // RFC 9000 §8.1, §9.3
  TEST_CASE("a validated address has no limit") {
    AntiAmplification limit;
    limit.on_sent(10'000);
    CHECK_FALSE(limit.is_validated());
    limit.set_validated();
    CHECK(limit.is_validated());
    CHECK_EQ(limit.allowance(), UINT64_MAX);
    limit.on_sent(1'000'000);
    CHECK_EQ(limit.allowance(), UINT64_MAX);
  }
}
