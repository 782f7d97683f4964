// What the tests of hash functions and of what is built on them share: every implementation that runs here, and hex.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/provider.h"

namespace quoll::tests::hashes {

/// Every implementation of every hash function that this processor runs, whatever its tier, under the cap of QUOLL_CPU.
inline std::vector<const crypto::HashAlgorithm*> runnable() {
  std::vector<const crypto::HashAlgorithm*> found;
  for (const crypto::Catalogue* catalogue : {&crypto::portable_catalogue(), &crypto::native_catalogue()}) {
    for (const crypto::HashAlgorithm* hash : catalogue->hashes) {
      if (hash->runs_on(crypto::cpu::features(), crypto::cpu::cap())) found.push_back(hash);
    }
  }
  return found;
}

/// The runnable implementations of one hash function.
inline std::vector<const crypto::HashAlgorithm*> runnable(crypto::HashId id) {
  std::vector<const crypto::HashAlgorithm*> found = runnable();
  std::erase_if(found, [id](const crypto::HashAlgorithm* hash) { return hash->id != id; });
  return found;
}

inline std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// The bytes of lower-case hexadecimal digits; all other characters are skipped.
inline std::vector<uint8_t> unhex(std::string_view text) {
  std::vector<uint8_t> bytes;
  int high = -1;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) continue;
    if (high >= 0) bytes.push_back(static_cast<uint8_t>(high << 4 | digit));
    high = high < 0 ? digit : -1;
  }
  return bytes;
}

}  // namespace quoll::tests::hashes
