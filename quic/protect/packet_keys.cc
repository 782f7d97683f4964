#include "quic/protect/packet_keys.h"

#include <string_view>
#include <vector>

#include "base/check.h"
#include "crypto/hkdf.h"
#include "tls/cipher_suite.h"

namespace quoll::quic {
namespace {

/// What a version changes about cryptography.
struct VersionCrypto {
  std::array<uint8_t, 20> initial_salt;
  std::string_view key_label;
  std::string_view iv_label;
  std::string_view header_label;
  std::string_view update_label;
  std::array<uint8_t, 16> retry_key;
  crypto::Nonce retry_nonce;
};

// RFC 9001 §5.1, §5.2, §5.4.1, §5.8, §6.1.
constexpr VersionCrypto kV1 = {
    .initial_salt = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
    .key_label = "quic key",
    .iv_label = "quic iv",
    .header_label = "quic hp",
    .update_label = "quic ku",
    .retry_key = {0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e},
    .retry_nonce = {0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb}};

// RFC 9369 §3.3.1, §3.3.2, §3.3.3.
constexpr VersionCrypto kV2 = {
    .initial_salt = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                     0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
    .key_label = "quicv2 key",
    .iv_label = "quicv2 iv",
    .header_label = "quicv2 hp",
    .update_label = "quicv2 ku",
    .retry_key = {0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad, 0x7c, 0xcc, 0x92},
    .retry_nonce = {0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a}};

const VersionCrypto& crypto_of(Version version) {
  // RFC 9000 §15: a reserved version is sent to be refused; nobody opens such a packet.
  QUOLL_DCHECK(is_supported(version) || is_reserved(version));
  return version == Version::v2 ? kV2 : kV1;
}

/// HKDF-Expand-Label with an empty context. Labels and sizes are ours, so that it cannot fail.
void expand(const crypto::HashAlgorithm& hash, Bytes secret, std::string_view label, MutBytes out) {
  const auto expanded = crypto::hkdf_expand_label(hash, secret, label, {}, out);
  QUOLL_CHECK(expanded);
}

crypto::Digest expand_secret(const crypto::HashAlgorithm& hash, Bytes secret, std::string_view label) {
  crypto::Digest expanded(hash.digest_size);
  expand(hash, secret, label, {expanded.data(), expanded.size()});
  return expanded;
}

crypto::AeadKey aead_key(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                         const crypto::Digest& secret) {
  const crypto::Aead& aead = tls::aead_of(provider, suite);
  crypto::Secret<crypto::kAeadKeySizeMax> bytes;
  const MutBytes key = MutBytes(bytes).first(aead.key_size);
  expand(tls::hash_of(provider, suite), secret, crypto_of(version).key_label, key);
  auto created = crypto::AeadKey::create(aead, key);
  QUOLL_CHECK(created);
  return std::move(*created);
}

}  // namespace

InitialSecrets initial_secrets(const crypto::Provider& provider, Version version, Bytes client_destination) {
  // RFC 9001 §5.2: the hash is SHA-256, whatever cipher suite follows.
  const crypto::HashAlgorithm& hash = *provider.sha256;
  const crypto::Digest initial = crypto::hkdf_extract(hash, crypto_of(version).initial_salt, client_destination);
  return {.client = expand_secret(hash, initial, "client in"), .server = expand_secret(hash, initial, "server in")};
}

crypto::Digest next_secret(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                           const crypto::Digest& secret) {
  return expand_secret(tls::hash_of(provider, suite), secret, crypto_of(version).update_label);
}

PacketKeys::PacketKeys(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                       const crypto::Digest& secret, const KeyUsage& before)
    : aead_(aead_key(provider, suite, version, secret)), before_(before) {
  expand(tls::hash_of(provider, suite), secret, crypto_of(version).iv_label, iv_);
}

crypto::Nonce PacketKeys::nonce(PacketNumber number) const {
  // RFC 9001 §5.3: the packet number in network byte order, padded on the left to the size of the IV.
  crypto::Nonce nonce;
  copy_bytes(nonce.data(), iv_.bytes());
  uint8_t* low = nonce.data() + nonce.size() - sizeof number;
  store_be(low, load_be<uint64_t>(low) ^ number);
  return nonce;
}

// RFC 9001 §6.6: the limits are those of a key, however often it was expanded.
bool PacketKeys::seal(std::span<const crypto::SealJob> jobs) {
  const uint64_t limit = aead_.aead().confidentiality_limit;
  return jobs.size() <= limit - std::min(sealed(), limit) && aead_.seal(jobs);
}

bool PacketKeys::open(std::span<crypto::OpenJob> jobs) {
  return before_.failed + aead_.failed() < aead_.aead().integrity_limit && aead_.open(jobs);
}

HeaderKeyBytes header_key_bytes(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                                const crypto::Digest& secret) {
  HeaderKeyBytes bytes;
  const size_t size = tls::header_protection_of(provider, suite).key_size;
  expand(tls::hash_of(provider, suite), secret, crypto_of(version).header_label, MutBytes(bytes).first(size));
  return bytes;
}

crypto::HeaderProtectionKey header_key(const crypto::Provider& provider, tls::CipherSuite suite,
                                       const HeaderKeyBytes& bytes) {
  const crypto::HeaderProtection& algorithm = tls::header_protection_of(provider, suite);
  auto created = crypto::HeaderProtectionKey::create(algorithm, bytes.bytes().first(algorithm.key_size));
  QUOLL_CHECK(created);
  return std::move(*created);
}

crypto::HeaderProtectionKey header_key(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                                       const crypto::Digest& secret) {
  return header_key(provider, suite, header_key_bytes(provider, suite, version, secret));
}

std::array<uint8_t, crypto::kAeadTagSize> retry_integrity_tag(const crypto::Provider& provider, Version version,
                                                              Bytes original_destination, Bytes without_tag) {
  QUOLL_CHECK(original_destination.size() <= kConnectionIdSizeMax);
  std::vector<uint8_t> pseudo_packet;
  pseudo_packet.reserve(1 + original_destination.size() + without_tag.size());
  pseudo_packet.push_back(static_cast<uint8_t>(original_destination.size()));
  pseudo_packet.insert(pseudo_packet.end(), original_destination.begin(), original_destination.end());
  pseudo_packet.insert(pseudo_packet.end(), without_tag.begin(), without_tag.end());
  const VersionCrypto& crypto = crypto_of(version);
  auto key = crypto::AeadKey::create(*provider.aes_128_gcm, crypto.retry_key);
  QUOLL_CHECK(key);
  std::array<uint8_t, crypto::kAeadTagSize> tag;
  const auto sealed = key->seal(crypto.retry_nonce, pseudo_packet, {}, tag);
  QUOLL_CHECK(sealed);
  return tag;
}

}  // namespace quoll::quic
