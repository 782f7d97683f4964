// ReceiveStream: the receiving part of a stream (RFC 9000 §3.2): what has arrived, its final size (§4.5), its window,
// and our wish that it ends (STOP_SENDING, §3.5).
//
// Every byte below highest() is returned to the connection's flow control exactly once: when it is read, or when it is
// thrown away because the stream was reset or stopped. After stop() nothing is kept; the part is over when the peer
// resets it, or when the final size is known and STOP_SENDING is acknowledged.
#pragma once

#include "base/result.h"
#include "quic/stream/flow_control.h"
#include "quic/stream/receive_buffer.h"
#include "quic/wire/error_code.h"
#include "quic/wire/frame.h"

namespace quoll::quic {

class ReceiveStream {
 public:
  enum class State : uint8_t { recv, size_known, data_recvd, data_read, reset_recvd, reset_read };

  ReceiveStream(uint64_t window, uint64_t max_window) : window_(window, max_window) {}

  State state() const { return state_; }
  bool is_stopped() const { return stopped_; }
  bool is_reset() const { return state_ == State::reset_recvd || state_ == State::reset_read; }
  /// Nothing more comes of it, and the application knows.
  bool is_terminal() const { return state_ == State::data_read || state_ == State::reset_read; }
  ApplicationErrorCode error() const { return error_; }
  const ReceiveBuffer& buffer() const { return buffer_; }
  ReceiveWindow& window() { return window_; }
  const ReceiveWindow& window() const { return window_; }

  /// What counts for flow control: one past the last byte that the peer has sent.
  uint64_t highest() const { return highest_; }
  /// Bytes that were returned to the connection's flow control.
  uint64_t returned() const { return returned_; }

  // What arrives.

  /// Whether a frame may speak of bytes up to `end`, and of `end` as the final size: by how much highest() grows, or
  /// FINAL_SIZE_ERROR or FLOW_CONTROL_ERROR.
  [[nodiscard]] Result<uint64_t> check(uint64_t end, bool is_final, uint64_t frame_type) const;
  /// After check(). False when the buffer refuses; nothing changed then.
  [[nodiscard]] bool insert(uint64_t offset, const Slice& data, bool fin);
  /// After check(): RESET_STREAM. False when it comes too late to matter.
  bool on_reset(ApplicationErrorCode error, uint64_t final_size);
  /// Something to read: bytes, or the end.
  bool is_readable() const;
  /// Bytes that were thrown away, and that connection flow control has not got back yet; they are returned by this.
  uint64_t take_discarded();

  /// Gives back memory that nothing is in.
  void trim() { buffer_.trim(); }

  // The application.

  /// The next bytes. Neither stopped nor reset.
  std::optional<Slice> read(size_t max);
  /// All was read up to the end: true once.
  bool take_end();
  /// The application knows of the reset.
  void on_reset_told() { state_ = State::reset_read; }
  void stop(ApplicationErrorCode error);

  // Control frames.

  bool wants_stop_frame() const { return stop_pending_; }
  StopSendingFrame stop_frame(StreamId id) const;
  void on_stop_sent() { stop_pending_ = false; }
  void on_stop_acked();
  void on_stop_lost() { stop_pending_ = stopped_ && !stop_acked_ && can_stop(); }
  /// RFC 9000 §13.3: MAX_STREAM_DATA is pointless once the final size is known, or nothing is wanted.
  bool wants_limit_frame() const { return window_.limit().wants_to_send() && state_ == State::recv && !stopped_; }
  /// 0-RTT was rejected: the peer has not seen a STOP_SENDING.
  void rewind() { on_stop_lost(); }

 private:
  static constexpr uint64_t kUnknown = UINT64_MAX;

  // RFC 9000 §3.5: STOP_SENDING is for streams whose end has not come.
  bool can_stop() const { return state_ == State::recv || state_ == State::size_known; }
  void update_state();

  ReceiveBuffer buffer_;
  ReceiveWindow window_;
  uint64_t highest_ = 0;
  uint64_t returned_ = 0;
  uint64_t final_size_ = kUnknown;
  ApplicationErrorCode error_{};  // of RESET_STREAM, and before that of STOP_SENDING
  State state_ = State::recv;
  bool stopped_ = false;
  bool stop_pending_ = false;
  bool stop_acked_ = false;
};

}  // namespace quoll::quic
