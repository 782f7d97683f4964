// Whole handshakes, looked at from the server: which outputs come when, what is negotiated, and what it refuses.
#include "tls/server_handshake.h"

#include <algorithm>

#include "tests/tls/hello_draft.h"
#include "tests/tls/server_scene.h"
#include "tls/cipher_suite.h"
#include "tls/server_resumption.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using quoll::tests::Buffer;
using quoll::tests::HelloDraft;
using tests::alert_for_change;
using tests::alert_of;
using tests::Authority;
using tests::complete;
using tests::kDay;
using tests::kNow;
using tests::kProtocolViolation;
using tests::Pump;
using tests::resume;
using tests::Scene;
using tests::sent_by_server;

constexpr int code_of(Alert alert) { return static_cast<int>(alert); }

using Names = std::vector<std::string>;

/// The alert that a server gives for a ClientHello of its own making.
int alert_for_hello(Scene& scene, HelloDraft draft) {
  Session server = scene.make_server();
  const ClientHello hello = draft.view();
  Buffer bytes;
  append_message(bytes, [&](auto& sink) { write_client_hello(sink, hello); });
  return alert_of(server.receive(Level::initial, bytes, kNow));
}

TEST_CASE("a server over QUIC puts out its outputs in the order in which they are acted upon") {
  Scene scene(Mode::quic);
  Pump pump = complete(scene);
  CHECK(pump.server().outputs ==
        Names{"transport parameters", "send", "secret", "secret", "send", "secret", "secret", "complete"});
  CHECK(pump.server().peer_transport_parameters == scene.client_options.transport_parameters);
  const Negotiated& negotiated = pump.server().session.negotiated();
  CHECK(negotiated.application_protocol == "h3");
  CHECK(negotiated.server_name == "example.com");
  CHECK(negotiated.group == NamedGroup::x25519_mlkem768);
  CHECK(negotiated.cipher_suite == CipherSuite::aes_128_gcm_sha256);
  CHECK_FALSE(negotiated.resumed);
  CHECK_FALSE(negotiated.hello_retry);
  CHECK(negotiated.peer_certificates.empty());
}

TEST_CASE("a server over a stream completes without transport parameters, and without a protocol") {
  Scene scene(Mode::stream);
  scene.client.application_protocols.clear();
  Pump pump = complete(scene);
  CHECK(pump.server().outputs == Names{"send", "secret", "secret", "send", "secret", "secret", "complete"});
  CHECK(pump.server().session.negotiated().application_protocol == "");
}

TEST_CASE("a handshake completes in pieces of any size") {
  for (const size_t chunk : {1, 7, 100}) {
    Scene scene(Mode::quic);
    complete(scene, chunk);
  }
}

TEST_CASE("every suite works with every group") {
  for (const CipherSuite suite : Preferences().cipher_suites) {
    for (const NamedGroup group : Preferences().groups) {
      Scene scene(Mode::quic);
      scene.server.preferences.cipher_suites = {suite};
      scene.server.preferences.groups = {group};
      scene.client.key_shares = 4;
      Pump pump = complete(scene);
      CHECK(pump.server().session.negotiated().cipher_suite == suite);
      CHECK(pump.server().session.negotiated().group == group);
    }
  }
}

// RFC 8446 §4.2.7
TEST_CASE("a client that supports a better group than it sent shares of is told all groups") {
  Scene scene(Mode::quic);
  scene.client.preferences.groups = {NamedGroup::x25519, NamedGroup::x25519_mlkem768};
  scene.client.key_shares = 1;
  Pump pump = complete(scene);
  CHECK(pump.server().session.negotiated().group == NamedGroup::x25519);
  auto told = parse_encrypted_extensions(sent_by_server(pump, HandshakeType::encrypted_extensions));
  REQUIRE(told);
  REQUIRE(told->supported_groups);
  REQUIRE(told->supported_groups->size() == scene.server.preferences.groups.size());
  for (size_t i = 0; i < scene.server.preferences.groups.size(); i++) {
    CHECK((*told->supported_groups)[i] == scene.server.preferences.groups[i]);
  }
  scene.client.key_shares = 2;
  Pump silent = complete(scene);
  told = parse_encrypted_extensions(sent_by_server(silent, HandshakeType::encrypted_extensions));
  REQUIRE(told);
  CHECK_FALSE(told->supported_groups);
}

