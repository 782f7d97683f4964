// RFC 9002 Appendix A and the bytes in flight of Appendix B, transcribed naively: maps instead of rings, everything
// looked at each time. The thresholds are arguments, since they adapt; a client's anti-deadlock timer does not look at
// 1-RTT packets (§6.2.2.1). Beside it stands persistent congestion by its definition (§7.6.2) over all that ever was.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "quic/recovery/loss_detection.h"

namespace quoll::tests {

class Rfc9002Model {
 public:
  struct Sent {
    Instant time_sent;
    uint64_t size;
    bool ack_eliciting, in_flight;
  };
  struct Thresholds {
    uint64_t packets;
    int time_eighths;
  };
  struct Result {
    std::set<uint64_t> acked, lost;
    bool persistent_congestion = false;  // by Appendix B, among the packets lost at once
  };

  Rfc9002Model(bool is_server, Duration max_ack_delay) : is_server_(is_server), max_ack_delay_(max_ack_delay) {}

  void on_sent(Instant now, int space, uint64_t number, Sent packet) {
    sent_[space][number] = packet;
    if (!packet.in_flight) return;
    bytes_in_flight += packet.size;
    if (packet.ack_eliciting) time_of_last_ack_eliciting_[space] = now;
    set_timer(now);
  }

  Result on_ack(Instant now, int space, const std::set<uint64_t>& numbers, Duration ack_delay, Thresholds thresholds) {
    Result result;
    bool ack_eliciting = false;
    Instant time_of_largest;
    for (const uint64_t number : numbers) {
      if (const auto lost = lost_[space].find(number); lost != lost_[space].end()) {
        acked_times.push_back(lost->second.time_sent);
        lost_[space].erase(lost);
      }
      const auto found = sent_[space].find(number);
      if (found == sent_[space].end()) continue;
      result.acked.insert(number);
      acked_times.push_back(found->second.time_sent);
      ack_eliciting |= found->second.ack_eliciting;
      time_of_largest = found->second.time_sent;
      if (found->second.in_flight) bytes_in_flight -= found->second.size;
      sent_[space].erase(found);
    }
    const uint64_t largest = *numbers.rbegin();
    if (result.acked.empty()) return result;
    largest_acked_[space] = std::max(largest_acked_[space].value_or(0), largest);
    if (*result.acked.rbegin() == largest && ack_eliciting) update_rtt(now, now - time_of_largest, space, ack_delay);
    if (space == 1) handshake_acked_ = true;
    detect_lost(now, space, thresholds, result);
    if (completed_address_validation()) pto_count = 0;
    set_timer(now);
    return result;
  }

  Result on_timeout(Instant now, Thresholds thresholds, std::optional<int>& probe_space) {
    Result result;
    const int space = loss_space();
    if (!loss_time_[space].is_never()) {
      detect_lost(now, space, thresholds, result);
    } else {
      probe_space = pto(now).second;
      pto_count++;
    }
    set_timer(now);
    return result;
  }

  void on_discard(Instant now, int space) {
    for (const auto& [number, packet] : sent_[space]) {
      if (packet.in_flight) bytes_in_flight -= packet.size;
    }
    sent_[space].clear();
    loss_time_[space] = Instant::never();
    pto_count = 0;
    set_timer(now);
  }
  void on_handshake_keys(Instant now) { has_handshake_keys_ = true, set_timer(now); }
  void on_confirmed(Instant now) { confirmed_ = true, set_timer(now); }
  void on_limited(Instant now, bool limited) { limited_ = limited, set_timer(now); }

  /// §7.6.2 over all packets that are lost and were not acknowledged since.
  bool is_persistent_congestion_possible() const {
    std::vector<Instant> times;
    for (const auto& space : lost_) {
      for (const auto& [number, packet] : space) {
        if (packet.ack_eliciting && first_sample_ && packet.time_sent > *first_sample_) {
          times.push_back(packet.time_sent);
        }
      }
    }
    for (const Instant a : times) {
      for (const Instant b : times) {
        if (b - a <= persistent_duration()) continue;
        bool acked = false;
        for (const Instant time : acked_times) acked |= time > a && time < b;
        if (!acked) return true;
      }
    }
    return false;
  }

  void on_persistent_congestion() { min_rtt = latest_rtt; }

  uint64_t bytes_in_flight = 0;
  int pto_count = 0;
  Instant timer = Instant::never();
  Duration smoothed_rtt = quic::kInitialRtt, rttvar = quic::kInitialRtt / 2, latest_rtt, min_rtt;
  std::vector<Instant> acked_times;

