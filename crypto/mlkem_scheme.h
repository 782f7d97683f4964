// ML-KEM-768 (FIPS 203 §5, §6) over an engine, which brings the arithmetic of polynomials and Keccak.
//
// crypto/portable/mlkem.h says what an engine is. This file holds the order of the steps and nothing that depends on
// the processor. Every function wipes what it leaves on the stack. Public are: rho, the encapsulation key, its hash,
// the ciphertext, and the result of the two checks; nothing else reaches a branch or an index.
#pragma once

#include "crypto/ct.h"
#include "crypto/mlkem.h"
#include "crypto/mlkem_field.h"
#include "crypto/mlkem_sponges.h"

namespace quoll::crypto::mlkem {

inline constexpr size_t kSeedSize = 32;

template <class Engine>
struct Scheme {
  using EncapsulationKey = PaddedMessage<kMlKem768EncapsulationKeySize>;
  using RejectionInput = PaddedMessage<kSeedSize + kMlKem768CiphertextSize>;

  // Where things are in the keys and the ciphertext (§5.1, §5.2, §6.1).
  static constexpr size_t kRhoAt = kVectorSize;
  static constexpr size_t kPublicAt = kVectorSize;
  static constexpr size_t kHashAt = kPublicAt + kMlKem768EncapsulationKeySize;
  static constexpr size_t kRejectAt = kHashAt + kSeedSize;
  static constexpr size_t kVAt = kRank * kPoly10Size;

  /// Algorithm 16, with algorithm 13 inside.
  static void keygen(const uint8_t* seed, uint8_t* encapsulation_key, uint8_t* decapsulation_key) {
    struct Stack {
      uint8_t input[kSeedSize + 1];
      uint8_t rho_sigma[2 * kSeedSize];
      Poly secret[kRank], error[kRank], row[kRank], sum;
      Prepared prepared[kRank];
    } s;
    std::memcpy(s.input, seed, kSeedSize);
    s.input[kSeedSize] = kRank;
    hash_g(s.rho_sigma, s.input);
    const uint8_t* rho = s.rho_sigma;
    const uint8_t* sigma = rho + kSeedSize;
    ct::declassify(rho, kSeedSize);

    // The key is hashed as it grows: its ready blocks share the permutations with the next row of the matrix.
    EncapsulationKey key(sponge::kSha3Suffix);
    KeccakState hash{};
    size_t hashed = 0;
    SpongeQueue<Engine> queue;
    for (size_t i = 0; i < kRank; i++) queue.noise(s.secret[i], sigma, i);
    for (size_t i = 0; i < kRank; i++) queue.noise(s.error[i], sigma, kRank + i);
    for (size_t i = 0; i < kRank; i++) {
      for (size_t j = 0; j < kRank; j++) queue.matrix_entry(s.row[j], rho, i, j);
      const size_t ready = i * kPoly12Size / EncapsulationKey::kRate;
      if (ready > hashed) queue.absorb(hash, key.bytes + hashed * EncapsulationKey::kRate, ready - hashed);
      hashed = ready;
      queue.run();
      if (i == 0) {
        for (size_t j = 0; j < kRank; j++) {
          Engine::ntt(s.secret[j]);
          Engine::encode12(decapsulation_key + j * kPoly12Size, s.secret[j]);
          Engine::prepare(s.prepared[j], s.secret[j]);
        }
      }
      Engine::dot(s.sum, s.row, s.prepared);
      Engine::to_montgomery(s.sum);
      Engine::ntt(s.error[i]);
      Engine::add(s.sum, s.error[i]);
      Engine::encode12(key.bytes + i * kPoly12Size, s.sum);
    }
    std::memcpy(key.bytes + kRhoAt, rho, kSeedSize);
    absorb_alone(hash, key.bytes + hashed * EncapsulationKey::kRate, EncapsulationKey::kBlocks - hashed);

    std::memcpy(encapsulation_key, key.bytes, kMlKem768EncapsulationKeySize);
    std::memcpy(decapsulation_key + kPublicAt, key.bytes, kMlKem768EncapsulationKeySize);
    sponge::read_bytes(hash.data(), 0, {decapsulation_key + kHashAt, kSeedSize});
    std::memcpy(decapsulation_key + kRejectAt, seed + kSeedSize, kSeedSize);
    ct::wipe(s);
  }

