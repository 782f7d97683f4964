#include "tls/peer_verification.h"

#include <algorithm>
#include <array>

#include "tls/alert.h"
#include "tls/cipher_suite.h"

namespace quoll::tls {
namespace {

/// The alert for an error of the certificates' domain; an alert stays what it is.
std::unexpected<Error> as_alert(const Error& error) {
  switch (error.domain) {
    case ErrorDomain::tls:
      return std::unexpected(error);
    case ErrorDomain::certificate:
      return abort_with(alert_for(static_cast<x509::Failure>(error.code)), error.reason);
    default:  // a verifier of the application may fail in its own way
      return abort_with(Alert::certificate_unknown, error.reason);
  }
}

Result<void> verify_pinned_leaf(const crypto::Provider& provider, std::span<const x509::SpkiPin> pins,
                                const x509::Certificate& leaf) {
  if (std::ranges::find(pins, x509::spki_pin(provider, leaf)) != pins.end()) return {};
  return x509::refuse(x509::Failure::pin_mismatch, "the certificate's key is not the pinned one");
}

Result<void> verify_path(const crypto::Provider& provider, const PeerPolicy& policy, const PeerCertificates& peer) {
  if (!policy.trust) return x509::refuse(x509::Failure::unknown_issuer, "no trust anchors are configured");
  // RFC 9525 §6.1: a server is verified against a name; one that some authority knows is not the one that was meant.
  if (policy.purpose == x509::Purpose::server && peer.server_name.empty() && policy.pins.empty()) {
    return x509::refuse(x509::Failure::name_mismatch, "there is no name that the server should have");
  }
  const x509::VerifyOptions options{
      .purpose = policy.purpose, .host = peer.server_name, .now = peer.now, .pins = policy.pins};
  const Result<x509::Path> path = x509::verify_chain(provider, peer.chain, *policy.trust, options);
  if (!path) return std::unexpected(path.error());
  return {};
}

Result<void> apply(const crypto::Provider& provider, const PeerPolicy& policy, const PeerCertificates& peer) {
  if (peer.chain.empty()) return x509::refuse(x509::Failure::no_certificate, "the peer has no certificate");
  if (policy.verifier && *policy.verifier) return (*policy.verifier)(peer);
  switch (policy.verification) {
    case PeerVerification::chain:
      return verify_path(provider, policy, peer);
    case PeerVerification::pinned_leaf:
      return verify_pinned_leaf(provider, policy.pins, peer.chain.front());
    case PeerVerification::none:
      return {};
  }
  return x509::refuse(x509::Failure::policy, "an unknown way to verify");
}

}  // namespace

Result<PeerChain> parse_peer_chain(CertificateMessage message, bool status_requested) {
  PeerChain chain;
  if (message.count > kPeerCertificatesMax) return abort_with(Alert::bad_certificate, "too many certificates");
  chain.certificates.reserve(message.count);
  while (const std::optional<CertificateEntry> entry = message.next()) {
    // RFC 8446 §4.4.2: extensions of an entry must answer ones that were asked for.
    if (entry->has_unknown_extension || (entry->ocsp_response && !status_requested)) {
      return abort_with(Alert::unsupported_extension, "a certificate came with an extension that was not asked for");
    }
    if (chain.certificates.empty() && entry->ocsp_response) {
      chain.ocsp_response.assign(entry->ocsp_response->begin(), entry->ocsp_response->end());
    }
    Result<x509::Certificate> certificate = x509::Certificate::parse(entry->certificate);
    if (!certificate) return as_alert(certificate.error());
    chain.certificates.push_back(std::move(*certificate));
  }
  return chain;
}

Result<void> verify_peer(const crypto::Provider& provider, const PeerPolicy& policy, const PeerCertificates& peer) {
  const Result<void> verdict = apply(provider, policy, peer);
  if (!verdict) return as_alert(verdict.error());
  return {};
}

Result<void> check_certificate_verify(const crypto::Provider& provider, const x509::Certificate& leaf,
                                      const CertificateVerify& message, std::span<const SignatureScheme> offered,
                                      const SignedTranscript& transcript) {
  // RFC 8446 §4.4.3: the scheme is one of those offered; it fits the key of the leaf; it is no PKCS#1.
  if (std::ranges::find(offered, message.scheme) == offered.end()) {
    return abort_with(Alert::illegal_parameter, "a signature scheme that was not offered");
  }
  const Result<x509::PublicKey> key = x509::PublicKey::parse(provider, leaf.subject_public_key_info);
  if (!key) return as_alert(key.error());
  const std::optional<x509::SignatureAlgorithm> algorithm = handshake_algorithm(message.scheme, key->type());
  if (!algorithm) return abort_with(Alert::illegal_parameter, "a signature scheme that is not for the peer's key");
  // RFC 8446 §4.4.2.2: a key usage, where there is one, must allow signatures.
  if (!leaf.may(x509::KeyUsage::digital_signature)) {
    return abort_with(alert_for(x509::Failure::wrong_usage), "the certificate's key is not for signatures");
  }
  std::array<uint8_t, kCertificateVerifyContentSizeMax> content;
  const size_t size = certificate_verify_content(transcript.signer, transcript.hash, content);
  if (!key->verify(*algorithm, Bytes(content).first(size), message.signature)) {
    return abort_with(Alert::decrypt_error, "the signature of CertificateVerify is wrong");
  }
  return {};
}

Result<size_t> sign_certificate_verify(const Identity& identity, SignatureScheme scheme, Rng& rng,
                                       const SignedTranscript& transcript, MutBytes signature) {
  const std::optional<x509::SignatureAlgorithm> algorithm = handshake_algorithm(scheme, identity.key_type());
  if (!algorithm) return abort_with(Alert::internal_error, "a signature scheme that is not for our key");
  std::array<uint8_t, kCertificateVerifyContentSizeMax> content;
  const size_t size = certificate_verify_content(transcript.signer, transcript.hash, content);
  const Result<size_t> signed_size = identity.key().sign(*algorithm, rng, Bytes(content).first(size), signature);
  if (!signed_size) return abort_with(Alert::internal_error, "our key did not sign");
  return *signed_size;
}

std::span<const SignatureScheme> accepted_schemes(const Preferences& preferences) {
  if (preferences.signature_schemes.empty()) return default_signature_schemes();
  return preferences.signature_schemes;
}

std::vector<SignatureScheme> certificate_schemes(const Preferences& preferences) {
  const std::span<const SignatureScheme> accepted = accepted_schemes(preferences);
  std::vector<SignatureScheme> schemes(accepted.begin(), accepted.end());
  for (const SignatureScheme scheme :
       {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512}) {
    if (std::ranges::find(schemes, scheme) == schemes.end()) schemes.push_back(scheme);
  }
  return schemes;
}

}  // namespace quoll::tls
