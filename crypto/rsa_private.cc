// RSA private keys: their checks, and the private operation by the Chinese remainder theorem (RFC 8017 §5.1.2, §5.2.1).
//
// Constant-time in all but sizes. Three safeguards stand around the exponentiations:
//   - Base blinding. The key holds a pair (A, B = A^-d mod n): m^d = (m A)^d B. The pair is squared after each use and
//   drawn
//     anew after kBlindingUses. B comes from a random A by one private operation with the exponents p - 1 - dP and
//     q - 1 - dQ, so there is no inversion.
//   - The result goes through the public operation and leaves only when that gives the message back: a fault in one
//     half would otherwise reveal a factor of n (Boneh, DeMillo, Lipton, "On the importance of checking cryptographic
//     protocols for faults", 1997).
//   - Everything secret is wiped.
#include <algorithm>
#include <array>
#include <mutex>

#include "crypto/bignum.h"
#include "crypto/ct.h"
#include "crypto/der.h"
#include "crypto/failure.h"
#include "crypto/rsa_encoding.h"
#include "crypto/rsa_parts.h"

namespace quoll::crypto {
namespace {

constexpr int kBlindingUses = 64;

using HalfNumber = uint64_t[kHalfLimbsMax];
using Number = uint64_t[kModulusLimbsMax];

/// A number that is wiped when it goes out of scope.
struct SecretNumber {
  SecretNumber() = default;
  ~SecretNumber() { ct::wipe(limbs); }
  SecretNumber(const SecretNumber&) = delete;
  SecretNumber& operator=(const SecretNumber&) = delete;

  operator uint64_t*() { return limbs; }
  std::span<uint64_t> first(size_t count) { return std::span(limbs).first(count); }

  Number limbs = {};
};

/// What CRT needs of one prime.
struct Prime {
  Prime() = default;
  ~Prime() { ct::wipe(modulus), ct::wipe(exponent); }
  Prime(const Prime&) = delete;
  Prime& operator=(const Prime&) = delete;

