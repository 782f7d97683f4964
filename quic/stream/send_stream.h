// SendStream: the sending part of a stream (RFC 9000 §3.1): its bytes, its end, its reset, and the peer's limit.
//
// It is asked what it needs and what to write, and told what was written and what became of it; it writes no frames
// itself. A reset counts as sent once it is decided: nothing else goes out then, and its code and final size never
// change (§13.3), except that rejected 0-RTT makes all that was sent unsaid.
#pragma once

#include "base/result.h"
#include "quic/stream/flow_control.h"
#include "quic/stream/scheduler.h"
#include "quic/stream/send_buffer.h"
#include "quic/wire/error_code.h"
#include "quic/wire/frame.h"

namespace quoll::quic {

class SendStream {
 public:
  enum class State : uint8_t { ready, send, data_sent, data_recvd, reset_sent, reset_recvd };

  explicit SendStream(uint64_t limit) : limit_(limit) {}

  State state() const { return state_; }
  bool is_terminal() const { return state_ == State::data_recvd || state_ == State::reset_recvd; }
  bool is_reset() const { return state_ == State::reset_sent || state_ == State::reset_recvd; }
  /// finish() was called.
  bool is_finished() const { return finished_; }
  /// Reset since the peer wanted no more.
  bool is_stopped() const { return stopped_; }
  ApplicationErrorCode error() const { return error_; }
  const SendBuffer& buffer() const { return buffer_; }
  /// What counts for flow control: one past the last byte ever sent.
  uint64_t sent_end() const { return is_reset() ? final_size_ : buffer_.sent_end(); }

  /// Bytes that were appended and never sent.
  uint64_t unsent() const { return is_reset() ? 0 : buffer_.end() - buffer_.sent_end(); }

  // The application. Neither reset nor finished.

  /// The most bytes that may be appended when `buffer_max` may wait.
  size_t room(uint64_t buffer_max) const;
  [[nodiscard]] bool append(Slice data);
  [[nodiscard]] bool append_copy(Bytes data);
  void finish();
  /// RESET_STREAM, unless a terminal state or a reset came before. `stopped`: the peer asked for it.
  void reset(ApplicationErrorCode error, bool stopped);
  /// A write was cut short: whoever frees room tells.
  void set_waits_for_room() { waits_for_room_ = true; }
  /// True once there is much room again after that.
  bool take_room_news(uint64_t buffer_max);

  /// Gives back memory that nothing is in.
  void trim() { buffer_.trim(); }

  // STREAM frames.

  SendNeed need() const;
  /// What the next STREAM frame carries, new bytes within `credit`: empty when there is nothing; an interval that is
  /// empty for an end without bytes.
  std::optional<Interval> next(uint64_t credit) const;
  /// Whether a frame up to `end` carries the end too.
  bool ends_at(uint64_t end) const { return finished_ && end == buffer_.end(); }
  /// Gives how many of the bytes were new.
  uint64_t on_data_sent(Interval range, bool fin);
  void on_data_acked(Interval range, bool fin);
  void on_data_lost(Interval range, bool fin);
  /// 0-RTT was rejected: nothing was sent.
  void rewind();

  // Control frames.

  bool wants_reset_frame() const { return reset_pending_; }
  ResetStreamFrame reset_frame(StreamId id) const;
  void on_reset_sent() { reset_pending_ = false; }
  void on_reset_acked();
  void on_reset_lost();

  PeerLimit& limit() { return limit_; }
  const PeerLimit& limit() const { return limit_; }
  /// MAX_STREAM_DATA or new transport parameters.
  void raise_limit(uint64_t limit);
  void on_blocked_sent();

 private:
  bool fin_is_due() const { return finished_ && !fin_in_flight_ && !fin_acked_; }
  void update_blocked();
  void update_state();

  SendBuffer buffer_;
  PeerLimit limit_;
  uint64_t final_size_ = 0;  // of a reset
  ApplicationErrorCode error_{};
  State state_ = State::ready;
  bool finished_ = false;
  bool fin_in_flight_ = false;
  bool fin_acked_ = false;
  bool stopped_ = false;
  bool reset_pending_ = false;
  bool waits_for_room_ = false;
};

}  // namespace quoll::quic