// RFC 6066 §3
TEST_CASE("a server name is acknowledged if one was sent") {
  for (const std::string name : {"example.com", ""}) {
    Scene scene(Mode::quic);
    scene.client.verification = PeerVerification::none;  // which goes without a name
    scene.client_options.server_name = name;
    Pump pump = complete(scene);
    const auto message = parse_encrypted_extensions(sent_by_server(pump, HandshakeType::encrypted_extensions));
    REQUIRE(message);
    CHECK(message->server_name == !name.empty());
  }
}

TEST_CASE("every type of key signs for the server") {
  for (const x509::KeyType type : {x509::KeyType::rsa, x509::KeyType::rsa_pss, x509::KeyType::ecdsa_p256,
                                   x509::KeyType::ecdsa_p384, x509::KeyType::ed25519}) {
    Scene scene(Mode::quic);
    Authority::Leaf leaf;
    leaf.type = type;
    scene.server.identities = {scene.authority.issue(leaf)};
    complete(scene);
  }
}

TEST_CASE("a server without transport parameters says nothing until it is given some") {
  Scene scene(Mode::quic);
  scene.server_options.transport_parameters.clear();
  {
    Pump pump = scene.pump();
    REQUIRE(pump.run());
    CHECK(pump.server().outputs == Names{"transport parameters"});
    CHECK_FALSE(pump.complete());
    CHECK(pump.server().session.negotiated().application_protocol == "h3");  // what they may depend on
    const auto given = pump.server().session.set_transport_parameters({8, 9}, kNow);
    REQUIRE(given);
    REQUIRE(pump.run());
    CHECK(pump.complete());
    CHECK(pump.client().peer_transport_parameters == Buffer{8, 9});
    const auto again = pump.server().session.set_transport_parameters({8, 9}, kNow);
    REQUIRE_FALSE(again);
    CHECK(again.error().domain == ErrorDomain::usage);
  }
  Session server = scene.make_server();
  const auto early = server.set_transport_parameters({8, 9}, kNow);
  REQUIRE_FALSE(early);
  CHECK(early.error().domain == ErrorDomain::usage);
}

// RFC 9001 §4.1.3
TEST_CASE("bytes that come while the server waits for its transport parameters are a protocol violation") {
  Scene scene(Mode::quic);
  scene.server_options.transport_parameters.clear();
  Pump pump = scene.pump();
  REQUIRE(pump.run());
  const uint8_t byte = 1;
  CHECK(alert_of(pump.server().session.receive(Level::initial, Bytes(&byte, 1), kNow)) == kProtocolViolation);
}

// RFC 8446 §4.1.4
TEST_CASE("a client without a usable share is asked for one, once") {
  for (const bool cookie : {false, true}) {
    for (const Mode mode : {Mode::quic, Mode::stream}) {
      Scene scene(mode);
      scene.client.key_shares = 0;
      scene.server.hello_retry_cookie = cookie;
      Pump pump = complete(scene);
      CHECK(pump.server().session.negotiated().hello_retry);
      CHECK(pump.server().session.negotiated().group == NamedGroup::x25519_mlkem768);
    }
  }
}

TEST_CASE("after a HelloRetryRequest the transport parameters are waited for with the second ClientHello") {
  Scene scene(Mode::quic);
  scene.client.key_shares = 0;
  scene.server_options.transport_parameters.clear();
  Pump pump = scene.pump();
  pump.late_server_parameters = Buffer{9};
  REQUIRE(pump.run());
  CHECK(pump.complete());
  CHECK(std::ranges::count(pump.server().outputs, "transport parameters") == 1);
}

