// The x86-64 implementations of AES-GCM and AES header protection, for the catalogue.
#pragma once

#include "crypto/aead.h"
#include "crypto/header_protection.h"

namespace quoll::crypto {

extern const Aead kAes128GcmAesNi, kAes256GcmAesNi;
extern const HeaderProtection kHeaderAes128AesNi, kHeaderAes256AesNi;
extern const Aead kAes128GcmAesNiAvx, kAes256GcmAesNiAvx;
extern const HeaderProtection kHeaderAes128AesNiAvx, kHeaderAes256AesNiAvx;
extern const Aead kAes128GcmVaesAvx2, kAes256GcmVaesAvx2;
extern const HeaderProtection kHeaderAes128VaesAvx2, kHeaderAes256VaesAvx2;
extern const Aead kAes128GcmVaesAvx512, kAes256GcmVaesAvx512;
extern const HeaderProtection kHeaderAes128VaesAvx512, kHeaderAes256VaesAvx512;

}  // namespace quoll::crypto