  /// Algorithm 17, with the modulus check of §7.2.
  static bool encapsulate(const uint8_t* encapsulation_key, const uint8_t* message, uint8_t* ciphertext,
                          uint8_t* secret) {
    struct Stack {
      uint8_t message_hash[2 * kSeedSize];
      uint8_t key_coins[2 * kSeedSize];
      Encryption encryption;
    } s;
    if (!ct::declassified(decode_vector(s.encryption.key, encapsulation_key))) return false;

    EncapsulationKey key(sponge::kSha3Suffix);
    std::memcpy(key.bytes, encapsulation_key, kMlKem768EncapsulationKeySize);
    KeccakState hash{};
    SpongeQueue<Engine> queue;
    queue.absorb(hash, key.bytes, EncapsulationKey::kBlocks);
    queue_matrix(queue, s.encryption, encapsulation_key + kRhoAt);
    queue.run();

    std::memcpy(s.message_hash, message, kSeedSize);
    sponge::read_bytes(hash.data(), 0, {s.message_hash + kSeedSize, kSeedSize});
    hash_g(s.key_coins, s.message_hash);
    queue_noise(queue, s.encryption, s.key_coins + kSeedSize);
    queue.run();
    encrypt(s.encryption, message, ciphertext);
    std::memcpy(secret, s.key_coins, kMlKemSharedSecretSize);
    ct::wipe(s);
    return true;
  }

  /// Algorithm 18, with the hash check of §7.3.
  static bool decapsulate(const uint8_t* decapsulation_key, const uint8_t* ciphertext, uint8_t* secret) {
    const uint8_t* encapsulation_key = decapsulation_key + kPublicAt;
    struct Stack {
      uint8_t message_hash[2 * kSeedSize];
      uint8_t key_coins[2 * kSeedSize];
      KeccakState rejection;
      uint8_t rejection_secret[kSeedSize];
      uint8_t again[kMlKem768CiphertextSize];
      RejectionInput rejection_input{sponge::kShakeSuffix};
      Encryption encryption;
    } s;
    ct::declassify(encapsulation_key, kMlKem768EncapsulationKeySize + kSeedSize);

    decrypt(decapsulation_key, ciphertext, s.message_hash);
    std::memcpy(s.message_hash + kSeedSize, decapsulation_key + kHashAt, kSeedSize);
    hash_g(s.key_coins, s.message_hash);

    // Everything else that Keccak has to do is independent, so it is one queue.
    EncapsulationKey key(sponge::kSha3Suffix);
    std::memcpy(key.bytes, encapsulation_key, kMlKem768EncapsulationKeySize);
    std::memcpy(s.rejection_input.bytes, decapsulation_key + kRejectAt, kSeedSize);
    std::memcpy(s.rejection_input.bytes + kSeedSize, ciphertext, kMlKem768CiphertextSize);
    KeccakState hash{};
    s.rejection = {};
    SpongeQueue<Engine> queue;
    queue.absorb(hash, key.bytes, EncapsulationKey::kBlocks);
    queue.absorb(s.rejection, s.rejection_input.bytes, RejectionInput::kBlocks);
    queue_matrix(queue, s.encryption, encapsulation_key + kRhoAt);
    queue_noise(queue, s.encryption, s.key_coins + kSeedSize);
    queue.run();

    uint8_t key_hash[kSeedSize];
    sponge::read_bytes(hash.data(), 0, key_hash);
    const bool consistent = ct::equal(key_hash, {decapsulation_key + kHashAt, kSeedSize});
    if (consistent) {
      (void)decode_vector(s.encryption.key, encapsulation_key);
      encrypt(s.encryption, s.message_hash, s.again);
      sponge::read_bytes(s.rejection.data(), 0, s.rejection_secret);
      const uint64_t accepted = ct::mask_zero(Engine::difference(ciphertext, s.again));
      for (size_t i = 0; i < kMlKemSharedSecretSize; i++) {
        secret[i] = static_cast<uint8_t>(ct::select(accepted, s.key_coins[i], s.rejection_secret[i]));
      }
    }
    ct::wipe(s);
    return consistent;
  }