TEST_CASE("a cookie that comes back changed is illegal") {
  Scene scene(Mode::quic);
  scene.client.key_shares = 0;
  scene.server.hello_retry_cookie = true;
  Pump pump = scene.pump();
  Buffer cookie;
  pump.tamper = [&cookie](Side from, Level level, Buffer& bytes) {
    if (level != Level::initial) return;
    if (from == Side::server) {
      const auto hello = parse_server_hello(Bytes(bytes).subspan(kHandshakeHeaderSize));
      REQUIRE(hello);
      if (hello->cookie) cookie.assign(hello->cookie->begin(), hello->cookie->end());
    } else if (!cookie.empty()) {
      const auto found = std::ranges::search(bytes, cookie);
      REQUIRE_FALSE(found.empty());
      found.front() ^= 1;
    }
  };
  CHECK(alert_of(pump.run()) == code_of(Alert::illegal_parameter));
  CHECK(cookie.size() == 32);
  CHECK(pump.failed() == Side::server);
}

TEST_CASE("a ticket resumes, with the name, and without a certificate") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    Scene scene(mode);
    scene.give_tickets();
    resume(scene);
    Pump pump = complete(scene);
    CHECK(pump.server().session.negotiated().resumed);
    CHECK(pump.server().session.negotiated().server_name == "example.com");
    CHECK(pump.server().session.negotiated().group.has_value());
    CHECK(pump.client().tickets.size() == scene.server.tickets);
  }
}

TEST_CASE("a ticket resumes after a HelloRetryRequest") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  resume(scene, true);
  scene.client.key_shares = 0;
  Pump pump = complete(scene);
  CHECK(pump.server().session.negotiated().resumed);
  CHECK(pump.server().session.negotiated().hello_retry);
  // RFC 8446 §4.2.10: early data and a HelloRetryRequest do not go together.
  CHECK(pump.server().early_data == false);
  CHECK(pump.client().early_data == false);
}

TEST_CASE("sessions that were resumed give tickets that resume until the full handshake is seven days old") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  scene.server.ticket_lifetime_seconds = kTicketLifetimeMax;
  Authority::Leaf leaf;
  leaf.not_after = kNow + kDay * 30;
  scene.server.identities = {scene.authority.issue(leaf)};
  resume(scene);
  UnixTime now = kNow + kDay * 4;
  Pump second = complete(scene, SIZE_MAX, now);
  CHECK(second.server().session.negotiated().resumed);
  REQUIRE_FALSE(second.client().tickets.empty());
  CHECK(second.client().tickets[0].lifetime_seconds == 3 * 24 * 3'600);
}

TEST_CASE("a wrong binder ends the handshake with decrypt_error") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  resume(scene);
  Pump pump = scene.pump();
  pump.tamper = [](Side from, Level, Buffer& bytes) {
    if (from == Side::client) bytes.back() ^= 1;
  };
  CHECK(alert_of(pump.run()) == code_of(Alert::decrypt_error));
  CHECK(pump.failed() == Side::server);
}

TEST_CASE("a ticket that does not open leads to a full handshake") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  resume(scene, true);
  scene.give_tickets();  // other keys
  Pump pump = complete(scene);
  CHECK_FALSE(pump.server().session.negotiated().resumed);
  CHECK(pump.server().early_data == false);
}

// RFC 9369 §5
TEST_CASE("a session of another context is not resumed, and its early data not accepted") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    Scene scene(mode);
    scene.give_tickets();
    scene.server_options.resumption_context = {0, 0, 0, 1};
    resume(scene, true);
    scene.server_options.resumption_context = {0, 0, 0, 2};
    Pump pump = complete(scene);
    CHECK_FALSE(pump.server().session.negotiated().resumed);
    CHECK(pump.server().early_data == false);
    // The same session in its own context.
    scene.server_options.resumption_context = {0, 0, 0, 1};
    Pump again = complete(scene);
    CHECK(again.server().session.negotiated().resumed);
    CHECK(again.server().early_data == true);
  }
}

// RFC 9369 §5
TEST_CASE(
    "a changed resumption context goes into new tickets, and offered ones go by the first, also when it retries") {
  const Buffer first = {1}, second = {2};
  for (const bool retries : {false, true}) {
    Scene scene(Mode::quic);
    scene.give_tickets();
    scene.server_options.resumption_context = first;
    resume(scene);
    if (retries) scene.client.key_shares = 0;

    Session server = scene.make_server();
    REQUIRE(server.set_resumption_context(second));
    Pump pump(tests::must(scene.make_client()), std::move(server));
    REQUIRE(pump.run());
    CHECK(pump.server().session.negotiated().hello_retry == retries);
    CHECK(pump.server().session.negotiated().resumed);
    REQUIRE_FALSE(pump.client().tickets.empty());
    CHECK(scene.server.ticket_keys->open(pump.client().tickets[0].ticket, kNow)->resumption_context == second);

    scene.client_options.ticket = pump.client().tickets[0];
    CHECK_FALSE(complete(scene).server().session.negotiated().resumed);
    scene.server_options.resumption_context = second;
    CHECK(complete(scene).server().session.negotiated().resumed);
  }
}

