// What a client answers to a server that breaks a rule: one row for each rule, one alert for each row. The server is
// tests/tls/puppet.h; each row names the section whose MUST it breaks.
#include "tests/tls/alert_rows.h"
#include "tests/tls/support.h"
#include "tls/session.h"

#include <doctest/doctest.h>  // last: its macros must not reach our headers

namespace quoll::tls::tests {
namespace {

using enum Alert;

struct Row {
  const char* name;
  Alert alert;
  std::function<void(ServerScript&)> script;
  Mode mode = Mode::quic;
  std::function<void(ClientConfig&, ClientOptions&)> configure = {};
};

Tweak<ServerHello> in_hello(std::function<void(ServerHello&)> change) {
  return [change](ServerHello& hello, Extras&) { change(hello); };
}

void with_psk(ClientConfig&, ClientOptions& options) { options.external_psks = {psk()}; }
void with_x25519_share(ClientConfig& config, ClientOptions&) {
  config.preferences.groups = {NamedGroup::x25519, NamedGroup::secp256r1};
  config.key_shares = 1;
}
void with_p256_share(ClientConfig& config, ClientOptions&) {
  config.preferences.groups = {NamedGroup::secp256r1, NamedGroup::x25519};
  config.key_shares = 1;
}

Outcome run(const Row& row) {
  Scene& scene = scene_of(row.mode);
  ClientConfig config = scene.client;
  ClientOptions options = scene.client_options;
  if (row.configure) row.configure(config, options);
  Session client =
      must(Session::client(std::make_shared<const ClientConfig>(config), std::move(options), scene.rng, kNow));
  ServerScript script;
  row.script(script);
  return play_server(client, *scene.server.identities[0], script, row.mode, scene.rng, kNow);
}

void check(const Row& row) {
  INFO(std::string(row.name));
  const Outcome outcome = run(row);
  CAPTURE(outcome.reason);
  REQUIRE_MESSAGE(outcome.alert.has_value(), "the session noticed nothing");
  CHECK(alert_name(static_cast<uint8_t>(*outcome.alert)) == alert_name(static_cast<uint8_t>(row.alert)));
  CHECK(*outcome.alert == row.alert);
}

void check_all(std::span<const Row> rows) {
  for (const Row& row : rows) check(row);
}

}  // namespace

TEST_CASE("The honest puppet server is accepted: what a row breaks is what is refused") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    for (const bool retry : {false, true}) {
      for (const bool request : {false, true}) {
        const Row row{"honest",
                      Alert::close_notify,
                      [&](ServerScript& script) {
                        script.retry = retry;
                        script.request_certificate = request;
                      },
                      mode,
                      {}};
        const Outcome outcome = run(row);
        CAPTURE(outcome.reason);
        CHECK(!outcome.alert);
        CHECK(outcome.complete);
      }
    }
    const Row resumed{"psk", Alert::close_notify, [](ServerScript& script) { script.psk = psk(); }, mode, with_psk};
    const Outcome outcome = run(resumed);
    CAPTURE(outcome.reason);
    CHECK(outcome.complete);
  }
}

