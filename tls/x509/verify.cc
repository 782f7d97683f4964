#include "tls/x509/verify.h"

#include <algorithm>

#include "crypto/hash.h"
#include "tls/x509/path_builder.h"

namespace quoll::x509 {

Result<Path> verify_chain(const crypto::Provider& provider, std::span<const Certificate> chain,
                          const TrustStore& anchors, const VerifyOptions& options) {
  return PathBuilder(provider, chain, anchors, options).build();
}

SpkiPin spki_pin(const crypto::Provider& provider, const Certificate& certificate) {
  SpkiPin pin;
  const crypto::Digest digest = crypto::hash(*provider.sha256, certificate.subject_public_key_info);
  std::ranges::copy(digest.bytes(), pin.begin());
  return pin;
}

}  // namespace quoll::x509
