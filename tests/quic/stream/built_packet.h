// A packet that owners write frames into: its payload as sealing would gather it, its frames and its tokens.
#pragma once

#include <vector>

#include "base/check.h"
#include "quic/recovery/packet_builder.h"
#include "tests/support/frame_collector.h"

namespace quoll::tests {

/// A train of packets that share tokens and gaps.
struct BuiltTrain {
  quic::FrameTokens tokens{quic::kFrameTokensMax};
  std::vector<quic::Gap> gaps;
};

class BuiltPacket {
 public:
  BuiltPacket(BuiltTrain& train, size_t room, quic::PacketType type = quic::PacketType::one_rtt, bool gather = true)
      : train_(train), room_(room, 0xa5), builder(type, room_, train.tokens, train.gaps, gather) {}

  /// The payload with its gaps filled.
  std::vector<uint8_t> payload() const {
    std::vector<uint8_t> bytes(room_.begin(), room_.begin() + static_cast<ptrdiff_t>(builder.size()));
    for (size_t i = 0; i < builder.gaps_count(); i++) {
      const quic::Gap& gap = train_.gaps[builder.gaps_begin() + i];
      copy_bytes(bytes.data() + gap.offset, gap.data);
    }
    return bytes;
  }
  /// The frames, as the peer (a client) reads them.
  std::vector<CollectedFrame> frames() const {
    FrameCollector collector;
    const std::vector<uint8_t> bytes = payload();
    if (bytes.empty()) return {};
    const auto result =
        quic::parse_frames({.type = builder.type(), .receiver = quic::Role::client, .frames = bytes}, collector);
    if (!result) check_failed(__FILE__, __LINE__, result.error().reason);
    return collector.frames;
  }
  /// The tokens that were left since the last call for this train.
  std::vector<quic::FrameToken> take_tokens() {
    const quic::TokenRange range = train_.tokens.take();
    std::vector<quic::FrameToken> taken;
    for (uint64_t i = range.begin; i < range.end(); i++) taken.push_back(train_.tokens[i]);
    return taken;
  }

 private:
  BuiltTrain& train_;
  std::vector<uint8_t> room_;

 public:
  quic::PacketBuilder builder;
};

}  // namespace quoll::tests
