#include "tls/client_offer.h"

#include <set>

#include "tests/tls/support.h"
#include "tls/alert.h"
#include "tls/cipher_suite.h"
#include "tls/peer_verification.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using namespace tests;

/// A ClientHello with the bytes that it is a view of.
struct Written {
  std::vector<uint8_t> bytes;
  ClientHello hello;
};

Written write(const ClientOffer& offer, const Transcript& transcript = {}, UnixTime now = kNow) {
  Written written{.bytes = must(offer.write(transcript, now)), .hello = {}};
  written.hello = must(parse_client_hello(Bytes(written.bytes).subspan(kHandshakeHeaderSize)));
  return written;
}

ClientOffer make(Scene& scene) { return must(ClientOffer::make(scene.client, scene.client_options, scene.rng, kNow)); }

template <class Code>
std::vector<Code> codes(const CodeList<Code>& list) {
  std::vector<Code> all;
  for (size_t i = 0; i < list.size(); i++) all.push_back(list[i]);
  return all;
}

std::vector<uint16_t> extension_types(Bytes block) {
  std::vector<uint16_t> types;
  for (Reader reader(block); reader.ok() && reader.remaining() > 0;) {
    types.push_back(reader.u16());
    reader.prefixed_u16();
  }
  return types;
}

std::vector<NamedGroup> shared_groups(KeyShareList shares) {
  std::vector<NamedGroup> groups;
  while (const auto entry = shares.next()) groups.push_back(entry->group);
  return groups;
}

std::vector<uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

TEST_CASE("a ClientHello offers what the configuration says, in its order") {
  Scene scene(Mode::quic);
  scene.client.grease = false;
  scene.client.preferences.cipher_suites = {CipherSuite::chacha20_poly1305_sha256, CipherSuite::aes_128_gcm_sha256};
  scene.client.preferences.groups = {NamedGroup::x25519, NamedGroup::secp384r1, NamedGroup::x25519_mlkem768};
  scene.client.application_protocols = {"h3", "hq-interop"};
  const Written written = write(make(scene));
  const ClientHello& hello = written.hello;
  CHECK(hello.legacy_version == 0x0303);
  CHECK(copy(hello.legacy_compression_methods) == std::vector<uint8_t>{0});
  CHECK(codes(hello.cipher_suites) == scene.client.preferences.cipher_suites);
  REQUIRE(hello.supported_groups.has_value());
  CHECK(codes(*hello.supported_groups) == scene.client.preferences.groups);
  REQUIRE(hello.key_shares.has_value());
  CHECK(shared_groups(*hello.key_shares) == std::vector{NamedGroup::x25519, NamedGroup::secp384r1});
  REQUIRE(hello.supported_versions.has_value());
  CHECK(codes(*hello.supported_versions) == std::vector<uint16_t>{0x0304});
  REQUIRE(hello.application_protocols.has_value());
  CHECK(as_text(hello.application_protocols->raw()) == "\x02h3\x0ahq-interop");
  CHECK(as_text(hello.server_name.value_or(Bytes())) == "example.com");
  CHECK(hello.status_request);
  CHECK(copy(hello.psk_key_exchange_modes.value_or(Bytes())) == std::vector<uint8_t>{1});
  CHECK(copy(hello.quic_transport_parameters.value_or(Bytes())) == std::vector<uint8_t>{1, 2, 3});
  CHECK(!hello.early_data);
  CHECK(!hello.pre_shared_key.has_value());
  CHECK(!hello.cookie.has_value());
  CHECK(!hello.post_handshake_auth);
}

TEST_CASE("certificates may be signed by PKCS#1, a CertificateVerify may not") {
  Scene scene(Mode::quic);
  const Written written = write(make(scene));
  REQUIRE(written.hello.signature_algorithms.has_value());
  REQUIRE(written.hello.signature_algorithms_cert.has_value());
  for (const SignatureScheme scheme :
       {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512}) {
    CHECK(!written.hello.signature_algorithms->contains(scheme));
    CHECK(written.hello.signature_algorithms_cert->contains(scheme));
  }
  CHECK(written.hello.signature_algorithms->size() == default_signature_schemes().size());
}

