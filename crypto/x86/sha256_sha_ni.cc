// SHA-256 (RFC 6234 §6.2) with the SHA extensions.
//
// sha256rnds2 does two rounds on the working variables held as (a, b, e, f) and (c, d, g, h), the higher lane first;
// after it the two registers have changed roles. sha256msg1 and sha256msg2 extend the message schedule by four words,
// all but the term w[t - 7], which an unaligned read across two registers supplies. The chain of sha256rnds2 is the
// critical path; everything else fits in its shadow.
#include <immintrin.h>

#include "crypto/sha2.h"
#include "crypto/x86/sha2.h"

namespace quoll::crypto {
namespace {

struct Schedule {
  __m128i w[4];  // a ring of sixteen words, four to a register
};

/// Rounds 4 * group to 4 * group + 3; makes the register of the group's words those of sixteen rounds later.
template <size_t group>
__attribute__((target("sha,sse4.1"), always_inline)) inline void four_rounds(__m128i& abef, __m128i& cdgh,
                                                                             Schedule& s) {
  constexpr size_t i = group % 4;
  const __m128i k = _mm_load_si128(reinterpret_cast<const __m128i*>(&sha2::Sha<uint32_t>::kConstants[4 * group]));
  const __m128i sum = _mm_add_epi32(s.w[i], k);
  cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
  abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
  if constexpr (group < 12) {
    const __m128i seven_before = _mm_alignr_epi8(s.w[(i + 3) % 4], s.w[(i + 2) % 4], 4);
    const __m128i partial = _mm_add_epi32(_mm_sha256msg1_epu32(s.w[i], s.w[(i + 1) % 4]), seven_before);
    s.w[i] = _mm_sha256msg2_epu32(partial, s.w[(i + 3) % 4]);
  }
}

template <size_t... group>
__attribute__((target("sha,sse4.1"), always_inline)) inline void all_rounds(__m128i& abef, __m128i& cdgh, Schedule& s,
                                                                            std::index_sequence<group...>) {
  (four_rounds<group>(abef, cdgh, s), ...);
}

__attribute__((target("sha,sse4.1"))) void blocks(HashState& state, const uint8_t* data, size_t count) {
  const __m128i swap_bytes = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  auto* words = reinterpret_cast<__m128i*>(state.bytes.data());

  // From (d, c, b, a) and (h, g, f, e), highest lane first, to (a, b, e, f) and (c, d, g, h).
  const __m128i cdab = _mm_shuffle_epi32(_mm_load_si128(words), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(_mm_load_si128(words + 1), 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

  for (; count > 0; count--, data += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    const auto* message = reinterpret_cast<const __m128i*>(data);
    Schedule schedule;
    for (size_t i = 0; i < 4; i++) schedule.w[i] = _mm_shuffle_epi8(_mm_loadu_si128(message + i), swap_bytes);
    all_rounds(abef, cdgh, schedule, std::make_index_sequence<16>{});
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }

  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_store_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_store_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

}  // namespace

constexpr HashAlgorithm kSha256ShaNi{
    {.implementation = "sha-ni", .tier = cpu::Tier::aesni, .needs = cpu::kShaNi | cpu::kSse41 | cpu::kSsse3},
    HashId::sha256,
    "SHA-256",
    32,
    64,
    sha2::init<sha2::kInitial256>,
    blocks,
    sha2::finish<uint32_t, 32, blocks>,
    8 * sizeof(uint32_t),
};

}  // namespace quoll::crypto
