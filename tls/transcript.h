// The running hash of all handshake messages (RFC 8446 §4.4.1). A client does not know the hash until the ServerHello,
// so messages are kept until choose() names it.
#pragma once

#include <optional>
#include <vector>

#include "crypto/hash.h"

namespace quoll::tls {

class Transcript {
 public:
  /// `message` with its header.
  void add(Bytes message);

  /// Names the hash; once only (a second call must name the same one).
  void choose(const crypto::HashAlgorithm& algorithm);
  bool is_chosen() const { return hash_.has_value(); }

  /// Replaces what was added so far, a first ClientHello, with a message_hash message (RFC 8446 §4.4.1). The hash is
  /// chosen.
  void replace_with_message_hash();

  /// The hash of all messages so far; the hash is chosen.
  crypto::Digest digest() const;

  /// The hash of all messages so far and a part of the next one, which is not added: for PSK binders, also before the
  /// hash is chosen (then with `algorithm`, which a PSK names).
  crypto::Digest digest_with(const crypto::HashAlgorithm& algorithm, Bytes partial_message) const;

 private:
  std::vector<uint8_t> pending_;  // until the hash is chosen
  std::optional<crypto::Hash> hash_;
};

}  // namespace quoll::tls
