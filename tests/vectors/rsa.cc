// RSA: Wycheproof's PKCS#1 v1.5 and PSS verification (rsassa_*_verify_schema*.json), and crypto-kat/rsa_sign.json.
#include <algorithm>
#include <optional>
#include <string>

#include "crypto/der.h"
#include "crypto/provider.h"
#include "tests/support/random.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

using namespace crypto;

/// Calls `use(rsa)` for each implementation of RSA that runs here.
template <class Use>
void for_each_rsa(Use use) {
  const auto run = [&](std::span<const Rsa* const> list) {
    for (const Rsa* rsa : list) {
      if (!rsa->runs_on(cpu::features(), cpu::cap())) continue;
      use(*rsa);
    }
  };
  run(native_catalogue().rsas);
  run(portable_catalogue().rsas);
}

/// The hash that a file names "SHA-256" or a scheme "sha256"; null when RSA here does not use it.
const HashAlgorithm* hash_named(const std::string& name) {
  const Provider& provider = best();
  if (name == "SHA-256" || name == "sha256") return provider.sha256;
  if (name == "SHA-384" || name == "sha384") return provider.sha384;
  if (name == "SHA-512" || name == "sha512") return provider.sha512;
  return nullptr;
}

struct SubjectKey {
  Bytes modulus, exponent;
};

/// The integers of RSAPublicKey (RFC 8017 appendix A.1.1).
std::optional<SubjectKey> read_public_key(Bytes der) {
  DerReader reader(der);
  DerReader sequence = reader.enter(DerTag::sequence);
  const auto modulus = sequence.read_unsigned_integer();
  const auto exponent = sequence.read_unsigned_integer();
  if (!reader.finished() || !sequence.finished()) return std::nullopt;
  return SubjectKey{*modulus, *exponent};
}

/// RSAPublicKey inside a SubjectPublicKeyInfo, whatever its algorithm identifier.
std::optional<SubjectKey> read_subject_public_key_info(Bytes der) {
  DerReader reader(der);
  DerReader sequence = reader.enter(DerTag::sequence);
  sequence.read(DerTag::sequence);
  const auto key = sequence.read_bit_string_bytes();
  if (!reader.finished() || !sequence.finished()) return std::nullopt;
  return read_public_key(*key);
}

/// RSAPrivateKey inside a PKCS#8 PrivateKeyInfo.
Bytes read_private_key_info(Bytes der) {
  DerReader reader(der);
  DerReader sequence = reader.enter(DerTag::sequence);
  sequence.read_small_integer();
  sequence.read(DerTag::sequence);
  return sequence.read(DerTag::octet_string).value_or(Bytes{});
}

std::string name_of(const json& test, const Rsa& rsa) {
  return "tcId " + std::to_string(test.at("tcId").get<int>()) + " [" + std::string(rsa.implementation) + "] " +
         test.value("comment", "");
}

/// What is verified with one group of a Wycheproof file; null hash: the product does not do what the group asks.
struct Scheme {
  bool pss;
  const HashAlgorithm* hash;
};

Scheme scheme_of(const json& group) {
  const std::string type = group.at("type");
  const HashAlgorithm* hash = hash_named(group.at("sha"));
  if (type == "RsassaPkcs1Verify") return {false, hash};
  if (type != "RsassaPssVerify" && type != "RsassaPssWithParametersVerify") return {true, nullptr};
  const bool as_in_tls = hash && group.at("mgf") == "MGF1" && group.at("mgfSha") == group.at("sha") &&
                         group.at("sLen").get<size_t>() == hash->digest_size;
  return {true, as_in_tls ? hash : nullptr};
}

