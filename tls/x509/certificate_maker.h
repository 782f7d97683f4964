// Makes certificates: self-signed ones for a server on the spot, small authorities for tests.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/unix_time.h"
#include "tls/x509/certificate.h"
#include "tls/x509/private_key.h"

namespace quoll::x509 {

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> names;  // subjectAltName: DNS names, or texts of IP addresses
  UnixTime not_before, not_after;
  bool is_ca = false;
  std::optional<uint64_t> path_length;           // of a CA
  bool server_auth = true, client_auth = false;  // extendedKeyUsage of a leaf
  /// For tests: extensions to add, each a whole Extension element.
  std::vector<std::vector<uint8_t>> extra_extensions;
};

/// The DER of a certificate for `subject_key` (a SubjectPublicKeyInfo), signed by the issuer. Without `issuer` it is
/// self-signed: issuer_key is then the subject's own key. The serial number is 16 random octets (RFC 5280 §4.1.2.2).
/// Failure::malformed for a name that is neither an IP address nor a DNS name.
[[nodiscard]] Result<std::vector<uint8_t>> make_certificate(const CertificateRequest& request, Bytes subject_key,
                                                            const Certificate* issuer, const PrivateKey& issuer_key,
                                                            Rng& rng);

}  // namespace quoll::x509
