#include "tls/server_flight.h"

#include <array>

#include "tls/grease.h"
#include "tls/peer_verification.h"

namespace quoll::tls {
namespace {

constexpr size_t kAuthoritiesSizeMax = 8 * 1024;  // bytes of certificate_authorities that are worth sending

/// Code points as they stand on the wire.
template <class Code>
std::vector<uint8_t> wire_list(std::span<const Code> codes) {
  std::vector<uint8_t> raw(2 * codes.size());
  for (size_t i = 0; i < codes.size(); i++) store_be(&raw[2 * i], static_cast<uint16_t>(codes[i]));
  return raw;
}

/// The subjects of the anchors as contents of certificate_authorities; empty when there are none, or more than fit.
std::vector<uint8_t> authorities_of(const x509::TrustStore& trust) {
  std::vector<uint8_t> names;
  for (const auto& anchor : trust.certificates()) {
    const Bytes subject = anchor->subject;
    if (names.size() + 2 + subject.size() > kAuthoritiesSizeMax) return {};
    uint8_t size[2];
    store_be(size, static_cast<uint16_t>(subject.size()));
    names.insert(names.end(), size, size + sizeof size);
    names.insert(names.end(), subject.begin(), subject.end());
  }
  return names;
}

ServerHello hello_for(const ServerParameters& parameters) {
  ServerHello hello;
  hello.legacy_session_id_echo = parameters.session_id;
  hello.cipher_suite = parameters.cipher_suite;
  hello.supported_version = kTls13;
  return hello;
}

}  // namespace

void ServerFlight::send_hello_retry_request(const ServerParameters& parameters, Bytes cookie) {
  ServerHello request = hello_for(parameters);
  request.random = kHelloRetryRequestRandom;
  request.selected_group = parameters.group.group;
  if (!cookie.empty()) request.cookie = cookie;
  send(Level::initial, [&](auto& sink) { write_server_hello(sink, request); });
}

void ServerFlight::send_server_hello(const ServerParameters& parameters, Bytes server_share) {
  ServerHello hello = hello_for(parameters);
  context_.rng.fill(hello.random);
  hello.key_share = KeyShareEntry{.group = parameters.group.group, .key_exchange = server_share};
  if (parameters.psk) hello.pre_shared_key = parameters.psk->index;
  send(Level::initial, [&](auto& sink) { write_server_hello(sink, hello); });
}

void ServerFlight::send_encrypted_extensions(const ServerParameters& parameters, Bytes transport_parameters) {
  EncryptedExtensions message;
  // RFC 6066 §3: the name has guided the choice of identity, policy and tickets, so it is acknowledged.
  message.server_name = !parameters.server_name.empty();
  const std::vector<uint8_t> groups = wire_list<NamedGroup>(config_.preferences.groups);
  // RFC 8446 §4.2.7: a group that we prefer is made known to a client that supports it.
  if (parameters.group.client_has_better) message.supported_groups = CodeList<NamedGroup>(groups);
  if (!parameters.application_protocol.empty())
    message.application_protocol = as_bytes(parameters.application_protocol);
  message.early_data = parameters.early_data_accepted;
  if (context_.mode == Mode::quic) message.quic_transport_parameters = transport_parameters;
  send(Level::handshake, [&](auto& sink) { write_encrypted_extensions(sink, message); });
}

void ServerFlight::send_certificate_request(const ServerParameters& parameters) {
  const ClientPolicy& policy = *parameters.client_policy;
  const std::vector<uint8_t> schemes = wire_list(accepted_schemes(config_.preferences));
  const std::vector<uint8_t> certificate_schemes_list =
      wire_list<SignatureScheme>(certificate_schemes(config_.preferences));
  const std::vector<uint8_t> authorities =
      policy.announce_authorities && policy.trust ? authorities_of(*policy.trust) : std::vector<uint8_t>();

  CertificateRequest message;  // RFC 8446 §4.3.2: the context is empty in the handshake
  message.signature_algorithms = CodeList<SignatureScheme>(schemes);
  message.signature_algorithms_cert = CodeList<SignatureScheme>(certificate_schemes_list);
  if (!authorities.empty()) message.certificate_authorities = authorities;
  const RawExtension grease{.type = static_cast<ExtensionType>(draw_grease(context_.rng)), .data = {}};
  const std::span<const RawExtension> extra(&grease, config_.grease ? 1 : 0);
  send(Level::handshake, [&](auto& sink) { write_certificate_request(sink, message, extra); });
}

void ServerFlight::send_certificate(const ServerParameters& parameters) {
  const Identity& identity = *parameters.identity.identity;
  std::vector<CertificateEntry> entries;
  entries.reserve(identity.chain().size());
  for (const std::vector<uint8_t>& certificate : identity.chain()) {
    entries.push_back({.certificate = certificate, .ocsp_response = {}, .has_unknown_extension = false});
  }
  // RFC 8446 §4.4.2.1: a staple for clients that asked.
  if (parameters.wants_ocsp_response && !identity.ocsp_response().empty()) {
    entries.front().ocsp_response = identity.ocsp_response();
  }
  send(Level::handshake, [&](auto& sink) { write_certificate(sink, {}, entries); });
}

Result<void> ServerFlight::send_certificate_verify(const ServerParameters& parameters) {
  const Digest hash = transcript_.digest();
  std::array<uint8_t, x509::kSignatureSizeMax> signature;
  const Result<size_t> size = sign_certificate_verify(*parameters.identity.identity, parameters.identity.scheme,
                                                      context_.rng, {.signer = Side::server, .hash = hash}, signature);
  if (!size) return std::unexpected(size.error());
  const CertificateVerify message{.scheme = parameters.identity.scheme, .signature = Bytes(signature).first(*size)};
  send(Level::handshake, [&](auto& sink) { write_certificate_verify(sink, message); });
  return {};
}

void ServerFlight::send_finished(const crypto::HashAlgorithm& hash, Bytes server_handshake_traffic) {
  const Digest verify_data = finished_mac(hash, server_handshake_traffic, transcript_.digest());
  send(Level::handshake, [&](auto& sink) { write_finished(sink, verify_data); });
}

}  // namespace quoll::tls