 private:
  void update_rtt(Instant now, Duration latest, int space, Duration ack_delay) {
    latest_rtt = std::max(latest, quic::Rtt::kSmallestSample);
    if (!first_sample_) {
      min_rtt = smoothed_rtt = latest_rtt;
      rttvar = latest_rtt / 2;
      first_sample_ = now;
      return;
    }
    min_rtt = std::min(min_rtt, latest_rtt);
    if (space == 0) ack_delay = {};
    if (confirmed_) ack_delay = std::min(ack_delay, max_ack_delay_);
    Duration adjusted = latest_rtt;
    if (latest_rtt >= min_rtt + ack_delay) adjusted = latest_rtt - ack_delay;
    rttvar = (3 * rttvar + (smoothed_rtt - adjusted).absolute()) / 4;
    smoothed_rtt = (7 * smoothed_rtt + adjusted) / 8;
  }

  void detect_lost(Instant now, int space, Thresholds thresholds, Result& result) {
    loss_time_[space] = Instant::never();
    Duration loss_delay = std::max(latest_rtt, smoothed_rtt) * thresholds.time_eighths / 8;
    loss_delay = std::max(loss_delay, quic::kGranularity);
    std::vector<Instant> lost_times;
    for (auto it = sent_[space].begin(); it != sent_[space].end() && it->first <= *largest_acked_[space];) {
      const auto& [number, packet] = *it;
      if (!packet.in_flight) {
        // Appendix A need not track it at all; it is let go once loss detection has come so far.
        it = loss_time_[space].is_never() ? sent_[space].erase(it) : std::next(it);
        continue;
      }
      if (packet.time_sent <= now - loss_delay || *largest_acked_[space] >= number + thresholds.packets) {
        result.lost.insert(number);
        lost_[space][number] = packet;
        bytes_in_flight -= packet.size;
        if (packet.ack_eliciting && first_sample_ && packet.time_sent > *first_sample_) {
          lost_times.push_back(packet.time_sent);
        }
        it = sent_[space].erase(it);
        continue;
      }
      loss_time_[space] = std::min(loss_time_[space], packet.time_sent + loss_delay);
      ++it;
    }
    for (const Instant a : lost_times) {
      for (const Instant b : lost_times) {
        if (b - a <= persistent_duration()) continue;
        bool acked = false;
        for (const Instant time : acked_times) acked |= time > a && time <= b;  // a train-mate of b counts as before it
        result.persistent_congestion |= !acked;
      }
    }
  }

  Duration persistent_duration() const {
    return (smoothed_rtt + std::max(4 * rttvar, quic::kGranularity) + max_ack_delay_) * 3;
  }
  bool completed_address_validation() const { return is_server_ || handshake_acked_ || confirmed_; }
  bool has_ack_eliciting(int space) const {
    for (const auto& [number, packet] : sent_[space]) {
      if (packet.ack_eliciting) return true;
    }
    return false;
  }
  int loss_space() const {
    int space = 0;
    for (int other = 1; other < 3; other++) {
      if (loss_time_[other] < loss_time_[space]) space = other;
    }
    return space;
  }
  std::pair<Instant, int> pto(Instant now) const {
    const int64_t factor = int64_t{1} << std::min(pto_count, quic::kPtoBackoffMax);
    Duration duration = (smoothed_rtt + std::max(4 * rttvar, quic::kGranularity)) * factor;
    const bool handshake = has_ack_eliciting(0) || has_ack_eliciting(1);
    if (!handshake && !completed_address_validation()) return {now + duration, has_handshake_keys_ ? 1 : 0};
    Instant timeout = Instant::never();
    int timeout_space = 0;
    for (int space = 0; space < 3; space++) {
      if (!has_ack_eliciting(space)) continue;
      if (space == 2) {
        if (!confirmed_) break;
        duration += max_ack_delay_ * factor;
      }
      const Instant time = time_of_last_ack_eliciting_[space] + duration;
      if (time < timeout) timeout = time, timeout_space = space;
    }
    return {timeout, timeout_space};
  }
  void set_timer(Instant now) {
    timer = loss_time_[loss_space()];
    if (!timer.is_never() || limited_) return;
    timer = pto(now).first;
  }

  bool is_server_;
  Duration max_ack_delay_;
  bool confirmed_ = false, handshake_acked_ = false, has_handshake_keys_ = false, limited_ = false;
  std::map<uint64_t, Sent> sent_[3], lost_[3];
  std::optional<uint64_t> largest_acked_[3];
  Instant time_of_last_ack_eliciting_[3];
  Instant loss_time_[3] = {Instant::never(), Instant::never(), Instant::never()};
  std::optional<Instant> first_sample_;
};

}  // namespace quoll::tests
