// Bytes to polynomials of ML-KEM and back, 16 coefficients at a time: sampling, compression, encoding (FIPS 203 §4.2).
//
// Every load and store stays within the range that is read or written. Constant time but for sample(), whose input is
// public.
#include <bit>
#include <cstring>

#include "crypto/mlkem.h"
#include "crypto/x86/mlkem.h"
#include "crypto/x86/mlkem_vectors.h"

namespace quoll::crypto {
namespace {

using namespace mlkem;

[[gnu::always_inline, gnu::target("avx2")]] inline __m128i load128(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
[[gnu::always_inline, gnu::target("avx2")]] inline void store128(uint8_t* to, __m128i a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), a);
}
[[gnu::always_inline, gnu::target("avx2")]] inline Vector load256(const uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const Vector*>(from));
}

/// Two loads of 16 bytes, as the lower and the upper half of a vector.
[[gnu::always_inline, gnu::target("avx2")]] inline Vector load_halves(const uint8_t* low, const uint8_t* high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(load128(low)), load128(high), 1);
}

/// 24 bytes to 16 numbers of 12 bits.
[[gnu::always_inline, gnu::target("avx2")]] inline Vector unpack12(const uint8_t* from) {
  // The second half's load begins four bytes early, so that it ends with the 24 bytes.
  const Vector bytes = load_halves(from, from + 8);
  const Vector words =
      _mm256_shuffle_epi8(bytes, _mm256_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11,  //
                                                  4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14, 15));
  return _mm256_and_si256(_mm256_blend_epi16(words, _mm256_srli_epi16(words, 4), 0xaa), _mm256_set1_epi16(0xfff));
}

/// For each set of accepted places among eight, the places in order, as byte offsets of 16-bit numbers.
constexpr std::array<std::array<uint8_t, 8>, 256> kAccepted = [] {
  std::array<std::array<uint8_t, 8>, 256> table{};
  for (size_t set = 0; set < 256; set++) {
    size_t filled = 0;
    for (size_t place = 0; place < 8; place++) {
      if (set >> place & 1) table[set][filled++] = static_cast<uint8_t>(2 * place);
    }
  }
  return table;
}();

/// Moves the accepted ones of eight numbers to the front.
[[gnu::always_inline, gnu::target("avx2")]] inline __m128i gather_accepted(__m128i numbers, uint32_t set) {
  const __m128i offsets = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kAccepted[set].data()));
  const __m128i bytes = _mm_unpacklo_epi8(offsets, _mm_add_epi8(offsets, _mm_set1_epi8(1)));
  return _mm_shuffle_epi8(numbers, bytes);
}

/// Compress_d of the lower 16 bits of each 32, which are below q.
template <int d>
[[gnu::always_inline, gnu::target("avx2")]] inline Vector compress32(Vector x) {
  const Vector scaled = _mm256_mullo_epi32(x, _mm256_set1_epi32(kCompressFactor));
  const Vector rounded = _mm256_add_epi32(scaled, _mm256_set1_epi32((1 << (28 - d)) - int{kCompressBias}));
  return _mm256_and_si256(_mm256_srli_epi32(rounded, 29 - d), _mm256_set1_epi32((1 << d) - 1));
}

/// Compress_d of 16 coefficients, each two in the lower 2·d bits of 32.
template <int d>
[[gnu::always_inline, gnu::target("avx2")]] inline Vector compress_pairs(Vector coefficients) {
  const Vector x = canonical(coefficients);
  const Vector even = compress32<d>(_mm256_and_si256(x, _mm256_set1_epi32(0xffff)));
  const Vector odd = compress32<d>(_mm256_srli_epi32(x, 16));
  return _mm256_or_si256(even, _mm256_slli_epi32(odd, d));
}

}  // namespace

