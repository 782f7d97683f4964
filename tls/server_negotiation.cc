#include "tls/server_negotiation.h"

#include <algorithm>

#include "tls/alert.h"
#include "tls/cipher_suite.h"
#include "tls/extension_reader.h"
#include "tls/key_exchange.h"

namespace quoll::tls {
namespace {

Result<void> check_client_policy(const ClientPolicy& policy) {
  if (policy.authentication == ClientAuthentication::none || policy.trust || policy.verifier) return {};
  return usage_error("clients are asked for certificates, but nothing says which ones are trusted");
}

/// Whether requested_server_name() can give this name, letters of either case aside.
bool can_be_requested(std::string_view name) {
  return !name.empty() && name.size() <= kServerNameSizeMax && name.back() != '.' &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != '*'; });
}

Result<void> check_preferences(const Preferences& preferences) {
  if (preferences.cipher_suites.empty()) return usage_error("no cipher suite is configured");
  for (const CipherSuite suite : preferences.cipher_suites) {
    if (!is_supported(suite)) return usage_error("a configured cipher suite is not implemented");
  }
  if (preferences.groups.empty()) return usage_error("no group is configured");
  for (const NamedGroup group : preferences.groups) {
    if (!is_supported(group)) return usage_error("a configured group is not implemented");
    // RFC 9846 §4.3.7: named_group_list, which EncryptedExtensions may carry too, has no duplicates.
    if (std::ranges::count(preferences.groups, group) != 1) return usage_error("a group is configured twice");
  }
  for (const SignatureScheme scheme : preferences.signature_schemes) {
    if (std::ranges::find(default_signature_schemes(), scheme) == default_signature_schemes().end()) {
      return usage_error("a configured signature scheme is not implemented");
    }
  }
  return {};
}

/// RFC 8446 §4.2.8: each share is of a group in supported_groups. Servers may check the order as well, and lose clients
/// that send shares in another one (mvfst does): it means nothing to choose_group(), so it is not looked at.
bool shares_are_of_groups(KeyShareList shares, CodeList<NamedGroup> groups) {
  CodePointSet known;
  for (size_t i = 0; i < groups.size(); i++) known.insert(static_cast<uint16_t>(groups[i]));
  while (const std::optional<KeyShareEntry> share = shares.next()) {
    if (known.insert(static_cast<uint16_t>(share->group))) return false;  // it was not there
  }
  return true;
}

Result<void> check_mode(const ClientHello& hello, Mode mode) {
  if (mode == Mode::stream) {
    // RFC 9001 §8.2: the extension does not belong to TLS over TCP.
    if (!hello.quic_transport_parameters) return {};
    return abort_with(Alert::unsupported_extension, "quic_transport_parameters without QUIC");
  }
  // RFC 9001 §8.4.
  if (!hello.legacy_session_id.empty()) {
    return quic_protocol_violation("compatibility mode over QUIC");
  }
  // RFC 9001 §8.2: every ClientHello over QUIC has the extension.
  if (!hello.quic_transport_parameters) {
    return abort_with(Alert::missing_extension, "no quic_transport_parameters");
  }
  return {};
}

Result<void> check_mandatory_extensions(const ClientHello& hello) {
  // RFC 8446 §9.2: without a PSK, signature_algorithms and supported_groups are needed.
  if (!hello.pre_shared_key && !(hello.signature_algorithms && hello.supported_groups)) {
    return abort_with(Alert::missing_extension, "no signature_algorithms or no supported_groups");
  }
  // RFC 8446 §9.2: supported_groups and key_share come together.
  if (hello.supported_groups.has_value() != hello.key_shares.has_value()) {
    return abort_with(Alert::missing_extension, "supported_groups without key_share, or the other way round");
  }
  // RFC 8446 §4.2.9: with PSKs comes how they may be used.
  if (hello.pre_shared_key && !hello.psk_key_exchange_modes) {
    return abort_with(Alert::missing_extension, "pre_shared_key without psk_key_exchange_modes");
  }
  return {};
}

