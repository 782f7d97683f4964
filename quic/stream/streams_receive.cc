// What the peer says of streams (RFC 9000 §19.4, §19.5, §19.8 to §19.14).
#include "quic/stream/streams.h"

namespace quoll::quic {

namespace {

/// STREAM frames have eight types: who parses them knows which it was, and fills it in.
constexpr uint64_t kStreamFrameType = 0;

constexpr uint64_t code_of(FrameType type) { return static_cast<uint64_t>(type); }

}  // namespace

// ---- Data ----

Result<void> Streams::on_frame(Instant now, const StreamFrame& frame, const Buffer& datagram) {
  now_ = now;
  const Result<Stream*> found = find_named(frame.stream_id, Direction::receive, kStreamFrameType);
  if (!found) return std::unexpected(found.error());
  // RFC 9000 §3.2: what comes for a part that is over is ignored.
  if (!*found || !(*found)->receive) return {};
  Stream& stream = **found;
  ReceiveStream& part = *stream.receive;

  const Result<uint64_t> growth = part.check(frame.offset + frame.data.size(), frame.fin, kStreamFrameType);
  if (!growth) return std::unexpected(growth.error());
  if (const auto fits = check_connection_limit(*growth, kStreamFrameType); !fits) return fits;

  const uint64_t had = part.buffer().held();
  if (!part.insert(frame.offset, datagram.slice(frame.data), frame.fin)) {
    refused_ = true;
    return {};
  }
  data_received_ += *growth;
  statistics_.bytes_received += part.buffer().held() - had;
  trace_.moved({.stream_id = frame.stream_id,
                .offset = frame.offset,
                .length = frame.data.size(),
                .from = trace::DataLocation::network,
                .to = trace::DataLocation::transport,
                .fin = frame.fin});
  part.window().on_data(now);
  data_window_.on_data(now);
  on_receive_progress(stream);
  return {};
}

Result<void> Streams::on_frame(const ResetStreamFrame& frame) {
  const uint64_t type = code_of(FrameType::reset_stream);
  const Result<Stream*> found = find_named(frame.stream_id, Direction::receive, type);
  if (!found) return std::unexpected(found.error());
  if (!*found || !(*found)->receive) return {};
  Stream& stream = **found;
  ReceiveStream& part = *stream.receive;

  // RFC 9000 §4.5: all bytes up to the final size count, also those that never came.
  const Result<uint64_t> growth = part.check(frame.final_size, true, type);
  if (!growth) return std::unexpected(growth.error());
  if (const auto fits = check_connection_limit(*growth, type); !fits) return fits;
  if (!part.on_reset(ApplicationErrorCode{frame.application_error_code}, frame.final_size)) return {};
  data_received_ += *growth;
  stream.clear(StreamNews::readable);
  if (!part.is_terminal()) tell(stream, StreamNews::reset);
  on_receive_progress(stream);
  return {};
}

Result<void> Streams::check_connection_limit(uint64_t growth, uint64_t frame_type) const {
  // RFC 9000 §4.1, §19.9.
  if (growth <= data_window_.limit().announced() - data_received_) return {};
  return close_with(TransportError::flow_control_error, "data beyond MAX_DATA", frame_type);
}

/// A receiving part has changed: credit goes back, the application hears of it, the stream may be over.
void Streams::on_receive_progress(Stream& stream) {
  ReceiveStream& part = *stream.receive;
  return_discarded(part);
  if (part.is_readable() && !stream.readable_told) {
    stream.readable_told = true;
    tell(stream, StreamNews::readable);
  }
  update(stream);
  release(stream);
}

bool Streams::take_refusal() { return std::exchange(refused_, false); }

// ---- The peer's wishes and limits for what we send ----

Result<void> Streams::on_frame(const StopSendingFrame& frame) {
  const Result<Stream*> found = find_named(frame.stream_id, Direction::send, code_of(FrameType::stop_sending));
  if (!found) return std::unexpected(found.error());
  if (!*found || !(*found)->send) return {};
  Stream& stream = **found;
  SendStream& part = *stream.send;
  if (part.is_reset() || part.is_terminal()) return {};
  // RFC 9000 §3.5: a RESET_STREAM answers, with the code of the STOP_SENDING; in "Data Sent" too, at once.
  part.reset(ApplicationErrorCode{frame.application_error_code}, true);
  stream.clear(StreamNews::writable);
  tell(stream, StreamNews::stopped);
  update(stream);
  return {};
}

Result<void> Streams::on_frame(const MaxDataFrame& frame) {
  data_limit_.raise(frame.maximum_data);
  return {};
}

Result<void> Streams::on_frame(const MaxStreamDataFrame& frame) {
  const Result<Stream*> found = find_named(frame.stream_id, Direction::send, code_of(FrameType::max_stream_data));
  if (!found) return std::unexpected(found.error());
  if (!*found || !(*found)->send) return {};
  (*found)->send->raise_limit(frame.maximum_stream_data);
  update(**found);
  return {};
}

Result<void> Streams::on_frame(const MaxStreamsFrame& frame) {
  OwnStreams& streams = own(frame.unidirectional);
  const uint64_t before = streams.limit().limit();
  if (!streams.raise_limit(frame.maximum_streams)) return {};
  // Streams of rejected 0-RTT that waited below the new limit. Else there are none: nothing is opened above a limit.
  for (uint64_t i = before; i < std::min(frame.maximum_streams, streams.next_index()); i++) {
    if (Stream* stream = table_.find(StreamId(role_, frame.unidirectional, i))) update(*stream);
  }
  return {};
}

// ---- The peer stands before our limits: news that is not waited for (§4.1, §4.6), but credit that was only being
// collected goes out. ----

Result<void> Streams::on_frame(const DataBlockedFrame&) {
  data_window_.grant_now(now_);
  return {};
}

Result<void> Streams::on_frame(const StreamDataBlockedFrame& frame) {
  const Result<Stream*> found =
      find_named(frame.stream_id, Direction::receive, code_of(FrameType::stream_data_blocked));
  if (!found) return std::unexpected(found.error());
  if (!*found || !(*found)->receive) return {};
  (*found)->receive->window().grant_now(now_);
  update(**found);
  return {};
}

Result<void> Streams::on_frame(const StreamsBlockedFrame& frame) {
  peers(frame.unidirectional).grant_now();
  return {};
}

// ---- Which stream a frame means ----

/// The stream that a frame names, which is opened if it is new; null when it is forgotten. `part`: ours that the frame
/// is about.
Result<Stream*> Streams::find_named(StreamId id, Direction part, uint64_t frame_type) {
  // RFC 9000 §19.4, §19.5, §19.8, §19.10, §19.13: not on a stream that goes the other way only.
  const bool exists = part == Direction::send ? can_send_on(id) : can_receive_on(id);
  if (!exists) {
    return close_with(TransportError::stream_state_error, "frame for the wrong direction of a stream", frame_type);
  }
  if (!is_ours(id)) {
    if (const auto opened = open_up_to(id, frame_type); !opened) return std::unexpected(opened.error());
  } else if (id.index() >= own(id.is_unidirectional()).next_index()) {
    // RFC 9000 §19.5, §19.8, §19.10.
    return close_with(TransportError::stream_state_error, "frame for a stream that is not open", frame_type);
  }
  return table_.find(id);
}

/// RFC 9000 §2.1, §3.2: a stream of the peer's opens with all lower-numbered ones of its type, these first.
Result<void> Streams::open_up_to(StreamId id, uint64_t frame_type) {
  PeerStreams& streams = peers(id.is_unidirectional());
  // RFC 9000 §4.6, §19.11.
  if (id.index() >= streams.limit().announced()) {
    return close_with(TransportError::stream_limit_error, "stream beyond MAX_STREAMS", frame_type);
  }
  while (streams.next_index() <= id.index()) {
    tell(make(StreamId(id.initiator(), id.is_unidirectional(), streams.on_opened())), StreamNews::opened);
    statistics_.opened_by_peer++;
  }
  return {};
}

}  // namespace quoll::quic
