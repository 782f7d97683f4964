// What both roles do with a peer's certificates (RFC 8446 §4.4.2, §4.4.3): take them out of the message, decide whether
// they are trusted, and check that the peer has the key; and sign a CertificateVerify of one's own.
//
// Every error is an alert to send (ErrorDomain::tls): what a path, a name or a verifier found wrong has become the alert
// that fits it, with its reason.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tls/certificate_verify.h"
#include "tls/config.h"
#include "tls/messages.h"

namespace quoll::tls {

/// A peer's certificates, out of its Certificate message.
struct PeerChain {
  std::vector<x509::Certificate> certificates;  // leaf first; empty when the message had none
  std::vector<uint8_t> ocsp_response;           // stapled to the leaf, or empty
};

/// Parses every certificate of the message. `status_requested`: we asked for OCSP responses, so entries may carry them.
/// unsupported_extension for what was not asked for, bad_certificate for what is no certificate or more than
/// kPeerCertificatesMax of them, unsupported_certificate for what we cannot read.
[[nodiscard]] Result<PeerChain> parse_peer_chain(CertificateMessage message, bool status_requested);

/// By which rules a peer's certificates are trusted; references to what the configuration holds.
struct PeerPolicy {
  PeerVerification verification = PeerVerification::chain;
  const x509::TrustStore* trust = nullptr;  // for `chain`; null: nobody is trusted
  std::span<const x509::SpkiPin> pins = {};
  const PeerVerifier* verifier = nullptr;  // if set (and callable), instead of all the above
  x509::Purpose purpose = x509::Purpose::server;
};

/// Applies the policy. With `chain`, a server's leaf must carry peer.server_name; that may be empty only if there are
/// pins. Clients have no name.
[[nodiscard]] Result<void> verify_peer(const crypto::Provider& provider, const PeerPolicy& policy,
                                       const PeerCertificates& peer);

/// What a CertificateVerify signs: whose it is, and the hash of the messages before it.
struct SignedTranscript {
  Side signer;
  Bytes hash;
};

/// Checks a peer's CertificateVerify. illegal_parameter for a scheme that is not among `offered` (those that we sent) or
/// is not for keys like the leaf's; decrypt_error for a signature that does not verify; for a leaf whose key cannot sign,
/// what alert_for() says.
[[nodiscard]] Result<void> check_certificate_verify(const crypto::Provider& provider, const x509::Certificate& leaf,
                                                    const CertificateVerify& message,
                                                    std::span<const SignatureScheme> offered,
                                                    const SignedTranscript& transcript);

/// Signs with the identity's key, by a scheme that choose_scheme() gave, into `signature` of at least
/// key().signature_size_max() bytes; returns the signature's size. internal_error when the key fails.
[[nodiscard]] Result<size_t> sign_certificate_verify(const Identity& identity, SignatureScheme scheme, Rng& rng,
                                                     const SignedTranscript& transcript, MutBytes signature);

/// The schemes that a configuration accepts in a CertificateVerify: the preferred ones, or the default.
std::span<const SignatureScheme> accepted_schemes(const Preferences& preferences);

/// accepted_schemes() with PKCS#1 added at the end: signature_algorithms_cert (RFC 8446 §4.2.3).
std::vector<SignatureScheme> certificate_schemes(const Preferences& preferences);

}  // namespace quoll::tls
