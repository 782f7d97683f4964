// Path building and validation (RFC 5280 §6, with RFC 9618's and the CA/Browser Forum's lessons): from a leaf, through
// whatever intermediates the peer sent (extra ones and in any order), to a trust anchor.
//
// Building is a depth-first search with a budget (signatures checked, names compared), so that no set of certificates
// costs more than VerifyOptions allows. The error that is reported is that of the path which got furthest. Nothing is
// asked about revocation. docs/x509.md says what is demanded of whom.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/provider.h"
#include "tls/x509/certificate.h"
#include "tls/x509/failure.h"
#include "tls/x509/host_name.h"
#include "tls/x509/trust_store.h"

namespace quoll::x509 {

/// More certificates from a peer than these are refused unseen.
inline constexpr size_t kPeerCertificatesMax = 64;

enum class Purpose : uint8_t { server, client, any };

/// How much is demanded of each certificate beyond what makes a path valid. Each includes the one before, but for the
/// exceptions from RFC 5280 that the Baseline Requirements make. docs/x509.md lists the rules.
enum class Profile : uint8_t {
  rfc5280,         // what RFC 5280 §6 demands of a relying party: suits private authorities of every age
  rfc5280_strict,  // and what §4 demands of authorities: key identifiers, critical flags, serial numbers
  web_pki,         // and what the CA/Browser Forum's Baseline Requirements demand, as far as a client can see it
};

/// SHA-256 of a SubjectPublicKeyInfo (RFC 7469 §2.4).
using SpkiPin = std::array<uint8_t, 32>;

struct VerifyOptions {
  Purpose purpose = Purpose::server;
  Profile profile = Profile::rfc5280;
  /// The name that the leaf must carry: a DNS name or the text of an IP address; empty: no name is checked.
  std::string_view host;
  UnixTime now;
  /// KeyUsage bits that a leaf must have which has a keyUsage extension. TLS 1.3 signs (RFC 8446 §4.4.2.2); 0: none.
  uint16_t key_usage = static_cast<uint16_t>(KeyUsage::digital_signature);
  /// Whether an anchor must itself be valid and an authority, and its usages and name constraints bind what is below it
  /// (RFC 5937). When false it is a name and a key and nothing else, as RFC 5280 §6.1.1 has it.
  bool anchor_constraints = true;
  /// When not empty, the key of at least one certificate of the path (anchor included) must be among these.
  std::span<const SpkiPin> pins;
  size_t depth_max = 8;                   // intermediates in a path, self-issued ones not counted
  size_t signature_checks_max = 100;      // over all paths that are tried
  size_t name_comparisons_max = 250'000;  // names times constraints, over all paths
};

/// A validated path: leaf first, anchor last; one certificate when the leaf is itself an anchor, self-signed. Pointers
/// into the inputs.
struct Path {
  std::vector<const Certificate*> certificates;
};

/// `chain` is what the peer sent, leaf first, at least one; `anchors` what we trust.
[[nodiscard]] Result<Path> verify_chain(const crypto::Provider& provider, std::span<const Certificate> chain,
                                        const TrustStore& anchors, const VerifyOptions& options);

SpkiPin spki_pin(const crypto::Provider& provider, const Certificate& certificate);

}  // namespace quoll::x509
