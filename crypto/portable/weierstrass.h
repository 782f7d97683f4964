// Points of a curve y^2 = x^3 - 3 x + b over a prime field, in Jacobian coordinates: (X, Y, Z) is (X / Z^2, Y / Z^3),
// and Z = 0 is the point at infinity. Prime group order, so no point has order two.
//
// The plain formulas (double_point, add_distinct) have no branch and are right for the inputs that they name; callers
// that hold secrets prove that nothing else can happen (crypto/portable/point_multiply.h). add_complete is right for
// any two finite points and constant-time; the _vartime functions are right for all points and branch, for public data
// only. Operation counts: doubling 4M + 4S, addition 12M + 4S, addition of an affine point 8M + 3S.
#pragma once

#include "crypto/portable/montgomery.h"

namespace quoll::crypto {

template <class F>
struct AffinePoint {
  F x, y;
};

template <class F>
struct JacobianPoint {
  F x, y, z;
};

template <class F>
JacobianPoint<F> infinity() {
  return {F::one(), F::one(), F::zero()};
}

template <class F>
JacobianPoint<F> to_jacobian(const AffinePoint<F>& p) {
  return {p.x, p.y, F::one()};
}

template <class F>
JacobianPoint<F> to_jacobian(const JacobianPoint<F>& p) {
  return p;
}

/// p != infinity.
template <class F>
AffinePoint<F> to_affine(const JacobianPoint<F>& p) {
  const F z_inverse = inverse(p.z);
  const F z_inverse_squared = square(z_inverse);
  return {p.x * z_inverse_squared, p.y * (z_inverse_squared * z_inverse)};
}

template <class F>
uint64_t mask_infinity(const JacobianPoint<F>& p) {
  return mask_zero(p.z);
}

template <class F>
bool is_infinity_vartime(const JacobianPoint<F>& p) {
  return mask_infinity(p) != 0;
}

/// All ones when y^2 = x^3 - 3 x + b.
template <class F>
uint64_t mask_on_curve(const AffinePoint<F>& p, const F& b) {
  const F three_x = twice(p.x) + p.x;
  return mask_equal(square(p.y), square(p.x) * p.x - three_x + b);
}

/// mask ? -p : p.
template <class Point>
void negate_if(Point& p, uint64_t mask) {
  p.y = select(mask, -p.y, p.y);
}

/// 2 p, for every p.
template <class F>
JacobianPoint<F> double_point(const JacobianPoint<F>& p) {
  const F z_squared = square(p.z);
  const F y_squared = square(p.y);
  const F yz = p.y * p.z;
  const F slope_half = (p.x - z_squared) * (p.x + z_squared);
  const F slope = twice(slope_half) + slope_half;  // 3 X^2 - 3 Z^4
  const F xy2 = twice(twice(p.x * y_squared));     // 4 X Y^2
  const F y4 = twice(square(twice(y_squared)));    // 8 Y^4
  const F x = square(slope) - twice(xy2);
  return {x, slope * (xy2 - x) - y4, twice(yz)};
}

/// What an addition learns on the way: x difference and y difference, both zero when the points are the same.
template <class F>
struct Differences {
  F x, y;
};

/// p + q for finite p != q. (The sum of p and -p is right: infinity.) Given p == q, `differences` is all zero.
template <class F>
JacobianPoint<F> add_distinct(const JacobianPoint<F>& p, const JacobianPoint<F>& q, Differences<F>& differences) {
  const F pz2 = square(p.z);
  const F qz2 = square(q.z);
  const F pz3 = pz2 * p.z;
  const F qz3 = qz2 * q.z;
  const F u = p.x * qz2;
  const F s = p.y * qz3;
  const F h = q.x * pz2 - u;
  const F r = q.y * pz3 - s;
  const F zz = p.z * q.z;
  const F h2 = square(h);
  const F r2 = square(r);
  const F h3 = h2 * h;
  const F v = u * h2;
  const F x = r2 - h3 - twice(v);
  differences = {h, r};
  return {x, r * (v - x) - s * h3, zz * h};
}

/// p + q for finite p != q, q affine.
template <class F>
JacobianPoint<F> add_distinct(const JacobianPoint<F>& p, const AffinePoint<F>& q, Differences<F>& differences) {
  const F pz2 = square(p.z);
  const F pz3 = pz2 * p.z;
  const F h = q.x * pz2 - p.x;
  const F r = q.y * pz3 - p.y;
  const F h2 = square(h);
  const F z = p.z * h;
  const F r2 = square(r);
  const F h3 = h2 * h;
  const F v = p.x * h2;
  const F x = r2 - h3 - twice(v);
  differences = {h, r};
  return {x, r * (v - x) - p.y * h3, z};
}

template <class F, class Point>
JacobianPoint<F> add_distinct(const JacobianPoint<F>& p, const Point& q) {
  Differences<F> unused;
  return add_distinct(p, q, unused);
}

/// p + q for any finite points, p == q and p == -q included.
template <class F, class Point>
JacobianPoint<F> add_complete(const JacobianPoint<F>& p, const Point& q) {
  Differences<F> differences;
  const JacobianPoint<F> sum = add_distinct(p, q, differences);
  const JacobianPoint<F> doubled = double_point(p);
  const uint64_t same = mask_zero(differences.x) & mask_zero(differences.y);
  return {select(same, doubled.x, sum.x), select(same, doubled.y, sum.y), select(same, doubled.z, sum.z)};
}

/// p + q for all points, an affine q being finite.
template <class F, class Point>
JacobianPoint<F> add_vartime(const JacobianPoint<F>& p, const Point& q) {
  if (is_infinity_vartime(p)) return to_jacobian(q);
  if constexpr (requires { q.z; }) {
    if (is_infinity_vartime(q)) return p;
  }
  Differences<F> differences;
  const JacobianPoint<F> sum = add_distinct(p, q, differences);
  if (mask_zero(differences.x) && mask_zero(differences.y)) return double_point(p);
  return sum;
}

}  // namespace quoll::crypto
