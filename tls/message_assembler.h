// Cuts the handshake bytes of one level into messages (RFC 8446 §4). Messages that lie whole in what arrived are not
// copied; only one that arrives in parts is collected, and never more of it than its type's limit.
#pragma once

#include <optional>
#include <vector>

#include "base/shrink.h"
#include "tls/handshake.h"

namespace quoll::tls {

class MessageAssembler {
 public:
  /// The next whole message, whose bytes are taken off the front of `input`; views live until the next call and as long
  /// as `input`'s bytes. Empty when more bytes are needed: then all of `input` was kept. decode_error for a message of
  /// more than `body_size_max` bytes.
  [[nodiscard]] Result<std::optional<HandshakeMessage>> next(Bytes& input, size_t body_size_max);

  /// Whether a message has begun and is not whole yet.
  bool is_within_message() const { return !part_.empty() && !whole_; }

  /// Forgets everything and gives memory back.
  void reset() {
    release(part_);
    whole_ = false;
  }

 private:
  /// Moves bytes from the front of `input` to part_ until that has `size` bytes; false when input ran out before.
  bool collect(Bytes& input, size_t size);

  std::vector<uint8_t> part_;
  bool whole_ = false;  // part_ holds a message that was given out
};

}  // namespace quoll::tls
