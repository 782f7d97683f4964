// Constant-time helpers, wiping, and Secret<N>.
//
// Code that handles secrets takes no branch and no index from them; it computes masks (all ones or all zeros) and
// selects with them. Every mask passes through a value barrier, so that a compiler cannot turn it back into a branch.
// declassify() marks a value as public: it does nothing in ordinary builds; in the build that runs under valgrind with
// secrets marked as undefined (docs/crypto.md), it tells valgrind that depending on this value is intended.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/bytes.h"

#ifdef QUOLL_CT_VALGRIND
#include <valgrind/memcheck.h>
#endif

namespace quoll::crypto {

namespace ct {

/// Hides where a value came from, so that the optimiser cannot reason about it.
template <class T>
  requires std::is_integral_v<T>
inline T barrier(T value) {
  __asm__("" : "+r"(value));
  return value;
}

/// All ones when value is not zero, else zero.
inline uint64_t mask_nonzero(uint64_t value) { return barrier(0 - ((value | (0 - value)) >> 63)); }

/// All ones when value is zero, else zero.
inline uint64_t mask_zero(uint64_t value) { return ~mask_nonzero(value); }

/// All ones when a == b, else zero.
inline uint64_t mask_equal(uint64_t a, uint64_t b) { return mask_zero(a ^ b); }

/// All ones when a < b (unsigned), else zero.
inline uint64_t mask_less(uint64_t a, uint64_t b) { return barrier(0 - ((a ^ ((a ^ b) | ((a - b) ^ b))) >> 63)); }

/// a where mask is all ones, b where it is zero.
inline uint64_t select(uint64_t mask, uint64_t a, uint64_t b) { return b ^ (barrier(mask) & (a ^ b)); }

/// Overwrites memory with zeros in a way that the optimiser keeps.
inline void wipe(void* memory, size_t size) {
  if (size == 0) return;
  std::memset(memory, 0, size);
  __asm__ volatile("" : : "r"(memory) : "memory");
}

template <class T>
  requires(std::is_trivially_copyable_v<T>)
inline void wipe(T& object) {
  wipe(&object, sizeof object);
}

/// Marks memory as public for the constant-time test; no effect otherwise.
inline void declassify([[maybe_unused]] const void* memory, [[maybe_unused]] size_t size) {
#ifdef QUOLL_CT_VALGRIND
  (void)VALGRIND_MAKE_MEM_DEFINED(memory, size);
#endif
}

/// A copy of `value` that is public for the constant-time test.
template <class T>
  requires(std::is_trivially_copyable_v<T>)
inline T declassified(T value) {
  declassify(&value, sizeof value);
  return value;
}

/// True when both ranges hold the same bytes. Time depends on the sizes alone, which are public; the answer is public.
inline bool equal(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); i++) difference = barrier<uint8_t>(difference | (a[i] ^ b[i]));
  return declassified(mask_zero(difference)) != 0;
}

}  // namespace ct

/// N secret bytes: wiped on destruction, compared in constant time. Copies are deliberate and wiped in their turn.
template <size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const uint8_t, N> bytes) { std::memcpy(bytes_.data(), bytes.data(), N); }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { ct::wipe(bytes_.data(), N); }

  static constexpr size_t size() { return N; }
  uint8_t* data() { return bytes_.data(); }
  const uint8_t* data() const { return bytes_.data(); }
  operator std::span<const uint8_t, N>() const { return bytes_; }
  operator Bytes() const { return bytes_; }
  operator MutBytes() { return bytes_; }
  Bytes bytes() const { return bytes_; }

  friend bool operator==(const Secret& a, const Secret& b) { return ct::equal(a.bytes_, b.bytes_); }

 private:
  std::array<uint8_t, N> bytes_{};
};

}  // namespace quoll::crypto
