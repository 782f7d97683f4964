// TokenRing: where the recovery tokens of sent frames wait for their packet's fate. One per packet number space.
//
// An owner that writes a frame leaves a small value that says what the frame carried. The tokens of one packet are
// neighbours here, and the packet's entry (sent_packets.h) holds only where they begin and how many there are: so
// recovery knows nothing of frames, the connection chooses the token type (a trivially copyable struct, about 16 bytes,
// best a tag and a union), and no packet allocates. Packets leave the books in order of their numbers, and their tokens
// with them.
#pragma once

#include <type_traits>

#include "base/ring.h"

namespace quoll::quic {

/// The tokens of one packet, as indices of its space's TokenRing.
struct TokenRange {
  uint64_t begin = 0;
  uint16_t count = 0;

  uint64_t end() const { return begin + count; }
};

template <class Token>
class TokenRing {
  static_assert(std::is_trivially_copyable_v<Token>);

 public:
  /// `limit` bounds the frames in flight: a sender that meets it stops adding frames until packets are resolved.
  explicit TokenRing(size_t limit) : ring_(limit) {}

  /// False when the ring is full: the frame must not be written.
  [[nodiscard]] bool push(const Token& token) { return ring_.emplace(token) != nullptr; }
  bool is_full() const { return ring_.size() >= ring_.limit(); }

  /// The tokens that were pushed since the last take(): those of the packet that is now complete.
  TokenRange take() {
    const TokenRange range{taken_, static_cast<uint16_t>(ring_.next() - taken_)};
    taken_ = ring_.next();
    return range;
  }

  const Token& operator[](uint64_t index) const { return ring_[index]; }

  /// Forgets all tokens below `index`: LossDetection::first_token(), once its outcomes are polled.
  void release_below(uint64_t index) {
    while (!ring_.empty() && ring_.first() < index) ring_.pop();
  }
  size_t size() const { return ring_.size(); }
  void trim() { ring_.trim(); }

 private:
  Ring<Token> ring_;
  uint64_t taken_ = 0;
};

}  // namespace quoll::quic
