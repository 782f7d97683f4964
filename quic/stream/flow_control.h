// Flow control by limits that only grow (RFC 9000 §4): the same two objects serve data of the connection, data of a
// stream, and numbers of streams.
//
// AnnouncedLimit is one that we give: MAX_DATA, MAX_STREAM_DATA or MAX_STREAMS. It is sent when it grows and again when
// the frame that carried the newest value is lost (§13.3). PeerLimit is one that we were given: who stands before it says
// so once for each limit (DATA_BLOCKED, STREAM_DATA_BLOCKED, STREAMS_BLOCKED), and again when that was lost and he still
// stands there. ReceiveWindow decides how far an AnnouncedLimit for data goes: it follows what the application consumes,
// and it doubles when a quarter of it is consumed within a round trip (§4.2). Nobody here writes frames or counts what
// arrives.
#pragma once

#include "base/time.h"
#include "base/varint.h"

namespace quoll::quic {

class AnnouncedLimit {
 public:
  /// `initial` is what the transport parameters say.
  explicit AnnouncedLimit(uint64_t initial) : granted_(initial), announced_(initial) {}

  /// What the peer can know of, and is held to.
  uint64_t announced() const { return announced_; }
  /// What it is to know.
  uint64_t granted() const { return granted_; }
  void grant(uint64_t limit) {
    // RFC 9000 §4.1: a smaller limit has no effect.
    if (limit <= granted_) return;
    granted_ = limit;
    pending_ = true;
  }

  bool wants_to_send() const { return pending_; }
  void on_sent() {
    announced_ = granted_;
    pending_ = false;
  }
  // RFC 9000 §13.3: only the loss of the most recent frame matters.
  void on_lost(uint64_t limit) { pending_ |= limit == announced_; }
  /// Nobody needs it any more.
  void cancel() { pending_ = false; }

 private:
  uint64_t granted_;
  uint64_t announced_;
  bool pending_ = false;
};

class PeerLimit {
 public:
  explicit PeerLimit(uint64_t limit) : limit_(limit) {}

  uint64_t limit() const { return limit_; }
  /// False when that is no more than what we had.
  bool raise(uint64_t limit) {
    // RFC 9000 §4.1, §4.6: limits that do not grow are ignored.
    if (limit <= limit_) return false;
    limit_ = limit;
    unblock();
    return true;
  }
  /// Rejected 0-RTT: the limit was another connection's.
  void forget() {
    limit_ = 0;
    unblock();
  }

  /// We would go on, but for the limit.
  void block() {
    if (blocked_) return;
    blocked_ = true;
    pending_ = true;
  }
  /// We do not want to go on.
  void unblock() {
    blocked_ = false;
    pending_ = false;
  }
  bool is_blocked() const { return blocked_; }

  bool wants_to_send() const { return pending_; }
  void on_sent() { pending_ = false; }
  void on_lost(uint64_t limit) { pending_ |= blocked_ && limit == limit_; }

 private:
  uint64_t limit_;
  bool blocked_ = false;
  bool pending_ = false;
};

class ReceiveWindow {
 public:
  /// Windows in bytes: the first one, which the transport parameters announce, and the largest.
  ReceiveWindow(uint64_t size, uint64_t max_size);

  AnnouncedLimit& limit() { return limit_; }
  const AnnouncedLimit& limit() const { return limit_; }
  uint64_t size() const { return size_; }
  uint64_t consumed() const { return consumed_; }

  /// Data arrives: from the first on time is measured.
  void on_data(Instant now) {
    if (measured_since_.is_never()) measured_since_ = now;
  }
  /// The application took `size` bytes, or they were thrown away. The limit grows once a quarter of the window is used.
  void consume(uint64_t size, Instant now, Duration smoothed_rtt);
  /// The window becomes at least as large, within its maximum.
  void widen(uint64_t size);
  /// The peer waits: tells it the limit although less than a quarter is used. What is used from then on counts anew, and so does
  /// time.
  void grant_now(Instant now) {
    limit_.grant(target());
    measured_since_ = now;
  }

 private:
  uint64_t target() const { return consumed_ > kVarintMax - size_ ? kVarintMax : consumed_ + size_; }

  uint64_t size_;
  uint64_t max_size_;
  uint64_t consumed_ = 0;
  Instant measured_since_ = Instant::never();
  AnnouncedLimit limit_;
};

}  // namespace quoll::quic
