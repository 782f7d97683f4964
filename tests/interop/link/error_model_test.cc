#include "interop/link/error_model.h"

#include <cmath>

#include "interop/link/packet.h"
#include "interop/link/scenario.h"
#include "tests/interop/link/packets.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::link {
namespace {

const std::vector<uint8_t> kDatagram =
    make_packet({.from = kClient4, .to = kServer4, .payload = std::vector<uint8_t>(1200, 7)});
const std::vector<uint8_t> kTcp = make_packet({.from = kClient4, .to = kServer4, .payload = {1}, .protocol = 6});

Fate judge_copy(ErrorModel& model, std::vector<uint8_t> packet, Duration at = {}) { return model.judge(packet, at); }

Duration seconds(double count) { return Duration::nanoseconds(static_cast<int64_t>(count * 1e9)); }

}  // namespace

TEST_SUITE("interop/link/error_model") {
  TEST_CASE("datagrams are hit at the rate, and in rows no longer than a burst") {
    struct Case {
      uint32_t rate;  // millionths
      size_t burst_max;
    };
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (const Case& one : {Case{300'000, 3}, Case{20'000, 3}, Case{1'000, RandomChoice::kUnlimited},
                            Case{500'000, RandomChoice::kUnlimited}, Case{900'000, 1}}) {
      INFO("rate ", one.rate, ", burst ", one.burst_max);
      RandomChoice choice(one.rate, one.burst_max, rng);
      constexpr size_t kDraws = 400'000;
      size_t hits = 0, row = 0, longest = 0;
      for (size_t i = 0; i < kDraws; i++) {
        const bool hit = choice.hits();
        row = hit ? row + 1 : 0;
        longest = std::max(longest, row);
        hits += hit;
      }
      // A renewal: rows of hits and the datagram that ends them. With a limit b, and p the rate, a row has
      // p (1 - p^b) / (1 - p) hits on average.
      const double p = one.rate / 1e6;
      const double limited = one.burst_max == RandomChoice::kUnlimited ? 0 : std::pow(p, one.burst_max);
      const double per_row = p * (1 - limited) / (1 - p);
      const double expected = per_row / (1 + per_row);
      const double deviation = std::sqrt(2 * expected / kDraws);
      CHECK_LT(std::abs(static_cast<double>(hits) / kDraws - expected), 5 * deviation);
      if (one.burst_max != RandomChoice::kUnlimited) CHECK_EQ(longest, one.burst_max);
      if (one.rate == 500'000) CHECK_GT(longest, 10);
    }
  }

  TEST_CASE("nothing and everything are rates too, and a burst of zero spares all") {
    tests::SeededRng rng(1);
    RandomChoice none(0, RandomChoice::kUnlimited, rng), all(RandomChoice::kWhole, RandomChoice::kUnlimited, rng);
    RandomChoice spared(RandomChoice::kWhole, 0, rng);
    for (int i = 0; i < 1000; i++) {
      CHECK_FALSE(none.hits());
      CHECK(all.hits());
      CHECK_FALSE(spared.hits());
    }
  }

  TEST_CASE("drop-rate loses UDP and nothing else") {
    tests::SeededRng rng(1);
    DropRate model(RandomChoice(RandomChoice::kWhole, RandomChoice::kUnlimited, rng));
    CHECK_EQ(judge_copy(model, kDatagram), Fate::dropped);
    CHECK_EQ(judge_copy(model, kTcp), Fate::delivered);
    CHECK_EQ(judge_copy(model, {1, 2, 3}), Fate::delivered);
  }

  TEST_CASE("a corrupted datagram differs in one byte among the first, and its checksum fits") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    CorruptRate model(RandomChoice(RandomChoice::kWhole, RandomChoice::kUnlimited, rng), rng);
    std::set<size_t> offsets;
    for (int i = 0; i < 5000; i++) {
      const bool ipv4 = rng.below(2) == 0;
      std::vector<uint8_t> payload = rng.bytes(6 + rng.below(100));
      payload[1] |= 1;  // no Version Negotiation
      const std::vector<uint8_t> before = make_packet(
          {.from = ipv4 ? kClient4 : kClient6, .to = ipv4 ? kServer4 : kServer6, .payload = std::move(payload)});
      std::vector<uint8_t> after = before;
      REQUIRE_EQ(model.judge(after, {}), Fate::corrupted);
      CHECK(has_right_checksums(after));
      const IpPacket shape = parse_ip(before).value();
      size_t differing = 0;
      for (size_t at = 0; at < before.size(); at++) {
        if (at - shape.udp_at() == 6 || at - shape.udp_at() == 7 || before[at] == after[at]) continue;
        differing++;
        REQUIRE_GE(at, shape.payload_at());
        offsets.insert(at - shape.payload_at());
      }
      CHECK_EQ(differing, 1);
    }
    CHECK_EQ(*offsets.rbegin(), CorruptRate::kOffsetMax);
    CHECK_EQ(offsets.size(), CorruptRate::kOffsetMax + 1);
  }

  TEST_CASE("corrupt-rate spares Version Negotiation, other protocols and what is empty") {
    tests::SeededRng rng(1);
    CorruptRate model(RandomChoice(RandomChoice::kWhole, 1, rng), rng);
    const auto negotiation = make_packet({.from = kServer4, .to = kClient4, .payload = {0x80, 0, 0, 0, 0, 8}});
    for (int i = 0; i < 5; i++) {
      CHECK_EQ(judge_copy(model, negotiation), Fate::delivered);
      CHECK_EQ(judge_copy(model, kDatagram), Fate::corrupted);  // each time a new row
    }
    CHECK_EQ(judge_copy(model, kDatagram), Fate::delivered);
    CHECK_EQ(judge_copy(model, kTcp), Fate::delivered);
    CHECK_EQ(judge_copy(model, make_packet({.from = kClient4, .to = kServer4, .payload = {}})), Fate::delivered);
  }

  TEST_CASE("a droplist counts UDP datagrams from one") {
    DropList model({2, 3, 5});
    std::string fates;
    for (int i = 0; i < 6; i++) {
      CHECK_EQ(judge_copy(model, kTcp), Fate::delivered);
      fates += judge_copy(model, kDatagram) == Fate::dropped ? 'x' : '.';
    }
    CHECK_EQ(fates, ".xx.x.");
  }

  TEST_CASE("a blackhole takes what arrives while it is there, as often as it was told") {
    Blackhole once(seconds(5), seconds(2), 1), twice(seconds(5), seconds(2), 2);
    const auto lost = [](Blackhole& model, double at) { return judge_copy(model, kTcp, seconds(at)) == Fate::dropped; };
    for (Blackhole* model : {&once, &twice}) {
      CHECK_FALSE(lost(*model, -1));
      CHECK_FALSE(lost(*model, 0));
      CHECK_FALSE(lost(*model, 4.999999));
      CHECK(lost(*model, 5));
      CHECK(lost(*model, 6.999999));
      CHECK_FALSE(lost(*model, 7));
      CHECK_EQ(lost(*model, 12.5), model == &twice);
      CHECK_FALSE(lost(*model, 14));
      CHECK_FALSE(lost(*model, 19.5));
    }
    CHECK_EQ(judge_copy(once, kDatagram, seconds(6)), Fate::dropped);
  }

  TEST_CASE("a scenario's models are of its kind, in its directions, with each direction's own values") {
    tests::SeededRng rng(1);
    Scenario scenario;
    CHECK_EQ(make_error_models(scenario, rng, rng).to_server, nullptr);

    scenario.kind = Scenario::Kind::droplist;
    scenario.to_client.drops = {1};
    ErrorModels models = make_error_models(scenario, rng, rng);
    CHECK_EQ(judge_copy(*models.to_server, kDatagram), Fate::delivered);
    CHECK_EQ(judge_copy(*models.to_client, kDatagram), Fate::dropped);

    for (const Scenario::Kind kind : {Scenario::Kind::drop_rate, Scenario::Kind::corrupt_rate}) {
      scenario.kind = kind;
      scenario.to_server.rate = RandomChoice::kWhole;
      models = make_error_models(scenario, rng, rng);
      CHECK_EQ(judge_copy(*models.to_server, kDatagram),
               kind == Scenario::Kind::drop_rate ? Fate::dropped : Fate::corrupted);
      CHECK_EQ(judge_copy(*models.to_client, kDatagram), Fate::delivered);
    }

    scenario.kind = Scenario::Kind::blackhole;
    scenario.on = scenario.off = seconds(1);
    using enum Scenario::Directions;
    for (const Scenario::Directions directions : {both, to_server, to_client}) {
      scenario.directions = directions;
      models = make_error_models(scenario, rng, rng);
      CHECK_EQ(models.to_server != nullptr, directions != to_client);
      CHECK_EQ(models.to_client != nullptr, directions != to_server);
      ErrorModel& model = directions == to_client ? *models.to_client : *models.to_server;
      CHECK_EQ(judge_copy(model, kTcp, seconds(1.5)), Fate::dropped);
    }
  }
}

}  // namespace quoll::link
