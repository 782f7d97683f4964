#include "quic/wire/frame_reader.h"

namespace quoll::quic::wire {
namespace {

constexpr const char* kTooManyStreams = "stream count above 2^60";

uint64_t value_of(FrameType type) { return static_cast<uint64_t>(type); }

}  // namespace

std::unexpected<Error> wrong_frame_type(Reader reader) {
  const uint64_t type = reader.varint();
  if (!reader.ok()) return close_with(TransportError::frame_encoding_error, "frame type is cut short");
  // RFC 9000 §12.4: a frame type uses the shortest form.
  if (reader.position() != varint_size(type)) {
    return close_with(TransportError::protocol_violation, "frame type is not in its shortest form", type);
  }
  return forbidden_frame(FrameType{type});
}

std::unexpected<Error> forbidden_frame(FrameType type) {
  const FrameTraits traits = traits_of(type);
  // RFC 9000 §12.4: an unknown type.
  if (!traits.known) return close_with(TransportError::frame_encoding_error, "unknown frame type", value_of(type));
  // RFC 9000 §12.4: a frame in a packet type that is not permitted; §19.7, §19.20: one that only servers send.
  return close_with(TransportError::protocol_violation, "frame is not allowed in this packet", value_of(type));
}

const char* read(Reader& reader, FrameType, ResetStreamFrame& frame) {
  frame.stream_id = StreamId(reader.varint());
  frame.application_error_code = reader.varint();
  frame.final_size = reader.varint();
  return nullptr;
}

const char* read(Reader& reader, FrameType, StopSendingFrame& frame) {
  frame.stream_id = StreamId(reader.varint());
  frame.application_error_code = reader.varint();
  return nullptr;
}

const char* read(Reader& reader, FrameType, CryptoFrame& frame) {
  frame.offset = reader.varint();
  frame.data = reader.bytes(reader.varint());
  // RFC 9000 §19.6: the sum cannot exceed 2^62-1.
  return frame.data.size() > kVarintMax - frame.offset ? "crypto data beyond 2^62-1" : nullptr;
}

const char* read(Reader& reader, FrameType, NewTokenFrame& frame) {
  frame.token = reader.bytes(reader.varint());
  return frame.token.empty() ? "empty token" : nullptr;  // RFC 9000 §19.7
}

const char* read(Reader& reader, FrameType, MaxDataFrame& frame) {
  frame.maximum_data = reader.varint();
  return nullptr;
}

const char* read(Reader& reader, FrameType, MaxStreamDataFrame& frame) {
  frame.stream_id = StreamId(reader.varint());
  frame.maximum_stream_data = reader.varint();
  return nullptr;
}

const char* read(Reader& reader, FrameType type, MaxStreamsFrame& frame) {
  frame.unidirectional = type == FrameType::max_streams_uni;
  frame.maximum_streams = reader.varint();
  return frame.maximum_streams > kStreamCountMax ? kTooManyStreams : nullptr;  // RFC 9000 §4.6, §19.11
}

const char* read(Reader& reader, FrameType, DataBlockedFrame& frame) {
  frame.maximum_data = reader.varint();
  return nullptr;
}

const char* read(Reader& reader, FrameType, StreamDataBlockedFrame& frame) {
  frame.stream_id = StreamId(reader.varint());
  frame.maximum_stream_data = reader.varint();
  return nullptr;
}

const char* read(Reader& reader, FrameType type, StreamsBlockedFrame& frame) {
  frame.unidirectional = type == FrameType::streams_blocked_uni;
  frame.maximum_streams = reader.varint();
  return frame.maximum_streams > kStreamCountMax ? kTooManyStreams : nullptr;  // RFC 9000 §19.14
}

const char* read(Reader& reader, FrameType, NewConnectionIdFrame& frame) {
  frame.sequence_number = reader.varint();
  frame.retire_prior_to = reader.varint();
  const uint8_t size = reader.u8();
  if (!reader.ok()) return nullptr;
  // RFC 9000 §19.15: neither empty nor over 20 bytes; retires nothing that is newer than itself.
  if (size == 0 || size > kConnectionIdSizeMax) return "connection id of a wrong size";
  if (frame.retire_prior_to > frame.sequence_number) return "retire_prior_to above the sequence number";
  frame.connection_id = ConnectionId(reader.bytes(size));
  copy_bytes(frame.stateless_reset_token.data(), reader.bytes(kStatelessResetTokenSize));
  return nullptr;
}

const char* read(Reader& reader, FrameType, RetireConnectionIdFrame& frame) {
  frame.sequence_number = reader.varint();
  return nullptr;
}

const char* read(Reader& reader, FrameType, PathChallengeFrame& frame) {
  copy_bytes(frame.data.data(), reader.bytes(frame.data.size()));
  return nullptr;
}

const char* read(Reader& reader, FrameType, PathResponseFrame& frame) {
  copy_bytes(frame.data.data(), reader.bytes(frame.data.size()));
  return nullptr;
}

const char* read(Reader& reader, FrameType type, ConnectionCloseFrame& frame) {
  frame.application = type == FrameType::connection_close_application;
  frame.error_code = reader.varint();
  frame.frame_type = frame.application ? 0 : reader.varint();
  frame.reason_phrase = reader.bytes(reader.varint());
  return nullptr;
}

const char* read(Reader& reader, FrameType type, DatagramFrame& frame) {
  const size_t begin = reader.position();
  frame.data = reader.bytes(type == FrameType::datagram_len ? reader.varint() : reader.remaining());
  frame.frame_size = 1 + reader.position() - begin;
  return nullptr;
}

}  // namespace quoll::quic::wire
