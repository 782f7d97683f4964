#include "tls/certificate_verify.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"

namespace quoll::tls {

size_t certificate_verify_content(Side signer, Bytes transcript_hash, MutBytes out) {
  constexpr size_t kSpaces = 64;
  const std::string_view context =
      signer == Side::server ? "TLS 1.3, server CertificateVerify" : "TLS 1.3, client CertificateVerify";
  const size_t size = kSpaces + context.size() + 1 + transcript_hash.size();
  QUOLL_CHECK(size <= out.size());
  uint8_t* at = std::fill_n(out.data(), kSpaces, uint8_t{' '});
  copy_bytes(at, as_bytes(context));
  at += context.size();
  *at++ = 0;
  copy_bytes(at, transcript_hash);
  return size;
}

}  // namespace quoll::tls
