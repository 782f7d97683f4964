// What the tests of SHA-3 and of ML-KEM share: hashing through a raw table, squeezing, hexadecimal.
#pragma once

#include <string>
#include <vector>

#include "crypto/keccak.h"
#include "crypto/provider.h"

namespace quoll::tests {

inline std::string hex(Bytes bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

/// Every implementation that runs here of one hash function.
inline std::vector<const crypto::HashAlgorithm*> sha3_implementations(crypto::HashId id) {
  std::vector<const crypto::HashAlgorithm*> list;
  for (const auto* catalogue : {&crypto::native_catalogue(), &crypto::portable_catalogue()}) {
    for (const crypto::HashAlgorithm* entry : catalogue->hashes) {
      if (entry->id == id && entry->runs_on(crypto::cpu::features(), crypto::cpu::cap())) list.push_back(entry);
    }
  }
  return list;
}

inline std::vector<uint8_t> sha3_digest(const crypto::HashAlgorithm& algorithm, Bytes message) {
  crypto::HashState state;
  algorithm.init(state);
  const size_t blocks = message.size() / algorithm.block_size;
  algorithm.blocks(state, message.data(), blocks);
  std::vector<uint8_t> digest(algorithm.digest_size);
  algorithm.finish(state, message.subspan(blocks * algorithm.block_size), message.size(), digest.data());
  return digest;
}

inline std::vector<uint8_t> squeezed(crypto::Shake shake, size_t size) {
  std::vector<uint8_t> out(size);
  shake.squeeze(out);
  return out;
}

}  // namespace quoll::tests
