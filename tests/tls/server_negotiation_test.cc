#include "tls/server_negotiation.h"

#include <memory>

#include "tests/support/random.h"
#include "tests/tls/hello_draft.h"
#include "tls/alert.h"
#include "tls/x509/certificate_maker.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using tests::Buffer;
using tests::HelloDraft;
using tests::protocols_of;
using tests::shares_of;
using tests::wire;

constexpr NamedGroup kGreaseGroup{0x2a2a};
constexpr CipherSuite kGreaseSuite{0x3a3a};

template <class T>
bool aborts(const Result<T>& result, Alert alert) {
  return !result && result.error().domain == ErrorDomain::tls && result.error().code == static_cast<uint64_t>(alert);
}

bool check_aborts(HelloDraft draft, Alert alert, Mode mode = Mode::quic) {
  return aborts(check_client_hello(draft.view(), mode), alert);
}

bool passes(HelloDraft draft, Mode mode = Mode::quic) { return check_client_hello(draft.view(), mode).has_value(); }

HelloDraft stream_draft() {
  HelloDraft draft;
  draft.transport_parameters.reset();
  return draft;
}

HelloDraft psk_draft() {
  HelloDraft draft;
  draft.psk_modes = Buffer{1};
  draft.psks = {{.identity = {1, 2}}};
  return draft;
}

