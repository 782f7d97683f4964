// The identity of both sides in the fuzz targets of handshakes: always the same key and certificate.
#pragma once

#include <memory>

#include "tests/support/random.h"
#include "tls/identity.h"
#include "tls/x509/certificate_maker.h"

namespace quoll::fuzz {

inline constexpr UnixTime kNow = UnixTime::from_seconds(1'800'000'000);

inline const std::shared_ptr<const tls::Identity>& identity() {
  static const std::shared_ptr<const tls::Identity> made = [] {
    tests::SeededRng rng(1);
    auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ed25519, rng);
    x509::CertificateRequest request;
    request.names = {"example.com"};
    request.not_before = kNow - Duration::seconds(3'600);
    request.not_after = kNow + Duration::seconds(3'600);
    request.client_auth = true;
    const auto der = x509::make_certificate(request, key->public_key_info(), nullptr, *key, rng);
    return std::make_shared<const tls::Identity>(tls::Identity::create({*der}, std::move(*key)).value());
  }();
  return made;
}

}  // namespace quoll::fuzz
