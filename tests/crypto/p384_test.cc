// ECDH over P-384: multiples of the generator against slow affine arithmetic, ranges of keys, encodings of points.
#include "tests/crypto/nist_curve_checks.h"

namespace quoll::crypto::tests {
namespace {

// SP 800-186 §3.2.1: the prime, the order, the generator.
const SlowCurve& curve() {
  static const SlowCurve p384(
      "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
      "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
      "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
      "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f");
  return p384;
}

TEST_SUITE("p384") {
  TEST_CASE("multiples 1 to 20 and n - 20 to n - 1 are those of slow addition") {
    check_small_multiples(GroupId::p384, curve());
  }

  TEST_CASE("scalars whose last addition meets equal points are right") {
    check_scalars_of_equal_points(GroupId::p384, curve());
  }

  TEST_CASE("private keys of zero, of the order and above are refused") { check_key_range(GroupId::p384, curve()); }

  TEST_CASE("points off the curve, compressed, hybrid, infinite or unreduced are refused") {
    check_bad_points(GroupId::p384, curve());
    // The square root of b: a point with x = 0.
    check_unreduced_coordinate(
        GroupId::p384,
        unhex("c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793406d80d2b91ad54f9048bd487af1ade1"),
        curve());
  }

  TEST_CASE("both sides of an agreement meet, on every implementation") { check_agreement(GroupId::p384, 6); }
}

}  // namespace
}  // namespace quoll::crypto::tests
