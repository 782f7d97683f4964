// What RSA key objects hold. Internal to crypto/rsa_*.cc.
#pragma once

#include <memory>

#include "crypto/ct.h"
#include "crypto/montgomery.h"
#include "crypto/rsa.h"

namespace quoll::crypto {

/// `integer` without the one leading zero that DER puts before a first byte of 0x80 and above.
Bytes without_leading_zero(Bytes integer);

struct RsaPublicKey::Parts {
  const Rsa* rsa = nullptr;
  uint64_t exponent = 0;
  MontgomeryModulus modulus;

  size_t modulus_size() const { return (modulus.bits + 7) / 8; }

  /// r = base^exponent mod modulus, for base below the modulus. Constant-time in the base: it may be a blinding factor.
  void power(uint64_t* r, const uint64_t* base) const;

  /// The message representative of a signature, in modulus_size() bytes; false when it is not a number below the
  /// modulus in exactly modulus_size() bytes (RFC 8017 §8.1.2 step 1, §5.2.2 step 1).
  bool recover(Bytes signature, MutBytes message) const;
};

}  // namespace quoll::crypto
