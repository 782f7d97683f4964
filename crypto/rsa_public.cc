// RSA public keys: their checks, the public operation (RFC 8017 §5.2.2) and the two ways to verify.
#include <algorithm>
#include <array>
#include <bit>

#include "crypto/bignum.h"
#include "crypto/ct.h"
#include "crypto/failure.h"
#include "crypto/rsa_encoding.h"
#include "crypto/rsa_parts.h"

namespace quoll::crypto {
namespace {

constexpr size_t kExponentBitsMax = 33;

std::unexpected<Error> refuse_signature() {
  return refuse(Failure::authentication, "an RSA signature does not verify");
}

}  // namespace

Bytes without_leading_zero(Bytes integer) {
  return !integer.empty() && ct::declassified(integer[0]) == 0 ? integer.subspan(1) : integer;
}

void RsaPublicKey::Parts::power(uint64_t* r, const uint64_t* base) const {
  // Left to right over the bits of the exponent, which is public. The exponent is odd, so the last step is a
  // multiplication: by the base in its ordinary form, which leaves the Montgomery form at the same time.
  uint64_t montgomery_base[kModulusLimbsMax];
  uint64_t result[kModulusLimbsMax];
  rsa->montgomery_multiply(montgomery_base, base, modulus.square, modulus);
  std::copy_n(montgomery_base, modulus.limbs, result);
  for (uint64_t bit = std::bit_floor(exponent) >> 1; bit > 1; bit >>= 1) {
    rsa->montgomery_square(result, result, modulus);
    if ((exponent & bit) != 0) rsa->montgomery_multiply(result, result, montgomery_base, modulus);
  }
  rsa->montgomery_square(result, result, modulus);
  rsa->montgomery_multiply(r, base, result, modulus);
  ct::wipe(montgomery_base);
  ct::wipe(result);
}

bool RsaPublicKey::Parts::recover(Bytes signature, MutBytes message) const {
  if (signature.size() != modulus_size()) return false;
  uint64_t number[kModulusLimbsMax];
  bignum::from_bytes({number, modulus.limbs}, signature);
  if (bignum::less(number, modulus.value, modulus.limbs) == 0) return false;
  power(number, number);
  bignum::to_bytes(message, {number, modulus.limbs});
  return true;
}

Result<RsaPublicKey> RsaPublicKey::create(const Rsa& rsa, Bytes modulus, Bytes exponent) {
  modulus = without_leading_zero(modulus);
  exponent = without_leading_zero(exponent);
  if (modulus.empty() || modulus[0] == 0 || exponent.empty() || exponent[0] == 0) {
    return refuse(Failure::malformed, "an RSA integer is empty, zero or has superfluous zeros");
  }
  const size_t bits = 8 * (modulus.size() - 1) + std::bit_width(modulus[0]);
  if (bits < kRsaModulusBitsMin || bits > kRsaModulusBitsMax || (modulus.back() & 1) == 0) {
    return refuse(Failure::weak_key, "an RSA modulus is not odd and of 2048 to 4096 bits");
  }
  uint64_t exponent_value = 0;
  if (exponent.size() <= 8) bignum::from_bytes({&exponent_value, 1}, exponent);
  if (exponent_value < 3 || exponent_value % 2 == 0 || std::bit_width(exponent_value) > kExponentBitsMax) {
    return refuse(Failure::weak_key, "an RSA public exponent is not odd, above 1 and of at most 33 bits");
  }

  auto parts = std::make_unique<Parts>();
  parts->rsa = &rsa;
  parts->exponent = exponent_value;
  parts->modulus.limbs = (modulus.size() + 8 * kLimbsStep - 1) / (8 * kLimbsStep) * kLimbsStep;
  bignum::from_bytes({parts->modulus.value, parts->modulus.limbs}, modulus);
  parts->modulus.prepare(rsa);
  return RsaPublicKey(std::move(parts));
}

RsaPublicKey::RsaPublicKey(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RsaPublicKey::RsaPublicKey(RsaPublicKey&&) noexcept = default;
RsaPublicKey& RsaPublicKey::operator=(RsaPublicKey&&) noexcept = default;
RsaPublicKey::~RsaPublicKey() = default;

size_t RsaPublicKey::modulus_size() const { return parts_->modulus_size(); }
size_t RsaPublicKey::modulus_bits() const { return parts_->modulus.bits; }

Result<void> RsaPublicKey::verify_pkcs1(const HashAlgorithm& hash, Bytes digest, Bytes signature) const {
  std::array<uint8_t, kRsaModulusSizeMax> recovered_memory, expected_memory;
  const MutBytes recovered = MutBytes(recovered_memory).first(modulus_size());
  const MutBytes expected = MutBytes(expected_memory).first(modulus_size());
  if (!parts_->recover(signature, recovered)) return refuse_signature();
  if (!encode_pkcs1(hash, digest, expected) || !ct::equal(recovered, expected)) return refuse_signature();
  return {};
}

Result<void> RsaPublicKey::verify_pss(const HashAlgorithm& hash, Bytes digest, Bytes signature) const {
  std::array<uint8_t, kRsaModulusSizeMax> memory;
  const MutBytes recovered = MutBytes(memory).first(modulus_size());
  if (!parts_->recover(signature, recovered)) return refuse_signature();
  // RFC 8017 §8.1.2 step 2c: the encoding is one byte shorter than the modulus when modBits - 1 is a multiple of 8, and
  // then the byte that it leaves over is zero.
  const size_t em_bits = modulus_bits() - 1;
  const size_t left_over = modulus_size() - (em_bits + 7) / 8;
  if (left_over != 0 && recovered[0] != 0) return refuse_signature();
  if (!verify_pss_encoding(hash, digest, em_bits, recovered.subspan(left_over))) return refuse_signature();
  return {};
}

}  // namespace quoll::crypto
