#include "crypto/montgomery.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/bignum.h"
#include "crypto/ct.h"
#include "crypto/rsa.h"

namespace quoll::crypto {

void MontgomeryModulus::prepare(const Rsa& rsa) {
  QUOLL_CHECK(limbs != 0 && limbs % kLimbsStep == 0 && limbs <= kModulusLimbsMax);
  bits = bignum::public_bit_length({value, limbs});
  n0 = bignum::negative_inverse(value[0]);

  // R mod m: 2^(bits - 1) is below m, and one doubling for each bit from there to R.
  std::fill_n(one, limbs, 0);
  one[(bits - 1) / 64] = uint64_t{1} << ((bits - 1) % 64);
  for (size_t bit = bits - 1; bit < 64 * limbs; bit++) bignum::double_mod(one, value, limbs);

  // R^2 mod m: R * 2^(limbs / 8), whose Montgomery square is R * 2^(2 * limbs / 8), and so on up to R * 2^(512 * limbs
  // / 8).
  std::copy_n(one, limbs, square);
  for (size_t i = 0; i < limbs / kLimbsStep; i++) bignum::double_mod(square, value, limbs);
  static_assert(64 * kLimbsStep == 512);
  for (int i = 0; i < 9; i++) rsa.montgomery_square(square, square, *this);
}

}  // namespace quoll::crypto
