// quoll version: the version, and the implementation that the processor (under QUOLL_CPU's cap) gets for each
// algorithm.
#include <cstdio>

#include "app/commands.h"
#include "app/options.h"
#include "base/version.h"
#include "crypto/provider.h"

namespace quoll::app {
namespace {

void line(std::string_view algorithm, const crypto::Implementation* implementation) {
  std::printf("  %-20.*s %.*s\n", static_cast<int>(algorithm.size()), algorithm.data(),
              static_cast<int>(implementation->implementation.size()), implementation->implementation.data());
}

constexpr Usage kUsage = {.command = "quoll version",
                          .operands = "",
                          .summary = "Prints the version, and which implementation serves each algorithm.",
                          .options = {}};

}  // namespace

int version(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kUsage, arguments);
  if (!parsed) return parsed.error();
  const crypto::Provider& provider = crypto::best();
  std::printf("quoll %s (processor tier: %.*s)\n", kVersion, static_cast<int>(provider.name.size()),
              provider.name.data());
  for (const auto* aead : {provider.aes_128_gcm, provider.aes_256_gcm, provider.chacha20_poly1305}) {
    line(aead->name, aead);
  }
  for (const auto* mask : {provider.header_aes_128, provider.header_aes_256, provider.header_chacha20}) {
    line(mask->name, mask);
  }
  for (const auto* hash : {provider.sha256, provider.sha384, provider.sha512, provider.sha3_256, provider.sha3_512}) {
    line(hash->name, hash);
  }
  for (const auto* group : {provider.x25519, provider.p256, provider.p384}) line(group->name, group);
  line("ECDSA P-256", provider.ecdsa_p256);
  line("ECDSA P-384", provider.ecdsa_p384);
  line("Ed25519", provider.ed25519);
  line("RSA", provider.rsa);
  line("ML-KEM-768", provider.mlkem768);
  return 0;
}

}  // namespace quoll::app
