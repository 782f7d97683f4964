// The portable tables of ChaCha20-Poly1305 and of its header protection, for the catalogue.
#pragma once

#include "crypto/aead.h"
#include "crypto/header_protection.h"

namespace quoll::crypto {

extern const Aead kChaCha20Poly1305Portable;
extern const HeaderProtection kHeaderChaCha20Portable;

}  // namespace quoll::crypto