TEST_CASE("a client gets no tickets where there are no keys for them") {
  Scene scene(Mode::quic);
  Pump pump = complete(scene);
  CHECK(pump.client().tickets.empty());
}

TEST_CASE("early data is accepted over QUIC: its read key comes first, the handshake's at once") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  resume(scene, true);
  Pump pump = complete(scene);
  CHECK(pump.server().early_data == true);
  CHECK(pump.client().early_data == true);
  CHECK(pump.server().session.negotiated().early_data);
  CHECK(pump.server().outputs == Names{"transport parameters", "early data", "secret", "send", "secret", "secret",
                                       "send", "secret", "secret", "complete", "send"});
  std::array<uint8_t, 20> client_key{}, server_key{};
  REQUIRE(pump.client().session.export_early_keying_material("EXPORTER-test", {}, client_key));
  REQUIRE(pump.server().session.export_early_keying_material("EXPORTER-test", {}, server_key));
  CHECK(client_key == server_key);
}

TEST_CASE("over a stream the handshake's read key waits for EndOfEarlyData") {
  Scene scene(Mode::stream);
  scene.give_tickets();
  resume(scene, true);
  Pump pump = scene.pump();
  bool had_handshake_key = false;
  pump.tamper = [&](Side from, Level level, Buffer&) {
    if (from == Side::client && level == Level::early_data) {
      had_handshake_key = pump.server().secrets.contains({Level::handshake, Direction::read});
    }
  };
  REQUIRE(pump.run());
  CHECK(pump.complete());
  CHECK(pump.server().early_data == true);
  CHECK_FALSE(had_handshake_key);
  CHECK(pump.client().sent[Level::early_data].size() == kHandshakeHeaderSize);
  CHECK(pump.server().outputs ==
        Names{"early data", "secret", "send", "secret", "send", "secret", "secret", "secret", "complete", "send"});
  CHECK(pump.secrets_agree());
}

TEST_CASE("a ClientHello that is played again gets no early data") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  resume(scene, true);
  Pump pump = complete(scene);
  REQUIRE(pump.server().early_data == true);
  Session second = scene.make_server();
  REQUIRE(second.receive(Level::initial, pump.client().sent[Level::initial], kNow));
  std::optional<bool> accepted;
  while (const std::optional<Output> output = second.poll()) {
    if (const auto* decision = std::get_if<EarlyDataDecision>(&*output)) accepted = decision->accepted;
  }
  CHECK(accepted == false);
  CHECK_FALSE(second.negotiated().early_data);
  CHECK(second.negotiated().resumed);
}

TEST_CASE("early data is refused when what it depends on has changed") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  resume(scene, true);
  scene.server_options.early_data_context = {1};
  Pump pump = complete(scene);
  CHECK(pump.server().early_data == false);
  CHECK(pump.server().session.negotiated().resumed);
}

TEST_CASE("an external PSK authenticates both sides without a certificate") {
  Scene scene(Mode::quic);
  crypto::Digest key(32);
  std::fill_n(key.data(), 32, uint8_t{3});
  const ExternalPsk psk{.identity = {1, 2, 3}, .key = key, .hash = crypto::HashId::sha256};
  scene.client_options.external_psks = {psk};
  scene.server.identities.clear();
  scene.server.find_external_psk = [&psk](Bytes identity) {
    return std::ranges::equal(identity, psk.identity) ? &psk : nullptr;
  };
  Pump pump = complete(scene);
  CHECK(pump.server().session.negotiated().resumed);
}

