// A LossDetection with one path, driven by moving an integer: milliseconds.
#pragma once

#include <initializer_list>
#include <vector>

#include "quic/recovery/loss_detection.h"

namespace quoll::tests {

inline Instant at(int64_t milliseconds) { return Instant() + Duration::milliseconds(milliseconds); }
inline Duration ms(int64_t milliseconds) { return Duration::milliseconds(milliseconds); }

struct Recovery {
  explicit Recovery(quic::Role role = quic::Role::client, bool confirmed = true) : loss({.role = role}) {
    path_id = *loss.add_path(path);
    if (confirmed) loss.on_handshake_confirmed(at(0));
  }

  /// Sends a full ack-eliciting packet; its number.
  quic::PacketNumber send(int64_t now, quic::Space space = quic::Space::application) {
    return send_packet(now, {}, space);
  }
  /// Sends a packet like `packet`, of 1000 bytes in flight unless it says otherwise.
  quic::PacketNumber send_packet(int64_t now, quic::SentPacket packet, quic::Space space = quic::Space::application) {
    packet.time_sent = at(now);
    packet.path = packet.path == 0 ? path_id : packet.path;
    if (packet.size == 0) {
      packet.size = 1000;
      packet.ack_eliciting = packet.in_flight = true;
    }
    const quic::PacketNumber number = loss.next_packet_number(space);
    loss.on_packet_sent(space, packet);
    return number;
  }
  quic::PacketNumber send_ack_only(int64_t now) { return send_packet(now, {.size = 40}); }

  Result<quic::AckSummary> try_ack(int64_t now, std::vector<Interval> ranges,
                                   quic::Space space = quic::Space::application, Duration ack_delay = {}) {
    const quic::LossDetection::Ack ack{
        .space = space, .largest_acknowledged = ranges.front().end - 1, .ack_delay = ack_delay};
    const auto summary = loss.on_ack(at(now), ack, ranges);
    poll();
    return summary;
  }
  /// Acknowledges ranges, the highest first.
  quic::AckSummary ack(int64_t now, std::vector<Interval> ranges, quic::Space space = quic::Space::application,
                       Duration ack_delay = {}) {
    return try_ack(now, std::move(ranges), space, ack_delay).value();
  }
  quic::LossDetection::Timeout timeout(int64_t now) {
    const auto result = loss.on_timeout(at(now));
    poll();
    return result;
  }
  void poll() {
    while (const auto outcome = loss.poll_outcome()) outcomes.push_back(*outcome);
  }
  /// Numbers of the outcomes of a kind, so far.
  std::vector<quic::PacketNumber> numbers(quic::LossDetection::Outcome::Kind kind) const {
    std::vector<quic::PacketNumber> found;
    for (const auto& outcome : outcomes) {
      if (outcome.kind == kind) found.push_back(outcome.packet_number);
    }
    return found;
  }
  std::vector<quic::PacketNumber> lost() const { return numbers(quic::LossDetection::Outcome::Kind::lost); }
  std::vector<quic::PacketNumber> acked() const { return numbers(quic::LossDetection::Outcome::Kind::acked); }

  quic::PathRecovery path;
  quic::LossDetection loss;
  uint8_t path_id = 0;
  std::vector<quic::LossDetection::Outcome> outcomes;
};

}  // namespace quoll::tests
