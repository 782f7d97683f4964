#include "crypto/drbg.h"

#include <algorithm>

#include "crypto/chacha20.h"
#include "crypto/hmac.h"
#include "crypto/portable/sha2.h"

namespace quoll::crypto {
namespace {

// No key serves for two keystreams, so that the nonce may be constant.
constexpr uint8_t kNonce[kChaCha20NonceSize] = {};

/// The first bytes of the key's keystream.
void keystream(const uint8_t* key, MutBytes out) {
  uint8_t block[kChaCha20BlockSize];
  for (uint32_t counter = 0; !out.empty(); counter++) {
    const size_t size = std::min(out.size(), sizeof block);
    chacha20_block(key, counter, kNonce, block);
    copy_bytes(out.data(), Bytes(block).first(size));
    out = out.subspan(size);
  }
  ct::wipe(block);
}

}  // namespace

void Drbg::fill(MutBytes out) {
  // A large request has a key of its own, drawn from the stream, and needs no copy through the buffer. The pieces keep
  // the block counter far from 2^32.
  constexpr size_t kPiece = size_t{1} << 24;
  while (out.size() > kBufferSize) {
    Secret<kSeedSize> once;
    fill(once);
    const MutBytes piece = out.first(std::min(out.size(), kPiece));
    keystream(once.data(), piece);
    out = out.subspan(piece.size());
  }
  while (!out.empty()) {
    if (available_ == 0) refill();
    const size_t size = std::min(out.size(), available_);
    uint8_t* from = buffer_.data() + buffer_.size() - available_;
    copy_bytes(out.data(), {from, size});
    ct::wipe(from, size);
    available_ -= size;
    out = out.subspan(size);
  }
}

void Drbg::reseed(Bytes entropy) {
  key_ = Secret<kSeedSize>(hmac(kSha256Portable, key_, entropy).bytes().first<kSeedSize>());
  ct::wipe(buffer_);
  available_ = 0;
}

void Drbg::refill() {
  std::array<uint8_t, kSeedSize + kBufferSize> fresh;
  keystream(key_.data(), fresh);
  key_ = Secret<kSeedSize>(Bytes(fresh).first<kSeedSize>());
  copy_bytes(buffer_.data(), Bytes(fresh).subspan(kSeedSize));
  available_ = kBufferSize;
  ct::wipe(fresh);
}

}  // namespace quoll::crypto
