// The ChaCha20 block function (RFC 8439 §2.3) on as many blocks at a time as a vector has 32-bit lanes.
//
// Word i of all blocks makes row i, so that a round is plain vertical arithmetic. Every lane has its own counter and
// nonce: the lanes of one call may serve several messages. While the vector units turn the rounds the scalar units are
// idle, and `Work` is what they do meanwhile: slot() is called up to kSlots times. Constant-time.
//
// A Vector names its type T and its lanes, and provides load, store, broadcast, add, exclusive_or, rounds,
// transpose and store_blocks. What includes this
// header defines QUOLL_TARGET before, the target attribute's string; all names have internal linkage, so that the code
// of one instruction set is never merged with another's.
#pragma once

#include <immintrin.h>

#include "base/bytes.h"
#include "crypto/chacha20.h"

#define QUOLL_INLINE __attribute__((target(QUOLL_TARGET), always_inline)) static inline

namespace quoll::crypto {
namespace {

// "expand 32-byte k" in words (RFC 8439 §2.3).
constexpr uint32_t kChaCha20Constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

constexpr uint32_t kLaneNumbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// No work beside the rounds.
struct Idle {
  static constexpr bool has(size_t) { return false; }
  void step() {}
};

/// The initial states of the lanes, row by row: the twelve rows of constants and key stay, the last four are per call.
template <class Vector>
struct alignas(64) LaneStates {
  uint32_t rows[16][Vector::kLanes];

  void set_key(const uint8_t* key) {
    for (size_t lane = 0; lane < Vector::kLanes; lane++) {
      for (size_t i = 0; i < 4; i++) rows[i][lane] = kChaCha20Constants[i];
      for (size_t i = 0; i < 8; i++) rows[4 + i][lane] = load_le<uint32_t>(key + 4 * i);
    }
  }

  void set_counter(size_t lane, uint32_t counter) { rows[12][lane] = counter; }

  /// Consecutive counters in all lanes. Stored as one vector: a load of what was just stored in parts would wait.
  __attribute__((target(QUOLL_TARGET))) void set_counters(uint32_t first) {
    Vector::store(rows[12], Vector::add(Vector::broadcast(first), Vector::load(kLaneNumbers)));
  }

  void set_nonce(size_t lane, const uint8_t* nonce) {
    for (size_t i = 0; i < 3; i++) rows[13 + i][lane] = load_le<uint32_t>(nonce + 4 * i);
  }
};

/// The keystream blocks of all lanes, one after the other; `out` is aligned to 64 bytes.
template <class Vector, class Work>
__attribute__((target(QUOLL_TARGET), noinline)) void keystream_blocks(const LaneStates<Vector>& states, uint8_t* out,
                                                                      Work& shared_work) {
  using T = typename Vector::T;
  Work work = shared_work;  // a copy, so that it can live in registers
  T rows[16];
  for (size_t i = 0; i < 16; i++) rows[i] = Vector::load(states.rows[i]);
  Vector::rounds(rows, work);
  T blocks[4][4];  // [block modulo 4][quarter of the block]
  for (size_t quarter = 0; quarter < 4; quarter++) {
    T row[4];
    for (size_t i = 0; i < 4; i++) {
      row[i] = Vector::add(rows[4 * quarter + i], Vector::load(states.rows[4 * quarter + i]));
    }
    T transposed[4];
    Vector::transpose(row, transposed);
    for (size_t i = 0; i < 4; i++) blocks[i][quarter] = transposed[i];
  }
  for (size_t i = 0; i < 4; i++) Vector::store_blocks(blocks[i], out + kChaCha20BlockSize * i);
  shared_work = work;
}

template <class Vector>
QUOLL_INLINE void quarter_round(typename Vector::T& a, typename Vector::T& b, typename Vector::T& c,
                                typename Vector::T& d) {
  a = Vector::add(a, b), d = Vector::template rotate<16>(Vector::exclusive_or(d, a));
  c = Vector::add(c, d), b = Vector::template rotate<12>(Vector::exclusive_or(b, c));
  a = Vector::add(a, b), d = Vector::template rotate<8>(Vector::exclusive_or(d, a));
  c = Vector::add(c, d), b = Vector::template rotate<7>(Vector::exclusive_or(b, c));
}

/// The twenty rounds, for Vectors that have no better way.
template <class Vector>
QUOLL_INLINE void plain_rounds(typename Vector::T (&x)[16]) {
  for (int i = 0; i < 10; i++) {
    quarter_round<Vector>(x[0], x[4], x[8], x[12]);
    quarter_round<Vector>(x[1], x[5], x[9], x[13]);
    quarter_round<Vector>(x[2], x[6], x[10], x[14]);
    quarter_round<Vector>(x[3], x[7], x[11], x[15]);
    quarter_round<Vector>(x[0], x[5], x[10], x[15]);
    quarter_round<Vector>(x[1], x[6], x[11], x[12]);
    quarter_round<Vector>(x[2], x[7], x[8], x[13]);
    quarter_round<Vector>(x[3], x[4], x[9], x[14]);
  }
}

/// out = in xor keystream. Only whole bytes that belong to the message are touched.
template <class Vector>
__attribute__((target(QUOLL_TARGET))) void xor_keystream(const uint8_t* in, const uint8_t* keystream, size_t size,
                                                         uint8_t* out) {
  constexpr size_t kStep = 4 * Vector::kLanes;
  size_t at = 0;
  for (; size - at >= kStep; at += kStep) {
    Vector::store(out + at, Vector::exclusive_or(Vector::load(in + at), Vector::load(keystream + at)));
  }
  for (; size - at >= 8; at += 8) {
    store_le<uint64_t>(out + at, load_le<uint64_t>(in + at) ^ load_le<uint64_t>(keystream + at));
  }
  for (; at < size; at++) out[at] = in[at] ^ keystream[at];
}

}  // namespace
}  // namespace quoll::crypto
