#include "quic/stream/receive_stream.h"

#include <algorithm>

namespace quoll::quic {

Result<uint64_t> ReceiveStream::check(uint64_t end, bool is_final, uint64_t frame_type) const {
  // RFC 9000 §4.5: nothing lies beyond the final size, which never changes.
  if (end > final_size_) return close_with(TransportError::final_size_error, "data beyond the final size", frame_type);
  if (is_final && final_size_ != kUnknown && end != final_size_) {
    return close_with(TransportError::final_size_error, "final size changed", frame_type);
  }
  if (is_final && end < highest_) {
    return close_with(TransportError::final_size_error, "final size below received data", frame_type);
  }
  // RFC 9000 §4.1, §19.10.
  if (end > window_.limit().announced()) {
    return close_with(TransportError::flow_control_error, "stream data beyond MAX_STREAM_DATA", frame_type);
  }
  return end - std::min(end, highest_);
}

bool ReceiveStream::insert(uint64_t offset, const Slice& data, bool fin) {
  if (is_reset() || state_ == State::data_recvd || state_ == State::data_read) return true;  // sent twice
  if (!stopped_ && !data.empty() && !buffer_.insert(offset, data)) return false;
  highest_ = std::max(highest_, offset + data.size());
  if (fin) final_size_ = offset + data.size();
  update_state();
  return true;
}

bool ReceiveStream::on_reset(ApplicationErrorCode error, uint64_t final_size) {
  // RFC 9000 §3.2: when all data has arrived, a reset may be ignored; the application gets what it was sent.
  if (state_ != State::recv && state_ != State::size_known) return false;
  highest_ = final_size;
  final_size_ = final_size;
  error_ = error;
  stop_pending_ = false;
  buffer_.clear();
  // Who has said that it wants no more need not be told that no more comes.
  state_ = stopped_ ? State::reset_read : State::reset_recvd;
  return true;
}

bool ReceiveStream::is_readable() const {
  if (stopped_ || is_reset() || state_ == State::data_read) return false;
  return buffer_.is_readable() || buffer_.read_offset() == final_size_;
}

uint64_t ReceiveStream::take_discarded() {
  if (!stopped_ && !is_reset()) return 0;
  return highest_ - std::exchange(returned_, highest_);
}

std::optional<Slice> ReceiveStream::read(size_t max) {
  QUOLL_DCHECK(!stopped_ && !is_reset());
  std::optional<Slice> data = buffer_.read(max);
  if (data) returned_ += data->size();
  return data;
}

bool ReceiveStream::take_end() {
  if (state_ != State::data_recvd || buffer_.read_offset() != final_size_) return false;
  state_ = State::data_read;
  return true;
}

void ReceiveStream::stop(ApplicationErrorCode error) {
  if (stopped_) return;
  // RFC 9000 §3.5: unnecessary once all data or a RESET_STREAM has arrived.
  stop_pending_ = can_stop();
  stopped_ = true;
  if (is_reset()) {
    state_ = State::reset_read;
  } else {
    error_ = error;
    if (state_ == State::data_recvd) state_ = State::data_read;
  }
  buffer_.clear();
}

StopSendingFrame ReceiveStream::stop_frame(StreamId id) const {
  return {.stream_id = id, .application_error_code = static_cast<uint64_t>(error_)};
}

void ReceiveStream::on_stop_acked() {
  stop_acked_ = true;
  stop_pending_ = false;
  update_state();
}

void ReceiveStream::update_state() {
  if (state_ == State::recv && final_size_ != kUnknown) state_ = State::size_known;
  if (state_ != State::size_known) return;
  if (stopped_) {
    if (stop_acked_) state_ = State::data_read;
  } else if (buffer_.contiguous_end() == final_size_) {
    state_ = State::data_recvd;
  }
}

}  // namespace quoll::quic
