// Frames to their owners (RFC 9000 §12.4, §19).
#include "quic/connection/state.h"
#include "quic/wire/frame_reader.h"

namespace quoll::quic {
namespace {

/// The visitor of one packet's frames: each frame goes to its owner, with the narrow arguments that it takes.
class FrameDispatch {
 public:
  FrameDispatch(Connection::State& state, PacketContext& context, PacketType type)
      : state_(state), context_(context), type_(type) {}

  Result<void> on_frame(const PaddingFrame&) { return {}; }
  Result<void> on_frame(const PingFrame&) { return {}; }
  Result<void> on_frame(const AckFrame& frame) { return state_.on_ack_frame(context_, space_of(type_), frame); }
  Result<void> on_frame(const CryptoFrame& frame) {
    CryptoStream* stream = state_.crypto_stream(space_of(type_));
    if (!stream) return {};  // of a level that is done: a late repetition
    if (stream->has_read(frame)) {
      if (type_ != PacketType::one_rtt) state_.repeat_handshake_early(context_.now);
      return {};
    }
    state_.crypto_arrived = true;
    return stream->on_frame(frame);
  }
  Result<void> on_frame(const NewTokenFrame& frame) {
    state_.on_new_token(frame.token);
    return {};
  }
  Result<void> on_frame(const StreamFrame& frame) {
    return state_.streams.on_frame(context_.now, frame, *context_.buffer);
  }
  Result<void> on_frame(const ResetStreamFrame& frame) { return state_.streams.on_frame(frame); }
  Result<void> on_frame(const StopSendingFrame& frame) { return state_.streams.on_frame(frame); }
  Result<void> on_frame(const MaxDataFrame& frame) { return state_.streams.on_frame(frame); }
  Result<void> on_frame(const MaxStreamDataFrame& frame) { return state_.streams.on_frame(frame); }
  Result<void> on_frame(const MaxStreamsFrame& frame) { return state_.streams.on_frame(frame); }
  Result<void> on_frame(const DataBlockedFrame& frame) { return state_.streams.on_frame(frame); }
  Result<void> on_frame(const StreamDataBlockedFrame& frame) { return state_.streams.on_frame(frame); }
  Result<void> on_frame(const StreamsBlockedFrame& frame) { return state_.streams.on_frame(frame); }
  Result<void> on_frame(const NewConnectionIdFrame& frame) { return state_.remote_ids->on_frame(frame); }
  Result<void> on_frame(const RetireConnectionIdFrame& frame) {
    return state_.local_ids->on_frame(frame, context_.destination);
  }
  Result<void> on_frame(const PathChallengeFrame& frame) {
    if (context_.path_state) state_.on_path_challenge(context_.now, *context_.path_state, frame.data);
    return {};
  }
  Result<void> on_frame(const PathResponseFrame& frame) {
    state_.on_path_response(context_.now, frame.data);
    return {};
  }
  Result<void> on_frame(const ConnectionCloseFrame& frame) {
    state_.on_peer_close(context_.now, frame);
    return {};
  }
  Result<void> on_frame(const HandshakeDoneFrame&) {
    state_.confirm_handshake(context_.now);
    return {};
  }
  Result<void> on_frame(const DatagramFrame& frame) { return state_.datagrams.on_frame(frame, *context_.buffer); }

 private:
  Connection::State& state_;
  PacketContext& context_;
  PacketType type_;
};

/// While closing, only the peer's CONNECTION_CLOSE matters (RFC 9000 §10.2.1).
class CloseWatch {
 public:
  CloseWatch(Connection::State& state, Instant now) : state_(state), now_(now) {}

  template <class Frame>
  Result<void> on_frame(const Frame&) {
    return {};
  }
  Result<void> on_frame(const ConnectionCloseFrame& frame) {
    state_.on_peer_close(now_, frame);
    return {};
  }

 private:
  Connection::State& state_;
  Instant now_;
};

}  // namespace

Result<PayloadTraits> Connection::State::dispatch(PacketContext& context, const OpenedPacket& packet) {
  const PlainPayload payload{.type = packet.type, .receiver = role, .frames = packet.payload};
  if (!is_open()) {
    CloseWatch watch(*this, context.now);
    return parse_frames(payload, watch);
  }
  FrameDispatch visitor(*this, context, packet.type);
  return parse_frames(payload, visitor);
}

}  // namespace quoll::quic