TEST_CASE("A client refuses a wrong ServerHello") {
  static const Row rows[] = {
      {"RFC 9846 §4.2.3: legacy_version is 0x0303", protocol_version,
       [](ServerScript& s) { s.server_hello = in_hello([](ServerHello& hello) { hello.legacy_version = 0x0302; }); }},
      {"RFC 8446 §4.1.3: legacy_session_id_echo is the client's, over QUIC", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.legacy_session_id_echo = kOneByte; });
       }},
      {"RFC 8446 §4.1.3: legacy_session_id_echo is the client's, on a stream", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.legacy_session_id_echo = {}; });
       },
       Mode::stream},
      {"RFC 8446 §4.1.3: a suite that was not offered", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello =
             in_hello([](ServerHello& hello) { hello.cipher_suite = CipherSuite::chacha20_poly1305_sha256; });
       },
       Mode::quic,
       [](ClientConfig& config, ClientOptions&) {
         config.preferences.cipher_suites = {CipherSuite::aes_128_gcm_sha256};
       }},
      {"RFC 8446 §4.1.3: a suite that nobody knows", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.cipher_suite = static_cast<CipherSuite>(0x1304); });
       }},
      {"RFC 8701 §3.1: a GREASE suite", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.cipher_suite = static_cast<CipherSuite>(0x1a1a); });
       }},
      {"RFC 8446 §4.1.3: legacy_compression_method is 0", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.legacy_compression_method = 1; });
       }},
      {"RFC 8446 §4.2.1: TLS 1.2", protocol_version,
       [](ServerScript& s) { s.server_hello = in_hello([](ServerHello& hello) { hello.supported_version.reset(); }); }},
      {"RFC 8446 §4.1.3: a downgrade to TLS 1.2 that the random betrays", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) {
           hello.supported_version.reset();
           constexpr uint8_t kDowngrade[] = {0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01};
           std::copy(std::begin(kDowngrade), std::end(kDowngrade), hello.random.end() - 8);
         });
       }},
      {"RFC 8446 §4.2.1: supported_versions says TLS 1.2", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.supported_version = 0x0303; });
       }},
      {"RFC 8446 §4.2.1: supported_versions says a version to come", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.supported_version = 0x0305; });
       }},
      {"RFC 8446 §9.2: no key_share and no pre_shared_key", missing_extension,
       [](ServerScript& s) { s.server_hello = in_hello([](ServerHello& hello) { hello.key_share.reset(); }); }},
      {"RFC 8446 §4.2.11: a PSK alone, which psk_key_exchange_modes did not offer", illegal_parameter,
       [](ServerScript& s) {
         s.psk = psk();
         s.server_hello = in_hello([](ServerHello& hello) { hello.key_share.reset(); });
       },
       Mode::quic, with_psk},
      {"RFC 8446 §4.2.8: a share of a group that was not offered", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.key_share->group = NamedGroup::secp384r1; });
       },
       Mode::quic, with_x25519_share},
      {"RFC 8446 §4.2.8: a share of a group that was offered without one", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) { hello.key_share->group = NamedGroup::secp256r1; });
       },
       Mode::quic, with_x25519_share},
      {"RFC 8446 §4.2.8: a share of a wrong length", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello(
             [](ServerHello& hello) { hello.key_share->key_exchange = hello.key_share->key_exchange.first(31); });
       },
       Mode::quic, with_x25519_share},
      {"RFC 8446 §7.4.2: an X25519 share of small order", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) {
           static constexpr uint8_t kZero[32] = {};
           hello.key_share->key_exchange = kZero;
         });
       },
       Mode::quic, with_x25519_share},
      {"RFC 8446 §4.2.8.2: a point that is not on the curve", illegal_parameter,
       [](ServerScript& s) {
         s.server_hello = in_hello([](ServerHello& hello) {
           static const std::vector<uint8_t> kOff = [] {
             std::vector<uint8_t> point(65, 0x11);
             point[0] = 4;
             return point;
           }();
           hello.key_share->key_exchange = kOff;
         });
       },
       Mode::quic, with_p256_share},
      {"draft-ietf-tls-ecdhe-mlkem §4.2: a hybrid share that lacks its second half", illegal_parameter,
       [](ServerScript& s) {
         s.group = NamedGroup::x25519_mlkem768;
         s.server_hello = in_hello(
             [](ServerHello& hello) { hello.key_share->key_exchange = hello.key_share->key_exchange.first(1088); });
       }},
      {"RFC 8446 §4.2.11: a PSK when none was offered", unsupported_extension,
       [](ServerScript& s) { s.server_hello = in_hello([](ServerHello& hello) { hello.pre_shared_key = 0; }); }},
      {"RFC 8446 §4.2.11: selected_identity out of range", illegal_parameter,
       [](ServerScript& s) {
         s.psk = psk();
         s.server_hello = in_hello([](ServerHello& hello) { hello.pre_shared_key = 1; });
       },
       Mode::quic, with_psk},
      {"RFC 8446 §4.2.11: a suite whose hash is not the PSK's", illegal_parameter,
       [](ServerScript& s) {
         s.psk = psk();
         s.server_hello = in_hello([](ServerHello& hello) { hello.cipher_suite = CipherSuite::aes_256_gcm_sha384; });
       },
       Mode::quic, with_psk},
      {"RFC 8446 §4.2: an extension that nobody asked for", unsupported_extension,
       [](ServerScript& s) {
         s.server_hello = [](ServerHello&, Extras& extras) { extras.push_back(extension(0x1234)); };
       }},
      {"RFC 8446 §4.2: ALPN belongs to EncryptedExtensions", illegal_parameter,
       [](ServerScript& s) {
         static constexpr uint8_t kProtocol[] = {0, 3, 2, 'h', '3'};
         s.server_hello = [](ServerHello&, Extras& extras) { extras.push_back(extension(16, kProtocol)); };
       }},
      {"RFC 8446 §4.2: the same extension twice", illegal_parameter,
       [](ServerScript& s) {
         static constexpr uint8_t kVersion[] = {3, 4};
         s.server_hello = [](ServerHello&, Extras& extras) { extras.push_back(extension(43, kVersion)); };
       }},
      {"RFC 8446 §6.2: a byte too many", decode_error,
       [](ServerScript& s) { s.rewrite = bytes_of(HandshakeType::server_hello, add_trailing_byte); }},
      {"RFC 8446 §6.2: a byte too few", decode_error,
       [](ServerScript& s) { s.rewrite = bytes_of(HandshakeType::server_hello, cut_last_byte); }},
      {"RFC 9001 §4.1.3: a message that spans the key change", kQuicProtocolViolation,
       [](ServerScript& s) { s.rewrite = glued_to(HandshakeType::server_hello); }},
      {"a message over the limit", decode_error,
       [](ServerScript& s) {
         s.rewrite = bytes_of(HandshakeType::server_hello, [](std::vector<uint8_t>& bytes) { bytes[1] = 0xff; });
       }},
  };
  check_all(rows);
}

