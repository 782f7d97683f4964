// constant_time: runs every implementation that valgrind can execute with its secrets marked as undefined, and reports
// those in which a branch or an address depends on them. Run it through tests/ct/run.
//
// valgrind knows AES-NI, PCLMULQDQ, AVX2, BMI2 and ADX, but not SHA-NI, the 256-bit VAES and VPCLMULQDQ, or AVX-512.
// What needs those is listed as not covered in an ordinary build; a build with QUOLL_EMULATE covers the same sources
// over emulated instructions (tests/emulate).
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/rng.h"
#include "crypto/drbg.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "crypto/provider.h"
#include "crypto/siphash.h"
#include "tests/ct/poison.h"
#include "tests/ct/rsa_key.h"
#include "tests/support/random.h"

namespace quoll::ct_test {
namespace {

using namespace quoll::crypto;
using Buffer = std::vector<uint8_t>;

/// What valgrind can execute on a processor that has it; in a build that emulates the rest, everything.
#ifdef QUOLL_EMULATE
constexpr cpu::Features kExecutable = ~cpu::Features{0};
#else
constexpr cpu::Features kExecutable =
    cpu::kSsse3 | cpu::kSse41 | cpu::kAesNi | cpu::kPclmulqdq | cpu::kAvx | cpu::kAvx2 | cpu::kBmi2 | cpu::kAdx;
#endif

size_t covered = 0, leaking = 0;
std::vector<std::string> not_covered;

/// Random bytes whose values are defined; secret() marks them afterwards.
Buffer bytes(size_t size) {
  static tests::SeededRng rng(1);
  return rng.bytes(size);
}

Buffer secret_bytes(size_t size) {
  Buffer buffer = bytes(size);
  secret(buffer.data(), size);
  return buffer;
}

/// An Rng whose output is secret.
class SecretRng final : public Rng {
 public:
  void fill(MutBytes out) override {
    inner_.fill(out);
    secret(out.data(), out.size());
  }

