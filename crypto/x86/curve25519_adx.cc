#include <immintrin.h>

#include "crypto/portable/curve25519_tables.h"
#include "crypto/x86/curve25519.h"
#include "crypto/x86/field25519_adx.h"
#include "crypto/x86/x25519_ladders.h"

namespace quoll::crypto {
namespace {

struct Field : FieldAdx {
  /// row[magnitude - 1], and all zeros for magnitude 0; magnitude <= 16. Reads the whole row, an entry in three
  /// registers.
  [[gnu::target("avx2")]] static void lookup(uint64_t out[12], const Edwards25519Entry* row, uint64_t magnitude) {
    const __m256i wanted = _mm256_set1_epi64x(static_cast<long long>(magnitude)), one = _mm256_set1_epi64x(1);
    __m256i index = _mm256_setzero_si256();
    __m256i found0 = index, found1 = index, found2 = index;
    for (int j = 0; j < kEdwards25519Multiples; j++) {
      index = _mm256_add_epi64(index, one);
      const __m256i mask = _mm256_cmpeq_epi64(index, wanted);
      const auto* words = reinterpret_cast<const __m256i*>(row[j].words);
      found0 = _mm256_or_si256(found0, _mm256_and_si256(mask, _mm256_load_si256(words)));
      found1 = _mm256_or_si256(found1, _mm256_and_si256(mask, _mm256_load_si256(words + 1)));
      found2 = _mm256_or_si256(found2, _mm256_and_si256(mask, _mm256_load_si256(words + 2)));
    }
    auto* to = reinterpret_cast<__m256i*>(out);
    _mm256_storeu_si256(to, found0);
    _mm256_storeu_si256(to + 1, found1);
    _mm256_storeu_si256(to + 2, found2);
  }
};

constexpr cpu::Features kNeeds = cpu::kAvx2 | cpu::kBmi2 | cpu::kAdx;

constexpr Group x25519(const Implementation& implementation, decltype(Group::agree) agree) {
  return {implementation, GroupId::x25519, "X25519", 32, 32, 32, X25519<Field>::public_key, agree};
}

}  // namespace

constinit const Group kX25519Ifma =
    x25519({.implementation = "ifma", .tier = cpu::Tier::avx512, .needs = kNeeds | cpu::kAvx512 | cpu::kAvx512Ifma},
           x25519_agree_ifma);
constinit const Group kX25519Avx2 =
    x25519({.implementation = "avx2", .tier = cpu::Tier::avx2, .needs = kNeeds}, x25519_agree_avx2);
constinit const Ed25519 kEd25519Adx =
    make_ed25519<Field>({.implementation = "adx", .tier = cpu::Tier::avx2, .needs = kNeeds});

}  // namespace quoll::crypto
