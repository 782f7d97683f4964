// How many streams of a kind there may be (RFC 9000 §4.6): OwnStreams, which we open as the peer allows, and
// PeerStreams, which the peer opens as we allow. Limits count all streams ever; ours moves on as streams are forgotten,
// so that at most `max_open` exist at a time.
#pragma once

#include <algorithm>
#include <utility>

#include "quic/stream/flow_control.h"
#include "quic/wire/types.h"

namespace quoll::quic {

class OwnStreams {
 public:
  /// Index of the stream that is opened next.
  uint64_t next_index() const { return next_; }
  uint64_t open_count() const { return open_; }
  PeerLimit& limit() { return limit_; }
  const PeerLimit& limit() const { return limit_; }

  /// Whether the peer lets us open one more.
  bool is_allowed() const { return next_ < limit_.limit(); }
  /// False when that is no more than what we had.
  bool raise_limit(uint64_t limit) {
    const bool raised = limit_.raise(limit);
    // Rejected 0-RTT can leave us with more streams than are allowed now.
    if (next_ > limit_.limit()) limit_.block();
    return raised;
  }
  uint64_t on_opened() {
    open_++;
    return next_++;
  }
  void on_closed() { open_--; }

  /// open() was refused: the application is told when that changes.
  void set_refused() { refused_ = true; }
  bool take_refused() { return std::exchange(refused_, false); }
  bool is_refused() const { return refused_; }
  /// STREAMS_BLOCKED, as long as it is true.
  bool wants_blocked_frame() const { return limit_.wants_to_send(); }

 private:
  PeerLimit limit_{0};
  uint64_t next_ = 0;
  uint64_t open_ = 0;
  bool refused_ = false;
};

class PeerStreams {
 public:
  explicit PeerStreams(uint64_t max_open) : max_open_(std::min(max_open, kStreamCountMax)), limit_(max_open_) {}

  /// Index of the first stream that the peer has not opened.
  uint64_t next_index() const { return next_; }
  uint64_t open_count() const { return next_ - closed_; }
  AnnouncedLimit& limit() { return limit_; }
  const AnnouncedLimit& limit() const { return limit_; }

  uint64_t on_opened() { return next_++; }
  /// One was forgotten. The limit follows in steps of a quarter: not one MAX_STREAMS frame for each stream, and still
  /// most of the streams are there for the peer at any time.
  void on_closed() {
    closed_++;
    if (target() - limit_.granted() >= std::max<uint64_t>(max_open_ / 4, 1)) limit_.grant(target());
  }
  /// The peer waits: no reason to collect more.
  void grant_now() { limit_.grant(target()); }

 private:
  // RFC 9000 §19.11: never above 2^60.
  uint64_t target() const { return std::min(closed_ + max_open_, kStreamCountMax); }

  uint64_t max_open_;
  uint64_t next_ = 0;
  uint64_t closed_ = 0;
  AnnouncedLimit limit_;
};

}  // namespace quoll::quic