 private:
  tests::SeededRng inner_{2};
};

template <class F>
void check(const std::string& what, F run) {
  const size_t before = leaks();
  run();
  const size_t found = leaks() - before;
  covered++;
  if (found) {
    leaking++;
    std::printf("LEAK  %s: %zu places\n", what.c_str(), found);
  } else {
    std::printf("ok    %s\n", what.c_str());
  }
}

/// Runs `body` for each entry of a family, portable and native, that valgrind can execute.
template <class T, class F>
void for_each(std::span<const T* const> Catalogue::* family, std::string_view family_name, F body) {
  for (const Catalogue* catalogue : {&portable_catalogue(), &native_catalogue()}) {
    for (const T* entry : catalogue->*family) {
      std::string what = std::string(family_name) + " ";
      if constexpr (requires { entry->name; }) what += std::string(entry->name) + " ";
      what += entry->implementation;
      if (entry->needs & ~kExecutable) {
        not_covered.push_back(what);
      } else {
        check(what, [&] { body(*entry); });
      }
    }
  }
}

void aeads() {
  for_each(&Catalogue::aeads, "AEAD", [](const Aead& aead) {
    const Buffer key = secret_bytes(aead.key_size), aad = bytes(19);
    AeadState state;
    aead.expand_key(state, key.data());
    for (const size_t size : {0, 1, 16, 100, 700, 1350, 5000}) {
      const Buffer plaintext = secret_bytes(size);
      const Bytes pieces[] = {Bytes(plaintext).first(size / 3), Bytes(plaintext).subspan(size / 3)};
      Buffer out(size + kAeadTagSize);
      const SealJob job{.nonce = Nonce{1, 2, 3}, .aad = aad, .plaintext = pieces, .out = out.data()};
      aead.seal(state, {&job, 1});
      reveal(out.data(), out.size());
      OpenJob open{.nonce = job.nonce, .aad = aad, .data = out};
      aead.open(state, {&open, 1});
      if (!open.authentic)
        std::printf("LEAK  %s does not open what it sealed\n", aead.implementation.data()), leaking++;
    }
    std::vector<Buffer> texts;
    for (int i = 0; i < 9; i++) texts.push_back(secret_bytes(1350 + kAeadTagSize));
    std::vector<Bytes> pieces;
    for (Buffer& text : texts) pieces.push_back(Bytes(text).first(1350));
    std::vector<SealJob> jobs;
    for (size_t i = 0; i < texts.size(); i++) {
      jobs.push_back(
          {.nonce = Nonce{static_cast<uint8_t>(i)}, .aad = aad, .plaintext = {&pieces[i], 1}, .out = texts[i].data()});
    }
    aead.seal(state, jobs);
  });
  for_each(&Catalogue::header_protections, "mask", [](const HeaderProtection& algorithm) {
    const Buffer key = secret_bytes(algorithm.key_size), samples = bytes(20 * kSampleSize);
    HeaderProtectionState state;
    algorithm.expand_key(state, key.data());
    std::vector<const uint8_t*> pointers;
    for (size_t i = 0; i < 20; i++) pointers.push_back(samples.data() + i * kSampleSize);
    std::vector<HeaderMask> masks(20);
    algorithm.masks(state, pointers, masks);
  });
}

void hashes() {
  for_each(&Catalogue::hashes, "hash", [](const HashAlgorithm& algorithm) {
    const Buffer key = secret_bytes(32), message = secret_bytes(500);
    (void)hash(algorithm, message);
    (void)hmac(algorithm, key, message);
    Buffer out(80);
    (void)hkdf_expand_label(algorithm, key, "quic key", {}, out);
    (void)hkdf_extract(algorithm, key, message);
  });
  check("SipHash portable", [] {
    const Buffer key = secret_bytes(16), message = secret_bytes(37);
    const volatile uint64_t tag = SipHash(std::span<const uint8_t, 16>(key.data(), 16))(message);
    (void)tag;
  });
  check("DRBG portable", [] {
    const Buffer seed = secret_bytes(32);
    Drbg drbg(std::span<const uint8_t, 32>(seed.data(), 32));
    Buffer out(3000);
    drbg.fill(out);
    drbg.fill(MutBytes(out).first(5));
  });
}

void groups() {
  for_each(&Catalogue::groups, "group", [](const Group& group) {
    Buffer ours(group.private_key_size), theirs(group.private_key_size);
    Buffer our_public(group.public_key_size), their_public(group.public_key_size), shared(group.shared_secret_size);
    SecretRng rng;
    (void)generate(group, rng, ours, our_public);
    (void)generate(group, rng, theirs, their_public);
    reveal(their_public.data(), their_public.size());
    (void)agree(group, ours, their_public, shared);
  });
  for_each(&Catalogue::ecdsas, "ECDSA", [](const Ecdsa& ecdsa) {
    Buffer key = bytes(ecdsa.scalar_size);
    key[0] = 1;  // below the order
    secret(key.data(), key.size());
    Buffer point(ecdsa.public_key_size), signature(kEcdsaSignatureSizeMax);
    (void)ecdsa.public_key(key.data(), point.data());
    const Buffer digest = bytes(32);
    (void)ecdsa_sign(ecdsa, *portable().sha256, key, digest, signature);
  });
  for_each(&Catalogue::ed25519s, "Ed25519", [](const Ed25519& ed25519) {
    const Buffer seed = secret_bytes(kEd25519SeedSize), message = bytes(100);
    Buffer point(kEd25519PublicKeySize), signature(kEd25519SignatureSize);
    ed25519.public_key(*portable().sha512, seed.data(), point.data());
    reveal(point.data(), point.size());
    ed25519.sign(*portable().sha512, seed.data(), point.data(), message, signature.data());
  });
}

Buffer unhex(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  Buffer out(hex.size() / 2);
  for (size_t i = 0; i < out.size(); i++) out[i] = static_cast<uint8_t>(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  return out;
}

void rsa() {
  for_each(&Catalogue::rsas, "RSA", [](const Rsa& rsa) {
    const Buffer modulus = unhex(kModulus), public_exponent = unhex(kPublicExponent);
    Buffer parts[] = {unhex(kPrivateExponent), unhex(kPrime1),    unhex(kPrime2),
                      unhex(kExponent1),       unhex(kExponent2), unhex(kCoefficient)};
    for (Buffer& part : parts) secret(part.data(), part.size());
    const auto key = RsaPrivateKey::create(rsa, {.modulus = modulus,
                                                 .public_exponent = public_exponent,
                                                 .private_exponent = parts[0],
                                                 .prime1 = parts[1],
                                                 .prime2 = parts[2],
                                                 .exponent1 = parts[3],
                                                 .exponent2 = parts[4],
                                                 .coefficient = parts[5]});
    if (!key) {
      std::printf("LEAK  the RSA key of this test was refused: %s\n", key.error().reason);
      leaking++;
      return;
    }
    SecretRng rng;
    Buffer signature(key->public_key().modulus_size());
    const Buffer digest = bytes(32);
    for (int i = 0; i < 3; i++) (void)key->sign_pss(*portable().sha256, rng, digest, signature);
  });
}

void mlkem() {
  for_each(&Catalogue::mlkem768s, "ML-KEM-768", [](const MlKem768& kem) {
    const Buffer seed = secret_bytes(kMlKem768SeedSize), message = secret_bytes(32);
    Buffer encapsulation_key(kMlKem768EncapsulationKeySize), decapsulation_key(kMlKem768DecapsulationKeySize);
    Buffer ciphertext(kMlKem768CiphertextSize), secret_out(kMlKemSharedSecretSize);
    kem.keygen(seed.data(), encapsulation_key.data(), decapsulation_key.data());
    reveal(encapsulation_key.data(), encapsulation_key.size());
    (void)kem.encapsulate(encapsulation_key.data(), message.data(), ciphertext.data(), secret_out.data());
    reveal(ciphertext.data(), ciphertext.size());
    (void)kem.decapsulate(decapsulation_key.data(), ciphertext.data(), secret_out.data());
    ciphertext[100] ^= 1;
    (void)kem.decapsulate(decapsulation_key.data(), ciphertext.data(), secret_out.data());
  });
}

/// Two deliberate leaks, to show that this test can fail: tests/ct/run expects both to be reported.
void deliberate_leaks() {
  const Buffer key = secret_bytes(16);
  static const uint8_t table[256] = {1, 2, 3};
  check("a branch on a secret", [&] {
    if (key[0] & 1) __asm__ volatile("nop");
  });
  check("an index made of a secret", [&] {
    const volatile uint8_t looked_up = table[key[1]];
    (void)looked_up;
  });
}

}  // namespace
}  // namespace quoll::ct_test

int main(int argc, char** argv) {
  using namespace quoll::ct_test;
  if (!under_valgrind()) {
    std::fprintf(stderr, "constant_time: run this under valgrind (tests/ct/run does)\n");
    return 2;
  }
  if (argc == 2 && std::strcmp(argv[1], "--deliberate-leaks") == 0) {
    deliberate_leaks();
    return leaking == 2 ? 0 : 1;
  }
  aeads();
  hashes();
  groups();
  rsa();
  mlkem();
  for (const std::string& name : not_covered)
    std::printf("NOT COVERED, valgrind lacks the instructions: %s\n", name.c_str());
  std::printf("%zu passed, %zu failed\n", covered - leaking, leaking);
  return leaking ? 1 : 0;
}
