// A ClientHello for tests of the server's choices: it owns its lists, and any of them can be changed or left out.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "tls/codepoints.h"
#include "tls/key_exchange.h"
#include "tls/messages.h"

namespace quoll::tests {

using Buffer = std::vector<uint8_t>;

/// A list of code points on the wire.
template <class Code>
Buffer wire(std::initializer_list<Code> codes) {
  Buffer raw;
  for (const Code code : codes) {
    raw.push_back(static_cast<uint8_t>(static_cast<uint16_t>(code) >> 8));
    raw.push_back(static_cast<uint8_t>(code));
  }
  return raw;
}

inline void append_u16(Buffer& to, size_t value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}

/// client_shares with one made-up share of a client's size for each group; unknown groups get one byte.
inline Buffer shares_of(std::initializer_list<tls::NamedGroup> groups) {
  Buffer raw;
  for (const tls::NamedGroup group : groups) {
    const size_t size = tls::is_supported(group) ? tls::client_share_size(group) : 1;
    append_u16(raw, static_cast<uint16_t>(group));
    append_u16(raw, size);
    raw.insert(raw.end(), size, 9);
  }
  return raw;
}

/// ProtocolNameList's contents.
inline Buffer protocols_of(std::initializer_list<std::string_view> names) {
  Buffer raw;
  for (const std::string_view name : names) {
    raw.push_back(static_cast<uint8_t>(name.size()));
    raw.insert(raw.end(), name.begin(), name.end());
  }
  return raw;
}

/// By default what an ordinary client of HTTP/3 sends, without PSKs.
struct HelloDraft {
  uint16_t legacy_version = tls::kLegacyVersion;
  tls::Random random{};
  Buffer session_id;
  Buffer cipher_suites = wire({tls::CipherSuite::aes_128_gcm_sha256, tls::CipherSuite::aes_256_gcm_sha384,
                               tls::CipherSuite::chacha20_poly1305_sha256});
  Buffer compression_methods = {0};
  std::optional<std::string> server_name = "example.com";
  std::optional<Buffer> groups = wire({tls::NamedGroup::x25519, tls::NamedGroup::secp256r1});
  std::optional<Buffer> signature_algorithms =
      wire({tls::SignatureScheme::ecdsa_secp256r1_sha256, tls::SignatureScheme::ed25519});
  std::optional<Buffer> protocols = protocols_of({"h3"});
  std::optional<Buffer> versions = wire<uint16_t>({tls::kTls13});
  std::optional<Buffer> cookie;
  std::optional<Buffer> psk_modes;
  std::optional<Buffer> key_shares = shares_of({tls::NamedGroup::x25519});
  std::optional<Buffer> transport_parameters = Buffer{1, 2, 3};
  bool early_data = false;

  struct Psk {
    Buffer identity;
    uint32_t obfuscated_ticket_age = 0;
    Buffer binder = Buffer(32, 0);
  };
  std::vector<Psk> psks;

  /// Views into the draft, which must live and stay as it is.
  tls::ClientHello view() {
    tls::ClientHello hello;
    hello.legacy_version = legacy_version;
    hello.random = random;
    hello.legacy_session_id = session_id;
    hello.cipher_suites = tls::CodeList<tls::CipherSuite>(cipher_suites);
    hello.legacy_compression_methods = compression_methods;
    if (server_name) hello.server_name = as_bytes(*server_name);
    set(hello.supported_groups, groups);
    set(hello.signature_algorithms, signature_algorithms);
    set(hello.application_protocols, protocols);
    set(hello.supported_versions, versions);
    set(hello.cookie, cookie);
    set(hello.psk_key_exchange_modes, psk_modes);
    hello.early_data = early_data;
    set(hello.key_shares, key_shares);
    set(hello.quic_transport_parameters, transport_parameters);
    if (!psks.empty()) hello.pre_shared_key = offer();
    return hello;
  }

 private:
  template <class View>
  static void set(std::optional<View>& view, const std::optional<Buffer>& bytes) {
    if (bytes) view.emplace(*bytes);
  }

  tls::PskOffer offer() {
    identities_.clear();
    binders_.clear();
    for (const Psk& psk : psks) {
      append_u16(identities_, psk.identity.size());
      identities_.insert(identities_.end(), psk.identity.begin(), psk.identity.end());
      append_u16(identities_, psk.obfuscated_ticket_age >> 16);
      append_u16(identities_, psk.obfuscated_ticket_age & 0xffff);
      binders_.push_back(static_cast<uint8_t>(psk.binder.size()));
      binders_.insert(binders_.end(), psk.binder.begin(), psk.binder.end());
    }
    return {.identities = identities_, .binders = binders_, .binders_offset = 0, .count = psks.size()};
  }

  Buffer identities_, binders_;
};

}  // namespace quoll::tests
