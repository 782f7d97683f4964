// Writing frames (RFC 9000 §19, RFC 9221 §4); ack_frame.h writes ACK frames. Templates over Sink, and frame_size() is
// the same code with a Counter. Values that have no form (above 2^62-1) are bugs of ours.
//
// STREAM, CRYPTO and DATAGRAM frames can be written as a header alone, for data that is gathered from elsewhere. The
// *_data_room() functions say how much data fits behind a header into a room.
#pragma once

#include <optional>

#include "base/writer.h"
#include "quic/wire/frame.h"

namespace quoll::quic {

namespace wire {

template <Sink S>
void write_type(S& sink, FrameType type) {
  sink.varint(static_cast<uint64_t>(type));
}

/// The most data that fits into `room` bytes behind its own length in the shortest form; empty when the length does not fit.
inline std::optional<size_t> room_behind_length(size_t room) {
  std::optional<size_t> most;
  for (const size_t width : {size_t{1}, size_t{2}, size_t{4}, size_t{8}}) {
    if (room >= width)
      most = std::max(most.value_or(0), static_cast<size_t>(std::min<uint64_t>(room - width, varint_max(width))));
  }
  return most;
}

}  // namespace wire

/// Whether a frame tells its length, or extends to the end of the packet and must be the last.
enum class Extent : uint8_t { length, rest_of_packet };

template <Sink S>
void write_frame(S& sink, const PaddingFrame& frame) {
  sink.zeros(frame.size);
}

template <Sink S>
void write_frame(S& sink, const PingFrame&) {
  wire::write_type(sink, FrameType::ping);
}

template <Sink S>
void write_frame(S& sink, const ResetStreamFrame& frame) {
  wire::write_type(sink, FrameType::reset_stream);
  sink.varint(frame.stream_id.value());
  sink.varint(frame.application_error_code);
  sink.varint(frame.final_size);
}

template <Sink S>
void write_frame(S& sink, const StopSendingFrame& frame) {
  wire::write_type(sink, FrameType::stop_sending);
  sink.varint(frame.stream_id.value());
  sink.varint(frame.application_error_code);
}

template <Sink S>
void write_crypto_header(S& sink, uint64_t offset, size_t data_size) {
  QUOLL_DCHECK(data_size <= kVarintMax - offset);
  wire::write_type(sink, FrameType::crypto);
  sink.varint(offset);
  sink.varint(data_size);
}

template <Sink S>
void write_frame(S& sink, const CryptoFrame& frame) {
  write_crypto_header(sink, frame.offset, frame.data.size());
  sink.bytes(frame.data);
}

template <Sink S>
void write_frame(S& sink, const NewTokenFrame& frame) {
  QUOLL_DCHECK(!frame.token.empty());
  wire::write_type(sink, FrameType::new_token);
  sink.varint(frame.token.size());
  sink.bytes(frame.token);
}

/// What stands before the data of a STREAM frame.
struct StreamHeader {
  StreamId stream_id{};
  uint64_t offset = 0;
  size_t data_size = 0;
  bool fin = false;
  Extent extent = Extent::length;
};

template <Sink S>
void write_stream_header(S& sink, const StreamHeader& header) {
  QUOLL_DCHECK(header.data_size <= kVarintMax - header.offset);
  uint64_t type = static_cast<uint64_t>(FrameType::stream) | (header.fin ? kStreamFin : 0);
  if (header.offset != 0) type |= kStreamOff;
  if (header.extent == Extent::length) type |= kStreamLen;
  sink.varint(type);
  sink.varint(header.stream_id.value());
  if (header.offset != 0) sink.varint(header.offset);
  if (header.extent == Extent::length) sink.varint(header.data_size);
}

template <Sink S>
void write_frame(S& sink, const StreamFrame& frame, Extent extent = Extent::length) {
  write_stream_header(sink, {.stream_id = frame.stream_id,
                             .offset = frame.offset,
                             .data_size = frame.data.size(),
                             .fin = frame.fin,
                             .extent = extent});
  sink.bytes(frame.data);
}

template <Sink S>
void write_frame(S& sink, const MaxDataFrame& frame) {
  wire::write_type(sink, FrameType::max_data);
  sink.varint(frame.maximum_data);
}

template <Sink S>
void write_frame(S& sink, const MaxStreamDataFrame& frame) {
  wire::write_type(sink, FrameType::max_stream_data);
  sink.varint(frame.stream_id.value());
  sink.varint(frame.maximum_stream_data);
}

template <Sink S>
void write_frame(S& sink, const MaxStreamsFrame& frame) {
  QUOLL_DCHECK(frame.maximum_streams <= kStreamCountMax);
  wire::write_type(sink, frame.unidirectional ? FrameType::max_streams_uni : FrameType::max_streams_bidi);
  sink.varint(frame.maximum_streams);
}

template <Sink S>
void write_frame(S& sink, const DataBlockedFrame& frame) {
  wire::write_type(sink, FrameType::data_blocked);
  sink.varint(frame.maximum_data);
}

template <Sink S>
void write_frame(S& sink, const StreamDataBlockedFrame& frame) {
  wire::write_type(sink, FrameType::stream_data_blocked);
  sink.varint(frame.stream_id.value());
  sink.varint(frame.maximum_stream_data);
}

template <Sink S>
void write_frame(S& sink, const StreamsBlockedFrame& frame) {
  QUOLL_DCHECK(frame.maximum_streams <= kStreamCountMax);
  wire::write_type(sink, frame.unidirectional ? FrameType::streams_blocked_uni : FrameType::streams_blocked_bidi);
  sink.varint(frame.maximum_streams);
}

template <Sink S>
void write_frame(S& sink, const NewConnectionIdFrame& frame) {
  QUOLL_DCHECK(!frame.connection_id.empty() && frame.retire_prior_to <= frame.sequence_number);
  wire::write_type(sink, FrameType::new_connection_id);
  sink.varint(frame.sequence_number);
  sink.varint(frame.retire_prior_to);
  sink.u8(static_cast<uint8_t>(frame.connection_id.size()));
  sink.bytes(frame.connection_id);
  sink.bytes(frame.stateless_reset_token);
}

template <Sink S>
void write_frame(S& sink, const RetireConnectionIdFrame& frame) {
  wire::write_type(sink, FrameType::retire_connection_id);
  sink.varint(frame.sequence_number);
}

template <Sink S>
void write_frame(S& sink, const PathChallengeFrame& frame) {
  wire::write_type(sink, FrameType::path_challenge);
  sink.bytes(frame.data);
}

template <Sink S>
void write_frame(S& sink, const PathResponseFrame& frame) {
  wire::write_type(sink, FrameType::path_response);
  sink.bytes(frame.data);
}

template <Sink S>
void write_frame(S& sink, const ConnectionCloseFrame& frame) {
  wire::write_type(sink, frame.application ? FrameType::connection_close_application : FrameType::connection_close);
  sink.varint(frame.error_code);
  if (!frame.application) sink.varint(frame.frame_type);
  sink.varint(frame.reason_phrase.size());
  sink.bytes(frame.reason_phrase);
}

template <Sink S>
void write_frame(S& sink, const HandshakeDoneFrame&) {
  wire::write_type(sink, FrameType::handshake_done);
}

template <Sink S>
void write_datagram_header(S& sink, size_t data_size, Extent extent = Extent::length) {
  const bool with_length = extent == Extent::length;
  wire::write_type(sink, with_length ? FrameType::datagram_len : FrameType::datagram);
  if (with_length) sink.varint(data_size);
}

template <Sink S>
void write_frame(S& sink, const DatagramFrame& frame, Extent extent = Extent::length) {
  write_datagram_header(sink, frame.data.size(), extent);
  sink.bytes(frame.data);
}

/// Bytes that write_frame() writes.
template <class Frame, class... Options>
size_t frame_size(const Frame& frame, Options... options) {
  Counter counter;
  write_frame(counter, frame, options...);
  return counter.size();
}

/// The most data of a STREAM frame that fits into `room` bytes with its header; empty when not even the header does.
inline std::optional<size_t> stream_data_room(StreamId stream_id, uint64_t offset, size_t room, Extent extent) {
  Counter counter;
  write_stream_header(counter, {.stream_id = stream_id, .offset = offset, .extent = Extent::rest_of_packet});
  if (counter.size() > room) return {};
  const size_t left = room - counter.size();
  return extent == Extent::length ? wire::room_behind_length(left) : left;
}

inline std::optional<size_t> crypto_data_room(uint64_t offset, size_t room) {
  const size_t fixed = 1 + varint_size(offset);
  return fixed > room ? std::nullopt : wire::room_behind_length(room - fixed);
}

inline std::optional<size_t> datagram_data_room(size_t room, Extent extent) {
  if (room == 0) return {};
  return extent == Extent::length ? wire::room_behind_length(room - 1) : room - 1;
}

}  // namespace quoll::quic
