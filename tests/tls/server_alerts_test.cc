// What a server answers to a client that breaks a rule: one row for each rule, one alert for each row. The client is
// tests/tls/puppet.h; each row names the section whose MUST it breaks.
#include <algorithm>

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
  std::function<void(ClientScript&)> script;
  Mode mode = Mode::quic;
  std::function<void(ServerConfig&)> configure = {};
};

std::function<void(ClientScript&)> hello(std::function<void(ClientHello&)> change) {
  return [change](ClientScript& script) {
    script.client_hello = [change](ClientHello& message, Extras&) { change(message); };
  };
}

std::function<void(ClientScript&)> second_hello(std::function<void(ClientHello&)> change) {
  return [change](ClientScript& script) {
    script.shares = {};
    script.second_client_hello = [change](ClientHello& message, Extras&) { change(message); };
  };
}

std::function<void(ClientScript&)> extra(RawExtension added) {
  return [added](ClientScript& script) {
    script.client_hello = [added](ClientHello&, Extras& extras) { extras.push_back(added); };
  };
}

std::function<void(ClientScript&)> rewritten(Rewrite rewrite) {
  return [rewrite](ClientScript& script) { script.rewrite = rewrite; };
}

void with_psk(ServerConfig& config) {
  config.find_external_psk = [](Bytes identity) {
    return std::ranges::equal(identity, psk().identity) ? &psk() : nullptr;
  };
}

void offer_psk(ClientScript& script) { script.psk = psk(); }

/// One that the server trusts when it asks.
const Identity& client_identity() {
  static const std::shared_ptr<const Identity> made = scene_of(Mode::quic).authority.issue();
  return *made;
}

std::function<void(ServerConfig&)> client_authentication(ClientAuthentication wanted) {
  return [wanted](ServerConfig& config) {
    config.client_policy.authentication = wanted;
    config.client_policy.trust = scene_of(Mode::quic).authority.trust();
  };
}

Outcome run(const Row& row) {
  Scene& scene = scene_of(row.mode);
  ServerConfig config = scene.server;
  if (row.configure) row.configure(config);
  Session server = must(Session::server(std::make_shared<const ServerConfig>(config), scene.server_options, scene.rng));
  ClientScript script;
  row.script(script);
  return play_client(server, script, row.mode, scene.rng, kNow);
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

void check_honest(const Row& row) {
  INFO(std::string(row.name));
  const Outcome outcome = run(row);
  CAPTURE(outcome.reason);
  CHECK(!outcome.alert);
  CHECK(outcome.complete);
}

}  // namespace

TEST_CASE("The honest puppet client is accepted: what a row breaks is what is refused") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    check_honest({"one share", close_notify, [](ClientScript&) {}, mode, {}});
    check_honest({"no share", close_notify, [](ClientScript& s) { s.shares = {}; }, mode, {}});
    check_honest({"no share, and a cookie", close_notify, [](ClientScript& s) { s.shares = {}; }, mode,
                  [](ServerConfig& config) { config.hello_retry_cookie = true; }});
    check_honest({"psk", close_notify, offer_psk, mode, with_psk});
    check_honest({"a psk that nobody knows", close_notify, offer_psk, mode, {}});
    check_honest({"no certificate", close_notify, [](ClientScript&) {}, mode,
                  client_authentication(ClientAuthentication::optional)});
    check_honest({"a certificate", close_notify, [](ClientScript& s) { s.identity = &client_identity(); }, mode,
                  client_authentication(ClientAuthentication::required)});
    check_honest({"RFC 8446 §4.2: unknown extensions are ignored", close_notify, extra(extension(0x1234)), mode, {}});
    check_honest({"RFC 8701: GREASE is ignored", close_notify, extra(extension(0x3a3a, kOneByte)), mode, {}});
  }
}

