// Every primitive in constant-time C++ for any 64-bit or 32-bit host, of either byte order.
#include "crypto/portable/aes.h"
#include "crypto/provider.h"

namespace quoll::crypto {
namespace {

constexpr const Aead* kAeads[] = {&soft::kAes128Gcm, &soft::kAes256Gcm};
constexpr const HeaderProtection* kHeaderProtections[] = {&soft::kHeaderAes128, &soft::kHeaderAes256};

}  // namespace

const Catalogue& portable_catalogue() {
  static constexpr Catalogue catalogue{
      .aeads = kAeads,
      .header_protections = kHeaderProtections,
      .hashes = {},
      .groups = {},
      .ecdsas = {},
      .ed25519s = {},
      .rsas = {},
      .mlkem768s = {},
  };
  return catalogue;
}

}  // namespace quoll::crypto
