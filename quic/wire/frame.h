// Every frame of RFC 9000 §19 and RFC 9221 §4 as a small value, and what is true of all frames of a type.
//
// Parsed frames hold views into the packet (ack_frame.h has the ACK frame). Frame types that are flags of one frame
// share a struct. A new frame is an enumerator, a row in kRows of frame.cc, a struct, a read() and a write_frame(); the
// compiler names the places that are missing.
#pragma once

#include <array>

#include "quic/wire/packet_header.h"
#include "quic/wire/stateless_reset.h"

namespace quoll::quic {

enum class FrameType : uint64_t {
  padding = 0x00,
  ping = 0x01,
  ack = 0x02,
  ack_ecn = 0x03,
  reset_stream = 0x04,
  stop_sending = 0x05,
  crypto = 0x06,
  new_token = 0x07,
  stream = 0x08,  // to 0x0f, with these bits:
  stream_fin = 0x09,
  stream_len = 0x0a,
  stream_len_fin = 0x0b,
  stream_off = 0x0c,
  stream_off_fin = 0x0d,
  stream_off_len = 0x0e,
  stream_off_len_fin = 0x0f,
  max_data = 0x10,
  max_stream_data = 0x11,
  max_streams_bidi = 0x12,
  max_streams_uni = 0x13,
  data_blocked = 0x14,
  stream_data_blocked = 0x15,
  streams_blocked_bidi = 0x16,
  streams_blocked_uni = 0x17,
  new_connection_id = 0x18,
  retire_connection_id = 0x19,
  path_challenge = 0x1a,
  path_response = 0x1b,
  connection_close = 0x1c,
  connection_close_application = 0x1d,
  handshake_done = 0x1e,
  datagram = 0x30,  // RFC 9221
  datagram_len = 0x31,
};

inline constexpr uint64_t kStreamFin = 0x01;
inline constexpr uint64_t kStreamLen = 0x02;
inline constexpr uint64_t kStreamOff = 0x04;

/// RFC 9000 §12.4, table 3, and RFC 9221: what is true of a frame by its type.
struct FrameTraits {
  bool known = false;
  uint8_t packets = 0;  // bit n: allowed in PacketType n
  bool ack_eliciting = false;
  bool probing = false;           // may probe a path, RFC 9000 §9.1
  bool counts_in_flight = false;  // toward bytes in flight, RFC 9002 §2
  bool only_from_server = false;  // RFC 9000 §19.7, §19.20
  bool flow_controlled = false;

  constexpr bool allowed_in(PacketType type) const { return (packets >> static_cast<int>(type) & 1) != 0; }
};

/// All known types take one byte, below this.
inline constexpr size_t kFrameTypeEnd = 0x40;

extern const std::array<FrameTraits, kFrameTypeEnd> kFrameTraits;

/// Not known for types that are not known.
inline FrameTraits traits_of(FrameType type) {
  const auto value = static_cast<uint64_t>(type);
  return value < kFrameTypeEnd ? kFrameTraits[static_cast<size_t>(value)] : FrameTraits{};
}

/// As in RFC 9000, for messages and traces: "STREAM"; "unknown" for others.
const char* frame_name(FrameType type);

/// What the frames of a packet make of it.
struct PayloadTraits {
  bool ack_eliciting = false;  // one frame is: RFC 9000 §13.2
  bool in_flight = false;      // one counts toward bytes in flight: RFC 9002 §2
  bool probing = true;         // all frames are probing: RFC 9000 §9.1

  void add(const FrameTraits& frame) {
    ack_eliciting |= frame.ack_eliciting;
    in_flight |= frame.counts_in_flight;
    probing &= frame.probing;
  }
  void add(FrameType type) { add(traits_of(type)); }

