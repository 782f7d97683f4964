// quic::parse_frames: the first byte chooses packet type and role, the rest is a payload. What is taken is written again
// and must read the same; what is refused is refused with one of the two codes.
#include "quic/wire/frame_reader.h"

#include "tests/support/frame_collector.h"

using namespace quoll;
using namespace quoll::quic;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes frames = Bytes(data, size).subspan(1);
  PlainPayload payload{.type = PacketType{static_cast<uint8_t>(data[0] & 3)},
                       .receiver = (data[0] & 4) != 0 ? Role::server : Role::client,
                       .frames = frames};
  tests::FrameCollector collector;
  const Result<PayloadTraits> result = parse_frames(payload, collector);
  if (!result) {
    QUOLL_CHECK(result.error().domain == ErrorDomain::transport);
    QUOLL_CHECK(result.error().code == static_cast<uint64_t>(TransportError::frame_encoding_error) ||
                result.error().code == static_cast<uint64_t>(TransportError::protocol_violation));
    return 0;
  }
  QUOLL_CHECK(!collector.frames.empty());
  payload.frames = collector.rewritten;
  tests::FrameCollector again;
  const Result<PayloadTraits> second = parse_frames(payload, again);
  QUOLL_CHECK(second && *second == *result);
  QUOLL_CHECK(again.rewritten == collector.rewritten);
  QUOLL_CHECK(again.frames.size() == collector.frames.size());
  for (size_t i = 0; i < again.frames.size(); i++) {
    // An ACK frame of more ranges than are acted on comes back with those alone.
    QUOLL_CHECK(again.frames[i] == collector.frames[i]);
  }
  return 0;
}
