// Poly1305 (RFC 8439 §2.5) in portable C++: the accumulator in two arithmetics, and the message rules over either.
//
// The accumulator h is an integer modulo p = 2^130 - 5. Absorbing a block m (with its bit 2^128, or 2^(8 size) for a
// short last block) makes h = (h + m) r. Because r is clamped, products stay small enough to be reduced lazily; only
// finish() brings h below p. Poly1305Limbs64 is for hosts that multiply 64 by 64 bits, Poly1305Limbs26 for all others.
// Constant-time.
#pragma once

#include "base/bytes.h"
#include "crypto/ct.h"
#include "crypto/poly1305.h"

namespace quoll::crypto {

// The clamp of r (RFC 8439 §2.5), as two 64-bit words.
inline constexpr uint64_t kPoly1305ClampLow = 0x0ffffffc0fffffff;
inline constexpr uint64_t kPoly1305ClampHigh = 0x0ffffffc0ffffffc;

/// tag = (h + s) mod 2^128, for h < 2^130 + 2^66 in three words (the third holds what is above 2^128).
inline void poly1305_tag(const uint64_t h[3], const uint8_t* s, uint8_t* tag) {
  // h >= p exactly when h + 5 >= 2^130, and then h - p = h + 5 - 2^130: below 2^128 that is h + 5. h < 2 p.
  const uint64_t g0 = h[0] + 5;
  const uint64_t g1 = h[1] + (g0 < 5);
  const uint64_t g2 = h[2] + (g1 < (g0 < 5));
  const uint64_t above = ct::mask_nonzero(g2 >> 2);
  const uint64_t low = ct::select(above, g0, h[0]), high = ct::select(above, g1, h[1]);
  const uint64_t tag_low = low + load_le<uint64_t>(s);
  store_le<uint64_t>(tag, tag_low);
  store_le<uint64_t>(tag + 8, high + load_le<uint64_t>(s + 8) + (tag_low < low));
}

#ifdef __SIZEOF_INT128__
__extension__ using u128 = unsigned __int128;

/// h in words of 64, 64 and few bits. Between blocks: h[2] <= 4, so h < 2^130 + 2^128.
class Poly1305Limbs64 {
 public:
  static constexpr std::string_view kName = "portable";

  void set_r(const uint8_t* r) {
    r0_ = load_le<uint64_t>(r) & kPoly1305ClampLow;
    r1_ = load_le<uint64_t>(r + 8) & kPoly1305ClampHigh;
    s1_ = r1_ + (r1_ >> 2);
  }

  /// `top` is the block's 2^128 bit: 0 or 1.
  void absorb(const uint8_t* block, uint32_t top) {
    const u128 a0 = u128{h_[0]} + load_le<uint64_t>(block);
    const u128 a1 = u128{h_[1]} + load_le<uint64_t>(block + 8) + static_cast<uint64_t>(a0 >> 64);
    const uint64_t h0 = static_cast<uint64_t>(a0), h1 = static_cast<uint64_t>(a1);
    const uint64_t h2 = h_[2] + static_cast<uint64_t>(a1 >> 64) + top;  // <= 6
    // r0, r1 < 2^60 and s1 < 2^60.4: each sum is below 2^126. r1 is a multiple of 4, and 2^128 r1 = 5 (r1/4) = s1 mod
    // p.
    const u128 d0 = u128{h0} * r0_ + u128{h1} * s1_;
    const u128 d1 = u128{h0} * r1_ + u128{h1} * r0_ + h2 * s1_ + static_cast<uint64_t>(d0 >> 64);  // h2 s1 < 2^64
    const uint64_t d2 = h2 * r0_ + static_cast<uint64_t>(d1 >> 64);                                // < 2^63.5
    const u128 c0 = u128{static_cast<uint64_t>(d0)} + (d2 & ~uint64_t{3}) + (d2 >> 2);             // 5 (d2 / 4)
    const u128 c1 = u128{static_cast<uint64_t>(d1)} + static_cast<uint64_t>(c0 >> 64);
    h_[0] = static_cast<uint64_t>(c0);
    h_[1] = static_cast<uint64_t>(c1);
    h_[2] = (d2 & 3) + static_cast<uint64_t>(c1 >> 64);
  }

  void finish(const uint8_t* s, uint8_t* tag) {
    // Folds what is above 2^130 once more: then h < 2^130 + 5.
    const uint64_t fold = 5 * (h_[2] >> 2);
    const u128 c0 = u128{h_[0]} + fold;
    const u128 c1 = u128{h_[1]} + static_cast<uint64_t>(c0 >> 64);
    h_[0] = static_cast<uint64_t>(c0);
    h_[1] = static_cast<uint64_t>(c1);
    h_[2] = (h_[2] & 3) + static_cast<uint64_t>(c1 >> 64);
    poly1305_tag(h_, s, tag);
  }

 private:
  uint64_t r0_, r1_, s1_;
  uint64_t h_[3] = {};
};
#endif

/// h in five limbs of 26 bits. Between blocks: limbs below 2^26, but the second below 2^26 + 2^8.
class Poly1305Limbs26 {
 public:
  static constexpr std::string_view kName = "portable-26";

