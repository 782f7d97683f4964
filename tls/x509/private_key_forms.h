// The three forms that private keys come in, taken apart: PKCS#8 (RFC 5208 §5, RFC 5958 §2), ECPrivateKey (RFC 5915 §3)
// and RSAPrivateKey (RFC 8017 appendix A.1.2). Structure alone; whether the numbers are a key is the caller's to test.
// Internal to tls/x509/private_key.cc.
#pragma once

#include <array>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "tls/x509/public_key.h"

namespace quoll::x509 {

/// ECDSA or Ed25519. Views into the input.
struct CurveForm {
  KeyType type;
  Bytes scalar;
  std::array<std::optional<Bytes>, 2> public_keys;  // of the inner and of the outer structure; the private key's own?
};

struct RsaForm {
  KeyType type;
  Bytes algorithm;                             // AlgorithmIdentifier of the key, whole element
  Bytes private_key;                           // RSAPrivateKey, whole element
  std::optional<Bytes> public_key;             // RSAPublicKey that must be the private key's own
  std::optional<SignatureAlgorithm> pss_only;  // what the parameters of a PSS key restrict it to
};

using PrivateKeyForm = std::variant<CurveForm, RsaForm>;

[[nodiscard]] Result<PrivateKeyForm> parse_private_key_form(Bytes der);

}  // namespace quoll::x509