void wycheproof_group(const json& group, const Rsa& rsa, Report& report) {
  const Scheme scheme = scheme_of(group);
  const auto encoded = bytes_of(group, "publicKeyAsn");
  const auto info = bytes_of(group, "publicKeyDer");
  const auto subject = read_public_key(encoded);
  const auto subject_of_info = read_subject_public_key_info(info);
  const auto key = subject ? RsaPublicKey::create(rsa, subject->modulus, subject->exponent) : usage_error("no key");
  const bool usable = scheme.hash && key && subject_of_info &&
                      std::ranges::equal(subject->modulus, subject_of_info->modulus) &&
                      std::ranges::equal(subject->exponent, subject_of_info->exponent);
  for (const json& test : group.at("tests")) {
    if (!usable) {
      report.check(false, name_of(test, rsa) + ": the group's scheme or key is not implemented");
      continue;
    }
    const Digest digest = hash(*scheme.hash, bytes_of(test, "msg"));
    const auto signature = bytes_of(test, "sig");
    const auto verified = scheme.pss ? key->verify_pss(*scheme.hash, digest, signature)
                                     : key->verify_pkcs1(*scheme.hash, digest, signature);
    // "acceptable" here is a DigestInfo without the NULL of the hash's parameters, which we refuse.
    const bool expected = test.at("result") == "valid";
    report.check(verified.has_value() == expected, name_of(test, rsa));
  }
}

void wycheproof(const json& file, Report& report) {
  for_each_rsa([&](const Rsa& rsa) {
    for (const json& group : file.at("testGroups")) wycheproof_group(group, rsa, report);
  });
}

void signing_case(const json& test, const Rsa& rsa, Report& report) {
  const std::string scheme = test.at("scheme");
  const std::string what =
      "id " + std::to_string(test.at("id").get<int>()) + " [" + std::string(rsa.implementation) + "] " + scheme;
  const bool pss = scheme.starts_with("rsa_pss_rsae_");
  const HashAlgorithm* algorithm = hash_named(scheme.substr(scheme.rfind('_') + 1));
  const auto private_info = bytes_of(test, "private_key_pkcs8_der");
  const auto public_info = bytes_of(test, "public_key_spki_der");
  const auto private_key = RsaPrivateKey::parse(rsa, read_private_key_info(private_info));
  const auto subject = read_subject_public_key_info(public_info);
  const auto public_key = subject ? RsaPublicKey::create(rsa, subject->modulus, subject->exponent) : usage_error("");
  if (!algorithm || !(pss || scheme.starts_with("rsa_pkcs1_")) || !private_key || !public_key) {
    report.check(false, what + ": the scheme or the key is not implemented");
    return;
  }
  const Digest digest = hash(*algorithm, bytes_of(test, "msg"));
  const auto verify = [&](Bytes signature) {
    return (pss ? public_key->verify_pss(*algorithm, digest, signature)
                : public_key->verify_pkcs1(*algorithm, digest, signature))
        .has_value();
  };
  const auto given = bytes_of(test, "sig");
  report.check(verify(given), what + ": the given signature");

  tests::SeededRng rng(tests::test_seed(1));
  std::vector<uint8_t> made(public_key->modulus_size());
  const auto signed_ = pss ? private_key->sign_pss(*algorithm, rng, digest, made)
                           : private_key->sign_pkcs1(*algorithm, rng, digest, made);
  report.check(signed_.has_value() && verify(made) && (pss || made == given), what + ": our signature");
}

void signing(const json& file, Report& report) {
  for_each_rsa([&](const Rsa& rsa) {
    for (const json& test : file.at("cases")) signing_case(test, rsa, report);
  });
}

}  // namespace

Handler rsa_handler(const json& file) {
  if (file.contains("testGroups")) {
    const std::string algorithm = file.value("algorithm", "");
    const std::string schema = file.value("schema", "");
    return algorithm.starts_with("RSASSA-") || schema.starts_with("rsassa_") ? wycheproof : nullptr;
  }
  const bool known_answers = file.contains("cases") && file.at("cases").is_array() && !file.at("cases").empty();
  return known_answers && file.at("cases").front().contains("private_key_pkcs8_der") &&
                 file.at("cases").front().value("scheme", "").starts_with("rsa_")
             ? signing
             : nullptr;
}

}  // namespace quoll::vectors
