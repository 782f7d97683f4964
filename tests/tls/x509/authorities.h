// Keys with certificates that issue others, for tests of paths: real signatures, real structure, any fault on demand.
#pragma once

#include <string>
#include <vector>

#include "tests/support/random.h"
#include "tests/tls/x509/der_builder.h"
#include "tls/x509/certificate_maker.h"
#include "tls/x509/trust_store.h"
#include "tls/x509/verify.h"

namespace quoll::tests {

inline constexpr int64_t kYear2026 = 1'767'225'600;
inline constexpr int64_t kDay = 86'400;

/// A key and a certificate for it.
struct Party {
  x509::PrivateKey key;
  x509::Certificate certificate;
};

/// Valid from the beginning of 2026 for a year.
inline x509::CertificateRequest authority_request(std::string name) {
  return {.common_name = std::move(name),
          .not_before = UnixTime::from_seconds(kYear2026),
          .not_after = UnixTime::from_seconds(kYear2026 + 365 * kDay),
          .is_ca = true};
}
inline x509::CertificateRequest leaf_request(std::string name) {
  x509::CertificateRequest request = authority_request(name);
  request.is_ca = false;
  request.names = {std::move(name)};
  return request;
}

/// Makes parties. Anything that goes wrong in it is a fault of the test, and throws (std::bad_expected_access).
class Authorities {
 public:
  explicit Authorities(uint64_t seed) : rng_(test_seed(seed)) {}

  x509::PrivateKey key(x509::KeyType type = x509::KeyType::ecdsa_p256) {
    return std::move(x509::PrivateKey::generate(crypto::best(), type, rng_).value());
  }

  /// A certificate for `key`; without issuer self-signed.
  x509::Certificate certify(const x509::CertificateRequest& request, const x509::PrivateKey& key,
                            const Party* issuer = nullptr) {
    const auto der = x509::make_certificate(request, key.public_key_info(), issuer ? &issuer->certificate : nullptr,
                                            issuer ? issuer->key : key, rng_);
    return std::move(x509::Certificate::parse(der.value()).value());
  }

  Party make(const x509::CertificateRequest& request, const Party* issuer = nullptr,
             x509::KeyType type = x509::KeyType::ecdsa_p256) {
    x509::PrivateKey fresh = key(type);
    x509::Certificate certificate = certify(request, fresh, issuer);
    return {std::move(fresh), std::move(certificate)};
  }
  Party root(std::string name = "Root") { return make(authority_request(std::move(name))); }
  Party authority(std::string name, const Party& issuer) { return make(authority_request(std::move(name)), &issuer); }
  Party leaf(std::string name, const Party& issuer) { return make(leaf_request(std::move(name)), &issuer); }

 private:
  SeededRng rng_;
};

template <class... Certificates>
std::vector<x509::Certificate> chain_of(const Certificates&... certificates) {
  std::vector<x509::Certificate> chain;
  (chain.push_back(certificates.clone()), ...);
  return chain;
}

template <class... Certificates>
x509::TrustStore store_of(const Certificates&... certificates) {
  x509::TrustStore store;
  (store.add(certificates.clone()), ...);
  return store;
}

/// In the middle of the validity of what Authorities makes.
inline x509::VerifyOptions options_for(std::string_view host) {
  x509::VerifyOptions options;
  options.host = host;
  options.now = UnixTime::from_seconds(kYear2026 + 100 * kDay);
  return options;
}

}  // namespace quoll::tests
