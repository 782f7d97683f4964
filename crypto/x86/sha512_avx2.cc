// SHA-384 and SHA-512 (RFC 6234 §6.4): rounds in general registers with BMI2, the message schedule in AVX2.
//
// Two blocks go together. Each 256-bit register holds two schedule words of the first block (low lane) and the same two
// of the second (high lane), so every vector instruction of the schedule serves both blocks; there is no cross-lane
// step. The sums of schedule words and round constants pass through memory to the scalar rounds: the first block's
// rounds run in the shadow of the schedule, the second's follow on sums that are all there already.
#include <immintrin.h>

#include "crypto/sha2.h"
#include "crypto/x86/sha2.h"

namespace quoll::crypto {
namespace {

constexpr size_t kBlock = 128;
constexpr size_t kRounds = 80;
constexpr const auto& kConstants = sha2::Sha<uint64_t>::kConstants;

/// Schedule word plus constant of the round: pair i holds rounds 2i and 2i + 1 of the first block, then of the second.
struct alignas(32) Sums {
  uint64_t pair[kRounds / 2][4];
};

using Schedule = __m256i[8];  // a ring of sixteen words of each block, two to a register

template <int bits>
__attribute__((target("avx2"), always_inline)) inline __m256i rotate_right(__m256i x) {
  return _mm256_xor_si256(_mm256_srli_epi64(x, bits), _mm256_slli_epi64(x, 64 - bits));
}

__attribute__((target("avx2"), always_inline)) inline __m256i small_sigma0(__m256i x) {
  const __m256i by_a_byte = _mm256_setr_epi8(1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8,  //
                                             1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8);
  const __m256i rotated_8 = _mm256_shuffle_epi8(x, by_a_byte);
  return _mm256_xor_si256(_mm256_xor_si256(rotate_right<1>(x), rotated_8), _mm256_srli_epi64(x, 7));
}

__attribute__((target("avx2"), always_inline)) inline __m256i small_sigma1(__m256i x) {
  return _mm256_xor_si256(_mm256_xor_si256(rotate_right<19>(x), rotate_right<61>(x)), _mm256_srli_epi64(x, 6));
}

/// Makes the pair of words at i those of sixteen rounds later.
template <size_t i>
__attribute__((target("avx2"), always_inline)) inline void extend(Schedule& w) {
  const __m256i fifteen_before = _mm256_alignr_epi8(w[(i + 1) % 8], w[i], 8);
  const __m256i seven_before = _mm256_alignr_epi8(w[(i + 5) % 8], w[(i + 4) % 8], 8);
  w[i] = _mm256_add_epi64(_mm256_add_epi64(w[i], seven_before),
                          _mm256_add_epi64(small_sigma0(fifteen_before), small_sigma1(w[(i + 7) % 8])));
}

/// The pair of both blocks, most significant byte first.
__attribute__((target("avx2"), always_inline)) inline __m256i load_pair(const uint8_t* first, const uint8_t* second) {
  const __m256i swap_bytes = _mm256_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8,  //
                                              7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(second));
  return _mm256_shuffle_epi8(_mm256_set_m128i(high, low), swap_bytes);
}

__attribute__((target("avx2"), always_inline)) inline void store_sum(uint64_t* sum, __m256i words,
                                                                     const uint64_t* constants) {
  const __m256i k = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(constants)));
  _mm256_store_si256(reinterpret_cast<__m256i*>(sum), _mm256_add_epi64(words, k));
}

/// The working variables (RFC 6234 §6.4). Round t of sixteen finds variable number i at v[(i - t) mod 8], so nothing
/// moves.
///
/// A round's e is ready at once, its a only half-way: T2 is added during the next round, because the chain of e is the
/// longer one and the processor prefers older instructions. `b_xor_c` is the next T2's; it is the T2 before's a xor b.
struct Working {
  uint64_t v[8];
  uint64_t b_xor_c;
};

/// T1 of round t, then T2 of the round before it.
template <size_t t>
__attribute__((target("bmi,bmi2"), always_inline)) inline void round(Working& s, const uint64_t& sum) {
  uint64_t sigma, other, a_xor_b;
  // The order is the fastest of a few hundred that were measured on Zen 3. Until T2's own turn a_xor_b serves the
  // choice of e, f and g.
  __asm__(
      "movq %[e], %[a_xor_b]\n\t"
      "andq %[f], %[a_xor_b]\n\t"
      "rorxq $18, %[e], %[other]\n\t"
      "rorxq $41, %[e], %[sigma]\n\t"
      "addq %[sum], %[h]\n\t"
      "xorq %[other], %[sigma]\n\t"
      "addq %[a_xor_b], %[h]\n\t"
      "rorxq $14, %[e], %[other]\n\t"
      "andnq %[g], %[e], %[a_xor_b]\n\t"
      "xorq %[other], %[sigma]\n\t"
      "addq %[a_xor_b], %[h]\n\t"
      "addq %[sigma], %[h]\n\t"
      "movq %[b], %[a_xor_b]\n\t"
      "rorxq $39, %[b], %[sigma]\n\t"
      "xorq %[c], %[a_xor_b]\n\t"
      "addq %[h], %[d]\n\t"
      "rorxq $34, %[b], %[other]\n\t"
      "andq %[a_xor_b], %[b_xor_c]\n\t"
      "xorq %[other], %[sigma]\n\t"
      "rorxq $28, %[b], %[other]\n\t"
      "xorq %[c], %[b_xor_c]\n\t"
      "xorq %[other], %[sigma]\n\t"
      "addq %[sigma], %[a]\n\t"
      "addq %[b_xor_c], %[a]"
      : [h] "+&r"(s.v[(7 - t) % 8]), [d] "+&r"(s.v[(3 - t) % 8]), [a] "+&r"(s.v[(0 - t) % 8]),
        [b_xor_c] "+&r"(s.b_xor_c), [sigma] "=&r"(sigma), [other] "=&r"(other), [a_xor_b] "=&r"(a_xor_b)
      : [b] "r"(s.v[(1 - t) % 8]), [c] "r"(s.v[(2 - t) % 8]), [e] "r"(s.v[(4 - t) % 8]), [f] "r"(s.v[(5 - t) % 8]),
        [g] "r"(s.v[(6 - t) % 8]), [sum] "m"(sum)
      : "cc");
  s.b_xor_c = a_xor_b;
}

