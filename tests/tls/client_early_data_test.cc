// What a client demands of a server that accepts early data (RFC 8446 §4.2.10, §4.2.11), and other answers that depend on
// what the client offered. The server is tests/tls/puppet.h.
#include "tests/tls/alert_rows.h"
#include "tests/tls/puppet.h"
#include "tests/tls/support.h"

#include <doctest/doctest.h>

namespace quoll::tls::tests {
namespace {

/// A ticket whose PSK the puppet knows.
ClientTicket make_ticket() {
  ClientTicket ticket;
  ticket.server_name = "example.com";
  ticket.application_protocol = "h3";
  ticket.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  ticket.psk = psk().key;
  ticket.ticket = {1, 2, 3};
  ticket.lifetime_seconds = 3600;
  ticket.max_early_data_size = 0xffffffff;
  ticket.received = kNow;
  ticket.authenticated_until = kNow + kDay;
  ticket.server_verified = true;
  return ticket;
}

struct Case {
  Mode mode = Mode::quic;
  std::function<void(ClientConfig&, ClientOptions&)> configure = {};
  std::function<void(ServerScript&)> script = {};
};

Outcome play(const Case& given) {
  Scene& scene = scene_of(given.mode);
  ClientConfig config = scene.client;
  ClientOptions options = scene.client_options;
  options.ticket = make_ticket();
  options.early_data = true;
  if (given.configure) given.configure(config, options);
  Session client =
      must(Session::client(std::make_shared<const ClientConfig>(config), std::move(options), scene.rng, kNow));
  ServerScript script;
  script.psk = psk();
  script.encrypted_extensions = [](EncryptedExtensions& message, Extras&) { message.early_data = true; };
  if (given.script) given.script(script);
  return play_server(client, *scene.server.identities[0], script, given.mode, scene.rng, kNow);
}

int alert_of(const Case& given) {
  const Outcome outcome = play(given);
  CAPTURE(outcome.reason);
  return outcome.alert ? static_cast<int>(*outcome.alert) : -1;
}

constexpr int kIllegal = static_cast<int>(Alert::illegal_parameter);
constexpr int kUnsupported = static_cast<int>(Alert::unsupported_extension);

Tweak<EncryptedExtensions> accept_with_protocol(Bytes protocol) {
  return [protocol](EncryptedExtensions& message, Extras&) {
    message.early_data = true;
    message.application_protocol = protocol;
  };
}

}  // namespace

TEST_CASE("early data that is accepted as it was offered is fine") {
  const Outcome outcome = play({});
  CAPTURE(outcome.reason);
  CHECK(!outcome.alert.has_value());
  bool accepted = false;
  for (const Output& output : outcome.outputs) {
    if (const auto* decision = std::get_if<EarlyDataDecision>(&output)) accepted = decision->accepted;
  }
  CHECK(accepted);
}

// RFC 8446 §4.2.11.
TEST_CASE("early data that is accepted without the first PSK is an illegal_parameter") {
  CHECK(alert_of({.script = [](ServerScript& s) { s.psk.reset(); }}) == kIllegal);
  const auto with_second_psk = [](ClientConfig&, ClientOptions& options) { options.external_psks = {psk()}; };
  CHECK(alert_of({.configure = with_second_psk, .script = [](ServerScript& s) {
                    s.server_hello = [](ServerHello& hello, Extras&) { hello.pre_shared_key = uint16_t{1}; };
                  }}) == kIllegal);
}

// RFC 8446 §4.2.10.
TEST_CASE("early data that is accepted with another suite or protocol than the ticket's is an illegal_parameter") {
  CHECK(alert_of({.script = [](ServerScript& s) {
          s.server_hello = [](ServerHello& hello, Extras&) {
            hello.cipher_suite = CipherSuite::chacha20_poly1305_sha256;
          };
        }}) == kIllegal);
  const auto two_protocols = [](ClientConfig& config, ClientOptions&) {
    config.application_protocols = {"h3", "hq-interop"};
  };
  CHECK(alert_of({.configure = two_protocols, .script = [](ServerScript& s) {
                    s.encrypted_extensions = accept_with_protocol(as_bytes("hq-interop"));
                  }}) == kIllegal);
  CHECK(alert_of({.configure = two_protocols, .script = [](ServerScript& s) {
                    s.encrypted_extensions = accept_with_protocol(as_bytes("h3"));
                  }}) == -1);
}

// RFC 8446 §4.1.2, §4.2.
TEST_CASE("early data that was not offered, or no more after a HelloRetryRequest, is an unsupported_extension") {
  CHECK(alert_of({.configure = [](ClientConfig&, ClientOptions& options) { options.early_data = false; }}) ==
        kUnsupported);
  CHECK(alert_of({.script = [](ServerScript& s) { s.retry = true; }}) == kUnsupported);
}

// RFC 8446 §4.1.4.
TEST_CASE("after a HelloRetryRequest the version stays") {
  CHECK(alert_of({.script = [](ServerScript& s) {
          s.retry = true;
          s.server_hello = [](ServerHello& hello, Extras&) { hello.supported_version.reset(); };
        }}) == kIllegal);
}

// RFC 8446 §4.1.4.
TEST_CASE("a second HelloRetryRequest is an unexpected_message, even one that asks for something new") {
  Scene scene(Mode::quic);
  scene.client.key_shares = 0;
  Session client = must(scene.make_client());
  const auto receive_retry = [&](NamedGroup group) {
    ServerHello retry;
    retry.random = kHelloRetryRequestRandom;
    retry.cipher_suite = CipherSuite::aes_128_gcm_sha256;
    retry.supported_version = kTls13;
    retry.selected_group = group;
    std::vector<uint8_t> message;
    append_message(message, [&](auto& sink) { write_server_hello(sink, retry); });
    return tests::alert_of(client.receive(Level::initial, message, kNow));
  };
  CHECK(receive_retry(NamedGroup::x25519) == -1);
  CHECK(receive_retry(NamedGroup::secp256r1) == static_cast<int>(Alert::unexpected_message));
}

// RFC 8446 §4.4.2.1.
TEST_CASE("a client staples its OCSP response when the server asks for it, and only then") {
  for (const bool asks : {true, false}) {
    Scene& scene = scene_of(Mode::stream);
    const auto with_identity = [&](ClientConfig& config, ClientOptions& options) {
      options.ticket.reset();
      config.identities = {scene.authority.issue({.ocsp_response = {1, 2, 3, 4, 5}})};
    };
    const Outcome outcome =
        play({.mode = Mode::stream, .configure = with_identity, .script = [asks](ServerScript& s) {
                s.psk.reset();
                s.encrypted_extensions = {};
                s.request_certificate = true;
                s.certificate_request = [asks](CertificateRequest& request, Extras&) { request.status_request = asks; };
              }});
    CAPTURE(outcome.reason);
    REQUIRE(!outcome.alert.has_value());
    size_t certificates = 0;
    for (const Output& output : outcome.outputs) {
      const Send* send = std::get_if<Send>(&output);
      if (!send || send->level != Level::handshake) continue;
      Reader flight(send->bytes);
      REQUIRE(flight.u8() == static_cast<uint8_t>(HandshakeType::certificate));
      CertificateMessage message = must(parse_certificate(flight.prefixed_u24().rest()));
      const auto entry = message.next();
      REQUIRE(entry.has_value());
      CHECK(entry->ocsp_response.has_value() == asks);
      certificates++;
    }
    CHECK(certificates == 1);
  }
}

// RFC 8446 §4.2.
TEST_CASE("an answer to a name or to protocols that were not sent is an unsupported_extension") {
  CHECK(alert_of({.mode = Mode::stream,
                  .configure =
                      [](ClientConfig& config, ClientOptions& options) {
                        config.verification = PeerVerification::none;
                        options.server_name.clear();
                        options.ticket.reset();
                      },
                  .script =
                      [](ServerScript& s) {
                        s.psk.reset();
                        s.encrypted_extensions = [](EncryptedExtensions& message, Extras&) {
                          message.server_name = true;
                        };
                      }}) == kUnsupported);
  CHECK(alert_of({.mode = Mode::stream,
                  .configure =
                      [](ClientConfig& config, ClientOptions& options) {
                        config.application_protocols.clear();
                        options.ticket.reset();
                      },
                  .script =
                      [](ServerScript& s) {
                        s.psk.reset();
                        s.encrypted_extensions = [](EncryptedExtensions& message, Extras&) {
                          message.application_protocol = as_bytes("h3");
                        };
                      }}) == kUnsupported);
}

}  // namespace quoll::tls::tests
