// ECDSA's wrapping: the digest as an integer, RFC 6979's nonces, and DER.
#include "crypto/ecdsa.h"

#include <algorithm>

#include "crypto/der.h"
#include "crypto/failure.h"
#include "crypto/hmac.h"

namespace quoll::crypto {
namespace {

using Scalar = std::array<uint8_t, kEcdsaScalarSizeMax>;

/// RFC 6979 §2.3.2 bits2int: the leftmost bits of the digest, as an integer of `size` bytes. Both curves' orders have a
/// whole number of bytes, so this takes bytes.
void bits_to_integer(MutBytes out, Bytes digest) {
  const size_t taken = std::min(out.size(), digest.size());
  std::fill(out.begin(), out.end() - taken, uint8_t{0});
  copy_bytes(out.data() + (out.size() - taken), digest.first(taken));
}

/// out = value mod order, for a value below twice the order. Constant-time, though a digest is public.
void reduce(MutBytes out, Bytes value, Bytes order) {
  Scalar difference;
  uint32_t borrow = 0;
  for (size_t i = value.size(); i-- > 0;) {
    const uint32_t byte = uint32_t{value[i]} - order[i] - borrow;
    difference[i] = static_cast<uint8_t>(byte);
    borrow = byte >> 31;
  }
  const auto keep = static_cast<uint8_t>(ct::mask_nonzero(borrow));
  for (size_t i = 0; i < value.size(); i++) out[i] = static_cast<uint8_t>((value[i] & keep) | (difference[i] & ~keep));
}

/// RFC 6979 §3.2: the sequence of nonces of one private key and one digest. It may be asked again, should a nonce not
/// do.
class NonceGenerator {
 public:
  /// `digest` is bits2octets' result.
  NonceGenerator(const HashAlgorithm& hash, Bytes private_key, Bytes digest)
      : hash_(hash), hmac_(hash, zeros(hash)), v_(hash.digest_size) {
    std::fill_n(v_.data(), v_.size(), uint8_t{1});
    for (const uint8_t step : {uint8_t{0}, uint8_t{1}}) {  // steps d to g
      rekey(step, private_key, digest);
      advance();
    }
  }

  /// Step h: candidates for k of out.size() bytes, which the caller tests for their range.
  void next(MutBytes out) {
    if (used_) {
      rekey(0, {}, {});
      advance();
    }
    used_ = true;
    for (size_t filled = 0; filled < out.size();) {
      advance();
      const size_t taken = std::min(v_.size(), out.size() - filled);
      copy_bytes(out.data() + filled, v_.bytes().first(taken));
      filled += taken;
    }
  }

 private:
  static Bytes zeros(const HashAlgorithm& hash) {
    static constexpr uint8_t bytes[kDigestSizeMax] = {};
    return Bytes(bytes).first(hash.digest_size);
  }

  /// K = HMAC_K(V || step || private key || digest).
  void rekey(uint8_t step, Bytes private_key, Bytes digest) {
    Hmac message = hmac_;
    const Digest key = message.update(v_).update(Bytes(&step, 1)).update(private_key).update(digest).digest();
    hmac_ = Hmac(hash_, key);
  }

  /// V = HMAC_K(V).
  void advance() {
    Hmac message = hmac_;
    v_ = message.update(v_).digest();
  }

