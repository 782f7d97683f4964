// The checks that p256_test.cc and p384_test.cc run over their curve.
#pragma once

#include <optional>

#include "tests/crypto/nist_support.h"

namespace quoll::crypto::tests {

/// A curve with a = -3 in slow affine arithmetic: the reference.
class SlowCurve {
 public:
  struct Point {
    Buffer x, y;
  };
  using MaybePoint = std::optional<Point>;  // empty: infinity

  SlowCurve(std::string_view p, std::string_view n, std::string_view gx, std::string_view gy)
      : prime(unhex(p)), order(unhex(n)), generator{unhex(gx), unhex(gy)}, field_(prime) {}

  MaybePoint add(const MaybePoint& a, const MaybePoint& b) const {
    if (!a) return b;
    if (!b) return a;
    Buffer numerator = field_.subtract(b->y, a->y), denominator = field_.subtract(b->x, a->x);
    if (a->x == b->x) {
      if (a->y != b->y) return std::nullopt;
      const Buffer x2 = field_.multiply(a->x, a->x);
      numerator = field_.subtract(field_.add(field_.add(x2, x2), x2), number(3, prime.size()));
      denominator = field_.add(a->y, a->y);
    }
    const Buffer slope = field_.multiply(numerator, field_.invert(denominator));
    const Buffer x = field_.subtract(field_.subtract(field_.multiply(slope, slope), a->x), b->x);
    return Point{x, field_.subtract(field_.multiply(slope, field_.subtract(a->x, x)), a->y)};
  }

  Point negate(const Point& a) const { return {a.x, field_.subtract(number(0, prime.size()), a.y)}; }

  static Buffer encode(const Point& a) {
    Buffer bytes(1 + a.x.size() + a.y.size(), 4);
    copy_bytes(bytes.data() + 1, a.x);
    copy_bytes(bytes.data() + 1 + a.x.size(), a.y);
    return bytes;
  }

  const Buffer prime, order;
  const Point generator;

