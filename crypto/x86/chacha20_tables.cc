// The lists of x86 implementations that the AEAD is built of.
#include "crypto/x86/chacha20.h"

namespace quoll::crypto {

std::span<const ChaCha20* const> native_chacha20s() {
  static constexpr const ChaCha20* all[] = {&kChaCha20Avx512, &kChaCha20Avx2, &kChaCha20Ssse3};
  return all;
}

std::span<const Poly1305* const> native_poly1305s() {
  static constexpr const Poly1305* all[] = {&kPoly1305Ifma, &kPoly1305Mulx};
  return all;
}

}  // namespace quoll::crypto