bool is_host_character(uint8_t c) { return c > ' ' && c < 0x7f; }

bool is_known_name(const Identities& identities, std::string_view name) {
  return std::ranges::any_of(identities, [&](const auto& identity) { return identity->is_for(name); });
}

char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower_case, lower_case);
}

/// The client's first choice among the suites of TLS 1.3; GREASE and unknown ones do not count.
std::optional<CipherSuite> first_supported(CodeList<CipherSuite> offered) {
  for (size_t i = 0; i < offered.size(); i++) {
    if (is_supported(offered[i])) return offered[i];
  }
  return {};
}

}  // namespace

Result<void> check_server_config(const ServerConfig& config, Mode mode) {
  if (const Result<void> good = check_preferences(config.preferences); !good) return good;
  if (config.identities.empty() && !config.find_external_psk) return usage_error("a server without an identity");
  if (std::ranges::find(config.identities, nullptr) != config.identities.end()) return usage_error("a null identity");
  if (mode == Mode::quic && config.application_protocols.empty()) {
    return usage_error("QUIC needs an application protocol");
  }
  for (const std::string& protocol : config.application_protocols) {
    if (protocol.empty() || protocol.size() > 255) return usage_error("an application protocol has 1 to 255 bytes");
  }
  if (config.ticket_lifetime_seconds > kTicketLifetimeMax) return usage_error("tickets live for at most seven days");
  for (const auto& [name, policy] : config.client_policies) {
    // A policy that no name leads to would leave its clients to the general one, which may be laxer.
    if (!can_be_requested(name)) return usage_error("a client policy for what is no exact server name");
    if (const Result<void> good = check_client_policy(policy); !good) return good;
  }
  return check_client_policy(config.client_policy);
}

Result<void> check_client_hello(const ClientHello& hello, Mode mode) {
  // RFC 8446 §4.2.1: versions are negotiated by the extension alone, and we have one version.
  if (!hello.supported_versions || !hello.supported_versions->contains(kTls13)) {
    return abort_with(Alert::protocol_version, "the client does not offer TLS 1.3");
  }
  // RFC 9846 §4.2.2: one number and no other. RFC 8446 wanted it ignored, SSL (appendix D.5) aside; what offers TLS 1.3
  // has always sent this one.
  if (hello.legacy_version != kLegacyVersion) return abort_with(Alert::protocol_version, "a wrong legacy_version");
  // RFC 8446 §4.1.2: the null compression and no other.
  if (hello.legacy_compression_methods.size() != 1 || hello.legacy_compression_methods[0] != 0) {
    return abort_with(Alert::illegal_parameter, "compression methods in TLS 1.3");
  }
  if (const Result<void> good = check_mode(hello, mode); !good) return good;
  if (const Result<void> good = check_mandatory_extensions(hello); !good) return good;
  // RFC 8446 §4.2.10: early data needs a PSK to be protected with.
  if (hello.early_data && !hello.pre_shared_key) {
    return abort_with(Alert::illegal_parameter, "early_data without pre_shared_key");
  }
  if (hello.key_shares && !shares_are_of_groups(*hello.key_shares, *hello.supported_groups)) {
    return abort_with(Alert::illegal_parameter, "a key share of a group that is not in supported_groups");
  }
  return {};
}

Result<std::string> requested_server_name(const ClientHello& hello, const ServerConfig& config) {
  if (!hello.server_name) return std::string();
  Bytes sent = *hello.server_name;
  // RFC 6066 §3: there is no dot at the end. It makes no other name, and must not lead around a policy.
  if (sent.size() > 1 && sent.back() == '.') sent = sent.first(sent.size() - 1);
  if (sent.size() > kServerNameSizeMax || !std::ranges::all_of(sent, is_host_character)) {
    return abort_with(Alert::unrecognized_name, "a server name that no host has");
  }
  std::string name(as_text(sent));
  // RFC 6066 §3: names are compared without regard to case.
  std::ranges::transform(name, name.begin(), lower_case);
  // RFC 6066 §3: a name that is not recognized may be refused by a fatal alert.
  if (config.strict_server_name && !is_known_name(config.identities, name)) {
    return abort_with(Alert::unrecognized_name, "no identity has the server name");
  }
  return name;
}

