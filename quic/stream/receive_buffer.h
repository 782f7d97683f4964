// ReceiveBuffer: puts the bytes of a stream (or of one level of CRYPTO data) in order (RFC 9000 §2.2).
//
// Data is held as slices of the datagrams that brought it, unless these pin far more memory than they hold: then bytes
// are copied into blocks of their own. Bytes that are there twice are kept once, the first copy. Memory is bounded by the
// flow control window that the caller enforces: what is held is at most a small multiple of the bytes that it allows, and
// the number of gaps has a limit, beyond which data is refused; the caller then leaves the packet unacknowledged, so that
// nothing is lost.
#pragma once

#include <optional>

#include "base/interval_set.h"
#include "base/slice.h"

namespace quoll::quic {

/// Gaps between the pieces that wait.
inline constexpr size_t kReceiveGapsMax = 1024;
/// Memory that slices may keep alive for each byte that they hold, before they are copied out.
inline constexpr size_t kPinnedFactorMax = 4;

class ReceiveBuffer {
 public:
  ReceiveBuffer();
  ~ReceiveBuffer();

  /// Takes data at an offset. False when it would leave too many gaps; nothing changed then.
  [[nodiscard]] bool insert(uint64_t offset, Slice data);
  /// The next bytes in order, at most `max`; empty when there are none yet.
  std::optional<Slice> read(size_t max);
  /// All up to here was read.
  uint64_t read_offset() const { return read_offset_; }
  /// All up to here has arrived.
  uint64_t contiguous_end() const;
  /// Bytes can be read.
  bool is_readable() const { return contiguous_end() > read_offset_; }
  /// Bytes that wait, in order or not; and the memory that is kept for them.
  uint64_t held() const;
  size_t memory() const;
  /// Drops all that waits, and all that comes.
  void clear();

 private:
  // (the implementation's)
  uint64_t read_offset_ = 0;
};

}  // namespace quoll::quic
