#include "tests/sim/identities.h"

#include "tests/sim/host.h"
#include "tls/identity.h"
#include "tls/x509/certificate_maker.h"

namespace quoll::sim {
namespace {

constexpr Duration kMonth = Duration::seconds(30 * 24 * 3'600);

std::vector<uint8_t> certificate(const x509::PrivateKey& key, std::vector<std::string> names, Rng& rng) {
  x509::CertificateRequest request;
  request.common_name = "Simulation";
  request.names = std::move(names);
  request.not_before = kSimulationEpoch - kMonth;
  request.not_after = kSimulationEpoch + kMonth;
  const auto made = x509::make_certificate(request, key.public_key_info(), nullptr, key, rng);
  QUOLL_CHECK(made);
  return *made;
}

x509::PrivateKey make_key() {
  tests::SeededRng rng(20'270'115);
  auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ecdsa_p256, rng);
  QUOLL_CHECK(key);
  return std::move(*key);
}

/// The leaf, and fillers until the chain has about `size` bytes more.
std::shared_ptr<const tls::Identity> make_identity(uint32_t size) {
  tests::SeededRng rng(7);
  x509::PrivateKey key = make_key();
  std::vector<std::vector<uint8_t>> chain = {certificate(key, {"sim.example"}, rng)};
  if (size > 0) {
    std::vector<std::string> names;
    for (int i = 0; i < 60; i++) names.push_back("a-rather-long-name-" + std::to_string(i) + ".sim.example");
    const std::vector<uint8_t> filler = certificate(key, std::move(names), rng);
    for (size_t total = 0; total < size && chain.size() < tls::Identity::kChainMax; total += filler.size()) {
      chain.push_back(filler);
    }
  }
  auto identity = tls::Identity::create(std::move(chain), std::move(key));
  QUOLL_CHECK(identity);
  return std::make_shared<const tls::Identity>(std::move(*identity));
}

std::shared_ptr<const tls::Identity> identity(uint32_t chain_size) {
  static const std::shared_ptr<const tls::Identity> leaf = make_identity(0);
  static const std::shared_ptr<const tls::Identity> small = make_identity(3'000);
  static const std::shared_ptr<const tls::Identity> middle = make_identity(8'000);
  static const std::shared_ptr<const tls::Identity> large = make_identity(20'000);
  if (chain_size == 0) return leaf;
  if (chain_size <= 3'000) return small;
  return chain_size <= 8'000 ? middle : large;
}

tls::StrikeRegister::Options register_options() {
  tls::StrikeRegister::Options options;
  options.entries_max = 64;
  options.start = kSimulationEpoch - kMonth;
  return options;
}

}  // namespace

SwitchedAntiReplay::SwitchedAntiReplay(Rng& rng) : inner_(register_options(), rng) {}

TlsConfigs make_tls_configs(const ScenarioOptions& options) {
  tests::SeededRng rng(options.seed + 99);
  TlsConfigs configs;
  tls::Preferences preferences;
  preferences.groups = {tls::NamedGroup::x25519};
  if (options.kem > 0) preferences.groups.insert(preferences.groups.begin(), tls::NamedGroup::x25519_mlkem768);
  if (options.chacha > 0) preferences.cipher_suites = {tls::CipherSuite::chacha20_poly1305_sha256};

  auto client = std::make_shared<tls::ClientConfig>();
  client->preferences = preferences;
  client->key_shares = options.hello_retry > 0 ? 0 : 1;
  client->application_protocols = {"sim"};
  client->verification = tls::PeerVerification::none;
  configs.client = std::move(client);

  configs.anti_replay = std::make_shared<SwitchedAntiReplay>(rng);
  auto server = std::make_shared<tls::ServerConfig>();
  server->preferences = preferences;
  server->identities = {identity(options.big_chain)};
  server->application_protocols = {"sim"};
  tls::TicketKeys::Secret secret;
  rng.fill(secret);
  auto keys = tls::TicketKeys::from_secrets(crypto::best(), std::span(&secret, 1));
  QUOLL_CHECK(keys);
  server->ticket_keys = std::move(*keys);
  server->anti_replay = configs.anti_replay;
  configs.server = std::move(server);
  return configs;
}

}  // namespace quoll::sim