TEST_CASE("A server refuses a wrong ClientHello") {
  static constexpr uint8_t kTls12[] = {3, 3};
  static constexpr uint8_t kTwoCompressions[] = {1, 0};
  static constexpr uint8_t kUnknownPair[] = {0x7f, 0x01};
  static constexpr uint8_t kZeroShare[4 + 32] = {0x00, 0x1d, 0x00, 0x20};
  static constexpr uint8_t kShortShare[4 + 1] = {0x00, 0x1d, 0x00, 0x01, 0x42};
  static constexpr uint8_t kUnlistedShare[4 + 1] = {0x00, 0x1e, 0x00, 0x01, 0x42};
  static constexpr uint8_t kPskKe[] = {0};
  static const Row rows[] = {
      {"RFC 8446 §4.2.1: TLS 1.2 without supported_versions", protocol_version,
       hello([](ClientHello& m) { m.supported_versions.reset(); })},
      {"RFC 8446 §4.2.1: TLS 1.2 alone", protocol_version,
       hello([](ClientHello& m) { m.supported_versions = CodeList<uint16_t>(kTls12); })},
      {"RFC 8446 §4.1.2: compression", illegal_parameter,
       hello([](ClientHello& m) { m.legacy_compression_methods = kTwoCompressions; })},
      {"RFC 8446 §4.1.2: no null compression", illegal_parameter,
       hello([](ClientHello& m) { m.legacy_compression_methods = kOneByte; })},
      {"RFC 9001 §8.4: compatibility mode over QUIC", kQuicProtocolViolation,
       hello([](ClientHello& m) { m.legacy_session_id = kOneByte; })},
      {"RFC 8446 §4.1.1: no common suite", handshake_failure,
       hello([](ClientHello& m) { m.cipher_suites = CodeList<CipherSuite>(kUnknownPair); })},
      {"RFC 8446 §4.1.1: no common group", handshake_failure, hello([](ClientHello& m) {
         m.supported_groups = CodeList<NamedGroup>(kUnknownPair);
         m.key_shares = KeyShareList();
       })},
      {"RFC 8446 §4.4.3: no common signature algorithm", handshake_failure,
       hello([](ClientHello& m) { m.signature_algorithms = CodeList<SignatureScheme>(kUnknownPair); })},
      {"RFC 8446 §9.2: no signature_algorithms", missing_extension,
       hello([](ClientHello& m) { m.signature_algorithms.reset(); })},
      {"RFC 8446 §9.2: no supported_groups", missing_extension,
       hello([](ClientHello& m) { m.supported_groups.reset(); })},
      {"RFC 8446 §9.2: no key_share", missing_extension, hello([](ClientHello& m) { m.key_shares.reset(); })},
      {"RFC 8446 §4.2.9: pre_shared_key without psk_key_exchange_modes", missing_extension,
       [](ClientScript& s) {
         offer_psk(s);
         s.client_hello = [](ClientHello& m, Extras&) { m.psk_key_exchange_modes.reset(); };
       },
       Mode::quic, with_psk},
      {"RFC 8446 §4.2.8: a share of a group that supported_groups does not name", illegal_parameter,
       hello([](ClientHello& m) { m.key_shares = KeyShareList(kUnlistedShare); })},
      {"RFC 8446 §4.2.8: a share of a wrong length", illegal_parameter,
       hello([](ClientHello& m) { m.key_shares = KeyShareList(kShortShare); })},
      {"RFC 8446 §7.4.2: an X25519 share of small order", illegal_parameter,
       hello([](ClientHello& m) { m.key_shares = KeyShareList(kZeroShare); })},
      {"RFC 8446 §4.2.8.2: a point that is not on the curve", illegal_parameter, hello([](ClientHello& m) {
         static const std::vector<uint8_t> share = [] {
           std::vector<uint8_t> bytes(4 + 65, 0x11);
           constexpr uint8_t kHead[] = {0x00, 0x17, 0x00, 0x41, 0x04};
           std::ranges::copy(kHead, bytes.begin());
           return bytes;
         }();
         m.key_shares = KeyShareList(share);
       })},
      {"draft-ietf-tls-ecdhe-mlkem §4.1: an encapsulation key that is none", illegal_parameter,
       hello([](ClientHello& m) {
         static const std::vector<uint8_t> share = [] {
           std::vector<uint8_t> bytes(4 + 1216, 0xff);
           constexpr uint8_t kHead[] = {0x11, 0xec, 0x04, 0xc0};
           std::ranges::copy(kHead, bytes.begin());
           return bytes;
         }();
         m.key_shares = KeyShareList(share);
       })},
      {"RFC 7301 §3.2: no common protocol", no_application_protocol, hello([](ClientHello& m) {
         static constexpr uint8_t kOther[] = {2, 'x', 'y'};
         m.application_protocols = ProtocolNameList(kOther);
       })},
      {"RFC 9001 §8.1: no protocol over QUIC", no_application_protocol,
       hello([](ClientHello& m) { m.application_protocols.reset(); })},
      {"RFC 9001 §8.2: no transport parameters over QUIC", missing_extension,
       hello([](ClientHello& m) { m.quic_transport_parameters.reset(); })},
      {"RFC 9001 §8.2: transport parameters on a stream", unsupported_extension,
       hello([](ClientHello& m) { m.quic_transport_parameters = Bytes(kOneByte); }), Mode::stream},
      {"RFC 6066 §3: a name that no identity carries, when that matters", unrecognized_name, hello([](ClientHello& m) {
         static constexpr std::string_view kName = "elsewhere.example";
         m.server_name = as_bytes(kName);
       }),
       Mode::quic, [](ServerConfig& config) { config.strict_server_name = true; }},
      {"RFC 8446 §4.2.11.2: a wrong binder", decrypt_error,
       [](ClientScript& s) {
         offer_psk(s);
         s.binder = [](std::vector<uint8_t>& binder) { binder[0] ^= 1; };
       },
       Mode::quic, with_psk},
      {"RFC 8446 §4.2.10: early_data without a PSK", illegal_parameter,
       hello([](ClientHello& m) { m.early_data = true; })},
      {"RFC 8446 §4.2: the same extension twice", illegal_parameter, extra(extension(51, kNothing))},
      {"RFC 8446 §4.2: an extension that belongs elsewhere", illegal_parameter, extra(extension(48, kNothing))},
      {"RFC 8446 §6.2: a byte too many", decode_error,
       rewritten(bytes_of(HandshakeType::client_hello, add_trailing_byte))},
      {"RFC 8446 §6.2: a byte too few", decode_error, rewritten(bytes_of(HandshakeType::client_hello, cut_last_byte))},
      {"a message over the limit", decode_error,
       rewritten(bytes_of(HandshakeType::client_hello, [](std::vector<uint8_t>& bytes) { bytes[1] = 0xff; }))},
      {"RFC 9001 §4.1.3: a message that spans the key change", kQuicProtocolViolation,
       rewritten(glued_to(HandshakeType::client_hello))},
      {"RFC 8446 §4.1.2: psk_ke is not ours: a PSK for it alone does not spare the rest", close_notify,
       [](ClientScript& s) {
         offer_psk(s);
         s.client_hello = [](ClientHello& m, Extras&) { m.psk_key_exchange_modes = Bytes(kPskKe); };
       },
       Mode::quic, with_psk},
  };
  for (const Row& row : rows) {
    if (row.alert == close_notify) {
      check_honest(row);
    } else {
      check(row);
    }
  }
}

