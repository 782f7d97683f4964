// What the tests of quic/path share: packets that an owner writes and its peer reads, tokens of ids, short names.
#pragma once

#include <string_view>
#include <vector>

#include "base/time.h"
#include "quic/path/local_connection_ids.h"
#include "quic/recovery/packet_builder.h"
#include "quic/wire/frame_reader.h"
#include "tests/support/frame_collector.h"
#include "tests/support/random.h"

namespace quoll::tests {

inline Instant at(int64_t milliseconds) { return Instant() + Duration::milliseconds(milliseconds); }
inline Duration ms(int64_t milliseconds) { return Duration::milliseconds(milliseconds); }

inline bool is_error(const Result<void>& result, quic::TransportError code) {
  return !result && result.error().domain == ErrorDomain::transport &&
         result.error().code == static_cast<uint64_t>(code);
}

/// An id of 8 bytes that hold a number.
inline quic::ConnectionId id_of(uint64_t number) {
  uint8_t bytes[8];
  store_be(bytes, number);
  return quic::ConnectionId(bytes);
}

/// A token that holds a number.
inline quic::StatelessResetToken token_of(uint64_t number) {
  quic::StatelessResetToken token{};
  token[0] = 0xee;
  store_be(token.data() + 8, number);
  return token;
}

/// The token of an id is its bytes and a mark.
class PlainResetTokens final : public quic::ResetTokenSource {
 public:
  quic::StatelessResetToken token_of(const quic::ConnectionId& id) const override {
    quic::StatelessResetToken token{};
    const Bytes bytes = id.bytes().first(std::min<size_t>(id.size(), 12));
    copy_bytes(token.data(), bytes);
    token[15] = 0x77;
    return token;
  }
};

/// A packet that was written: its frames and the tokens that they left.
struct WrittenPacket {
  std::vector<uint8_t> payload;
  std::vector<quic::FrameToken> tokens;
};

/// Lets an owner write a packet of at most `room` bytes.
template <class Owner>
WrittenPacket write_packet(Owner& owner, size_t room = 1000, quic::PacketType type = quic::PacketType::one_rtt) {
  quic::FrameTokens tokens(quic::kFrameTokensMax);
  std::vector<quic::Gap> gaps;
  std::vector<uint8_t> memory(room);
  quic::PacketBuilder builder(type, memory, tokens, gaps, false);
  owner.write_frames(builder);
  WrittenPacket packet;
  packet.payload.assign(builder.written().begin(), builder.written().end());
  const quic::TokenRange range = tokens.take();
  for (uint64_t i = range.begin; i < range.end(); i++) packet.tokens.push_back(tokens[i]);
  return packet;
}

/// Calls on(frame) for the frames of a type in a payload; the first Error ends it.
template <class Frame, class On>
class FramesOf : public FrameCollector {
 public:
  explicit FramesOf(On on) : on_(on) {}
  using FrameCollector::on_frame;
  Result<void> on_frame(const Frame& frame) { return on_(frame); }

 private:
  On on_;
};

template <class Frame, class On>
Result<void> read_packet(const WrittenPacket& packet, On on) {
  FramesOf<Frame, On> visitor(on);
  const auto read = quic::parse_frames({.frames = packet.payload}, visitor);
  if (!read) return std::unexpected(read.error());
  return {};
}

/// The frames of a type in a packet.
template <class Frame>
std::vector<Frame> frames_of(const WrittenPacket& packet) {
  std::vector<Frame> frames;
  if (packet.payload.empty()) return frames;
  (void)read_packet<Frame>(packet, [&](const Frame& frame) -> Result<void> {
    frames.push_back(frame);
    return {};
  });
  return frames;
}

}  // namespace quoll::tests
