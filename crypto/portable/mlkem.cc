// ML-KEM-768's polynomials in portable C++: Montgomery's product for constants, Barrett's reduction for sums.
//
// Every product of two coefficients fits into 32 bits; every stored coefficient into 16. Bounds are stated where they
// matter. Constant time but for sample().
#include "crypto/portable/mlkem.h"

#include "crypto/mlkem_scheme.h"
#include "crypto/portable/keccak.h"

namespace quoll::crypto {
namespace {

using namespace mlkem;

constexpr size_t n = kN;

/// value / 2^16 modulo q. Takes |value| < 2^15·q, gives |result| < q, and at most |value| / 2^16 + q/2.
int16_t montgomery_reduce(int32_t value) {
  const auto quotient = static_cast<int16_t>(static_cast<uint16_t>(static_cast<uint32_t>(value) * kQInverse));
  return static_cast<int16_t>((value - quotient * kQ) >> 16);
}

/// Montgomery's product. Takes any a and |b| <= q, gives |result| < q.
int16_t multiply(int16_t a, int16_t b) { return montgomery_reduce(static_cast<int32_t>(a) * b); }

/// The representative in [-q/2, q/2] of any a.
int16_t barrett_reduce(int16_t a) {
  constexpr int32_t kReciprocal = ((1 << 26) + kQ / 2) / kQ;  // 2^26/q, rounded
  const int32_t quotient = (a * kReciprocal + (1 << 25)) >> 26;
  return static_cast<int16_t>(a - quotient * kQ);
}

/// The representative in [0, q) of any a.
uint32_t canonical(int16_t a) {
  const int32_t reduced = barrett_reduce(a);
  return static_cast<uint32_t>(reduced + ((reduced >> 31) & kQ));
}

}  // namespace

void PortableMlKemEngine::permute(uint64_t* words) { keccak_permute_portable(words); }
void PortableMlKemEngine::permute_one(uint64_t* words) { keccak_permute_portable(words); }

void PortableMlKemEngine::squeeze(uint8_t (*out)[kSqueezedSize], const uint64_t* words) {
  for (size_t i = 0; i < kSqueezedSize / 8; i++) store_le(out[0] + 8 * i, words[i]);
}

void PortableMlKemEngine::ntt(Poly& poly) {
  auto& f = poly.coefficients;
  size_t next = 1;
  // Each of the seven layers adds less than q to the bound: below 8·q < 2^15 at the end.
  for (size_t length = n / 2; length >= 2; length /= 2) {
    for (size_t start = 0; start < n; start += 2 * length) {
      const int16_t zeta = kZetas[next++];
      for (size_t j = start; j < start + length; j++) {
        const int16_t product = multiply(f[j + length], zeta);
        f[j + length] = static_cast<int16_t>(f[j] - product);
        f[j] = static_cast<int16_t>(f[j] + product);
      }
    }
  }
  for (int16_t& c : f) c = barrett_reduce(c);
}

void PortableMlKemEngine::inverse_ntt(Poly& poly) {
  auto& f = poly.coefficients;
  size_t next = n / 2 - 1;
  for (size_t length = 2; length <= n / 2; length *= 2) {
    for (size_t start = 0; start < n; start += 2 * length) {
      const int16_t zeta = kZetas[next--];
      for (size_t j = start; j < start + length; j++) {
        const int16_t low = f[j];  // |low|, |f| <= q
        f[j] = barrett_reduce(static_cast<int16_t>(low + f[j + length]));
        f[j + length] = multiply(static_cast<int16_t>(f[j + length] - low), zeta);
      }
    }
  }
  for (int16_t& c : f) c = multiply(c, kInverseScale);
}

void PortableMlKemEngine::prepare(Prepared& out, const Poly& b) {
  for (size_t i = 0; i < n; i += 2) {
    // γ of two pairs in a row is a root and its negative, algorithm 11.
    const int16_t root = kZetas[n / 4 + i / 4];
    const auto gamma = static_cast<int16_t>(i % 4 == 0 ? root : -root);
    out.straight.coefficients[i] = b.coefficients[i];
    out.straight.coefficients[i + 1] = multiply(b.coefficients[i + 1], gamma);
    out.crossed.coefficients[i] = b.coefficients[i + 1];
    out.crossed.coefficients[i + 1] = b.coefficients[i];
  }
}

void PortableMlKemEngine::dot(Poly& out, const Poly* a, const Prepared* b) {
  for (size_t i = 0; i < n; i += 2) {
    // Six products of a < q by |b| < q: below 6·q^2 < 2^15·q.
    int32_t even = 0, odd = 0;
    for (size_t k = 0; k < kRank; k++) {
      const auto& left = a[k].coefficients;
      const auto& straight = b[k].straight.coefficients;
      const auto& crossed = b[k].crossed.coefficients;
      even += left[i] * straight[i] + left[i + 1] * straight[i + 1];
      odd += left[i] * crossed[i] + left[i + 1] * crossed[i + 1];
    }
    out.coefficients[i] = montgomery_reduce(even);
    out.coefficients[i + 1] = montgomery_reduce(odd);
  }
}

void PortableMlKemEngine::to_montgomery(Poly& poly) {
  for (int16_t& c : poly.coefficients) c = multiply(c, kMontgomerySquared);
}

void PortableMlKemEngine::add(Poly& to, const Poly& a) {
  for (size_t i = 0; i < n; i++) to.coefficients[i] = static_cast<int16_t>(to.coefficients[i] + a.coefficients[i]);
}

void PortableMlKemEngine::subtract(Poly& to, const Poly& a) {
  for (size_t i = 0; i < n; i++) to.coefficients[i] = static_cast<int16_t>(to.coefficients[i] - a.coefficients[i]);
}

size_t PortableMlKemEngine::sample(Poly& out, size_t filled, const uint8_t* block) {
  for (size_t at = 0; at < kXofBlockSize && filled < n; at += 3) {
    const int first = block[at] | (block[at + 1] & 0x0f) << 8;
    const int second = block[at + 1] >> 4 | block[at + 2] << 4;
    if (first < kQ) out.coefficients[filled++] = static_cast<int16_t>(first);
    if (second < kQ && filled < n) out.coefficients[filled++] = static_cast<int16_t>(second);
  }
  return filled;
}

void PortableMlKemEngine::noise(Poly& out, const uint8_t* bytes) {
  for (size_t i = 0; i < n / 8; i++) {
    // Eight coefficients of four bits each: the sum of the lower two bits minus that of the upper two.
    const auto bits = load_le<uint32_t>(bytes + 4 * i);
    const uint32_t sums = (bits & 0x55555555) + ((bits >> 1) & 0x55555555);
    for (size_t j = 0; j < 8; j++) {
      const int plus = static_cast<int>((sums >> (4 * j)) & 3);
      const int minus = static_cast<int>((sums >> (4 * j + 2)) & 3);
      out.coefficients[8 * i + j] = static_cast<int16_t>(plus - minus);
    }
  }
}

void PortableMlKemEngine::encode12(uint8_t* out, const Poly& poly) {
  for (size_t i = 0; i < n; i += 2, out += 3) {
    const uint32_t pair = canonical(poly.coefficients[i]) | canonical(poly.coefficients[i + 1]) << 12;
    for (size_t j = 0; j < 3; j++) out[j] = static_cast<uint8_t>(pair >> (8 * j));
  }
}

uint64_t PortableMlKemEngine::decode12(Poly& out, const uint8_t* bytes) {
  int32_t all_below = -1;
  const auto below_q = [&](int32_t value) {
    const int32_t below = (value - kQ) >> 31;  // all ones when value < q
    all_below &= below;
    return static_cast<int16_t>(value - (kQ & ~below));
  };
  for (size_t i = 0; i < n; i += 2, bytes += 3) {
    out.coefficients[i] = below_q(bytes[0] | (bytes[1] & 0x0f) << 8);
    out.coefficients[i + 1] = below_q(bytes[1] >> 4 | bytes[2] << 4);
  }
  return static_cast<uint64_t>(int64_t{all_below});
}

void PortableMlKemEngine::encode10(uint8_t* out, const Poly& poly) {
  for (size_t i = 0; i < n; i += 4, out += 5) {
    uint64_t bits = 0;
    for (size_t j = 0; j < 4; j++) bits |= uint64_t{compress(canonical(poly.coefficients[i + j]), 10)} << (10 * j);
    for (size_t j = 0; j < 5; j++) out[j] = static_cast<uint8_t>(bits >> (8 * j));
  }
}

void PortableMlKemEngine::decode10(Poly& out, const uint8_t* bytes) {
  for (size_t i = 0; i < n; i += 4, bytes += 5) {
    uint64_t bits = 0;
    for (size_t j = 0; j < 5; j++) bits |= uint64_t{bytes[j]} << (8 * j);
    for (size_t j = 0; j < 4; j++) out.coefficients[i + j] = decompress((bits >> (10 * j)) & 0x3ff, 10);
  }
}

void PortableMlKemEngine::encode4(uint8_t* out, const Poly& poly) {
  for (size_t i = 0; i < n; i += 2) {
    out[i / 2] = static_cast<uint8_t>(compress(canonical(poly.coefficients[i]), 4) |
                                      compress(canonical(poly.coefficients[i + 1]), 4) << 4);
  }
}

void PortableMlKemEngine::decode4(Poly& out, const uint8_t* bytes) {
  for (size_t i = 0; i < n; i += 2) {
    out.coefficients[i] = decompress(bytes[i / 2] & 0x0f, 4);
    out.coefficients[i + 1] = decompress(bytes[i / 2] >> 4, 4);
  }
}

void PortableMlKemEngine::encode1(uint8_t* out, const Poly& poly) {
  for (size_t i = 0; i < n / 8; i++) {
    uint32_t byte = 0;
    for (size_t j = 0; j < 8; j++) byte |= compress(canonical(poly.coefficients[8 * i + j]), 1) << j;
    out[i] = static_cast<uint8_t>(byte);
  }
}

void PortableMlKemEngine::decode1(Poly& out, const uint8_t* bytes) {
  for (size_t i = 0; i < n; i++) {
    const uint32_t bit = ct::barrier(static_cast<uint32_t>(bytes[i / 8] >> (i % 8)) & 1);
    out.coefficients[i] = decompress(bit, 1);
  }
}

uint64_t PortableMlKemEngine::difference(const uint8_t* a, const uint8_t* b) {
  uint64_t difference = 0;
  for (size_t i = 0; i < kMlKem768CiphertextSize; i++) difference |= ct::barrier<uint8_t>(a[i] ^ b[i]);
  return difference;
}

constexpr MlKem768 kMlKem768Portable = mlkem::mlkem768_over<PortableMlKemEngine>({.implementation = "portable"});

}  // namespace quoll::crypto
