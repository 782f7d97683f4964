#include "tls/x509/trust_store.h"

#include "tls/x509/failure.h"
#include "tls/x509/name.h"
#include "tls/x509/pem.h"

namespace quoll::x509 {

void TrustStore::add(Certificate certificate) {
  if (contains(certificate.der())) return;
  certificates_.push_back(std::make_unique<Certificate>(std::move(certificate)));
  const Certificate* added = certificates_.back().get();
  by_der_.insert(added->der());
  Group& group = by_canonical_subject_[canonical_name(added->subject)];
  group.push_back(added);
  by_subject_.emplace(added->subject, &group);
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
  if (const auto same = by_subject_.find(name); same != by_subject_.end()) return *same->second;
  const auto equal = by_canonical_subject_.find(canonical_name(name));
  if (equal == by_canonical_subject_.end()) return {};
  return equal->second;
}

bool TrustStore::contains(Bytes der) const { return by_der_.contains(der); }

}  // namespace quoll::x509
