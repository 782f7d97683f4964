// FrameToken: what a frame leaves behind when its packet is sent, so that its owner learns what became of it (RFC 9000
// §13.3). Owners repeat content, never bytes: a token says what the frame carried, not how it looked.
//
// PADDING, PING, PATH_CHALLENGE, PATH_RESPONSE and CONNECTION_CLOSE leave none: nobody repeats them on loss.
#pragma once

#include <cstdint>

namespace quoll::quic {

struct FrameToken {
  enum class Kind : uint8_t {
    ack,                   // offset: largest acknowledged
    crypto,                // offset, size
    stream,                // id, offset, size, fin
    reset_stream,          // id
    stop_sending,          // id
    max_data,              // offset: the limit
    max_stream_data,       // id, offset: the limit
    max_streams_bidi,      // offset: the limit
    max_streams_uni,       // offset: the limit
    data_blocked,          // offset: the limit
    stream_data_blocked,   // id, offset: the limit
    streams_blocked_bidi,  // offset: the limit
    streams_blocked_uni,   // offset: the limit
    new_connection_id,     // id: the sequence number
    retire_connection_id,  // id: the sequence number
    new_token,             // id: its owner's number
    handshake_done,
    datagram,  // size: never sent again, but counted
  };

  uint64_t id = 0;
  uint64_t offset = 0;
  uint32_t size = 0;
  Kind kind = Kind::ack;
  bool fin = false;
};
static_assert(sizeof(FrameToken) == 24);

/// Who learns what became of a frame.
enum class FrameOwner : uint8_t {
  received_packets,
  crypto_stream,
  streams,
  local_connection_ids,
  remote_connection_ids,
  new_token,
  handshake,
  datagrams,
};

constexpr FrameOwner owner_of(FrameToken::Kind kind) {
  using Kind = FrameToken::Kind;
  switch (kind) {
    case Kind::ack:
      return FrameOwner::received_packets;
    case Kind::crypto:
      return FrameOwner::crypto_stream;
    case Kind::stream:
    case Kind::reset_stream:
    case Kind::stop_sending:
    case Kind::max_data:
    case Kind::max_stream_data:
    case Kind::max_streams_bidi:
    case Kind::max_streams_uni:
    case Kind::data_blocked:
    case Kind::stream_data_blocked:
    case Kind::streams_blocked_bidi:
    case Kind::streams_blocked_uni:
      return FrameOwner::streams;
    case Kind::new_connection_id:
      return FrameOwner::local_connection_ids;
    case Kind::retire_connection_id:
      return FrameOwner::remote_connection_ids;
    case Kind::new_token:
      return FrameOwner::new_token;
    case Kind::handshake_done:
      return FrameOwner::handshake;
    case Kind::datagram:
      break;
  }
  return FrameOwner::datagrams;
}

}  // namespace quoll::quic
