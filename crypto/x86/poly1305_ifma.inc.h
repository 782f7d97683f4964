// Poly1305 (RFC 8439 §2.5) eight blocks at a time, with multiplications of 52 by 52 bits (AVX-512 IFMA).
//
// Integers modulo p = 2^130 - 5 are three limbs of 44, 44 and 42 bits; lane j of a vector works on every eighth block
// with r^8, and at the end of a run multiplies by its own power of r, whereupon the lanes are added. Between runs the
// accumulator is a MulxMac's, which also takes runs too short for vectors. With 2^132 = 20 mod p:
//     d0 = h0 r0 + h1 s2 + h2 s1,  d1 = h0 r1 + h1 r0 + h2 s2,  d2 = h0 r2 + h1 r1 + h2 r0,  s = 20 r.
// Limb bounds: after a multiplication h0 < 2^44, h1 < 2^44 + 2^8, h2 < 2^42; with a block added h < 2^45, 2^45, 2^43.
// Powers of r: the bounds after a multiplication, so s < 2^48.5. Constant-time.
//
// Wide, the vector of eight 64-bit lanes, is a parameter so that the tests run this code on processors without IFMA.
#pragma once

#include "crypto/x86/poly1305_mulx.h"

namespace quoll::crypto {
namespace {

constexpr uint64_t kMask44 = (uint64_t{1} << 44) - 1;
constexpr uint64_t kMask42 = (uint64_t{1} << 42) - 1;

/// An integer modulo p in limbs of 44, 44 and 42 bits.
struct Limbs44 {
  uint64_t limb[3];

  /// From words of 64, 64 and few bits.
  static Limbs44 from_words(const uint64_t w[3]) {
    return {{w[0] & kMask44, (w[0] >> 44 | w[1] << 20) & kMask44, w[1] >> 24 | w[2] << 40}};
  }

  /// To words; limbs below 2^52 are allowed.
  void to_words(uint64_t w[3]) const {
    const u128 low = u128{limb[0]} + (u128{limb[1]} << 44);
    const u128 high = (low >> 64) + (u128{limb[2]} << 24);
    w[0] = static_cast<uint64_t>(low);
    w[1] = static_cast<uint64_t>(high);
    w[2] = static_cast<uint64_t>(high >> 64);
  }

  /// Carries limbs that are sums of eight; bounds as after a multiplication.
  void carry() {
    limb[1] += limb[0] >> 44;
    limb[0] &= kMask44;
    limb[2] += limb[1] >> 44;
    limb[1] &= kMask44;
    limb[0] += 5 * (limb[2] >> 42);
    limb[2] &= kMask42;
    limb[1] += limb[0] >> 44;
    limb[0] &= kMask44;
  }

  friend Limbs44 operator*(const Limbs44& a, const Limbs44& b) {
    const uint64_t s1 = 20 * b.limb[1], s2 = 20 * b.limb[2];
    const u128 d0 = u128{a.limb[0]} * b.limb[0] + u128{a.limb[1]} * s2 + u128{a.limb[2]} * s1;
    const u128 d1 = u128{a.limb[0]} * b.limb[1] + u128{a.limb[1]} * b.limb[0] + u128{a.limb[2]} * s2 + (d0 >> 44);
    const u128 d2 =
        u128{a.limb[0]} * b.limb[2] + u128{a.limb[1]} * b.limb[1] + u128{a.limb[2]} * b.limb[0] + (d1 >> 44);
    Limbs44 product{{static_cast<uint64_t>(d0) & kMask44, static_cast<uint64_t>(d1) & kMask44,
                     static_cast<uint64_t>(d2) & kMask42}};
    product.limb[0] += 5 * static_cast<uint64_t>(d2 >> 42);  // < 2^52.5
    product.limb[1] += product.limb[0] >> 44;
    product.limb[0] &= kMask44;
    return product;
  }
};

template <class Wide>
class IfmaMac {
  using T = typename Wide::T;
  static constexpr size_t kLanes = 8;
  // Which block of eight each lane has: Wide::load_blocks unpacks two vectors of four blocks.
  static constexpr size_t kBlockOfLane[kLanes] = {0, 4, 1, 5, 2, 6, 3, 7};
  // From how many blocks on a vector run is faster: with the powers yet to compute, and with them at hand.
  static constexpr size_t kWorthPowers = 32, kWorthVectors = 16;

 public:
  void set_key(const uint8_t* key) {
    scalar_.set_key(key);
    has_powers_ = false;
  }

  void absorb(const uint8_t* blocks, size_t count) {
    if (count >= (has_powers_ ? kWorthVectors : kWorthPowers)) {
      if (!has_powers_) compute_powers();
      const size_t groups = count / kLanes;
      absorb_groups(blocks, groups);
      blocks += groups * kLanes * kPoly1305BlockSize;
      count -= groups * kLanes;
    }
    scalar_.absorb(blocks, count);
  }

  void absorb_short(const uint8_t* block) { scalar_.absorb_short(block); }
  void finish(uint8_t* tag) { scalar_.finish(tag); }

 private:
  /// r and s, for all lanes alike or lane by lane.
  struct Factors {
    uint64_t r[3][kLanes], s1[kLanes], s2[kLanes];

