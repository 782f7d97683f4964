// The parts of ML-KEM in every engine beside plain definitions: the transform and its products beside multiplication in
// the ring by the book, codecs and compression beside FIPS 203 §4.2.1 with divisions, lanes of Keccak beside one.
#include <array>
#include <vector>

#include "crypto/mlkem_field.h"
#include "crypto/portable/keccak.h"
#include "crypto/portable/mlkem.h"
#include "crypto/provider.h"
#include "tests/support/random.h"

#if defined(__x86_64__)
#include "crypto/x86/keccak.h"
#include "crypto/x86/mlkem.h"
#endif

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

using namespace crypto;
using namespace crypto::mlkem;

/// Whether the processor runs an engine's implementation.
template <class Engine>
bool runs() {
  return true;
}

#if defined(__x86_64__)
template <>
bool runs<Avx2MlKemEngine>() {
  return kMlKem768Avx2.runs_on(cpu::features(), cpu::cap());
}
template <>
bool runs<Avx512MlKemEngine>() {
  return kMlKem768Avx512.runs_on(cpu::features(), cpu::cap());
}
#else
// Elsewhere the portable engine stands in, so that the lists below stay the same.
using Avx2MlKemEngine = PortableMlKemEngine;
using Avx512MlKemEngine = PortableMlKemEngine;
#endif

int residue(int64_t value) { return static_cast<int>((value % kQ + kQ) % kQ); }

Poly random_poly(Rng& rng, int lowest, int highest) {
  Poly poly;
  for (int16_t& c : poly.coefficients) {
    c = static_cast<int16_t>(lowest + static_cast<int>(rng.below(static_cast<uint64_t>(highest - lowest + 1))));
  }
  return poly;
}

/// Every coefficient at one end of its range or the other: what strains the bounds.
Poly extreme_poly(Rng& rng, int lowest, int highest) {
  Poly poly;
  for (int16_t& c : poly.coefficients) c = static_cast<int16_t>(rng.below(2) ? lowest : highest);
  return poly;
}

/// a·b modulo X^256 + 1 and q.
std::array<int, kN> by_the_book(const Poly& a, const Poly& b) {
  std::array<int64_t, kN> sums{};
  for (size_t i = 0; i < kN; i++) {
    for (size_t j = 0; j < kN; j++) {
      const int64_t product = int64_t{a.coefficients[i]} * b.coefficients[j];
      if (i + j < kN) {
        sums[i + j] += product;
      } else {
        sums[i + j - kN] -= product;
      }
    }
  }
  std::array<int, kN> out{};
  for (size_t i = 0; i < kN; i++) out[i] = residue(sums[i]);
  return out;
}

/// Algorithm 9 with remainders.
std::array<int, kN> transform_by_the_book(const Poly& poly) {
  std::array<int, kN> f{};
  for (size_t i = 0; i < kN; i++) f[i] = residue(poly.coefficients[i]);
  size_t next = 1;
  for (size_t length = 128; length >= 2; length /= 2) {
    for (size_t start = 0; start < kN; start += 2 * length) {
      int reversed = 0;
      for (int bit = 0; bit < 7; bit++) reversed |= static_cast<int>(next >> bit & 1) << (6 - bit);
      next++;
      const int64_t zeta = power_mod_q(17, reversed);
      for (size_t j = start; j < start + length; j++) {
        const int64_t product = zeta * f[j + length];
        f[j + length] = residue(f[j] - product);
        f[j] = residue(f[j] + product);
      }
    }
  }
  return f;
}

/// In place: gcc 12 does not align the temporary of a Poly that a function returns.
template <class Engine>
void make_canonical(Poly& poly) {
  uint8_t encoded[kPoly12Size];
  Engine::encode12(encoded, poly);
  CHECK(Engine::decode12(poly, encoded) != 0);
}

TEST_CASE_TEMPLATE("the transform is that of FIPS 203 algorithm 9 up to its stated bounds", Engine, PortableMlKemEngine,
                   Avx2MlKemEngine, Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  SeededRng rng(300);
  for (int round = 0; round < 50; round++) {
    const Poly poly = round % 2 ? random_poly(rng, -kQ, kQ) : extreme_poly(rng, -kQ, kQ);
    Poly transformed = poly;
    Engine::ntt(transformed);
    const auto expected = transform_by_the_book(poly);
    for (size_t i = 0; i < kN; i++) {
      CHECK(residue(transformed.coefficients[i]) == expected[i]);
      CHECK(std::abs(transformed.coefficients[i]) <= kQ / 2);
    }
    // The inverse carries 2^16 and takes what the transform gives as well as the ends of its range.
    Poly back = transformed;
    if (round % 4 < 2) make_canonical<Engine>(back);
    Engine::inverse_ntt(back);
    for (size_t i = 0; i < kN; i++) {
      CHECK(residue(back.coefficients[i]) == residue(int64_t{poly.coefficients[i]} << 16));
      CHECK(std::abs(back.coefficients[i]) < kQ);
    }
  }
}

