#include "crypto/rsa_encoding.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/failure.h"

namespace quoll::crypto {
namespace {

/// The DER encoding of DigestInfo up to the digest (RFC 8017 §9.2, note 1), which differs in three bytes between the
/// hashes of SHA-2: the lengths, and the last arc of the object identifier.
constexpr size_t kDigestInfoPrefixSize = 19;

std::array<uint8_t, kDigestInfoPrefixSize> digest_info_prefix(uint8_t arc, uint8_t digest_size) {
  return {0x30, static_cast<uint8_t>(kDigestInfoPrefixSize - 2 + digest_size),  // DigestInfo
          0x30, 0x0d,                                                           // AlgorithmIdentifier
          0x06, 0x09,
          0x60, 0x86,
          0x48, 0x01,
          0x65, 0x03,
          0x04, 0x02,
          arc,                 // 2.16.840.1.101.3.4.2.arc
          0x05, 0x00,          // NULL
          0x04, digest_size};  // OCTET STRING
}

/// The last arc of the hash's object identifier; 0 for hashes that are not used with RSA.
uint8_t sha2_arc(HashId id) {
  switch (id) {
    case HashId::sha256:
      return 1;
    case HashId::sha384:
      return 2;
    case HashId::sha512:
      return 3;
    case HashId::sha3_256:
    case HashId::sha3_512:
      return 0;
  }
  return 0;
}

/// XORs `out` with MGF1 of the seed (RFC 8017 appendix B.2.1).
void mask_with_mgf1(const HashAlgorithm& algorithm, Bytes seed, MutBytes out) {
  Hash seeded(algorithm);
  seeded.update(seed);
  for (uint32_t counter = 0; !out.empty(); counter++) {
    uint8_t counter_bytes[4];
    store_be(counter_bytes, counter);
    Hash block = seeded;
    const Digest mask = block.update(counter_bytes).digest();
    const size_t size = std::min(mask.size(), out.size());
    for (size_t i = 0; i < size; i++) out[i] ^= mask.data()[i];
    out = out.subspan(size);
  }
}

/// H of RFC 8017 §9.1: the hash of eight zero bytes, the message's digest and the salt.
Digest salted_digest(const HashAlgorithm& algorithm, Bytes digest, Bytes salt) {
  constexpr uint8_t zeros[8] = {};
  return Hash(algorithm).update(zeros).update(digest).update(salt).digest();
}

/// Where the parts of an EMSA-PSS encoding lie: DB, then H, then 0xbc.
struct PssLayout {
  size_t size;       // emLen
  size_t db_size;    // emLen - hLen - 1
  uint8_t top_mask;  // the bits of the first byte that em_bits covers

  PssLayout(size_t em_bits, size_t digest_size)
      : size((em_bits + 7) / 8),
        db_size(size - digest_size - 1),
        top_mask(static_cast<uint8_t>(0xff >> (8 * size - em_bits))) {}
};

/// RFC 8017 §9.1.1 step 3, with sLen = hLen.
bool pss_fits(const HashAlgorithm& hash, size_t em_bits, Bytes digest) {
  return sha2_arc(hash.id) != 0 && digest.size() == hash.digest_size && (em_bits + 7) / 8 >= 2 * hash.digest_size + 2;
}

}  // namespace

Result<void> encode_pkcs1(const HashAlgorithm& hash, Bytes digest, MutBytes encoded) {
  const uint8_t arc = sha2_arc(hash.id);
  const size_t info_size = kDigestInfoPrefixSize + digest.size();
  if (arc == 0) return refuse(Failure::length, "RSA signs SHA-256, SHA-384 or SHA-512");
  if (digest.size() != hash.digest_size) return refuse(Failure::length, "the digest is not of the hash's size");
  if (encoded.size() < info_size + 11) return refuse(Failure::length, "the RSA key is too small for the hash");

  // 0x00 0x01 0xff ... 0xff 0x00 DigestInfo
  const auto prefix = digest_info_prefix(arc, static_cast<uint8_t>(digest.size()));
  std::fill(encoded.begin(), encoded.end(), 0xff);
  encoded[0] = 0x00;
  encoded[1] = 0x01;
  const MutBytes info = encoded.last(info_size);
  encoded[encoded.size() - info_size - 1] = 0x00;
  copy_bytes(info.data(), prefix);
  copy_bytes(info.data() + prefix.size(), digest);
  return {};
}

Result<void> encode_pss(const HashAlgorithm& hash, Bytes digest, Bytes salt, size_t em_bits, MutBytes encoded) {
  if (!pss_fits(hash, em_bits, digest)) {
    return refuse(Failure::length, "the digest is not of the hash's size, or the RSA key is too small for the hash");
  }
  const PssLayout layout(em_bits, digest.size());
  QUOLL_CHECK(encoded.size() == layout.size && salt.size() == digest.size());

  const Digest h = salted_digest(hash, digest, salt);
  const MutBytes db = encoded.first(layout.db_size);
  std::fill(db.begin(), db.end(), 0);
  db[db.size() - salt.size() - 1] = 0x01;
  copy_bytes(db.last(salt.size()).data(), salt);
  mask_with_mgf1(hash, h, db);
  db[0] &= layout.top_mask;
  copy_bytes(encoded.data() + layout.db_size, h);
  encoded.back() = 0xbc;
  return {};
}

bool verify_pss_encoding(const HashAlgorithm& hash, Bytes digest, size_t em_bits, MutBytes encoded) {
  if (!pss_fits(hash, em_bits, digest)) return false;
  const PssLayout layout(em_bits, digest.size());
  QUOLL_CHECK(encoded.size() == layout.size);

  // The numbers are the steps of RFC 8017 §9.1.2.
  if (encoded.back() != 0xbc) return false;           // 4
  const MutBytes db = encoded.first(layout.db_size);  // 5
  const Bytes h = encoded.subspan(layout.db_size, digest.size());
  if ((db[0] & ~layout.top_mask) != 0) return false;  // 6
  mask_with_mgf1(hash, h, db);                        // 7, 8
  db[0] &= layout.top_mask;                           // 9
  const Bytes salt = db.last(digest.size());          // 11
  const Bytes padding = db.first(db.size() - salt.size() - 1);
  if (std::any_of(padding.begin(), padding.end(), [](uint8_t byte) { return byte != 0; })) return false;  // 10
  if (db[padding.size()] != 0x01) return false;
  return ct::equal(h, salted_digest(hash, digest, salt));  // 12 to 14
}

}  // namespace quoll::crypto
