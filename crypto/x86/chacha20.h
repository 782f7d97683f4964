// The x86 tables of ChaCha20, Poly1305, ChaCha20-Poly1305 and ChaCha20 header protection, for the catalogue.
#pragma once

#include "crypto/aead.h"
#include "crypto/chacha20.h"
#include "crypto/header_protection.h"
#include "crypto/poly1305.h"

namespace quoll::crypto {

extern const Aead kChaCha20Poly1305Avx512;
extern const HeaderProtection kHeaderChaCha20Avx512;
extern const ChaCha20 kChaCha20Avx512;
extern const Poly1305 kPoly1305Ifma;

extern const Aead kChaCha20Poly1305Avx2;
extern const HeaderProtection kHeaderChaCha20Avx2;
extern const ChaCha20 kChaCha20Avx2;
extern const Poly1305 kPoly1305Mulx;

extern const Aead kChaCha20Poly1305Ssse3;
extern const HeaderProtection kHeaderChaCha20Ssse3;
extern const ChaCha20 kChaCha20Ssse3;

}  // namespace quoll::crypto
