// The Poly1305 one-time authenticator (RFC 8439 §2.5), for those who build on it: the AEAD and the known-answer tests.
//
// A key authenticates one message; two messages under one key give the key away. All implementations are constant-time
// in key and message; the message's length is public.
#pragma once

#include <span>

#include "base/bytes.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kPoly1305KeySize = 32;
inline constexpr size_t kPoly1305TagSize = 16;
inline constexpr size_t kPoly1305BlockSize = 16;

struct Poly1305 : Implementation {
  void (*mac)(const uint8_t* key, Bytes message, uint8_t* tag);
};

/// The implementations of crypto/portable, and those of this architecture's folder, best first.
std::span<const Poly1305* const> portable_poly1305s();
std::span<const Poly1305* const> native_poly1305s();

}  // namespace quoll::crypto
