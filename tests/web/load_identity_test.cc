#include "web/load_identity.h"

#include <fstream>

#include "tests/os/temporary_folder.h"
#include "tests/web/fixture.h"
#include "tls/x509/pem.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

void write(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

TEST_SUITE("web load_identity") {
  TEST_CASE("a certificate and its key come from files, and what is wrong with them is told apart") {
    TemporaryFolder folder;
    const auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ed25519, os::thread_rng()).value();
    x509::CertificateRequest request;
    request.names = {"localhost"};
    request.not_before = system_time() - Duration::seconds(1);
    request.not_after = system_time() + Duration::seconds(1);
    const auto der = x509::make_certificate(request, key.public_key_info(), nullptr, key, os::thread_rng()).value();
    const std::string certificate_path = folder.path() + "/cert.pem", key_path = folder.path() + "/key.pem";
    write(certificate_path, x509::write_pem("CERTIFICATE", der));
    write(key_path, x509::write_pem("PRIVATE KEY", key.to_pkcs8()));

    const auto identity = web::load_identity(certificate_path, key_path);
    REQUIRE(identity);
    CHECK((*identity)->is_for("localhost"));

    const auto missing = web::load_identity(folder.path() + "/none.pem", key_path);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().domain == ErrorDomain::system);
    CHECK_FALSE(web::load_identity(certificate_path, folder.path() + "/none.pem"));
    const auto swapped = web::load_identity(key_path, certificate_path);
    REQUIRE_FALSE(swapped);
    CHECK(swapped.error().domain == ErrorDomain::certificate);
  }
}

}  // namespace
}  // namespace quoll::tests
