#include "quic/protect/packet_keys.h"

#include "tests/quic/protect/appendix_a.h"
#include "tests/quic/protect/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::digest_of;
using tests::hex;

namespace {

constexpr auto kInitialSuite = tls::CipherSuite::aes_128_gcm_sha256;

/// Whether an expanded AEAD key is the one of these bytes: it seals alike.
bool is_key(crypto::AeadKey& key, Bytes bytes) {
  auto expected = crypto::AeadKey::create(key.aead(), bytes);
  std::array<uint8_t, 32> sealed{};
  std::array<uint8_t, 32> sealed_by_expected{};
  const std::array<uint8_t, 16> plaintext{};
  REQUIRE(expected);
  REQUIRE(key.seal({}, {}, plaintext, sealed));
  REQUIRE(expected->seal({}, {}, plaintext, sealed_by_expected));
  return sealed == sealed_by_expected;
}

bool is_header_key(const crypto::HeaderProtectionKey& key, Bytes bytes) {
  auto expected = crypto::HeaderProtectionKey::create(key.algorithm(), bytes);
  REQUIRE(expected);
  const std::array<uint8_t, crypto::kSampleSize> sample{1, 2, 3};
  return key.mask(sample) == expected->mask(sample);
}

std::string mask_of(const crypto::HeaderProtectionKey& key, std::string_view sample) {
  const auto bytes = hex(sample);
  const auto mask = key.mask(std::span<const uint8_t, 16>(bytes.data(), 16));
  return to_hex(Bytes(mask).first(5));
}

void check_keys(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                const tests::SampleKeys& sample) {
  const crypto::Digest secret = digest_of(hex(sample.secret));
  PacketKeys keys(provider, suite, version, secret);
  CHECK(is_key(keys.aead(), hex(sample.key)));
  CHECK_EQ(to_hex(keys.nonce(0)), sample.iv);
  CHECK(is_header_key(header_key(provider, suite, version, secret), hex(sample.hp)));
}

void check_appendix(const crypto::Provider& provider, const tests::AppendixA& sample) {
  const InitialSecrets secrets = initial_secrets(provider, sample.version, hex(sample.client_destination));
  CHECK_EQ(to_hex(secrets.client), sample.client.secret);
  CHECK_EQ(to_hex(secrets.server), sample.server.secret);
  check_keys(provider, kInitialSuite, sample.version, sample.client);
  check_keys(provider, kInitialSuite, sample.version, sample.server);
  CHECK_EQ(mask_of(header_key(provider, kInitialSuite, sample.version, secrets.client), sample.client_initial.sample),
           sample.client_initial.mask);
  CHECK_EQ(mask_of(header_key(provider, kInitialSuite, sample.version, secrets.server), sample.server_initial.sample),
           sample.server_initial.mask);

  constexpr auto kChaCha20 = tls::CipherSuite::chacha20_poly1305_sha256;
  const crypto::Digest secret = digest_of(hex(sample.short_keys.secret));
  check_keys(provider, kChaCha20, sample.version, sample.short_keys);
  CHECK_EQ(to_hex(next_secret(provider, kChaCha20, sample.version, secret)), sample.short_next_secret);
  const PacketKeys keys(provider, kChaCha20, sample.version, secret);
  CHECK_EQ(to_hex(keys.nonce(sample.short_packet.number)), sample.short_nonce);
  CHECK_EQ(mask_of(header_key(provider, kChaCha20, sample.version, secret), sample.short_packet.sample),
           sample.short_packet.mask);
}

void check_retry(const crypto::Provider& provider, const tests::AppendixA& sample) {
  const auto packet = hex(sample.retry);
  const auto without_tag = Bytes(packet).first(packet.size() - kRetryIntegrityTagSize);
  const auto tag = retry_integrity_tag(provider, sample.version, hex(sample.client_destination), without_tag);
  CHECK_EQ(to_hex(tag), to_hex(Bytes(packet).last(kRetryIntegrityTagSize)));
  CHECK_NE(retry_integrity_tag(provider, sample.version, hex("8394c8f03e515709"), without_tag), tag);
}

}  // namespace

TEST_SUITE("quic packet keys") {
  // RFC 9001 §5.1, §5.2, §5.3, §5.4.3, §5.4.4, §6.1
  TEST_CASE("version 1 derives the secrets, keys, IVs and masks of RFC 9001 §A.1, §A.5") {
    for (const crypto::Provider& provider : crypto::all()) {
      CAPTURE(provider.name);
      check_appendix(provider, tests::kRfc9001AppendixA);
    }
  }

  // RFC 9369 §3.3.1, §3.3.2
  TEST_CASE("version 2 derives the secrets, keys, IVs and masks of RFC 9369 §A.1, §A.5") {
    for (const crypto::Provider& provider : crypto::all()) {
      CAPTURE(provider.name);
      check_appendix(provider, tests::kRfc9369AppendixA);
    }
  }

  // RFC 9001 §5.8
  TEST_CASE("version 1 makes the Retry integrity tag of RFC 9001 §A.4, which covers the original connection id") {
    for (const crypto::Provider& provider : crypto::all()) check_retry(provider, tests::kRfc9001AppendixA);
  }

  // RFC 9369 §3.3.3
  TEST_CASE("version 2 makes the Retry integrity tag of RFC 9369 §A.4, which covers the original connection id") {
    for (const crypto::Provider& provider : crypto::all()) check_retry(provider, tests::kRfc9369AppendixA);
  }

  // RFC 9001 §5.2
  TEST_CASE("Initial secrets exist for a connection id of any size, and differ by version") {
    const std::vector<uint8_t> id(kConnectionIdSizeMax, 7);
    for (size_t size = 0; size <= id.size(); size++) {
      const Bytes destination = Bytes(id).first(size);
      const InitialSecrets v1 = initial_secrets(crypto::best(), Version::v1, destination);
      const InitialSecrets v2 = initial_secrets(crypto::best(), Version::v2, destination);
      CHECK_FALSE(v1.client == v1.server);
      CHECK_FALSE(v1.client == v2.client);
      CHECK_FALSE(v1.server == v2.server);
    }
  }

  // RFC 9001 §5.3
  TEST_CASE("the nonce is the IV with the whole packet number in its low bytes") {
    const PacketKeys keys(crypto::best(), kInitialSuite, Version::v1, tests::secret_of(kInitialSuite, 1));
    const crypto::Nonce iv = keys.nonce(0);
    crypto::Nonce nonce = keys.nonce(kPacketNumberMax);
    for (size_t i = 0; i < 4; i++) CHECK_EQ(nonce[i], iv[i]);
    CHECK_EQ(nonce[4] ^ iv[4], 0x3f);
    for (size_t i = 5; i < nonce.size(); i++) CHECK_EQ(nonce[i] ^ iv[i], 0xff);
  }

  TEST_CASE("keys know the first number that they sealed") {
    PacketKeys keys(crypto::best(), kInitialSuite, Version::v1, tests::secret_of(kInitialSuite, 1));
    CHECK_FALSE(keys.has_sealed(0));
    CHECK_FALSE(keys.has_sealed(kPacketNumberMax));
    keys.note_sealed(7);
    keys.note_sealed(9);
    CHECK_FALSE(keys.has_sealed(6));
    CHECK(keys.has_sealed(7));
    CHECK(keys.has_sealed(9));
  }
}