[[gnu::target("avx2,popcnt")]] size_t Avx2MlKemEngine::sample(Poly& out, size_t filled, const uint8_t* block) {
  const Vector modulus = _mm256_set1_epi16(kQ);
  for (size_t at = 0; at < kXofBlockSize && filled < kN; at += 24) {
    const Vector numbers = unpack12(block + at);
    const Vector accepted = _mm256_cmpgt_epi16(modulus, numbers);
    // Two bits for each number; packing leaves one byte for each, in order within the halves.
    const auto sets = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_packs_epi16(accepted, _mm256_setzero_si256())));
    const uint32_t low_set = sets & 0xff, high_set = (sets >> 16) & 0xff;
    const __m128i low = gather_accepted(_mm256_castsi256_si128(numbers), low_set);
    const __m128i high = gather_accepted(_mm256_extracti128_si256(numbers, 1), high_set);
    const auto low_count = static_cast<size_t>(_mm_popcnt_u32(low_set));
    const auto high_count = static_cast<size_t>(_mm_popcnt_u32(high_set));
    if (filled + kPerVector <= kN) [[likely]] {
      auto* to = reinterpret_cast<uint8_t*>(out.coefficients.data() + filled);
      store128(to, low);
      store128(to + 2 * low_count, high);
      filled += low_count + high_count;
    } else {
      uint8_t numbers_left[4 * kPerVector];
      store128(numbers_left, low);
      store128(numbers_left + 2 * low_count, high);
      const size_t taken = std::min(low_count + high_count, kN - filled);
      std::memcpy(out.coefficients.data() + filled, numbers_left, 2 * taken);
      filled += taken;
    }
  }
  return filled;
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::noise(Poly& out, const uint8_t* bytes) {
  const Vector mask55 = _mm256_set1_epi8(0x55), mask33 = _mm256_set1_epi8(0x33);
  const Vector mask0f = _mm256_set1_epi8(0x0f), three = _mm256_set1_epi8(3);
  for (size_t i = 0; i < kNoiseSize / 32; i++) {
    // 64 coefficients of four bits each: the sum of the lower two bits minus that of the upper two, kept as 3 more.
    const Vector bits = load256(bytes + 32 * i);
    const Vector sums =
        _mm256_add_epi8(_mm256_and_si256(bits, mask55), _mm256_and_si256(_mm256_srli_epi16(bits, 1), mask55));
    const Vector plus = _mm256_add_epi8(_mm256_and_si256(sums, mask33), mask33);
    const Vector nibbles = _mm256_sub_epi8(plus, _mm256_and_si256(_mm256_srli_epi16(sums, 2), mask33));
    const Vector even = _mm256_sub_epi8(_mm256_and_si256(nibbles, mask0f), three);
    const Vector odd = _mm256_sub_epi8(_mm256_and_si256(_mm256_srli_epi16(nibbles, 4), mask0f), three);
    const Vector first = _mm256_unpacklo_epi8(even, odd);   // coefficients 0–15 and 32–47
    const Vector second = _mm256_unpackhi_epi8(even, odd);  // 16–31 and 48–63
    store(out, 4 * i, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(first)));
    store(out, 4 * i + 1, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(second)));
    store(out, 4 * i + 2, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(first, 1)));
    store(out, 4 * i + 3, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(second, 1)));
  }
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::encode12(uint8_t* out, const Poly& poly) {
  const Vector join = _mm256_set1_epi32(1 | 4096 << 16);
  // Three bytes of each 32 bits: the lower half's twelve in order; of the upper half's, the first four go to the end of
  // what is stored first.
  const Vector order = _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,  //
                                        5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, 0, 1, 2, 4);
  for (size_t i = 0; i < kVectors; i++, out += 24) {
    const Vector pairs = _mm256_shuffle_epi8(_mm256_madd_epi16(canonical(load(poly, i)), join), order);
    const __m128i low = _mm256_castsi256_si128(pairs), high = _mm256_extracti128_si256(pairs, 1);
    store128(out, _mm_blend_epi32(low, high, 0b1000));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 16), high);
  }
}

