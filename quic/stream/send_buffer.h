// SendBuffer: the bytes that one stream (or one level of CRYPTO data) has to deliver: held as the application's slices
// until they are acknowledged (RFC 9000 §2.2, §13.3).
//
// Each byte is unsent, in flight, lost or acknowledged. Lost bytes go first. Loss queues ranges, never bytes, and an
// acknowledgement out of order frees nothing until what lies before it is acknowledged too: slices leave in order. The
// number of separate ranges is bounded by what the peer can scatter: beyond the limit neighbouring lost ranges are
// merged, and an acknowledgement that finds no place counts as a loss, so that some bytes are sent twice.
//
// A range is found by binary search over the slices, and without it when sending goes on where it stopped. Nothing is
// allocated for a packet that is sent, acknowledged or lost, once warm. With the last byte all memory is given back but
// what the next message needs (a ring of kSendPiecesKept pieces, a block): that goes with trim().
// The end of a stream (FIN) is no byte: it is the stream's matter.
#pragma once

#include <algorithm>
#include <optional>

#include "base/interval_set.h"
#include "base/ring.h"
#include "base/slice.h"

namespace quoll::quic {

/// Separate lost or acknowledged ranges of a stream.
inline constexpr size_t kSendRangesMax = 1024;
/// Slices that wait in one stream; small writes are copied together, so that this bounds little but the careless.
inline constexpr size_t kSendSlicesMax = size_t{1} << 16;
/// Slices below this size are copied: to hold one, and to gather it into a packet, costs more.
inline constexpr size_t kSendSliceSizeMin = 64;
/// Blocks that copied bytes share; they grow with what is held.
inline constexpr size_t kSendBlockMin = 1024 - 64;
inline constexpr size_t kSendBlockMax = 16 * 1024 - 64;
/// What an empty buffer keeps: places for pieces, and a block of the smallest size.
inline constexpr size_t kSendPiecesKept = 64;

class SendBuffer {
 public:
  SendBuffer();

  /// Takes over bytes to send; false, and nothing taken, when kSendSlicesMax wait already, or after clear().
  [[nodiscard]] bool append(Slice data);
  /// The same by copying; small pieces share a block.
  [[nodiscard]] bool append_copy(Bytes data);

  /// One past the last byte that was appended.
  uint64_t end() const { return end_; }
  /// One past the last byte that was ever sent (since rewind()).
  uint64_t sent_end() const { return sent_end_; }
  /// All before is acknowledged and released.
  uint64_t acked_start() const { return acked_start_; }
  /// Bytes that are held.
  uint64_t held() const { return end_ - acked_start_; }

  /// The next range to send: a lost one, or new bytes below `limit` (the flow control limit, which binds only new ones).
  /// Empty when there is none. A part from its front may be sent.
  std::optional<Interval> next(uint64_t limit) const;
  bool has_lost() const { return !lost_.empty(); }
  /// Calls visit(Bytes) for the pieces of a range that is held, in order.
  template <class Visit>
  void for_each_piece(Interval range, Visit visit) const;

  /// A range that begins at sent_end() or below is in flight.
  void on_sent(Interval range);
  /// What was not sent (since rewind()) is left out.
  void on_acked(Interval range);
  /// Parts that are already acknowledged, or were not sent, are left out.
  void on_lost(Interval range);
  /// All bytes up to end() are acknowledged.
  bool all_acked() const { return acked_start_ == end_; }
  /// Forgets what was sent: all bytes are to be sent anew (rejected 0-RTT, Retry, another version). None is acknowledged;
  /// if some were, those that are released stay so.
  void rewind();
  /// Drops all bytes, and takes no more (a reset stream). end() and sent_end() stay.
  void clear();
  /// Gives back what an empty buffer keeps.
  void trim();

 private:
  struct Piece {
    uint64_t offset;
    Slice data;

    uint64_t end() const { return offset + data.size(); }
    bool covers(uint64_t value) const { return offset <= value && value < end(); }
  };

  void push(Slice data);
  void push_copy(Bytes data);
  uint64_t piece_at(uint64_t offset) const;
  uint64_t search_piece(uint64_t offset) const;
  void mark_lost(Interval range);
  void advance(uint64_t acked_start);
  void on_empty();

  Ring<Piece> pieces_;
  mutable uint64_t cursor_ = 0;  // the piece that was visited last: where sending probably goes on
  Buffer block_;                 // of copied bytes: the last one
  size_t block_used_ = 0;
  IntervalSet lost_;
  IntervalSet acked_;  // above acked_start_
  uint64_t end_ = 0;
  uint64_t sent_end_ = 0;
  uint64_t acked_start_ = 0;
  bool cleared_ = false;
};

/// The piece that holds a byte: the one visited last, the one behind it, or a search.
inline uint64_t SendBuffer::piece_at(uint64_t offset) const {
  const Piece* last = pieces_.find(cursor_);
  if (last && last->covers(offset)) return cursor_;
  const Piece* following = pieces_.find(cursor_ + 1);
  if (following && following->covers(offset)) return cursor_ + 1;
  return search_piece(offset);
}

template <class Visit>
void SendBuffer::for_each_piece(Interval range, Visit visit) const {
  QUOLL_DCHECK(range.start >= acked_start_ && range.start <= range.end && range.end <= end_);
  if (range.empty()) return;
  uint64_t number = piece_at(range.start);
  for (uint64_t at = range.start; at < range.end; number++) {
    const Piece& piece = pieces_[number];
    const uint64_t to = std::min(piece.end(), range.end);
    visit(piece.data.bytes().subspan(static_cast<size_t>(at - piece.offset), static_cast<size_t>(to - at)));
    at = to;
    cursor_ = number;
  }
}

}  // namespace quoll::quic
