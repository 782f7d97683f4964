// Poly1305 (RFC 8439 §2.5) with 64-bit multiplications, one block after the other, in BMI2 assembly.
//
// The arithmetic is that of Poly1305Limbs64 in crypto/portable/poly1305.h: h in words of 64, 64 and few bits, h[2] <= 4
// between blocks; r clamped; s1 = 5 r1 / 4. It uses no vector register, so that a MulxWork runs in the shadow of
// ChaCha20's vector rounds. Constant-time.
#pragma once

#include "crypto/portable/poly1305.h"

namespace quoll::crypto {
namespace {

class MulxMac {
 public:
  void set_key(const uint8_t* key) {
    r0_ = load_le<uint64_t>(key) & kPoly1305ClampLow;
    r1_ = load_le<uint64_t>(key + 8) & kPoly1305ClampHigh;
    s1_ = r1_ + (r1_ >> 2);
    h_[0] = h_[1] = h_[2] = 0;
    std::memcpy(s_, key + 16, sizeof s_);
  }

  void absorb(const uint8_t* blocks, size_t count) {
    uint64_t h0 = h_[0], h1 = h_[1], h2 = h_[2];
    for (; count > 0; count--, blocks += kPoly1305BlockSize) absorb_block(h0, h1, h2, blocks, 1);
    h_[0] = h0, h_[1] = h1, h_[2] = h2;
  }

  /// A last block that is short: its bytes, a one and zeros.
  void absorb_short(const uint8_t* block) { absorb_block(h_[0], h_[1], h_[2], block, 0); }

  void finish(uint8_t* tag) {
    poly1305_fold(h_);
    poly1305_tag(h_, s_, tag);
  }

  void get_r(uint64_t r[3]) const { r[0] = r0_, r[1] = r1_, r[2] = 0; }
  void get_accumulator(uint64_t h[3]) const { h[0] = h_[0], h[1] = h_[1], h[2] = h_[2]; }
  /// h[2] <= 4.
  void set_accumulator(const uint64_t h[3]) { h_[0] = h[0], h_[1] = h[1], h_[2] = h[2]; }

 private:
  friend class MulxWork;

  /// h = (h + block + 2^128 top) r, partly reduced. With h2 <= 6 after the addition:
  ///   d0 = h0 r0 + h1 s1;  d1 = h0 r1 + h1 r0 + h2 s1 + d0 / 2^64;  d2 = h2 r0 + d1 / 2^64 < 2^63
  /// and what is above 2^130, d2 / 4, comes back times 5.
  __attribute__((always_inline)) void absorb_block(uint64_t& h0, uint64_t& h1, uint64_t& h2, const uint8_t* block,
                                                   uint64_t top) const {
    uint64_t low, high, d1_high, d0_high;
    __asm__(
        "add 0(%[block]), %[h0]\n\t"
        "adc 8(%[block]), %[h1]\n\t"
        "adc %[top], %[h2]\n\t"
        "mov %[h1], %%rdx\n\t"
        "mulx %[s1], %[low], %[high]\n\t"
        "mulx %[r0], %[h1], %[d1_high]\n\t"
        "mov %[h0], %%rdx\n\t"
        "mulx %[r0], %[h0], %[d0_high]\n\t"
        "add %[low], %[h0]\n\t"  // h0 = d0 modulo 2^64
        "adc %[high], %[d0_high]\n\t"
        "mulx %[r1], %[low], %[high]\n\t"
        "add %[low], %[h1]\n\t"
        "adc %[high], %[d1_high]\n\t"
        "mov %[s1], %[low]\n\t"
        "imul %[h2], %[low]\n\t"
        "imul %[r0], %[h2]\n\t"
        "add %[low], %[h1]\n\t"
        "adc $0, %[d1_high]\n\t"
        "add %[d0_high], %[h1]\n\t"  // h1 = d1 modulo 2^64
        "adc %[h2], %[d1_high]\n\t"  // d2
        "mov %[d1_high], %[h2]\n\t"
        "mov %[d1_high], %[low]\n\t"
        "and $3, %[h2]\n\t"
        "shr $2, %[low]\n\t"
        "and $-4, %[d1_high]\n\t"
        "add %[low], %[d1_high]\n\t"  // 5 (d2 / 4)
        "add %[d1_high], %[h0]\n\t"
        "adc $0, %[h1]\n\t"
        "adc $0, %[h2]\n\t"
        : [h0] "+&r"(h0), [h1] "+&r"(h1), [h2] "+&r"(h2), [low] "=&r"(low), [high] "=&r"(high),
          [d1_high] "=&r"(d1_high), [d0_high] "=&r"(d0_high)
        : [block] "r"(block), "m"(*reinterpret_cast<const uint8_t(*)[16]>(block)), [top] "er"(top), [r0] "m"(r0_),
          [r1] "m"(r1_), [s1] "m"(s1_)
        : "rdx", "cc");
  }

  uint64_t r0_, r1_, s1_;
  uint64_t h_[3];
  uint8_t s_[16];
};

/// A run of blocks that a MulxMac absorbs one at a time, between the steps of another computation.
class MulxWork {
 public:
  MulxWork(const MulxMac& mac, const uint8_t* blocks, size_t count)
      : mac_(&mac),
        h0_(mac.h_[0]),
        h1_(mac.h_[1]),
        h2_(mac.h_[2]),
        next_(blocks),
        end_(blocks + count * kPoly1305BlockSize) {}

  bool has(size_t count) const { return static_cast<size_t>(end_ - next_) >= count * kPoly1305BlockSize; }

  __attribute__((always_inline)) void step() {
    mac_->absorb_block(h0_, h1_, h2_, next_, 1);
    next_ += kPoly1305BlockSize;
  }

  /// Hands the accumulator back to its Mac; how many blocks are left to absorb.
  size_t finish(MulxMac& mac) {
    mac.h_[0] = h0_, mac.h_[1] = h1_, mac.h_[2] = h2_;
    return static_cast<size_t>(end_ - next_) / kPoly1305BlockSize;
  }

 private:
  const MulxMac* mac_;
  uint64_t h0_, h1_, h2_;
  const uint8_t* next_;
  const uint8_t* end_;
};

}  // namespace
}  // namespace quoll::crypto
