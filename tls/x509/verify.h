// Path building and validation (RFC 5280 §6, with RFC 9618's and the CA/Browser Forum's lessons): from a leaf, through
// whatever intermediates the peer sent (extra ones and in any order), to a trust anchor.
//
// Building is a depth-first search with a budget (signatures checked, certificates tried), so that no set of
// certificates costs more than VerifyOptions allows. The error that is reported is that of the path which got furthest.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "crypto/provider.h"
#include "tls/x509/certificate.h"
#include "tls/x509/failure.h"
#include "tls/x509/trust_store.h"

namespace quoll::x509 {

enum class Purpose : uint8_t { server, client, any };

/// SHA-256 of a SubjectPublicKeyInfo (RFC 7469 §2.4).
using SpkiPin = std::array<uint8_t, 32>;

struct VerifyOptions {
  Purpose purpose = Purpose::server;
  /// The name that the leaf must carry: a DNS name or the text of an IP address; empty: no name is checked.
  std::string_view host;
  UnixTime now;
  /// When not empty, the key of at least one certificate of the path (anchor included) must be among these.
  std::span<const SpkiPin> pins;
  size_t depth_max = 8;                   // intermediates in a path
  size_t signature_checks_max = 100;      // over all paths that are tried
  size_t name_comparisons_max = 250'000;  // names times constraints, over all paths
};

/// A validated path: leaf first, anchor last. Pointers into the inputs.
struct Path {
  std::vector<const Certificate*> certificates;
};

/// `chain` is what the peer sent, leaf first, at least one; `anchors` what we trust.
[[nodiscard]] Result<Path> verify_chain(const crypto::Provider& provider, std::span<const Certificate> chain,
                                        const TrustStore& anchors, const VerifyOptions& options);

/// Whether the leaf carries the name (RFC 9525: subjectAltName only; DNS names with a wildcard as the whole left-most
/// label; IP addresses as octets). Failure::name_mismatch.
[[nodiscard]] Result<void> verify_host(const Certificate& leaf, std::string_view host);

SpkiPin spki_pin(const crypto::Provider& provider, const Certificate& certificate);

}  // namespace quoll::x509