std::optional<CipherSuite> choose_cipher_suite(const crypto::Provider& provider, CodeList<CipherSuite> offered,
                                               std::span<const CipherSuite> preferred,
                                               std::optional<crypto::HashId> hash) {
  const auto is_common = [&](CipherSuite suite) {
    return offered.contains(suite) && (!hash || hash_of(provider, suite).id == *hash);
  };
  constexpr CipherSuite kChaCha20 = CipherSuite::chacha20_poly1305_sha256;
  if (first_supported(offered) == kChaCha20 && is_common(kChaCha20) &&
      std::ranges::find(preferred, kChaCha20) != preferred.end()) {
    return kChaCha20;
  }
  const auto found = std::ranges::find_if(preferred, is_common);
  if (found == preferred.end()) return {};
  return *found;
}

Result<GroupChoice> choose_group(const ClientHello& hello, std::span<const NamedGroup> preferred) {
  const CodeList<NamedGroup> supported = hello.supported_groups.value_or(CodeList<NamedGroup>());
  const KeyShareList shares = hello.key_shares.value_or(KeyShareList());
  std::optional<NamedGroup> best;
  for (const NamedGroup group : preferred) {
    if (!supported.contains(group)) continue;
    if (!best) best = group;
    if (shares.find(group)) {
      return GroupChoice{.group = group, .has_share = true, .client_has_better = *best != group};
    }
  }
  // RFC 8446 §4.1.1: no overlap of groups.
  if (!best) return abort_with(Alert::handshake_failure, "no common group");
  return GroupChoice{.group = *best, .has_share = false, .client_has_better = false};
}

Result<std::string> choose_application_protocol(const ClientHello& hello, std::span<const std::string> preferred,
                                                Mode mode) {
  if (!hello.application_protocols || preferred.empty()) {
    if (mode == Mode::stream) return std::string();
    // RFC 9001 §8.1: over QUIC a protocol is always negotiated.
    return abort_with(Alert::no_application_protocol, "the client offers no application protocol");
  }
  for (const std::string& protocol : preferred) {
    if (hello.application_protocols->contains(as_bytes(protocol))) return protocol;
  }
  // RFC 7301 §3.2: no overlap of protocols.
  return abort_with(Alert::no_application_protocol, "no common application protocol");
}

Result<ChosenIdentity> choose_server_identity(const ClientHello& hello, const ServerConfig& config,
                                              std::string_view server_name) {
  // RFC 8446 §4.2.3: who wants a certificate says which signatures it accepts.
  if (!hello.signature_algorithms) return abort_with(Alert::missing_extension, "no signature_algorithms");
  const ChosenIdentity chosen = choose_identity(config.identities, server_name, *hello.signature_algorithms);
  // RFC 8446 §4.1.1: no overlap of signature schemes.
  if (!chosen.identity) return abort_with(Alert::handshake_failure, "no common signature scheme");
  if (config.strict_server_name && !server_name.empty() && !chosen.name_matched) {
    return abort_with(Alert::handshake_failure, "the identity of that name has no common signature scheme");
  }
  return chosen;
}

const ClientPolicy& client_policy_for(const ServerConfig& config, std::string_view server_name) {
  for (const auto& [name, policy] : config.client_policies) {
    if (!server_name.empty() && equal_without_case(name, server_name)) return policy;
  }
  return config.client_policy;
}

bool accepts_psk_dhe_ke(const ClientHello& hello) {
  if (!hello.psk_key_exchange_modes) return false;
  const uint8_t wanted = static_cast<uint8_t>(PskKeyExchangeMode::psk_dhe_ke);
  return std::ranges::find(*hello.psk_key_exchange_modes, wanted) != hello.psk_key_exchange_modes->end();
}

}  // namespace quoll::tls