    void set(size_t lane, const Limbs44& power) {
      for (size_t i = 0; i < 3; i++) r[i][lane] = power.limb[i];
      s1[lane] = 20 * power.limb[1];
      s2[lane] = 20 * power.limb[2];
    }
  };

  void compute_powers() {
    Limbs44 powers[kLanes];  // powers[i] = r^(i+1)
    uint64_t r[3];
    scalar_.get_r(r);
    powers[0] = Limbs44::from_words(r);
    for (size_t i = 1; i < kLanes; i++) powers[i] = powers[(i - 1) / 2] * powers[i / 2];
    for (size_t lane = 0; lane < kLanes; lane++) {
      all_.set(lane, powers[kLanes - 1]);
      own_.set(lane, powers[kLanes - 1 - kBlockOfLane[lane]]);
    }
    ct::wipe(powers);
    ct::wipe(r);
    has_powers_ = true;
  }

  QUOLL_INLINE void load_factors(const Factors& factors, T (&r)[5]) {
    for (size_t i = 0; i < 3; i++) r[i] = Wide::load(factors.r[i]);
    r[3] = Wide::load(factors.s1);
    r[4] = Wide::load(factors.s2);
  }

  /// h = h * r, with r = {r0, r1, r2, s1, s2}.
  QUOLL_INLINE void multiply(T (&h)[3], const T (&r)[5]) {
    const T zero = Wide::broadcast(0), mask44 = Wide::broadcast(kMask44), mask42 = Wide::broadcast(kMask42);
    // The factors of h0, h1 and h2 in each sum.
    const T* const factors[3][3] = {{&r[0], &r[4], &r[3]}, {&r[1], &r[0], &r[4]}, {&r[2], &r[1], &r[0]}};
    T low[3] = {zero, zero, zero}, high[3] = {zero, zero, zero};  // low < 3 * 2^52, high < 2^43
    for (size_t j = 0; j < 3; j++) {
      for (size_t i = 0; i < 3; i++) {
        low[i] = Wide::add_low_product(low[i], h[j], *factors[i][j]);
        high[i] = Wide::add_high_product(high[i], h[j], *factors[i][j]);
      }
    }
    // 2^52 is 2^8 in the next limb, and 2^10 above the third.
    const T d1 =
        Wide::add(Wide::add(low[1], Wide::template shift_left<8>(high[0])), Wide::template shift_right<44>(low[0]));
    const T d2 =
        Wide::add(Wide::add(low[2], Wide::template shift_left<8>(high[1])), Wide::template shift_right<44>(d1));
    const T top = Wide::add(Wide::template shift_left<10>(high[2]), Wide::template shift_right<42>(d2));  // < 2^49
    const T five_top = Wide::add(top, Wide::template shift_left<2>(top));
    const T h0 = Wide::add(Wide::bit_and(low[0], mask44), five_top);  // < 2^52
    h[0] = Wide::bit_and(h0, mask44);
    h[1] = Wide::add(Wide::bit_and(d1, mask44), Wide::template shift_right<44>(h0));
    h[2] = Wide::bit_and(d2, mask42);
  }

  /// h += eight blocks with their bits 2^128.
  QUOLL_INLINE void add_blocks(T (&h)[3], const uint8_t* blocks) {
    const T mask44 = Wide::broadcast(kMask44);
    T low, high;
    Wide::load_blocks(blocks, low, high);
    const T middle = Wide::bit_or(Wide::template shift_right<44>(low), Wide::template shift_left<20>(high));
    const T top = Wide::bit_or(Wide::template shift_right<24>(high), Wide::broadcast(uint64_t{1} << 40));
    h[0] = Wide::add(h[0], Wide::bit_and(low, mask44));
    h[1] = Wide::add(h[1], Wide::bit_and(middle, mask44));
    h[2] = Wide::add(h[2], top);
  }

  __attribute__((target(QUOLL_TARGET))) void absorb_groups(const uint8_t* blocks, size_t groups) {
    uint64_t words[3];
    scalar_.get_accumulator(words);
    Limbs44 accumulator = Limbs44::from_words(words);
    T h[3], r[5];
    for (size_t i = 0; i < 3; i++) h[i] = Wide::first_lane(accumulator.limb[i]);  // block 0 is lane 0's
    load_factors(all_, r);
    add_blocks(h, blocks);
    for (size_t group = 1; group < groups; group++) {
      multiply(h, r);
      add_blocks(h, blocks + group * kLanes * kPoly1305BlockSize);
    }
    load_factors(own_, r);
    multiply(h, r);
    for (size_t i = 0; i < 3; i++) {
      uint64_t lanes[kLanes];
      Wide::store(lanes, h[i]);
      accumulator.limb[i] = 0;
      for (const uint64_t lane : lanes) accumulator.limb[i] += lane;
    }
    accumulator.carry();
    accumulator.to_words(words);
    scalar_.set_accumulator(words);
  }

  MulxMac scalar_;
  bool has_powers_;
  Factors all_;  // r^8 in all lanes
  Factors own_;  // r^8 for the lane of block 0, down to r for the lane of block 7
};

}  // namespace
}  // namespace quoll::crypto
