// BBR on a bottleneck: what each mode is for, and what every kind of path does to it.
#include "quic/congestion/bbr.h"

#include <vector>

#include "tests/quic/congestion/bottleneck.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::Bottleneck;
using Phase = BbrProbeBandwidth::Phase;

namespace {

constexpr uint64_t kBdp = 37'500;  // of the default link: 10 Mbit/s and 30 ms

struct Flow {
  explicit Flow(const BbrParameters& parameters, Bottleneck::Link link = {}, uint64_t seed = 1)
      : path(std::make_unique<Bbr>(parameters, Bbr::Options{.max_datagram_size = Bottleneck::kDatagram, .seed = seed}),
             link, seed),
        bbr(static_cast<Bbr&>(path.controller())) {}

  /// Mbit/s that are delivered in the next `time`.
  double goodput(Duration time) {
    const uint64_t before = path.delivered();
    path.run_for(time);
    return static_cast<double>(path.delivered() - before) * 8e-6 / time.as_seconds();
  }

  Bottleneck path;
  Bbr& bbr;
};

double megabits(Bandwidth rate) { return static_cast<double>(rate.as_bytes_per_second()) * 8e-6; }

}  // namespace

TEST_SUITE("quic bbr") {
  TEST_CASE("Startup finds the bandwidth, Drain removes its queue, ProbeBW goes round") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      CAPTURE(version == &kBbr3);
      Flow flow(*version);
      std::vector<CongestionState> states;
      flow.path.observe = [&] {
        if (states.empty() || states.back() != flow.bbr.state()) states.push_back(flow.bbr.state());
      };
      flow.path.run_for(Duration::milliseconds(4500));
      REQUIRE_GE(states.size(), 7);
      using S = CongestionState;
      CHECK_EQ(states[0], S::startup);
      CHECK_EQ(states[1], S::drain);
      // DOWN may be over within the ACK that began it.
      const size_t cruise = states[2] == S::probe_bandwidth_down ? 3 : 2;
      CHECK_EQ(states[cruise], S::probe_bandwidth_cruise);
      CHECK_EQ(states[cruise + 1], S::probe_bandwidth_refill);
      CHECK_EQ(states[cruise + 2], S::probe_bandwidth_up);
      CHECK_EQ(states[cruise + 3], S::probe_bandwidth_down);
      CHECK_GT(megabits(flow.bbr.model().max_bandwidth()), 9.8);
      CHECK_LT(megabits(flow.bbr.model().max_bandwidth()), 10.3);
      CHECK_LT(flow.bbr.model().min_rtt(), Duration::milliseconds(33));
    }
  }

  TEST_CASE("the path is full and the queue short") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      CAPTURE(version == &kBbr3);
      Flow flow(*version, {.queue = 10 * kBdp});
      flow.path.run_for(Duration::seconds(1));
      double queue = 0;
      int samples = 0;
      flow.path.observe = [&] {
        queue += flow.path.queueing_delay().as_seconds();
        samples++;
      };
      CHECK_GT(flow.goodput(Duration::seconds(20)), 9.7);
      // CUBIC would keep hundreds of milliseconds in it.
      CHECK_LT(queue / samples, 0.015);
    }
  }

  TEST_CASE("random loss of one in a hundred costs little, on small paths and on large ones") {
    struct Case {
      uint64_t megabits;
      int64_t one_way_ms;
    };
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      for (const Case& each : {Case{10, 15}, Case{100, 50}, Case{500, 50}}) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
          CAPTURE(version == &kBbr3);
          CAPTURE(each.megabits);
          CAPTURE(seed);
          const Bandwidth rate = Bandwidth::bits_per_second(each.megabits * 1'000'000);
          const Duration one_way = Duration::milliseconds(each.one_way_ms);
          Flow flow(*version,
                    {.rate = rate, .one_way = one_way, .queue = rate.bytes_in(2 * one_way), .loss_permille = 10}, seed);
          flow.path.run_for(Duration::seconds(2));
          CHECK_GT(flow.goodput(Duration::seconds(6)), 0.92 * static_cast<double>(each.megabits));
        }
      }
    }
  }

  TEST_CASE("a loss of one packet or two leaves a small volume as it is") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      CAPTURE(version == &kBbr3);
      Flow flow(*version, {.loss_permille = 20});
      flow.path.run_for(Duration::seconds(1));
      CHECK_GT(flow.goodput(Duration::seconds(10)), 9.0);
    }
  }

  TEST_CASE("a queue ends Startup before three rounds without growth are over") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      CAPTURE(version == &kBbr3);
      const Bandwidth rate = Bandwidth::bits_per_second(100'000'000);
      Flow flow(*version, {.rate = rate, .one_way = Duration::milliseconds(50), .queue = 5'000'000});
      Duration queued;
      Instant last = flow.path.now();
      flow.path.observe = [&] {
        if (flow.path.queueing_delay() > Duration::milliseconds(30)) queued += flow.path.now() - last;
        last = flow.path.now();
      };
      flow.path.run_for(Duration::milliseconds(1800));  // before the first probe
      CHECK_LT(queued, Duration::milliseconds(350));
      CHECK_EQ(flow.path.lost(), 0);
      CHECK_GT(flow.goodput(Duration::seconds(2)), 95.0);
    }
  }

  TEST_CASE("a delay that grows without a queue does not end Startup for good") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      CAPTURE(version == &kBbr3);
      const Bandwidth rate = Bandwidth::bits_per_second(100'000'000);
      Flow flow(*version, {.rate = rate, .one_way = Duration::milliseconds(25), .queue = 1'250'000});
      flow.path.run_for(Duration::milliseconds(220));
      REQUIRE_EQ(flow.bbr.mode(), Bbr::Mode::startup);
      REQUIRE_LT(megabits(flow.bbr.model().max_bandwidth()), 30.0);
      flow.path.link().one_way = Duration::milliseconds(33);
      bool was_in_drain = false, was_back = false;
      flow.path.observe = [&] {
        was_in_drain |= flow.bbr.mode() == Bbr::Mode::drain;
        was_back |= was_in_drain && flow.bbr.mode() == Bbr::Mode::startup;
      };
      flow.path.run_for(Duration::milliseconds(1200));
      CHECK(was_back);
      CHECK_GT(flow.goodput(Duration::seconds(1)), 95.0);
    }
  }

  TEST_CASE("a queue that overflows in a probe leaves a limit, with headroom for others (§5.5.10.2, §5.3.3.9)") {
    Flow flow(kBbr3, {.queue = kBdp / 2});
    uint64_t largest = 0;
    flow.path.run_for(Duration::seconds(3));
    flow.path.observe = [&] {
      if (flow.bbr.phase() == Phase::cruise) largest = std::max(largest, flow.bbr.window());
    };
    CHECK_GT(flow.goodput(Duration::seconds(10)), 9.5);
    CHECK_NE(flow.bbr.model().inflight_longterm(), BbrModel::kUnlimited);
    CHECK_LT(flow.bbr.model().inflight_longterm(), 2 * kBdp);
    CHECK_GT(largest, 0);
    CHECK_LT(largest, flow.bbr.model().inflight_longterm() * 95 / 100);
    // Hardly anything is lost.
    CHECK_LT(flow.path.lost() * 100, flow.path.delivered() * 2);
  }

  TEST_CASE("ProbeRTT comes when the delay was not seen for five seconds, and lasts a fifth of one (§5.3.4)") {
    Flow flow(kBbr3);
    flow.path.run_for(Duration::seconds(1));
    flow.path.link().one_way = Duration::milliseconds(25);  // a longer way: the old minimum is never seen again
    Instant entered = Instant::never(), left = Instant::never();
    uint64_t smallest = UINT64_MAX;
    flow.path.observe = [&] {
      const bool is_in = flow.bbr.mode() == Bbr::Mode::probe_rtt;
      if (is_in && entered.is_never()) entered = flow.path.now();
      if (!entered.is_never() && !is_in && left.is_never()) left = flow.path.now();
      if (is_in) smallest = std::min(smallest, flow.bbr.window());
    };
    const Instant changed = flow.path.now();
    flow.path.run_for(Duration::seconds(14));
    REQUIRE_FALSE(left.is_never());
    CHECK_GT(entered - changed, Duration::milliseconds(4900));
    CHECK_LT(entered - changed, Duration::milliseconds(5500));
    CHECK_GE(left - entered, kBbrProbeRttDuration);
    CHECK_LT(left - entered, Duration::milliseconds(500));
    CHECK_LE(smallest, kBdp * 55 / 100);                               // half of what the model holds for the product
    CHECK_GE(flow.bbr.model().min_rtt(), Duration::milliseconds(50));  // the new way, once the old was forgotten
    CHECK_GT(flow.goodput(Duration::seconds(4)), 9.5);
  }

  TEST_CASE("no ProbeRTT where the queue runs dry by itself") {
    Flow flow(kBbr3);
    int visits = 0;
    flow.path.observe = [&] { visits += flow.bbr.mode() == Bbr::Mode::probe_rtt; };
    flow.path.run_for(Duration::seconds(20));
    CHECK_EQ(visits, 0);
  }

  TEST_CASE("a rate that doubles is found within three seconds, one that halves within one") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      CAPTURE(version == &kBbr3);
      Flow flow(*version, {.one_way = Duration::milliseconds(25), .queue = 125'000});
      flow.path.run_for(Duration::seconds(5));
      flow.path.link().rate = Bandwidth::bits_per_second(20'000'000);
      flow.path.run_for(Duration::seconds(3));
      CHECK_GT(flow.goodput(Duration::seconds(1)), 18.0);
      flow.path.link().rate = Bandwidth::bits_per_second(10'000'000);
      flow.path.run_for(Duration::seconds(1));
      CHECK_GT(flow.goodput(Duration::seconds(2)), 9.3);
    }
  }

  TEST_CASE("version 2 finds a rate that is four times as high within half a second") {
    for (uint64_t seed = 1; seed <= 5; seed++) {
      CAPTURE(seed);
      Flow flow(kBbr2, {.one_way = Duration::milliseconds(25), .queue = 250'000}, seed);
      flow.path.run_for(Duration::milliseconds(5000 + 77 * static_cast<int64_t>(seed)));
      flow.path.link().rate = Bandwidth::bits_per_second(40'000'000);
      // The wait for a probe, which comes each six round trips, included.
      flow.path.run_for(Duration::milliseconds(700));
      CHECK_GT(flow.goodput(Duration::milliseconds(500)), 36.0);
    }
  }

  TEST_CASE("a probe may show in its last samples, when it is over, that there is much more") {
    BbrModel model(kBbr2);
    BbrProbeBandwidth probe(kBbr2, 1);
    AckEvent event{.now = Instant() + Duration::seconds(1)};
    BbrView view{.window = kBdp, .datagram = 1452, .initial_window = 14'520};
    // A packet of the current round is acknowledged, or the first that was sent after it.
    const auto ack = [&](uint64_t megabits, bool ends_round) {
      view.now = event.now = event.now + Duration::milliseconds(1);
      event.rate = {.delivery_rate = Bandwidth::bits_per_second(megabits * 1'000'000),
                    .tx_in_flight = 37'500,
                    .prior_delivered = ends_round ? event.rate.total_delivered : 0,
                    .total_delivered = event.rate.total_delivered + 1452,
                    .newly_acked = 1452,
                    .interval = {},
                    .send_elapsed = {},
                    .ack_elapsed = {}};
      model.begin_ack(event);
      const bool has_found_more = probe.has_found_more(model);
      probe.on_ack(model, view, event.rate, true);
      model.update_min_rtt(event.now, Duration::milliseconds(1));
      model.finish_ack(event.rate);
      return has_found_more;
    };
    ack(10, true);
    probe.start_refill(model);
    view.bytes_in_flight = kBdp;
    ack(10, true);
    REQUIRE_EQ(probe.phase(), Phase::up);
    ack(10, false);
    ack(10, false);
    REQUIRE_EQ(probe.phase(), Phase::down);
    CHECK_FALSE(ack(10, false));
    CHECK(ack(13, true));
    CHECK_FALSE(ack(13, false));
  }

  TEST_CASE("after two seconds in which all is lost the old rate is back within twenty round trips") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      CAPTURE(version == &kBbr3);
      Flow flow(*version);
      flow.path.run_for(Duration::seconds(3));
      flow.path.link().loss_permille = 1000;
      flow.path.run_for(Duration::seconds(2));
      flow.path.link().loss_permille = 0;
      const uint64_t before = flow.path.delivered();
      while (flow.path.delivered() < before + 1)
        flow.path.run_for(Duration::milliseconds(1));  // until a probe gets through
      flow.path.run_for(Duration::milliseconds(20 * 30));
      CHECK_GT(flow.goodput(Duration::seconds(1)), 8.0);
    }
  }

  TEST_CASE("after two seconds in which three of ten are lost the old rate is back within twenty round trips") {
    const Bandwidth rate = Bandwidth::bits_per_second(50'000'000);
    const Duration rtt = Duration::milliseconds(100);
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      for (uint64_t seed = 1; seed <= 4; seed++) {
        CAPTURE(version == &kBbr3);
        CAPTURE(seed);
        Flow flow(*version, {.rate = rate, .one_way = rtt / 2, .queue = rate.bytes_in(rtt)}, seed);
        flow.path.run_for(Duration::seconds(6));
        flow.path.link().loss_permille = 300;
        flow.path.run_for(Duration::seconds(2));
        flow.path.link().loss_permille = 0;
        flow.path.run_for(20 * rtt);
        CHECK_GT(flow.goodput(2 * rtt), 40.0);
      }
    }
  }

  TEST_CASE("a probe that lost too much among others leaves them room, one that was alone does not") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      for (const bool is_shared : {false, true}) {
        CAPTURE(version == &kBbr3);
        CAPTURE(is_shared);
        Flow flow(*version, {.queue = kBdp / 4});
        flow.path.run_for(Duration::seconds(1));
        // A delay that stays above the minimum is what the queue of others looks like.
        if (is_shared) flow.path.link().one_way = Duration::milliseconds(22);
        const Duration delay = 2 * flow.path.link().one_way;
        const uint64_t full = flow.path.link().rate.bytes_in(delay) + flow.path.link().queue;
        const uint64_t lost = flow.path.lost();
        flow.path.run_for(Duration::milliseconds(3900));
        CHECK_GT(flow.path.lost(), lost);
        const uint64_t limit = flow.bbr.model().inflight_longterm();
        REQUIRE_NE(limit, BbrModel::kUnlimited);
        if (is_shared) CHECK_LT(limit, full * 92 / 100);
        if (!is_shared) CHECK_GT(limit, full * 95 / 100);
      }
    }
  }

  TEST_CASE("an application that sends little does not lower what is known of the path (§5.5.4)") {
    Flow flow(kBbr3);
    flow.path.run_for(Duration::seconds(3));
    const Bandwidth known = flow.bbr.model().max_bandwidth();
    // One packet in ten milliseconds: an eighth of the path.
    flow.path.run(flow.path.now() + Duration::seconds(4),
                  [](Instant now) { return now.as_nanoseconds() / 1'000'000 % 10 == 0; });
    CHECK_GE(megabits(flow.bbr.model().max_bandwidth()), megabits(known) * 0.98);
    CHECK_GT(flow.goodput(Duration::milliseconds(500)), 9.0);
  }

  TEST_CASE("CE marks stand for losses: the queue stays at the threshold (RFC 9002 §7.1)") {
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      CAPTURE(version == &kBbr3);
      Flow flow(*version, {.queue = 10 * kBdp, .mark_at = 15'000});
      flow.path.run_for(Duration::seconds(1));
      Duration longest;
      flow.path.observe = [&] { longest = std::max(longest, flow.path.queueing_delay()); };
      CHECK_GT(flow.goodput(Duration::seconds(10)), 9.0);
      CHECK_LT(longest, Duration::milliseconds(40));
      CHECK_EQ(flow.path.lost(), 0);
    }
  }

  // A Startup that losses ended, by hand; the sender then learns that all of them were spurious.
  static Bbr startup_ended_by_spurious_losses(bool with_mark) {
    Bbr bbr(kBbr3, {.max_datagram_size = 1200});
    Rtt rtt;
    const auto at = [](int64_t milliseconds) { return Instant() + Duration::milliseconds(milliseconds); };
    rtt.on_sample(at(0), Duration::milliseconds(100), {});
    uint64_t delivered = 0;
    const auto ack = [&](int64_t now, uint64_t prior, uint64_t lost) {
      AckEvent event{.now = at(now), .bytes_acked = 1200, .bytes_in_flight = 12'000, .newest_time_sent = at(now - 100)};
      event.rtt_sample = Duration::milliseconds(100);
      event.rate = {.delivery_rate = Bandwidth::bytes_per_second(1'000'000),
                    .has_data = true,
                    .tx_in_flight = 12'000,
                    .delivered = 1200,
                    .lost = lost,
                    .prior_delivered = prior,
                    .total_delivered = delivered += 1200,
                    .newly_acked = 1200,
                    .interval = Duration::milliseconds(100),
                    .send_elapsed = {},
                    .ack_elapsed = {}};
      bbr.on_ack(event, rtt);
    };
    ack(100, 0, 0);
    for (int i = 0; i < 6; i++) {
      bbr.on_loss(
          {.now = at(150), .bytes_lost = 1200, .bytes_in_flight = 12'000, .newest_time_sent = at(60), .ranges = 1});
    }
    if (with_mark) bbr.on_ecn_ce({.now = at(155), .largest_time_sent = at(155), .bytes_in_flight = 12'000});
    ack(160, 0, 7200);
    ack(260, delivered, 7200);
    CHECK_NE(bbr.mode(), Bbr::Mode::startup);
    CHECK_NE(bbr.model().inflight_longterm(), BbrModel::kUnlimited);
    bbr.on_spurious_loss(at(270));
    return bbr;
  }

  TEST_CASE("what turns out to be no loss is undone (§5.5.11)") {
    const Bbr bbr = startup_ended_by_spurious_losses(false);
    CHECK_EQ(bbr.mode(), Bbr::Mode::startup);
    CHECK_EQ(bbr.model().inflight_longterm(), BbrModel::kUnlimited);
  }

  TEST_CASE("a CE mark among the losses stands, whatever becomes of these") {
    const Bbr bbr = startup_ended_by_spurious_losses(true);
    CHECK_NE(bbr.mode(), Bbr::Mode::startup);
    CHECK_NE(bbr.model().inflight_longterm(), BbrModel::kUnlimited);
  }

  TEST_CASE("a late loss of a recovery that is over does not hold the window (RFC 9002 §7.3.2)") {
    Flow flow(kBbr2);
    flow.path.run_for(Duration::seconds(2));
    const auto lose = [&](Instant time_sent) {
      flow.bbr.on_loss(
          {.now = flow.path.now(),
           .bytes_lost = 10 * 1452,
           .bytes_in_flight = 4 * 1452,
           .newest_time_sent = time_sent,
           .ranges = 1,
           .excess = ExcessiveLoss{.tx_in_flight = kBdp, .lost = 14'520, .size = 1452, .is_certain = true}});
    };
    const Instant first = flow.path.now();
    lose(first);
    CHECK_EQ(flow.bbr.window(), 5 * 1452);
    flow.path.run_for(Duration::milliseconds(200));
    CHECK_GT(flow.bbr.window(), kBdp);
    lose(first - Duration::milliseconds(1));
    CHECK_GT(flow.bbr.window(), kBdp);
    CHECK_GT(flow.goodput(Duration::seconds(1)), 9.0);
  }

  TEST_CASE("persistent congestion takes the window to its minimum (RFC 9002 §7.6.2)") {
    Flow flow(kBbr3);
    flow.path.run_for(Duration::seconds(2));
    flow.bbr.on_loss({.now = flow.path.now(),
                      .bytes_lost = 1452,
                      .newest_time_sent = flow.path.now(),
                      .persistent_congestion = true});
    CHECK_EQ(flow.bbr.window(), minimum_window(1452));
  }

  TEST_CASE("the initial window is that of RFC 9002, and follows the datagram size until something happens") {
    Bbr bbr(kBbr2, {.max_datagram_size = 1200});
    CHECK_EQ(bbr.window(), initial_window(1200));
    CHECK(bbr.pacing_rate(Rtt()).is_infinite());
    bbr.set_max_datagram_size(1452);
    CHECK_EQ(bbr.window(), initial_window(1452));
    CHECK_EQ(bbr.slow_start_threshold(), UINT64_MAX);
  }

  TEST_CASE("paths of many kinds are used to nine tenths") {
    struct Case {
      uint64_t megabits;
      int64_t rtt_ms;
      double queue_bdps;
    };
    for (const BbrParameters* version : {&kBbr2, &kBbr3}) {
      for (const Case& each : {Case{1, 20, 2}, Case{1, 200, 1}, Case{50, 10, 1}, Case{100, 100, 0.5}, Case{100, 100, 4},
                               Case{20, 600, 1}, Case{500, 20, 1}}) {
        CAPTURE(version == &kBbr3);
        CAPTURE(each.megabits);
        CAPTURE(each.rtt_ms);
        const Bandwidth rate = Bandwidth::bits_per_second(each.megabits * 1'000'000);
        const uint64_t bdp = rate.bytes_in(Duration::milliseconds(each.rtt_ms));
        const auto queue =
            std::max<uint64_t>(static_cast<uint64_t>(static_cast<double>(bdp) * each.queue_bdps), 15'000);
        Flow flow(*version, {.rate = rate, .one_way = Duration::milliseconds(each.rtt_ms / 2), .queue = queue});
        flow.path.run_for(Duration::milliseconds(each.rtt_ms * 12 + 1000));
        CHECK_GT(flow.goodput(Duration::seconds(6)), 0.9 * static_cast<double>(each.megabits));
      }
    }
  }
}
