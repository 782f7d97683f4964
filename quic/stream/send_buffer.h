// SendBuffer: the bytes that one stream (or one level of CRYPTO data) has to deliver: held as the application's slices
// until they are acknowledged (RFC 9000 §2.2, §13.3).
//
// Each byte is unsent, in flight, lost or acknowledged. Lost bytes go first. Loss queues ranges, never bytes, and an
// acknowledgement out of order frees what lies at the front only: slices leave in order. The number of separate ranges
// is bounded by what the peer can scatter: beyond the limit neighbouring ranges are merged, which sends some bytes twice.
#pragma once

#include <optional>

#include "base/interval_set.h"
#include "base/ring.h"
#include "base/slice.h"

namespace quoll::quic {

/// Separate lost or acknowledged ranges of a stream.
inline constexpr size_t kSendRangesMax = 1024;
/// Slices that wait in one stream; small writes are copied together, so that this bounds little but the careless.
inline constexpr size_t kSendSlicesMax = size_t{1} << 16;

class SendBuffer {
 public:
  SendBuffer();

  /// Takes over bytes to send; false when kSendSlicesMax wait already.
  [[nodiscard]] bool append(Slice data);
  /// The same by copying; small pieces share a block.
  [[nodiscard]] bool append_copy(Bytes data);

  /// One past the last byte that was appended.
  uint64_t end() const { return end_; }
  /// One past the last byte that was ever sent.
  uint64_t sent_end() const { return sent_end_; }
  /// All before is acknowledged and released.
  uint64_t acked_start() const { return acked_start_; }
  /// Bytes that are held.
  uint64_t held() const { return end_ - acked_start_; }

  /// The next range to send: a lost one, or new bytes below `limit` (the flow control limit, which binds only new ones).
  /// Empty when there is none.
  std::optional<Interval> next(uint64_t limit) const;
  bool has_lost() const { return !lost_.empty(); }
  /// Calls visit(Bytes) for the pieces of a range that is held, in order.
  template <class Visit>
  void for_each_piece(Interval range, Visit visit) const;

  void on_sent(Interval range);
  void on_acked(Interval range);
  /// Parts that are already acknowledged are left out.
  void on_lost(Interval range);
  /// All bytes up to end() are acknowledged.
  bool all_acked() const { return acked_start_ == end_; }
  /// Forgets what was sent: all bytes are to be sent anew (rejected 0-RTT, Retry, another version). None is acknowledged.
  void rewind();
  /// Drops all bytes (a reset stream). end() stays.
  void clear();

 private:
  struct Piece {
    uint64_t offset;
    Slice data;
  };
  Ring<Piece> pieces_;
  IntervalSet lost_;
  IntervalSet acked_;  // above acked_start_
  uint64_t end_ = 0;
  uint64_t sent_end_ = 0;
  uint64_t acked_start_ = 0;
};

}  // namespace quoll::quic
