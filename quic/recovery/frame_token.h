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

}  // namespace quoll::quic