TEST_CASE("A server refuses a pre_shared_key that is not the last extension or whose lists differ") {
  check({"RFC 8446 §4.2.11: not the last", illegal_parameter,
         [](ClientScript& s) {
           offer_psk(s);
           s.rewrite = bytes_of(HandshakeType::client_hello, [](std::vector<uint8_t>& bytes) {
             // Behind everything, and counted by the block's length, which stands behind suites and compression.
             constexpr uint8_t kLate[] = {0x12, 0x34, 0x00, 0x00};
             const size_t block = kHandshakeHeaderSize + 2 + 32 + 1 + 2 + 6 + 2;
             const size_t length = size_t{bytes[block]} << 8 | bytes[block + 1];
             bytes.insert(bytes.end(), std::begin(kLate), std::end(kLate));
             store_be(bytes.data() + block, static_cast<uint16_t>(length + sizeof kLate));
             set_length(bytes);
           });
         },
         Mode::quic, with_psk});
  check({"RFC 8446 §4.2.11: a binder too few", illegal_parameter,
         [](ClientScript& s) {
           offer_psk(s);
           s.client_hello = [](ClientHello& m, Extras&) {
             static std::vector<uint8_t> twice;
             const Bytes once = m.pre_shared_key->identities;
             twice.assign(once.begin(), once.end());
             twice.insert(twice.end(), once.begin(), once.end());
             m.pre_shared_key->identities = twice;
           };
         },
         Mode::quic, with_psk});
}

