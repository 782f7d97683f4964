#include "quic/stream/send_buffer.h"

#include "base/varint.h"

namespace quoll::quic {

// One slice more than the limit: a copy may fill up one block and begin another.
SendBuffer::SendBuffer()
    : pieces_(kSendSlicesMax + 1),
      lost_(kSendRangesMax, IntervalSet::WhenFull::refuse),
      acked_(kSendRangesMax, IntervalSet::WhenFull::refuse) {}

bool SendBuffer::append(Slice data) {
  if (data.size() < kSendSliceSizeMin) return append_copy(data.bytes());
  if (cleared_ || pieces_.size() >= kSendSlicesMax) return false;
  push(std::move(data));
  return true;
}

bool SendBuffer::append_copy(Bytes data) {
  if (cleared_ || pieces_.size() >= kSendSlicesMax) return false;
  if (block_.unique()) block_used_ = 0;  // all that was copied into it is acknowledged
  if (const size_t room = std::min(block_.size() - block_used_, data.size()); room != 0) {
    push_copy(data.first(room));
    data = data.subspan(room);
  }
  if (data.empty()) return true;
  const auto wanted = static_cast<size_t>(std::clamp<uint64_t>(held(), kSendBlockMin, kSendBlockMax));
  block_ = Buffer::allocate(std::max(data.size(), wanted));
  block_used_ = 0;
  push_copy(data);
  return true;
}

void SendBuffer::push(Slice data) {
  // RFC 9000 §4.5: a final size is at most 2^62-1; nobody lives to write that much.
  QUOLL_CHECK(data.size() <= kVarintMax - end_);
  const uint64_t offset = end_;
  end_ += data.size();
  QUOLL_CHECK(pieces_.emplace(offset, std::move(data)));
}

/// Copies into the room of the block: as a part of the last piece when that ends where the room begins.
void SendBuffer::push_copy(Bytes data) {
  const Bytes place = block_.bytes().subspan(block_used_, data.size());
  copy_bytes(block_.bytes().data() + block_used_, data);
  block_used_ += data.size();
  const bool grows = !pieces_.empty() && pieces_.back().data.data() + pieces_.back().data.size() == place.data() &&
                     pieces_.back().data.shares_owner_with(block_.slice());
  if (grows) {
    Slice& last = pieces_.back().data;
    last = block_.slice({last.data(), last.size() + data.size()});
    end_ += data.size();
  } else {
    push(block_.slice(place));
  }
}

std::optional<Interval> SendBuffer::next(uint64_t limit) const {
  // RFC 9000 §13.3: what was lost goes before new data.
  if (!lost_.empty()) return lost_.front();
  const uint64_t start = std::max(sent_end_, acked_start_);
  const uint64_t end = std::min(end_, limit);
  if (start >= end) return {};
  return Interval{start, end};
}

uint64_t SendBuffer::search_piece(uint64_t offset) const {
  uint64_t low = pieces_.first(), high = pieces_.next();
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    (pieces_[middle].offset <= offset ? low : high) = middle;
  }
  QUOLL_DCHECK(pieces_[low].covers(offset));
  return low;
}

void SendBuffer::on_sent(Interval range) {
  QUOLL_DCHECK(range.start <= sent_end_ && range.end <= end_);
  // Where no more ranges fit, the middle of a lost range stays lost and is sent once more.
  if (range.start < sent_end_) (void)lost_.erase(range);
  sent_end_ = std::max(sent_end_, range.end);
}

void SendBuffer::on_acked(Interval range) {
  range.end = std::min(range.end, sent_end_);
  range.start = std::max(range.start, acked_start_);
  if (range.start >= range.end) return;
  if (range.start == acked_start_) {
    advance(acked_.first_missing(range.end));
  } else if (acked_.insert(range)) {
    (void)lost_.erase(range);  // if refused: sent once more
  } else {
    // It cannot be remembered, but bytes must not stay in flight for ever.
    mark_lost(range);
  }
}

void SendBuffer::on_lost(Interval range) {
  range.end = std::min(range.end, sent_end_);
  uint64_t at = std::max(range.start, acked_start_);
  while (at < range.end) {
    const uint64_t start = acked_.first_missing(at);
    if (start >= range.end) return;
    const uint64_t end = std::min(acked_.first_present(start), range.end);
    mark_lost({start, end});
    at = end;
  }
}

/// When there are too many lost ranges, this one is joined to the nearer of its neighbours.
void SendBuffer::mark_lost(Interval range) {
  if (lost_.insert(range)) return;
  const Interval* after = std::upper_bound(lost_.begin(), lost_.end(), range.start,
                                           [](uint64_t v, const Interval& interval) { return v < interval.start; });
  const Interval* before = after == lost_.begin() ? nullptr : after - 1;
  if (before && (after == lost_.end() || range.start - before->end <= after->start - range.end)) {
    range.start = before->end;
  } else {
    range.end = after->start;
  }
  QUOLL_CHECK(lost_.insert(range));
}

void SendBuffer::advance(uint64_t acked_start) {
  acked_start_ = acked_start;
  acked_.erase_below(acked_start);
  lost_.erase_below(acked_start);
  while (!pieces_.empty() && pieces_.front().end() <= acked_start) pieces_.pop();
  if (all_acked()) on_empty();
}

void SendBuffer::rewind() {
  sent_end_ = acked_start_;
  acked_.clear();
  lost_.clear();
}

void SendBuffer::clear() {
  acked_start_ = end_;
  acked_.clear();
  lost_.clear();
  cleared_ = true;
  pieces_.clear();
  on_empty();
  trim();
}

void SendBuffer::on_empty() {
  QUOLL_DCHECK(pieces_.empty());
  acked_.trim();
  lost_.trim();
  if (pieces_.capacity() > kSendPiecesKept) pieces_.trim();
  if (block_.size() > kSendBlockMin) block_ = {};
  if (block_.empty()) block_used_ = 0;
}

void SendBuffer::trim() {
  if (!pieces_.empty()) return;
  pieces_.trim();
  block_ = {};
  block_used_ = 0;
}

}  // namespace quoll::quic
