// ECDH over P-256: multiples of the generator against slow affine arithmetic, ranges of keys, encodings of points.
#include "tests/crypto/nist_curve_checks.h"

namespace quoll::crypto::tests {
namespace {

// SP 800-186 §3.2.1: the prime, the order, the generator.
const SlowCurve& curve() {
  static const SlowCurve p256("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
                              "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
                              "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
                              "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  return p256;
}

TEST_SUITE("p256") {
  TEST_CASE("multiples 1 to 20 and n - 20 to n - 1 are those of slow addition") {
    check_small_multiples(GroupId::p256, curve());
  }

  TEST_CASE("scalars whose last addition meets equal points are right") {
    check_scalars_of_equal_points(GroupId::p256, curve());
  }

  TEST_CASE("private keys of zero, of the order and above are refused") { check_key_range(GroupId::p256, curve()); }

  TEST_CASE("points off the curve, compressed, hybrid, infinite or unreduced are refused") {
    check_bad_points(GroupId::p256, curve());
    // The square root of b: a point with x = 0.
    check_unreduced_coordinate(GroupId::p256, unhex("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"),
                               curve());
  }

  TEST_CASE("both sides of an agreement meet, on every implementation") { check_agreement(GroupId::p256, 12); }
}

}  // namespace
}  // namespace quoll::crypto::tests
