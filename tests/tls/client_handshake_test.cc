#include "tls/client_handshake.h"

#include "tests/tls/support.h"
#include "tls/cipher_suite.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using namespace tests;

void check_complete(Pump& pump) {
  const Result<void> done = pump.run();
  INFO("reason: " << std::string(done ? "" : done.error().reason));
  REQUIRE(done.has_value());
  CHECK(pump.complete());
  CHECK(pump.disorder() == "");
  CHECK(pump.secrets_agree());
  CHECK(pump.client().session.is_complete());

  uint8_t of_client[32], of_server[32];
  const std::vector<uint8_t> context = {1, 2};
  REQUIRE(pump.client().session.export_keying_material("EXPORTER-test", context, of_client).has_value());
  REQUIRE(pump.server().session.export_keying_material("EXPORTER-test", context, of_server).has_value());
  CHECK(std::equal(std::begin(of_client), std::end(of_client), std::begin(of_server)));
}

TEST_CASE("a handshake completes with every suite, in both modes") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    for (const CipherSuite suite :
         {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
      Scene scene(mode);
      scene.client.preferences.cipher_suites = {suite};
      Pump pump = scene.pump();
      check_complete(pump);
      CHECK(pump.client().session.negotiated().cipher_suite == suite);
      CHECK(pump.server().session.negotiated().cipher_suite == suite);
      CHECK(pump.client().session.negotiated().application_protocol == "h3");
      CHECK(pump.client().session.negotiated().peer_certificates.size() == 1);
      CHECK(!pump.client().session.negotiated().resumed);
    }
  }
}

TEST_CASE("a handshake completes with every group, whether its share is sent at once or after a HelloRetryRequest") {
  for (const NamedGroup group :
       {NamedGroup::x25519_mlkem768, NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1}) {
    for (const bool retry : {false, true}) {
      for (const bool grease : {false, true}) {
        Scene scene(Mode::quic);
        scene.client.grease = grease;
        scene.server.preferences.groups = {group};
        scene.client.key_shares = retry ? 0 : 4;
        Pump pump = scene.pump();
        check_complete(pump);
        CHECK(pump.client().session.negotiated().group == group);
        CHECK(pump.client().session.negotiated().hello_retry == retry);
        CHECK(pump.server().session.negotiated().hello_retry == retry);
      }
    }
  }
}

TEST_CASE("a handshake completes with every kind of key that a server may have") {
  for (const x509::KeyType type : {x509::KeyType::rsa, x509::KeyType::rsa_pss, x509::KeyType::ecdsa_p256,
                                   x509::KeyType::ecdsa_p384, x509::KeyType::ed25519}) {
    Scene scene(Mode::stream);
    scene.server.identities = {scene.authority.issue({.type = type})};
    Pump pump = scene.pump();
    check_complete(pump);
    const auto scheme = pump.client().session.negotiated().peer_signature_scheme;
    REQUIRE(scheme.has_value());
    CHECK(handshake_algorithm(*scheme, type).has_value());
  }
}

TEST_CASE("how bytes are cut does not matter") {
  for (const size_t chunk : {size_t{1}, size_t{7}, size_t{100}}) {
    Scene scene(Mode::stream);
    scene.client.key_shares = 1;
    scene.server.preferences.groups = {NamedGroup::secp384r1};
    scene.give_tickets();
    Pump pump = scene.pump(chunk);
    check_complete(pump);
    CHECK(pump.client().tickets.size() == 2);
  }
}

TEST_CASE("a client's first output is its ClientHello, and HandshakeComplete comes after its Finished and all keys") {
  Scene scene(Mode::quic);
  Pump pump = scene.pump();
  check_complete(pump);
  const std::vector<std::string> expected = {"send", "secret", "secret", "transport parameters",
                                             "send", "secret", "secret", "complete"};
  CHECK(pump.client().outputs == expected);
  CHECK(pump.client().peer_transport_parameters == std::vector<uint8_t>{4, 5, 6, 7});
  CHECK(pump.server().peer_transport_parameters == std::vector<uint8_t>{1, 2, 3});
}

TEST_CASE("a server may give its transport parameters when it knows the client's") {
  Scene scene(Mode::quic);
  scene.server_options.transport_parameters.clear();
  Pump pump = scene.pump();
  pump.late_server_parameters = std::vector<uint8_t>{9};
  check_complete(pump);
  CHECK(pump.client().peer_transport_parameters == std::vector<uint8_t>{9});
}

// RFC 9001 §8.1.
TEST_CASE("protocols that do not meet end the handshake with no_application_protocol") {
  Scene scene(Mode::quic);
  scene.client.application_protocols = {"hq-interop"};
  Pump pump = scene.pump();
  CHECK(alert_of(pump.run()) == static_cast<int>(Alert::no_application_protocol));
  CHECK(pump.failed() == Side::server);
}

