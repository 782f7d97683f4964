// A parsed certificate (RFC 5280 §4.1, §4.2): views into its own copy of the DER, and decoded extensions.
//
// Parsing checks the structure and each extension that is known; it takes no decision about trust (tls/x509/verify.h
// does). Unknown extensions are only remembered if they are critical. Limits: kCertificateSizeMax bytes, and the counts
// below; everything else is bounded by the size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/unix_time.h"

namespace quoll::x509 {

inline constexpr size_t kCertificateSizeMax = 64 * 1024;  // public CAs stay below 10 KiB, post-quantum ones below 30

/// GeneralName (RFC 5280 §4.2.1.6): its kind, and its contents as they stand in the certificate.
struct GeneralName {
  enum class Kind : uint8_t { other, email, dns, x400, directory, edi, uri, ip, registered_id };
  Kind kind;
  Bytes value;  // email, dns, uri: ASCII; ip: 4 or 16 octets (8 or 32 in name constraints); directory: a Name
};

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
  std::vector<GeneralName> permitted, excluded;
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
  Bytes serial_number;             // INTEGER contents
  Bytes issuer, subject;           // Name, whole element
  UnixTime not_before, not_after;  // inclusive on both sides
  Bytes subject_public_key_info;   // whole element

  // Extensions; an absent one is empty.
  std::optional<BasicConstraints> basic_constraints;
  std::optional<uint16_t> key_usage;                     // KeyUsage bits
  std::optional<std::vector<Bytes>> extended_key_usage;  // OID contents
  std::optional<std::vector<GeneralName>> subject_alt_names;
  bool subject_alt_names_critical = false;
  std::optional<NameConstraints> name_constraints;
  std::optional<Bytes> subject_key_identifier;
  std::optional<Bytes> authority_key_identifier;  // its keyIdentifier, if it has one
  bool has_unknown_critical_extension = false;
  Bytes extensions;  // the whole SEQUENCE OF Extension, empty if absent

  /// subject equals issuer as names (RFC 5280 §7.1).
  bool is_self_issued() const;
  bool may(KeyUsage usage) const {  // true as well when the extension is absent
    return !key_usage || (*key_usage & static_cast<uint16_t>(usage)) != 0;
  }

 private:
  Certificate() = default;
  std::vector<uint8_t> der_;
};

}  // namespace quoll::x509
