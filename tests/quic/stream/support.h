// Packets between two Streams without a connection: what is written, what it leaves as tokens, and how it arrives.
#pragma once

#include <string>
#include <vector>

#include "quic/stream/streams.h"
#include "quic/wire/frame_reader.h"
#include "tests/support/frame_collector.h"

namespace quoll::tests {

struct StreamPacket {
  std::vector<uint8_t> bytes;
  std::vector<quic::FrameToken> tokens;
};

/// Hands the frames of a packet to a Streams.
struct StreamDeliverer {
  quic::Streams& streams;
  const Buffer& datagram;
  Instant now;

  template <class Frame>
  Result<void> on_frame(const Frame& frame) {
    if constexpr (std::is_same_v<Frame, quic::StreamFrame>) {
      return streams.on_frame(now, frame, datagram);
    } else if constexpr (requires { streams.on_frame(frame); }) {
      return streams.on_frame(frame);
    } else {
      return {};
    }
  }
};

enum class Write { all, control, data };

/// The next packet with `room` bytes for frames; its bytes are empty when there is nothing to send.
inline StreamPacket write_packet(quic::Streams& streams, size_t room = 1200, Write what = Write::all) {
  StreamPacket packet;
  packet.bytes.resize(room);
  quic::FrameTokens tokens(quic::kFrameTokensMax);
  std::vector<quic::Gap> gaps;
  quic::PacketBuilder builder(quic::PacketType::one_rtt, packet.bytes, tokens, gaps, false);
  if (what != Write::data) streams.write_control_frames(builder);
  if (what != Write::control) streams.write_stream_frames(builder);
  packet.bytes.resize(builder.size());
  const quic::TokenRange range = tokens.take();
  for (uint64_t i = range.begin; i < range.end(); i++) packet.tokens.push_back(tokens[i]);
  return packet;
}

inline Result<void> deliver_bytes(quic::Streams& to, Bytes bytes, Instant now = Instant(),
                                  quic::Role receiver = quic::Role::server) {
  Buffer datagram = Buffer::allocate(bytes.size());
  copy_bytes(datagram.bytes().data(), bytes);
  StreamDeliverer visitor{to, datagram, now};
  const quic::PlainPayload payload{
      .type = quic::PacketType::one_rtt, .receiver = receiver, .frames = std::as_const(datagram).bytes()};
  const auto taken = quic::parse_frames(payload, visitor);
  if (!taken) return std::unexpected(taken.error());
  return {};
}

inline Result<void> deliver(quic::Streams& to, const StreamPacket& packet, Instant now = Instant()) {
  return packet.bytes.empty() ? Result<void>() : deliver_bytes(to, packet.bytes, now);
}

/// One frame, as the peer would send it.
template <class Frame>
Result<void> deliver_frame(quic::Streams& to, const Frame& frame, Instant now = Instant()) {
  return deliver_bytes(to, written(frame), now);
}

inline void acknowledge(quic::Streams& sender, const StreamPacket& packet) {
  for (const quic::FrameToken& token : packet.tokens) sender.on_acked(token);
}
inline void lose(quic::Streams& sender, const StreamPacket& packet) {
  for (const quic::FrameToken& token : packet.tokens) sender.on_lost(token);
}

inline std::vector<CollectedFrame> frames_of(const StreamPacket& packet) {
  FrameCollector collector;
  if (!packet.bytes.empty()) {
    (void)quic::parse_frames({.type = quic::PacketType::one_rtt, .frames = packet.bytes}, collector);
  }
  return collector.frames;
}

/// The frames of one packet with all that `streams` wants to send now.
inline std::vector<CollectedFrame> sent_frames(quic::Streams& streams) { return frames_of(write_packet(streams)); }

inline std::vector<quic::StreamEvent> events_of(quic::Streams& streams) {
  std::vector<quic::StreamEvent> events;
  while (auto event = streams.poll_event()) events.push_back(*event);
  return events;
}

template <class Event>
size_t count_events(const std::vector<quic::StreamEvent>& events) {
  size_t count = 0;
  for (const auto& event : events) count += std::holds_alternative<Event>(event);
  return count;
}

/// Generous limits of a peer.
inline quic::TransportParameters open_parameters() {
  return {.initial_max_data = 1 << 20,
          .initial_max_stream_data_bidi_local = 1 << 18,
          .initial_max_stream_data_bidi_remote = 1 << 18,
          .initial_max_stream_data_uni = 1 << 18,
          .initial_max_streams_bidi = 100,
          .initial_max_streams_uni = 100};
}

/// What a Streams with these limits says of itself.
inline quic::TransportParameters parameters_of(const quic::StreamLimits& limits) {
  return {.initial_max_data = limits.initial_connection_window,
          .initial_max_stream_data_bidi_local = limits.initial_stream_window,
          .initial_max_stream_data_bidi_remote = limits.initial_stream_window,
          .initial_max_stream_data_uni = limits.initial_stream_window,
          .initial_max_streams_bidi = limits.max_bidirectional_streams,
          .initial_max_streams_uni = limits.max_unidirectional_streams};
}

/// A client and a server that know each other's limits.
struct StreamsPair {
  explicit StreamsPair(const quic::StreamLimits& limits = {})
      : client(quic::Role::client, limits), server(quic::Role::server, limits) {
    client.set_peer_parameters(parameters_of(limits));
    server.set_peer_parameters(parameters_of(limits));
  }