TEST_CASE("a stream needs no application protocol") {
  Scene scene(Mode::stream);
  scene.client.application_protocols.clear();
  Pump pump = scene.pump();
  check_complete(pump);
  CHECK(pump.client().session.negotiated().application_protocol.empty());
}

TEST_CASE("a server's stapled OCSP response reaches the client that asked for it") {
  for (const bool request : {true, false}) {
    Scene scene(Mode::quic);
    scene.client.request_ocsp = request;
    scene.server.identities = {scene.authority.issue({.ocsp_response = {0x30, 0x03, 0x0a, 0x01, 0x06}})};
    Pump pump = scene.pump();
    check_complete(pump);
    CHECK(pump.client().session.negotiated().peer_ocsp_response.size() == (request ? 5 : 0));
  }
}

TEST_CASE("a configuration that cannot work is a usage error") {
  const auto refused = [](Scene& scene) {
    const Result<Session> client = scene.make_client();
    return !client && client.error().domain == ErrorDomain::usage;
  };
  const auto with = [&](Mode mode, auto change) {
    Scene scene(mode);
    change(scene);
    return refused(scene);
  };
  CHECK(!with(Mode::quic, [](Scene&) {}));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.preferences.cipher_suites.clear(); }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.preferences.cipher_suites = {CipherSuite{0x1304}}; }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.preferences.groups.clear(); }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.preferences.groups = {NamedGroup{0x0019}}; }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.preferences.groups = {NamedGroup::x25519, NamedGroup::x25519}; }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.application_protocols.clear(); }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.application_protocols = {""}; }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.application_protocols = {std::string(256, 'a')}; }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.trust.reset(); }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client.verification = PeerVerification::pinned_leaf; }));
  // RFC 9525 §6.1: a chain is verified for a name, and a dot alone is none.
  for (const char* none : {"", "."}) {
    CHECK(with(Mode::quic, [&](Scene& s) { s.client_options.server_name = none; }));
    CHECK(with(Mode::quic, [&](Scene& s) {
      s.client_options.server_name = none;
      s.client_options.external_psks = {{.identity = {1}, .key = crypto::Digest(32)}};
    }));
    CHECK(!with(Mode::quic, [&](Scene& s) {
      s.client_options.server_name = none;
      s.client.pins.emplace_back();
    }));
    CHECK(!with(Mode::quic, [&](Scene& s) {
      s.client_options.server_name = none;
      s.client.verification = PeerVerification::none;
    }));
  }
  CHECK(with(Mode::quic, [](Scene& s) { s.client_options.server_name = "exa mple.com"; }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client_options.server_name = std::string(300, 'a'); }));
  CHECK(with(Mode::quic, [](Scene& s) { s.client_options.transport_parameters.resize(70'000); }));
  CHECK(with(Mode::stream, [](Scene& s) { s.client_options.transport_parameters = {1}; }));
  CHECK(with(Mode::quic,
             [](Scene& s) { s.client_options.external_psks = {{.identity = {}, .key = crypto::Digest(32)}}; }));
  CHECK(with(Mode::quic, [](Scene& s) {
    s.client_options.external_psks = {{.identity = {1}, .key = crypto::Digest(32), .hash = crypto::HashId::sha512}};
  }));
}

struct Lines final : KeyLog {
  void line(std::string_view text) override { lines.emplace_back(text); }
  std::vector<std::string> lines;
};

TEST_CASE("both sides log the same secrets, each with its label and the client's random") {
  Scene scene(Mode::quic);
  Lines client, server;
  scene.client.key_log = &client;
  scene.server.key_log = &server;
  Pump pump = scene.pump();
  check_complete(pump);
  std::ranges::sort(client.lines);
  std::ranges::sort(server.lines);
  CHECK(client.lines == server.lines);
  CHECK(client.lines.size() == 5);
}

// RFC 8446 §4.4.4.
TEST_CASE("a Finished that is not right is a decrypt_error, one of another size a decode_error") {
  for (const bool cut : {false, true}) {
    Scene scene(Mode::quic);
    scene.client.preferences.cipher_suites = {CipherSuite::aes_128_gcm_sha256};
    Pump pump = scene.pump();
    pump.tamper = [cut](Side from, Level level, std::vector<uint8_t>& bytes) {
      if (from != Side::server || level != Level::handshake) return;
      if (cut) {
        bytes[bytes.size() - 33]--;  // the length
        bytes.pop_back();
      } else {
        bytes.back() ^= 1;
      }
    };
    CHECK(alert_of(pump.run()) == static_cast<int>(cut ? Alert::decode_error : Alert::decrypt_error));
    CHECK(pump.failed() == Side::client);
  }
}

}  // namespace
}  // namespace quoll::tls
