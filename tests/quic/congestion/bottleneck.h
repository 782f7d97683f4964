// A bottleneck with a sender on it: one flow of full packets through a link of a given rate, delay and drop-tail queue, with a
// real LossDetection, Pacer and Controller, and no connection around them. Every second packet is acknowledged, and the last.
// Time is simulated; runs of the same seed are the same.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "quic/congestion/controller.h"
#include "quic/recovery/loss_detection.h"
#include "quic/recovery/pacer.h"
#include "tests/support/random.h"

namespace quoll::tests {

class Bottleneck {
 public:
  struct Link {
    Bandwidth rate = Bandwidth::bits_per_second(10'000'000);
    Duration one_way = Duration::milliseconds(15);
    uint64_t queue = 37'500;  // bytes
    uint32_t loss_permille = 0;
    uint64_t mark_at = UINT64_MAX;  // bytes in the queue from which on packets are marked CE
  };
  static constexpr uint64_t kDatagram = 1452;

  Bottleneck(std::unique_ptr<quic::Controller> controller, Link link, uint64_t seed = 1)
      : controller_(std::move(controller)), link_(link), rng_(seed) {
    (void)loss_.add_path(path_);
    loss_.on_handshake_confirmed(now_);
    pacer_ = quic::Pacer({.burst = controller_->burst(), .idle_burst = quic::initial_window(kDatagram)});
  }

  /// Runs until `until`; `has_data` says whether there is something to send then.
  void run(Instant until, std::function<bool(Instant)> has_data = [](Instant) { return true; }) {
    while (now_ < until) {
      Instant next = until;
      const bool has = has_data(now_);
      if (!has) controller_->on_app_limited(now_, path_.bytes_in_flight);
      if (!has) path_.delivery_rate.on_app_limited(path_.bytes_in_flight);
      if (has && controller_->can_send(path_.bytes_in_flight, kDatagram)) {
        if (path_.bytes_in_flight == 0) pacer_.on_idle();
        const Instant departure = pacer_.departure(now_, kDatagram);
        if (departure <= now_) {
          send();
          continue;
        }
        next = std::min(next, departure);
      }
      if (!has) next = std::min(next, now_ + Duration::milliseconds(1));
      if (!acks_.empty()) next = std::min(next, acks_.front().at);
      next = std::max(std::min(next, loss_.next_timeout()), now_);
      now_ = next;
      if (!acks_.empty() && acks_.front().at <= now_) take_ack();
      if (loss_.next_timeout() <= now_) take_timeout();
      check();
    }
  }
  void run_for(Duration time) { run(now_ + time); }

  quic::Controller& controller() { return *controller_; }
  Link& link() { return link_; }
  Instant now() const { return now_; }
  uint64_t delivered() const { return path_.delivery_rate.delivered(); }
  uint64_t lost() const { return path_.delivery_rate.lost(); }
  const quic::Rtt& rtt() const { return path_.rtt; }
  uint64_t bytes_in_flight() const { return path_.bytes_in_flight; }
  /// How long a packet that is sent now would stand in the queue.
  Duration queueing_delay() const { return std::max(free_at_ - now_, Duration()); }
  /// What is looked at after every event.
  std::function<void()> observe = [] {};

 private:
  struct Ack {
    Instant at;
    quic::PacketNumber number = 0;
    bool is_marked = false;
  };

  void send() {
    const quic::PacketNumber number = loss_.next_packet_number(quic::Space::application);
    loss_.on_packet_sent(quic::Space::application,
                         {.time_sent = now_, .size = kDatagram, .path = 0, .ack_eliciting = true, .in_flight = true});
    pacer_.on_packet_sent(now_, kDatagram);
    controller_->on_packet_sent({.now = now_, .bytes = kDatagram, .bytes_in_flight = path_.bytes_in_flight});
    const uint64_t queued = link_.rate.bytes_in(queueing_delay());
    const bool is_dropped = queued + kDatagram > link_.queue + kDatagram || rng_.below(1000) < link_.loss_permille;
    if (is_dropped) return;
    free_at_ = std::max(free_at_, now_) + link_.rate.time_for(kDatagram);
    acks_.push_back({.at = free_at_ + 2 * link_.one_way, .number = number, .is_marked = queued > link_.mark_at});
  }

  void take_ack() {
    Ack ack = acks_.front();
    acks_.pop_front();
    std::vector<Interval> ranges{{ack.number, ack.number + 1}};
    if (!acks_.empty() && acks_.front().at <= ack.at + link_.rate.time_for(kDatagram) + Duration::microseconds(1)) {
      // The receiver waits for a second packet (RFC 9000 §13.2.2).
      const bool is_marked = ack.is_marked || acks_.front().is_marked;
      ack = acks_.front();
      ack.is_marked = is_marked;
      acks_.pop_front();
      ranges.insert(ranges.begin(), {ack.number, ack.number + 1});
      now_ = std::max(now_, ack.at);
    }
    const auto acked =
        loss_.on_ack(now_, {.space = quic::Space::application, .largest_acknowledged = ack.number}, ranges);
    if (acked->undo) controller_->on_spurious_loss(now_);
    if (ack.is_marked) {
      controller_->on_ecn_ce(
          {.now = now_, .largest_time_sent = acked->largest_time_sent, .bytes_in_flight = path_.bytes_in_flight});
    }
    on_lost(acked->lost);
    controller_->on_ack({.now = now_,
                         .bytes_acked = acked->bytes_acked,
                         .bytes_acked_after_recovery_start = acked->bytes_acked_after_recovery_start,
                         .prior_bytes_in_flight = acked->prior_bytes_in_flight,
                         .bytes_in_flight = path_.bytes_in_flight,
                         .newest_time_sent = acked->newest_time_sent,
                         .rtt_sample = acked->rtt_sample,
                         .rate = acked->rate},
                        path_.rtt);
    settle();
  }

  void take_timeout() {
    const auto timeout = loss_.on_timeout(now_);
    on_lost(timeout.lost);
    settle();
    for (int i = 0; timeout.probe && i < timeout.probe->packets; i++) send();
  }

  void on_lost(const quic::LossSummary& lost) {
    if (lost.packets == 0) return;
    controller_->on_loss({.now = now_,
                          .bytes_lost = lost.bytes,
                          .bytes_in_flight = path_.bytes_in_flight,
                          .newest_time_sent = lost.newest_time_sent,
                          .ranges = lost.ranges,
                          .persistent_congestion = lost.persistent_congestion,
                          .excess = lost.excess});
    path_.recovery_start = controller_->recovery_start();
  }

  void settle() {
    path_.recovery_start = controller_->recovery_start();
    pacer_.set_rate(now_, controller_->pacing_rate(path_.rtt));
    pacer_.set_burst(now_, controller_->burst());
    while (loss_.poll_outcome()) {
    }
  }

  void check() {
    QUOLL_CHECK(controller_->window() >= quic::minimum_window(quic::kSmallestMaxDatagramSize));
    QUOLL_CHECK(!controller_->pacing_rate(path_.rtt).is_zero());
    observe();
  }

  std::unique_ptr<quic::Controller> controller_;
  Link link_;
  SeededRng rng_;
  Instant now_ = Instant() + Duration::seconds(1);
  Instant free_at_;  // when the queue will be empty
  std::deque<Ack> acks_;
  quic::PathRecovery path_;
  quic::LossDetection loss_{{.role = quic::Role::server}};
  quic::Pacer pacer_;
};

}  // namespace quoll::tests
