// What goes out: which frames, in which order, and what became of them (RFC 9000 §13.3).
#include "quic/stream/streams.h"

namespace quoll::quic {

namespace {

using Kind = FrameToken::Kind;

/// A shorter piece of data waits for the next packet, unless this one is empty: it would be mostly header.
constexpr size_t kStreamDataMin = 32;

}  // namespace

void Streams::update(Stream& stream) {
  trace_.states(stream);
  const SendStream* send = stream.send.get();
  const ReceiveStream* receive = stream.receive.get();
  const bool speaks = may_speak(stream.id());
  const uint64_t unsent = send ? send->unsent() : 0;
  unsent_ += unsent - stream.unsent_counted;
  stream.unsent_counted = unsent;
  scheduler_.set_need(stream, send && speaks ? send->need() : SendNeed::nothing);
  note_data_blocked();

  const bool sends_control = send && (send->wants_reset_frame() || send->limit().wants_to_send());
  const bool receives_control = receive && (receive->wants_stop_frame() || receive->wants_limit_frame());
  place(control_, stream, speaks && (sends_control || receives_control));
}

// RFC 9000 §4.1: a stream has bytes that only the connection's limit holds back.
void Streams::note_data_blocked() {
  if (credit() == 0 && scheduler_.wants_credit()) data_limit_.block();
}

// ---- Frames other than STREAM ----

bool Streams::has_control_frames() const {
  const auto counts = [](const OwnStreams& own, const PeerStreams& peers) {
    return own.wants_blocked_frame() || peers.limit().wants_to_send();
  };
  return !control_.empty() || data_window_.limit().wants_to_send() || wants_data_blocked() ||
         counts(own_[0], peers_[0]) || counts(own_[1], peers_[1]);
}

void Streams::write_control_frames(PacketBuilder& packet) {
  if (!write_connection_limits(packet)) return;
  if (!write_stream_counts(packet, false) || !write_stream_counts(packet, true)) return;
  while (!control_.empty()) {
    Stream& stream = control_.front();
    const bool complete = write_stream_control(packet, stream);
    update(stream);
    if (!complete) return;
  }
}

bool Streams::write_connection_limits(PacketBuilder& packet) {
  if (AnnouncedLimit& limit = data_window_.limit(); limit.wants_to_send()) {
    const MaxDataFrame frame{.maximum_data = limit.granted()};
    if (!packet.add(frame, FrameType::max_data, {.offset = limit.granted(), .kind = Kind::max_data})) return false;
    limit.on_sent();
  }
  if (wants_data_blocked()) {
    const DataBlockedFrame frame{.maximum_data = data_limit_.limit()};
    const FrameToken token{.offset = data_limit_.limit(), .kind = Kind::data_blocked};
    if (!packet.add(frame, FrameType::data_blocked, token)) return false;
    data_limit_.on_sent();
  }
  return true;
}

bool Streams::write_stream_counts(PacketBuilder& packet, bool unidirectional) {
  if (AnnouncedLimit& limit = peers(unidirectional).limit(); limit.wants_to_send()) {
    const MaxStreamsFrame frame{.unidirectional = unidirectional, .maximum_streams = limit.granted()};
    const FrameType type = unidirectional ? FrameType::max_streams_uni : FrameType::max_streams_bidi;
    const Kind kind = unidirectional ? Kind::max_streams_uni : Kind::max_streams_bidi;
    if (!packet.add(frame, type, {.offset = limit.granted(), .kind = kind})) return false;
    limit.on_sent();
  }
  if (OwnStreams& streams = own(unidirectional); streams.wants_blocked_frame()) {
    const uint64_t limit = streams.limit().limit();
    const StreamsBlockedFrame frame{.unidirectional = unidirectional, .maximum_streams = limit};
    const FrameType type = unidirectional ? FrameType::streams_blocked_uni : FrameType::streams_blocked_bidi;
    const Kind kind = unidirectional ? Kind::streams_blocked_uni : Kind::streams_blocked_bidi;
    if (!packet.add(frame, type, {.offset = limit, .kind = kind})) return false;
    streams.limit().on_sent();
  }
  return true;
}

/// False when there was no room for all frames of the stream.
bool Streams::write_stream_control(PacketBuilder& packet, Stream& stream) {
  const StreamId id = stream.id();
  if (SendStream* send = stream.send.get()) {
    if (send->wants_reset_frame()) {
      const FrameToken token{.id = id.value(), .kind = Kind::reset_stream};
      if (!packet.add(send->reset_frame(id), FrameType::reset_stream, token)) return false;
      send->on_reset_sent();
    }
    if (send->limit().wants_to_send()) {
      const uint64_t limit = send->limit().limit();
      const FrameToken token{.id = id.value(), .offset = limit, .kind = Kind::stream_data_blocked};
      const StreamDataBlockedFrame frame{.stream_id = id, .maximum_stream_data = limit};
      if (!packet.add(frame, FrameType::stream_data_blocked, token)) return false;
      send->on_blocked_sent();
    }
  }
  if (ReceiveStream* receive = stream.receive.get()) {
    if (receive->wants_stop_frame()) {
      const FrameToken token{.id = id.value(), .kind = Kind::stop_sending};
      if (!packet.add(receive->stop_frame(id), FrameType::stop_sending, token)) return false;
      receive->on_stop_sent();
    }
    if (receive->wants_limit_frame()) {
      AnnouncedLimit& limit = receive->window().limit();
      const FrameToken token{.id = id.value(), .offset = limit.granted(), .kind = Kind::max_stream_data};
      const MaxStreamDataFrame frame{.stream_id = id, .maximum_stream_data = limit.granted()};
      if (!packet.add(frame, FrameType::max_stream_data, token)) return false;
      limit.on_sent();
    }
  }
  return true;
}

// ---- STREAM frames ----

bool Streams::has_data() const { return scheduler_.can_send(credit() != 0); }

void Streams::write_stream_frames(PacketBuilder& packet) {
  while (SchedulerEntry* entry = scheduler_.next(credit() != 0)) {
    if (!write_stream_frame(packet, static_cast<Stream&>(*entry))) return;
  }
}

/// False when there is no room, or none that is worth it.
bool Streams::write_stream_frame(PacketBuilder& packet, Stream& stream) {
  SendStream& part = *stream.send;
  const std::optional<Interval> next = part.next(credit());
  QUOLL_CHECK(next);
  Interval range = *next;
  StreamHeader header{.stream_id = stream.id(), .offset = range.start, .extent = Extent::rest_of_packet};
  const auto room_for = [&](Extent extent) {
    return stream_data_room(header.stream_id, header.offset, packet.room(), extent);
  };
  // RFC 9000 §19.8: without a length the frame is the packet's last. So it is when it leaves no room.
  std::optional<size_t> room = room_for(Extent::rest_of_packet);
  if (!room) return false;
  if (*room > range.size()) {
    header.extent = Extent::length;
    room = room_for(Extent::length);
    if (!room) return false;
  }
  if (*room < range.size() && *room < kStreamDataMin && (*room == 0 || !packet.empty())) return false;

  range.end = std::min(range.end, range.start + *room);
  header.data_size = static_cast<size_t>(range.size());
  header.fin = part.ends_at(range.end);
  const FrameToken token{.id = header.stream_id.value(),
                         .offset = range.start,
                         .size = static_cast<uint32_t>(range.size()),
                         .kind = Kind::stream,
                         .fin = header.fin};
  if (!packet.begin_stream(header, token)) return false;
  part.buffer().for_each_piece(range, [&packet](Bytes piece) { packet.add_data(piece); });

  const uint64_t fresh = part.on_data_sent(range, header.fin);
  data_sent_ += fresh;
  statistics_.bytes_sent += fresh;
  statistics_.bytes_retransmitted += range.size() - fresh;
  trace_.moved({.stream_id = header.stream_id,
                .offset = range.start,
                .length = range.size(),
                .from = trace::DataLocation::transport,
                .to = trace::DataLocation::network,
                .fin = header.fin});
  scheduler_.on_sent(stream, header.data_size);
  update(stream);
  return true;
}

// ---- What became of the frames ----

void Streams::on_acked(const FrameToken& token) {
  QUOLL_DCHECK(owner_of(token.kind) == FrameOwner::streams);
  // Nobody waits for the acknowledgement of limits, nor of frames that tell of being blocked.
  const bool of_stream =
      token.kind == Kind::stream || token.kind == Kind::reset_stream || token.kind == Kind::stop_sending;
  Stream* stream = of_stream ? table_.find(StreamId(token.id)) : nullptr;
  if (stream) on_stream_acked(*stream, token);
}

void Streams::on_stream_acked(Stream& stream, const FrameToken& token) {
  if (token.kind == Kind::stop_sending) {
    if (stream.receive) stream.receive->on_stop_acked();
  } else if (SendStream* part = stream.send.get()) {
    const bool was_terminal = part->is_terminal();
    if (token.kind == Kind::reset_stream) {
      part->on_reset_acked();
    } else {
      part->on_data_acked({token.offset, token.offset + token.size}, token.fin);
    }
    if (!was_terminal && part->state() == SendStream::State::data_recvd) tell(stream, StreamNews::delivered);
    // A stream that was cut short has bytes to send: while others leave it little room, its next ACK comes here again.
    const bool worth_it = unsent_room(*part) >= kStreamUnsentMin / 4;
    if (worth_it && part->take_room_news(limits_.send_buffer_max)) tell(stream, StreamNews::writable);
  }
  update(stream);
  release(stream);
}

void Streams::on_lost(const FrameToken& token) {
  switch (token.kind) {
    case Kind::stream:
    case Kind::reset_stream:
    case Kind::stop_sending:
    case Kind::max_stream_data:
    case Kind::stream_data_blocked:
      if (Stream* stream = table_.find(StreamId(token.id))) on_stream_lost(*stream, token);
      return;
    case Kind::max_data:
      return data_window_.limit().on_lost(token.offset);
    case Kind::max_streams_bidi:
    case Kind::max_streams_uni:
      return peers(token.kind == Kind::max_streams_uni).limit().on_lost(token.offset);
    case Kind::data_blocked:
      return data_limit_.on_lost(token.offset);
    case Kind::streams_blocked_bidi:
    case Kind::streams_blocked_uni:
      return own(token.kind == Kind::streams_blocked_uni).limit().on_lost(token.offset);
    case Kind::ack:  // not of streams
    case Kind::crypto:
    case Kind::new_connection_id:
    case Kind::retire_connection_id:
    case Kind::new_token:
    case Kind::handshake_done:
    case Kind::datagram:
      break;
  }
  QUOLL_DCHECK(false);
}

void Streams::on_stream_lost(Stream& stream, const FrameToken& token) {
  SendStream* send = stream.send.get();
  ReceiveStream* receive = stream.receive.get();
  if (token.kind == Kind::stream && send) send->on_data_lost({token.offset, token.offset + token.size}, token.fin);
  if (token.kind == Kind::reset_stream && send) send->on_reset_lost();
  if (token.kind == Kind::stream_data_blocked && send) send->limit().on_lost(token.offset);
  if (token.kind == Kind::stop_sending && receive) receive->on_stop_lost();
  if (token.kind == Kind::max_stream_data && receive) receive->window().limit().on_lost(token.offset);
  update(stream);
}

// ---- The peer's limits as the handshake gives them ----

void Streams::set_peer_parameters(const TransportParameters& peers_parameters) {
  const auto raise = [](uint64_t& limit, uint64_t to) { limit = std::max(limit, to); };
  raise(peer_window_bidi_local_, peers_parameters.initial_max_stream_data_bidi_local);
  raise(peer_window_bidi_remote_, peers_parameters.initial_max_stream_data_bidi_remote);
  raise(peer_window_uni_, peers_parameters.initial_max_stream_data_uni);
  data_limit_.raise(peers_parameters.initial_max_data);
  own(false).raise_limit(peers_parameters.initial_max_streams_bidi);
  own(true).raise_limit(peers_parameters.initial_max_streams_uni);
  // RFC 9000 §7.4.1: streams of 0-RTT get the limits of the handshake.
  table_.for_each([this](Stream& stream) {
    if (stream.send) stream.send->raise_limit(initial_send_limit(stream.id()));
    update(stream);
  });
}

void Streams::on_zero_rtt_rejected() {
  peer_window_bidi_local_ = peer_window_bidi_remote_ = peer_window_uni_ = 0;
  data_limit_.forget();
  own(false).limit().forget();
  own(true).limit().forget();
  data_sent_ = data_sent_by_gone_;  // 0 in truth: nothing of 0-RTT was acknowledged
  table_.for_each([this](Stream& stream) {
    if (stream.send) {
      stream.send->rewind();
      data_sent_ += stream.send->sent_end();
    }
    if (stream.receive) stream.receive->rewind();
    update(stream);
  });
}

}  // namespace quoll::quic
