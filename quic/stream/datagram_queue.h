// DatagramQueue: unreliable datagrams (RFC 9221) in both directions, within limits.
//
// When the queue to the peer is full, the application is refused; when the queue to the application is full, the oldest
// datagram goes, since the newest is worth most, and is counted. Datagrams keep their order, and none is ever cut or sent
// again. Received ones are slices of the packets that brought them, as long as these hold little else than datagrams; else
// they are copied into a block that they share, and that is used again when the application has let go of them all.
//
// A datagram that is written into a packet leaves the queue, but its bytes are gathered when the packet is sealed:
// they are kept until on_sealed(), or until write_frames() meets a train without gaps, which a new one is.
#pragma once

#include <optional>
#include <utility>

#include "base/result.h"
#include "base/ring.h"
#include "base/slice.h"
#include "quic/recovery/packet_builder.h"
#include "quic/wire/error_code.h"

namespace quoll::quic {

struct DatagramLimits {
  size_t send_bytes_max = 256 * 1024;
  size_t receive_bytes_max = 256 * 1024;
  size_t count_max = 1024;  // in each direction
};

struct DatagramStatistics {
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t acked = 0;
  uint64_t lost = 0;
  uint64_t dropped_on_receive = 0;  // the application did not take them in time
  uint64_t dropped_on_send = 0;     // the path became too small for them
};

class DatagramQueue {
 public:
  /// `max_frame_size`: what we announce (max_datagram_frame_size); 0: datagrams are refused.
  DatagramQueue(DatagramLimits limits, uint64_t max_frame_size);

  /// The peer's max_datagram_frame_size.
  void set_peer_max_frame_size(uint64_t size) { peer_max_frame_size_ = size; }
  /// The most data that a datagram may have, when a packet's payload has `payload_size` bytes; empty when the peer takes
  /// none.
  std::optional<size_t> max_size(size_t payload_size) const;

  /// An Error (usage) when it is too large for the peer or for the queue, or the peer takes none; false when the queue is
  /// full. Empty datagrams are allowed (RFC 9221 §4).
  [[nodiscard]] Result<bool> send(Slice data);
  std::optional<Slice> receive();

  /// PROTOCOL_VIOLATION when datagrams were not announced or the frame is larger than announced (RFC 9221 §3).
  [[nodiscard]] Result<void> on_frame(const DatagramFrame& frame, const Buffer& datagram);
  bool wants_to_send() const { return !to_send_.empty(); }
  /// Writes as many as fit, in order; one that fits into no packet (`payload_size_max`) is dropped and counted.
  void write_frames(PacketBuilder& packet, size_t payload_size_max);
  /// The connection has sealed its train: memory that its packets were gathered from is let go.
  void on_sealed() {
    if (!sending_.empty()) let_go();
  }
  /// Gives back memory of queues that are empty.
  void trim();
  void on_acked(const FrameToken&) { statistics_.acked++; }
  void on_lost(const FrameToken&) { statistics_.lost++; }

  const DatagramStatistics& statistics() const { return statistics_; }
  /// A datagram came since the last call.
  bool take_news() { return std::exchange(news_, false); }

 private:
  enum class Write : uint8_t { written, never_fits, no_room };
  Write write_front(PacketBuilder& packet, size_t frame_size_max);
  Slice pop_received();
  Slice copy(Bytes data);
  void let_go();

  DatagramLimits limits_;
  uint64_t max_frame_size_;
  uint64_t peer_max_frame_size_ = 0;
  Ring<Slice> to_send_;
  Ring<Slice> received_;
  Ring<Slice> sending_;  // in the packets of the train that is being built: kept until they are sealed
  size_t send_bytes_ = 0;
  size_t receive_bytes_ = 0;
  size_t receive_pinned_ = 0;  // by runs of datagrams that share an owner
  Buffer block_;               // of copied datagrams: the last one
  size_t block_used_ = 0;
  bool news_ = false;
  DatagramStatistics statistics_;
};

}  // namespace quoll::quic
