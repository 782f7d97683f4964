// Wycheproof's four formats of ML-KEM: from a seed and a ciphertext to the secret, encapsulation with given randomness,
// key generation from a seed, and decapsulation with an expanded key. Wrong lengths go through the checked functions.
#include "crypto/mlkem.h"

#include "crypto/provider.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

using namespace crypto;
using Octets = std::vector<uint8_t>;

constexpr const char* kParameterSet = "ML-KEM-768";

template <class Check>
void for_each_implementation(Check check) {
  for (const Catalogue* catalogue : {&native_catalogue(), &portable_catalogue()}) {
    for (const MlKem768* kem : catalogue->mlkem768s) {
      if (kem->runs_on(cpu::features(), cpu::cap())) check(*kem);
    }
  }
}

Octets optional_bytes(const json& test, const char* member) {
  return test.contains(member) ? bytes_of(test, member) : Octets{};
}

/// Draws the bytes that it was given, so that the checked functions become deterministic.
class FixedRng final : public Rng {
 public:
  explicit FixedRng(Octets bytes) : bytes_(std::move(bytes)) {}
  void fill(MutBytes out) override {
    if (out.size() != bytes_.size()) throw std::invalid_argument("randomness of another length");
    copy_bytes(out.data(), bytes_);
  }

 private:
  Octets bytes_;
};

struct KeyPair {
  Octets encapsulation_key = Octets(kMlKem768EncapsulationKeySize);
  Octets decapsulation_key = Octets(kMlKem768DecapsulationKeySize);
};

/// Empty when the seed has not the right length, which the type of a seed rules out in the product.
std::optional<KeyPair> keys_of_seed(const MlKem768& kem, const Octets& seed) {
  if (seed.size() != kMlKem768SeedSize) return std::nullopt;
  KeyPair keys;
  FixedRng rng(seed);
  if (!mlkem768_keygen(kem, rng, keys.encapsulation_key, keys.decapsulation_key)) return std::nullopt;
  return keys;
}

using Outcome = std::optional<Octets>;

Outcome decapsulated(const MlKem768& kem, const Octets& decapsulation_key, const Octets& ciphertext) {
  Octets secret(kMlKemSharedSecretSize);
  if (!mlkem768_decapsulate(kem, decapsulation_key, ciphertext, secret)) return std::nullopt;
  return secret;
}

bool passes_decapsulation(const MlKem768& kem, const json& test, bool valid) {
  const auto keys = keys_of_seed(kem, bytes_of(test, "seed"));
  if (!keys) return !valid;
  const Octets encapsulation_key = optional_bytes(test, "ek");
  if (!encapsulation_key.empty() && encapsulation_key != keys->encapsulation_key) return !valid;
  const Outcome secret = decapsulated(kem, keys->decapsulation_key, bytes_of(test, "c"));
  return valid ? secret && *secret == bytes_of(test, "K") : !secret;
}

bool passes_encapsulation(const MlKem768& kem, const json& test, bool valid) {
  Octets ciphertext(kMlKem768CiphertextSize), secret(kMlKemSharedSecretSize);
  const Octets message = bytes_of(test, "m");
  if (message.size() != 32) return !valid;
  FixedRng rng(message);
  if (!mlkem768_encapsulate(kem, rng, bytes_of(test, "ek"), ciphertext, secret)) return !valid;
  return valid && ciphertext == bytes_of(test, "c") && secret == bytes_of(test, "K");
}

bool passes_keygen(const MlKem768& kem, const json& test, bool valid) {
  const auto keys = keys_of_seed(kem, bytes_of(test, "seed"));
  if (!keys) return !valid;
  return valid && keys->encapsulation_key == bytes_of(test, "ek") && keys->decapsulation_key == bytes_of(test, "dk");
}

bool passes_expanded_decapsulation(const MlKem768& kem, const json& test, bool valid) {
  const Outcome secret = decapsulated(kem, bytes_of(test, "dk"), bytes_of(test, "c"));
  if (!valid) return !secret;
  if (!secret) return false;
  // Some cases leave the secret out; then it is enough that the key and the ciphertext are taken.
  return !test.contains("K") || *secret == bytes_of(test, "K");
}

using Passes = bool (*)(const MlKem768&, const json&, bool valid);

Passes judge_of(const std::string& group_type) {
  if (group_type == "MLKEMTest") return passes_decapsulation;
  if (group_type == "MLKEMEncapsTest") return passes_encapsulation;
  if (group_type == "MLKEMKeyGen") return passes_keygen;
  if (group_type == "MLKEMDecapsValidationTest") return passes_expanded_decapsulation;
  throw std::invalid_argument("unknown type of group: " + group_type);
}

void run(const json& file, Report& report) {
  for (const json& group : file.at("testGroups")) {
    const Passes passes = judge_of(group.at("type").get<std::string>());
    const auto parameter_set = group.at("parameterSet").get<std::string>();
    if (parameter_set != kParameterSet) throw std::invalid_argument("not implemented: " + parameter_set);
    for (const json& test : group.at("tests")) {
      const auto result = test.at("result").get<std::string>();
      const std::string name = "tcId " + std::to_string(test.at("tcId").get<int>());
      for_each_implementation([&](const MlKem768& kem) {
        const bool passed = result == "acceptable" ? passes(kem, test, true) || passes(kem, test, false)
                                                   : passes(kem, test, result == "valid");
        report.check(passed, name + " with " + std::string(kem.implementation));
      });
    }
  }
}

}  // namespace

Handler mlkem_handler(const json& file) {
  return file.value("algorithm", "") == "ML-KEM" && file.contains("testGroups") ? run : nullptr;
}

}  // namespace quoll::vectors
