#include "crypto/portable/aes_bitsliced.h"

#include <bit>

#include "base/bytes.h"
#include "crypto/ct.h"

namespace quoll::crypto {
namespace {

/// Exchanges the bits of `high_bits` in `a` with those `shift` places higher in `b`: one step of a bit transposition.
inline void exchange(uint64_t& a, uint64_t& b, uint64_t low_bits, int shift) {
  const uint64_t difference = ((a >> shift) ^ b) & low_bits;
  b ^= difference;
  a ^= difference << shift;
}

/// Transposes the 8x8 bit matrices that the same byte of all eight words forms: bit i of word k and bit k of word i
/// change places. Its own inverse.
void transpose(Batch& q) {
  for (size_t i = 0; i < 8; i += 2) exchange(q[i], q[i + 1], 0x5555555555555555, 1);
  for (const size_t i : {0, 1, 4, 5}) exchange(q[i], q[i + 2], 0x3333333333333333, 2);
  for (size_t i = 0; i < 4; i++) exchange(q[i], q[i + 4], 0x0f0f0f0f0f0f0f0f, 4);
}

/// The bytes of `column`, each followed by a zero byte.
inline uint64_t spread(uint32_t column) {
  uint64_t x = column;
  x = (x | x << 16) & 0x0000ffff0000ffff;
  return (x | x << 8) & 0x00ff00ff00ff00ff;
}

/// The bytes of `x` at even places.
inline uint32_t gather(uint64_t x) {
  x &= 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(x | x >> 16);
}

/// Word b takes columns 0 and 2 of block b, word b + 4 columns 1 and 3; the transposition then gives the Batch layout.
inline void load_block(Batch& q, size_t block, const uint8_t* in) {
  q[block] = spread(load_le<uint32_t>(in)) | spread(load_le<uint32_t>(in + 8)) << 8;
  q[block + 4] = spread(load_le<uint32_t>(in + 4)) | spread(load_le<uint32_t>(in + 12)) << 8;
}

inline void store_block(uint8_t* out, const Batch& q, size_t block) {
  store_le(out, gather(q[block]));
  store_le(out + 4, gather(q[block + 4]));
  store_le(out + 8, gather(q[block] >> 8));
  store_le(out + 12, gather(q[block + 4] >> 8));
}

/// SubBytes, FIPS 197 §5.1.1, after Boyar and Peralta, "A small depth-16 circuit for the AES S-box" (2012): a linear
/// layer into the tower field GF(((2^2)^2)^2), the inversion there, and a linear layer back that includes the affine
/// map. The names are the paper's; x0 is the most significant bit.
void sub_bytes(Batch& q) {
  const uint64_t x0 = q[7], x1 = q[6], x2 = q[5], x3 = q[4], x4 = q[3], x5 = q[2], x6 = q[1], x7 = q[0];

  const uint64_t y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5;
  const uint64_t t0 = x1 ^ x2, y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14;
  const uint64_t y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8;
  const uint64_t t1 = x4 ^ y12, y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7;
  const uint64_t y10 = y15 ^ t0, y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11;
  const uint64_t y19 = y10 ^ y8, y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;

  const uint64_t t2 = y12 & y15, t4 = (y3 & y6) ^ t2, t6 = (y4 & x7) ^ t2;
  const uint64_t t7 = y13 & y16, t9 = (y5 & y1) ^ t7, t11 = (y2 & y7) ^ t7;
  const uint64_t t12 = y9 & y11, t14 = (y14 & y17) ^ t12, t16 = (y8 & y10) ^ t12;
  const uint64_t t21 = t4 ^ t14 ^ y20, t22 = t6 ^ t16 ^ y19, t23 = t9 ^ t14 ^ y21, t24 = t11 ^ t16 ^ y18;
  const uint64_t t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t29 = (t25 & t27) ^ t22;
  const uint64_t t30 = t23 ^ t24, t31 = t22 ^ t26, t33 = (t31 & t30) ^ t24, t34 = t23 ^ t33;
  const uint64_t t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34, t38 = t27 ^ t36, t40 = t25 ^ (t29 & t38);
  const uint64_t t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40, t44 = t33 ^ t37, t45 = t42 ^ t41;

  const uint64_t z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7;
  const uint64_t z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4;
  const uint64_t z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;

  const uint64_t t46 = z15 ^ z16, t47 = z10 ^ z11, t48 = z5 ^ z13, t49 = z9 ^ z10, t50 = z2 ^ z12, t51 = z2 ^ z5;
  const uint64_t t52 = z7 ^ z8, t53 = z0 ^ z3, t54 = z6 ^ z7, t55 = z16 ^ z17, t56 = z12 ^ t48, t57 = t50 ^ t53;
  const uint64_t t58 = z4 ^ t46, t59 = z3 ^ t54, t60 = t46 ^ t57, t61 = z14 ^ t57, t62 = t52 ^ t58, t63 = t49 ^ t58;
  const uint64_t t64 = z4 ^ t59, t65 = t61 ^ t62, t66 = z1 ^ t63, t67 = t64 ^ t65, s3 = t53 ^ t66;

  q[7] = t59 ^ t63;
  q[6] = t64 ^ ~s3;
  q[5] = t55 ^ ~t67;
  q[4] = s3;
  q[3] = t51 ^ t66;
  q[2] = t47 ^ t65;
  q[1] = t56 ^ ~t62;
  q[0] = t48 ^ ~t60;
}

/// ShiftRows, FIPS 197 §5.1.2: row r, 16 bits, turns by r columns of four bits.
inline uint64_t shift_rows(uint64_t x) {
  return (x & 0x000000000000ffff) |                                        //
         (x & 0x00000000fff00000) >> 4 | (x & 0x00000000000f0000) << 12 |  //
         (x & 0x0000ff0000000000) >> 8 | (x & 0x000000ff00000000) << 8 |   //
         (x & 0xf000000000000000) >> 12 | (x & 0x0fff000000000000) << 4;
}

/// MixColumns, FIPS 197 §5.1.3: with r1..r3 the state turned by one to three rows, 2s + 3r1 + r2 + r3, which is
/// 2(s + r1) + r1 + (r2 + r3); doubling moves each bit one word up and folds the top one into bits 0, 1, 3 and 4.
void mix_columns(Batch& q) {
  Batch turned, sum;
  for (size_t i = 0; i < 8; i++) {
    turned[i] = std::rotr(q[i], 16);
    sum[i] = q[i] ^ turned[i];
  }
  for (size_t i = 0; i < 8; i++) {
    uint64_t doubled = i > 0 ? sum[i - 1] : sum[7];
    if (i == 1 || i == 3 || i == 4) doubled ^= sum[7];
    q[i] = doubled ^ turned[i] ^ std::rotr(sum[i], 32);
  }
}

inline void add_round_key(Batch& q, const Batch& key) {
  for (size_t i = 0; i < 8; i++) q[i] ^= key[i];
}

/// SubWord of the key expansion, FIPS 197 §5.2, with the same circuit.
uint32_t sub_word(uint32_t word) {
  Batch q{word};
  transpose(q);
  sub_bytes(q);
  transpose(q);
  const auto result = static_cast<uint32_t>(q[0]);
  ct::wipe(q);
  return result;
}

/// Bit 4n of each nibble of a word holds the key; four such words fit in one.
constexpr uint64_t kNibbles = 0x1111111111111111;

void compact_round_key(uint64_t (&compact)[2], const uint8_t* round_key) {
  Batch q{};
  load_block(q, 0, round_key);
  transpose(q);
  compact[0] = compact[1] = 0;
  for (size_t i = 0; i < 8; i++) compact[i / 4] |= (q[i] & kNibbles) << i % 4;
  ct::wipe(q);
}

}  // namespace

// FIPS 197 §5.2, over words whose first byte is the lowest.
void expand_aes_key(CompactAesKey& compact, const uint8_t* key, size_t key_size) {
  const size_t key_words = key_size / 4;
  const size_t all_words = 4 * (aes_rounds(key_size) + 1);
  uint32_t words[4 * (kAesRoundsMax + 1)];
  for (size_t i = 0; i < key_words; i++) words[i] = load_le<uint32_t>(key + 4 * i);
  uint32_t round_constant = 1;
  for (size_t i = key_words; i < all_words; i++) {
    uint32_t previous = words[i - 1];
    if (i % key_words == 0) {
      previous = sub_word(std::rotr(previous, 8)) ^ round_constant;
      round_constant = (round_constant << 1) ^ ((round_constant >> 7) * 0x11b);
    } else if (key_words == 8 && i % 8 == 4) {
      previous = sub_word(previous);
    }
    words[i] = words[i - key_words] ^ previous;
  }
  for (size_t i = 0; i < all_words; i += 4) {
    uint8_t round_key[16];
    for (size_t j = 0; j < 4; j++) store_le(round_key + 4 * j, words[i + j]);
    compact_round_key(compact.words[i / 4], round_key);
    ct::wipe(round_key);
  }
  ct::wipe(words);
}

AesSchedule::AesSchedule(const CompactAesKey& compact, size_t rounds) : rounds_(rounds) {
  for (size_t round = 0; round <= rounds; round++) {
    for (size_t i = 0; i < 8; i++) keys_[round][i] = (compact.words[round][i / 4] >> i % 4 & kNibbles) * 15;
  }
}

AesSchedule::~AesSchedule() { ct::wipe(keys_); }

void AesSchedule::encrypt_four(uint8_t* out, const uint8_t* in) const {
  Batch q;
  for (size_t block = 0; block < 4; block++) load_block(q, block, in + 16 * block);
  transpose(q);
  add_round_key(q, keys_[0]);
  for (size_t round = 1; round < rounds_; round++) {
    sub_bytes(q);
    for (uint64_t& word : q) word = shift_rows(word);
    mix_columns(q);
    add_round_key(q, keys_[round]);
  }
  sub_bytes(q);
  for (uint64_t& word : q) word = shift_rows(word);
  add_round_key(q, keys_[rounds_]);
  transpose(q);
  for (size_t block = 0; block < 4; block++) store_block(out + 16 * block, q, block);
}

}  // namespace quoll::crypto
