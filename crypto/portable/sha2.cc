// SHA-256, SHA-384 and SHA-512 (RFC 6234 §5-§6), once for both word sizes.
//
// Sixteen rounds are written out with the working variables renamed instead of moved; the message schedule is a ring of
// sixteen words, each extended right before its round. There is no branch and no index that depends on data, so the
// time depends on the length alone.
#include "crypto/portable/sha2.h"

#include "crypto/sha2.h"

namespace quoll::crypto {
namespace {

template <class Word>
struct Functions;

/// RFC 6234 §5.1.
template <>
struct Functions<uint32_t> {
  static uint32_t big_sigma0(uint32_t x) { return std::rotr(x, 2) ^ std::rotr(x, 13) ^ std::rotr(x, 22); }
  static uint32_t big_sigma1(uint32_t x) { return std::rotr(x, 6) ^ std::rotr(x, 11) ^ std::rotr(x, 25); }
  static uint32_t small_sigma0(uint32_t x) { return std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3); }
  static uint32_t small_sigma1(uint32_t x) { return std::rotr(x, 17) ^ std::rotr(x, 19) ^ (x >> 10); }
};

/// RFC 6234 §5.2.
template <>
struct Functions<uint64_t> {
  static uint64_t big_sigma0(uint64_t x) { return std::rotr(x, 28) ^ std::rotr(x, 34) ^ std::rotr(x, 39); }
  static uint64_t big_sigma1(uint64_t x) { return std::rotr(x, 14) ^ std::rotr(x, 18) ^ std::rotr(x, 41); }
  static uint64_t small_sigma0(uint64_t x) { return std::rotr(x, 1) ^ std::rotr(x, 8) ^ (x >> 7); }
  static uint64_t small_sigma1(uint64_t x) { return std::rotr(x, 19) ^ std::rotr(x, 61) ^ (x >> 6); }
};

/// The working variables a to h (RFC 6234 §6.2) and the ring of the message schedule.
template <class Word>
struct Compression {
  using F = Functions<Word>;

  Word v[8];
  Word w[16];

  /// Round t of its sixteen. Variable number i lives at v[(i - t) mod 8], so nothing moves.
  template <size_t t>
  void round(Word constant) {
    const Word a = v[(0 - t) % 8], b = v[(1 - t) % 8], c = v[(2 - t) % 8];
    const Word e = v[(4 - t) % 8], f = v[(5 - t) % 8], g = v[(6 - t) % 8];
    Word& d = v[(3 - t) % 8];
    Word& h = v[(7 - t) % 8];
    const Word choice = g ^ (e & (f ^ g));
    const Word majority = (a & b) ^ (c & (a ^ b));
    h += F::big_sigma1(e) + choice + constant + w[t];
    d += h;
    h += F::big_sigma0(a) + majority;
  }

  /// Makes w[t] the word of sixteen rounds later.
  template <size_t t>
  void extend() {
    w[t] += F::small_sigma1(w[(t + 14) % 16]) + w[(t + 9) % 16] + F::small_sigma0(w[(t + 1) % 16]);
  }

  template <bool first, size_t... t>
  void sixteen_rounds(const Word* constants, std::index_sequence<t...>) {
    (
        [&] {
          if constexpr (!first) extend<t>();
          round<t>(constants[t]);
        }(),
        ...);
  }

  template <bool first>
  void sixteen_rounds(const Word* constants) {
    sixteen_rounds<first>(constants, std::make_index_sequence<16>{});
  }
};

template <class Word>
void blocks(HashState& state, const uint8_t* data, size_t count) {
  using Sha = sha2::Sha<Word>;
  Word* chaining = sha2::words<Word>(state);
  Compression<Word> c;
  for (; count > 0; count--, data += Sha::kBlockSize) {
    std::memcpy(c.v, chaining, sizeof c.v);
    for (size_t i = 0; i < 16; i++) c.w[i] = load_be<Word>(data + i * sizeof(Word));
    c.template sixteen_rounds<true>(Sha::kConstants.data());
    for (size_t t = 16; t < Sha::kRounds; t += 16) c.template sixteen_rounds<false>(Sha::kConstants.data() + t);
    for (size_t i = 0; i < 8; i++) chaining[i] += c.v[i];
  }
  ct::wipe(c);
}

}  // namespace

constexpr HashAlgorithm kSha256Portable{
    {.implementation = "portable"},
    HashId::sha256,
    "SHA-256",
    32,
    64,
    sha2::init<sha2::kInitial256>,
    blocks<uint32_t>,
    sha2::finish<uint32_t, 32, blocks<uint32_t>>,
    8 * sizeof(uint32_t),
};

constexpr HashAlgorithm kSha384Portable{
    {.implementation = "portable"},
    HashId::sha384,
    "SHA-384",
    48,
    128,
    sha2::init<sha2::kInitial384>,
    blocks<uint64_t>,
    sha2::finish<uint64_t, 48, blocks<uint64_t>>,
    8 * sizeof(uint64_t),
};

constexpr HashAlgorithm kSha512Portable{
    {.implementation = "portable"},
    HashId::sha512,
    "SHA-512",
    64,
    128,
    sha2::init<sha2::kInitial512>,
    blocks<uint64_t>,
    sha2::finish<uint64_t, 64, blocks<uint64_t>>,
    8 * sizeof(uint64_t),
};

}  // namespace quoll::crypto