TEST_CASE("A client refuses a wrong HelloRetryRequest, and what does not follow from it") {
  static const Row rows[] = {
      {"RFC 8446 §4.1.4: a second HelloRetryRequest", unexpected_message,
       [](ServerScript& s) {
         s.retry = true;
         s.server_hello = in_hello([](ServerHello& hello) {
           hello.random = kHelloRetryRequestRandom;
           hello.selected_group = NamedGroup::secp384r1;
           hello.key_share.reset();
         });
       }},
      {"RFC 8446 §4.1.4: nothing to change", illegal_parameter,
       [](ServerScript& s) {
         s.retry = true;
         s.hello_retry_request = in_hello([](ServerHello& hello) { hello.selected_group.reset(); });
       }},
      {"RFC 8446 §4.2.8: a group that was not offered", illegal_parameter,
       [](ServerScript& s) {
         s.retry = true;
         s.hello_retry_request = in_hello([](ServerHello& hello) { hello.selected_group = NamedGroup::secp384r1; });
       },
       Mode::quic, with_x25519_share},
      {"RFC 8446 §4.2.8: a group that has a share already", illegal_parameter,
       [](ServerScript& s) {
         s.retry = true;
         s.hello_retry_request = in_hello([](ServerHello& hello) { hello.selected_group = NamedGroup::x25519; });
       },
       Mode::quic, with_x25519_share},
      {"RFC 8446 §4.1.4: a suite that was not offered", illegal_parameter,
       [](ServerScript& s) {
         s.retry = true;
         s.hello_retry_request =
             in_hello([](ServerHello& hello) { hello.cipher_suite = static_cast<CipherSuite>(0x1304); });
       }},
      {"RFC 8446 §4.1.4: another suite in the ServerHello", illegal_parameter,
       [](ServerScript& s) {
         s.retry = true;
         s.server_hello =
             in_hello([](ServerHello& hello) { hello.cipher_suite = CipherSuite::chacha20_poly1305_sha256; });
       }},
      {"RFC 8446 §4.2.8: another group in the ServerHello", illegal_parameter,
       [](ServerScript& s) {
         s.retry = true;
         s.server_hello = in_hello([](ServerHello& hello) { hello.key_share->group = NamedGroup::x25519; });
       }},
      {"RFC 8446 §9.2: no supported_versions in a HelloRetryRequest", missing_extension,
       [](ServerScript& s) {
         s.retry = true;
         s.hello_retry_request = in_hello([](ServerHello& hello) { hello.supported_version.reset(); });
       }},
      {"RFC 8446 §4.1.4: legacy_session_id_echo", illegal_parameter,
       [](ServerScript& s) {
         s.retry = true;
         s.hello_retry_request = in_hello([](ServerHello& hello) { hello.legacy_session_id_echo = kOneByte; });
       }},
      {"RFC 8446 §4.1.4: an extension that nobody asked for", unsupported_extension,
       [](ServerScript& s) {
         s.retry = true;
         s.hello_retry_request = [](ServerHello&, Extras& extras) { extras.push_back(extension(0x1234)); };
       }},
      {"RFC 8446 §4.2: pre_shared_key in a HelloRetryRequest", illegal_parameter,
       [](ServerScript& s) {
         static constexpr uint8_t kFirst[] = {0, 0};
         s.retry = true;
         s.hello_retry_request = [](ServerHello&, Extras& extras) { extras.push_back(extension(41, kFirst)); };
       },
       Mode::quic, with_psk},
      {"RFC 8446 §4.2.2: an empty cookie", decode_error,
       [](ServerScript& s) {
         static constexpr uint8_t kEmpty[] = {0, 0};
         s.retry = true;
         s.hello_retry_request = [](ServerHello&, Extras& extras) { extras.push_back(extension(44, kEmpty)); };
       }},
  };
  check_all(rows);
}