  void set_r(const uint8_t* r) {
    split(load_le<uint64_t>(r) & kPoly1305ClampLow, load_le<uint64_t>(r + 8) & kPoly1305ClampHigh, 0, r_);
  }

  void absorb(const uint8_t* block, uint32_t top) {
    uint32_t h[5];
    split(load_le<uint64_t>(block), load_le<uint64_t>(block + 8), top, h);
    for (size_t i = 0; i < 5; i++) h[i] += h_[i];  // < 2^27 + 2^8
    // d[k] is the sum of h[i] r[j] over i + j = k, and of 5 h[i] r[j] over i + j = k + 5. Each is below
    // 5 * 2^27.01 * 5 * 2^26 < 2^58.
    uint64_t d[5] = {};
    for (size_t i = 0; i < 5; i++) {
      for (size_t j = 0; j < 5; j++) {
        const uint32_t r = i + j < 5 ? r_[j] : 5 * r_[j];
        d[(i + j) % 5] += uint64_t{h[i]} * r;
      }
    }
    uint64_t carry = 0;
    for (size_t i = 0; i < 5; i++) {
      d[i] += carry;
      carry = d[i] >> 26;  // < 2^33
      h_[i] = static_cast<uint32_t>(d[i]) & kMask;
    }
    carry = h_[0] + 5 * carry;  // < 2^36
    h_[0] = static_cast<uint32_t>(carry) & kMask;
    h_[1] += static_cast<uint32_t>(carry >> 26);  // adds less than 2^10
  }

  void finish(const uint8_t* s, uint8_t* tag) {
    // Two rounds of carries: after the first the top limb's carry is at most 1, after the second all limbs are below
    // 2^26 but perhaps h[0], by less than 5.
    for (int round = 0; round < 2; round++) {
      uint32_t carry = 0;
      for (size_t i = 0; i < 5; i++) {
        h_[i] += carry;
        carry = h_[i] >> 26;
        h_[i] &= kMask;
      }
      h_[0] += 5 * carry;
    }
    // Into words, with additions because h[0] may have a 27th bit.
    uint64_t h[3] = {};
    h[0] = h_[0] + (uint64_t{h_[1]} << 26);
    const uint64_t low = h[0];
    h[0] += uint64_t{h_[2]} << 52;
    h[1] = (h_[2] >> 12) + (uint64_t{h_[3]} << 14) + (h[0] < low);
    const uint64_t high = h[1];
    h[1] += uint64_t{h_[4]} << 40;
    h[2] = (h_[4] >> 24) + (h[1] < high);
    poly1305_tag(h, s, tag);
  }

 private:
  static constexpr uint32_t kMask = (1u << 26) - 1;

  static void split(uint64_t low, uint64_t high, uint32_t top, uint32_t out[5]) {
    out[0] = static_cast<uint32_t>(low) & kMask;
    out[1] = static_cast<uint32_t>(low >> 26) & kMask;
    out[2] = static_cast<uint32_t>(low >> 52 | high << 12) & kMask;
    out[3] = static_cast<uint32_t>(high >> 14) & kMask;
    out[4] = static_cast<uint32_t>(high >> 40) | top << 24;
  }

  uint32_t r_[5];
  uint32_t h_[5] = {};
};

#ifdef __SIZEOF_INT128__
using Poly1305Limbs = Poly1305Limbs64;
#else
using Poly1305Limbs = Poly1305Limbs26;
#endif

/// The authenticator over either arithmetic; wiped on destruction. A message is absorbed in parts of whole blocks; the
/// last part of a MAC may end in a short block, and the AEAD's parts are padded with zeros (RFC 8439 §2.8).
template <class Limbs>
class Poly1305Mac {
 public:
  explicit Poly1305Mac(const uint8_t* key) {
    limbs_.set_r(key);
    std::memcpy(s_, key + 16, 16);
  }
  Poly1305Mac(const Poly1305Mac&) = delete;
  Poly1305Mac& operator=(const Poly1305Mac&) = delete;
  ~Poly1305Mac() {
    ct::wipe(limbs_);
    ct::wipe(s_);
  }

  void absorb(Bytes part) { absorb_ending(part, 1); }

  void absorb_padded(Bytes part) { absorb_ending(part, 0); }

  void finish(uint8_t* tag) { limbs_.finish(s_, tag); }

 private:
  /// A short last block is followed by a byte `end` and zeros: with 1 it is a MAC's last block, whose bit 2^128 is then
  /// not set; with 0 it is a padded one, whose bit is.
  void absorb_ending(Bytes part, uint8_t end) {
    size_t at = 0;
    for (; part.size() - at >= kPoly1305BlockSize; at += kPoly1305BlockSize) limbs_.absorb(part.data() + at, 1);
    if (at == part.size()) return;
    uint8_t block[kPoly1305BlockSize] = {};
    copy_bytes(block, part.subspan(at));
    block[part.size() - at] = end;
    limbs_.absorb(block, 1u - end);
    ct::wipe(block);
  }

  Limbs limbs_;
  uint8_t s_[16];
};

}  // namespace quoll::crypto
