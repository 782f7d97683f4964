#include "quic/stream/send_stream.h"

#include <algorithm>

namespace quoll::quic {

size_t SendStream::room(uint64_t buffer_max) const {
  const uint64_t held = buffer_.held();
  // RFC 9000 §19.8: no offset is beyond 2^62-1.
  return held >= buffer_max ? 0 : static_cast<size_t>(std::min(buffer_max - held, kVarintMax - buffer_.end()));
}

bool SendStream::append(Slice data) {
  QUOLL_DCHECK(!finished_ && !is_reset());
  const bool taken = buffer_.append(std::move(data));
  update_blocked();
  return taken;
}

bool SendStream::append_copy(Bytes data) {
  QUOLL_DCHECK(!finished_ && !is_reset());
  const bool taken = buffer_.append_copy(data);
  update_blocked();
  return taken;
}

void SendStream::finish() {
  QUOLL_DCHECK(!finished_ && !is_reset());
  finished_ = true;
  waits_for_room_ = false;
}

void SendStream::reset(ApplicationErrorCode error, bool stopped) {
  // RFC 9000 §3.1: after all data is acknowledged there is nothing to reset. §13.3: a reset never changes.
  if (is_terminal() || is_reset()) return;
  final_size_ = buffer_.sent_end();
  error_ = error;
  stopped_ = stopped;
  reset_pending_ = true;
  waits_for_room_ = false;
  state_ = State::reset_sent;
  limit_.unblock();
  buffer_.clear();
}

bool SendStream::take_room_news(uint64_t buffer_max) {
  // A quarter free is worth a call; each packet's worth is not.
  if (!waits_for_room_ || buffer_.held() > buffer_max - buffer_max / 4) return false;
  waits_for_room_ = false;
  return true;
}

SendNeed SendStream::need() const {
  if (is_reset() || is_terminal()) return SendNeed::nothing;
  if (buffer_.has_lost()) return SendNeed::no_credit;
  if (buffer_.sent_end() < buffer_.end()) {
    return buffer_.sent_end() < limit_.limit() ? SendNeed::credit : SendNeed::nothing;
  }
  return fin_is_due() ? SendNeed::no_credit : SendNeed::nothing;
}

std::optional<Interval> SendStream::next(uint64_t credit) const {
  if (is_reset() || is_terminal()) return {};
  // RFC 9000 §4.1: both limits bind new bytes only. What was sent once has its credit.
  const uint64_t sent = buffer_.sent_end();
  const uint64_t allowed = credit > limit_.limit() - std::min(sent, limit_.limit()) ? limit_.limit() : sent + credit;
  if (const std::optional<Interval> range = buffer_.next(allowed)) return range;
  if (fin_is_due() && sent == buffer_.end()) return Interval{sent, sent};
  return {};
}

uint64_t SendStream::on_data_sent(Interval range, bool fin) {
  const uint64_t before = buffer_.sent_end();
  if (!range.empty()) buffer_.on_sent(range);
  if (fin) fin_in_flight_ = true;
  if (state_ == State::ready) state_ = State::send;
  if (fin) state_ = State::data_sent;
  update_blocked();
  return buffer_.sent_end() - before;
}

void SendStream::on_data_acked(Interval range, bool fin) {
  if (is_reset() || is_terminal()) return;
  // Of rejected 0-RTT nothing is acknowledged; whatever is said of bytes that were not sent since is not believed.
  range.end = std::min(range.end, buffer_.sent_end());
  if (range.start < range.end) buffer_.on_acked(range);
  if (fin && state_ == State::data_sent) fin_acked_ = true;
  update_state();
}

void SendStream::on_data_lost(Interval range, bool fin) {
  // RFC 9000 §13.3: nothing is repeated after a reset.
  if (is_reset() || is_terminal()) return;
  range.end = std::min(range.end, buffer_.sent_end());
  if (range.start < range.end) buffer_.on_lost(range);
  if (fin) fin_in_flight_ = false;
}

void SendStream::rewind() {
  if (is_terminal()) return;
  state_ = is_reset() ? State::reset_sent : State::ready;
  fin_in_flight_ = false;
  fin_acked_ = false;
  reset_pending_ = is_reset();
  // The peer saw no byte: a final size beyond zero would ask for credit that nobody gave.
  final_size_ = 0;
  if (!is_reset()) buffer_.rewind();
  limit_.forget();
  update_blocked();
}

ResetStreamFrame SendStream::reset_frame(StreamId id) const {
  return {.stream_id = id, .application_error_code = static_cast<uint64_t>(error_), .final_size = final_size_};
}

void SendStream::on_reset_acked() {
  if (state_ != State::reset_sent) return;
  state_ = State::reset_recvd;
  reset_pending_ = false;
}

void SendStream::on_reset_lost() {
  if (state_ == State::reset_sent) reset_pending_ = true;
}

void SendStream::raise_limit(uint64_t limit) {
  if (limit_.raise(limit)) update_blocked();
}

void SendStream::on_blocked_sent() {
  limit_.on_sent();
  if (state_ == State::ready) state_ = State::send;
}

void SendStream::update_blocked() {
  if (is_reset() || buffer_.sent_end() == buffer_.end() || buffer_.sent_end() < limit_.limit()) return;
  limit_.block();
}

void SendStream::update_state() {
  if (state_ == State::data_sent && fin_acked_ && buffer_.all_acked()) state_ = State::data_recvd;
}

}  // namespace quoll::quic
