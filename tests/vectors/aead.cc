// AES-GCM and ChaCha20-Poly1305: Wycheproof's aead_test_schema_v1 and crypto-kat's aead_lengths.
#include <stdexcept>

#include "crypto/provider.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

using namespace quoll::crypto;
using Slot = const Aead* Provider::*;

Slot slot_of(const std::string& algorithm, size_t key_bits) {
  if (algorithm == "AES-GCM" || algorithm == "AES-128-GCM" || algorithm == "AES-256-GCM") {
    if (key_bits == 128) return &Provider::aes_128_gcm;
    if (key_bits == 256) return &Provider::aes_256_gcm;
  }
  if (algorithm == "CHACHA20-POLY1305" && key_bits == 256) return &Provider::chacha20_poly1305;
  throw std::invalid_argument("no AEAD " + algorithm + " with a key of " + std::to_string(key_bits) + " bits");
}

struct Case {
  std::vector<uint8_t> key, nonce, aad, plaintext, sealed;
  bool valid = true;
};

/// Seals and opens a valid case; an invalid one must fail to open and leave no plaintext behind.
bool holds(const Aead& aead, const Case& c) {
  auto key = AeadKey::create(aead, c.key);
  if (!key || c.nonce.size() != kAeadNonceSize) return !c.valid;
  Nonce nonce;
  copy_bytes(nonce.data(), c.nonce);

  std::vector<uint8_t> opened = c.sealed;
  const auto result = key->open(nonce, c.aad, opened);
  if (!c.valid) {
    for (size_t i = 0; i + kAeadTagSize < opened.size(); i++) {
      if (opened[i] != 0) return false;
    }
    return !result.has_value();
  }
  if (!result || !std::equal(result->begin(), result->end(), c.plaintext.begin(), c.plaintext.end())) return false;

  std::vector<uint8_t> sealed(c.plaintext.size() + kAeadTagSize);
  return key->seal(nonce, c.aad, c.plaintext, sealed) && sealed == c.sealed;
}

void run_case(const std::string& algorithm, const Case& c, const std::string& id, Report& report) {
  const Slot slot = slot_of(algorithm, c.key.size() * 8);
  for (const Provider& provider : all()) {
    const Aead* aead = provider.*slot;
    report.check(aead && holds(*aead, c), algorithm + " " + id + " " + std::string(provider.name));
  }
}

std::vector<uint8_t> joined(std::vector<uint8_t> a, const std::vector<uint8_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void run_wycheproof(const json& file, Report& report) {
  const auto algorithm = file.at("algorithm").get<std::string>();
  for (const json& group : file.at("testGroups")) {
    (void)slot_of(algorithm, group.at("keySize").get<size_t>());
    for (const json& test : group.at("tests")) {
      const auto result = test.at("result").get<std::string>();
      const Case c{.key = bytes_of(test, "key"),
                   .nonce = bytes_of(test, "iv"),
                   .aad = bytes_of(test, "aad"),
                   .plaintext = bytes_of(test, "msg"),
                   .sealed = joined(bytes_of(test, "ct"), bytes_of(test, "tag")),
                   .valid = result == "valid"};
      if (!c.valid && result != "invalid") throw std::invalid_argument("AEAD case with the result " + result);
      run_case(algorithm, c, "tcId " + test.at("tcId").dump(), report);
    }
  }
}

void run_known_answers(const json& file, Report& report) {
  for (const json& test : file.at("cases")) {
    const Case c{.key = bytes_of(test, "key"),
                 .nonce = bytes_of(test, "nonce"),
                 .aad = bytes_of(test, "aad"),
                 .plaintext = bytes_of(test, "plaintext"),
                 .sealed = bytes_of(test, "ciphertext_tag")};
    auto algorithm = test.at("alg").get<std::string>();
    for (char& letter : algorithm) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    run_case(algorithm, c, "id " + test.value("id", json()).dump(), report);
  }
}

}  // namespace

Handler aead_handler(const json& file) {
  if (file.value("schema", "") == "aead_test_schema_v1.json") return run_wycheproof;
  if (first_case_has(file, {"alg", "key", "nonce", "aad", "plaintext", "ciphertext_tag"})) return run_known_answers;
  return nullptr;
}

}  // namespace quoll::vectors
