#include "tls/transcript.h"

#include "base/check.h"
#include "base/shrink.h"
#include "tls/codepoints.h"

namespace quoll::tls {

void Transcript::add(Bytes message) {
  if (hash_) {
    hash_->update(message);
  } else {
    pending_.insert(pending_.end(), message.begin(), message.end());
  }
}

void Transcript::choose(const crypto::HashAlgorithm& algorithm) {
  if (hash_) {
    QUOLL_CHECK(hash_->algorithm().id == algorithm.id);
    return;
  }
  hash_.emplace(algorithm).update(pending_);
  release(pending_);
}

void Transcript::replace_with_message_hash() {
  const crypto::Digest first_hello = digest();
  const uint8_t header[] = {static_cast<uint8_t>(HandshakeType::message_hash), 0, 0,
                            static_cast<uint8_t>(first_hello.size())};
  const crypto::HashAlgorithm& algorithm = hash_->algorithm();
  hash_.emplace(algorithm).update(header).update(first_hello);
}

crypto::Digest Transcript::digest() const {
  QUOLL_CHECK(hash_.has_value());
  return hash_->digest();
}

crypto::Digest Transcript::digest_with(const crypto::HashAlgorithm& algorithm, Bytes partial_message) const {
  if (!hash_) return crypto::Hash(algorithm).update(pending_).update(partial_message).digest();
  QUOLL_CHECK(hash_->algorithm().id == algorithm.id);
  return crypto::Hash(*hash_).update(partial_message).digest();
}

}  // namespace quoll::tls
