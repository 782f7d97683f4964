#include "quic/stream/stream_trace.h"

namespace quoll::quic {

namespace {

trace::StreamState state_of(SendStream::State state) {
  switch (state) {
    case SendStream::State::ready:
      return trace::StreamState::ready;
    case SendStream::State::send:
      return trace::StreamState::send;
    case SendStream::State::data_sent:
      return trace::StreamState::data_sent;
    case SendStream::State::data_recvd:
      return trace::StreamState::data_received;
    case SendStream::State::reset_sent:
      return trace::StreamState::reset_sent;
    case SendStream::State::reset_recvd:
      return trace::StreamState::reset_received;
  }
  return trace::StreamState::idle;
}

trace::StreamState state_of(ReceiveStream::State state) {
  switch (state) {
    case ReceiveStream::State::recv:
      return trace::StreamState::receive;
    case ReceiveStream::State::size_known:
      return trace::StreamState::size_known;
    case ReceiveStream::State::data_recvd:
      return trace::StreamState::data_received;
    case ReceiveStream::State::data_read:
      return trace::StreamState::data_read;
    case ReceiveStream::State::reset_recvd:
      return trace::StreamState::reset_received;
    case ReceiveStream::State::reset_read:
      return trace::StreamState::reset_read;
  }
  return trace::StreamState::idle;
}

}  // namespace

void StreamTrace::tell_states(Stream& stream) const {
  if (stream.send) {
    tell(stream.id(), trace::StreamPart::sending, stream.told.sending, state_of(stream.send->state()));
    if (const bool blocked = stream.send->limit().is_blocked(); blocked != stream.told.blocked) {
      stream.told.blocked = blocked;
      trace_(*now_,
             trace::StreamBlockedUpdated{
                 .stream_id = stream.id(), .is_blocked = blocked, .reason = trace::BlockedReason::stream_flow_control});
    }
  }
  if (stream.receive) {
    tell(stream.id(), trace::StreamPart::receiving, stream.told.receiving, state_of(stream.receive->state()));
  }
}

void StreamTrace::tell(StreamId id, trace::StreamPart part, uint8_t& told, trace::StreamState state) const {
  const auto before = static_cast<trace::StreamState>(told);
  if (before == state) return;
  told = static_cast<uint8_t>(state);
  trace::StreamStateUpdated event{.stream_id = id, .part = part, .state = state};
  if (before != trace::StreamState::idle) event.old = before;
  trace_(*now_, event);
}

}  // namespace quoll::quic
