// What the tests of X25519 and Ed25519 share: the implementations under test, hexadecimal, and a slow field to compare
// with.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "crypto/portable/curve25519_tables.h"
#include "crypto/portable/field25519_25.h"
#include "crypto/portable/field25519_51.h"
#include "crypto/provider.h"

namespace quoll::tests {

/// The arithmetic of 32-bit hosts, reached on every machine.
struct NarrowField : crypto::Field25, crypto::PortableLookup {};

inline constexpr crypto::Group kNarrowX25519 = crypto::make_x25519<NarrowField>({.implementation = "portable-32"});
inline constexpr crypto::Ed25519 kNarrowEd25519 = crypto::make_ed25519<NarrowField>({.implementation = "portable-32"});

/// Every runnable entry of both catalogues, and the 32-bit code.
inline std::vector<const crypto::Group*> x25519_implementations() {
  std::vector<const crypto::Group*> found{&kNarrowX25519};
  for (const crypto::Catalogue* catalogue : {&crypto::portable_catalogue(), &crypto::native_catalogue()}) {
    for (const crypto::Group* group : catalogue->groups) {
      if (group->id == crypto::GroupId::x25519 && group->runs_on(crypto::cpu::features(), crypto::cpu::cap())) {
        found.push_back(group);
      }
    }
  }
  return found;
}

inline std::vector<const crypto::Ed25519*> ed25519_implementations() {
  std::vector<const crypto::Ed25519*> found{&kNarrowEd25519};
  for (const crypto::Catalogue* catalogue : {&crypto::portable_catalogue(), &crypto::native_catalogue()}) {
    for (const crypto::Ed25519* entry : catalogue->ed25519s) {
      if (entry->runs_on(crypto::cpu::features(), crypto::cpu::cap())) found.push_back(entry);
    }
  }
  return found;
}

inline std::vector<uint8_t> from_hex(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  }
  return bytes;
}

/// Integers modulo a modulus below 2^255, in sixteen 16-bit digits: slow, and simple enough to trust.
struct SlowModular {
  using Integer = std::array<uint32_t, 16>;

  Integer modulus;

  static Integer from_bytes(const uint8_t* bytes) {
    Integer r;
    for (size_t i = 0; i < 16; i++) r[i] = static_cast<uint32_t>(bytes[2 * i] | bytes[2 * i + 1] << 8);
    return r;
  }
  static std::vector<uint8_t> to_bytes(const Integer& a) {
    std::vector<uint8_t> bytes;
    for (const uint32_t digit : a) {
      bytes.push_back(static_cast<uint8_t>(digit));
      bytes.push_back(static_cast<uint8_t>(digit >> 8));
    }
    return bytes;
  }

  static bool less(const Integer& a, const Integer& b) {
    for (size_t i = 16; i-- > 0;) {
      if (a[i] != b[i]) return a[i] < b[i];
    }
    return false;
  }

  /// 2 a + bit, for a below the modulus.
  Integer twice_plus(Integer a, uint32_t bit) const {
    for (uint32_t& digit : a) {
      digit = 2 * digit + bit;
      bit = digit >> 16;
      digit &= 0xffff;
    }
    if (!less(a, modulus)) subtract(a, modulus);
    return a;
  }

  /// A little-endian number of any size.
  Integer reduce(Bytes bytes) const {
    Integer r{};
    for (size_t i = 8 * bytes.size(); i-- > 0;) r = twice_plus(r, bytes[i / 8] >> i % 8 & 1);
    return r;
  }

  Integer add(Integer a, const Integer& b) const {
    uint32_t carry = 0;
    for (size_t i = 0; i < 16; i++) {
      a[i] += b[i] + carry;
      carry = a[i] >> 16;
      a[i] &= 0xffff;
    }
    if (!less(a, modulus)) subtract(a, modulus);
    return a;
  }

  Integer sub(const Integer& a, const Integer& b) const {
    Integer negative = modulus;
    subtract(negative, b);
    return add(a, negative);
  }

  Integer mul(const Integer& a, const Integer& b) const {
    Integer r{};
    for (size_t i = 256; i-- > 0;) {
      r = twice_plus(r, 0);
      if (b[i / 16] >> i % 16 & 1) r = add(r, a);
    }
    return r;
  }

 private:
  static void subtract(Integer& a, const Integer& b) {
    uint32_t borrow = 0;
    for (size_t i = 0; i < 16; i++) {
      const uint32_t difference = a[i] - b[i] - borrow;
      borrow = difference >> 31;
      a[i] = difference & 0xffff;
    }
  }
};

}  // namespace quoll::tests