// RFC 8446 §4.4.2.1
TEST_CASE("an OCSP response is stapled for clients that ask") {
  Scene scene(Mode::quic);
  Authority::Leaf leaf;
  leaf.ocsp_response = {1, 2, 3};
  scene.server.identities = {scene.authority.issue(leaf)};
  Pump asked = complete(scene);
  CHECK(asked.client().session.negotiated().peer_ocsp_response == leaf.ocsp_response);
  scene.client.request_ocsp = false;
  Pump not_asked = complete(scene);
  CHECK(not_asked.client().session.negotiated().peer_ocsp_response.empty());
}

// RFC 8446 §4.4.4
TEST_CASE("a wrong Finished is decrypt_error, one of another size decode_error") {
  Scene scene(Mode::quic);
  CHECK(alert_for_change(scene, [](Buffer& bytes) { bytes.back() ^= 1; }) == code_of(Alert::decrypt_error));
  CHECK(alert_for_change(scene, [](Buffer& bytes) {
          bytes.pop_back();
          bytes[3]--;
        }) == code_of(Alert::decode_error));
}

// RFC 9001 §4.1.3: bytes where the level's end was are another error than a message of the wrong kind.
TEST_CASE("messages of the client that are not due are unexpected") {
  Scene scene(Mode::quic);
  const auto instead = [&scene](auto write) {
    return alert_for_change(scene, [write](Buffer& bytes) {
      bytes.clear();
      append_message(bytes, write);
    });
  };
  const int unexpected = code_of(Alert::unexpected_message);
  CHECK(instead([](auto& sink) { write_certificate(sink, {}, {}); }) == unexpected);
  CHECK(instead([](auto& sink) { write_end_of_early_data(sink); }) == unexpected);
  CHECK(instead([](auto& sink) { write_key_update(sink, false); }) == unexpected);
  CHECK(instead([](auto& sink) { write_certificate_verify(sink, {}); }) == unexpected);
  CHECK(alert_for_change(scene, [](Buffer& bytes) { bytes.push_back(20); }) == kProtocolViolation);
}

TEST_CASE("a ClientHello that comes where none is due is unexpected") {
  Scene scene(Mode::quic);
  Pump pump = complete(scene);
  const Buffer hello = pump.client().sent[Level::initial];
  CHECK(alert_of(pump.server().session.receive(Level::initial, hello, kNow)) == kProtocolViolation);
  Session server = scene.make_server();
  const uint8_t finished[] = {20, 0, 0, 0};
  CHECK(alert_of(server.receive(Level::initial, finished, kNow)) == code_of(Alert::unexpected_message));
}

TEST_CASE("what a ClientHello lacks is told by the alert") {
  Scene scene(Mode::quic);
  HelloDraft draft;
  draft.cipher_suites = quoll::tests::wire({CipherSuite{0x1304}});
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::handshake_failure));
  draft = HelloDraft();
  draft.protocols = quoll::tests::protocols_of({"h2"});
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::no_application_protocol));
  draft = HelloDraft();
  draft.cookie = Buffer{1};
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::illegal_parameter));
  draft = HelloDraft();
  draft.versions = quoll::tests::wire<uint16_t>({0x0303});
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::protocol_version));
  draft = HelloDraft();
  draft.groups = quoll::tests::wire({NamedGroup{0x0100}});
  draft.key_shares = Buffer{};
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::handshake_failure));
  draft = HelloDraft();
  draft.server_name = "example.org";
  scene.server.strict_server_name = true;
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::unrecognized_name));
}

TEST_CASE("a share that is no public key is illegal") {
  Scene scene(Mode::quic);
  HelloDraft draft;
  draft.key_shares = Buffer{0, 0x1d, 0, 31};
  draft.key_shares->resize(4 + 31, 1);
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::illegal_parameter));
  draft.key_shares = Buffer{0, 0x1d, 0, 32};
  draft.key_shares->resize(4 + 32, 0);
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::illegal_parameter));
}

// RFC 8446 §4.2.9
TEST_CASE("a client that offers psk_ke alone and no groups cannot be served") {
  Scene scene(Mode::quic);
  HelloDraft draft;
  draft.psk_modes = Buffer{0};
  draft.psks = {{.identity = {1}}};
  draft.groups.reset();
  draft.key_shares.reset();
  draft.signature_algorithms.reset();
  CHECK(alert_for_hello(scene, draft) == code_of(Alert::handshake_failure));
}

