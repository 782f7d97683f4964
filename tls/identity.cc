#include "tls/identity.h"

#include <algorithm>

#include "crypto/der.h"
#include "tls/cipher_suite.h"
#include "tls/x509/failure.h"
#include "tls/x509/pem.h"

namespace quoll::tls {
namespace {

using crypto::DerReader;
using crypto::DerTag;
using x509::Failure;
using x509::KeyType;

/// The subjectPublicKey of a SubjectPublicKeyInfo, without its algorithm.
std::optional<Bytes> key_bits(Bytes public_key_info) {
  DerReader reader(public_key_info);
  DerReader info = reader.enter(DerTag::sequence);
  info.read(DerTag::sequence);
  const std::optional<Bytes> bits = info.read_bit_string_bytes();
  return info.finished() ? bits : std::nullopt;
}

bool is_rsa(KeyType type) { return type == KeyType::rsa || type == KeyType::rsa_pss; }

/// RSA keys are compared by modulus and exponent alone: the certificate may say id-RSASSA-PSS, with parameters or
/// without, where the file of the key says rsaEncryption, or the other way round (RFC 4055 §1.2).
bool is_key_of(const x509::PrivateKey& key, KeyType leaf_type, Bytes leaf_key_info) {
  if (key.type() != leaf_type && !(is_rsa(key.type()) && is_rsa(leaf_type))) return false;
  const std::optional<Bytes> ours = key_bits(key.public_key_info()), leafs = key_bits(leaf_key_info);
  return ours && leafs && std::ranges::equal(*ours, *leafs);
}

/// What the key can make and the leaf's key verify: either may be restricted to one hash of PSS (RFC 4055 §3.3).
std::vector<SignatureScheme> schemes_of(const x509::PrivateKey& key, const x509::PublicKey& leaf_key) {
  std::vector<SignatureScheme> schemes;
  for (const SignatureScheme scheme : default_signature_schemes()) {
    const std::optional<x509::SignatureAlgorithm> algorithm = handshake_algorithm(scheme, leaf_key.type());
    if (algorithm && key.supports(*algorithm) && leaf_key.supports(*algorithm)) schemes.push_back(scheme);
  }
  return schemes;
}

}  // namespace

Identity::Identity(std::vector<std::vector<uint8_t>> chain, x509::Certificate leaf, x509::PrivateKey key,
                   const x509::PublicKey& leaf_key, std::vector<uint8_t> ocsp_response)
    : chain_(std::move(chain)),
      leaf_(std::move(leaf)),
      key_(std::move(key)),
      key_type_(leaf_key.type()),
      ocsp_response_(std::move(ocsp_response)),
      names_(leaf_),
      schemes_(schemes_of(key_, leaf_key)) {}

Result<Identity> Identity::create(std::vector<std::vector<uint8_t>> chain, x509::PrivateKey key,
                                  std::vector<uint8_t> ocsp_response) {
  if (chain.empty()) return x509::refuse(Failure::no_certificate, "an identity without a certificate");
  if (chain.size() > kChainMax) return x509::refuse(Failure::limit, "too many certificates in an identity's chain");
  size_t chain_size = 0;
  for (const std::vector<uint8_t>& certificate : chain) {
    if (certificate.empty()) return x509::refuse(Failure::malformed, "an empty certificate in an identity's chain");
    chain_size += certificate.size();
  }
  // What does not fit its message must be known now, not when a peer comes.
  if (chain_size > kChainSizeMax) return x509::refuse(Failure::limit, "an identity's chain is too large");
  if (ocsp_response.size() > kOcspResponseSizeMax) {
    return x509::refuse(Failure::limit, "an identity's OCSP response is too large");
  }
  Result<x509::Certificate> leaf = x509::Certificate::parse(chain.front());
  if (!leaf) return std::unexpected(leaf.error());
  const Result<x509::PublicKey> leaf_key = x509::PublicKey::parse(key.provider(), leaf->subject_public_key_info);
  if (!leaf_key) return std::unexpected(leaf_key.error());
  if (!is_key_of(key, leaf_key->type(), leaf->subject_public_key_info)) {
    return x509::refuse(Failure::malformed, "the private key is not the certificate's");
  }
  // RFC 8446 §4.4.2.2: a certificate that restricts the use of its key must allow signatures.
  if (!leaf->may(x509::KeyUsage::digital_signature)) {
    return x509::refuse(Failure::wrong_usage, "the certificate's key may not sign handshakes");
  }
  return Identity(std::move(chain), std::move(*leaf), std::move(key), *leaf_key, std::move(ocsp_response));
}

Result<Identity> Identity::from_pem(const crypto::Provider& provider, std::string_view chain, std::string_view key,
                                    std::vector<uint8_t> ocsp_response) {
  Result<std::vector<x509::PemBlock>> blocks = x509::parse_pem(chain);
  if (!blocks) return std::unexpected(blocks.error());
  std::vector<std::vector<uint8_t>> certificates;
  for (x509::PemBlock& block : *blocks) {
    if (block.label == "CERTIFICATE") certificates.push_back(std::move(block.contents));
  }
  Result<x509::PrivateKey> private_key = x509::PrivateKey::parse_pem(provider, key);
  if (!private_key) return std::unexpected(private_key.error());
  return create(std::move(certificates), std::move(*private_key), std::move(ocsp_response));
}

std::optional<SignatureScheme> Identity::choose_scheme(CodeList<SignatureScheme> offered) const {
  for (const SignatureScheme scheme : schemes_) {
    if (offered.contains(scheme)) return scheme;
  }
  return {};
}

ChosenIdentity choose_identity(const Identities& identities, std::string_view server_name,
                               CodeList<SignatureScheme> offered) {
  const ServerName name(server_name);
  ChosenIdentity best;
  NameMatch best_match = NameMatch::none;
  for (const std::shared_ptr<const Identity>& identity : identities) {
    if (!identity) continue;
    const NameMatch match = identity->match(name);
    if (best.identity && match <= best_match) continue;
    const std::optional<SignatureScheme> scheme = identity->choose_scheme(offered);
    if (!scheme) continue;
    best = {.identity = identity.get(), .scheme = *scheme, .name_matched = match != NameMatch::none};
    best_match = match;
    if (match == NameMatch::exact) break;
  }
  return best;
}

}  // namespace quoll::tls
