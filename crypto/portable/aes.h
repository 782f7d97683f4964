// The portable implementations that are built on bitsliced AES, for the catalogue.
#pragma once

#include "crypto/aead.h"
#include "crypto/header_protection.h"

namespace quoll::crypto::soft {

extern const Aead kAes128Gcm;
extern const Aead kAes256Gcm;
extern const HeaderProtection kHeaderAes128;
extern const HeaderProtection kHeaderAes256;

}  // namespace quoll::crypto::soft
