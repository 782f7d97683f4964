// ML-KEM-768 by itself and in the shapes of a handshake: a client makes keys and decapsulates, a server encapsulates.
// OpenSSL has none before 3.5, so there is no peer in these rows; Keccak's permutation stands beside SHA3-256's in
// OpenSSL.
#include <array>

#include <openssl/evp.h>

#include "bench/crypto_families.h"
#include "crypto/keccak.h"

namespace quoll::bench {
namespace {

using namespace crypto;

/// 136 bytes are one permutation of SHAKE256, so that a long message counts permutations.
void bench_shake(Table& table) {
  const Keccak& keccak = *keccaks().front();
  static const std::array<uint8_t, 136 * 64> message{};
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const EVP_MD* shake = EVP_shake256();
  table.row(
      "SHAKE256 8704", keccak.implementation, message.size(),
      [&] {
        uint8_t out[32];
        Shake::shake256(keccak).absorb(message).squeeze(out);
        keep(out);
      },
      [&] {
        uint8_t out[32];
        EVP_DigestInit_ex(context, shake, nullptr);
        EVP_DigestUpdate(context, message.data(), message.size());
        EVP_DigestFinalXOF(context, out, sizeof out);
        keep(out);
      });
  EVP_MD_CTX_free(context);
}

}  // namespace

void bench_mlkem(Table& table, const Provider& provider) {
  const MlKem768* kem = provider.mlkem768;
  if (!kem) return;
  std::array<uint8_t, kMlKem768SeedSize> seed{};
  std::array<uint8_t, 32> message{};
  std::array<uint8_t, kMlKem768EncapsulationKeySize> encapsulation_key;
  std::array<uint8_t, kMlKem768DecapsulationKeySize> decapsulation_key;
  std::array<uint8_t, kMlKem768CiphertextSize> ciphertext;
  std::array<uint8_t, kMlKemSharedSecretSize> secret;
  const auto keygen = [&] {
    kem->keygen(seed.data(), encapsulation_key.data(), decapsulation_key.data());
    keep(decapsulation_key);
  };
  const auto encapsulate = [&] {
    (void)kem->encapsulate(encapsulation_key.data(), message.data(), ciphertext.data(), secret.data());
    keep(secret);
  };
  const auto decapsulate = [&] {
    (void)kem->decapsulate(decapsulation_key.data(), ciphertext.data(), secret.data());
    keep(secret);
  };
  keygen();
  encapsulate();
  table.row("ML-KEM-768 keygen", kem->implementation, 0, keygen, {});
  table.row("ML-KEM-768 encapsulate", kem->implementation, 0, encapsulate, {});
  table.row("ML-KEM-768 decapsulate", kem->implementation, 0, decapsulate, {});
  table.row("ML-KEM-768 client (keygen, decaps)", kem->implementation, 0,
            [&] {
              keygen();
              decapsulate();
            },
            {});
  bench_shake(table);
}

}  // namespace quoll::bench
