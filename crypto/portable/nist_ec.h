// What Group and Ecdsa tables of P-256 and P-384 do, once for every implementation of a curve.
//
// ECDH: RFC 8446 §7.4.2, the x coordinate; keys are uncompressed points only (§4.2.8.2). ECDSA: FIPS 186-5 §6.4. A
// `Curve` gives the constants (crypto/portable/nist_curves.h), Field and Scalar (residues), look_up (a constant-time
// table look-up), multiply_base and base_multiples. Secret are the private keys, the nonce and all that comes of them;
// whether a key, a nonce or a signature is in range is public, and so is everything in verify().
#pragma once

#include "crypto/ecdsa.h"
#include "crypto/group.h"
#include "crypto/portable/point_multiply.h"

namespace quoll::crypto {

template <class Curve>
struct NistEc {
  using F = typename Curve::Field;
  using S = typename Curve::Scalar;
  using L = Limbs<Curve::kLimbs>;
  static constexpr size_t kBytes = 8 * Curve::kLimbs;
  static constexpr size_t kPublicKeyBytes = 1 + 2 * kBytes;
  static constexpr uint8_t kUncompressed = 4;  // SEC 1 §2.3.3

  static bool public_key(const uint8_t* private_key, uint8_t* public_key) {
    L k = load_limbs<Curve::kLimbs>(private_key);
    const bool valid = is_scalar(k);
    if (valid) {
      AffinePoint<F> point = to_affine(Curve::multiply_base(k));
      public_key[0] = kUncompressed;
      store_limbs(public_key + 1, point.x.to_limbs());
      store_limbs(public_key + 1 + kBytes, point.y.to_limbs());
      ct::wipe(point);
    }
    ct::wipe(k);
    return valid;
  }

  static bool agree(const uint8_t* private_key, const uint8_t* peer_public_key, uint8_t* shared_secret) {
    AffinePoint<F> peer;
    if (!load_point(peer, peer_public_key)) return false;
    L k = load_limbs<Curve::kLimbs>(private_key);
    const bool valid = is_scalar(k);
    if (valid) {
      JacobianPoint<F> product = multiply<Curve>(k, peer);
      L x = affine_x(product);
      store_limbs(shared_secret, x);
      ct::wipe(x);
      ct::wipe(product);
    }
    ct::wipe(k);
    return valid;
  }

  static bool is_public_key(const uint8_t* public_key) {
    AffinePoint<F> ignored;
    return load_point(ignored, public_key);
  }

  static bool sign(const uint8_t* private_key, const uint8_t* nonce, const uint8_t* digest, uint8_t* signature) {
    L d = load_limbs<Curve::kLimbs>(private_key);
    L k = load_limbs<Curve::kLimbs>(nonce);
    bool valid = is_scalar(d) && is_scalar(k);
    if (valid) {
      JacobianPoint<F> product = Curve::multiply_base(k);
      const L r = reduced(affine_x(product));
      S nonce_inverse = inverse(S::from_limbs(k));
      S sum = S::from_limbs(reduced(load_limbs<Curve::kLimbs>(digest))) + S::from_limbs(r) * S::from_limbs(d);
      const L s = (nonce_inverse * sum).to_limbs();
      // Zero has no chance worth naming, but FIPS 186-5 §6.4.1 wants it looked at; a signature is public.
      valid = ct::declassified(mask_zero_limbs(r) | mask_zero_limbs(s)) == 0;
      if (valid) {
        store_limbs(signature, r);
        store_limbs(signature + kBytes, s);
      }
      ct::wipe(product);
      ct::wipe(nonce_inverse);
      ct::wipe(sum);
    }
    ct::wipe(d);
    ct::wipe(k);
    return valid;
  }

  static bool verify(const uint8_t* public_key, const uint8_t* digest, const uint8_t* signature) {
    AffinePoint<F> q;
    if (!load_point(q, public_key)) return false;
    const L r = load_limbs<Curve::kLimbs>(signature);
    const L s = load_limbs<Curve::kLimbs>(signature + kBytes);
    if (!is_scalar(r) || !is_scalar(s)) return false;

    const S s_inverse = inverse_vartime(S::from_limbs(s));
    const L u = (S::from_limbs(reduced(load_limbs<Curve::kLimbs>(digest))) * s_inverse).to_limbs();
    const L v = (S::from_limbs(r) * s_inverse).to_limbs();
    const JacobianPoint<F> sum = multiply_two_vartime<Curve>(u, v, q);
    if (is_infinity_vartime(sum)) return false;

    // x mod n = r, without the division: X = r Z^2, or X = (r + n) Z^2 when r + n is a field element too.
    const F z_squared = square(sum.z);
    if (mask_equal(F::from_limbs(r) * z_squared, sum.x)) return true;
    L r_plus_n;
    if (add_limbs(r_plus_n, r, S::modulus()) || !mask_less_limbs(r_plus_n, F::modulus())) return false;
    return mask_equal(F::from_limbs(r_plus_n) * z_squared, sum.x) != 0;
  }

 private:
  /// 0 < k < n; the answer is public.
  static bool is_scalar(const L& k) {
    return ct::declassified(mask_less_limbs(k, S::modulus()) & ~mask_zero_limbs(k)) != 0;
  }

  /// A field element or a digest modulo n: both are below 2 n.
  static L reduced(const L& value) {
    L result;
    reduce_once(result, value, 0, S::modulus());
    return result;
  }

  static L affine_x(const JacobianPoint<F>& p) { return (p.x * square(inverse(p.z))).to_limbs(); }

  /// False for anything but the uncompressed encoding of a finite point of the curve; the bytes are public.
  static bool load_point(AffinePoint<F>& point, const uint8_t* bytes) {
    const L x = load_limbs<Curve::kLimbs>(bytes + 1);
    const L y = load_limbs<Curve::kLimbs>(bytes + 1 + kBytes);
    if (bytes[0] != kUncompressed || !mask_less_limbs(x, F::modulus()) || !mask_less_limbs(y, F::modulus()))
      return false;
    point = {F::from_limbs(x), F::from_limbs(y)};
    return mask_on_curve(point, Curve::b()) != 0;
  }
};

template <class Curve>
constexpr Group nist_group(Implementation implementation, GroupId id) {
  using Ec = NistEc<Curve>;
  return {implementation, id, Curve::kName, Ec::kBytes, Ec::kPublicKeyBytes, Ec::kBytes, &Ec::public_key, &Ec::agree};
}

template <class Curve>
constexpr Ecdsa nist_ecdsa(Implementation implementation, EcdsaId id) {
  using Ec = NistEc<Curve>;
  return {implementation,  id,        Curve::kName, Ec::kBytes,        Ec::kPublicKeyBytes, Curve::kOrderBytes,
          &Ec::public_key, &Ec::sign, &Ec::verify,  &Ec::is_public_key};
}

}  // namespace quoll::crypto
