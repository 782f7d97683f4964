#include "crypto/hash.h"

#include <algorithm>

namespace quoll::crypto {

ChainingValue& ChainingValue::operator=(const ChainingValue& other) {
  if (this == &other) return *this;
  ct::wipe(&state_, algorithm_->state_size);  // of which the other algorithm may use less
  algorithm_ = other.algorithm_;
  copy(other);
  return *this;
}

Hash& Hash::update(Bytes data) {
  const size_t block_size = algorithm().block_size;
  total_ += data.size();
  if (buffered_ > 0) {
    const Bytes head = data.first(std::min(data.size(), block_size - buffered_));
    copy_bytes(buffer_.data() + buffered_, head);
    buffered_ += head.size();
    data = data.subspan(head.size());
    if (buffered_ < block_size) return *this;
    chaining_.absorb(buffer_.data(), 1);
    buffered_ = 0;
  }
  if (data.size() >= block_size) {
    const size_t count = data.size() / block_size;
    chaining_.absorb(data.data(), count);
    data = data.subspan(count * block_size);
  }
  copy_bytes(buffer_.data(), data);
  buffered_ = data.size();
  return *this;
}

Digest Hash::digest() const {
  Digest digest(algorithm().digest_size);
  digest_into(digest.data());
  return digest;
}

void Hash::digest_into(uint8_t* out) const {
  ChainingValue chaining = chaining_;
  chaining.finish(Bytes(buffer_).first(buffered_), total_, out);
}

Digest hash(const HashAlgorithm& algorithm, Bytes message) {
  ChainingValue chaining(algorithm);
  const size_t count = message.size() / algorithm.block_size;
  if (count > 0) chaining.absorb(message.data(), count);
  Digest digest(algorithm.digest_size);
  chaining.finish(message.subspan(count * algorithm.block_size), message.size(), digest.data());
  return digest;
}

}  // namespace quoll::crypto