 private:
  /// What algorithm 14 works on.
  struct Encryption {
    Poly key[kRank];                              // t
    Poly transposed[kRank][kRank];                // the matrix, [column][row]
    Poly coins[kRank], error[kRank], last_error;  // y, e1, e2
  };

  /// SHA3-512 of a message shorter than its rate of 72 bytes.
  template <size_t size>
  static void hash_g(uint8_t* out, const uint8_t (&message)[size]) {
    constexpr size_t kRate = 72;
    static_assert(size < kRate);
    KeccakState state{};
    sponge::xor_bytes(state.data(), 0, message);
    sponge::pad(state.data(), size, kRate, sponge::kSha3Suffix);
    Engine::permute_one(state.data());
    sponge::read_bytes(state.data(), 0, {out, 64});
    ct::wipe(state);
  }

  static void absorb_alone(KeccakState& state, const uint8_t* data, size_t blocks) {
    for (; blocks > 0; blocks--, data += EncapsulationKey::kRate) {
      sponge::xor_bytes(state.data(), 0, {data, EncapsulationKey::kRate});
      Engine::permute_one(state.data());
    }
  }

  /// True when every coefficient was reduced.
  static bool decode_vector(Poly* out, const uint8_t* bytes) {
    uint64_t reduced = ~uint64_t{0};
    for (size_t i = 0; i < kRank; i++) reduced &= Engine::decode12(out[i], bytes + i * kPoly12Size);
    return reduced != 0;
  }

  static void queue_matrix(SpongeQueue<Engine>& queue, Encryption& e, const uint8_t* rho) {
    for (size_t i = 0; i < kRank; i++) {
      for (size_t j = 0; j < kRank; j++) queue.matrix_entry(e.transposed[i][j], rho, j, i);
    }
  }

  static void queue_noise(SpongeQueue<Engine>& queue, Encryption& e, const uint8_t* coins) {
    for (size_t i = 0; i < kRank; i++) queue.noise(e.coins[i], coins, i);
    for (size_t i = 0; i < kRank; i++) queue.noise(e.error[i], coins, kRank + i);
    queue.noise(e.last_error, coins, 2 * kRank);
  }

  /// Algorithm 14 from its line 18 on: u and v from what was sampled.
  static void encrypt(Encryption& e, const uint8_t* message, uint8_t* ciphertext) {
    struct Stack {
      Prepared coins[kRank];
      Poly sum, message;
    } s;
    for (size_t i = 0; i < kRank; i++) {
      Engine::ntt(e.coins[i]);
      Engine::prepare(s.coins[i], e.coins[i]);
    }
    for (size_t i = 0; i < kRank; i++) {
      Engine::dot(s.sum, e.transposed[i], s.coins);
      Engine::inverse_ntt(s.sum);
      Engine::add(s.sum, e.error[i]);
      Engine::encode10(ciphertext + i * kPoly10Size, s.sum);
    }
    Engine::dot(s.sum, e.key, s.coins);
    Engine::inverse_ntt(s.sum);
    Engine::add(s.sum, e.last_error);
    Engine::decode1(s.message, message);
    Engine::add(s.sum, s.message);
    Engine::encode4(ciphertext + kVAt, s.sum);
    ct::wipe(s);
  }

  /// Algorithm 15.
  static void decrypt(const uint8_t* decapsulation_key, const uint8_t* ciphertext, uint8_t* message) {
    struct Stack {
      Poly secret[kRank], u, v, product;
      Prepared prepared[kRank];
    } s;
    (void)decode_vector(s.secret, decapsulation_key);
    for (size_t i = 0; i < kRank; i++) {
      Engine::decode10(s.u, ciphertext + i * kPoly10Size);
      Engine::ntt(s.u);
      Engine::prepare(s.prepared[i], s.u);
    }
    Engine::dot(s.product, s.secret, s.prepared);
    Engine::inverse_ntt(s.product);
    Engine::decode4(s.v, ciphertext + kVAt);
    Engine::subtract(s.v, s.product);
    Engine::encode1(message, s.v);
    ct::wipe(s);
  }
};

/// The table of an engine's implementation.
template <class Engine>
constexpr MlKem768 mlkem768_over(const Implementation& about) {
  using S = Scheme<Engine>;
  return {about, S::keygen, S::encapsulate, S::decapsulate};
}

}  // namespace quoll::crypto::mlkem
