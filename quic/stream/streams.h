// Streams: all streams of a connection, their flow control, their limits, and who sends next (RFC 9000 §2, §3, §4).
//
// The owner of RESET_STREAM, STOP_SENDING, STREAM, MAX_DATA, MAX_STREAM_DATA, MAX_STREAMS, DATA_BLOCKED,
// STREAM_DATA_BLOCKED and STREAMS_BLOCKED. Streams that the peer opens come into being in order (§2.1); a stream is
// forgotten when both of its parts are in a terminal state and the application knows; what comes for it later is ignored.
//
// Receive windows begin small and double, up to a maximum, when the application consumes a window within two round
// trips; limits are announced when half is used. The number of streams that the peer may open follows the number that
// are open: as one ends, one more is allowed.
#pragma once

#include <optional>

#include "base/result.h"
#include "base/slice.h"
#include "base/time.h"
#include "quic/recovery/packet_builder.h"
#include "quic/stream/stream_events.h"
#include "quic/wire/transport_parameters.h"

namespace quoll::quic {

struct StreamLimits {
  // Receive windows, in bytes: the first ones are announced in the transport parameters.
  uint64_t initial_stream_window = 256 * 1024;
  uint64_t max_stream_window = 16 * 1024 * 1024;
  uint64_t initial_connection_window = 384 * 1024;
  uint64_t max_connection_window = 24 * 1024 * 1024;
  // Streams that the peer may have open at a time.
  uint64_t max_bidirectional_streams = 100;
  uint64_t max_unidirectional_streams = 100;
  /// Bytes of a stream that wait to be sent or acknowledged before write() takes no more.
  uint64_t send_buffer_max = 4 * 1024 * 1024;
  /// Streams that we have open at a time, whatever the peer allows: memory is ours.
  uint64_t max_own_streams = 1'000'000;
};

/// RFC 9218: 0 is the most urgent, 3 the default. Incremental streams of one urgency take turns.
struct StreamPriority {
  uint8_t urgency = 3;  // 0 to 7
  bool incremental = false;
  friend bool operator==(const StreamPriority&, const StreamPriority&) = default;
};

/// Bytes in order, as they arrived.
struct Chunk {
  Slice data;
  bool fin = false;  // nothing follows
};

struct StreamStatistics {
  uint64_t opened_by_us = 0;
  uint64_t opened_by_peer = 0;
  uint64_t open = 0;
  uint64_t bytes_sent = 0;  // first transmissions
  uint64_t bytes_retransmitted = 0;
  uint64_t bytes_received = 0;  // in order or not, each once
  uint64_t bytes_read = 0;
};

class Streams {
 public:
  Streams(Role role, const StreamLimits& limits);
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;
  ~Streams();

  // The application. Errors are usage errors: unknown stream, wrong direction, after the end.

  /// Empty when the peer allows no more now (then STREAMS_BLOCKED goes out, and StreamsAvailable comes).
  std::optional<StreamId> open(bool unidirectional);
  /// Takes what fits the send buffer and gives how many bytes that were; StreamWritable follows when it was cut short.
  [[nodiscard]] Result<size_t> write(StreamId id, Bytes data);
  /// The same without a copy: what is not taken stays in `data`.
  [[nodiscard]] Result<size_t> write(StreamId id, Slice& data);
  [[nodiscard]] Result<void> finish(StreamId id);
  [[nodiscard]] Result<void> reset(StreamId id, ApplicationErrorCode error);
  [[nodiscard]] Result<void> set_priority(StreamId id, StreamPriority priority);
  /// The next bytes, at most `max`. Empty: nothing now. A chunk with `fin` is the last; an Error of
  /// ErrorDomain::application carries the code of a RESET_STREAM, and the receiving part is done.
  [[nodiscard]] Result<std::optional<Chunk>> read(StreamId id, size_t max = SIZE_MAX);
  /// STOP_SENDING: nothing more is read.
  [[nodiscard]] Result<void> stop(StreamId id, ApplicationErrorCode error);
  std::optional<StreamEvent> poll_event();

  // The connection.

  /// The peer's limits: those remembered for 0-RTT, and later the real ones. Limits never shrink, except by
  /// on_zero_rtt_rejected().
  void set_peer_parameters(const TransportParameters& peers);
  /// Everything that was sent is to be sent anew under limits that set_peer_parameters() will give.
  void on_zero_rtt_rejected();
  /// For the windows.
  void set_smoothed_rtt(Duration rtt) { smoothed_rtt_ = rtt; }

  [[nodiscard]] Result<void> on_frame(Instant now, const StreamFrame& frame, const Buffer& datagram);
  [[nodiscard]] Result<void> on_frame(const ResetStreamFrame& frame);
  [[nodiscard]] Result<void> on_frame(const StopSendingFrame& frame);
  [[nodiscard]] Result<void> on_frame(const MaxDataFrame& frame);
  [[nodiscard]] Result<void> on_frame(const MaxStreamDataFrame& frame);
  [[nodiscard]] Result<void> on_frame(const MaxStreamsFrame& frame);
  [[nodiscard]] Result<void> on_frame(const DataBlockedFrame& frame);
  [[nodiscard]] Result<void> on_frame(const StreamDataBlockedFrame& frame);
  [[nodiscard]] Result<void> on_frame(const StreamsBlockedFrame& frame);
  /// Data of the last packet was refused for its fragmentation: the packet must not be acknowledged.
  bool take_refusal();

  /// Something could be written now.
  bool wants_to_send() const { return has_control_frames() || has_data(); }
  bool has_control_frames() const;
  /// Stream data (or an end) that flow control lets go.
  bool has_data() const;
  /// Frames other than STREAM.
  void write_control_frames(PacketBuilder& packet);
  /// STREAM frames, the most urgent first. The last one extends to the end of the packet when it fills it.
  void write_stream_frames(PacketBuilder& packet);
  /// Nothing to send although everything would be allowed (all flow control limits aside): for app-limited marks.
  void on_acked(const FrameToken& token);
  void on_lost(const FrameToken& token);
  /// A probe has nothing new to carry: some stream's oldest bytes in flight are queued again. False if there are none.
  bool resend_oldest();

  /// Bytes that wait for data to be sent, that flow control holds back: for tests and statistics.
  const StreamStatistics& statistics() const;
  /// Checks what must always hold, for tests and simulations: aborts when it does not.
  void check_invariants() const;

 private:
  // (the implementation's)
  Duration smoothed_rtt_ = Duration::milliseconds(333);
};

}  // namespace quoll::quic
