// Outgoing: bytes that wait until a stream takes them, the encoder stream's or the decoder stream's. A queue in one piece,
// whose memory is used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

namespace quoll::qpack {

class Outgoing {
 public:
  /// To append to.
  std::vector<uint8_t>& tail() { return bytes_; }
  Bytes pending() const { return Bytes(bytes_).subspan(sent_); }
  size_t size() const { return bytes_.size() - sent_; }

  /// The first `size` of pending() were sent.
  void sent(size_t size) {
    QUOLL_CHECK(size <= this->size());
    sent_ += size;
    if (sent_ == bytes_.size()) {
      bytes_.clear();
      sent_ = 0;
    } else if (sent_ > kMoveAt && sent_ > bytes_.size() / 2) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(sent_));
      sent_ = 0;
    }
  }

 private:
  static constexpr size_t kMoveAt = 1024;

  std::vector<uint8_t> bytes_;
  size_t sent_ = 0;
};

}  // namespace quoll::qpack