// RFC 9001 §8.4; RFC 8446 §D.4.
TEST_CASE("a session ID of 32 bytes is for streams alone, as transport parameters are for QUIC") {
  Scene quic(Mode::quic), stream(Mode::stream);
  CHECK(write(make(quic)).hello.legacy_session_id.empty());
  const Written first = write(make(stream)), second = write(make(stream));
  CHECK(first.hello.legacy_session_id.size() == 32);
  CHECK(copy(first.hello.legacy_session_id) != copy(second.hello.legacy_session_id));
  CHECK(first.hello.random != second.hello.random);
  CHECK(!first.hello.quic_transport_parameters.has_value());
}

// RFC 6066 §3.
TEST_CASE("a name is sent without its trailing dot, and addresses are not sent") {
  const auto sent = [](const char* name) {
    Scene scene(Mode::quic);
    scene.client_options.server_name = name;
    const Written written = write(make(scene));
    return std::string(as_text(written.hello.server_name.value_or(Bytes())));
  };
  CHECK(sent("example.com") == "example.com");
  CHECK(sent("example.com.") == "example.com");
  CHECK(sent("192.0.2.1") == "");
  CHECK(sent("2001:db8::1") == "");
}

// RFC 8701 §3.1.
TEST_CASE("GREASE stands in suites, groups, shares, versions and twice among the extensions") {
  std::set<uint16_t> suites;
  for (uint64_t seed = 1; seed < 60; seed++) {
    Scene scene(Mode::quic, seed);
    const Written written = write(make(scene));
    const ClientHello& hello = written.hello;
    CHECK(is_grease(static_cast<uint16_t>(hello.cipher_suites[0])));
    CHECK(is_grease(static_cast<uint16_t>((*hello.supported_groups)[0])));
    CHECK(is_grease((*hello.supported_versions)[0]));
    CHECK((*hello.supported_versions)[1] == 0x0304);
    KeyShareList shares = *hello.key_shares;
    const auto share = shares.next();
    REQUIRE(share.has_value());
    CHECK(share->group == (*hello.supported_groups)[0]);
    CHECK(share->key_exchange.size() == 1);
    size_t extensions = 0;
    for (const uint16_t type : extension_types(hello.extensions)) extensions += is_grease(type);
    CHECK(extensions == 2);  // parse_client_hello has seen that they differ
    suites.insert(static_cast<uint16_t>(hello.cipher_suites[0]));
  }
  CHECK(suites.size() > 8);
}

TEST_CASE("without GREASE nothing of it is there") {
  Scene scene(Mode::quic);
  scene.client.grease = false;
  const Written written = write(make(scene));
  for (const uint16_t type : extension_types(written.hello.extensions)) CHECK(!is_grease(type));
  CHECK(!is_grease(static_cast<uint16_t>(written.hello.cipher_suites[0])));
}

ServerHello retry_for(NamedGroup group, Bytes cookie = {}) {
  ServerHello retry;
  retry.random = kHelloRetryRequestRandom;
  retry.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  retry.supported_version = kTls13;
  retry.selected_group = group;
  if (!cookie.empty()) retry.cookie = cookie;
  return retry;
}

// RFC 8446 §4.1.2.
TEST_CASE("a second ClientHello is the first but for its share and its cookie") {
  Scene scene(Mode::stream);
  ClientOffer offer = make(scene);
  const Written first = write(offer);
  const uint8_t cookie[] = {7, 7, 7};
  REQUIRE(offer.amend(retry_for(NamedGroup::secp384r1, cookie), scene.rng).has_value());
  const Written second = write(offer);
  CHECK(shared_groups(*second.hello.key_shares) == std::vector{NamedGroup::secp384r1});
  CHECK(copy(second.hello.cookie.value_or(Bytes())) == std::vector<uint8_t>{7, 7, 7});

  // With the first one's share and no cookie it would be the same, byte for byte.
  ClientHello undone = second.hello;
  undone.key_shares = first.hello.key_shares;
  undone.cookie.reset();
  std::vector<RawExtension> grease;
  Reader extensions(second.hello.extensions);
  while (extensions.remaining() > 0) {
    const ExtensionType type{extensions.u16()};
    const Bytes data = extensions.prefixed_u16().rest();
    if (is_grease(static_cast<uint16_t>(type))) grease.push_back({.type = type, .data = data});
  }
  std::vector<uint8_t> rewritten;
  append_message(rewritten, [&](auto& sink) { write_client_hello(sink, undone, grease); });
  CHECK(rewritten == first.bytes);
}

