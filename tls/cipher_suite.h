// What a cipher suite, a group and a signature scheme stand for: the primitives of a provider.
#pragma once

#include <optional>
#include <span>

#include "crypto/provider.h"
#include "tls/codepoints.h"
#include "tls/x509/public_key.h"

namespace quoll::tls {

bool is_supported(CipherSuite suite);
/// The three functions below want a supported value.
const crypto::HashAlgorithm& hash_of(const crypto::Provider& provider, CipherSuite suite);
const crypto::Aead& aead_of(const crypto::Provider& provider, CipherSuite suite);
const crypto::HeaderProtection& header_protection_of(const crypto::Provider& provider, CipherSuite suite);
std::string_view name_of(CipherSuite suite);

/// The signature algorithm that a scheme stands for when a key of this type makes it in a CertificateVerify (RFC 8446
/// §4.2.3: the curve belongs to the scheme, rsae and pss are for different keys); empty when the scheme is not for such
/// keys, is PKCS#1, or is unknown.
std::optional<x509::SignatureAlgorithm> handshake_algorithm(SignatureScheme scheme, x509::KeyType key);

/// Whether a certificate that is signed with this algorithm by a key of this type is covered by `scheme`
/// (signature_algorithms_cert).
bool covers(SignatureScheme scheme, x509::SignatureAlgorithm algorithm, x509::KeyType issuer_key);

/// The schemes that this implementation signs and verifies with, in the order in which it prefers them.
std::span<const SignatureScheme> default_signature_schemes();

}  // namespace quoll::tls
