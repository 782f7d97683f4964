#include "tls/x509/trust_store.h"

#include <algorithm>

#include "tls/x509/failure.h"
#include "tls/x509/name.h"
#include "tls/x509/pem.h"

namespace quoll::x509 {

void TrustStore::add(Certificate certificate) {
  if (contains(certificate.der())) return;
  certificates_.push_back(std::make_unique<Certificate>(std::move(certificate)));
  const Certificate* added = certificates_.back().get();
  by_subject_[canonical_name(added->subject)].push_back(added);
}

Result<TrustStore::Loaded> TrustStore::add_pem(std::string_view pem) {
  const auto blocks = parse_pem(pem);
  if (!blocks) return std::unexpected(blocks.error());
  Loaded loaded;
  size_t readable = 0;
  for (const PemBlock& block : *blocks) {
    if (block.label != "CERTIFICATE") continue;
    auto certificate = Certificate::parse(block.contents);
    if (!certificate) {
      loaded.skipped++;
      continue;
    }
    readable++;
    const size_t before = size();
    add(std::move(*certificate));
    loaded.added += size() - before;
  }
  if (readable == 0) return refuse(Failure::no_certificate, "no certificate in PEM form that can be read");
  return loaded;
}

std::span<const Certificate* const> TrustStore::find(Bytes name) const {
  const auto found = by_subject_.find(canonical_name(name));
  if (found == by_subject_.end()) return {};
  return found->second;
}

bool TrustStore::contains(Bytes der) const {
  // A Certificate is found by its subject, so the bytes are parsed; anything else is no anchor.
  const auto certificate = Certificate::parse(der);
  if (!certificate) return false;
  const auto is_it = [der](const Certificate* anchor) { return std::ranges::equal(anchor->der(), der); };
  return std::ranges::any_of(find(certificate->subject), is_it);
}

}  // namespace quoll::x509
