#include "quic/recovery/received_packets.h"

namespace quoll::quic {

ReceivedPackets::ReceivedPackets(Space space, AckPolicy policy)
    : policy_(policy), always_immediate_(space != Space::application) {}

void ReceivedPackets::on_packet(Instant received_at, const Packet& packet) {
  QUOLL_DCHECK(!is_duplicate(packet.number));
  // RFC 9000 §13.4.1: a mark counts once for each packet that is processed.
  const bool is_ce = packet.ecn == Ecn::ce;
  ecn_.ect0 += packet.ecn == Ecn::ect0;
  ecn_.ect1 += packet.ecn == Ecn::ect1;
  ecn_.ce += is_ce;
  const bool ce_begins = is_ce && !last_was_ce_;
  last_was_ce_ = is_ce;
  insert(packet.number);
  if (!largest_ || packet.number > *largest_) {
    largest_ = packet.number;
    largest_received_at_ = received_at;
  }
  // RFC 9000 §13.2.1: a packet that is not ack-eliciting is never answered by itself, gaps or not.
  if (!packet.ack_eliciting) return;
  unacked_eliciting_++;
  if (unacked_eliciting_ == 1) deadline_ = received_at + policy_.max_ack_delay;
  // RFC 9000 §13.2.1, draft-ietf-quic-ack-frequency §6.3: CE at once; with a high threshold where CE begins.
  const bool ce_matters = policy_.ack_eliciting_threshold > 1 ? ce_begins : is_ce;
  if (always_immediate_ || ce_matters || unacked_eliciting_ > policy_.ack_eliciting_threshold ||
      is_reordered(packet.number)) {
    immediate_ = true;
  }
  if (!largest_eliciting_ || packet.number > *largest_eliciting_) largest_eliciting_ = packet.number;
}

void ReceivedPackets::insert(PacketNumber number) {
  const bool was_full = received_.size() == received_.limit();
  const PacketNumber lowest = was_full ? received_.front().start : 0;
  if (!received_.insert(number)) {
    // The lowest of all, and one range too many: it is known only by the floor from now on.
    floor_ = std::max(floor_, number + 1);
  } else if (was_full && received_.front().start > lowest) {
    // RFC 9000 §13.2.3: a floor keeps packets of forgotten ranges from being taken twice.
    floor_ = std::max(floor_, received_.front().start);
  }
}

bool ReceivedPackets::is_reordered(PacketNumber number) const {
  const uint64_t threshold = policy_.reordering_threshold;
  if (threshold == 0) return false;
  if (threshold == 1) {
    if (!largest_eliciting_) {
      // The first one: packets below that have not come are missing, too.
      return received_.front().start > floor_ || received_.size() > 1;
    }
    // RFC 9000 §13.2.1: older than one that came, or with a gap between that one and itself.
    if (number < *largest_eliciting_) return true;
    return received_.first_missing(*largest_eliciting_) < number;
  }
  // draft-ietf-quic-ack-frequency §6.2: the gap has become a loss by the peer's measure, or was one and is filled.
  const PacketNumber newest = std::max(number, largest_eliciting_.value_or(0));
  if (largest_reported_ && *largest_reported_ >= threshold && number <= *largest_reported_ - threshold) return true;
  const PacketNumber from =
      largest_reported_ && *largest_reported_ >= threshold ? *largest_reported_ - threshold + 1 : floor_;
  const PacketNumber missing = received_.first_missing(std::max(from, floor_));
  return missing < newest && newest - missing >= threshold;
}

void ReceivedPackets::on_ack_sent(bool in_ack_eliciting_packet) {
  largest_reported_ = largest_;
  unacked_eliciting_ = 0;
  immediate_ = false;
  deadline_ = Instant::never();
  acks_without_ack_ = in_ack_eliciting_packet ? 0 : acks_without_ack_ + 1;
}

void ReceivedPackets::on_ack_acked(PacketNumber largest_acknowledged) {
  acks_without_ack_ = 0;
  if (!largest_) return;
  // RFC 9000 §13.2.4: no need to acknowledge these again. §13.2.3: the largest stays in every frame.
  const PacketNumber bound = std::min(largest_acknowledged + 1, *largest_);
  received_.erase_below(bound);
  floor_ = std::max(floor_, bound);
}

}  // namespace quoll::quic
