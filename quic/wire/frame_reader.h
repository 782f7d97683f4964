// Parsing the payload of a packet: one pass that hands each frame to an overload of the visitor's on_frame, and answers
// every breach of RFC 9000 §12.4 and §19 with the error that closes the connection.
//
// What is checked here needs no state: that the frame may stand in this type of packet and come from this role, that it
// is complete, its type in the shortest form, its values in range. The rest (limits, stream states, sequence numbers,
// max_datagram_frame_size) belongs to the frames' owners. Frames before a wrong one have been handed over by then; the
// connection is closed anyway.
#pragma once

#include <concepts>
#include <utility>

#include "base/reader.h"
#include "base/result.h"
#include "quic/wire/ack_frame.h"
#include "quic/wire/error_code.h"
#include "quic/wire/frame.h"

namespace quoll::quic {

/// The frames of a packet that was opened. Made from nothing else, so that protected bytes are never parsed.
struct PlainPayload {
  PacketType type = PacketType::one_rtt;
  Role receiver = Role::client;
  Bytes frames{};
};

/// Who takes frames: one overload for each struct of frame.h and AckFrame. An Error stops the parsing.
template <class V, class Frame>
concept TakesFrame = requires(V& visitor, const Frame& frame) {
  { visitor.on_frame(frame) } -> std::same_as<Result<void>>;
};
template <class V, class... Frames>
concept TakesFrames = (TakesFrame<V, Frames> && ...);
template <class V>
concept FrameVisitor =
    TakesFrames<V, PaddingFrame, PingFrame, AckFrame, ResetStreamFrame, StopSendingFrame, CryptoFrame, NewTokenFrame,
                StreamFrame, MaxDataFrame, MaxStreamDataFrame, MaxStreamsFrame, DataBlockedFrame,
                StreamDataBlockedFrame, StreamsBlockedFrame, NewConnectionIdFrame, RetireConnectionIdFrame,
                PathChallengeFrame, PathResponseFrame, ConnectionCloseFrame, HandshakeDoneFrame, DatagramFrame>;

namespace wire {

/// The error for a type that is no single byte: unknown, cut short, or in a form that is too long.
std::unexpected<Error> wrong_frame_type(Reader reader);
/// The error for a frame that is known or unknown, and not allowed here.
std::unexpected<Error> forbidden_frame(FrameType type);

// What follows the type of a frame. Null, or why a value is wrong; the reader fails where the frame is cut short. The
// frames that make up most packets are inline.

const char* read(Reader& reader, FrameType type, ResetStreamFrame& frame);
const char* read(Reader& reader, FrameType type, StopSendingFrame& frame);
const char* read(Reader& reader, FrameType type, CryptoFrame& frame);
const char* read(Reader& reader, FrameType type, NewTokenFrame& frame);
const char* read(Reader& reader, FrameType type, MaxDataFrame& frame);
const char* read(Reader& reader, FrameType type, MaxStreamDataFrame& frame);
const char* read(Reader& reader, FrameType type, MaxStreamsFrame& frame);
const char* read(Reader& reader, FrameType type, DataBlockedFrame& frame);
const char* read(Reader& reader, FrameType type, StreamDataBlockedFrame& frame);
const char* read(Reader& reader, FrameType type, StreamsBlockedFrame& frame);
const char* read(Reader& reader, FrameType type, NewConnectionIdFrame& frame);
const char* read(Reader& reader, FrameType type, RetireConnectionIdFrame& frame);
const char* read(Reader& reader, FrameType type, PathChallengeFrame& frame);
const char* read(Reader& reader, FrameType type, PathResponseFrame& frame);
const char* read(Reader& reader, FrameType type, ConnectionCloseFrame& frame);
const char* read(Reader& reader, FrameType type, DatagramFrame& frame);

inline const char* read(Reader&, FrameType, PingFrame&) { return nullptr; }
inline const char* read(Reader&, FrameType, HandshakeDoneFrame&) { return nullptr; }

/// Takes the whole run of PADDING, eight bytes at a time.
inline const char* read(Reader& reader, FrameType, PaddingFrame& frame) {
  const Bytes rest = reader.rest();
  size_t size = 0;
  while (rest.size() - size >= 8 && load_le<uint64_t>(rest.data() + size) == 0) size += 8;
  while (size < rest.size() && rest[size] == 0) size++;
  reader.skip(size);
  frame.size = 1 + size;
  return nullptr;
}

inline const char* read(Reader& reader, FrameType type, StreamFrame& frame) {
  const auto flags = static_cast<uint64_t>(type);
  frame.stream_id = StreamId(reader.varint());
  frame.offset = (flags & kStreamOff) != 0 ? reader.varint() : 0;
  frame.data = reader.bytes((flags & kStreamLen) != 0 ? reader.varint() : reader.remaining());
  frame.fin = (flags & kStreamFin) != 0;
  // RFC 9000 §19.8: the sum cannot exceed 2^62-1.
  return frame.data.size() > kVarintMax - frame.offset ? "stream data beyond 2^62-1" : nullptr;
}

/// Reads one frame and hands it over.
template <class Frame, class Visitor>
Result<void> take(Reader& reader, FrameType type, Visitor& visitor) {
  Frame frame;
  const char* wrong = read(reader, type, frame);
  if (!reader.ok() || wrong) [[unlikely]] {
    // RFC 9000 §20.1: a frame that is badly formatted.
    return close_with(TransportError::frame_encoding_error, reader.ok() ? wrong : "frame is cut short",
                      static_cast<uint64_t>(type));
  }
  return visitor.on_frame(std::as_const(frame));
}

template <class Visitor>
Result<void> dispatch(Reader& reader, FrameType type, Visitor& visitor) {
  switch (type) {
    case FrameType::padding:
      return take<PaddingFrame>(reader, type, visitor);
    case FrameType::ping:
      return take<PingFrame>(reader, type, visitor);
    case FrameType::ack:
    case FrameType::ack_ecn:
      return take<AckFrame>(reader, type, visitor);
    case FrameType::reset_stream:
      return take<ResetStreamFrame>(reader, type, visitor);
    case FrameType::stop_sending:
      return take<StopSendingFrame>(reader, type, visitor);
    case FrameType::crypto:
      return take<CryptoFrame>(reader, type, visitor);
    case FrameType::new_token:
      return take<NewTokenFrame>(reader, type, visitor);
    case FrameType::stream:
    case FrameType::stream_fin:
    case FrameType::stream_len:
    case FrameType::stream_len_fin:
    case FrameType::stream_off:
    case FrameType::stream_off_fin:
    case FrameType::stream_off_len:
    case FrameType::stream_off_len_fin:
      return take<StreamFrame>(reader, type, visitor);
    case FrameType::max_data:
      return take<MaxDataFrame>(reader, type, visitor);
    case FrameType::max_stream_data:
      return take<MaxStreamDataFrame>(reader, type, visitor);
    case FrameType::max_streams_bidi:
    case FrameType::max_streams_uni:
      return take<MaxStreamsFrame>(reader, type, visitor);
    case FrameType::data_blocked:
      return take<DataBlockedFrame>(reader, type, visitor);
    case FrameType::stream_data_blocked:
      return take<StreamDataBlockedFrame>(reader, type, visitor);
    case FrameType::streams_blocked_bidi:
    case FrameType::streams_blocked_uni:
      return take<StreamsBlockedFrame>(reader, type, visitor);
    case FrameType::new_connection_id:
      return take<NewConnectionIdFrame>(reader, type, visitor);
    case FrameType::retire_connection_id:
      return take<RetireConnectionIdFrame>(reader, type, visitor);
    case FrameType::path_challenge:
      return take<PathChallengeFrame>(reader, type, visitor);
    case FrameType::path_response:
      return take<PathResponseFrame>(reader, type, visitor);
    case FrameType::connection_close:
    case FrameType::connection_close_application:
      return take<ConnectionCloseFrame>(reader, type, visitor);
    case FrameType::handshake_done:
      return take<HandshakeDoneFrame>(reader, type, visitor);
    case FrameType::datagram:
    case FrameType::datagram_len:
      return take<DatagramFrame>(reader, type, visitor);
  }
  return forbidden_frame(type);
}

}  // namespace wire

/// Parses all frames of a packet. An Error is PROTOCOL_VIOLATION or FRAME_ENCODING_ERROR, or the visitor's own, which
/// gets the type of the frame if it is a transport error that names none.
template <FrameVisitor Visitor>
Result<PayloadTraits> parse_frames(const PlainPayload& payload, Visitor& visitor) {
  // RFC 9000 §12.4: a packet without frames.
  if (payload.frames.empty()) return close_with(TransportError::protocol_violation, "packet without frames");
  Reader reader(payload.frames);
  PayloadTraits traits;
  do {
    const uint8_t first = reader.rest()[0];
    // RFC 9000 §12.4: all types that we know are one byte.
    if (first >= kFrameTypeEnd) [[unlikely]]
      return wire::wrong_frame_type(reader);
    const FrameType type{first};
    const FrameTraits& frame = kFrameTraits[first];
    const bool from_wrong_role = frame.only_from_server && payload.receiver == Role::server;
    if (!frame.allowed_in(payload.type) || from_wrong_role) [[unlikely]]
      return wire::forbidden_frame(type);
    reader.skip(1);
    if (Result<void> taken = wire::dispatch(reader, type, visitor); !taken) [[unlikely]] {
      Error error = taken.error();
      if (error.domain == ErrorDomain::transport && error.frame_type == 0) error.frame_type = first;
      return std::unexpected(error);
    }
    traits.add(frame);
  } while (reader.remaining() != 0);
  return traits;
}

}  // namespace quoll::quic
