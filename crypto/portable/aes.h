// The portable implementations that are built on bitsliced AES, for the catalogue.
#pragma once

#include "crypto/aead.h"
#include "crypto/header_protection.h"

namespace quoll::crypto {

extern const Aead kAes128GcmPortable;
extern const Aead kAes256GcmPortable;
extern const HeaderProtection kHeaderAes128Portable;
extern const HeaderProtection kHeaderAes256Portable;

}  // namespace quoll::crypto