__attribute__((always_inline)) inline uint64_t second_sum(uint64_t a, uint64_t b, uint64_t b_xor_c) {
  return (std::rotr(a, 28) ^ std::rotr(a, 34) ^ std::rotr(a, 39)) + (b ^ ((a ^ b) & b_xor_c));
}

__attribute__((always_inline)) inline void begin(Working& s, const uint64_t* chaining) {
  for (size_t i = 0; i < 8; i++) s.v[i] = chaining[i];
  s.b_xor_c = s.v[2] ^ s.v[3];
  s.v[0] -= second_sum(s.v[1], s.v[2], s.b_xor_c);  // which the first round will add
}

__attribute__((always_inline)) inline void end(Working& s, uint64_t* chaining) {
  s.v[0] += second_sum(s.v[1], s.v[2], s.b_xor_c);
  for (size_t i = 0; i < 8; i++) chaining[i] += ct::barrier(s.v[i]);
}

/// Rounds 16n to 16n + 15 of the first block while the schedule goes from there to sixteen rounds later.
template <size_t... i>
__attribute__((target("avx2,bmi,bmi2"), always_inline)) inline void rounds_and_schedule(Working& s, Schedule& w,
                                                                                        uint64_t (*sums)[4],
                                                                                        const uint64_t* next_constants,
                                                                                        std::index_sequence<i...>) {
  ((extend<i>(w), store_sum(sums[8 + i], w[i], next_constants + 2 * i),  //
    round<2 * i>(s, sums[i][0]), round<2 * i + 1>(s, sums[i][1])),
   ...);
}

template <size_t... i>
__attribute__((target("bmi,bmi2"), always_inline)) inline void rounds(Working& s, const uint64_t (*sums)[4],
                                                                      size_t block, std::index_sequence<i...>) {
  ((round<2 * i>(s, sums[i][block * 2]), round<2 * i + 1>(s, sums[i][block * 2 + 1])), ...);
}

/// Two blocks; or one, when `second` is `first` and only_first is set.
__attribute__((target("avx2,bmi,bmi2"))) void compress(uint64_t* chaining, const uint8_t* first, const uint8_t* second,
                                                       bool only_first, Sums& sums) {
  constexpr auto kEight = std::make_index_sequence<8>{};
  Schedule w;
  for (size_t i = 0; i < 8; i++) {
    w[i] = load_pair(first + 16 * i, second + 16 * i);
    store_sum(sums.pair[i], w[i], kConstants.data() + 2 * i);
  }
  Working s;
  begin(s, chaining);
  for (size_t t = 0; t < kRounds - 16; t += 16) {
    rounds_and_schedule(s, w, sums.pair + t / 2, kConstants.data() + t + 16, kEight);
  }
  rounds(s, sums.pair + kRounds / 2 - 8, 0, kEight);
  end(s, chaining);
  if (only_first) return;

  begin(s, chaining);
  for (size_t t = 0; t < kRounds; t += 16) rounds(s, sums.pair + t / 2, 1, kEight);
  end(s, chaining);
}

void blocks(HashState& state, const uint8_t* data, size_t count) {
  uint64_t* chaining = sha2::words<uint64_t>(state);
  Sums sums;
  for (; count >= 2; count -= 2, data += 2 * kBlock) compress(chaining, data, data + kBlock, false, sums);
  if (count) compress(chaining, data, data, true, sums);
  ct::wipe(sums);
}

}  // namespace

constexpr HashAlgorithm kSha384Avx2{
    {.implementation = "avx2", .tier = cpu::Tier::avx2, .needs = cpu::kAvx2 | cpu::kBmi2},
    HashId::sha384,
    "SHA-384",
    48,
    kBlock,
    sha2::init<sha2::kInitial384>,
    blocks,
    sha2::finish<uint64_t, 48, blocks>,
    8 * sizeof(uint64_t),
};

constexpr HashAlgorithm kSha512Avx2{
    {.implementation = "avx2", .tier = cpu::Tier::avx2, .needs = cpu::kAvx2 | cpu::kBmi2},
    HashId::sha512,
    "SHA-512",
    64,
    kBlock,
    sha2::init<sha2::kInitial512>,
    blocks,
    sha2::finish<uint64_t, 64, blocks>,
    8 * sizeof(uint64_t),
};

}  // namespace quoll::crypto
