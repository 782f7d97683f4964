// Ed25519 (RFC 8032 §5.1.5 to §5.1.7) over a field of edwards25519.h: keys, signatures, strict verification.
//
// public_key and sign are constant-time in the seed; verify takes public data and variable time. crypto/ed25519.h says
// what is accepted.
#pragma once

#include <cstdint>
#include <cstring>

#include "crypto/hash.h"
#include "crypto/portable/edwards25519.h"

namespace quoll::crypto {

template <class F>
struct Ed25519Code {
  static void public_key(const HashAlgorithm& sha512, const uint8_t* seed, uint8_t* public_key) {
    const Expanded key(sha512, seed);
    encode_base_multiple(public_key, key.scalar());
  }

  static void sign(const HashAlgorithm& sha512, const uint8_t* seed, const uint8_t* public_key, Bytes message,
                   uint8_t* signature) {
    const Expanded key(sha512, seed);
    Secret<64> digest;
    Secret<32> nonce;
    Hash(sha512).update(key.prefix()).update(message).digest_into(digest.data());
    Scalar25519::reduce(nonce.data(), digest.data());
    uint8_t r[32], challenge[32];
    encode_base_multiple(r, nonce.data());
    ct::declassify(r, 32);
    compute_challenge(challenge, sha512, r, public_key, message);
    // S is public as well, once it is complete. `signature` may overlap nothing that is still to be read.
    Scalar25519::multiply_add(signature + 32, challenge, key.scalar(), nonce.data());
    std::memcpy(signature, r, 32);
    ct::declassify(signature, 64);
  }

  static bool verify(const HashAlgorithm& sha512, const uint8_t* public_key, Bytes message, const uint8_t* signature) {
    using Edwards = Edwards25519<F>;
    const uint8_t* s = signature + 32;
    typename Edwards::Point a;
    if (!is_reduced_scalar25519(s) || !Edwards::decode(a, public_key)) return false;
    uint8_t challenge[32];
    compute_challenge(challenge, sha512, signature, public_key, message);
    // R must be the encoding of s B - k A; comparing encodings refuses every R that is not canonical.
    uint8_t r[32];
    Edwards::encode(r, Edwards::multiply_public(challenge, Edwards::negated(a), s));
    return std::memcmp(r, signature, 32) == 0;
  }

 private:
  /// RFC 8032 §5.1.5: the digest of the seed, its first half made a scalar.
  class Expanded {
   public:
    Expanded(const HashAlgorithm& sha512, const uint8_t* seed) {
      Hash(sha512).update({seed, 32}).digest_into(digest_.data());
      digest_.data()[0] &= 0xf8;
      digest_.data()[31] = static_cast<uint8_t>((digest_.data()[31] & 0x7f) | 0x40);
    }
    const uint8_t* scalar() const { return digest_.data(); }
    Bytes prefix() const { return digest_.bytes().subspan(32); }

   private:
    Secret<64> digest_;
  };

  static void encode_base_multiple(uint8_t out[32], const uint8_t scalar[32]) {
    typename Edwards25519<F>::Point point = Edwards25519<F>::multiply_base(scalar);
    Edwards25519<F>::encode(out, point);
    ct::wipe(point);
  }

  /// SHA-512(R || A || M) modulo the order.
  static void compute_challenge(uint8_t out[32], const HashAlgorithm& sha512, const uint8_t* r,
                                const uint8_t* public_key, Bytes message) {
    uint8_t digest[64];
    Hash(sha512).update({r, 32}).update({public_key, 32}).update(message).digest_into(digest);
    Scalar25519::reduce(out, digest);
  }
};

}  // namespace quoll::crypto
