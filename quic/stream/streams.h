// Streams: all streams of a connection, their flow control, their limits, and who sends next (RFC 9000 §2, §3, §4).
//
// The owner of RESET_STREAM, STOP_SENDING, STREAM, MAX_DATA, MAX_STREAM_DATA, MAX_STREAMS, DATA_BLOCKED,
// STREAM_DATA_BLOCKED and STREAMS_BLOCKED. Streams that the peer opens come into being in order (§2.1); a stream is
// forgotten when both of its parts are in a terminal state and the application knows; what comes for it later is ignored.
//
// Receive windows begin small and double, up to a maximum, when the application consumes a quarter within a round
// trip; limits are announced when a quarter is used. The number of streams that the peer may open follows the number that
// are open: as one ends, one more is allowed.
#pragma once

#include <optional>

#include "base/result.h"
#include "base/slice.h"
#include "base/time.h"
#include "quic/recovery/packet_builder.h"
#include "quic/stream/scheduler.h"
#include "quic/stream/stream_concurrency.h"
#include "quic/stream/stream_events.h"
#include "quic/stream/stream_table.h"
#include "quic/stream/stream_trace.h"
#include "quic/wire/transport_parameters.h"

namespace quoll::quic {

/// Bytes that a stream may have waiting however much others have: none starves, and frames are filled.
inline constexpr uint64_t kStreamUnsentMin = 64 * 1024;

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
  uint64_t send_buffer_max = 8 * 1024 * 1024;
  /// Bytes of all streams that wait to be sent for the first time. A peer that gives no credit or acknowledges nothing holds
  /// so much of our memory, and kStreamUnsentMin for each stream beyond.
  uint64_t unsent_max = 4 * 1024 * 1024;
  /// Streams that we have open at a time, whatever the peer allows: memory is ours.
  uint64_t max_own_streams = 1'000'000;
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

  // The application. Errors are usage errors: unknown stream, wrong direction, after the end. But a write after the peer
  // has stopped the stream gives an Error of ErrorDomain::application with the code of its STOP_SENDING.

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
  /// How many streams of a kind there may have been so far, by the limit on who opens them (RFC 9000 §4.6): indices from
  /// there on are not allowed yet.
  uint64_t stream_limit(Role opener, bool unidirectional) const {
    return opener == role_ ? own_[unidirectional].limit().limit() : peers_[unidirectional].limit().granted();
  }
  /// Bytes that could be written to a stream now and would go out without MAX_STREAM_DATA or MAX_DATA of the peer's, if it
  /// is more urgent than others; 0 when nothing can be written to it.
  uint64_t send_credit(StreamId id) const;

  // The connection.

  /// The peer's limits: those remembered for 0-RTT, and later the real ones. Limits never shrink, except by
  /// on_zero_rtt_rejected().
  void set_peer_parameters(const TransportParameters& peers);
  /// Everything that was sent is to be sent anew under limits that set_peer_parameters() will give: call it before that.
  /// Streams above the new limits wait for MAX_STREAMS; a stream that was reset has sent nothing (final size 0).
  void on_zero_rtt_rejected();
  /// The peer's limit for the connection holds data back.
  bool is_blocked() const { return data_limit_.is_blocked(); }
  void set_trace(const StreamTrace& trace) { trace_ = trace; }
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
  void on_acked(const FrameToken& token);
  void on_lost(const FrameToken& token);

  /// Gives back memory that streams keep for data to come: the connection is quiet.
  void trim();
  const StreamStatistics& statistics() const { return statistics_; }
  /// Streams that exist.
  bool has_open_streams() const { return !table_.empty(); }
  /// A bidirectional stream lacks data of the peer, or that on which data came last: other unidirectional ones may be meant to stay
  /// open.
  bool awaits_data() const;
  /// The states of RFC 9000 §3; empty when there is no such part, or it is over and freed.
  std::optional<SendStream::State> send_state(StreamId id) const;
  std::optional<ReceiveStream::State> receive_state(StreamId id) const;
  /// Checks what must always hold, for tests and simulations: aborts when it does not.
  void check_invariants() const;

