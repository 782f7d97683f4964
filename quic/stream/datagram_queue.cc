#include "quic/stream/datagram_queue.h"

#include "quic/stream/receive_buffer.h"

namespace quoll::quic {

namespace {

/// What a ring keeps when it is empty, until trim(), so that datagrams one by one, or in trains, allocate nothing.
constexpr size_t kKeptCapacity = 64;
/// Blocks that copied datagrams share: each is twice as large as the one before, while one is not enough.
constexpr size_t kBlockMin = 2048;
constexpr size_t kBlockMax = 64 * 1024;

void give_back(Ring<Slice>& ring) {
  if (ring.empty() && ring.capacity() > kKeptCapacity) ring.trim();
}

}  // namespace

DatagramQueue::DatagramQueue(DatagramLimits limits, uint64_t max_frame_size)
    : limits_(limits),
      max_frame_size_(max_frame_size),
      to_send_(limits.count_max),
      received_(limits.count_max),
      sending_(limits.count_max) {}

std::optional<size_t> DatagramQueue::max_size(size_t payload_size) const {
  // RFC 9221 §3: a peer that announced nothing takes none. The limit is on the frame; without a length it is shortest.
  if (peer_max_frame_size_ == 0) return {};
  const auto frame_size_max = static_cast<size_t>(std::min<uint64_t>(payload_size, peer_max_frame_size_));
  return datagram_data_room(frame_size_max, Extent::rest_of_packet);
}

Result<bool> DatagramQueue::send(Slice data) {
  if (peer_max_frame_size_ == 0) return usage_error("the peer takes no datagrams");
  // RFC 9221 §3: no frame is larger than the peer announced.
  if (data.size() > peer_max_frame_size_ - 1) return usage_error("the datagram is larger than the peer takes");
  if (data.size() > limits_.send_bytes_max) return usage_error("the datagram is larger than the queue");
  if (data.size() > limits_.send_bytes_max - send_bytes_) return false;
  const size_t size = data.size();
  if (!to_send_.emplace(std::move(data))) return false;
  send_bytes_ += size;
  return true;
}

void DatagramQueue::write_frames(PacketBuilder& packet, size_t payload_size_max) {
  // No packet of the train refers to memory: it is a new one.
  if (packet.gaps_begin() + packet.gaps_count() == 0) on_sealed();
  const auto frame_size_max = static_cast<size_t>(std::min<uint64_t>(payload_size_max, peer_max_frame_size_));
  bool goes_on = true;
  while (goes_on && !to_send_.empty()) {
    const size_t size = to_send_.front().size();
    switch (write_front(packet, frame_size_max)) {
      case Write::written:
        statistics_.sent++;
        break;
      case Write::never_fits:
        statistics_.dropped_on_send++;
        break;
      case Write::no_room:
        goes_on = false;
        continue;
    }
    to_send_.pop();
    send_bytes_ -= size;
  }
  give_back(to_send_);
}

DatagramQueue::Write DatagramQueue::write_front(PacketBuilder& packet, size_t frame_size_max) {
  Slice& data = to_send_.front();
  const size_t size = data.size();
  // RFC 9221 §5: a datagram is never cut.
  if (size + 1 > frame_size_max) return Write::never_fits;
  if (size + 1 > packet.room()) return Write::no_room;
  const FrameToken token{.size = static_cast<uint32_t>(size), .kind = FrameToken::Kind::datagram};
  const bool kept = size >= kGapSizeMin;  // smaller ones are copied
  if (kept && sending_.size() >= sending_.limit()) return Write::no_room;
  const bool has_length = size + 1 + varint_size(size) <= std::min(frame_size_max, packet.room());
  // Without a length it must end the packet: what is too much room for it goes in front.
  if (!has_length) packet.pad_to(packet.size() + packet.room() - (size + 1));
  if (!packet.begin_datagram(size, has_length ? Extent::length : Extent::rest_of_packet, token)) return Write::no_room;
  packet.add_data(data.bytes());
  if (kept) QUOLL_CHECK(sending_.emplace(std::move(data)));
  return Write::written;
}

void DatagramQueue::let_go() {
  sending_.clear();
  give_back(sending_);
}

Result<void> DatagramQueue::on_frame(const DatagramFrame& frame, const Buffer& datagram) {
  // RFC 9221 §3: what was not announced, or is larger than announced, closes the connection.
  if (max_frame_size_ == 0) return close_with(TransportError::protocol_violation, "datagrams were not announced");
  if (frame.frame_size > max_frame_size_) {
    return close_with(TransportError::protocol_violation, "a datagram frame larger than announced");
  };
  statistics_.received++;
  const size_t size = frame.data.size();
  // RFC 9221 §5.3: what cannot be stored may be dropped.
  if (size > limits_.receive_bytes_max || received_.limit() == 0) {
    statistics_.dropped_on_receive++;
    return {};
  }
  while (!received_.empty() &&
         (received_.size() >= received_.limit() || receive_bytes_ + size > limits_.receive_bytes_max)) {
    pop_received();
    statistics_.dropped_on_receive++;
  }
  Slice data = size == 0 ? Slice() : datagram.slice(frame.data);
  bool shares = !received_.empty() && received_.back().shares_owner_with(data);
  if (!shares && receive_pinned_ + data.pinned_size() > kPinnedFactorMax * (receive_bytes_ + size) + kReceiveSlack) {
    data = copy(frame.data);
  }
  shares = !received_.empty() && received_.back().shares_owner_with(data);
  const size_t pinned = shares ? 0 : data.pinned_size();
  QUOLL_CHECK(received_.emplace(std::move(data)));
  receive_bytes_ += size;
  receive_pinned_ += pinned;
  news_ = true;
  return {};
}

std::optional<Slice> DatagramQueue::receive() {
  if (received_.empty()) return {};
  Slice data = pop_received();
  give_back(received_);
  return data;
}

Slice DatagramQueue::copy(Bytes data) {
  if (data.empty()) return {};
  if (block_.unique()) block_used_ = 0;
  if (data.size() > block_.size() - block_used_) {
    block_ = Buffer::allocate(std::max(data.size(), std::clamp(2 * block_.size(), kBlockMin, kBlockMax)));
    block_used_ = 0;
  }
  const MutBytes place = block_.bytes().subspan(block_used_, data.size());
  copy_bytes(place.data(), data);
  block_used_ += data.size();
  return block_.slice(place);
}

void DatagramQueue::trim() {
  block_ = {};
  block_used_ = 0;
  for (Ring<Slice>* ring : {&to_send_, &received_, &sending_}) {
    if (ring->empty()) ring->trim();
  }
}

Slice DatagramQueue::pop_received() {
  Slice data = std::move(received_.front());
  received_.pop();
  receive_bytes_ -= data.size();
  if (received_.empty() || !received_.front().shares_owner_with(data)) receive_pinned_ -= data.pinned_size();
  return data;
}

}  // namespace quoll::quic
