// A visitor that keeps what parse_frames() gave it as plain values to compare, and writes each frame again.
#pragma once

#include <vector>

#include "quic/wire/frame_reader.h"
#include "quic/wire/frame_writer.h"

namespace quoll::tests {

/// A frame taken apart: its first type, its numbers in order, its bytes.
struct CollectedFrame {
  quic::FrameType type = quic::FrameType::padding;
  std::vector<uint64_t> numbers;
  std::vector<uint8_t> bytes;

  friend bool operator==(const CollectedFrame&, const CollectedFrame&) = default;
};

/// The bytes that write_frame() makes; empty when Counter and Writer disagree on the size.
template <class Frame, class... Options>
std::vector<uint8_t> written(const Frame& frame, Options... options) {
  std::vector<uint8_t> out(quic::frame_size(frame, options...));
  Writer writer(out);
  quic::write_frame(writer, frame, options...);
  if (!writer.ok() || writer.size() != out.size()) out.clear();
  return out;
}

inline std::vector<uint8_t> written(const quic::AckFrame& frame) {
  IntervalSet set(quic::kAckRangesMax, IntervalSet::WhenFull::refuse);
  for (const Interval range : frame.ranges) (void)set.insert(range);
  const quic::AckFields fields{.ack_delay = frame.ack_delay, .ecn = frame.ecn};
  Counter counter;
  quic::write_ack(counter, set, fields, set.size());
  std::vector<uint8_t> out(counter.size());
  Writer writer(out);
  quic::write_ack(writer, set, fields, set.size());
  if (!writer.ok() || writer.size() != out.size()) out.clear();
  return out;
}

class FrameCollector {
 public:
  std::vector<CollectedFrame> frames;
  std::vector<uint8_t> rewritten;
  Result<void> answer;  // what on_frame returns

  Result<void> on_frame(const quic::PaddingFrame& f) { return take(f, T::padding, {f.size}); }
  Result<void> on_frame(const quic::PingFrame& f) { return take(f, T::ping, {}); }
  Result<void> on_frame(const quic::AckFrame& f) {
    std::vector<uint64_t> numbers = {f.largest_acknowledged, f.ack_delay, f.ranges.size()};
    for (const Interval range : f.ranges) numbers.insert(numbers.end(), {range.start, range.end});
    if (f.ecn) numbers.insert(numbers.end(), {f.ecn->ect0, f.ecn->ect1, f.ecn->ce});
    return take(f, f.ecn ? T::ack_ecn : T::ack, std::move(numbers));
  }
  Result<void> on_frame(const quic::ResetStreamFrame& f) {
    return take(f, T::reset_stream, {f.stream_id.value(), f.application_error_code, f.final_size});
  }
  Result<void> on_frame(const quic::StopSendingFrame& f) {
    return take(f, T::stop_sending, {f.stream_id.value(), f.application_error_code});
  }
  Result<void> on_frame(const quic::CryptoFrame& f) { return take(f, T::crypto, {f.offset}, f.data); }
  Result<void> on_frame(const quic::NewTokenFrame& f) { return take(f, T::new_token, {}, f.token); }
  Result<void> on_frame(const quic::StreamFrame& f) {
    return take(f, T::stream, {f.stream_id.value(), f.offset, f.fin}, f.data);
  }
  Result<void> on_frame(const quic::MaxDataFrame& f) { return take(f, T::max_data, {f.maximum_data}); }
  Result<void> on_frame(const quic::MaxStreamDataFrame& f) {
    return take(f, T::max_stream_data, {f.stream_id.value(), f.maximum_stream_data});
  }
  Result<void> on_frame(const quic::MaxStreamsFrame& f) {
    return take(f, f.unidirectional ? T::max_streams_uni : T::max_streams_bidi, {f.maximum_streams});
  }
  Result<void> on_frame(const quic::DataBlockedFrame& f) { return take(f, T::data_blocked, {f.maximum_data}); }
  Result<void> on_frame(const quic::StreamDataBlockedFrame& f) {
    return take(f, T::stream_data_blocked, {f.stream_id.value(), f.maximum_stream_data});
  }
  Result<void> on_frame(const quic::StreamsBlockedFrame& f) {
    return take(f, f.unidirectional ? T::streams_blocked_uni : T::streams_blocked_bidi, {f.maximum_streams});
  }
  Result<void> on_frame(const quic::NewConnectionIdFrame& f) {
    std::vector<uint8_t> bytes(f.connection_id.data(), f.connection_id.data() + f.connection_id.size());
    bytes.insert(bytes.end(), f.stateless_reset_token.begin(), f.stateless_reset_token.end());
    return take(f, T::new_connection_id, {f.sequence_number, f.retire_prior_to, f.connection_id.size()}, bytes);
  }
  Result<void> on_frame(const quic::RetireConnectionIdFrame& f) {
    return take(f, T::retire_connection_id, {f.sequence_number});
  }
  Result<void> on_frame(const quic::PathChallengeFrame& f) { return take(f, T::path_challenge, {}, f.data); }
  Result<void> on_frame(const quic::PathResponseFrame& f) { return take(f, T::path_response, {}, f.data); }
  Result<void> on_frame(const quic::ConnectionCloseFrame& f) {
    return take(f, f.application ? T::connection_close_application : T::connection_close, {f.error_code, f.frame_type},
                f.reason_phrase);
  }
  Result<void> on_frame(const quic::HandshakeDoneFrame& f) { return take(f, T::handshake_done, {}); }
  Result<void> on_frame(const quic::DatagramFrame& f) { return take(f, T::datagram, {}, f.data); }

 private:
  using T = quic::FrameType;

  template <class Frame>
  Result<void> take(const Frame& frame, T type, std::vector<uint64_t> numbers, Bytes bytes = {}) {
    frames.push_back({type, std::move(numbers), {bytes.begin(), bytes.end()}});
    const std::vector<uint8_t> out = written(frame);
    rewritten.insert(rewritten.end(), out.begin(), out.end());
    return answer;
  }
};

}  // namespace quoll::tests
