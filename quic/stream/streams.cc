#include "quic/stream/streams.h"

namespace quoll::quic {

Streams::Streams(Role role, const StreamLimits& limits)
    : role_(role),
      limits_(limits),
      peers_{PeerStreams(limits.max_bidirectional_streams), PeerStreams(limits.max_unidirectional_streams)},
      data_window_(limits.initial_connection_window, limits.max_connection_window) {}

Streams::~Streams() = default;

// ---- The application ----

std::optional<StreamId> Streams::open(bool unidirectional) {
  OwnStreams& own_streams = own(unidirectional);
  // RFC 9000 §4.6: never beyond the peer's limit; STREAMS_BLOCKED tells it.
  const bool allowed = own_streams.is_allowed();
  if (!allowed && own_streams.next_index() < kStreamCountMax) own_streams.limit().block();
  if (!allowed || own_[0].open_count() + own_[1].open_count() >= limits_.max_own_streams) {
    own_streams.set_refused();
    return {};
  }
  const StreamId id(role_, unidirectional, own_streams.on_opened());
  trace_.states(make(id));
  statistics_.opened_by_us++;
  return id;
}

uint64_t Streams::unsent_room(const SendStream& part) const {
  return std::max(limits_.unsent_max - std::min(unsent_, limits_.unsent_max),
                  kStreamUnsentMin - std::min(part.unsent(), kStreamUnsentMin));
}

template <class Append>
Result<size_t> Streams::write_some(StreamId id, size_t size, Append append) {
  const Result<Stream*> found = find_to_send(id);
  if (!found) return std::unexpected(found.error());
  Stream& stream = **found;
  SendStream& part = *stream.send;
  if (part.is_stopped()) {
    return std::unexpected(Error{.domain = ErrorDomain::application,
                                 .code = static_cast<uint64_t>(part.error()),
                                 .reason = "the peer has stopped the stream"});
  }
  if (part.is_finished() || part.is_reset()) return usage_error("write after the end of the stream");
  const uint64_t offset = part.buffer().end();
  size_t taken = static_cast<size_t>(std::min<uint64_t>({size, part.room(limits_.send_buffer_max), unsent_room(part)}));
  if (taken != 0 && !append(part, taken)) taken = 0;
  if (taken < size) part.set_waits_for_room();
  trace_.moved({.stream_id = id, .offset = offset, .length = taken});
  update(stream);
  return taken;
}

Result<size_t> Streams::write(StreamId id, Bytes data) {
  return write_some(id, data.size(),
                    [data](SendStream& part, size_t size) { return part.append_copy(data.first(size)); });
}

Result<size_t> Streams::write(StreamId id, Slice& data) {
  return write_some(id, data.size(), [&data](SendStream& part, size_t size) {
    if (!part.append(data.subslice(0, size))) return false;
    data.drop_front(size);
    return true;
  });
}

uint64_t Streams::send_credit(StreamId id) const {
  const Stream* stream = table_.find(id);
  if (!stream || !stream->send || stream->send->is_finished() || stream->send->is_reset()) return 0;
  const SendStream& part = *stream->send;
  const uint64_t of_stream = part.limit().limit() - std::min(part.buffer().end(), part.limit().limit());
  return std::min(of_stream, credit() - std::min(part.unsent(), credit()));
}

Result<void> Streams::finish(StreamId id) {
  const Result<Stream*> found = find_to_send(id);
  if (!found) return std::unexpected(found.error());
  SendStream& part = *(*found)->send;
  // Whoever finishes what the peer has stopped meanwhile has nothing to do: it will hear of it.
  if (part.is_stopped()) return {};
  if (part.is_finished() || part.is_reset()) return usage_error("finish after the end of the stream");
  part.finish();
  (*found)->clear(StreamNews::writable);
  update(**found);
  return {};
}

Result<void> Streams::reset(StreamId id, ApplicationErrorCode error) {
  if (static_cast<uint64_t>(error) > kVarintMax) return usage_error("application error code above 2^62-1");
  const Result<Stream*> found = find_to_send(id);
  if (!found) return std::unexpected(found.error());
  (*found)->send->reset(error, false);
  (*found)->clear(StreamNews::writable);
  update(**found);
  return {};
}

Result<void> Streams::set_priority(StreamId id, StreamPriority priority) {
  if (priority.urgency > kUrgencyMax) return usage_error("urgency above 7");
  const Result<Stream*> found = find_to_send(id);
  if (!found) return std::unexpected(found.error());
  scheduler_.set_priority(**found, priority);
  return {};
}

Result<std::optional<Chunk>> Streams::read(StreamId id, size_t max) {
  const Result<Stream*> found = find_to_receive(id);
  if (!found) return std::unexpected(found.error());
  Stream& stream = **found;
  ReceiveStream& part = *stream.receive;
  if (part.is_stopped()) return usage_error("read after stop");
  if (part.is_reset()) return report_reset(stream);
  if (max == 0) return std::nullopt;
  std::optional<Slice> data = part.read(max);
  if (data) consume(part, data->size());
  const bool fin = part.take_end();
  if (!part.is_readable()) stream.clear(StreamNews::readable);
  if (!data && !fin) {
    stream.readable_told = false;
    return std::nullopt;
  }
  Chunk chunk{.data = data ? std::move(*data) : Slice(), .fin = fin};
  statistics_.bytes_read += chunk.data.size();
  trace_.moved({.stream_id = id,
                .offset = part.buffer().read_offset() - chunk.data.size(),
                .length = chunk.data.size(),
                .from = trace::DataLocation::transport,
                .to = trace::DataLocation::application,
                .fin = fin});
  update(stream);
  release(stream);
  return chunk;
}

Result<std::optional<Chunk>> Streams::report_reset(Stream& stream) {
  const auto code = static_cast<uint64_t>(stream.receive->error());
  stream.receive->on_reset_told();
  stream.clear(StreamNews::reset);
  release(stream);
  return std::unexpected(
      Error{.domain = ErrorDomain::application, .code = code, .reason = "the peer has reset the stream"});
}

Result<void> Streams::stop(StreamId id, ApplicationErrorCode error) {
  if (static_cast<uint64_t>(error) > kVarintMax) return usage_error("application error code above 2^62-1");
  const Result<Stream*> found = find_to_receive(id);
  if (!found) return std::unexpected(found.error());
  Stream& stream = **found;
  stream.receive->stop(error);
  stream.clear(StreamNews::readable);
  stream.clear(StreamNews::reset);
  return_discarded(*stream.receive);
  update(stream);
  release(stream);
  return {};
}

std::optional<StreamEvent> Streams::poll_event() {
  for (const bool unidirectional : {false, true}) {
    OwnStreams& streams = own(unidirectional);
    const bool room = own_[0].open_count() + own_[1].open_count() < limits_.max_own_streams;
    if (streams.is_refused() && streams.is_allowed() && room) {
      streams.take_refused();
      return StreamsAvailable{unidirectional};
    }
  }
  while (!news_.empty()) {
    Stream& stream = news_.front();
    if (stream.news != 0) return take_news(stream);
    NewsQueue::remove(stream);  // the application saw to it by itself
  }
  return {};
}

/// The first event of a stream, in the order in which they are best handled.
StreamEvent Streams::take_news(Stream& stream) {
  const StreamId id = stream.id();
  const StreamNews kind{static_cast<uint8_t>(stream.news & -stream.news)};
  stream.clear(kind);
  StreamEvent event = StreamOpened{id};
  switch (kind) {
    case StreamNews::opened:
      break;
    case StreamNews::stopped:
      event = StreamStopped{id, stream.send->error()};
      break;
    case StreamNews::reset:
      event = StreamReset{id, stream.receive->error()};
      stream.receive->on_reset_told();
      break;
    case StreamNews::readable:
      event = StreamReadable{id};
      break;
    case StreamNews::writable:
      event = StreamWritable{id};
      break;
    case StreamNews::delivered:
      event = StreamDelivered{id};
      break;
  }
  if (stream.news == 0) NewsQueue::remove(stream);
  release(stream);
  return event;
}

void Streams::tell(Stream& stream, StreamNews kind) {
  stream.set(kind);
  if (!NewsQueue::is_linked(stream)) news_.push_back(stream);
}

std::optional<SendStream::State> Streams::send_state(StreamId id) const {
  const Stream* stream = table_.find(id);
  return stream && stream->send ? std::optional(stream->send->state()) : std::nullopt;
}

std::optional<ReceiveStream::State> Streams::receive_state(StreamId id) const {
  const Stream* stream = table_.find(id);
  return stream && stream->receive ? std::optional(stream->receive->state()) : std::nullopt;
}

bool Streams::awaits_data() const {
  bool awaits = false;
  table_.for_each([&](const Stream& stream) {
    if (!stream.receive || (stream.id().is_unidirectional() && stream.id() != last_arrival_)) return;
    const ReceiveStream::State state = stream.receive->state();
    awaits |= state == ReceiveStream::State::recv || state == ReceiveStream::State::size_known;
  });
  return awaits;
}

// ---- Streams come and go ----

/// RFC 9000 §18.2: "local" and "remote" are as the peer sees it.
uint64_t Streams::initial_send_limit(StreamId id) const {
  if (id.is_unidirectional()) return peer_window_uni_;
  return is_ours(id) ? peer_window_bidi_remote_ : peer_window_bidi_local_;
}

Stream& Streams::make(StreamId id) {
  Stream& stream = table_.insert(id);
  if (can_send_on(id)) stream.send = std::make_unique<SendStream>(initial_send_limit(id));
  if (can_receive_on(id)) {
    stream.receive = std::make_unique<ReceiveStream>(limits_.initial_stream_window, limits_.max_stream_window);
  }
  statistics_.open++;
  return stream;
}

Result<Stream*> Streams::find_to_send(StreamId id) {
  Stream* stream = table_.find(id);
  if (!stream) return usage_error("no such stream");
  if (!can_send_on(id)) return usage_error("the stream is the peer's to send on");
  if (!stream->send) return usage_error("the sending part is over");
  return stream;
}

Result<Stream*> Streams::find_to_receive(StreamId id) {
  Stream* stream = table_.find(id);
  if (!stream) return usage_error("no such stream");
  if (!can_receive_on(id)) return usage_error("the stream is only to send on");
  if (!stream->receive) return usage_error("the receiving part is over");
  return stream;
}

void Streams::release(Stream& stream) {
  trace_.states(stream);
  if (stream.send && stream.send->is_terminal() && !stream.has(StreamNews::delivered) &&
      !stream.has(StreamNews::stopped)) {
    data_sent_by_gone_ += stream.send->sent_end();
    stream.send.reset();
    stream.clear(StreamNews::writable);
  }
  if (stream.receive && stream.receive->is_terminal()) {
    QUOLL_DCHECK(stream.receive->returned() == stream.receive->highest());
    stream.receive.reset();
    stream.clear(StreamNews::readable);
    stream.clear(StreamNews::reset);
  }
  if (!stream.send && !stream.receive && stream.news == 0) forget(stream);
}

void Streams::forget(Stream& stream) {
  const bool unidirectional = stream.id().is_unidirectional();
  if (is_ours(stream.id())) {
    own(unidirectional).on_closed();
  } else {
    peers(unidirectional).on_closed();
  }
  statistics_.open--;
  table_.erase(stream);
}

void Streams::trim() {
  table_.for_each([](Stream& stream) {
    if (stream.send) stream.send->trim();
    if (stream.receive) stream.receive->trim();
  });
}

void Streams::consume(ReceiveStream& part, uint64_t size) {
  part.window().consume(size, now_, smoothed_rtt_);
  data_window_.consume(size, now_, smoothed_rtt_);
  // One stream at full speed must not meet the connection's limit first.
  data_window_.widen(part.window().size() + part.window().size() / 2);
}

void Streams::return_discarded(ReceiveStream& part) {
  if (const uint64_t size = part.take_discarded()) data_window_.consume(size, now_, smoothed_rtt_);
}

}  // namespace quoll::quic