[[gnu::target("avx2")]] uint64_t Avx2MlKemEngine::decode12(Poly& out, const uint8_t* bytes) {
  const Vector modulus = _mm256_set1_epi16(kQ);
  Vector all_below = _mm256_set1_epi16(-1);
  for (size_t i = 0; i < kVectors; i++) {
    const Vector numbers = unpack12(bytes + 24 * i);
    const Vector below = _mm256_cmpgt_epi16(modulus, numbers);
    all_below = _mm256_and_si256(all_below, below);
    store(out, i, _mm256_sub_epi16(numbers, _mm256_andnot_si256(below, modulus)));
  }
  const int none_above = _mm256_testc_si256(all_below, _mm256_set1_epi16(-1));
  return 0 - static_cast<uint64_t>(static_cast<unsigned>(none_above));
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::encode10(uint8_t* out, const Poly& poly) {
  const Vector lower = _mm256_set1_epi64x(0xffffffff);
  // Five bytes of each 64 bits: ten of the lower half; of the upper half's, the first six go to the end of what is
  // stored first.
  const Vector order = _mm256_setr_epi8(0, 1, 2, 3, 4, 8, 9, 10, 11, 12, -1, -1, -1, -1, -1, -1,  //
                                        9, 10, 11, 12, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, 8);
  for (size_t i = 0; i < kVectors; i++, out += 20) {
    const Vector pairs = compress_pairs<10>(load(poly, i));
    const Vector fours =
        _mm256_or_si256(_mm256_and_si256(pairs, lower), _mm256_srli_epi64(_mm256_andnot_si256(lower, pairs), 12));
    const Vector packed = _mm256_shuffle_epi8(fours, order);
    const __m128i low = _mm256_castsi256_si128(packed), high = _mm256_extracti128_si256(packed, 1);
    store128(out, _mm_blend_epi16(low, high, 0b11100000));
    const int last = _mm_cvtsi128_si32(high);
    std::memcpy(out + 16, &last, sizeof last);
  }
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::decode10(Poly& out, const uint8_t* bytes) {
  // Number k of four begins at bit 2·k of byte k: two bytes hold it, and a product moves it to the upper ten bits.
  const Vector order = _mm256_setr_epi8(0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9,  //
                                        6, 7, 7, 8, 8, 9, 9, 10, 11, 12, 12, 13, 13, 14, 14, 15);
  const Vector shift = _mm256_set1_epi64x(64 | 16LL << 16 | 4LL << 32 | 1LL << 48);
  for (size_t i = 0; i < kVectors; i++, bytes += 20) {
    const Vector words = _mm256_shuffle_epi8(load_halves(bytes, bytes + 4), order);
    const Vector upper = _mm256_srli_epi16(_mm256_mullo_epi16(words, shift), 1);
    const Vector y = _mm256_and_si256(upper, _mm256_set1_epi16(0x3ff << 5));
    store(out, i, _mm256_mulhrs_epi16(y, _mm256_set1_epi16(kQ)));  // (2^5·y·q + 2^14) / 2^15
  }
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::encode4(uint8_t* out, const Poly& poly) {
  for (size_t i = 0; i < kVectors; i += 4, out += 32) {
    // Four vectors of eight bytes each, in the lowest byte of 32 bits; packing takes the halves in turns.
    const Vector first = _mm256_packus_epi32(compress_pairs<4>(load(poly, i)), compress_pairs<4>(load(poly, i + 1)));
    const Vector second =
        _mm256_packus_epi32(compress_pairs<4>(load(poly, i + 2)), compress_pairs<4>(load(poly, i + 3)));
    const Vector packed = _mm256_packus_epi16(first, second);
    const Vector ordered = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256(reinterpret_cast<Vector*>(out), ordered);
  }
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::decode4(Poly& out, const uint8_t* bytes) {
  for (size_t i = 0; i < kVectors; i++) {
    const __m128i pairs = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + 8 * i));
    const __m128i numbers = _mm_unpacklo_epi8(pairs, _mm_srli_epi16(pairs, 4));
    const Vector y = _mm256_and_si256(_mm256_cvtepu8_epi16(numbers), _mm256_set1_epi16(0x0f));
    store(out, i, _mm256_mulhrs_epi16(_mm256_slli_epi16(y, 11), _mm256_set1_epi16(kQ)));  // (2^11·y·q + 2^14) / 2^15
  }
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::encode1(uint8_t* out, const Poly& poly) {
  // Compress_1 is 1 for those that are nearer to q/2 than to 0 or q: from (q+3)/4 to (3q-1)/4.
  const Vector under = _mm256_set1_epi16((kQ + 3) / 4 - 1), above = _mm256_set1_epi16((3 * kQ + 1) / 4);
  for (size_t i = 0; i < kVectors; i += 2, out += 4) {
    const Vector a = canonical(load(poly, i)), b = canonical(load(poly, i + 1));
    const Vector ones_a = _mm256_and_si256(_mm256_cmpgt_epi16(a, under), _mm256_cmpgt_epi16(above, a));
    const Vector ones_b = _mm256_and_si256(_mm256_cmpgt_epi16(b, under), _mm256_cmpgt_epi16(above, b));
    const Vector ones = _mm256_permute4x64_epi64(_mm256_packs_epi16(ones_a, ones_b), 0b11011000);
    const int bits = _mm256_movemask_epi8(ones);
    std::memcpy(out, &bits, sizeof bits);
  }
}

[[gnu::target("avx2")]] void Avx2MlKemEngine::decode1(Poly& out, const uint8_t* bytes) {
  const Vector places = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, -32768);
  for (size_t i = 0; i < kVectors; i++) {
    int16_t bits;
    std::memcpy(&bits, bytes + 2 * i, sizeof bits);
    const Vector ones = _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_set1_epi16(bits), places), places);
    store(out, i, _mm256_and_si256(ones, _mm256_set1_epi16(decompress(1, 1))));
  }
}

[[gnu::target("avx2")]] uint64_t Avx2MlKemEngine::difference(const uint8_t* a, const uint8_t* b) {
  static_assert(kMlKem768CiphertextSize % 32 == 0);
  Vector difference = _mm256_setzero_si256();
  for (size_t i = 0; i < kMlKem768CiphertextSize; i += 32) {
    difference = _mm256_or_si256(difference, _mm256_xor_si256(load256(a + i), load256(b + i)));
  }
  const int same = _mm256_testz_si256(difference, difference);
  return 1 ^ static_cast<uint64_t>(static_cast<unsigned>(same));
}

}  // namespace quoll::crypto
