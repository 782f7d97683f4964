// TLS handshake messages of other implementations, {"messages": [{"name", "hex"}]}: each parses, is written again
// (tests/support/message_round_trip.h), and is refused when it is cut short. And the code points of the registries.
#include <cstdlib>
#include <map>

#include "tests/support/message_round_trip.h"
#include "tests/vectors/families.h"
#include "tls/alert.h"
#include "tls/cipher_suite.h"

namespace quoll::vectors {
namespace {

using namespace tls;

/// Whether any strict prefix of the body is taken for a message, other than the two that TLS 1.2 allows: hellos that end
/// before their extensions.
bool accepts_prefixes(const std::vector<uint8_t>& whole) {
  const HandshakeType type{whole[0]};
  if (type == HandshakeType::finished || type == HandshakeType::end_of_early_data) return false;
  for (size_t size = kHandshakeHeaderSize; size < whole.size(); size++) {
    const Bytes prefix = Bytes(whole).first(size);
    if (!tests::round_trip(prefix).parsed) continue;
    const Bytes body = prefix.subspan(kHandshakeHeaderSize);
    if (type == HandshakeType::client_hello && !parse_client_hello(body)->has_extensions) continue;
    if (type == HandshakeType::server_hello && !parse_server_hello(body)->has_extensions) continue;
    return true;
  }
  return false;
}

void run_messages(const json& file, Report& report) {
  for (const json& test : file.at("messages")) {
    const auto name = test.at("name").get<std::string>();
    const std::vector<uint8_t> whole = bytes_of(test, "hex");
    report.check(tests::has_right_header(whole), name + ": header");
    if (!tests::has_right_header(whole)) continue;
    const tests::RoundTrip result = tests::round_trip(whole);
    report.check(result.parsed, name + ": refused, " + result.error.reason);
    report.check(result.complaint.empty(), name + ": " + result.complaint);
    report.check(!accepts_prefixes(whole), name + ": cut short");
  }
}

// Our enums by the registry's names.
const std::map<std::string, std::map<std::string, uint64_t>>& known_code_points() {
  const auto number = [](auto value) { return static_cast<uint64_t>(value); };
  static const std::map<std::string, std::map<std::string, uint64_t>> known = {
      {"cipher_suites",
       {{"TLS_AES_128_GCM_SHA256", number(CipherSuite::aes_128_gcm_sha256)},
        {"TLS_AES_256_GCM_SHA384", number(CipherSuite::aes_256_gcm_sha384)},
        {"TLS_CHACHA20_POLY1305_SHA256", number(CipherSuite::chacha20_poly1305_sha256)}}},
      {"named_groups",
       {{"secp256r1", number(NamedGroup::secp256r1)},
        {"secp384r1", number(NamedGroup::secp384r1)},
        {"x25519", number(NamedGroup::x25519)},
        {"X25519MLKEM768", number(NamedGroup::x25519_mlkem768)}}},
      {"signature_schemes",
       {{"rsa_pkcs1_sha256", number(SignatureScheme::rsa_pkcs1_sha256)},
        {"rsa_pkcs1_sha384", number(SignatureScheme::rsa_pkcs1_sha384)},
        {"rsa_pkcs1_sha512", number(SignatureScheme::rsa_pkcs1_sha512)},
        {"ecdsa_secp256r1_sha256", number(SignatureScheme::ecdsa_secp256r1_sha256)},
        {"ecdsa_secp384r1_sha384", number(SignatureScheme::ecdsa_secp384r1_sha384)},
        {"rsa_pss_rsae_sha256", number(SignatureScheme::rsa_pss_rsae_sha256)},
        {"rsa_pss_rsae_sha384", number(SignatureScheme::rsa_pss_rsae_sha384)},
        {"rsa_pss_rsae_sha512", number(SignatureScheme::rsa_pss_rsae_sha512)},
        {"ed25519", number(SignatureScheme::ed25519)},
        {"rsa_pss_pss_sha256", number(SignatureScheme::rsa_pss_pss_sha256)},
        {"rsa_pss_pss_sha384", number(SignatureScheme::rsa_pss_pss_sha384)},
        {"rsa_pss_pss_sha512", number(SignatureScheme::rsa_pss_pss_sha512)}}},
      {"handshake_types",
       {{"client_hello", number(HandshakeType::client_hello)},
        {"server_hello", number(HandshakeType::server_hello)},
        {"new_session_ticket", number(HandshakeType::new_session_ticket)},
        {"end_of_early_data", number(HandshakeType::end_of_early_data)},
        {"encrypted_extensions", number(HandshakeType::encrypted_extensions)},
        {"certificate", number(HandshakeType::certificate)},
        {"certificate_request", number(HandshakeType::certificate_request)},
        {"certificate_verify", number(HandshakeType::certificate_verify)},
        {"finished", number(HandshakeType::finished)},
        {"key_update", number(HandshakeType::key_update)},
        {"message_hash", number(HandshakeType::message_hash)}}},
      {"extensions",
       {{"server_name", number(ExtensionType::server_name)},
        {"max_fragment_length", number(ExtensionType::max_fragment_length)},
        {"status_request", number(ExtensionType::status_request)},
        {"supported_groups", number(ExtensionType::supported_groups)},
        {"signature_algorithms", number(ExtensionType::signature_algorithms)},
        {"use_srtp", number(ExtensionType::use_srtp)},
        {"heartbeat", number(ExtensionType::heartbeat)},
        {"application_layer_protocol_negotiation", number(ExtensionType::application_layer_protocol_negotiation)},
        {"signed_certificate_timestamp", number(ExtensionType::signed_certificate_timestamp)},
        {"client_certificate_type", number(ExtensionType::client_certificate_type)},
        {"server_certificate_type", number(ExtensionType::server_certificate_type)},
        {"padding", number(ExtensionType::padding)},
        {"pre_shared_key", number(ExtensionType::pre_shared_key)},
        {"early_data", number(ExtensionType::early_data)},
        {"supported_versions", number(ExtensionType::supported_versions)},
        {"cookie", number(ExtensionType::cookie)},
        {"psk_key_exchange_modes", number(ExtensionType::psk_key_exchange_modes)},
        {"certificate_authorities", number(ExtensionType::certificate_authorities)},
        {"oid_filters", number(ExtensionType::oid_filters)},
        {"post_handshake_auth", number(ExtensionType::post_handshake_auth)},
        {"signature_algorithms_cert", number(ExtensionType::signature_algorithms_cert)},
        {"key_share", number(ExtensionType::key_share)},
        {"compress_certificate", number(ExtensionType::compress_certificate)},
        {"record_size_limit", number(ExtensionType::record_size_limit)},
        {"quic_transport_parameters", number(ExtensionType::quic_transport_parameters)},
        {"encrypted_client_hello", number(ExtensionType::encrypted_client_hello)}}},
  };
  return known;
}

/// A registry's number: itself, or text such as "0x11ec (4588)".
uint64_t registered_number(const json& entry) {
  if (entry.is_number_unsigned()) return entry.get<uint64_t>();
  return std::strtoull(entry.get<std::string>().c_str(), nullptr, 0);
}

void run_registry(const json& file, Report& report) {
  for (const auto& [registry, names] : known_code_points()) {
    for (const auto& [name, number] : names) {
      const json& entries = file.at(registry);
      report.check(entries.contains(name) && registered_number(entries.at(name)) == number, registry + ": " + name);
    }
  }
  for (const auto& [name, entry] : file.at("cipher_suites").items()) {
    const CipherSuite suite{static_cast<uint16_t>(registered_number(entry))};
    report.check(name_of(suite) == (is_supported(suite) ? name : "unknown"), "the name of " + name);
  }
  for (const auto& [name, entry] : file.at("alerts").items()) {
    const std::string ours(alert_name(static_cast<uint8_t>(registered_number(entry))));
    report.check(ours == name, "alert " + name);
  }
  report.check(bytes_of(file, "hello_retry_request_random") == tests::to_buffer(kHelloRetryRequestRandom),
               "HelloRetryRequest's random");
  size_t grease = 0;
  for (const json& entry : file.at("grease_values")) {
    grease++;
    report.check(is_grease(static_cast<uint16_t>(registered_number(entry))), "GREASE " + entry.dump());
  }
  for (uint32_t value = 0; value <= 0xffff; value++) grease -= is_grease(static_cast<uint16_t>(value));
  report.check(grease == 0, "nothing else is GREASE");
}

}  // namespace

Handler tls_messages_handler(const json& file) {
  if (file.contains("cipher_suites") && file.contains("alerts") && file.contains("extensions")) return run_registry;
  if (!file.contains("messages")) return nullptr;
  const json& messages = file.at("messages");
  const bool fits = messages.is_array() && !messages.empty() && messages.front().is_object() &&
                    messages.front().contains("name") && messages.front().contains("hex");
  return fits ? run_messages : nullptr;
}

}  // namespace quoll::vectors
