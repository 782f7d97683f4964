// A parsed certificate (RFC 5280 §4.1, §4.2): views into its own copy of the DER, and decoded extensions.
//
// Parsing checks the structure and each extension that is known; it takes no decision about trust (tls/x509/verify.h
// does), and what RFC 5280 demands of CAs but tells users to bear with is accepted and can be asked for: odd serial
// numbers, empty issuers, extensions of the wrong criticality. Unknown extensions are only remembered if they are
// critical. Limits: kCertificateSizeMax bytes and kExtensionCountMax extensions; everything else is bounded by the size,
// and parsing takes time linear in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/unix_time.h"
#include "tls/x509/general_name.h"

namespace quoll::x509 {

inline constexpr size_t kCertificateSizeMax = 64 * 1024;  // public CAs stay below 10 KiB, post-quantum ones below 30
inline constexpr size_t kExtensionCountMax = 64;          // public CAs use about ten
inline constexpr size_t kSerialNumberSizeMax = 20;        // octets (RFC 5280 §4.1.2.2)
inline constexpr uint16_t kTlsFeatureStatusRequest = 5;   // RFC 7633: the server must staple an OCSP response

struct BasicConstraints {
  bool is_ca = false;
  std::optional<uint64_t> path_length;
  bool critical = false;
};

/// Bits of RFC 5280 §4.2.1.3.
enum class KeyUsage : uint16_t {
  digital_signature = 1 << 0,
  content_commitment = 1 << 1,
  key_encipherment = 1 << 2,
  data_encipherment = 1 << 3,
  key_agreement = 1 << 4,
  key_cert_sign = 1 << 5,
  crl_sign = 1 << 6,
  encipher_only = 1 << 7,
  decipher_only = 1 << 8,
};

struct NameConstraints {
  std::vector<GeneralName> permitted, excluded;  // at least one is not empty
  bool critical = false;
};

/// RFC 5280 §4.2.1.1. Issuer and serial number come together or not at all.
struct AuthorityKeyIdentifier {
  std::optional<Bytes> key_identifier;
  bool has_issuer_and_serial = false;
  bool critical = false;
};

/// RFC 5280 §4.2.1.5: OID contents.
struct PolicyMapping {
  Bytes issuer_policy, subject_policy;
};

/// RFC 5280 §4.2.1.11. At least one is there.
struct PolicyConstraints {
  std::optional<uint64_t> require_explicit_policy, inhibit_policy_mapping;
  bool critical = false;
};

class Certificate {
 public:
  /// Copies `der`, which must be exactly one certificate. Failure::malformed, Failure::limit.
  [[nodiscard]] static Result<Certificate> parse(Bytes der);

  Certificate(Certificate&&) noexcept = default;
  Certificate& operator=(Certificate&&) noexcept = default;
  Certificate clone() const;  // parses anew

  // All views are into this certificate and live as long as it does (moving it keeps them).
  Bytes der() const { return der_; }
  Bytes tbs;                       // the signed part, whole element
  Bytes signature_algorithm;       // AlgorithmIdentifier, whole element (equal inside and outside)
  Bytes signature;                 // bits, whole bytes
  uint8_t version = 0;             // 1, 2 or 3
  Bytes serial_number;             // INTEGER contents, of any sign and size
  Bytes issuer, subject;           // Name, whole element; may be without attributes
  UnixTime not_before, not_after;  // inclusive on both sides; in any order
  Bytes subject_public_key_info;   // whole element

  // Extensions; an absent one is empty.
  std::optional<BasicConstraints> basic_constraints;
  std::optional<uint16_t> key_usage;                     // KeyUsage bits, at least one
  std::optional<std::vector<Bytes>> extended_key_usage;  // OID contents, at least one
  std::optional<std::vector<GeneralName>> subject_alt_names;
  bool subject_alt_names_critical = false;
  std::optional<NameConstraints> name_constraints;
  std::optional<Bytes> subject_key_identifier;
  bool subject_key_identifier_critical = false;
  std::optional<AuthorityKeyIdentifier> authority_key_identifier;
  std::optional<std::vector<Bytes>> certificate_policies;  // OID contents, at least one, no two alike
  bool certificate_policies_critical = false;
  std::optional<std::vector<PolicyMapping>> policy_mappings;
  std::optional<PolicyConstraints> policy_constraints;
  std::optional<uint64_t> inhibit_any_policy;
  bool inhibit_any_policy_critical = false;
  std::optional<std::vector<uint16_t>> tls_features;  // RFC 7633
  /// A critical extension that is not known, or holds what nothing here processes (RFC 5280 §4.2): access to further
  /// information and CRL distribution points (revocation lists are not fetched) among them.
  bool has_unknown_critical_extension = false;
  Bytes extensions;  // the whole SEQUENCE OF Extension, empty if absent

  /// subject equals issuer as names (RFC 5280 §7.1).
  bool is_self_issued() const;
  bool is_ca() const { return basic_constraints && basic_constraints->is_ca; }
  bool may(KeyUsage usage) const {  // true as well when the extension is absent
    return !key_usage || (*key_usage & static_cast<uint16_t>(usage)) != 0;
  }
  /// Positive and of at most kSerialNumberSizeMax octets, as RFC 5280 §4.1.2.2 demands of CAs.
  bool has_conforming_serial_number() const;
  /// A TLS server with this certificate must staple an OCSP response (RFC 7633 §4.2.3.1).
  bool must_staple() const;

 private:
  Certificate() = default;
  std::vector<uint8_t> der_;
};

}  // namespace quoll::x509