  /// All packets arrive and are acknowledged, until nobody has anything to say. False when one was refused.
  bool exchange(Instant now = Instant()) {
    for (bool more = true; more;) {
      more = false;
      for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
        const StreamPacket packet = write_packet(*from);
        if (packet.bytes.empty()) continue;
        more = true;
        if (!deliver(*to, packet, now)) return false;
        acknowledge(*from, packet);
        from->check_invariants();
        to->check_invariants();
      }
    }
    return true;
  }

  quic::Streams client;
  quic::Streams server;
};

/// All that can be read now, and whether the end came.
struct ReadAll {
  std::string text;
  bool fin = false;
  std::optional<Error> error{};
};
inline ReadAll read_all(quic::Streams& streams, quic::StreamId id) {
  ReadAll all;
  while (!all.fin) {
    const auto chunk = streams.read(id);
    if (!chunk) {
      all.error = chunk.error();
      break;
    }
    if (!*chunk) break;
    all.text += as_text((*chunk)->data.bytes());
    all.fin = (*chunk)->fin;
  }
  return all;
}

inline bool is_transport_error(const Result<void>& result, quic::TransportError code, uint64_t frame_type) {
  return !result && result.error().domain == ErrorDomain::transport &&
         result.error().code == static_cast<uint64_t>(code) && result.error().frame_type == frame_type;
}

inline constexpr quic::ApplicationErrorCode kCode{7};
inline constexpr quic::StreamId kClientBidi(0), kServerBidi(1), kClientUni(2), kServerUni(3);

inline uint64_t type_of(quic::FrameType type) { return static_cast<uint64_t>(type); }
inline bool is_usage_error(const auto& result) { return !result && result.error().domain == ErrorDomain::usage; }
inline std::string repeat(size_t size) { return std::string(size, 'x'); }
inline quic::StreamFrame data_frame(quic::StreamId id, uint64_t offset, std::string_view text, bool fin = false) {
  return {.stream_id = id, .offset = offset, .data = as_bytes(text), .fin = fin};
}
/// Writes all of a text; what is not taken is a failure.
inline void write_all(quic::Streams& streams, quic::StreamId id, std::string_view text) {
  QUOLL_CHECK(streams.write(id, as_bytes(text)).value() == text.size());
}
/// A server as a client with these limits meets it.
struct Server {
  explicit Server(const quic::StreamLimits& limits = {}, const quic::TransportParameters& peers = open_parameters())
      : streams(quic::Role::server, limits) {
    streams.set_peer_parameters(peers);
  }
  template <class Frame>
  Result<void> take(const Frame& frame) {
    const Result<void> result = deliver_frame(streams, frame);
    if (result) streams.check_invariants();
    return result;
  }
  quic::Streams streams;
};

}  // namespace quoll::tests