TEST_CASE("A client refuses wrong EncryptedExtensions") {
  static constexpr uint8_t kOther[] = {'x', 'y'};
  static const Row rows[] = {
      {"RFC 7301 §3.2: a protocol that was not offered", illegal_parameter,
       [](ServerScript& s) {
         s.encrypted_extensions = [](EncryptedExtensions& message, Extras&) { message.application_protocol = kOther; };
       }},
      {"RFC 9001 §8.1: no protocol over QUIC", no_application_protocol,
       [](ServerScript& s) {
         s.encrypted_extensions = [](EncryptedExtensions& message, Extras&) { message.application_protocol.reset(); };
       }},
      {"RFC 7301 §3.1: two protocols", decode_error,
       [](ServerScript& s) {
         static constexpr uint8_t kTwo[] = {0, 6, 2, 'h', '3', 2, 'h', '2'};
         s.encrypted_extensions = [](EncryptedExtensions& message, Extras& extras) {
           message.application_protocol.reset();
           extras.push_back(extension(16, kTwo));
         };
       }},
      {"RFC 9001 §8.2: no transport parameters over QUIC", missing_extension,
       [](ServerScript& s) {
         s.encrypted_extensions = [](EncryptedExtensions& message, Extras&) {
           message.quic_transport_parameters.reset();
         };
       }},
      {"RFC 9001 §8.2: transport parameters on a stream", unsupported_extension,
       [](ServerScript& s) {
         s.encrypted_extensions = [](EncryptedExtensions& message, Extras&) {
           message.quic_transport_parameters = Bytes(kOneByte);
         };
       },
       Mode::stream},
      {"RFC 8446 §4.2.10: early_data that was not offered", unsupported_extension,
       [](ServerScript& s) {
         s.encrypted_extensions = [](EncryptedExtensions& message, Extras&) { message.early_data = true; };
       }},
      {"RFC 8446 §4.3.1: an extension that belongs elsewhere", illegal_parameter,
       [](ServerScript& s) {
         static constexpr uint8_t kVersion[] = {3, 4};
         s.encrypted_extensions = [](EncryptedExtensions&, Extras& extras) {
           extras.push_back(extension(43, kVersion));
         };
       }},
      {"RFC 8446 §4.2: an extension that nobody asked for", unsupported_extension,
       [](ServerScript& s) {
         s.encrypted_extensions = [](EncryptedExtensions&, Extras& extras) { extras.push_back(extension(0x1234)); };
       }},
      {"RFC 8701 §3.1: a GREASE extension", unsupported_extension,
       [](ServerScript& s) {
         s.encrypted_extensions = [](EncryptedExtensions&, Extras& extras) { extras.push_back(extension(0x2a2a)); };
       }},
      {"RFC 8446 §4.2: the same extension twice", illegal_parameter,
       [](ServerScript& s) {
         static constexpr uint8_t kProtocol[] = {0, 3, 2, 'h', '3'};
         s.encrypted_extensions = [](EncryptedExtensions&, Extras& extras) {
           extras.push_back(extension(16, kProtocol));
         };
       }},
      {"RFC 6066 §3: server_name that is not empty", decode_error,
       [](ServerScript& s) {
         s.encrypted_extensions = [](EncryptedExtensions&, Extras& extras) {
           extras.push_back(extension(0, kNothing));
         };
       }},
      {"RFC 8446 §6.2: a byte too many", decode_error,
       [](ServerScript& s) { s.rewrite = bytes_of(HandshakeType::encrypted_extensions, add_trailing_byte); }},
      {"RFC 8446 §4: missing", unexpected_message,
       [](ServerScript& s) { s.rewrite = without(HandshakeType::encrypted_extensions); }},
  };
  check_all(rows);
}

