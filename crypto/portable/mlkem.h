// ML-KEM-768's engine in portable C++, which is also the pattern of the others: what each function takes and gives.
//
// An engine is the type over which crypto/mlkem_scheme.h is written. Constant time, with no division instruction; the
// one exception is sample(), whose input is public.
#pragma once

#include "crypto/mlkem.h"
#include "crypto/mlkem_field.h"

namespace quoll::crypto {

struct PortableMlKemEngine {
  using Poly = mlkem::Poly;
  using Prepared = mlkem::Prepared;

  /// How many Keccak states permute() takes at once; word i of state s is words[i * kStates + s].
  static constexpr size_t kStates = 1;
  static void permute(uint64_t* words);
  static void permute_one(uint64_t* words);
  /// The first kSqueezedSize bytes of each of these states. `out` is aligned to 32 bytes.
  static void squeeze(uint8_t (*out)[mlkem::kSqueezedSize], const uint64_t* words);

  /// The number-theoretic transform (FIPS 203 algorithm 9), in place. Takes |c| <= q, gives |c| <= q/2.
  static void ntt(Poly& poly);
  /// Its inverse (algorithm 10) times 2^16, in place. Takes |c| <= q, gives |c| < q.
  static void inverse_ntt(Poly& poly);

  /// Takes |c| <= q/2, gives |c| < q.
  static void prepare(Prepared& out, const Poly& b);
  /// The sum of the three products a[i]·b[i] (algorithms 11, 12), divided by 2^16. Takes 0 <= a < q, gives |c| <= q.
  static void dot(Poly& out, const Poly* a, const Prepared* b);
  /// Times 2^16, in place. Takes any, gives |c| < q.
  static void to_montgomery(Poly& poly);

  /// Sums and differences of coefficients; they must fit into 16 bits.
  static void add(Poly& to, const Poly& a);
  static void subtract(Poly& to, const Poly& a);

  /// SampleNTT (algorithm 7) on one more block of the stream: appends to the first `filled` coefficients and returns
  /// how many there are then. Not constant time: the matrix is public.
  static size_t sample(Poly& out, size_t filled, const uint8_t* block);
  /// SamplePolyCBD_2 (algorithm 8): kNoiseSize bytes to |c| <= 2.
  static void noise(Poly& out, const uint8_t* bytes);

  /// ByteEncode_12 of any representatives, and ByteDecode_12 to 0 <= c < q. The latter tells whether each number was
  /// below q (all ones) or not (zero).
  static void encode12(uint8_t* out, const Poly& poly);
  static uint64_t decode12(Poly& out, const uint8_t* bytes);
  /// ByteEncode_d(Compress_d()) of any representatives, and back to 0 <= c < q, for d = 10 and 4.
  static void encode10(uint8_t* out, const Poly& poly);
  static void decode10(Poly& out, const uint8_t* bytes);
  static void encode4(uint8_t* out, const Poly& poly);
  static void decode4(Poly& out, const uint8_t* bytes);
  /// The same for d = 1: 32 bytes of message.
  static void encode1(uint8_t* out, const Poly& poly);
  static void decode1(Poly& out, const uint8_t* bytes);

  /// Zero when both ciphertexts are the same, else not zero.
  static uint64_t difference(const uint8_t* a, const uint8_t* b);
};

extern const MlKem768 kMlKem768Portable;

}  // namespace quoll::crypto
