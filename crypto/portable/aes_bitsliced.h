// AES (FIPS 197) encryption of four blocks at once, bitsliced: no table, no branch and no index depends on key or data.
//
// A Batch holds 64 state bytes as eight words, word i collecting bit i of every byte. Bit 16*row + 4*column + block of
// a word belongs to the byte at (row, column) of that block, so that ShiftRows rotates the nibbles of 16-bit groups and
// MixColumns rotates whole words by 16. The S-box is the 113-gate circuit of Boyar and Peralta over the eight words.
//
// Round keys are stored compactly, 16 bytes each: all four blocks share them, so one bit in four is enough. A Schedule
// is the expanded form that encryption wants; it is made per call on the stack, because it is 960 bytes long.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace quoll::crypto {

inline constexpr size_t kAesRoundsMax = 14;

using Batch = std::array<uint64_t, 8>;

/// 10 rounds for keys of 16 bytes, 14 for keys of 32 bytes.
constexpr size_t aes_rounds(size_t key_size) { return key_size / 4 + 6; }

/// Round keys as they are kept: two words each.
struct CompactAesKey {
  uint64_t words[kAesRoundsMax + 1][2];
};

/// `key` has 16 or 32 bytes.
void expand_aes_key(CompactAesKey& compact, const uint8_t* key, size_t key_size);

/// Round keys as they are used. Wiped on destruction.
class AesSchedule {
 public:
  AesSchedule(const CompactAesKey& compact, size_t rounds);
  AesSchedule(const AesSchedule&) = delete;
  AesSchedule& operator=(const AesSchedule&) = delete;
  ~AesSchedule();

  /// Encrypts four blocks of 16 bytes that lie one after the other; `out` may be `in`.
  void encrypt_four(uint8_t* out, const uint8_t* in) const;

 private:
  std::array<Batch, kAesRoundsMax + 1> keys_;
  size_t rounds_;
};

}  // namespace quoll::crypto
