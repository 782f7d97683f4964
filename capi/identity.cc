#include "capi/identity.h"

#include <string_view>

#include "capi/status.h"
#include "crypto/ct.h"
#include "os/file.h"
#include "os/system_rng.h"
#include "os/wall_clock.h"
#include "tls/x509/certificate_maker.h"
#include "tls/x509/verify.h"

using namespace quoll;

namespace {

constexpr size_t kPemSizeMax = 1024 * 1024;  // bytes; the longest chains that peers take have an eighth of it
constexpr unsigned kDaysMax = 3650;

int give(Result<tls::Identity> made, quoll_identity** identity) {
  if (!made) return capi::fail(made.error());
  *identity = new quoll_identity{std::make_shared<const tls::Identity>(std::move(*made))};
  return QUOLL_OK;
}

std::string_view text_of(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

int quoll_identity_from_pem(const char* chain, size_t chain_size, const char* key, size_t key_size,
                            quoll_identity** identity) {
  if (!chain || !key || !identity) return capi::invalid("a chain, a key and a place for the identity are wanted");
  return give(tls::Identity::from_pem(crypto::best(), {chain, chain_size}, {key, key_size}), identity);
}

int quoll_identity_from_files(const char* chain_path, const char* key_path, quoll_identity** identity) {
  if (!chain_path || !key_path || !identity) return capi::invalid("two paths and a place for the identity are wanted");
  const Result<std::vector<uint8_t>> chain = os::read_file(chain_path, kPemSizeMax);
  if (!chain) return capi::fail(chain.error());
  Result<std::vector<uint8_t>> key = os::read_file(key_path, kPemSizeMax);
  if (!key) return capi::fail(key.error());
  const int status = give(tls::Identity::from_pem(crypto::best(), text_of(*chain), text_of(*key)), identity);
  crypto::ct::wipe(key->data(), key->size());
  return status;
}

int quoll_identity_self_signed(const char* host, unsigned days, uint8_t* pin, quoll_identity** identity) {
  if (!host || !identity || days == 0 || days > kDaysMax) return capi::invalid("a host and 1 to 3650 days are wanted");
  Result<x509::PrivateKey> key =
      x509::PrivateKey::generate(crypto::best(), x509::KeyType::ecdsa_p256, os::thread_rng());
  if (!key) return capi::fail(key.error());
  const UnixTime now = os::wall_clock();
  const Duration day = Duration::seconds(24 * 3600);
  // From an hour before: clocks differ.
  const x509::CertificateRequest request{
      .names = {host}, .not_before = now - Duration::seconds(3600), .not_after = now + day * days, .client_auth = true};
  Result<std::vector<uint8_t>> leaf =
      x509::make_certificate(request, key->public_key_info(), nullptr, *key, os::thread_rng());
  if (!leaf) return capi::fail(leaf.error());
  const int status = give(tls::Identity::create({std::move(*leaf)}, std::move(*key)), identity);
  if (status == QUOLL_OK && pin) {
    const x509::SpkiPin hash = x509::spki_pin(crypto::best(), (*identity)->identity->leaf());
    std::copy(hash.begin(), hash.end(), pin);
  }
  return status;
}

void quoll_identity_free(quoll_identity* identity) { delete identity; }
