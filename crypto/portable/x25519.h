// X25519 (RFC 7748 §5): the Montgomery ladder, and the multiples of the base point by way of the Edwards curve.
//
// A template over a field of edwards25519.h. Constant-time: the only public outcome is whether a shared secret is all
// zero.
#pragma once

#include <cstdint>
#include <cstring>

#include "crypto/portable/edwards25519.h"

namespace quoll::crypto {

/// RFC 7748 §5: a private key with its bits 0 to 2 and 255 cleared and 254 set.
struct X25519Scalar {
  explicit X25519Scalar(const uint8_t* private_key) {
    std::memcpy(bytes, private_key, 32);
    bytes[0] &= 0xf8;
    bytes[31] = static_cast<uint8_t>((bytes[31] & 0x7f) | 0x40);
  }
  X25519Scalar(const X25519Scalar&) = delete;
  X25519Scalar& operator=(const X25519Scalar&) = delete;
  ~X25519Scalar() { ct::wipe(bytes); }

  /// All ones or all zero.
  uint64_t mask_of_bit(int i) const { return ct::barrier(0 - static_cast<uint64_t>(bytes[i / 8] >> i % 8 & 1)); }

  uint8_t bytes[32];
};

template <class F>
struct X25519 {
  using Tight = typename F::Tight;
  using Loose = typename F::Loose;

  /// The public key of any 32 bytes; always true.
  static bool public_key(const uint8_t* private_key, uint8_t* public_key) {
    using Edwards = Edwards25519<F>;
    const X25519Scalar scalar(private_key);
    typename Edwards::Point point = Edwards::multiply_base(scalar.bytes);
    // RFC 7748 §4.1: u = (1 + y) / (1 - y) = (Z + Y) / (Z - Y). A clamped scalar is no multiple of the order, so y is
    // not 1.
    const Tight denominator = F::mul_small(F::sub(point.z, point.y), 1);
    field25519::encode<F>(public_key, F::mul(field25519::invert<F>(denominator), F::add(point.z, point.y)));
    ct::wipe(point);
    return true;
  }

  /// False when the result is all zero: the peer's key is a point of small order (RFC 7748 §6.1).
  static bool agree(const uint8_t* private_key, const uint8_t* peer_public_key, uint8_t* shared_secret) {
    const X25519Scalar scalar(private_key);
    const Tight u = field25519::decode<F>(peer_public_key);
    Ladder ladder{F::small(1), F::small(0), u, F::small(1)};
    uint64_t previous = 0;
    for (int i = 254; i >= 0; i--) {
      const uint64_t bit = scalar.mask_of_bit(i);
      step(ladder, u, bit ^ previous);
      previous = bit;
    }
    // The lowest bit of a clamped scalar is zero, so the doubled point is the wanted one.
    const bool valid = finish(shared_secret, ladder.x2, ladder.z2);
    ct::wipe(ladder);
    return valid;
  }

  /// The end of agree(): x2 / z2, and whether it is not all zero.
  static bool finish(uint8_t* shared_secret, const Tight& x2, const Tight& z2) {
    field25519::encode<F>(shared_secret, F::mul(field25519::invert<F>(z2), x2));
    uint8_t any = 0;
    for (int i = 0; i < 32; i++) any |= shared_secret[i];
    return ct::declassified(ct::mask_nonzero(any)) != 0;
  }

 private:
  /// (x2 : z2) was doubled last, (x3 : z3) is the sum.
  struct Ladder {
    Tight x2, z2, x3, z3;
  };

  /// The loop body of RFC 7748 §5, with its names. Of its swap only the choice of the point to double is left: a swap
  /// exchanges DA and CB, which leaves their sum as it is and negates their difference, and that is squared.
  static void step(Ladder& l, const Tight& x1, uint64_t swap) {
    const Loose a = F::add(l.x2, l.z2), b = F::sub(l.x2, l.z2);
    const Loose c = F::add(l.x3, l.z3), d = F::sub(l.x3, l.z3);
    const Tight da = F::mul(d, a), cb = F::mul(c, b);
    const Tight aa = F::square(F::select(swap, c, a)), bb = F::square(F::select(swap, d, b));
    const Loose e = F::sub(aa, bb);
    l.x3 = F::square(F::add(da, cb));
    l.z3 = F::mul(F::square(F::sub(da, cb)), x1);
    l.x2 = F::mul(aa, bb);
    l.z2 = F::mul(F::add(F::mul_small(e, 121665), aa), e);
  }
};

}  // namespace quoll::crypto
