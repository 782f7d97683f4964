#include "tls/x509/private_key_forms.h"

#include <algorithm>

#include "crypto/der.h"
#include "tls/x509/algorithm_identifier.h"
#include "tls/x509/failure.h"

namespace quoll::x509 {
namespace {

using crypto::der_context_tag;
using crypto::DerReader;
using crypto::DerTag;

constexpr uint64_t kEcVersion = 1;  // RFC 5915 §3: ecPrivkeyVer1

std::unexpected<Error> malformed() { return refuse(Failure::malformed, "not a private key that is well formed"); }

/// The first element within an element that is a SEQUENCE: an AlgorithmIdentifier's object identifier.
Bytes first_within(Bytes element) {
  return DerReader(element).enter(DerTag::sequence).read_element().value_or(Bytes());
}

/// The last element of a curve's AlgorithmIdentifier: the object identifier of the curve.
Bytes curve_of(KeyType type) {
  DerReader sequence = DerReader(key_algorithm_identifier(type)).enter(DerTag::sequence);
  (void)sequence.read_element();
  return sequence.read_element().value_or(Bytes());
}

std::optional<KeyType> curve_named(Bytes object_identifier) {
  for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384}) {
    if (std::ranges::equal(curve_of(type), object_identifier)) return type;
  }
  return std::nullopt;
}

/// The curve of a key that does not name one, which RFC 5915 §3 does not allow but some do: by the size of the public
/// key, which must be there, and which then proves it.
std::optional<KeyType> curve_guessed(std::optional<Bytes> public_key) {
  if (!public_key) return std::nullopt;
  switch (public_key->size()) {
    case 33:  // compressed
    case 65:
      return KeyType::ecdsa_p256;
    case 49:
    case 97:
      return KeyType::ecdsa_p384;
  }
  return std::nullopt;
}

/// ECPrivateKey. `outer` is the curve that PKCS#8 named, if it is within one.
Result<CurveForm> parse_ec(Bytes der, std::optional<KeyType> outer) {
  DerReader reader(der);
  DerReader sequence = reader.enter(DerTag::sequence);
  const std::optional<uint64_t> version = sequence.read_small_integer();
  const std::optional<Bytes> scalar = sequence.read(DerTag::octet_string);
  std::optional<Bytes> curve, public_key;
  if (sequence.next_is(der_context_tag(0, true))) {
    DerReader parameters = sequence.enter(der_context_tag(0, true));
    curve = parameters.read_element();
    if (!parameters.finished()) return malformed();
  }
  if (sequence.next_is(der_context_tag(1, true))) {
    DerReader tagged = sequence.enter(der_context_tag(1, true));
    public_key = tagged.read_bit_string_bytes();
    if (!tagged.finished()) return malformed();
  }
  if (!reader.finished() || !sequence.finished() || version != kEcVersion) return malformed();
  const std::optional<KeyType> named = curve ? curve_named(*curve) : outer ? outer : curve_guessed(public_key);
  if (!named) return refuse(Failure::unsupported, "an EC key on a curve that is neither P-256 nor P-384, or unnamed");
  if (outer && named != outer) return refuse(Failure::malformed, "an EC key that names two curves");
  return CurveForm{*named, *scalar, {public_key, std::nullopt}};
}

/// What the parameters of an id-RSASSA-PSS key allow; empty when there are none (RFC 4055 §3.1: no restriction).
Result<std::optional<SignatureAlgorithm>> pss_restriction(Bytes algorithm) {
  if (std::ranges::equal(algorithm, key_algorithm_identifier(KeyType::rsa_pss))) return std::nullopt;
  const Result<SignatureAlgorithm> only = parse_signature_algorithm(algorithm);
  if (!only) return std::unexpected(only.error());
  return *only;
}

/// OneAsymmetricKey after its version.
struct Pkcs8 {
  Bytes algorithm;    // whole element
  Bytes private_key;  // contents of the OCTET STRING
  std::optional<Bytes> public_key;
};