class LineLog final : public KeyLog {
 public:
  void line(std::string_view text) override { lines.emplace_back(text); }
  bool has(std::string_view label) const {
    return std::ranges::any_of(lines, [&](const std::string& line) { return line.starts_with(label); });
  }
  std::vector<std::string> lines;
};

TEST_CASE("the key log has every secret, the same as the client's") {
  LineLog client_log, server_log;
  Scene scene(Mode::quic);
  scene.give_tickets();
  resume(scene, true);
  scene.client.key_log = &client_log;
  scene.server.key_log = &server_log;
  complete(scene);
  for (const std::string_view label :
       {kClientEarlyTrafficSecret, kEarlyExporterSecret, kClientHandshakeTrafficSecret, kServerHandshakeTrafficSecret,
        kClientTrafficSecret0, kServerTrafficSecret0, kExporterSecret}) {
    CHECK(server_log.has(label));
  }
  std::ranges::sort(client_log.lines);
  std::ranges::sort(server_log.lines);
  CHECK(client_log.lines == server_log.lines);
}

TEST_CASE("a server exports from its Finished on, and the same as the client") {
  Scene scene(Mode::quic);
  Pump pump = scene.pump();
  bool exported_early = false;
  pump.tamper = [&](Side from, Level level, Buffer&) {
    std::array<uint8_t, 20> key{};
    if (from == Side::client && level == Level::handshake) {
      exported_early = pump.server().session.export_keying_material("EXPORTER-test", {}, key).has_value();
    }
  };
  REQUIRE(pump.run());
  CHECK(exported_early);
  std::array<uint8_t, 20> client_key{}, server_key{};
  REQUIRE(pump.client().session.export_keying_material("EXPORTER-test", Buffer{1}, client_key));
  REQUIRE(pump.server().session.export_keying_material("EXPORTER-test", Buffer{1}, server_key));
  CHECK(client_key == server_key);
}

TEST_CASE("options that cannot work are usage errors") {
  tests::SeededRng rng(1);
  Scene scene(Mode::stream);
  ServerOptions options;
  options.transport_parameters = {1};
  auto config = std::make_shared<const ServerConfig>(scene.server);
  auto made = Session::server(config, options, rng);
  REQUIRE_FALSE(made);
  CHECK(made.error().domain == ErrorDomain::usage);
  options.transport_parameters.clear();
  options.early_data_context.resize(ServerTicket::kEarlyDataContextSizeMax + 1);
  made = Session::server(config, options, rng);
  REQUIRE_FALSE(made);
  CHECK(made.error().domain == ErrorDomain::usage);
  options.early_data_context.clear();
  options.resumption_context.resize(ServerTicket::kResumptionContextSizeMax + 1);
  made = Session::server(config, options, rng);
  REQUIRE_FALSE(made);
  CHECK(made.error().domain == ErrorDomain::usage);
  options.resumption_context.pop_back();
  CHECK(Session::server(config, options, rng));
}

TEST_CASE("transport parameters that do not fit are a usage error, and smaller ones may still follow") {
  Scene scene(Mode::quic);
  scene.server_options.transport_parameters.resize(kTransportParametersSizeMax + 1);
  const Result<Session> made =
      Session::server(std::make_shared<const ServerConfig>(scene.server), scene.server_options, scene.rng);
  REQUIRE_FALSE(made);
  CHECK(made.error().domain == ErrorDomain::usage);

  scene.server_options.transport_parameters.clear();
  Session client = tests::must(scene.make_client());
  Session server = scene.make_server();
  while (const std::optional<Output> output = client.poll()) {
    const Send* send = std::get_if<Send>(&*output);
    if (!send) continue;
    REQUIRE(server.receive(send->level, send->bytes, kNow));
  }
  const Result<void> large =
      server.set_transport_parameters(std::vector<uint8_t>(kTransportParametersSizeMax + 1), kNow);
  REQUIRE_FALSE(large);
  CHECK(large.error().domain == ErrorDomain::usage);
  CHECK(server.set_transport_parameters(std::vector<uint8_t>(kTransportParametersSizeMax), kNow));
}

}  // namespace
}  // namespace quoll::tls
