// The constants of P-256 and P-384 (FIPS 186-5 by way of SP 800-186 §3.2.1; RFC 5480 names them secp256r1, secp384r1).
// Both have a = -3 and a prime order, so every point but infinity is a generator.
#pragma once

#include "crypto/portable/limbs.h"

namespace quoll::crypto {

struct P256 {
  static constexpr std::string_view kName = "P-256";
  static constexpr size_t kLimbs = 4;
  struct Prime {
    static constexpr Limbs<4> kModulus =
        limbs_of_hex<4>("ffffffff00000001 0000000000000000 00000000ffffffff ffffffffffffffff");
  };
  struct Order {
    static constexpr Limbs<4> kModulus =
        limbs_of_hex<4>("ffffffff00000000 ffffffffffffffff bce6faada7179e84 f3b9cac2fc632551");
  };
  static constexpr auto kOrderBytes = big_endian_bytes(Order::kModulus);
  static constexpr Limbs<4> kB = limbs_of_hex<4>("5ac635d8aa3a93e7 b3ebbd55769886bc 651d06b0cc53b0f6 3bce3c3e27d2604b");
  static constexpr Limbs<4> kGeneratorX =
      limbs_of_hex<4>("6b17d1f2e12c4247 f8bce6e563a440f2 77037d812deb33a0 f4a13945d898c296");
  static constexpr Limbs<4> kGeneratorY =
      limbs_of_hex<4>("4fe342e2fe1a7f9b 8ee7eb4a7c0f9e16 2bce33576b315ece cbb6406837bf51f5");
};

struct P384 {
  static constexpr std::string_view kName = "P-384";
  static constexpr size_t kLimbs = 6;
  struct Prime {
    static constexpr Limbs<6> kModulus = limbs_of_hex<6>(
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff fffffffffffffffe ffffffff00000000 00000000ffffffff");
  };
  struct Order {
    static constexpr Limbs<6> kModulus = limbs_of_hex<6>(
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff c7634d81f4372ddf 581a0db248b0a77a ecec196accc52973");
  };
  static constexpr auto kOrderBytes = big_endian_bytes(Order::kModulus);
  static constexpr Limbs<6> kB = limbs_of_hex<6>(
      "b3312fa7e23ee7e4 988e056be3f82d19 181d9c6efe814112 0314088f5013875a c656398d8a2ed19d 2a85c8edd3ec2aef");
  static constexpr Limbs<6> kGeneratorX = limbs_of_hex<6>(
      "aa87ca22be8b0537 8eb1c71ef320ad74 6e1d3b628ba79b98 59f741e082542a38 5502f25dbf55296c 3a545e3872760ab7");
  static constexpr Limbs<6> kGeneratorY = limbs_of_hex<6>(
      "3617de4a96262c6f 5d9e98bf9292dc29 f8f41dbd289a147c e9da3113b5f0b8c0 0a60b1ce1d7e819d 7a431d7c90ea0e5f");
};

}  // namespace quoll::crypto
