#include "app/serve_certificates.h"

#include "app/cert.h"
#include "crypto/ct.h"
#include "os/system_rng.h"
#include "tls/x509/certificate_maker.h"

namespace quoll::app {
namespace {

constexpr int64_t kClockSkew = 3600;  // seconds that a client's clock may be behind ours
constexpr int64_t kSecondsPerDay = 86'400;

std::unexpected<std::string> failure(const std::string& subject, const Error& error) {
  return std::unexpected(subject + ": " + error_text(error));
}

std::expected<std::shared_ptr<const tls::Identity>, std::string> read_identity(const CertificateFiles& files) {
  auto certificates = read_certificates(files.chain);
  if (!certificates) return failure(files.chain, certificates.error());
  auto key = read_private_key(files.key);
  if (!key) return failure(files.key, key.error());
  std::vector<std::vector<uint8_t>> chain;
  for (const x509::Certificate& certificate : *certificates) {
    chain.emplace_back(certificate.der().begin(), certificate.der().end());
  }
  auto identity = tls::Identity::create(std::move(chain), std::move(*key));
  if (!identity) return failure(files.chain + " with " + files.key, identity.error());
  return std::make_shared<const tls::Identity>(std::move(*identity));
}

std::expected<x509::PrivateKey, std::string> copy_of(const x509::PrivateKey& key) {
  std::vector<uint8_t> der = key.to_pkcs8();
  auto copy = x509::PrivateKey::parse_der(crypto::best(), der);
  crypto::ct::wipe(der.data(), der.size());
  if (!copy) return failure("the new key", copy.error());
  return std::move(*copy);
}

}  // namespace

std::expected<tls::Identities, std::string> ServeCertificates::load() {
  if (files_.empty()) return make();
  tls::Identities identities;
  for (const CertificateFiles& files : files_) {
    auto identity = read_identity(files);
    if (!identity) return std::unexpected(identity.error());
    identities.push_back(std::move(*identity));
  }
  return identities;
}

std::expected<tls::Identities, std::string> ServeCertificates::make() {
  Rng& rng = os::thread_rng();
  if (!key_) {
    auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ecdsa_p256, rng);
    if (!key) return failure("the new key", key.error());
    key_ = std::move(*key);
  }
  x509::CertificateRequest request;
  request.common_name = "localhost";
  request.names = {"localhost", "127.0.0.1", "::1"};
  request.not_before = UnixTime::from_seconds(now().as_seconds() - kClockSkew);
  // RFC 5280 §4.1.2.5: both ends belong to the validity.
  request.not_after = UnixTime::from_seconds(request.not_before.as_seconds() + kDays * kSecondsPerDay - 1);
  auto der = x509::make_certificate(request, key_->public_key_info(), nullptr, *key_, rng);
  if (!der) return failure("the new certificate", der.error());
  const auto certificate = x509::Certificate::parse(*der);
  if (!certificate) return failure("the new certificate", certificate.error());
  pin_ = pin_text(*certificate);
  auto key = copy_of(*key_);
  if (!key) return std::unexpected(key.error());
  std::vector<std::vector<uint8_t>> chain;
  chain.push_back(std::move(*der));
  auto identity = tls::Identity::create(std::move(chain), std::move(*key));
  if (!identity) return failure("the new certificate", identity.error());
  return tls::Identities{std::make_shared<const tls::Identity>(std::move(*identity))};
}

}  // namespace quoll::app
