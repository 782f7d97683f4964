#include "tls/certificate_verify.h"

#include <string>
#include <vector>

#include "base/bytes.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

// RFC 8446 §4.4.3 gives the content for a transcript hash of 32 bytes of 01.
TEST_CASE("a server's CertificateVerify signs spaces, context, zero and transcript hash") {
  const std::vector<uint8_t> hash(32, 1);
  uint8_t content[kCertificateVerifyContentSizeMax];
  const size_t size = certificate_verify_content(Side::server, hash, content);
  REQUIRE(size == 130);
  CHECK(as_text(Bytes(content).first(64)) == std::string(64, ' '));
  CHECK(as_text(Bytes(content).subspan(64, 33)) == "TLS 1.3, server CertificateVerify");
  CHECK(content[97] == 0);
  CHECK(std::vector<uint8_t>(content + 98, content + 130) == hash);
}

TEST_CASE("a client's CertificateVerify names the client, and takes hashes up to SHA-512's size") {
  const std::vector<uint8_t> hash(64, 7);
  uint8_t content[kCertificateVerifyContentSizeMax];
  CHECK(certificate_verify_content(Side::client, hash, content) == sizeof content);
  CHECK(as_text(Bytes(content).subspan(64, 33)) == "TLS 1.3, client CertificateVerify");
}

}  // namespace
}  // namespace quoll::tls
