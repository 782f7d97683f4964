#include "crypto/hash.h"

#include <algorithm>

namespace quoll::crypto {

Hash::Hash(const HashAlgorithm& algorithm) : algorithm_(&algorithm) { algorithm.init(state_); }

Hash::~Hash() {
  ct::wipe(state_);
  ct::wipe(buffer_);
}

Hash& Hash::update(Bytes data) {
  const size_t block_size = algorithm_->block_size;
  total_ += data.size();
  if (buffered_ > 0) {
    const Bytes head = data.first(std::min(data.size(), block_size - buffered_));
    copy_bytes(buffer_.data() + buffered_, head);
    buffered_ += head.size();
    data = data.subspan(head.size());
    if (buffered_ < block_size) return *this;
    algorithm_->blocks(state_, buffer_.data(), 1);
    buffered_ = 0;
  }
  if (data.size() >= block_size) {
    const size_t count = data.size() / block_size;
    algorithm_->blocks(state_, data.data(), count);
    data = data.subspan(count * block_size);
  }
  copy_bytes(buffer_.data(), data);
  buffered_ = data.size();
  return *this;
}

Digest Hash::digest() const {
  Digest digest(algorithm_->digest_size);
  digest_into(digest.data());
  return digest;
}

void Hash::digest_into(uint8_t* out) const {
  HashState state = state_;
  algorithm_->finish(state, Bytes(buffer_).first(buffered_), total_, out);
  ct::wipe(state);
}

Digest hash(const HashAlgorithm& algorithm, Bytes message) {
  HashState state;
  algorithm.init(state);
  const size_t count = message.size() / algorithm.block_size;
  if (count > 0) algorithm.blocks(state, message.data(), count);
  Digest digest(algorithm.digest_size);
  algorithm.finish(state, message.subspan(count * algorithm.block_size), message.size(), digest.data());
  ct::wipe(state);
  return digest;
}

}  // namespace quoll::crypto
