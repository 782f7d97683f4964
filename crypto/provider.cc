#include "crypto/provider.h"

#include <vector>

#include "crypto/cpu.h"

namespace quoll::crypto {
namespace {

/// The first of `list` that may run and has the id.
template <class T, class Id>
const T* first_of(std::span<const T* const> list, cpu::Tier cap, Id id) {
  for (const T* entry : list) {
    if (!entry->runs_on(cpu::features(), cap)) continue;
    if constexpr (requires { entry->id; }) {
      if (entry->id != id) continue;
    }
    return entry;
  }
  return nullptr;
}

/// The best eligible implementation: the architecture's folder first, then the portable one.
template <class T, class Id = int>
const T* pick(std::span<const T* const> Catalogue::* family, cpu::Tier cap, Id id = {}) {
  if (const T* found = first_of(native_catalogue().*family, cap, id)) return found;
  return first_of(portable_catalogue().*family, cap, id);
}

Provider assemble(cpu::Tier cap) {
  return {
      .name = cpu::name(cap),
      .tier = cap,
      .aes_128_gcm = pick(&Catalogue::aeads, cap, AeadId::aes_128_gcm),
      .aes_256_gcm = pick(&Catalogue::aeads, cap, AeadId::aes_256_gcm),
      .chacha20_poly1305 = pick(&Catalogue::aeads, cap, AeadId::chacha20_poly1305),
      .header_aes_128 = pick(&Catalogue::header_protections, cap, HeaderProtectionId::aes_128),
      .header_aes_256 = pick(&Catalogue::header_protections, cap, HeaderProtectionId::aes_256),
      .header_chacha20 = pick(&Catalogue::header_protections, cap, HeaderProtectionId::chacha20),
      .sha256 = pick(&Catalogue::hashes, cap, HashId::sha256),
      .sha384 = pick(&Catalogue::hashes, cap, HashId::sha384),
      .sha512 = pick(&Catalogue::hashes, cap, HashId::sha512),
      .sha3_256 = pick(&Catalogue::hashes, cap, HashId::sha3_256),
      .sha3_512 = pick(&Catalogue::hashes, cap, HashId::sha3_512),
      .x25519 = pick(&Catalogue::groups, cap, GroupId::x25519),
      .p256 = pick(&Catalogue::groups, cap, GroupId::p256),
      .p384 = pick(&Catalogue::groups, cap, GroupId::p384),
      .ecdsa_p256 = pick(&Catalogue::ecdsas, cap, EcdsaId::p256),
      .ecdsa_p384 = pick(&Catalogue::ecdsas, cap, EcdsaId::p384),
      .ed25519 = pick(&Catalogue::ed25519s, cap),
      .rsa = pick(&Catalogue::rsas, cap),
      .mlkem768 = pick(&Catalogue::mlkem768s, cap),
  };
}

/// Whether some native implementation belongs to this very tier and runs here.
bool tier_adds_something(cpu::Tier tier) {
  const auto any = [&](const auto& list) {
    for (const auto* entry : list) {
      if (entry->tier == tier && entry->runs_on(cpu::features(), tier)) return true;
    }
    return false;
  };
  const Catalogue& native = native_catalogue();
  return any(native.aeads) || any(native.header_protections) || any(native.hashes) || any(native.groups) ||
         any(native.ecdsas) || any(native.ed25519s) || any(native.rsas) || any(native.mlkem768s);
}

std::vector<Provider> assemble_all() {
  std::vector<Provider> providers{assemble(cpu::Tier::portable)};
  for (const cpu::Tier tier : {cpu::Tier::aesni, cpu::Tier::avx2, cpu::Tier::avx512}) {
    if (tier <= cpu::cap() && tier_adds_something(tier)) providers.push_back(assemble(tier));
  }
  return providers;
}

}  // namespace

#ifndef QUOLL_NATIVE_CRYPTO
const Catalogue& native_catalogue() {
  static constexpr Catalogue none{};
  return none;
}
#endif

std::span<const Provider> all() {
  static const std::vector<Provider> providers = assemble_all();
  return providers;
}

const Provider& portable() { return all().front(); }

const Provider& best() { return all().back(); }

}  // namespace quoll::crypto
