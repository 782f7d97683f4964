// What the examples share: a certificate made on the spot, and the wall clock.
#pragma once

#include <chrono>
#include <memory>

#include "os/system_rng.h"
#include "tls/identity.h"
#include "tls/x509/certificate_maker.h"

namespace examples {

inline quoll::UnixTime wall_clock(quoll::Instant = {}) {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return quoll::UnixTime::from_milliseconds(std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count());
}

/// A key and its certificate for "localhost", good for a day.
inline std::shared_ptr<const quoll::tls::Identity> self_signed() {
  using namespace quoll;
  auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ecdsa_p256, os::thread_rng()).value();
  const auto day = Duration::seconds(24 * 3600);
  const x509::CertificateRequest request{
      .names = {"localhost"}, .not_before = wall_clock() - day, .not_after = wall_clock() + day};
  auto leaf = x509::make_certificate(request, key.public_key_info(), nullptr, key, os::thread_rng()).value();
  return std::make_shared<const tls::Identity>(tls::Identity::create({std::move(leaf)}, std::move(key)).value());
}

}  // namespace examples