TEST_CASE("a cookie alone leaves the shares as they were") {
  Scene scene(Mode::quic);
  ClientOffer offer = make(scene);
  const Written first = write(offer);
  const uint8_t cookie[] = {7};
  ServerHello retry = retry_for(NamedGroup::x25519, cookie);
  retry.selected_group.reset();
  REQUIRE(offer.amend(retry, scene.rng).has_value());
  const Written second = write(offer);
  CHECK(copy(second.hello.key_shares->raw()) == copy(first.hello.key_shares->raw()));
  CHECK(second.hello.cookie.has_value());
}

TEST_CASE("a HelloRetryRequest that asks for what it must not is an illegal_parameter") {
  const auto alert = [](const ServerHello& retry) {
    Scene scene(Mode::quic);
    scene.client.preferences.groups = {NamedGroup::x25519, NamedGroup::secp256r1};
    scene.client.key_shares = 1;
    ClientOffer offer = make(scene);
    return alert_of(offer.amend(retry, scene.rng));
  };
  constexpr int kIllegal = static_cast<int>(Alert::illegal_parameter);
  CHECK(alert(retry_for(NamedGroup::secp256r1)) == -1);
  CHECK(alert(retry_for(NamedGroup::x25519)) == kIllegal);     // sent already
  CHECK(alert(retry_for(NamedGroup::secp384r1)) == kIllegal);  // not offered
  ServerHello nothing = retry_for(NamedGroup::x25519);
  nothing.selected_group.reset();
  CHECK(alert(nothing) == kIllegal);
  const std::vector<uint8_t> huge(40'000, 1);
  CHECK(alert(retry_for(NamedGroup::secp256r1, huge)) == kIllegal);
}

ExternalPsk external(uint8_t fill, crypto::HashId hash) {
  ExternalPsk psk{.identity = {'p', 's', 'k', fill}, .key = crypto::Digest(32), .hash = hash};
  std::fill_n(psk.key.data(), 32, fill);
  return psk;
}

/// RFC 8446 §4.2.11.2, worked out from the message that is on the wire.
void check_binder(const Written& written, size_t index, const crypto::HashAlgorithm& hash, Bytes psk, PskKind kind,
                  const Transcript& before) {
  REQUIRE(written.hello.pre_shared_key.has_value());
  const PskOffer& offer = *written.hello.pre_shared_key;
  const Bytes truncated = Bytes(written.bytes).first(kHandshakeHeaderSize + offer.binders_offset);
  const Digest expected =
      finished_mac(hash, KeySchedule(hash, psk).binder_key(kind), before.digest_with(hash, truncated));
  CHECK(copy(offer.binder(index)) == copy(expected));
}

ClientTicket make_ticket(CipherSuite suite) {
  ClientTicket ticket;
  ticket.server_name = "example.com";
  ticket.application_protocol = "h3";
  ticket.cipher_suite = suite;
  ticket.psk = crypto::Digest(hash_of(crypto::best(), suite).digest_size);
  ticket.psk.data()[3] = 5;
  ticket.ticket = {1, 2, 3, 4};
  ticket.lifetime_seconds = 3600;
  ticket.age_add = 0xfffffff0;
  ticket.max_early_data_size = 0xffffffff;
  ticket.received = kNow - Duration::seconds(10);
  ticket.authenticated_until = kNow + kDay;
  ticket.server_verified = true;
  return ticket;
}

TEST_CASE("PSKs stand in order, each with its age and a binder of its own hash") {
  Scene scene(Mode::quic);
  const ClientTicket ticket = make_ticket(CipherSuite::aes_256_gcm_sha384);
  const ExternalPsk psk = external(9, crypto::HashId::sha256);
  scene.client_options.ticket = ticket;
  scene.client_options.external_psks = {psk};
  scene.client_options.early_data = true;
  const ClientOffer offer = make(scene);
  CHECK(offer.offers_early_data());
  const Written written = write(offer);
  CHECK(written.hello.early_data);
  REQUIRE(written.hello.pre_shared_key.has_value());
  const PskOffer& offered = *written.hello.pre_shared_key;
  REQUIRE(offered.count == 2);
  CHECK(copy(offered.identity(0).identity) == ticket.ticket);
  CHECK(offered.identity(0).obfuscated_ticket_age == static_cast<uint32_t>(0xfffffff0 + 10'000));
  CHECK(copy(offered.identity(1).identity) == psk.identity);
  CHECK(offered.identity(1).obfuscated_ticket_age == 0);
  check_binder(written, 0, *crypto::best().sha384, ticket.psk, PskKind::resumption, {});
  check_binder(written, 1, *crypto::best().sha256, psk.key, PskKind::external, {});
}

TEST_CASE("after a HelloRetryRequest ages and binders are new, and PSKs with another hash are gone") {
  Scene scene(Mode::quic);
  scene.client.key_shares = 1;
  const ClientTicket ticket = make_ticket(CipherSuite::chacha20_poly1305_sha256);
  scene.client_options.ticket = ticket;
  scene.client_options.external_psks = {external(9, crypto::HashId::sha384)};
  scene.client_options.early_data = true;
  ClientOffer offer = make(scene);
  CHECK(write(offer).hello.pre_shared_key->count == 2);
  REQUIRE(offer.amend(retry_for(NamedGroup::secp256r1), scene.rng).has_value());

  Transcript transcript;
  const std::vector<uint8_t> earlier = {1, 0, 0, 1, 0};
  transcript.choose(*crypto::best().sha256);
  transcript.add(earlier);
  const Written second = write(offer, transcript, kNow + Duration::seconds(1));
  CHECK(!second.hello.early_data);
  REQUIRE(second.hello.pre_shared_key.has_value());
  CHECK(second.hello.pre_shared_key->count == 1);
  CHECK(second.hello.pre_shared_key->identity(0).obfuscated_ticket_age == static_cast<uint32_t>(0xfffffff0 + 11'000));
  check_binder(second, 0, *crypto::best().sha256, ticket.psk, PskKind::resumption, transcript);
}

TEST_CASE("a HelloRetryRequest whose suite has no PSK takes the extension away") {
  Scene scene(Mode::quic);
  scene.client.key_shares = 1;
  scene.client_options.ticket = make_ticket(CipherSuite::aes_256_gcm_sha384);
  ClientOffer offer = make(scene);
  CHECK(write(offer).hello.pre_shared_key.has_value());
  REQUIRE(offer.amend(retry_for(NamedGroup::secp256r1), scene.rng).has_value());
  CHECK(!write(offer).hello.pre_shared_key.has_value());
}

TEST_CASE("a ticket whose PSK has a wrong size, or that is too old, is left out") {
  const auto offered = [](auto change) {
    Scene scene(Mode::quic);
    scene.client_options.ticket = make_ticket(CipherSuite::aes_128_gcm_sha256);
    change(*scene.client_options.ticket);
    return write(make(scene)).hello.pre_shared_key.has_value();
  };
  CHECK(offered([](ClientTicket&) {}));
  CHECK(!offered([](ClientTicket& ticket) { ticket.psk = crypto::Digest(48); }));
  CHECK(!offered([](ClientTicket& ticket) { ticket.cipher_suite = CipherSuite{0x1305}; }));
  CHECK(!offered([](ClientTicket& ticket) { ticket.lifetime_seconds = 9; }));
  CHECK(!offered([](ClientTicket& ticket) { ticket.ticket.clear(); }));
  CHECK(!offered([](ClientTicket& ticket) { ticket.ticket.resize(kTicketSizeMax + 1); }));
  CHECK(!offered([](ClientTicket& ticket) { ticket.server_name = "example.org"; }));
}

}  // namespace
}  // namespace quoll::tls
