// The C interface: servers that ask clients for a certificate.
#include <fstream>

#include "os/system_rng.h"
#include "os/wall_clock.h"
#include "tests/capi/support.h"
#include "tests/os/temporary_folder.h"
#include "tls/x509/certificate_maker.h"
#include "tls/x509/pem.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

/// An authority in a file, and a client's identity that it issued.
class Client {
 public:
  Client() {
    const auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ed25519, os::thread_rng()).value();
    x509::CertificateRequest authority = request();
    authority.is_ca = true;
    authority.common_name = "An authority";
    const auto root = x509::make_certificate(authority, key.public_key_info(), nullptr, key, os::thread_rng()).value();
    std::ofstream(trust_file) << x509::write_pem("CERTIFICATE", root);
    const auto issuer = x509::Certificate::parse(root).value();

    const auto own = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ed25519, os::thread_rng()).value();
    x509::CertificateRequest leaf = request();
    leaf.common_name = "A client";
    leaf.client_auth = true;
    der = x509::make_certificate(leaf, own.public_key_info(), &issuer, key, os::thread_rng()).value();
    const std::string chain = x509::write_pem("CERTIFICATE", der);
    const std::string text = x509::write_pem("PRIVATE KEY", own.to_pkcs8());
    QUOLL_CHECK(quoll_identity_from_pem(chain.data(), chain.size(), text.data(), text.size(), &identity) == QUOLL_OK);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { quoll_identity_free(identity); }

 private:
  static x509::CertificateRequest request() {
    x509::CertificateRequest request;
    request.not_before = os::wall_clock() - Duration::seconds(60);
    request.not_after = os::wall_clock() + Duration::seconds(600);
    return request;
  }
  TemporaryFolder folder_;

 public:
  const std::string trust_file = folder_.path() + "/authority.pem";
  std::vector<uint8_t> der;
  quoll_identity* identity = nullptr;
};

quoll_connection_info info_of(Side& side) {
  auto info = sized<quoll_connection_info>();
  QUOLL_CHECK(quoll_connection_get_info(side.endpoint, side.connection, &info) == QUOLL_OK);
  return info;
}

TEST_CASE("a server knows the client that shows a certificate, for as long as the connection is there") {
  const Identity identity;
  const Client known;
  quoll_endpoint_config client = client_config(identity, false), server = server_config(identity, false);
  server.client_auth = QUOLL_CLIENT_AUTH_REQUIRED;
  server.trust_file = known.trust_file.c_str();
  client.client_identity = known.identity;
  Pair pair(client, server);
  pair.establish();
  pair.wait(5'000'000'000);
  const quoll_connection_info info = info_of(pair.server);
  CHECK(std::vector<uint8_t>(info.peer_certificate, info.peer_certificate + info.peer_certificate_size) == known.der);
  CHECK(info_of(pair.client).peer_certificate == nullptr);  // confirmed
}

TEST_CASE("a client without a certificate is let in where that is optional, and else is not") {
  const Identity identity;
  const Client nobody;
  for (const int wanted : {QUOLL_CLIENT_AUTH_OPTIONAL, QUOLL_CLIENT_AUTH_REQUIRED}) {
    quoll_endpoint_config server = server_config(identity, false);
    server.client_auth = wanted;
    server.trust_file = nobody.trust_file.c_str();
    Pair pair(client_config(identity, false), server);
    CHECK(pair.connect(pair.options()) == QUOLL_OK);
    pair.run();
    const bool is_in = pair.server.find(QUOLL_EVENT_CONNECTED) != nullptr;
    CHECK(is_in == (wanted == QUOLL_CLIENT_AUTH_OPTIONAL));
    if (is_in) {
      CHECK(info_of(pair.server).peer_certificate == nullptr);
    } else {
      REQUIRE(pair.client.find(QUOLL_EVENT_CLOSED));
      CHECK(pair.client.find(QUOLL_EVENT_CLOSED)->error_code == 0x100 + 116);  // certificate_required
    }
  }
}

}  // namespace
}  // namespace quoll::tests
