// What the example servers share: a certificate for "localhost" made on the spot, good for a day. A server of your own reads
// its certificate from files: web::load_identity().
#pragma once

#include <memory>

#include "os/system_rng.h"
#include "os/wall_clock.h"
#include "tls/identity.h"
#include "tls/x509/certificate_maker.h"

namespace examples {

inline std::shared_ptr<const quoll::tls::Identity> self_signed() {
  using namespace quoll;
  auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ecdsa_p256, os::thread_rng()).value();
  const auto day = Duration::seconds(24 * 3600);
  const x509::CertificateRequest request{
      .names = {"localhost"}, .not_before = os::wall_clock() - day, .not_after = os::wall_clock() + day};
  auto leaf = x509::make_certificate(request, key.public_key_info(), nullptr, key, os::thread_rng()).value();
  return std::make_shared<const tls::Identity>(tls::Identity::create({std::move(leaf)}, std::move(key)).value());
}

}  // namespace examples