TEST_CASE("A client refuses a wrong CertificateRequest") {
  static const Row rows[] = {
      {"RFC 8446 §4.3.2: a context during the handshake", illegal_parameter,
       [](ServerScript& s) {
         s.request_certificate = true;
         s.certificate_request = [](CertificateRequest& request, Extras&) { request.context = kOneByte; };
       }},
      {"RFC 8446 §4.3.2: no signature_algorithms", missing_extension,
       [](ServerScript& s) {
         s.request_certificate = true;
         s.certificate_request = [](CertificateRequest& request, Extras&) { request.signature_algorithms.reset(); };
       }},
      {"RFC 8446 §4.3.2: with a PSK", unexpected_message,
       [](ServerScript& s) {
         s.psk = psk();
         s.request_certificate = true;
       },
       Mode::quic, with_psk},
      {"RFC 8446 §4.2: the same extension twice", illegal_parameter,
       [](ServerScript& s) {
         static constexpr uint8_t kSchemes[] = {0, 2, 4, 3};
         s.request_certificate = true;
         s.certificate_request = [](CertificateRequest&, Extras& extras) { extras.push_back(extension(13, kSchemes)); };
       }},
      {"RFC 8446 §6.2: a byte too few", decode_error,
       [](ServerScript& s) {
         s.request_certificate = true;
         s.rewrite = bytes_of(HandshakeType::certificate_request, cut_last_byte);
       }},
  };
  check_all(rows);
}

