#include "quic/recovery/sent_packets.h"

namespace quoll::quic {

SentPackets::Entry& SentPackets::add(const SentPacket& packet) {
  Instant time_sent = packet.time_sent;
  // Send times never go back within a space, or loss detection could not stop at the first packet that is too young.
  // Packets that are not paced may leave before older ones that are.
  if (!ring_.empty()) time_sent = std::max(time_sent, ring_.back().time_sent);
  Entry* entry = ring_.emplace();
  QUOLL_CHECK(entry != nullptr);
  entry->time_sent = time_sent;
  entry->tokens_begin = packet.tokens.begin;
  entry->tokens_count = packet.tokens.count;
  entry->size = packet.size;
  entry->ecn = packet.ecn;
  entry->path = packet.path;
  entry->ack_eliciting = packet.ack_eliciting;
  entry->in_flight = packet.in_flight;
  entry->is_probe = packet.is_probe;
  entry->is_mtu_probe = packet.is_mtu_probe;
  entry->is_zero_rtt = packet.is_zero_rtt;
  tokens_end_ = packet.tokens.end();
  return *entry;
}

void SentPackets::skip() {
  const Instant time_sent = ring_.empty() ? Instant::from_nanoseconds(INT64_MIN) : ring_.back().time_sent;
  skipped_[skipped_count_++ % kSkippedNumbersMax] = ring_.next();
  Entry* entry = ring_.emplace();
  QUOLL_CHECK(entry != nullptr);
  entry->time_sent = time_sent;
  entry->tokens_begin = tokens_end_;
  entry->state = State::skipped;
}

bool SentPackets::contains_skipped(Interval interval) const {
  const uint64_t known = std::min<uint64_t>(skipped_count_, kSkippedNumbersMax);
  for (uint64_t i = 0; i < known; i++) {
    if (skipped_[i] >= interval.start && skipped_[i] < interval.end) return true;
  }
  return false;
}

uint64_t SentPackets::skipped_between(PacketNumber low, PacketNumber high) const {
  const uint64_t known = std::min<uint64_t>(skipped_count_, kSkippedNumbersMax);
  uint64_t count = 0;
  for (uint64_t i = 0; i < known; i++) count += skipped_[i] > low && skipped_[i] < high;
  return count;
}

void SentPackets::clear() {
  ring_.clear();
  acked_.clear();
}

void SentPackets::trim() {
  ring_.trim();
  acked_.trim();
}

}  // namespace quoll::quic
