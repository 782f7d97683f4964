// X25519's Montgomery ladders (RFC 7748 §5) with four products at a time. Declared apart from their vector code.
#pragma once

#include <cstdint>

namespace quoll::crypto {

/// As Group::agree; wants AVX2, BMI2 and ADX.
bool x25519_agree_avx2(const uint8_t* private_key, const uint8_t* peer_public_key, uint8_t* shared_secret);

/// As Group::agree; wants AVX-512 (cpu::kAvx512) and IFMA.
bool x25519_agree_ifma(const uint8_t* private_key, const uint8_t* peer_public_key, uint8_t* shared_secret);

}  // namespace quoll::crypto