TEST_CASE("A server refuses a second ClientHello that changes more than it may") {
  static constexpr uint8_t kOneSuite[] = {0x13, 0x01};
  static constexpr uint8_t kOneGroup[] = {0x00, 0x1d};
  static constexpr uint8_t kProtocols[] = {2, 'h', '3', 2, 'h', '2'};
  const auto with_cookie = [](ServerConfig& config) { config.hello_retry_cookie = true; };
  const Row rows[] = {
      {"RFC 8446 §4.1.2: other suites", illegal_parameter,
       second_hello([](ClientHello& m) { m.cipher_suites = CodeList<CipherSuite>(kOneSuite); })},
      {"RFC 8446 §4.1.2: another random", illegal_parameter, second_hello([](ClientHello& m) { m.random[0] ^= 1; })},
      {"RFC 8446 §4.1.2: other groups", illegal_parameter,
       second_hello([](ClientHello& m) { m.supported_groups = CodeList<NamedGroup>(kOneGroup); })},
      {"RFC 8446 §4.1.2: other protocols", illegal_parameter,
       second_hello([](ClientHello& m) { m.application_protocols = ProtocolNameList(kProtocols); })},
      {"RFC 8446 §4.1.2: another name", illegal_parameter, second_hello([](ClientHello& m) {
         static constexpr std::string_view kName = "elsewhere.example";
         m.server_name = as_bytes(kName);
       })},
      {"RFC 8446 §4.1.2: early data", illegal_parameter, second_hello([](ClientHello& m) { m.early_data = true; })},
      {"RFC 8446 §4.1.4: still no share", illegal_parameter,
       second_hello([](ClientHello& m) { m.key_shares = KeyShareList(); })},
      {"RFC 8446 §4.2.2: another cookie", illegal_parameter,
       second_hello([](ClientHello& m) { m.cookie = Bytes(kOneByte); }), Mode::quic, with_cookie},
      {"RFC 8446 §4.2.2: no cookie", missing_extension, second_hello([](ClientHello& m) { m.cookie.reset(); }),
       Mode::quic, with_cookie},
  };
  check_all(rows);
}

TEST_CASE("A server refuses wrong certificates, signatures and Finished messages") {
  static constexpr uint8_t kGarbage[] = {0x30, 0x03, 0x02, 0x01};
  const auto required = client_authentication(ClientAuthentication::required);
  const auto with_identity = [](std::function<void(ClientScript&)> change) {
    return [change](ClientScript& s) {
      s.identity = &client_identity();
      change(s);
    };
  };
  const Row rows[] = {
      {"RFC 8446 §4.4.2.4: no certificate where one is required", certificate_required, [](ClientScript&) {},
       Mode::quic, required},
      {"RFC 8446 §4.4.2: another context", illegal_parameter, with_identity([](ClientScript& s) {
         s.certificate = [](std::vector<CertificateEntry>&, Bytes& context) { context = kOneByte; };
       }),
       Mode::quic, required},
      {"RFC 8446 §6.2: a certificate that is none", bad_certificate, with_identity([](ClientScript& s) {
         s.certificate = [](std::vector<CertificateEntry>& entries, Bytes&) { entries[0].certificate = kGarbage; };
       }),
       Mode::quic, required},
      {"RFC 8446 §6.2: an unknown authority", unknown_ca, with_identity([](ClientScript&) {}), Mode::quic,
       [&](ServerConfig& config) {
         required(config);
         config.client_policy.trust = std::make_shared<x509::TrustStore>();
       }},
      {"RFC 8446 §4.4.2: an extension that was not asked for", unsupported_extension,
       with_identity([](ClientScript& s) {
         s.certificate = [](std::vector<CertificateEntry>& entries, Bytes&) {
           entries[0].ocsp_response = Bytes(kGarbage);
         };
       }),
       Mode::quic, required},
      {"RFC 8446 §4.4.3: PKCS#1", illegal_parameter, with_identity([](ClientScript& s) {
         s.certificate_verify = [](CertificateVerify& verify) { verify.scheme = SignatureScheme::rsa_pkcs1_sha256; };
       }),
       Mode::quic, required},
      {"RFC 8446 §4.4.3: a scheme for keys of another kind", illegal_parameter, with_identity([](ClientScript& s) {
         s.certificate_verify = [](CertificateVerify& verify) { verify.scheme = SignatureScheme::ed25519; };
       }),
       Mode::quic, required},
      {"RFC 8446 §4.4.3: a signature that does not verify", decrypt_error, with_identity([](ClientScript& s) {
         s.rewrite =
             bytes_of(HandshakeType::certificate_verify, [](std::vector<uint8_t>& bytes) { bytes.back() ^= 1; });
       }),
       Mode::quic, required},
      {"RFC 8446 §4.4: CertificateVerify is missing", unexpected_message,
       with_identity([](ClientScript& s) { s.rewrite = without(HandshakeType::certificate_verify); }), Mode::quic,
       required},
      {"RFC 8446 §4.4: Certificate is missing", unexpected_message,
       with_identity([](ClientScript& s) { s.rewrite = without(HandshakeType::certificate); }), Mode::quic, required},
      {"RFC 8446 §4.4.4: Finished that is wrong", decrypt_error,
       rewritten(bytes_of(HandshakeType::finished, [](std::vector<uint8_t>& bytes) { bytes.back() ^= 1; }))},
      {"RFC 8446 §4.4.4: Finished that is too short", decode_error,
       rewritten(bytes_of(HandshakeType::finished, cut_last_byte))},
      {"RFC 9001 §4.1.3: bytes behind Finished under the old keys", kQuicProtocolViolation,
       rewritten(glued_to(HandshakeType::finished))},
  };
  check_all(rows);
}