  const HashAlgorithm& hash_;
  Hmac hmac_;  // keyed with K
  Digest v_;
  bool used_ = false;
};

/// r and s of a canonical ECDSA-Sig-Value; false when it is none, or one of them is longer than the order.
bool parse_signature(const Ecdsa& ecdsa, Bytes signature, MutBytes r_and_s) {
  DerReader reader(signature);
  DerReader sequence = reader.enter(DerTag::sequence);
  const std::optional<Bytes> r = sequence.read_unsigned_integer();
  const std::optional<Bytes> s = sequence.read_unsigned_integer();
  if (!reader.finished() || !sequence.finished()) return false;
  if (r->size() > ecdsa.scalar_size || s->size() > ecdsa.scalar_size) return false;
  std::fill(r_and_s.begin(), r_and_s.end(), uint8_t{0});
  copy_bytes(r_and_s.data() + (ecdsa.scalar_size - r->size()), *r);
  copy_bytes(r_and_s.data() + (2 * ecdsa.scalar_size - s->size()), *s);
  return true;
}

/// 0 < value < order; public data.
bool in_range(Bytes value, Bytes order) {
  const bool zero = std::all_of(value.begin(), value.end(), [](uint8_t byte) { return byte == 0; });
  return !zero && std::lexicographical_compare(value.begin(), value.end(), order.begin(), order.end());
}

}  // namespace

Result<size_t> ecdsa_sign(const Ecdsa& ecdsa, const HashAlgorithm& hash, Bytes private_key, Bytes digest,
                          MutBytes signature) {
  // A few nonces out of range are nearly impossible already; a private key out of range fails with all of them.
  constexpr int kAttemptsMax = 8;
  const size_t size = ecdsa.scalar_size;
  if (private_key.size() != size) return refuse(Failure::length, "ECDSA private key of a wrong size");
  if (digest.size() > kDigestSizeMax) return refuse(Failure::length, "digest longer than any hash's");
  if (signature.size() < kEcdsaSignatureSizeMax) return refuse(Failure::length, "no room for an ECDSA signature");

  Scalar integer, octets, nonce;
  bits_to_integer(MutBytes(integer).first(size), digest);
  reduce(MutBytes(octets).first(size), Bytes(integer).first(size), ecdsa.order);
  NonceGenerator nonces(hash, private_key, Bytes(octets).first(size));

  std::array<uint8_t, 2 * kEcdsaScalarSizeMax> r_and_s;
  bool done = false;
  for (int attempt = 0; attempt < kAttemptsMax && !done; attempt++) {
    nonces.next(MutBytes(nonce).first(size));
    done = ecdsa.sign(private_key.data(), nonce.data(), integer.data(), r_and_s.data());
  }
  ct::wipe(nonce);
  if (!done) return refuse(Failure::weak_key, "ECDSA private key out of range");

  ct::declassify(r_and_s.data(), 2 * size);
  DerWriter writer(signature);
  const size_t sequence = writer.open(DerTag::sequence);
  writer.write_unsigned_integer(Bytes(r_and_s).first(size));
  writer.write_unsigned_integer(Bytes(r_and_s).subspan(size, size));
  writer.close(sequence);
  return writer.finish()->size();
}

Result<void> ecdsa_verify(const Ecdsa& ecdsa, Bytes public_key, Bytes digest, Bytes signature) {
  const size_t size = ecdsa.scalar_size;
  if (public_key.size() != ecdsa.public_key_size) return refuse(Failure::point, "ECDSA public key of a wrong size");
  std::array<uint8_t, 2 * kEcdsaScalarSizeMax> r_and_s;
  if (!parse_signature(ecdsa, signature, MutBytes(r_and_s).first(2 * size))) {
    return refuse(Failure::malformed, "ECDSA signature is not canonical DER");
  }
  if (!in_range(Bytes(r_and_s).first(size), ecdsa.order) ||
      !in_range(Bytes(r_and_s).subspan(size, size), ecdsa.order)) {
    return refuse(Failure::malformed, "ECDSA signature out of range");
  }
  Scalar integer;
  bits_to_integer(MutBytes(integer).first(size), digest);
  if (!ecdsa.verify(public_key.data(), integer.data(), r_and_s.data())) {
    if (!ecdsa.is_public_key(public_key.data())) return refuse(Failure::point, "ECDSA public key is not on the curve");
    return refuse(Failure::authentication, "ECDSA signature does not verify");
  }
  return {};
}

}  // namespace quoll::crypto