TEST_CASE("A client refuses wrong certificates and signatures") {
  static constexpr uint8_t kGarbage[] = {0x30, 0x03, 0x02, 0x01};
  static const Row rows[] = {
      {"RFC 8446 §4.4.2.4: no certificate", decode_error,
       [](ServerScript& s) {
         s.certificate = [](std::vector<CertificateEntry>& entries, Bytes&) { entries.clear(); };
       }},
      {"RFC 8446 §4.4.2: a context", illegal_parameter,
       [](ServerScript& s) {
         s.certificate = [](std::vector<CertificateEntry>&, Bytes& context) { context = kOneByte; };
       }},
      {"RFC 8446 §6.2: a certificate that is none", bad_certificate,
       [](ServerScript& s) {
         s.certificate = [](std::vector<CertificateEntry>& entries, Bytes&) { entries[0].certificate = kGarbage; };
       }},
      {"RFC 8446 §4.4.2: an OCSP response that was not asked for", unsupported_extension,
       [](ServerScript& s) {
         s.certificate = [](std::vector<CertificateEntry>& entries, Bytes&) {
           entries[0].ocsp_response = Bytes(kGarbage);
         };
       },
       Mode::quic, [](ClientConfig& config, ClientOptions&) { config.request_ocsp = false; }},
      {"RFC 8446 §6.2: an unknown authority", unknown_ca, [](ServerScript&) {}, Mode::quic,
       [](ClientConfig& config, ClientOptions&) { config.trust = std::make_shared<x509::TrustStore>(); }},
      {"RFC 8446 §6.2: a certificate for another name", bad_certificate, [](ServerScript&) {}, Mode::quic,
       [](ClientConfig&, ClientOptions& options) { options.server_name = "other.example"; }},
      {"RFC 8446 §4.4: missing", unexpected_message,
       [](ServerScript& s) { s.rewrite = without(HandshakeType::certificate); }},
      {"RFC 8446 §4.4.3: PKCS#1", illegal_parameter,
       [](ServerScript& s) {
         s.certificate_verify = [](CertificateVerify& verify) { verify.scheme = SignatureScheme::rsa_pkcs1_sha256; };
       }},
      {"RFC 8446 §4.4.3: a scheme that was not offered", illegal_parameter,
       [](ServerScript& s) {
         s.certificate_verify = [](CertificateVerify& verify) { verify.scheme = static_cast<SignatureScheme>(0x0603); };
       }},
      {"RFC 8446 §4.4.3: a scheme for keys of another kind", illegal_parameter,
       [](ServerScript& s) {
         s.certificate_verify = [](CertificateVerify& verify) { verify.scheme = SignatureScheme::ed25519; };
       }},
      {"RFC 8446 §4.4.3: a scheme for another curve", illegal_parameter,
       [](ServerScript& s) {
         s.certificate_verify = [](CertificateVerify& verify) {
           verify.scheme = SignatureScheme::ecdsa_secp384r1_sha384;
         };
       }},
      {"RFC 8446 §4.4.3: a signature that does not verify", decrypt_error,
       [](ServerScript& s) {
         s.rewrite =
             bytes_of(HandshakeType::certificate_verify, [](std::vector<uint8_t>& bytes) { bytes.back() ^= 1; });
       }},
      {"RFC 8446 §4.4.3: an empty signature", decrypt_error,
       [](ServerScript& s) { s.certificate_verify = [](CertificateVerify& verify) { verify.signature = {}; }; }},
      {"RFC 8446 §4.4: CertificateVerify is missing", unexpected_message,
       [](ServerScript& s) { s.rewrite = without(HandshakeType::certificate_verify); }},
      {"RFC 8446 §6.2: CertificateVerify with a byte too many", decode_error,
       [](ServerScript& s) { s.rewrite = bytes_of(HandshakeType::certificate_verify, add_trailing_byte); }},
      {"RFC 8446 §4.4.4: Finished that is wrong", decrypt_error,
       [](ServerScript& s) {
         s.rewrite = bytes_of(HandshakeType::finished, [](std::vector<uint8_t>& bytes) { bytes.back() ^= 1; });
       }},
      {"RFC 8446 §4.4.4: Finished that is too short", decode_error,
       [](ServerScript& s) { s.rewrite = bytes_of(HandshakeType::finished, cut_last_byte); }},
      {"RFC 8446 §4.4.4: Finished that is too long", decode_error,
       [](ServerScript& s) { s.rewrite = bytes_of(HandshakeType::finished, add_trailing_byte); }},
      {"RFC 9001 §4.1.3: bytes behind Finished under the old keys", kQuicProtocolViolation,
       [](ServerScript& s) { s.rewrite = glued_to(HandshakeType::finished); }},
  };
  check_all(rows);
}