  MontgomeryModulus modulus;
  HalfNumber exponent = {};  // d mod (prime - 1)
};

/// r = prime - 1; the prime is odd.
void minus_one(uint64_t* r, const Prime& prime) {
  std::copy_n(prime.modulus.value, prime.modulus.limbs, r);
  r[0] ^= 1;
}

/// All ones when the prime's exponent is the inverse of e mod prime - 1, and what d is mod prime - 1.
uint64_t exponent_fits(const Prime& prime, uint64_t e, std::span<const uint64_t> d) {
  const size_t limbs = prime.modulus.limbs;
  SecretNumber order, wide, remainder;
  minus_one(order, prime);
  uint64_t carry = 0;
  for (size_t i = 0; i < limbs; i++) {
    const bignum::Wide product = bignum::Multiplier::multiply_add(prime.exponent[i], e, carry, 0);
    wide[i] = product.low;
    carry = product.high;
  }
  wide[limbs] = carry;
  bignum::reduce(remainder, wide.first(limbs + 1), order, limbs);
  uint64_t fits = bignum::less(prime.exponent, order, limbs) & bignum::equals_small(remainder, 1, limbs);
  bignum::reduce(remainder, d, order, limbs);
  return fits & bignum::equal(remainder, prime.exponent, limbs);
}

std::unexpected<Error> refuse_components() {
  return refuse(Failure::weak_key, "the components of an RSA private key do not belong together");
}

}  // namespace

struct RsaPrivateKey::Parts {
  explicit Parts(RsaPublicKey key) : public_key(std::move(key)) {}
  ~Parts() { ct::wipe(coefficient), ct::wipe(blinding), ct::wipe(unblinding); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  const RsaPublicKey::Parts& open() const { return *public_key.parts_; }
  const Rsa& rsa() const { return *open().rsa; }

  /// Takes the components in and says whether they belong together.
  bool load(const Components& components);

  /// r = base^x mod n, where x is `exponent_p` mod p - 1 and `exponent_q` mod q - 1.
  void power(uint64_t* r, const uint64_t* base, const uint64_t* exponent_p, const uint64_t* exponent_q) const;

  /// The pair for one private operation, in Montgomery form mod n.
  void take_blinding(Rng& rng, uint64_t* factor, uint64_t* inverse) const;
  void renew_blinding(Rng& rng) const;

  /// RSASP1 of an encoded message below n into `signature`, both of modulus_size() bytes.
  Result<void> sign(Rng& rng, Bytes message, MutBytes signature) const;

  RsaPublicKey public_key;
  Prime p, q;
  HalfNumber coefficient = {};  // q^-1 mod p, in Montgomery form

  // The blinding pair is all that changes in a key: the lock makes signing safe for several threads.
  mutable std::mutex lock;
  mutable int blinding_uses_left = 0;
  mutable Number blinding = {};    // A
  mutable Number unblinding = {};  // A^-d
};

bool RsaPrivateKey::Parts::load(const Components& components) {
  const MontgomeryModulus& n = open().modulus;
  const Bytes prime1 = without_leading_zero(components.prime1), prime2 = without_leading_zero(components.prime2);
  const Bytes exponent1 = without_leading_zero(components.exponent1);
  const Bytes exponent2 = without_leading_zero(components.exponent2);
  const Bytes inverse = without_leading_zero(components.coefficient);
  const Bytes d_bytes = without_leading_zero(components.private_exponent);

  const size_t size = std::max(prime1.size(), prime2.size());
  const size_t limbs = (size + 8 * kLimbsStep - 1) / (8 * kLimbsStep) * kLimbsStep;
  if (size == 0 || limbs > kHalfLimbsMax || exponent1.size() > size || exponent2.size() > size ||
      inverse.size() > size || d_bytes.size() > open().modulus_size()) {
    return false;
  }
  SecretNumber d, raw_coefficient, product, zero;
  p.modulus.limbs = q.modulus.limbs = limbs;
  bignum::from_bytes({p.modulus.value, limbs}, prime1);
  bignum::from_bytes({q.modulus.value, limbs}, prime2);
  bignum::from_bytes({p.exponent, limbs}, exponent1);
  bignum::from_bytes({q.exponent, limbs}, exponent2);
  bignum::from_bytes(raw_coefficient.first(limbs), inverse);
  bignum::from_bytes(d.first(n.limbs), d_bytes);

  // Odd, of the same length (or one bit apart, which a modulus of odd length wants), and n's factors.
  bignum::multiply_add(product, p.modulus.value, q.modulus.value, zero, limbs);
  uint64_t fits =
      bignum::equal(product, n.value, kModulusLimbsMax) & (0 - (p.modulus.value[0] & q.modulus.value[0] & 1));
  if (ct::declassified(fits) == 0) return false;
  const size_t p_bits = bignum::public_bit_length({p.modulus.value, limbs});
  const size_t q_bits = bignum::public_bit_length({q.modulus.value, limbs});
  if (std::max(p_bits, q_bits) - std::min(p_bits, q_bits) > 1) return false;
  p.modulus.prepare(rsa());
  q.modulus.prepare(rsa());

  fits = bignum::less(d, n.value, n.limbs);
  fits &= exponent_fits(p, open().exponent, d.first(n.limbs));
  fits &= exponent_fits(q, open().exponent, d.first(n.limbs));
  fits &= bignum::less(raw_coefficient, p.modulus.value, limbs);
  rsa().montgomery_multiply(coefficient, raw_coefficient, p.modulus.square, p.modulus);
  rsa().montgomery_multiply(product, q.modulus.value, coefficient, p.modulus);
  fits &= bignum::equals_small(product, 1, limbs);
  return ct::declassified(fits) != 0;
}

void RsaPrivateKey::Parts::power(uint64_t* r, const uint64_t* base, const uint64_t* exponent_p,
                                 const uint64_t* exponent_q) const {
  const size_t limbs = p.modulus.limbs;
  SecretNumber padded, base_p, base_q, power_p, power_q, high;
  std::copy_n(base, open().modulus.limbs, padded.limbs);

  // base = low + high R < p R, so base mod p is low + high R, from the Montgomery products low R / R and high R^2 / R.
  const auto reduce = [&](uint64_t* reduced, const MontgomeryModulus& prime) {
    rsa().montgomery_multiply(reduced, padded, prime.one, prime);
    rsa().montgomery_multiply(high, padded + limbs, prime.square, prime);
    const uint64_t carry = bignum::add(reduced, reduced, high, limbs);
    const uint64_t mask = (0 - carry) | ~bignum::less(reduced, prime.value, limbs);
    bignum::subtract_masked(mask, reduced, prime.value, limbs);
  };
  reduce(base_p, p.modulus);
  reduce(base_q, q.modulus);

  rsa().exponentiate({{power_p, base_p, exponent_p, &p.modulus}, {power_q, base_q, exponent_q, &q.modulus}});

  // RFC 8017 §5.1.2 step 2b: h = (m1 - m2) qInv mod p, m = m2 + q h. Montgomery products take m2 above p as well.
  uint64_t* const h = power_p;
  rsa().montgomery_multiply(h, power_p, coefficient, p.modulus);
  rsa().montgomery_multiply(high, power_q, coefficient, p.modulus);
  bignum::subtract_mod(h, h, high, p.modulus.value, limbs);
  bignum::multiply_add(padded, h, q.modulus.value, power_q, limbs);
  std::copy_n(padded.limbs, open().modulus.limbs, r);
}

void RsaPrivateKey::Parts::renew_blinding(Rng& rng) const {
  const MontgomeryModulus& n = open().modulus;
  SecretNumber drawn, factor, inverse_exponent_p, inverse_exponent_q;
  rng.fill({reinterpret_cast<uint8_t*>(drawn.limbs), 8 * n.limbs});
  // Any limbs at all give a residue; it has no inverse with a probability of about 2^(1 - n.bits / 2), and then the
  // check of the result refuses.
  rsa().montgomery_multiply(blinding, drawn, n.square, n);
  rsa().montgomery_multiply(factor, drawn, n.one, n);
  minus_one(inverse_exponent_p, p);
  minus_one(inverse_exponent_q, q);
  bignum::subtract(inverse_exponent_p, inverse_exponent_p, p.exponent, p.modulus.limbs);
  bignum::subtract(inverse_exponent_q, inverse_exponent_q, q.exponent, q.modulus.limbs);
  power(factor, factor, inverse_exponent_p, inverse_exponent_q);
  rsa().montgomery_multiply(unblinding, factor, n.square, n);
  blinding_uses_left = kBlindingUses;
}

void RsaPrivateKey::Parts::take_blinding(Rng& rng, uint64_t* factor, uint64_t* inverse) const {
  const MontgomeryModulus& n = open().modulus;
  const std::lock_guard guard(lock);
  if (blinding_uses_left == 0) {
    renew_blinding(rng);
  } else {
    rsa().montgomery_square(blinding, blinding, n);
    rsa().montgomery_square(unblinding, unblinding, n);
  }
  blinding_uses_left--;
  std::copy_n(blinding, n.limbs, factor);
  std::copy_n(unblinding, n.limbs, inverse);
}

Result<void> RsaPrivateKey::Parts::sign(Rng& rng, Bytes message, MutBytes signature) const {
  const MontgomeryModulus& n = open().modulus;
  SecretNumber number, factor, inverse, result, check;
  take_blinding(rng, factor, inverse);
  bignum::from_bytes(number.first(n.limbs), message);
  rsa().montgomery_multiply(result, number, factor, n);
  power(result, result, p.exponent, q.exponent);
  rsa().montgomery_multiply(result, result, inverse, n);

  open().power(check, result);
  if (ct::declassified(bignum::equal(check, number, n.limbs)) == 0) {
    return refuse(Failure::authentication, "an RSA signature failed its check: the hardware erred");
  }
  bignum::to_bytes(signature, result.first(n.limbs));
  ct::declassify(signature.data(), signature.size());
  return {};
}

Result<RsaPrivateKey> RsaPrivateKey::create(const Rsa& rsa, const Components& components) {
  auto public_key = RsaPublicKey::create(rsa, components.modulus, components.public_exponent);
  if (!public_key) return std::unexpected(public_key.error());
  auto parts = std::make_unique<Parts>(std::move(*public_key));
  if (!parts->load(components)) return refuse_components();
  return RsaPrivateKey(std::move(parts));
}

Result<RsaPrivateKey> RsaPrivateKey::parse(const Rsa& rsa, Bytes der) {
  DerReader reader(der);
  DerReader sequence = reader.enter(DerTag::sequence);
  // Version 0: two primes. Keys of more primes (version 1) go on after the coefficient.
  const bool two_primes = sequence.read_small_integer() == uint64_t{0};
  std::array<Bytes, 8> integers;
  for (Bytes& integer : integers) integer = sequence.read_unsigned_integer().value_or(Bytes{});
  if (!reader.finished() || !sequence.finished() || !two_primes) {
    return refuse(Failure::malformed, "not an RSAPrivateKey of two primes");
  }
  const auto& [modulus, public_exponent, private_exponent, prime1, prime2, exponent1, exponent2, coefficient] =
      integers;
  return create(rsa, {.modulus = modulus,
                      .public_exponent = public_exponent,
                      .private_exponent = private_exponent,
                      .prime1 = prime1,
                      .prime2 = prime2,
                      .exponent1 = exponent1,
                      .exponent2 = exponent2,
                      .coefficient = coefficient});
}

RsaPrivateKey::RsaPrivateKey(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RsaPrivateKey::RsaPrivateKey(RsaPrivateKey&&) noexcept = default;
RsaPrivateKey& RsaPrivateKey::operator=(RsaPrivateKey&&) noexcept = default;
RsaPrivateKey::~RsaPrivateKey() = default;

const RsaPublicKey& RsaPrivateKey::public_key() const { return parts_->public_key; }

Result<void> RsaPrivateKey::sign_pss(const HashAlgorithm& hash, Rng& rng, Bytes digest, MutBytes signature) const {
  const size_t size = parts_->open().modulus_size();
  if (signature.size() != size) return refuse(Failure::length, "an RSA signature is as long as the modulus");
  std::array<uint8_t, kDigestSizeMax> salt_memory;
  const MutBytes salt = MutBytes(salt_memory).first(hash.digest_size);
  rng.fill(salt);
  ct::declassify(salt.data(), salt.size());

  // RFC 8017 §8.1.1 step 1: modBits - 1 bits, which may be a byte less than the modulus has.
  std::array<uint8_t, kRsaModulusSizeMax> memory{};
  const size_t em_bits = parts_->open().modulus.bits - 1;
  const size_t em_size = (em_bits + 7) / 8;
  const MutBytes message = MutBytes(memory).first(size);
  if (auto encoded = encode_pss(hash, digest, salt, em_bits, message.last(em_size)); !encoded) return encoded;
  return parts_->sign(rng, message, signature);
}

Result<void> RsaPrivateKey::sign_pkcs1(const HashAlgorithm& hash, Rng& rng, Bytes digest, MutBytes signature) const {
  const size_t size = parts_->open().modulus_size();
  if (signature.size() != size) return refuse(Failure::length, "an RSA signature is as long as the modulus");
  std::array<uint8_t, kRsaModulusSizeMax> memory;
  const MutBytes message = MutBytes(memory).first(size);
  if (auto encoded = encode_pkcs1(hash, digest, message); !encoded) return encoded;
  return parts_->sign(rng, message, signature);
}

}  // namespace quoll::crypto
