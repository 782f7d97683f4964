// Every implementation of AES-GCM and of the AES header masks that runs here, and the four-lane kernel over emulated
// lanes.
#pragma once

#include <vector>

#include "crypto/aead.h"
#include "crypto/header_protection.h"
#include "crypto/provider.h"

namespace quoll::tests::aes {

/// The tables of the kernel over emulated lanes, by key size; nullptr where the processor cannot run them.
const crypto::Aead* emulated_gcm(size_t key_size);
const crypto::HeaderProtection* emulated_masks(size_t key_size);

inline std::vector<const crypto::Aead*> runnable_gcm(size_t key_size) {
  std::vector<const crypto::Aead*> found;
  for (const crypto::Catalogue* catalogue : {&crypto::portable_catalogue(), &crypto::native_catalogue()}) {
    for (const crypto::Aead* aead : catalogue->aeads) {
      const bool is_gcm = aead->id == crypto::AeadId::aes_128_gcm || aead->id == crypto::AeadId::aes_256_gcm;
      if (!is_gcm || aead->key_size != key_size) continue;
      if (aead->runs_on(crypto::cpu::features(), crypto::cpu::cap())) found.push_back(aead);
    }
  }
  if (const crypto::Aead* emulated = emulated_gcm(key_size)) found.push_back(emulated);
  return found;
}

inline std::vector<const crypto::HeaderProtection*> runnable_masks(size_t key_size) {
  std::vector<const crypto::HeaderProtection*> found;
  for (const crypto::Catalogue* catalogue : {&crypto::portable_catalogue(), &crypto::native_catalogue()}) {
    for (const crypto::HeaderProtection* masks : catalogue->header_protections) {
      if (masks->id == crypto::HeaderProtectionId::chacha20 || masks->key_size != key_size) continue;
      if (masks->runs_on(crypto::cpu::features(), crypto::cpu::cap())) found.push_back(masks);
    }
  }
  if (const crypto::HeaderProtection* emulated = emulated_masks(key_size)) found.push_back(emulated);
  return found;
}

}  // namespace quoll::tests::aes
