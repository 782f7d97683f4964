// Makes certificates (RFC 5280 §4.1, version 3): self-signed ones for a server on the spot, small authorities for
// tests.
//
// What comes out satisfies RFC 5280 as long as the part of a request that is marked for tests is left alone: critical
// basic constraints and key usage, extended key usage of a leaf, subject alternative names, both key identifiers
// (RFC 7093 §2 method 1), times in UTCTime until 2049. Whether the issuer may issue is not looked at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/unix_time.h"
#include "tls/x509/certificate.h"
#include "tls/x509/private_key.h"

namespace quoll::x509 {

struct CertificateRequest {
  std::string common_name = {};         // UTF-8, at most 64 characters; empty: the subject has no attribute
  std::vector<std::string> names = {};  // subjectAltName: DNS names (is_presented_name()), or texts of IP addresses
  UnixTime not_before = {}, not_after = {};
  bool is_ca = false;
  std::optional<uint64_t> path_length = {};      // of a CA
  bool server_auth = true, client_auth = false;  // extendedKeyUsage of a leaf
  /// Name constraints of a CA: domains ("example.com"), or ranges of addresses ("192.0.2.0/24").
  std::vector<std::string> permitted_names = {}, excluded_names = {};

  // For tests: certificates that are odd, or wrong.
  std::optional<uint16_t> key_usage = {};            // KeyUsage bits instead of the usual ones; 0: no extension
  std::optional<SignatureAlgorithm> algorithm = {};  // instead of the key's preferred one
  bool with_basic_constraints = true;
  bool with_key_identifiers = true;
  uint8_t version = 3;                                      // below 3 there are no extensions at all
  std::vector<std::vector<uint8_t>> extra_extensions = {};  // to add, each a whole Extension element
};

/// The DER of a certificate for `subject_key` (a SubjectPublicKeyInfo), signed by the issuer. Without `issuer` it is
/// self-signed: issuer_key is then the subject's own key. The serial number is 16 random octets (RFC 5280 §4.1.2.2).
/// Failure::malformed for a name that is neither an IP address nor a DNS name, a common name that is not UTF-8 or too
/// long, a key that is no SubjectPublicKeyInfo, a time outside of the years 0 to 9999. A usage error when issuer_key is
/// not the issuer's.
[[nodiscard]] Result<std::vector<uint8_t>> make_certificate(const CertificateRequest& request, Bytes subject_key,
                                                            const Certificate* issuer, const PrivateKey& issuer_key,
                                                            Rng& rng);

}  // namespace quoll::x509
