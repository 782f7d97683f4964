// Keccak-f[1600] and the extendable-output functions SHAKE128 and SHAKE256 (FIPS 202 §3, §6.2).
//
// A Keccak is a constant table of one implementation of the permutation. A Shake is a running computation over it: a
// plain value that may be copied at any point. First absorb any number of pieces, then squeeze any number of bytes in
// pieces of any size; to absorb after having squeezed is a broken contract (QUOLL_CHECK). How the bytes are cut never changes
// the result. Time depends on lengths alone. SHA3-256 and SHA3-512 are HashAlgorithms of crypto/hash.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kKeccakLanes = 25;

struct Keccak : Implementation {
  /// The permutation, in place. Lane (x, y) of FIPS 202 §3.1.2 is state[x + 5y]; byte i of the state is byte i mod 8 of
  /// lane i / 8, least significant first.
  void (*permute)(uint64_t* state);
};

/// Those that this processor runs under the cap of QUOLL_CPU: best first, the portable one last.
std::span<const Keccak* const> keccaks();

/// What the folder of this architecture adds, best first.
std::span<const Keccak* const> native_keccaks();

class Shake {
 public:
  static Shake shake128(const Keccak& keccak = *keccaks().front()) { return Shake(keccak, 168); }
  static Shake shake256(const Keccak& keccak = *keccaks().front()) { return Shake(keccak, 136); }

  Shake(const Shake&) = default;
  Shake& operator=(const Shake&) = default;
  ~Shake();

  Shake& absorb(Bytes data);
  Shake& squeeze(MutBytes out);

 private:
  Shake(const Keccak& keccak, size_t rate) : keccak_(&keccak), rate_(static_cast<uint8_t>(rate)) {}

  std::array<uint64_t, kKeccakLanes> state_{};
  const Keccak* keccak_;
  uint8_t rate_;          // bytes absorbed or squeezed between two permutations
  uint8_t position_ = 0;  // bytes of the current block that are done, at most rate_
  bool squeezing_ = false;
};

}  // namespace quoll::crypto
