// X25519's Montgomery ladder (RFC 7748 §5) with four products at a time. Declared apart from its AVX2 code.
#pragma once

#include <cstdint>

namespace quoll::crypto {

/// As Group::agree; wants AVX2, BMI2 and ADX.
bool x25519_agree_avx2(const uint8_t* private_key, const uint8_t* peer_public_key, uint8_t* shared_secret);

}  // namespace quoll::crypto