TEST_CASE("A client refuses every message where it is not due") {
  // Which types may come where the honest server sends the given one.
  const auto may_come = [](HandshakeType type, HandshakeType due) {
    return type == due || (due == HandshakeType::certificate && type == HandshakeType::certificate_request);
  };
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    for (const HandshakeType due :
         {HandshakeType::server_hello, HandshakeType::encrypted_extensions, HandshakeType::certificate,
          HandshakeType::certificate_verify, HandshakeType::finished}) {
      for (const HandshakeType type : kMessageTypes) {
        if (may_come(type, due)) continue;
        CAPTURE(static_cast<int>(due));
        CAPTURE(static_cast<int>(type));
        const Level level = due == HandshakeType::server_hello ? Level::initial : Level::handshake;
        check({"RFC 8446 §4: a message out of place",
               unexpected_message,
               [&](ServerScript& s) { s.rewrite = before(due, {level, raw_message(type, {})}); },
               mode,
               {}});
      }
    }
    for (const HandshakeType type : kMessageTypes) {
      if (type == HandshakeType::new_session_ticket || (type == HandshakeType::key_update && mode == Mode::stream)) {
        continue;
      }
      CAPTURE(static_cast<int>(type));
      // RFC 9001 §4.4: over QUIC a client is not asked for a certificate any more.
      const bool is_violation = type == HandshakeType::certificate_request && mode == Mode::quic;
      check({"RFC 8446 §4.6: a message that does not come after the handshake",
             is_violation ? kQuicProtocolViolation : unexpected_message,
             [&](ServerScript& s) { s.after = {{Level::application, raw_message(type, {})}}; },
             mode,
             {}});
    }
  }
}

TEST_CASE("A client refuses handshake bytes at a level where none are due") {
  for (const Level level : {Level::early_data, Level::handshake, Level::application}) {
    check({"RFC 9001 §4.1.3: before the ServerHello",
           kQuicProtocolViolation,
           [&](ServerScript& s) {
             s.rewrite = before(HandshakeType::server_hello, {level, raw_message(HandshakeType::server_hello, {})});
           },
           Mode::quic,
           {}});
  }
  for (const Level level : {Level::initial, Level::early_data, Level::application}) {
    check({"RFC 9001 §4.1.3: in the server's flight",
           kQuicProtocolViolation,
           [&](ServerScript& s) {
             s.rewrite = before(HandshakeType::finished, {level, raw_message(HandshakeType::finished, {})});
           },
           Mode::quic,
           {}});
  }
  for (const Level level : {Level::initial, Level::early_data, Level::handshake}) {
    check({"RFC 9001 §4.1.3: after the handshake",
           kQuicProtocolViolation,
           [&](ServerScript& s) { s.after = {{level, raw_message(HandshakeType::new_session_ticket, {})}}; },
           Mode::quic,
           {}});
  }
}

TEST_CASE("A client refuses wrong messages after the handshake") {
  const auto ticket = [](std::function<void(NewSessionTicket&)> change) {
    static constexpr uint8_t kTicket[] = {1, 2, 3, 4};
    NewSessionTicket message;
    message.lifetime_seconds = 3600;
    message.nonce = kOneByte;
    message.ticket = kTicket;
    change(message);
    PuppetMessage made{Level::application, {}};
    append_message(made.bytes, [&](auto& sink) { write_new_session_ticket(sink, message); });
    return made;
  };
  const auto after = [](PuppetMessage message) { return [message](ServerScript& s) { s.after = {message}; }; };
  static constexpr uint8_t kTwo[] = {2};
  check({"RFC 8446 §4.6.1: an empty ticket",
         decode_error,
         after(ticket([](NewSessionTicket& message) { message.ticket = {}; })),
         Mode::quic,
         {}});
  check({"RFC 8446 §4.6.1: a lifetime over seven days",
         illegal_parameter,
         after(ticket([](NewSessionTicket& message) { message.lifetime_seconds = kTicketLifetimeMax + 1; })),
         Mode::quic,
         {}});
  check({"RFC 9001 §4.6.1: early data with another limit than QUIC's",
         kQuicProtocolViolation,
         after(ticket([](NewSessionTicket& message) { message.max_early_data_size = 16'384; })),
         Mode::quic,
         {}});
  check({"RFC 8446 §4.6.3: a KeyUpdate that requests neither yes nor no",
         illegal_parameter,
         after({Level::application, raw_message(HandshakeType::key_update, kTwo)}),
         Mode::stream,
         {}});
  check({"RFC 8446 §6.2: an empty KeyUpdate",
         decode_error,
         after({Level::application, raw_message(HandshakeType::key_update, {})}),
         Mode::stream,
         {}});
  check({"RFC 9001 §6: a KeyUpdate over QUIC",
         unexpected_message,
         after({Level::application, raw_message(HandshakeType::key_update, kNothing)}),
         Mode::quic,
         {}});
}

}  // namespace quoll::tls::tests
