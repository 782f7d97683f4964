// TLS 1.3 known answers: crypto-kat's certificate_verify_content.
#include <stdexcept>

#include "tests/vectors/families.h"
#include "tls/certificate_verify.h"

namespace quoll::vectors {
namespace {

void run_certificate_verify(const json& file, Report& report) {
  for (const json& test : file.at("cases")) {
    const auto side = test.at("side").get<std::string>();
    if (side != "server" && side != "client") throw std::invalid_argument("no side " + side);
    uint8_t content[tls::kCertificateVerifyContentSizeMax];
    const size_t size = tls::certificate_verify_content(side == "server" ? tls::Side::server : tls::Side::client,
                                                        bytes_of(test, "transcript_hash"), content);
    const auto expected = bytes_of(test, "signed_content");
    report.check(std::vector<uint8_t>(content, content + size) == expected, "CertificateVerify of the " + side);
  }
}

}  // namespace

Handler tls_handler(const json& file) {
  return first_case_has(file, {"side", "transcript_hash", "signed_content"}) ? run_certificate_verify : nullptr;
}

}  // namespace quoll::vectors