 private:
  SlowModulus field_;
};

inline std::optional<Buffer> public_of(const Group& group, const Buffer& scalar) {
  Buffer out(group.public_key_size);
  if (!group.public_key(scalar.data(), out.data())) return std::nullopt;
  return out;
}

inline std::optional<Buffer> agreed(const Group& group, const Buffer& scalar, const Buffer& point) {
  Buffer out(group.shared_secret_size);
  if (!group.agree(scalar.data(), point.data(), out.data())) return std::nullopt;
  return out;
}

/// Scalars near 0, near n, and at the digits' boundaries: multiples computed by base table, by ladder and by slow
/// addition.
inline void check_small_multiples(GroupId id, const SlowCurve& curve) {
  const Buffer base = SlowCurve::encode(curve.generator);
  SlowCurve::MaybePoint point;
  for (uint8_t i = 1; i <= 20; i++) {
    point = curve.add(point, curve.generator);
    for (const Group* group : runnable(&Catalogue::groups, id)) {
      INFO(group->implementation << " multiple " << int{i});
      const Buffer scalar = number(i, curve.order.size());
      const Buffer negated = minus(curve.order, i);
      CHECK(public_of(*group, scalar) == SlowCurve::encode(*point));
      CHECK(public_of(*group, negated) == SlowCurve::encode(curve.negate(*point)));
      CHECK(agreed(*group, scalar, base) == point->x);
      CHECK(agreed(*group, negated, base) == point->x);
    }
  }
}

/// All even scalars up to 2^9: among them are those whose last addition meets two equal points, for every window.
inline void check_scalars_of_equal_points(GroupId id, const SlowCurve& curve) {
  const std::vector<const Group*> groups = runnable(&Catalogue::groups, id);
  const Buffer base = SlowCurve::encode(curve.generator);
  for (uint64_t i = 1; i < 512; i++) {
    const Buffer scalar = number(i, curve.order.size());
    const std::optional<Buffer> expected = public_of(*groups.back(), scalar);
    REQUIRE(expected);
    for (const Group* group : groups) {
      INFO(group->implementation << " scalar " << i);
      REQUIRE(public_of(*group, scalar) == expected);
      if (group == groups.front() || i < 70) {
        REQUIRE(agreed(*group, scalar, base) ==
                Buffer(expected->begin() + 1, expected->begin() + 1 + group->shared_secret_size));
      }
    }
  }
}

inline void check_key_range(GroupId id, const SlowCurve& curve) {
  const Buffer base = SlowCurve::encode(curve.generator);
  Buffer above = curve.order;
  above.back()++;
  for (const Group* group : runnable(&Catalogue::groups, id)) {
    INFO(group->implementation);
    for (const Buffer& key : {number(0, curve.order.size()), curve.order, above, Buffer(curve.order.size(), 0xff)}) {
      CHECK_FALSE(public_of(*group, key));
      CHECK_FALSE(agreed(*group, key, base));
    }
  }
}

inline void check_bad_points(GroupId id, const SlowCurve& curve) {
  const size_t size = curve.prime.size();
  const Buffer good = SlowCurve::encode(curve.generator);
  const Buffer scalar = number(7, size);
  std::vector<Buffer> bad;
  for (const int first : {0, 2, 3, 5, 6, 7, 0x84}) {  // infinity, compressed, hybrid and nonsense forms
    bad.push_back(good);
    bad.back()[0] = static_cast<uint8_t>(first);
  }
  bad.push_back(good);
  bad.back().back() ^= 1;  // off the curve
  bad.push_back(Buffer(good.size(), 0));
  bad.push_back(number(0, good.size()));
  bad.back()[0] = 4;  // (0, 0)
  bad.push_back(SlowCurve::encode({curve.generator.y, curve.generator.x}));
  bad.push_back(SlowCurve::encode({curve.prime, curve.generator.y}));
  bad.push_back(SlowCurve::encode({curve.generator.x, Buffer(size, 0xff)}));
  for (const Group* group : runnable(&Catalogue::groups, id)) {
    INFO(group->implementation);
    CHECK(agreed(*group, scalar, good));
    for (const Buffer& point : bad) CHECK_FALSE(agreed(*group, scalar, point));
  }
}

/// A coordinate of p + c is refused although c would be on the curve. x = 0 has a point on both curves; sqrt is not
/// needed: the point comes from the caller.
inline void check_unreduced_coordinate(GroupId id, const Buffer& x_zero_y, const SlowCurve& curve) {
  for (const Group* group : runnable(&Catalogue::groups, id)) {
    INFO(group->implementation);
    const Buffer scalar = number(3, curve.prime.size());
    CHECK(agreed(*group, scalar, SlowCurve::encode({number(0, curve.prime.size()), x_zero_y})));
    CHECK_FALSE(agreed(*group, scalar, SlowCurve::encode({curve.prime, x_zero_y})));
  }
}

/// Both sides of an agreement meet, on all implementations alike.
inline void check_agreement(GroupId id, int count) {
  const uint64_t seed = quoll::tests::test_seed(0xa92ee);
  INFO("seed " << seed);
  quoll::tests::SeededRng rng(seed);
  const std::vector<const Group*> groups = runnable(&Catalogue::groups, id);
  for (int i = 0; i < count; i++) {
    Buffer a = rng.bytes(groups[0]->private_key_size), b = rng.bytes(groups[0]->private_key_size);
    a[0] &= 0x7f;
    b[0] &= 0x7f;
    const std::optional<Buffer> public_a = public_of(*groups.back(), a), public_b = public_of(*groups.back(), b);
    REQUIRE(public_a);
    REQUIRE(public_b);
    const std::optional<Buffer> shared = agreed(*groups.back(), a, *public_b);
    REQUIRE(shared);
    for (const Group* group : groups) {
      INFO(group->implementation);
      REQUIRE(public_of(*group, a) == public_a);
      REQUIRE(agreed(*group, a, *public_b) == shared);
      REQUIRE(agreed(*group, b, *public_a) == shared);
    }
  }
}

}  // namespace quoll::crypto::tests
