#include "quic/recovery/delivery_rate.h"

#include <algorithm>

namespace quoll::quic {

DeliveryRate::Packet DeliveryRate::on_packet_sent(Instant time_sent, uint64_t size, uint64_t bytes_in_flight) {
  // Nothing was in flight: the time that passed idle says nothing about the path.
  if (bytes_in_flight == 0) first_send_time_ = delivered_time_ = time_sent;
  return {.delivered = delivered_,
          .lost = lost_,
          .delivered_time = delivered_time_,
          .first_send_time = first_send_time_,
          .tx_in_flight = static_cast<uint32_t>(std::min<uint64_t>(bytes_in_flight + size, UINT32_MAX)),
          .is_app_limited = app_limited_ != 0};
}

void DeliveryRate::on_packet_acked(Instant now, const Packet& packet, const Acked& acked) {
  delivered_ += acked.size;
  delivered_time_ = now;
  sample_.newly_acked += acked.size;
  const bool newest = acked.time_sent > first_send_time_ ||
                      (acked.time_sent == first_send_time_ && acked.packet_number > newest_packet_number_);
  if (sample_.has_data && !newest) return;
  sample_.has_data = true;
  sample_.is_app_limited = packet.is_app_limited;
  sample_.tx_in_flight = packet.tx_in_flight;
  sample_.prior_delivered = packet.delivered;
  sample_.lost = packet.lost;  // finish_ack() makes the difference of it
  sample_.send_elapsed = acked.time_sent - packet.first_send_time;
  sample_.ack_elapsed = now - packet.delivered_time;
  newest_packet_number_ = acked.packet_number;
  first_send_time_ = acked.time_sent;
}

void DeliveryRate::on_late_ack(Instant now, uint64_t size) {
  delivered_ += size;
  delivered_time_ = now;
  sample_.newly_acked += size;
}

std::optional<ExcessiveLoss> DeliveryRate::on_packet_lost(const Packet& packet, uint64_t size) {
  lost_ += size;
  sample_.newly_lost += size;
  const uint64_t lost = lost_ - packet.lost;
  if (!is_excessive_loss(lost, packet.tx_in_flight)) return std::nullopt;
  return ExcessiveLoss{.tx_in_flight = packet.tx_in_flight,
                       .lost = lost,
                       .size = size,
                       .is_app_limited = packet.is_app_limited,
                       .is_certain = is_certainly_excessive_loss(lost, packet.tx_in_flight)};
}

uint64_t ExcessiveLoss::inflight_at_threshold() const {
  const uint64_t inflight_before = tx_in_flight - std::min(size, tx_in_flight);
  const uint64_t lost_before = lost - std::min(size, lost);
  // The part of this packet with which lost / inflight reaches the threshold.
  const uint64_t allowed = inflight_before * kExcessiveLossPercent;
  const uint64_t used = lost_before * 100;
  return inflight_before + (allowed > used ? (allowed - used) / (100 - kExcessiveLossPercent) : 0);
}

RateSample DeliveryRate::finish_ack(Duration min_rtt) {
  if (delivered_ > app_limited_) app_limited_ = 0;  // the bubble has left the pipe
  sample_.total_delivered = delivered_;
  if (!sample_.has_data) return sample_;
  sample_.lost = lost_ - sample_.lost;
  sample_.delivered = delivered_ - sample_.prior_delivered;
  // The longer of both intervals, so that neither compressed ACKs nor a burst of packets looks like bandwidth.
  sample_.interval = std::max(sample_.send_elapsed, sample_.ack_elapsed);
  // An interval below min_rtt is the work of a spurious retransmission: no reliable rate.
  if (sample_.interval >= min_rtt && sample_.interval > Duration()) {
    sample_.delivery_rate = Bandwidth::of(sample_.delivered, sample_.interval);
  }
  return sample_;
}

void DeliveryRate::on_app_limited(uint64_t bytes_in_flight) {
  app_limited_ = std::max<uint64_t>(delivered_ + bytes_in_flight, 1);
}

}  // namespace quoll::quic
