// Provider: which implementation serves each primitive. A constant table; the rest of the stack takes one by reference.
//
//   best()      the fastest that the processor runs, under the cap of QUOLL_CPU
//   portable()  the constant-time code that runs everywhere
//   all()       one provider per tier that the processor runs under the cap, portable first, best last
#pragma once

#include <span>

#include "crypto/aead.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"
#include "crypto/group.h"
#include "crypto/hash.h"
#include "crypto/header_protection.h"
#include "crypto/mlkem.h"
#include "crypto/rsa.h"

namespace quoll::crypto {

/// What one folder of implementations offers, for each primitive the best first.
struct Catalogue {
  std::span<const Aead* const> aeads;
  std::span<const HeaderProtection* const> header_protections;
  std::span<const HashAlgorithm* const> hashes;
  std::span<const Group* const> groups;
  std::span<const Ecdsa* const> ecdsas;
  std::span<const Ed25519* const> ed25519s;
  std::span<const Rsa* const> rsas;
  std::span<const MlKem768* const> mlkem768s;
};

/// The portable implementations: complete, one for each primitive.
const Catalogue& portable_catalogue();

/// What the folder of this architecture adds.
const Catalogue& native_catalogue();

struct Provider {
  std::string_view name;  // the tier's
  cpu::Tier tier = cpu::Tier::portable;

  const Aead* aes_128_gcm = nullptr;
  const Aead* aes_256_gcm = nullptr;
  const Aead* chacha20_poly1305 = nullptr;
  const HeaderProtection* header_aes_128 = nullptr;
  const HeaderProtection* header_aes_256 = nullptr;
  const HeaderProtection* header_chacha20 = nullptr;
  const HashAlgorithm* sha256 = nullptr;
  const HashAlgorithm* sha384 = nullptr;
  const HashAlgorithm* sha512 = nullptr;
  const HashAlgorithm* sha3_256 = nullptr;
  const HashAlgorithm* sha3_512 = nullptr;
  const Group* x25519 = nullptr;
  const Group* p256 = nullptr;
  const Group* p384 = nullptr;
  const Ecdsa* ecdsa_p256 = nullptr;
  const Ecdsa* ecdsa_p384 = nullptr;
  const Ed25519* ed25519 = nullptr;
  const Rsa* rsa = nullptr;
  const MlKem768* mlkem768 = nullptr;
};

const Provider& portable();
const Provider& best();
std::span<const Provider> all();

}  // namespace quoll::crypto
