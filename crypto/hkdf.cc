#include "crypto/hkdf.h"

#include <algorithm>

#include "crypto/failure.h"
#include "crypto/hmac.h"

namespace quoll::crypto {

Digest hkdf_extract(const HashAlgorithm& algorithm, Bytes salt, Bytes input_keying_material) {
  // HMAC fills an empty key up with zeros, which makes it the same key as digest_size zeros.
  return hmac(algorithm, salt, input_keying_material);
}

Result<void> hkdf_expand(const HashAlgorithm& algorithm, Bytes pseudorandom_key, Bytes info, MutBytes out) {
  // RFC 5869 §2.3: T(n) = HMAC(key, T(n - 1) | info | n), with the counter in one byte.
  if (out.size() > 255 * algorithm.digest_size) return refuse(Failure::length, "HKDF output too long");
  const Hmac keyed(algorithm, pseudorandom_key);
  Digest previous;
  for (uint8_t counter = 1; !out.empty(); counter++) {
    Hmac step = keyed;
    previous = step.update(previous).update(info).update({&counter, 1}).digest();
    const Bytes piece = previous.bytes().first(std::min(out.size(), previous.size()));
    copy_bytes(out.data(), piece);
    out = out.subspan(piece.size());
  }
  return {};
}

Result<void> hkdf_expand_label(const HashAlgorithm& algorithm, Bytes secret, std::string_view label, Bytes context,
                               MutBytes out) {
  // RFC 8446 §7.1: uint16 length; opaque label<7..255> = "tls13 " + Label; opaque context<0..255>.
  constexpr std::string_view kPrefix = "tls13 ";
  constexpr size_t kVectorMax = 255;
  if (label.size() > kVectorMax - kPrefix.size()) return refuse(Failure::length, "HKDF label too long");
  if (context.size() > kVectorMax) return refuse(Failure::length, "HKDF context too long");
  if (out.size() > 0xffff) return refuse(Failure::length, "HKDF output too long");

  std::array<uint8_t, 2 + 1 + kVectorMax + 1 + kVectorMax> info;
  uint8_t* end = info.data();
  const auto append = [&end](Bytes bytes) {
    copy_bytes(end, bytes);
    end += bytes.size();
  };
  store_be(end, static_cast<uint16_t>(out.size()));
  end += 2;
  *end++ = static_cast<uint8_t>(kPrefix.size() + label.size());
  append(as_bytes(kPrefix));
  append(as_bytes(label));
  *end++ = static_cast<uint8_t>(context.size());
  append(context);
  return hkdf_expand(algorithm, secret, Bytes(info.data(), end), out);
}

}  // namespace quoll::crypto
