// BodySource: bytes of a message's body that are asked for as there is room to send them.
//
// Backpressure is in the asking: a source that reads a file or makes its bytes does so when flow control and the send
// buffer take them, and not before. A slice may outlive its source. Sources are used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/slice.h"

namespace quoll::web {

class BodySource {
 public:
  struct Piece {
    Slice data;
    bool end = false;  // nothing follows
  };
  virtual ~BodySource() = default;
  /// The next bytes, at most `max` (not 0), and some unless it is the end. An Error ends the message with a reset: what
  /// was promised cannot be kept.
  [[nodiscard]] virtual Result<Piece> next(size_t max) = 0;
  /// Bytes in all, if that is known.
  virtual std::optional<uint64_t> size() const { return {}; }
  /// Begins anew, for a request that goes out again. False: it cannot.
  virtual bool rewind() { return false; }
};

/// A text of its own.
std::unique_ptr<BodySource> text_body(std::string text);

}  // namespace quoll::web