Result<PrivateKeyForm> parse_rsa_in_pkcs8(const Pkcs8& pkcs8, KeyType type) {
  RsaForm form{type, pkcs8.algorithm, pkcs8.private_key, pkcs8.public_key, std::nullopt};
  if (type == KeyType::rsa_pss) {
    const auto restriction = pss_restriction(pkcs8.algorithm);
    if (!restriction) return std::unexpected(restriction.error());
    form.pss_only = *restriction;
  }
  return form;
}

Result<PrivateKeyForm> parse_in_pkcs8(const Pkcs8& pkcs8) {
  const auto is = [&](KeyType type) { return std::ranges::equal(pkcs8.algorithm, key_algorithm_identifier(type)); };
  for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384}) {
    if (!is(type)) continue;
    Result<CurveForm> form = parse_ec(pkcs8.private_key, type);
    if (!form) return std::unexpected(form.error());
    form->public_keys[1] = pkcs8.public_key;
    return *form;
  }
  if (is(KeyType::ed25519)) {
    DerReader inner(pkcs8.private_key);  // RFC 8410 §7: CurvePrivateKey
    const std::optional<Bytes> seed = inner.read(DerTag::octet_string);
    if (!inner.finished()) return malformed();
    return CurveForm{KeyType::ed25519, *seed, {std::nullopt, pkcs8.public_key}};
  }
  if (is(KeyType::rsa)) return parse_rsa_in_pkcs8(pkcs8, KeyType::rsa);
  const Bytes pss = first_within(key_algorithm_identifier(KeyType::rsa_pss));
  if (std::ranges::equal(first_within(pkcs8.algorithm), pss)) return parse_rsa_in_pkcs8(pkcs8, KeyType::rsa_pss);
  return refuse(Failure::unsupported, "a private key of another kind than RSA, P-256, P-384 or Ed25519");
}

/// `sequence` stands after the version.
Result<PrivateKeyForm> parse_pkcs8(DerReader sequence, uint64_t version) {
  constexpr uint64_t kV2 = 1;
  Pkcs8 pkcs8;
  pkcs8.algorithm = sequence.read_element().value_or(Bytes());
  pkcs8.private_key = sequence.read(DerTag::octet_string).value_or(Bytes());
  if (sequence.next_is(der_context_tag(0, true))) (void)sequence.read(der_context_tag(0, true));  // attributes
  if (sequence.next_is(der_context_tag(1, false))) {
    const std::optional<Bytes> bits = sequence.read(der_context_tag(1, false));
    // RFC 5958 §2: publicKey makes it version 2. A BIT STRING of whole bytes, with an implicit tag.
    if (version != kV2 || !bits || bits->empty() || (*bits)[0] != 0) return malformed();
    pkcs8.public_key = bits->subspan(1);
  }
  if (!sequence.finished()) return malformed();
  if (version > kV2) return refuse(Failure::unsupported, "a version of PKCS#8 that is not known");
  return parse_in_pkcs8(pkcs8);
}

/// EncryptedPrivateKeyInfo (RFC 5958 §3): an AlgorithmIdentifier and an OCTET STRING.
bool is_encrypted(DerReader sequence) {
  return sequence.read(DerTag::sequence) && sequence.read(DerTag::octet_string) && sequence.finished();
}

}  // namespace

Result<PrivateKeyForm> parse_private_key_form(Bytes der) {
  DerReader reader(der);
  DerReader sequence = reader.enter(DerTag::sequence);
  if (!reader.finished()) return malformed();
  if (is_encrypted(sequence)) {
    return refuse(Failure::unsupported, "the private key is encrypted: decrypt it first");
  }
  const std::optional<uint64_t> version = sequence.read_small_integer();
  const std::optional<DerTag> second = sequence.peek();
  if (!version || !second) return malformed();
  if (*second == DerTag::sequence) return parse_pkcs8(sequence, *version);
  if (*second == DerTag::octet_string) {
    const Result<CurveForm> form = parse_ec(der, std::nullopt);
    if (!form) return std::unexpected(form.error());
    return *form;
  }
  if (*second == DerTag::integer) {
    return RsaForm{KeyType::rsa, key_algorithm_identifier(KeyType::rsa), der, std::nullopt, std::nullopt};
  }
  return malformed();
}

}  // namespace quoll::x509
