#include "tls/client_identity.h"

#include <algorithm>

#include "tls/x509/name.h"

namespace quoll::tls {
namespace {

/// Issuers that a chain of ours is looked at for; a longer one is judged by its first certificates.
constexpr size_t kIssuersMax = 8;

/// Names of a request that are looked at; servers that trust hundreds of authorities send none.
constexpr size_t kAuthoritiesMax = 512;

using CanonicalName = std::vector<uint8_t>;

/// The canonical names of the issuers in the chain.
std::vector<CanonicalName> issuers_of(const Identity& identity) {
  std::vector<CanonicalName> issuers{x509::canonical_name(identity.leaf().issuer)};
  for (const std::vector<uint8_t>& der : identity.chain().subspan(1)) {
    if (issuers.size() == kIssuersMax) break;
    const Result<x509::Certificate> certificate = x509::Certificate::parse(der);
    if (certificate) issuers.push_back(x509::canonical_name(certificate->issuer));
  }
  return issuers;
}

bool is_among(Bytes name, const std::vector<CanonicalName>& issuers) {
  return std::ranges::find(issuers, x509::canonical_name(name)) != issuers.end();
}

/// `authorities`: the contents of certificate_authorities (RFC 8446 §4.2.4), a list of names with 16-bit lengths.
bool leads_to(const Identity& identity, Bytes authorities) {
  const std::vector<CanonicalName> issuers = issuers_of(identity);
  Reader names(authorities);
  for (size_t i = 0; i < kAuthoritiesMax && names.remaining() > 0; i++) {
    const Bytes name = names.prefixed_u16().rest();
    if (names.ok() && is_among(name, issuers)) return true;
  }
  return false;
}

}  // namespace

ClientIdentity choose_client_identity(const Identities& identities, const CertificateRequest& request) {
  ClientIdentity first;
  for (const std::shared_ptr<const Identity>& identity : identities) {
    const std::optional<SignatureScheme> scheme = identity->choose_scheme(*request.signature_algorithms);
    if (!scheme) continue;
    ClientIdentity candidate{.identity = identity, .scheme = *scheme};
    // With one identity there is nothing to choose.
    if (!request.certificate_authorities || identities.size() == 1) return candidate;
    if (leads_to(*identity, *request.certificate_authorities)) return candidate;
    if (!first.identity) first = candidate;
  }
  return first;
}

}  // namespace quoll::tls
