// HMAC (RFC 2104) over any of the hash functions.
#pragma once

#include "crypto/hash.h"

namespace quoll::crypto {

/// A running HMAC: a plain value that can be copied, so a key is prepared once and used for many messages.
class Hmac {
 public:
  Hmac(const HashAlgorithm& algorithm, Bytes key);
  Hmac(const Hmac&) = default;
  Hmac& operator=(const Hmac&) = default;
  ~Hmac() { ct::wipe(outer_); }

  Hmac& update(Bytes data);

  /// The code of all that was fed; the computation may go on.
  Digest digest() const;

 private:
  Hash inner_;
  HashState outer_;  // has absorbed the outer padded key, one block
};

Digest hmac(const HashAlgorithm& algorithm, Bytes key, Bytes message);

}  // namespace quoll::crypto