std::shared_ptr<const Identity> identity_for(std::vector<std::string> names, x509::KeyType type) {
  tests::SeededRng rng(7);
  auto key = x509::PrivateKey::generate(crypto::best(), type, rng);
  REQUIRE(key);
  const auto der = x509::make_certificate({.common_name = "server",
                                           .names = std::move(names),
                                           .not_before = UnixTime::from_seconds(1'700'000'000),
                                           .not_after = UnixTime::from_seconds(1'900'000'000)},
                                          key->public_key_info(), nullptr, *key, rng);
  REQUIRE(der);
  auto identity = Identity::create({*der}, std::move(*key));
  REQUIRE(identity);
  return std::make_shared<const Identity>(std::move(*identity));
}

ClientPolicy policy_that_requires() {
  ClientPolicy policy;
  policy.authentication = ClientAuthentication::required;
  return policy;
}

std::optional<CipherSuite> suite_of(std::initializer_list<CipherSuite> offered,
                                    std::optional<crypto::HashId> hash = {}) {
  const Buffer raw = wire(offered);
  const Preferences preferences;
  return choose_cipher_suite(crypto::best(), CodeList<CipherSuite>(raw), preferences.cipher_suites, hash);
}

TEST_CASE("an ordinary ClientHello passes, over QUIC and over a stream") {
  CHECK(passes(HelloDraft()));
  CHECK(passes(stream_draft(), Mode::stream));
  CHECK(passes(psk_draft()));
}

// RFC 8446 §4.2.1
TEST_CASE("a ClientHello without TLS 1.3 in supported_versions ends with protocol_version") {
  HelloDraft draft;
  draft.versions.reset();
  CHECK(check_aborts(draft, Alert::protocol_version));
  draft.versions = wire<uint16_t>({0x0303, 0x0302});
  CHECK(check_aborts(draft, Alert::protocol_version));
  draft.versions = wire<uint16_t>({0x7a7a, 0x0305, kTls13});
  CHECK(passes(draft));
}

// RFC 9846 §4.2.2
TEST_CASE("legacy_version is TLS 1.2's whatever is offered") {
  HelloDraft draft;
  for (const uint16_t version : std::initializer_list<uint16_t>{0x0002, 0x0300, 0x0301, 0x0302, 0x0304, 0xffff}) {
    draft.legacy_version = version;
    CHECK(check_aborts(draft, Alert::protocol_version));
  }
  draft.legacy_version = 0x0303;
  CHECK(passes(draft));
}

// RFC 8446 §4.1.2
TEST_CASE("compression methods other than null alone are illegal") {
  HelloDraft draft;
  for (const Buffer& methods : {Buffer{}, Buffer{1}, Buffer{0, 1}, Buffer{1, 0}, Buffer{0, 0}}) {
    draft.compression_methods = methods;
    CHECK(check_aborts(draft, Alert::illegal_parameter));
  }
}

// RFC 9001 §8.2, §8.4
TEST_CASE("QUIC wants transport parameters and no compatibility mode, a stream the opposite") {
  HelloDraft draft;
  draft.session_id = Buffer(32, 1);
  const auto refused = check_client_hello(draft.view(), Mode::quic);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().domain == ErrorDomain::transport);  // PROTOCOL_VIOLATION
  CHECK(refused.error().code == 0x0a);
  CHECK(check_aborts(draft, Alert::unsupported_extension, Mode::stream));
  draft.transport_parameters.reset();
  CHECK(passes(draft, Mode::stream));
  draft.session_id.clear();
  CHECK(check_aborts(draft, Alert::missing_extension));
}

// RFC 8446 §9.2
TEST_CASE("without a PSK, signature_algorithms and supported_groups are mandatory") {
  HelloDraft draft;
  draft.signature_algorithms.reset();
  CHECK(check_aborts(draft, Alert::missing_extension));
  draft = HelloDraft();
  draft.groups.reset();
  CHECK(check_aborts(draft, Alert::missing_extension));
  draft.key_shares.reset();
  CHECK(check_aborts(draft, Alert::missing_extension));
}

// RFC 8446 §9.2
TEST_CASE("supported_groups and key_share come together, also with a PSK") {
  HelloDraft draft = psk_draft();
  draft.groups.reset();
  CHECK(check_aborts(draft, Alert::missing_extension));
  draft = psk_draft();
  draft.key_shares.reset();
  CHECK(check_aborts(draft, Alert::missing_extension));
  draft.groups.reset();
  draft.signature_algorithms.reset();
  CHECK(passes(draft));
}

// RFC 8446 §4.2.9, §4.2.10
TEST_CASE("pre_shared_key needs its modes, and early_data needs pre_shared_key") {
  HelloDraft draft = psk_draft();
  draft.psk_modes.reset();
  CHECK(check_aborts(draft, Alert::missing_extension));
  draft = HelloDraft();
  draft.early_data = true;
  CHECK(check_aborts(draft, Alert::illegal_parameter));
  draft = psk_draft();
  draft.early_data = true;
  CHECK(passes(draft));
}

// RFC 8446 §4.2.8
TEST_CASE("key shares are of groups in supported_groups, in whatever order") {
  HelloDraft draft;
  draft.groups = wire({kGreaseGroup, NamedGroup::x25519, NamedGroup::secp384r1, NamedGroup::secp256r1});
  const auto verdict = [&draft](std::initializer_list<NamedGroup> groups) {
    draft.key_shares = shares_of(groups);
    return passes(draft) || !check_aborts(draft, Alert::illegal_parameter);
  };
  CHECK(verdict({}));
  CHECK(verdict({NamedGroup::secp256r1}));
  CHECK(verdict({kGreaseGroup, NamedGroup::x25519}));
  CHECK(verdict({NamedGroup::x25519, NamedGroup::secp256r1}));
  CHECK(verdict({NamedGroup::secp256r1, NamedGroup::x25519}));
  CHECK_FALSE(verdict({NamedGroup::x25519_mlkem768, NamedGroup::x25519}));
  CHECK_FALSE(verdict({NamedGroup{0x4a4a}}));
}

TEST_CASE("the server's order of suites decides, GREASE and unknown ones aside") {
  CHECK(suite_of({CipherSuite::aes_256_gcm_sha384, CipherSuite::aes_128_gcm_sha256}) ==
        CipherSuite::aes_128_gcm_sha256);
  CHECK(suite_of({kGreaseSuite, CipherSuite{0x1304}, CipherSuite::aes_256_gcm_sha384}) ==
        CipherSuite::aes_256_gcm_sha384);
  CHECK_FALSE(suite_of({kGreaseSuite, CipherSuite{0x1304}}));
}

TEST_CASE("a client that lists ChaCha20 first gets it") {
  CHECK(suite_of({kGreaseSuite, CipherSuite::chacha20_poly1305_sha256, CipherSuite::aes_128_gcm_sha256}) ==
        CipherSuite::chacha20_poly1305_sha256);
  CHECK(suite_of({CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) ==
        CipherSuite::aes_256_gcm_sha384);
  const Buffer raw = wire({CipherSuite::chacha20_poly1305_sha256, CipherSuite::aes_128_gcm_sha256});
  const std::vector<CipherSuite> only_aes = {CipherSuite::aes_128_gcm_sha256};
  CHECK(choose_cipher_suite(crypto::best(), CodeList<CipherSuite>(raw), only_aes) == CipherSuite::aes_128_gcm_sha256);
}

TEST_CASE("a suite can be asked for by its hash") {
  const auto all = {CipherSuite::chacha20_poly1305_sha256, CipherSuite::aes_128_gcm_sha256,
                    CipherSuite::aes_256_gcm_sha384};
  CHECK(suite_of(all, crypto::HashId::sha384) == CipherSuite::aes_256_gcm_sha384);
  CHECK(suite_of(all, crypto::HashId::sha256) == CipherSuite::chacha20_poly1305_sha256);
  CHECK_FALSE(suite_of({CipherSuite::aes_128_gcm_sha256}, crypto::HashId::sha384));
}

TEST_CASE("the best group with a share wins over a better one without, and the client is told") {
  const std::vector<NamedGroup> ours = Preferences().groups;
  HelloDraft draft;
  draft.groups = wire({kGreaseGroup, NamedGroup::x25519_mlkem768, NamedGroup::secp256r1, NamedGroup::x25519});
  draft.key_shares = shares_of({kGreaseGroup, NamedGroup::secp256r1, NamedGroup::x25519});
  auto choice = choose_group(draft.view(), ours);
  REQUIRE(choice);
  CHECK(choice->group == NamedGroup::x25519);
  CHECK(choice->has_share);
  CHECK(choice->client_has_better);

  draft.groups = wire({NamedGroup::x25519});
  draft.key_shares = shares_of({NamedGroup::x25519});
  choice = choose_group(draft.view(), ours);
  REQUIRE(choice);
  CHECK(choice->has_share);
  CHECK_FALSE(choice->client_has_better);
}

TEST_CASE("without a usable share the best common group is asked for, and without a common group the handshake fails") {
  HelloDraft draft;
  draft.groups = wire({kGreaseGroup, NamedGroup::secp384r1, NamedGroup::secp256r1});
  draft.key_shares = shares_of({kGreaseGroup});
  const auto choice = choose_group(draft.view(), Preferences().groups);
  REQUIRE(choice);
  CHECK(choice->group == NamedGroup::secp256r1);
  CHECK_FALSE(choice->has_share);
  draft.groups = wire({kGreaseGroup});
  CHECK(aborts(choose_group(draft.view(), Preferences().groups), Alert::handshake_failure));
  draft.groups.reset();
  draft.key_shares.reset();
  CHECK(aborts(choose_group(draft.view(), Preferences().groups), Alert::handshake_failure));
}

// RFC 7301 §3.2, RFC 9001 §8.1
TEST_CASE("the server's order of protocols decides; over QUIC there has to be one") {
  const std::vector<std::string> ours = {"h3", "hq-interop"};
  HelloDraft draft;
  draft.protocols = protocols_of({"x", "hq-interop", "h3"});
  CHECK(choose_application_protocol(draft.view(), ours, Mode::quic) == "h3");
  CHECK(choose_application_protocol(draft.view(), {}, Mode::stream) == "");
  draft.protocols = protocols_of({"x", "h33"});
  CHECK(aborts(choose_application_protocol(draft.view(), ours, Mode::quic), Alert::no_application_protocol));
  CHECK(aborts(choose_application_protocol(draft.view(), ours, Mode::stream), Alert::no_application_protocol));
  draft.protocols.reset();
  CHECK(aborts(choose_application_protocol(draft.view(), ours, Mode::quic), Alert::no_application_protocol));
  CHECK(choose_application_protocol(draft.view(), ours, Mode::stream) == "");
}

// RFC 6066 §3
TEST_CASE("server names are compared in lower case and without the final dot") {
  const ServerConfig config;
  HelloDraft draft;
  draft.server_name = "WWW.Example.COM.";
  CHECK(requested_server_name(draft.view(), config) == "www.example.com");
  draft.server_name.reset();
  CHECK(requested_server_name(draft.view(), config) == "");
}

TEST_CASE("a server name that is none is unrecognized") {
  const ServerConfig config;
  HelloDraft draft;
  draft.server_name = std::string("a\0b", 3);
  CHECK(aborts(requested_server_name(draft.view(), config), Alert::unrecognized_name));
  draft.server_name = "a b";
  CHECK(aborts(requested_server_name(draft.view(), config), Alert::unrecognized_name));
  draft.server_name = std::string(kServerNameSizeMax, 'a');
  CHECK(requested_server_name(draft.view(), config));
  draft.server_name = std::string(kServerNameSizeMax + 1, 'a');
  CHECK(aborts(requested_server_name(draft.view(), config), Alert::unrecognized_name));
}

TEST_CASE("a strict server knows the names of its identities only") {
  ServerConfig config;
  config.identities = {identity_for({"example.com", "*.example.org"}, x509::KeyType::ecdsa_p256)};
  HelloDraft draft;
  draft.server_name = "other.example";
  CHECK(requested_server_name(draft.view(), config) == "other.example");
  config.strict_server_name = true;
  CHECK(aborts(requested_server_name(draft.view(), config), Alert::unrecognized_name));
  draft.server_name = "a.example.org";
  CHECK(requested_server_name(draft.view(), config) == "a.example.org");
  draft.server_name.reset();
  CHECK(requested_server_name(draft.view(), config) == "");
}

TEST_CASE("the identity is that of the name whose key can sign for the client") {
  ServerConfig config;
  config.identities = {identity_for({"example.com"}, x509::KeyType::ecdsa_p256),
                       identity_for({"example.org"}, x509::KeyType::ed25519)};
  HelloDraft draft;
  auto chosen = choose_server_identity(draft.view(), config, "example.org");
  REQUIRE(chosen);
  CHECK(chosen->identity == config.identities[1].get());
  CHECK(chosen->scheme == SignatureScheme::ed25519);
  CHECK(chosen->name_matched);
  chosen = choose_server_identity(draft.view(), config, "");
  REQUIRE(chosen);
  CHECK(chosen->identity == config.identities[0].get());

  draft.signature_algorithms = wire({SignatureScheme::ecdsa_secp256r1_sha256});
  chosen = choose_server_identity(draft.view(), config, "example.org");
  REQUIRE(chosen);
  CHECK(chosen->identity == config.identities[0].get());
  CHECK_FALSE(chosen->name_matched);
  config.strict_server_name = true;
  CHECK(aborts(choose_server_identity(draft.view(), config, "example.org"), Alert::handshake_failure));
}

// RFC 8446 §4.1.1, §4.2.3
TEST_CASE("no common signature scheme fails the handshake, and none at all is a missing extension") {
  ServerConfig config;
  config.identities = {identity_for({"example.com"}, x509::KeyType::ecdsa_p256)};
  HelloDraft draft;
  draft.signature_algorithms = wire({SignatureScheme{0x5a5a}, SignatureScheme::ed25519});
  CHECK(aborts(choose_server_identity(draft.view(), config, "example.com"), Alert::handshake_failure));
  draft.signature_algorithms.reset();
  CHECK(aborts(choose_server_identity(draft.view(), config, "example.com"), Alert::missing_extension));
}

TEST_CASE("a name may have a client policy of its own, however it is written") {
  ServerConfig config;
  config.client_policies.emplace_back("Admin.example.com", policy_that_requires());
  CHECK(client_policy_for(config, "admin.example.com").authentication == ClientAuthentication::required);
  CHECK(client_policy_for(config, "example.com").authentication == ClientAuthentication::none);
  CHECK(client_policy_for(config, "").authentication == ClientAuthentication::none);
}

TEST_CASE("only psk_dhe_ke makes a PSK usable") {
  HelloDraft draft;
  CHECK_FALSE(accepts_psk_dhe_ke(draft.view()));
  draft.psk_modes = Buffer{0};
  CHECK_FALSE(accepts_psk_dhe_ke(draft.view()));
  draft.psk_modes = Buffer{0x0b, 0, 1};
  CHECK(accepts_psk_dhe_ke(draft.view()));
}

TEST_CASE("configurations that cannot work are usage errors") {
  const auto refused = [](auto change, Mode mode = Mode::quic) {
    ServerConfig config;
    config.identities = {identity_for({"example.com"}, x509::KeyType::ed25519)};
    config.application_protocols = {"h3"};
    REQUIRE(check_server_config(config, mode));
    change(config);
    const Result<void> result = check_server_config(config, mode);
    return !result && result.error().domain == ErrorDomain::usage;
  };
  CHECK(refused([](ServerConfig& config) { config.preferences.cipher_suites.clear(); }));
  CHECK(refused([](ServerConfig& config) { config.preferences.cipher_suites.push_back(kGreaseSuite); }));
  CHECK(refused([](ServerConfig& config) { config.preferences.groups.clear(); }));
  CHECK(refused([](ServerConfig& config) { config.preferences.groups.push_back(kGreaseGroup); }));
  CHECK(refused([](ServerConfig& config) { config.preferences.groups.push_back(NamedGroup::x25519); }));
  CHECK(refused(
      [](ServerConfig& config) { config.preferences.signature_schemes = {SignatureScheme::rsa_pkcs1_sha256}; }));
  CHECK(refused([](ServerConfig& config) { config.identities.clear(); }));
  CHECK(refused([](ServerConfig& config) { config.identities.push_back(nullptr); }));
  CHECK(refused([](ServerConfig& config) { config.application_protocols.clear(); }));
  CHECK_FALSE(refused([](ServerConfig& config) { config.application_protocols.clear(); }, Mode::stream));
  CHECK(refused([](ServerConfig& config) { config.application_protocols.push_back(""); }));
  CHECK(refused([](ServerConfig& config) { config.application_protocols.push_back(std::string(256, 'x')); }));
  CHECK(refused([](ServerConfig& config) { config.ticket_lifetime_seconds = kTicketLifetimeMax + 1; }));
  CHECK(refused([](ServerConfig& config) { config.client_policy.authentication = ClientAuthentication::optional; }));
  CHECK(refused([](ServerConfig& config) { config.client_policies.emplace_back("a", policy_that_requires()); }));
}

TEST_CASE("a client policy that no server name would lead to is a usage error") {
  const auto works_for = [](const char* name) {
    ServerConfig config;
    config.identities = {identity_for({"example.com"}, x509::KeyType::ed25519)};
    config.application_protocols = {"h3"};
    config.client_policies.emplace_back(name, ClientPolicy{});
    return check_server_config(config, Mode::quic).has_value();
  };
  CHECK(works_for("Example.com"));
  CHECK(works_for("_internal.example.com"));
  CHECK_FALSE(works_for(""));
  CHECK_FALSE(works_for("example.com."));
  CHECK_FALSE(works_for("*.example.com"));
  CHECK_FALSE(works_for(" example.com"));
  CHECK_FALSE(works_for("ex\xc3\xa4mple.com"));
}

}  // namespace
}  // namespace quoll::tls
