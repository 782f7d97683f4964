// PieceCursor: reads a plaintext that lies in pieces as if it were one range.
//
// The ciphers of crypto/ work in chunks. next() gives a chunk where it lies when one piece holds all of it, which is
// the common case and costs no copy; a chunk that spans pieces is put together in the caller's staging memory. Bytes
// are read only when their chunk is asked for, and only they, so sealing in place is safe chunk by chunk.
#pragma once

#include <algorithm>
#include <span>

#include "base/bytes.h"

namespace quoll::crypto {

class PieceCursor {
 public:
  explicit PieceCursor(std::span<const Bytes> pieces) : rest_(pieces) {}

  static size_t total_size(std::span<const Bytes> pieces) {
    size_t total = 0;
    for (const Bytes piece : pieces) total += piece.size();
    return total;
  }

  /// The next `size` bytes, of which there are that many; they stay valid until `staging` (of at least `size` bytes) is
  /// written again.
  const uint8_t* next(size_t size, uint8_t* staging) {
    if (left_ < size) [[unlikely]]
      return assemble(size, staging);
    const uint8_t* here = at_;
    at_ += size;
    left_ -= size;
    return here;
  }

 private:
  const uint8_t* assemble(size_t size, uint8_t* staging) {
    if (left_ == 0) skip_empty();
    if (left_ >= size) return next(size, staging);
    for (size_t done = 0; done < size;) {
      if (left_ == 0) skip_empty();
      const size_t part = std::min(left_, size - done);
      copy_bytes(staging + done, {at_, part});
      at_ += part;
      left_ -= part;
      done += part;
    }
    return staging;
  }

  /// Moves to the next piece that has bytes. There is one.
  void skip_empty() {
    do {
      at_ = rest_.front().data();
      left_ = rest_.front().size();
      rest_ = rest_.subspan(1);
    } while (left_ == 0);
  }

  std::span<const Bytes> rest_;  // pieces not begun
  const uint8_t* at_ = nullptr;  // the rest of the piece begun
  size_t left_ = 0;
};

}  // namespace quoll::crypto
