#include "crypto/mlkem.h"

#include "crypto/ct.h"
#include "crypto/failure.h"

namespace quoll::crypto {

Result<void> mlkem768_keygen(const MlKem768& kem, Rng& rng, MutBytes encapsulation_key, MutBytes decapsulation_key) {
  if (encapsulation_key.size() != kMlKem768EncapsulationKeySize ||
      decapsulation_key.size() != kMlKem768DecapsulationKeySize) {
    return refuse(Failure::length, "ML-KEM-768 key of a wrong length");
  }
  Secret<kMlKem768SeedSize> seed;
  rng.fill(seed);
  kem.keygen(seed.data(), encapsulation_key.data(), decapsulation_key.data());
  return {};
}

Result<void> mlkem768_encapsulate(const MlKem768& kem, Rng& rng, Bytes encapsulation_key, MutBytes ciphertext,
                                  MutBytes secret) {
  if (encapsulation_key.size() != kMlKem768EncapsulationKeySize || ciphertext.size() != kMlKem768CiphertextSize ||
      secret.size() != kMlKemSharedSecretSize) {
    return refuse(Failure::length, "ML-KEM-768 encapsulation key or result of a wrong length");
  }
  Secret<32> message;
  rng.fill(message);
  if (!kem.encapsulate(encapsulation_key.data(), message.data(), ciphertext.data(), secret.data())) {
    return refuse(Failure::malformed, "ML-KEM-768 encapsulation key with a coefficient that is not reduced");
  }
  return {};
}

Result<void> mlkem768_decapsulate(const MlKem768& kem, Bytes decapsulation_key, Bytes ciphertext, MutBytes secret) {
  if (decapsulation_key.size() != kMlKem768DecapsulationKeySize || ciphertext.size() != kMlKem768CiphertextSize ||
      secret.size() != kMlKemSharedSecretSize) {
    return refuse(Failure::length, "ML-KEM-768 decapsulation key, ciphertext or secret of a wrong length");
  }
  if (!kem.decapsulate(decapsulation_key.data(), ciphertext.data(), secret.data())) {
    return refuse(Failure::malformed, "ML-KEM-768 decapsulation key whose hash of the encapsulation key is wrong");
  }
  return {};
}

}  // namespace quoll::crypto