TEST_CASE("A server refuses every message where it is not due") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    for (const HandshakeType due : {HandshakeType::client_hello, HandshakeType::certificate,
                                    HandshakeType::certificate_verify, HandshakeType::finished}) {
      for (const HandshakeType type : kMessageTypes) {
        if (type == due) continue;
        CAPTURE(static_cast<int>(due));
        CAPTURE(static_cast<int>(type));
        const Level level = due == HandshakeType::client_hello ? Level::initial : Level::handshake;
        check({"RFC 8446 §4: a message out of place", unexpected_message,
               [&](ClientScript& s) {
                 s.identity = &client_identity();
                 s.rewrite = before(due, {level, raw_message(type, {})});
               },
               mode, client_authentication(ClientAuthentication::required)});
      }
    }
    for (const HandshakeType type : kMessageTypes) {
      if (type == HandshakeType::key_update && mode == Mode::stream) continue;
      CAPTURE(static_cast<int>(type));
      check({"RFC 8446 §4.6: a message that does not come after the handshake",
             unexpected_message,
             [&](ClientScript& s) { s.after = {{Level::application, raw_message(type, {})}}; },
             mode,
             {}});
    }
  }
  check({"RFC 9001 §6: a KeyUpdate over QUIC",
         unexpected_message,
         [](ClientScript& s) { s.after = {{Level::application, raw_message(HandshakeType::key_update, kNothing)}}; },
         Mode::quic,
         {}});
  check({"RFC 9001 §8.3: EndOfEarlyData over QUIC",
         unexpected_message,
         [](ClientScript& s) {
           s.rewrite =
               before(HandshakeType::finished, {Level::handshake, raw_message(HandshakeType::end_of_early_data, {})});
         },
         Mode::quic,
         {}});
}

TEST_CASE("A server refuses handshake bytes at a level where none are due") {
  for (const Level level : {Level::early_data, Level::handshake, Level::application}) {
    check({"RFC 9001 §4.1.3: instead of a ClientHello",
           kQuicProtocolViolation,
           [&](ClientScript& s) {
             s.rewrite = before(HandshakeType::client_hello, {level, raw_message(HandshakeType::client_hello, {})});
           },
           Mode::quic,
           {}});
  }
  for (const Level level : {Level::initial, Level::early_data, Level::application}) {
    check({"RFC 9001 §4.1.3: instead of Finished",
           kQuicProtocolViolation,
           [&](ClientScript& s) {
             s.rewrite = before(HandshakeType::finished, {level, raw_message(HandshakeType::finished, {})});
           },
           Mode::quic,
           {}});
  }
}

}  // namespace quoll::tls::tests