TEST_CASE_TEMPLATE("the inverse transform holds its bounds at the ends of its range", Engine, PortableMlKemEngine,
                   Avx2MlKemEngine, Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  SeededRng rng(301);
  for (int round = 0; round < 200; round++) {
    Poly poly = extreme_poly(rng, -kQ, kQ);
    if (round == 0) poly.coefficients.fill(kQ);
    if (round == 1) poly.coefficients.fill(-kQ);
    Poly expected = poly, actual = poly;
    PortableMlKemEngine::inverse_ntt(expected);
    Engine::inverse_ntt(actual);
    for (size_t i = 0; i < kN; i++) {
      CHECK(residue(actual.coefficients[i]) == residue(expected.coefficients[i]));
      CHECK(std::abs(actual.coefficients[i]) < kQ);
    }
  }
}

TEST_CASE_TEMPLATE("three products through the transform are those by the book", Engine, PortableMlKemEngine,
                   Avx2MlKemEngine, Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  SeededRng rng(302);
  for (int round = 0; round < 20; round++) {
    Poly a[kRank], b[kRank];
    Prepared prepared[kRank];
    std::array<int64_t, kN> expected{};
    for (size_t k = 0; k < kRank; k++) {
      a[k] = round % 2 ? random_poly(rng, 0, kQ - 1) : extreme_poly(rng, 0, kQ - 1);
      b[k] = round % 2 ? random_poly(rng, -2, 2) : extreme_poly(rng, -kQ, kQ);
      const auto product = by_the_book(a[k], b[k]);
      for (size_t i = 0; i < kN; i++) expected[i] += product[i];
      Engine::ntt(a[k]);
      make_canonical<Engine>(a[k]);
      Engine::ntt(b[k]);
      Engine::prepare(prepared[k], b[k]);
    }
    Poly sum;
    Engine::dot(sum, a, prepared);
    for (const int16_t c : sum.coefficients) CHECK(std::abs(c) <= kQ);
    Poly montgomery = sum;
    Engine::inverse_ntt(sum);
    for (size_t i = 0; i < kN; i++) CHECK(residue(sum.coefficients[i]) == residue(expected[i]));
    Engine::to_montgomery(montgomery);
    Engine::inverse_ntt(montgomery);
    for (size_t i = 0; i < kN; i++) CHECK(residue(montgomery.coefficients[i]) == residue(expected[i] << 16));
  }
}

TEST_CASE_TEMPLATE("products hold at the ends of the stated ranges", Engine, PortableMlKemEngine, Avx2MlKemEngine,
                   Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  SeededRng rng(303);
  for (int round = 0; round < 50; round++) {
    Poly a[kRank], b[kRank], actual, expected;
    Prepared ours[kRank], theirs[kRank];
    for (size_t k = 0; k < kRank; k++) {
      a[k] = extreme_poly(rng, round % 2 ? kQ - 1 : 0, kQ - 1);
      b[k] = extreme_poly(rng, -(kQ / 2), kQ / 2);
      if (round < 2) b[k].coefficients.fill(static_cast<int16_t>(round ? kQ / 2 : -(kQ / 2)));
      Engine::prepare(ours[k], b[k]);
      PortableMlKemEngine::prepare(theirs[k], b[k]);
    }
    Engine::dot(actual, a, ours);
    PortableMlKemEngine::dot(expected, a, theirs);
    for (size_t i = 0; i < kN; i++) {
      CHECK(residue(actual.coefficients[i]) == residue(expected.coefficients[i]));
      CHECK(std::abs(actual.coefficients[i]) <= kQ);
    }
  }
}

/// ByteEncode_d(Compress_d(poly)), FIPS 203 algorithm 5 and equation 4.7, bit by bit and with a division.
std::vector<uint8_t> compressed_by_the_book(const Poly& poly, int d) {
  std::vector<uint8_t> out(static_cast<size_t>(32 * d));
  for (size_t i = 0; i < kN; i++) {
    const int x = residue(poly.coefficients[i]);
    const int y = d == 12 ? x : ((x << d) + kQ / 2) / kQ % (1 << d);
    for (int bit = 0; bit < d; bit++) {
      const size_t place = i * static_cast<size_t>(d) + static_cast<size_t>(bit);
      out[place / 8] = static_cast<uint8_t>(out[place / 8] | (y >> bit & 1) << place % 8);
    }
  }
  return out;
}

template <class Engine>
void check_codec(const Poly& poly, int d, void (*encode)(uint8_t*, const Poly&),
                 void (*decode)(Poly&, const uint8_t*)) {
  CAPTURE(d);
  // One byte more on each side must stay as it is.
  std::vector<uint8_t> encoded(static_cast<size_t>(32 * d) + 2, 0xee);
  encode(encoded.data() + 1, poly);
  CHECK(encoded.front() == 0xee);
  CHECK(encoded.back() == 0xee);
  const std::vector<uint8_t> bytes(encoded.begin() + 1, encoded.end() - 1);
  CHECK(bytes == compressed_by_the_book(poly, d));
  if (!decode) return;
  Poly decoded;
  decode(decoded, bytes.data());
  for (size_t i = 0; i < kN; i++) {
    const int x = residue(poly.coefficients[i]);
    const int y = ((x << d) + kQ / 2) / kQ % (1 << d);
    CHECK(decoded.coefficients[i] == (kQ * y + (1 << (d - 1))) / (1 << d));
  }
}

