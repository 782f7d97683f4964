// What a peer can make a Session hold or do, each with the reason for its number. What SETTINGS and the transport's own
// limits bound (streams, the dynamic table, field sections) is not repeated here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quoll::h3 {

/// Bytes asked of the transport at a time while no body is read: a head that fits comes in one piece.
inline constexpr size_t kReadSize = 16 * 1024;
/// A DATA frame of ours. What the transport does not take of it at once is kept, so a frame is what a slow peer makes us
/// hold for a stream; its header costs 5 bytes in 256 KiB.
inline constexpr size_t kDataFrameMax = 256 * 1024;
/// A payload on the control stream that has no length of its own: SETTINGS with all that extensions may add.
inline constexpr uint64_t kControlPayloadMax = 16 * 1024;
/// A field section on the wire, beyond what it may be decoded: Huffman codes of rare bytes are up to 30 bits long, and
/// integers may be written longer than they need to be.
inline constexpr uint64_t kEncodedSizeFactor = 4;
inline constexpr uint64_t kEncodedSizeSlack = 1024;
/// Encoded sections that wait for the dynamic table, in all streams: more than blocked streams ever have unless they are
/// filled on purpose.
inline constexpr size_t kBlockedBytesMax = 4 * 1024 * 1024;
/// Events that the application has not polled. It polls after each input, so a number that no input comes near.
inline constexpr size_t kEventsMax = 64 * 1024;
/// Decoded field sections in those events: compression makes large ones of few bytes.
inline constexpr uint64_t kEventBytesMax = 32 * 1024 * 1024;
/// Interim responses of one exchange that wait to be polled; further ones may be left out (RFC 9110 §15.2).
inline constexpr unsigned kInterimWaitingMax = 8;
/// Things without use (RFC 9114 §10.5: unknown frames and streams, empty DATA, priorities for the same stream over and
/// over, promises that were told before) in a row of fewer useful ones: each useful one makes up for kUsefulWorth.
inline constexpr uint32_t kUselessMax = 10'000;
inline constexpr uint32_t kUsefulWorth = 16;
/// Bytes of a request's body that nobody wants: what is under way when a response comes early, and most forms. A client
/// that goes on is stopped.
inline constexpr size_t kDiscardedMax = 64 * 1024;
/// Bytes for our control and QPACK streams that the peer's flow control holds back.
inline constexpr size_t kControlWaitingMax = 64 * 1024;
/// Unidirectional streams whose type has not come; the transport's limit on streams is lower in general.
inline constexpr size_t kUntypedStreamsMax = 1024;
/// Priorities for requests that have not come (RFC 9218 §7); the oldest is forgotten.
inline constexpr size_t kEarlyPrioritiesMax = 128;
/// Datagrams of requests that have not come (RFC 9297 §2.1); the oldest is dropped.
inline constexpr size_t kEarlyDatagramsMax = 32;
/// Gaps between pushes whose stream has come, by cancelled ones; the oldest are forgotten.
inline constexpr size_t kPushGapsMax = 1024;
/// Exchanges at a time, whatever the transport allows.
inline constexpr size_t kExchangesMax = 1'000'000;

}  // namespace quoll::h3
