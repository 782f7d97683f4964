#include "crypto/hmac.h"

namespace quoll::crypto {

Hmac::Hmac(const HashAlgorithm& algorithm, Bytes key) : inner_(algorithm) {
  // RFC 2104 §2: a key longer than a block is hashed, a shorter one is filled up with zeros.
  std::array<uint8_t, kHashBlockSizeMax> padded{};
  const Bytes block = Bytes(padded).first(algorithm.block_size);
  if (key.size() > block.size()) {
    copy_bytes(padded.data(), hash(algorithm, key));
  } else {
    copy_bytes(padded.data(), key);
  }
  for (uint8_t& byte : padded) byte ^= 0x36;
  inner_.update(block);
  for (uint8_t& byte : padded) byte ^= 0x36 ^ 0x5c;
  algorithm.init(outer_);
  algorithm.blocks(outer_, block.data(), 1);
  ct::wipe(padded);
}

Hmac& Hmac::update(Bytes data) {
  inner_.update(data);
  return *this;
}

Digest Hmac::digest() const {
  // Every digest is shorter than a block, so the outer hash is one finish.
  const HashAlgorithm& algorithm = inner_.algorithm();
  Digest digest(algorithm.digest_size);
  inner_.digest_into(digest.data());
  HashState outer = outer_;
  algorithm.finish(outer, digest.bytes(), algorithm.block_size + digest.size(), digest.data());
  ct::wipe(outer);
  return digest;
}

Digest hmac(const HashAlgorithm& algorithm, Bytes key, Bytes message) {
  return Hmac(algorithm, key).update(message).digest();
}

}  // namespace quoll::crypto