 private:
  // Streams come and go (streams.cc).
  bool is_ours(StreamId id) const { return id.initiator() == role_; }
  bool can_send_on(StreamId id) const { return !id.is_unidirectional() || is_ours(id); }
  bool can_receive_on(StreamId id) const { return !id.is_unidirectional() || !is_ours(id); }
  OwnStreams& own(bool unidirectional) { return own_[unidirectional]; }
  PeerStreams& peers(bool unidirectional) { return peers_[unidirectional]; }
  uint64_t initial_send_limit(StreamId id) const;
  Stream& make(StreamId id);
  Result<Stream*> find_to_send(StreamId id);
  Result<Stream*> find_to_receive(StreamId id);
  void tell(Stream& stream, StreamNews kind);
  StreamEvent take_news(Stream& stream);
  /// Frees what is over; the stream may be gone afterwards.
  void release(Stream& stream);
  void forget(Stream& stream);
  template <class Append>
  Result<size_t> write_some(StreamId id, size_t size, Append append);
  Result<std::optional<Chunk>> report_reset(Stream& stream);
  /// `size` bytes are returned to flow control.
  void consume(ReceiveStream& part, uint64_t size);
  void return_discarded(ReceiveStream& part);

  // Frames that arrive (streams_receive.cc).
  enum class Direction : uint8_t { send, receive };
  Result<Stream*> find_named(StreamId id, Direction part, uint64_t frame_type);
  Result<void> open_up_to(StreamId id, uint64_t frame_type);
  Result<void> check_connection_limit(uint64_t growth, uint64_t frame_type) const;
  void on_receive_progress(Stream& stream);

  // What goes out (streams_send.cc).
  /// The most bytes that a stream may append for want of memory in all.
  uint64_t unsent_room(const SendStream& part) const;
  uint64_t credit() const { return data_limit_.limit() - std::min(data_sent_, data_limit_.limit()); }
  /// Rejected 0-RTT can leave streams above the new limit: they wait.
  bool may_speak(StreamId id) const {
    return !is_ours(id) || id.index() < own_[id.is_unidirectional()].limit().limit();
  }
  /// After any change of a stream: puts it into the queues where it belongs now.
  void update(Stream& stream);
  template <class Queue>
  static void place(Queue& queue, Stream& stream, bool in) {
    if (in == Queue::is_linked(stream)) return;
    if (in) {
      queue.push_back(stream);
    } else {
      Queue::remove(stream);
    }
  }
  void note_data_blocked();
  bool wants_data_blocked() const { return data_limit_.wants_to_send() && scheduler_.wants_credit(); }
  bool write_stream_frame(PacketBuilder& packet, Stream& stream);
  bool write_connection_limits(PacketBuilder& packet);
  bool write_stream_counts(PacketBuilder& packet, bool unidirectional);
  bool write_stream_control(PacketBuilder& packet, Stream& stream);
  void on_stream_acked(Stream& stream, const FrameToken& token);
  void on_stream_lost(Stream& stream, const FrameToken& token);

  void check_stream(const Stream& stream) const;

  Role role_;
  bool refused_ = false;
  StreamTrace trace_;
  StreamLimits limits_;
  Duration smoothed_rtt_ = Duration::milliseconds(333);
  Instant now_;            // of the last frame with data
  StreamId last_arrival_;  // its stream

  StreamTable table_;
  Scheduler scheduler_;
  ControlQueue control_;
  NewsQueue news_;
  std::array<OwnStreams, 2> own_;  // bidirectional, unidirectional
  std::array<PeerStreams, 2> peers_;

  // Limits for each new stream, from the peer's transport parameters.
  uint64_t peer_window_bidi_local_ = 0;
  uint64_t peer_window_bidi_remote_ = 0;
  uint64_t peer_window_uni_ = 0;

  // Flow control of the connection. What is sent is the sum of SendStream::sent_end() over all streams ever, what is
  // received that of ReceiveStream::highest().
  PeerLimit data_limit_{0};
  uint64_t data_sent_ = 0;
  uint64_t data_sent_by_gone_ = 0;  // parts that were freed
  uint64_t unsent_ = 0;             // the streams' unsent_counted
  ReceiveWindow data_window_;
  uint64_t data_received_ = 0;

  StreamStatistics statistics_;
};

}  // namespace quoll::quic
