// ChaCha20-Poly1305 for SSSE3: four keystream blocks at a time, Poly1305 in portable C++.
#define QUOLL_TARGET "ssse3"
#include "crypto/portable/poly1305.h"
#include "crypto/x86/chacha20.h"
#include "crypto/x86/chacha20_lanes.inc.h"
#include "crypto/x86/chacha20_train.inc.h"

namespace quoll::crypto {
namespace {

struct Ssse3Lanes {
  using T = __m128i;
  static constexpr size_t kLanes = 4;

  QUOLL_INLINE T load(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
  QUOLL_INLINE void store(void* to, T value) { _mm_storeu_si128(static_cast<__m128i*>(to), value); }
  QUOLL_INLINE T broadcast(uint32_t word) { return _mm_set1_epi32(static_cast<int>(word)); }
  QUOLL_INLINE T add(T a, T b) { return _mm_add_epi32(a, b); }
  QUOLL_INLINE T exclusive_or(T a, T b) { return _mm_xor_si128(a, b); }

  template <int kBits>
  QUOLL_INLINE T rotate(T x) {
    if constexpr (kBits == 16) {
      return _mm_shuffle_epi8(x, _mm_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2));
    } else if constexpr (kBits == 8) {
      return _mm_shuffle_epi8(x, _mm_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3));
    } else {
      return _mm_or_si128(_mm_slli_epi32(x, kBits), _mm_srli_epi32(x, 32 - kBits));
    }
  }

  template <class Work>
  QUOLL_INLINE void rounds(T (&rows)[16], Work&) {
    plain_rounds<Ssse3Lanes>(rows);
  }

  QUOLL_INLINE void transpose(const T (&row)[4], T (&out)[4]) {
    const T low01 = _mm_unpacklo_epi32(row[0], row[1]), high01 = _mm_unpackhi_epi32(row[0], row[1]);
    const T low23 = _mm_unpacklo_epi32(row[2], row[3]), high23 = _mm_unpackhi_epi32(row[2], row[3]);
    out[0] = _mm_unpacklo_epi64(low01, low23);
    out[1] = _mm_unpackhi_epi64(low01, low23);
    out[2] = _mm_unpacklo_epi64(high01, high23);
    out[3] = _mm_unpackhi_epi64(high01, high23);
  }

  QUOLL_INLINE void store_blocks(const T (&quarter)[4], uint8_t* out) {
    for (size_t i = 0; i < 4; i++) store(out + 16 * i, quarter[i]);
  }
};

/// The portable accumulator as a Mac of a train.
class Limbs64Mac {
 public:
  void set_key(const uint8_t* key) {
    limbs_ = {};
    limbs_.set_r(key);
    std::memcpy(s_, key + 16, sizeof s_);
  }
  void absorb(const uint8_t* blocks, size_t count) {
    for (; count > 0; count--, blocks += kPoly1305BlockSize) limbs_.absorb(blocks, 1);
  }
  void absorb_short(const uint8_t* block) { limbs_.absorb(block, 0); }
  void finish(uint8_t* tag) { limbs_.finish(s_, tag); }

 private:
  Poly1305Limbs64 limbs_;
  uint8_t s_[16];
};

struct Ssse3Engine {
  using Vector = Ssse3Lanes;
  using Mac = Limbs64Mac;
  using Work = Idle;
};

using Functions = ChaCha20Poly1305Functions<Ssse3Engine>;
constexpr Implementation kSsse3{"ssse3", cpu::Tier::aesni, cpu::kSsse3};

}  // namespace

constinit const Aead kChaCha20Poly1305Ssse3 = Functions::aead(kSsse3);
constinit const HeaderProtection kHeaderChaCha20Ssse3 = Functions::header_protection(kSsse3);
constinit const ChaCha20 kChaCha20Ssse3{kSsse3, Functions::apply};

}  // namespace quoll::crypto

#undef QUOLL_TARGET