TEST_CASE_TEMPLATE("compression and encoding are right for every residue and every 16-bit representative", Engine,
                   PortableMlKemEngine, Avx2MlKemEngine, Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  for (int first = -32768; first < 32768; first += kN) {
    Poly poly;
    for (size_t i = 0; i < kN; i++) poly.coefficients[i] = static_cast<int16_t>(first + static_cast<int>(i));
    check_codec<Engine>(poly, 12, Engine::encode12, nullptr);
    check_codec<Engine>(poly, 10, Engine::encode10, Engine::decode10);
    check_codec<Engine>(poly, 4, Engine::encode4, Engine::decode4);
    check_codec<Engine>(poly, 1, Engine::encode1, Engine::decode1);
  }
}

TEST_CASE_TEMPLATE("decoding twelve bits reduces, and tells whether it had to", Engine, PortableMlKemEngine,
                   Avx2MlKemEngine, Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  SeededRng rng(304);
  for (int round = 0; round < 64; round++) {
    const auto bytes = rng.bytes(kPoly12Size);
    Poly decoded;
    bool all_below = true;
    const bool told = Engine::decode12(decoded, bytes.data()) != 0;
    for (size_t i = 0; i < kN; i++) {
      const uint8_t* at = bytes.data() + i / 2 * 3;
      const int value = i % 2 == 0 ? at[0] | (at[1] & 15) << 8 : at[1] >> 4 | at[2] << 4;
      all_below = all_below && value < kQ;
      CHECK(decoded.coefficients[i] == value % kQ);
    }
    CHECK(told == all_below);
  }
}

TEST_CASE_TEMPLATE("sampling from streams and noise agrees with the portable engine", Engine, PortableMlKemEngine,
                   Avx2MlKemEngine, Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  SeededRng rng(305);
  for (int round = 0; round < 200; round++) {
    const auto bytes = rng.bytes(kNoiseSize);
    Poly expected, actual;
    PortableMlKemEngine::noise(expected, bytes.data());
    Engine::noise(actual, bytes.data());
    CHECK(actual.coefficients == expected.coefficients);

    // Streams from all accepted to nearly all refused, so that the end falls on every place of a block.
    size_t filled = 0, ours = 0;
    while (filled < kN) {
      auto block = rng.bytes(kXofBlockSize);
      for (uint8_t& byte : block) {
        if (rng.below(200) < static_cast<uint64_t>(round)) byte |= 0xf0 & byte ? 0xff : 0x0f;
      }
      const size_t before = filled;
      filled = PortableMlKemEngine::sample(expected, filled, block.data());
      ours = Engine::sample(actual, before, block.data());
      CHECK(ours == filled);
    }
    CHECK(actual.coefficients == expected.coefficients);
  }
}

TEST_CASE_TEMPLATE("a difference of ciphertexts is seen at every bit", Engine, PortableMlKemEngine, Avx2MlKemEngine,
                   Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  SeededRng rng(306);
  const auto a = rng.bytes(kMlKem768CiphertextSize);
  auto b = a;
  CHECK(Engine::difference(a.data(), b.data()) == 0);
  for (size_t bit = 0; bit < 8 * a.size(); bit++) {
    b[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CHECK(Engine::difference(a.data(), b.data()) != 0);
    b[bit / 8] = a[bit / 8];
  }
}

TEST_CASE_TEMPLATE("states permuted side by side are those permuted alone", Engine, PortableMlKemEngine,
                   Avx2MlKemEngine, Avx512MlKemEngine) {
  if (!runs<Engine>()) return;
  SeededRng rng(307);
  constexpr size_t lanes = Engine::kStates;
  alignas(64) uint64_t words[25 * lanes];
  uint64_t alone[lanes][25];
  for (size_t i = 0; i < 25 * lanes; i++) words[i] = alone[i % lanes][i / lanes] = rng.next_u64();
  for (int round = 0; round < 100; round++) {
    Engine::permute(words);
    for (auto& state : alone) keccak_permute_portable(state);
    for (size_t i = 0; i < 25 * lanes; i++) CHECK(words[i] == alone[i % lanes][i / lanes]);
  }
  Engine::permute_one(alone[0]);
  uint64_t expected[25];
  for (size_t i = 0; i < 25; i++) expected[i] = words[i * lanes];
  keccak_permute_portable(expected);
  for (size_t i = 0; i < 25; i++) CHECK(alone[0][i] == expected[i]);
}

}  // namespace
}  // namespace quoll::tests
