// What the tests of the NIST curves share: the runnable implementations, and an integer arithmetic modulo an odd number
// that is slow, obvious and not ours: one bit at a time.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/provider.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::crypto::tests {

using Buffer = std::vector<uint8_t>;

inline Buffer unhex(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  Buffer bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  }
  return bytes;
}

/// Every implementation with this id that the processor runs, of both catalogues.
template <class T, class Id>
std::vector<const T*> runnable(std::span<const T* const> Catalogue::* family, Id id) {
  std::vector<const T*> found;
  for (const Catalogue* catalogue : {&native_catalogue(), &portable_catalogue()}) {
    for (const T* entry : catalogue->*family) {
      if (entry->id == id && entry->runs_on(cpu::features(), cpu::cap())) found.push_back(entry);
    }
  }
  return found;
}

/// A number of `size` big-endian bytes.
inline Buffer number(uint64_t value, size_t size) {
  Buffer bytes(size);
  for (size_t i = 0; i < 8 && i < size; i++) bytes[size - 1 - i] = static_cast<uint8_t>(value >> 8 * i);
  return bytes;
}

/// a - value, for a small value and a last byte of a that does not borrow.
inline Buffer minus(Buffer a, uint8_t value) {
  REQUIRE(a.back() >= value);
  a.back() = static_cast<uint8_t>(a.back() - value);
  return a;
}

/// Big-endian integers modulo m, a bit at a time.
class SlowModulus {
 public:
  explicit SlowModulus(Buffer m) : m_(std::move(m)) {}

  Buffer add(const Buffer& a, const Buffer& b) const {
    Buffer sum(m_.size());
    int carry = 0;
    for (size_t i = m_.size(); i-- > 0;) {
      carry += a[i] + b[i];
      sum[i] = static_cast<uint8_t>(carry);
      carry >>= 8;
    }
    return carry != 0 || sum >= m_ ? difference(sum, m_) : sum;
  }

  Buffer subtract(const Buffer& a, const Buffer& b) const { return add(a, difference(m_, b)); }

  Buffer multiply(const Buffer& a, const Buffer& b) const {
    Buffer product(m_.size());
    for (size_t i = 0; i < 8 * m_.size(); i++) {
      product = add(product, product);
      if (a[i / 8] >> (7 - i % 8) & 1) product = add(product, b);
    }
    return product;
  }

  /// a^(m - 2), for a prime m.
  Buffer invert(const Buffer& a) const {
    Buffer result = number(1, m_.size());
    const Buffer exponent = difference(m_, number(2, m_.size()));
    for (size_t i = 0; i < 8 * m_.size(); i++) {
      result = multiply(result, result);
      if (exponent[i / 8] >> (7 - i % 8) & 1) result = multiply(result, a);
    }
    return result;
  }

 private:
  /// a - b modulo 2^bits; zero is written as m when b is zero, which add() takes.
  static Buffer difference(const Buffer& a, const Buffer& b) {
    Buffer result(a.size());
    int borrow = 0;
    for (size_t i = a.size(); i-- > 0;) {
      const int digit = a[i] - b[i] - borrow;
      result[i] = static_cast<uint8_t>(digit);
      borrow = digit < 0;
    }
    return result;
  }

  Buffer m_;
};

}  // namespace quoll::crypto::tests
