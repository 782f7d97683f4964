// PacketBuilder: the payload of a packet that is being written: room, frames, the tokens that they leave, and what the
// frames make of the packet (RFC 9000 §12.4, §13).
//
// A frame that does not fit, or whose token finds no place, is not written, and the caller goes on with something else
// or stops. Stream data is not copied in: it is left as a gap for SealTrain (seal_train.h), except where there are too
// many small pieces, or where a trace wants to see the frames.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/writer.h"
#include "quic/protect/seal_train.h"
#include "quic/recovery/frame_token.h"
#include "quic/recovery/tokens.h"
#include "quic/wire/ack_frame.h"
#include "quic/wire/frame_writer.h"

namespace quoll::quic {

/// Tokens of a space: frames in flight. Beyond it a sender adds no frames until packets are resolved.
inline constexpr size_t kFrameTokensMax = size_t{1} << 17;
/// Pieces of a packet that are gathered; data beyond is copied. Small ones are copied anyway: a piece has its price.
inline constexpr size_t kGapsPerPacketMax = 16;
inline constexpr size_t kGapSizeMin = 64;

using FrameTokens = TokenRing<FrameToken>;

class PacketBuilder {
 public:
  /// Writes into `room`, the payload's. `gather` false: all data is copied in.
  PacketBuilder(PacketType type, MutBytes room, FrameTokens& tokens, std::vector<Gap>& gaps, bool gather)
      : writer_(room), tokens_(tokens), gaps_(gaps), gaps_begin_(gaps.size()), type_(type), gather_(gather) {}

  PacketType type() const { return type_; }
  Space space() const { return space_of(type_); }
  /// Bytes left for frames.
  size_t room() const { return writer_.remaining(); }
  /// Bytes of frames so far.
  size_t size() const { return writer_.size(); }
  bool empty() const { return writer_.size() == 0; }
  const PayloadTraits& traits() const { return traits_; }

  /// Writes a frame that leaves no token. False when it does not fit.
  template <class Frame>
  [[nodiscard]] bool add(const Frame& frame, FrameType type) {
    if (frame_size(frame) > room()) return false;
    write_frame(writer_, frame);
    traits_.add(type);
    return true;
  }
  /// Writes a frame and leaves its token. False when the frame does not fit or the token finds no place.
  template <class Frame>
  [[nodiscard]] bool add(const Frame& frame, FrameType type, const FrameToken& token) {
    if (frame_size(frame) > room() || !tokens_.push(token)) return false;
    write_frame(writer_, frame);
    traits_.add(type);
    return true;
  }

  /// An ACK frame of the ranges that fit, with `reserved` bytes left for what is to follow.
  [[nodiscard]] bool add_ack(const IntervalSet& ranges, const AckFields& fields, size_t reserved = 0) {
    const size_t count = ack_ranges_fitting(ranges, fields, room() - std::min(room(), reserved));
    const FrameToken token{.offset = ranges.empty() ? 0 : ranges.back().end - 1, .kind = FrameToken::Kind::ack};
    if (count == 0 || !tokens_.push(token)) return false;
    write_ack(writer_, ranges, fields, count);
    traits_.add(fields.ecn ? FrameType::ack_ecn : FrameType::ack);
    return true;
  }

  /// A STREAM frame in two steps: whether it can be written at all, header (which fits), then the data piece by piece,
  /// header.data_size bytes in all. The data stays in place until the packet is sealed.
  [[nodiscard]] bool begin_stream(const StreamHeader& header, const FrameToken& token) {
    if (!tokens_.push(token)) return false;
    write_stream_header(writer_, header);
    traits_.add(FrameType::stream);
    return true;
  }
  [[nodiscard]] bool begin_crypto(uint64_t offset, size_t data_size, const FrameToken& token) {
    if (!tokens_.push(token)) return false;
    write_crypto_header(writer_, offset, data_size);
    traits_.add(FrameType::crypto);
    return true;
  }
  [[nodiscard]] bool begin_datagram(size_t data_size, Extent extent, const FrameToken& token) {
    if (!tokens_.push(token)) return false;
    write_datagram_header(writer_, data_size, extent);
    traits_.add(extent == Extent::length ? FrameType::datagram_len : FrameType::datagram);
    return true;
  }
  void add_data(Bytes data) {
    QUOLL_DCHECK(data.size() <= room());
    if (gather_ && data.size() >= kGapSizeMin && gaps_.size() - gaps_begin_ < kGapsPerPacketMax) {
      gaps_.push_back({.offset = writer_.size(), .data = data});
      writer_.skip(data.size());
    } else {
      writer_.bytes(data);
    }
  }

  /// PADDING up to `size` bytes of payload, or to the end of the room.
  void pad_to(size_t size) {
    if (size <= writer_.size()) return;
    writer_.zeros(std::min(size - writer_.size(), room()));
    traits_.add(FrameType::padding);
  }

  size_t gaps_begin() const { return gaps_begin_; }
  size_t gaps_count() const { return gaps_.size() - gaps_begin_; }
  /// The payload as written; the gaps hold nothing.
  Bytes written() const { return writer_.written(); }

 private:
  Writer writer_;
  FrameTokens& tokens_;
  std::vector<Gap>& gaps_;
  size_t gaps_begin_;
  PayloadTraits traits_;
  PacketType type_;
  bool gather_;
};

}  // namespace quoll::quic