  friend bool operator==(const PayloadTraits&, const PayloadTraits&) = default;
};

/// A run of PADDING frames, RFC 9000 §19.1.
struct PaddingFrame {
  size_t size = 1;
  friend bool operator==(const PaddingFrame&, const PaddingFrame&) = default;
};

struct PingFrame {
  friend bool operator==(const PingFrame&, const PingFrame&) = default;
};

struct ResetStreamFrame {
  StreamId stream_id{};
  uint64_t application_error_code = 0;
  uint64_t final_size = 0;
  friend bool operator==(const ResetStreamFrame&, const ResetStreamFrame&) = default;
};

struct StopSendingFrame {
  StreamId stream_id{};
  uint64_t application_error_code = 0;
  friend bool operator==(const StopSendingFrame&, const StopSendingFrame&) = default;
};

/// offset + data.size() <= kVarintMax.
struct CryptoFrame {
  uint64_t offset = 0;
  Bytes data{};
};

struct NewTokenFrame {
  Bytes token{};  // not empty
};

/// offset + data.size() <= kVarintMax.
struct StreamFrame {
  StreamId stream_id{};
  uint64_t offset = 0;
  Bytes data{};
  bool fin = false;
};

struct MaxDataFrame {
  uint64_t maximum_data = 0;
  friend bool operator==(const MaxDataFrame&, const MaxDataFrame&) = default;
};

struct MaxStreamDataFrame {
  StreamId stream_id{};
  uint64_t maximum_stream_data = 0;
  friend bool operator==(const MaxStreamDataFrame&, const MaxStreamDataFrame&) = default;
};

struct MaxStreamsFrame {
  bool unidirectional = false;
  uint64_t maximum_streams = 0;  // at most kStreamCountMax
  friend bool operator==(const MaxStreamsFrame&, const MaxStreamsFrame&) = default;
};

struct DataBlockedFrame {
  uint64_t maximum_data = 0;
  friend bool operator==(const DataBlockedFrame&, const DataBlockedFrame&) = default;
};

struct StreamDataBlockedFrame {
  StreamId stream_id{};
  uint64_t maximum_stream_data = 0;
  friend bool operator==(const StreamDataBlockedFrame&, const StreamDataBlockedFrame&) = default;
};

struct StreamsBlockedFrame {
  bool unidirectional = false;
  uint64_t maximum_streams = 0;  // at most kStreamCountMax
  friend bool operator==(const StreamsBlockedFrame&, const StreamsBlockedFrame&) = default;
};

struct NewConnectionIdFrame {
  uint64_t sequence_number = 0;
  uint64_t retire_prior_to = 0;  // at most sequence_number
  ConnectionId connection_id{};  // not empty
  StatelessResetToken stateless_reset_token{};
  friend bool operator==(const NewConnectionIdFrame&, const NewConnectionIdFrame&) = default;
};

struct RetireConnectionIdFrame {
  uint64_t sequence_number = 0;
  friend bool operator==(const RetireConnectionIdFrame&, const RetireConnectionIdFrame&) = default;
};

/// What a PATH_CHALLENGE carries and its PATH_RESPONSE returns.
using PathData = std::array<uint8_t, 8>;

struct PathChallengeFrame {
  PathData data{};
  friend bool operator==(const PathChallengeFrame&, const PathChallengeFrame&) = default;
};

struct PathResponseFrame {
  PathData data{};
  friend bool operator==(const PathResponseFrame&, const PathResponseFrame&) = default;
};

/// RFC 9000 §19.19. `application` tells whose space the code belongs to.
struct ConnectionCloseFrame {
  bool application = false;
  uint64_t error_code = 0;
  uint64_t frame_type = 0;  // not of applications
  Bytes reason_phrase{};
};

struct HandshakeDoneFrame {
  friend bool operator==(const HandshakeDoneFrame&, const HandshakeDoneFrame&) = default;
};

/// RFC 9221 §4.
struct DatagramFrame {
  Bytes data{};
  size_t frame_size = 0;  // of a frame that was parsed, with its type and length: what max_datagram_frame_size limits
};

}  // namespace quoll::quic
