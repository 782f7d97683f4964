// EmulatedLanes: a vector of four cipher blocks made of two vectors of two, with the interface of crypto/x86/block_*.h.
//
// It runs what the kernel does for 512-bit vectors (text in the upper half of the first vector, masks of whole vectors,
// schoolbook multiplication, 32 powers of the hash key) on processors that have none. What it cannot test is the leaf
// operations of crypto/x86/block_zmm.h themselves.
#pragma once

#include "crypto/x86/block_xmm_pair.inc.h"

namespace quoll::crypto {
namespace {

struct EmulatedLanes {
  static constexpr size_t kBlocks = 4;
  static constexpr size_t kSize = 64;
  static constexpr size_t kChunkVectors = 8;
  static constexpr bool kKaratsuba = false;
  static constexpr bool kReduceWide = true;

  XmmPair low, high;

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static EmulatedLanes load(const uint8_t* from) {
    return {XmmPair::load(from), XmmPair::load(from + 32)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store(uint8_t* to) const {
    low.store(to);
    high.store(to + 32);
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static EmulatedLanes load_partial(const uint8_t* from,
                                                                                      size_t size) {
    if (size <= 32) return {XmmPair::load_partial(from, size), XmmPair::zero()};
    return {XmmPair::load(from), XmmPair::load_partial(from + 32, size - 32)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store_partial(uint8_t* to, size_t size) const {
    if (size < 32) return low.store_partial(to, size);
    low.store(to);
    high.store_partial(to + 32, size - 32);
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static EmulatedLanes load_upper(const uint8_t* from) {
    return {XmmPair::zero(), XmmPair::load(from)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void store_upper(uint8_t* to) const { high.store(to); }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static EmulatedLanes gather(const uint8_t* const* from) {
    return {XmmPair::gather(from), XmmPair::gather(from + 2)};
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static EmulatedLanes zero() {
    return {XmmPair::zero(), XmmPair::zero()};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static EmulatedLanes broadcast(__m128i block) {
    return {XmmPair::broadcast(block), XmmPair::broadcast(block)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static EmulatedLanes first(__m128i block) {
    return {XmmPair::first(block), XmmPair::zero()};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static EmulatedLanes pair(__m128i a, __m128i b) {
    return {XmmPair::pair(a, b), XmmPair::zero()};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] __m128i second() const { return low.second(); }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] __m128i sum() const { return (low ^ high).sum(); }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] friend EmulatedLanes operator^(EmulatedLanes x, EmulatedLanes y) {
    return {x.low ^ y.low, x.high ^ y.high};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] friend EmulatedLanes operator&(EmulatedLanes x, EmulatedLanes y) {
    return {x.low & y.low, x.high & y.high};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] void fix() {}
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] EmulatedLanes reversed() const {
    return {low.reversed(), high.reversed()};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] EmulatedLanes swapped() const {
    return {low.swapped(), high.swapped()};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] EmulatedLanes aes(EmulatedLanes key) const {
    return {low.aes(key.low), high.aes(key.high)};
  }
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] EmulatedLanes aes_last(EmulatedLanes key) const {
    return {low.aes_last(key.low), high.aes_last(key.high)};
  }
  template <int kHalves>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] EmulatedLanes multiply(EmulatedLanes other) const {
    return {low.multiply<kHalves>(other.low), high.multiply<kHalves>(other.high)};
  }
};

}  // namespace
}  // namespace quoll::crypto
