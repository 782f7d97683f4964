// The network's elements, each alone: a simulator that does not do what it says would test nothing.

#include "tests/sim/elements.h"

#include <set>

#include "tests/sim/attackers.h"
#include "tests/sim/middlebox.h"
#include "tests/sim/options.h"
#include "tests/sim/stream_plan.h"

#include <doctest/doctest.h>

namespace quoll::sim {
namespace {

const SocketAddress kInside{.ip = IpAddress::v4({10, 0, 0, 1}), .port = 4000};
const SocketAddress kOutside{.ip = IpAddress::v4({198, 51, 100, 1}), .port = 4433};

/// A link, and what came out of it.
struct Bench {
  Scheduler scheduler;
  Journal journal;
  std::vector<std::pair<Instant, Datagram>> arrived;
  Link link{scheduler, journal, Direction::to_server,
            [this](Datagram datagram) { arrived.emplace_back(scheduler.now(), std::move(datagram)); }};
  uint64_t next_id = 0;

  void send(size_t size, Ecn ecn = Ecn::ect0) {
    link.send({.source = kInside,
               .destination = kOutside,
               .ecn = ecn,
               .bytes = std::vector<uint8_t>(size, 0x41),
               .id = next_id++,
               .sent = scheduler.now(),
               .original_source = kInside});
  }
  void send_many(int count, size_t size, Duration apart) {
    for (int i = 0; i < count; i++) {
      scheduler.at(Instant() + i * apart, [this, size] { send(size); });
    }
  }
  void run() {
    while (scheduler.step()) {
    }
  }
  Duration arrival(size_t i) const { return arrived[i].first - Instant(); }
  size_t losses() const {
    return journal.losses(Direction::to_server, Instant() - Duration::seconds(1), Instant::never());
  }
};

constexpr Duration ms(int64_t count) { return Duration::milliseconds(count); }

TEST_CASE("events of the scheduler happen in the order of time, and of one instant in the order of their coming") {
  Scheduler scheduler;
  std::vector<int> order;
  scheduler.after(ms(2), [&] { order.push_back(3); });
  scheduler.after(ms(1), [&] {
    order.push_back(1);
    scheduler.at(Instant(), [&] { order.push_back(2); });  // the past is now
  });
  scheduler.after(ms(2), [&] { order.push_back(4); });
  while (scheduler.step()) {
  }
  CHECK(order == std::vector{1, 2, 3, 4});
  CHECK(scheduler.now() == Instant() + ms(2));
}

TEST_CASE("a delay with jitter keeps the order and stays within its bounds") {
  Bench bench;
  bench.link.add<Delay>(1, ms(10), ms(5));
  bench.send_many(100, 100, ms(1));
  bench.run();
  REQUIRE(bench.arrived.size() == 100);
  bool varies = false;
  for (size_t i = 0; i < 100; i++) {
    CHECK(bench.arrived[i].second.id == i);
    const Duration took = bench.arrival(i) - static_cast<int64_t>(i) * ms(1);
    CHECK(took >= ms(10));
    CHECK(took <= ms(15));
    varies = varies || took != ms(10);
  }
  CHECK(varies);
}

TEST_CASE("a bottleneck lets through its rate, drops what its queue does not hold, and marks before that") {
  Bench bench;
  auto& bottleneck = bench.link.add<Bottleneck>(
      Bottleneck::Options{.rate = Bandwidth::bytes_per_second(100'000), .queue_bytes = 5'000, .mark_bytes = 2'000});
  for (int i = 0; i < 10; i++) bench.send(1'000);  // all at once
  bench.run();
  REQUIRE(bench.arrived.size() == 5);
  CHECK(bench.losses() == 5);
  for (size_t i = 0; i < 5; i++) {
    CHECK(bench.arrival(i) == ms(10 * (static_cast<int64_t>(i) + 1)));
    CHECK((bench.arrived[i].second.ecn == Ecn::ce) == (i >= 2));
  }
  CHECK(bottleneck.marked() == 3);
}

TEST_CASE("a bottleneck does not mark what is not ECN-capable") {
  Bench bench;
  bench.link.add<Bottleneck>(
      Bottleneck::Options{.rate = Bandwidth::bytes_per_second(100'000), .queue_bytes = 5'000, .mark_bytes = 0});
  bench.send(1'000, Ecn::not_ect);
  bench.run();
  REQUIRE(bench.arrived.size() == 1);
  CHECK(bench.arrived[0].second.ecn == Ecn::not_ect);
}

TEST_CASE("a bottleneck's rate changes in the midst of what it sends") {
  Bench bench;
  const Bandwidth slow = Bandwidth::bytes_per_second(100'000);
  auto& bottleneck = bench.link.add<Bottleneck>(Bottleneck::Options{
      .rate = slow, .steps = {{Instant() + ms(25), slow.scaled(5, 1)}, {Instant() + ms(31), slow}}});
  for (int i = 0; i < 6; i++) bench.send(1'000);
  CHECK(bottleneck.wait(Instant()) == ms(36));
  bench.run();
  REQUIRE(bench.arrived.size() == 6);
  CHECK(bench.arrival(1) == ms(20));
  CHECK(bench.arrival(2) == ms(26));  // half of it five times as fast
  CHECK(bench.arrival(4) == ms(30));
  CHECK(bench.arrival(5) == ms(31) + ms(5));  // and half of this one slow again
  CHECK(bottleneck.capacity(Instant() + ms(20), Instant() + ms(41)) == 500 + 3'000 + 1'000);
  CHECK(bottleneck.rate_at(Instant() + ms(25)) == slow.scaled(5, 1));
}

TEST_CASE("the queue of a bottleneck whose rate changes holds what it says") {
  Bench bench;
  const Bandwidth slow = Bandwidth::bytes_per_second(100'000);
  auto& bottleneck = bench.link.add<Bottleneck>(
      Bottleneck::Options{.rate = slow, .queue_bytes = 5'000, .steps = {{Instant() + ms(25), slow.scaled(5, 1)}}});
  for (int i = 0; i < 10; i++) bench.send(1'000);
  bench.run();
  CHECK(bench.arrived.size() == 5);
  CHECK(bottleneck.dropped() == 5);
}

TEST_CASE("a delay that falls lets later datagrams overtake") {
  Bench bench;
  bench.link.add<ChangingDelay>(std::vector<ChangingDelay::Step>{
      {Instant(), ms(50)}, {Instant() + ms(10), ms(20)}, {Instant() + ms(30), ms(80)}});
  bench.send_many(4, 100, ms(10));
  bench.run();
  REQUIRE(bench.arrived.size() == 4);
  CHECK(bench.arrived[0].second.id == 1);
  CHECK(bench.arrival(0) == ms(30));
  CHECK(bench.arrival(1) == ms(40));
  CHECK(bench.arrived[2].second.id == 0);
  CHECK(bench.arrival(2) == ms(50));
  CHECK(bench.arrival(3) == ms(110));
}

TEST_CASE("a policer lets a burst and then its rate through, and delays nothing") {
  Bench bench;
  auto& policer = bench.link.add<Policer>(Bandwidth::bytes_per_second(100'000), 3'000);
  bench.send_many(100, 1'000, ms(5));  // twice the rate
  bench.run();
  CHECK(bench.arrived.size() + policer.dropped() == 100);
  CHECK(bench.losses() == policer.dropped());
  CHECK(bench.arrived.size() >= 51);
  CHECK(bench.arrived.size() <= 53);
  for (size_t i = 0; i < 3; i++) CHECK(bench.arrived[i].second.id == i);
  for (const auto& [when, datagram] : bench.arrived) CHECK(when == datagram.sent);
}

TEST_CASE("aggregation releases lumps, in order and not too late") {
  Bench bench;
  bench.link.add<Aggregation>(5, ms(20));
  bench.send_many(400, 100, ms(1));
  bench.run();
  REQUIRE(bench.arrived.size() == 400);
  std::set<Instant> releases;
  for (size_t i = 0; i < 400; i++) {
    CHECK(bench.arrived[i].second.id == i);
    CHECK(bench.arrived[i].first - bench.arrived[i].second.sent <= ms(30));
    releases.insert(bench.arrived[i].first);
  }
  CHECK(releases.size() >= 400 / 30);
  CHECK(releases.size() <= 400 / 10 + 1);
}

TEST_CASE("loss may be for a period alone") {
  Bench bench;
  bench.link.add<RandomLoss>(3, 1'000'000, Instant() + ms(10), Instant() + ms(20));
  bench.send_many(30, 100, ms(1));
  bench.run();
  CHECK(bench.arrived.size() == 20);
  CHECK(bench.losses() == 10);
}

TEST_CASE("random loss takes about its share") {
  Bench bench;
  bench.link.add<RandomLoss>(3, 100'000);
  for (int i = 0; i < 10'000; i++) bench.send(10);
  CHECK(bench.arrived.size() > 8'800);
  CHECK(bench.arrived.size() < 9'200);
  CHECK(bench.arrived.size() + bench.losses() == 10'000);
}

TEST_CASE("burst loss comes in runs") {
  Bench bench;
  bench.link.add<BurstLoss>(3, 10'000, 100'000);
  for (int i = 0; i < 20'000; i++) bench.send(10);
  const size_t losses = bench.losses();
  CHECK(losses > 600);
  CHECK(losses < 2'600);
  size_t runs = 0;
  for (size_t i = 1; i < bench.arrived.size(); i++) {
    runs += bench.arrived[i].second.id != bench.arrived[i - 1].second.id + 1;
  }
  CHECK(losses > runs * 3 / 2);  // independent losses would give nearly as many runs as losses
}

TEST_CASE("reordering lets others overtake, and loses nothing") {
  Bench bench;
  bench.link.add<Reordering>(5, 300'000, ms(10));
  bench.send_many(200, 100, ms(1));
  bench.run();
  REQUIRE(bench.arrived.size() == 200);
  size_t inversions = 0;
  for (size_t i = 1; i < 200; i++) inversions += bench.arrived[i].second.id < bench.arrived[i - 1].second.id;
  CHECK(inversions > 20);
}

TEST_CASE("copies of a datagram are known as copies") {
  Bench bench;
  bench.link.add<Duplication>(5, 500'000);
  for (int i = 0; i < 100; i++) bench.send(10);
  bench.run();
  CHECK(bench.arrived.size() > 130);
  std::set<uint64_t> originals;
  for (const auto& [when, datagram] : bench.arrived) {
    if (datagram.origin == Origin::sent) CHECK(originals.insert(datagram.id).second);
  }
  CHECK(originals.size() == 100);
}

TEST_CASE("corruption changes bytes, and what was changed counts as lost") {
  Bench bench;
  auto& corruption = bench.link.add<Corruption>(7, 1'000'000);
  for (int i = 0; i < 300; i++) bench.send(100);
  CHECK(bench.arrived.size() == 300);
  CHECK(bench.losses() == 300);
  CHECK(corruption.corrupted() == 300);
  size_t shorter = 0, longer = 0, flipped = 0;
  for (const auto& [when, datagram] : bench.arrived) {
    CHECK_FALSE(datagram.intact);
    shorter += datagram.bytes.size() < 100;
    longer += datagram.bytes.size() > 100;
    flipped += datagram.bytes.size() == 100;
  }
  CHECK(shorter > 30);
  CHECK(longer > 30);
  CHECK(flipped > 90);
}

TEST_CASE("ECN fields are changed as asked") {
  const auto after = [](EcnPath path, Ecn ecn) {
    Bench bench;
    bench.link.add<EcnMangling>(1, path);
    bench.send(10, ecn);
    return bench.arrived.at(0).second.ecn;
  };
  CHECK(after(EcnPath::clean, Ecn::ect0) == Ecn::ect0);
  CHECK(after(EcnPath::bleach, Ecn::ect0) == Ecn::not_ect);
  CHECK(after(EcnPath::all_ce, Ecn::ect0) == Ecn::ce);
  CHECK(after(EcnPath::all_ce, Ecn::not_ect) == Ecn::not_ect);
  CHECK(after(EcnPath::to_ect1, Ecn::ect0) == Ecn::ect1);
}

TEST_CASE("an MTU drops what is larger, tells of it, and may change") {
  Bench bench;
  std::vector<size_t> told;
  auto& mtu = bench.link.add<MtuLimit>(
      1'400, [&](const Datagram& datagram, uint16_t) { told.push_back(datagram.bytes.size()); });
  bench.send(1'400);
  bench.send(1'401);
  mtu.set(1'200);
  bench.send(1'400);
  bench.send(1'200);
  CHECK(bench.arrived.size() == 2);
  CHECK(told == std::vector<size_t>{1'401, 1'400});
}

TEST_CASE("a black hole swallows everything in its time, and nothing else") {
  Bench bench;
  auto& hole = bench.link.add<Blackhole>(Instant() + ms(10), Instant() + ms(20));
  bench.send_many(30, 10, ms(1));
  bench.run();
  CHECK(hole.swallowed() == 10);
  CHECK(bench.arrived.size() == 20);
}

TEST_CASE("elements compose: each sees what the one before it lets through, at its time") {
  Bench bench;
  bench.link.add<LossOf>([](uint64_t number, const Datagram&) { return number == 1; });
  bench.link.add<Delay>(1, ms(10), Duration());
  std::vector<std::pair<Instant, uint64_t>> seen;
  bench.link.add<Tap>([&](Instant now, const Datagram& datagram) { seen.emplace_back(now, datagram.id); });
  for (int i = 0; i < 3; i++) bench.send(10);
  bench.run();
  CHECK(seen == std::vector<std::pair<Instant, uint64_t>>{{Instant() + ms(10), 0}, {Instant() + ms(10), 2}});
}

TEST_CASE("a NAT gives one address outside, until it forgets") {
  Nat nat;
  const SocketAddress first = nat.outside_of(kInside);
  CHECK(nat.outside_of(kInside) == first);
  CHECK(nat.inside_of(first) == kInside);
  SocketAddress other = kInside;
  other.port++;
  CHECK(nat.outside_of(other) != first);
  nat.rebind(false);
  CHECK_FALSE(nat.inside_of(first));
  const SocketAddress second = nat.outside_of(kInside);
  CHECK(second != first);
  CHECK(second.ip == first.ip);
  nat.rebind(true);
  CHECK(nat.outside_of(kInside).ip != first.ip);
}

TEST_CASE("a firewall lets in answers alone") {
  const auto state = std::make_shared<FirewallState>();
  Bench out, in;
  out.link.add<FirewallOut>(state);
  in.link.add<FirewallIn>(state);
  Datagram answer;
  answer.source = kOutside;
  answer.destination = kInside;
  answer.bytes = {1};
  in.link.send(answer);
  CHECK(in.arrived.empty());
  out.send(10);
  in.link.send(answer);
  CHECK(in.arrived.size() == 1);
  answer.source.port++;
  in.link.send(answer);
  CHECK(in.arrived.size() == 1);
}

TEST_CASE("attackers add to what passes and take nothing away") {
  const auto heard = std::make_shared<Eavesdropped>();
  Bench bench;
  bench.link.add<Eavesdropper>(heard);
  auto& forger = bench.link.add<Forger>(3, 500'000, heard);
  auto& replayer = bench.link.add<Replayer>(4, 500'000);
  bench.send_many(200, 100, ms(1));
  bench.run();
  size_t sent = 0, forged = 0, replayed = 0;
  for (const auto& [when, datagram] : bench.arrived) {
    sent += datagram.origin == Origin::sent;
    forged += datagram.origin == Origin::forged;
    replayed += datagram.origin == Origin::replayed;
    if (datagram.origin == Origin::sent) CHECK(datagram.bytes == std::vector<uint8_t>(100, 0x41));
  }
  CHECK(sent == 200);
  CHECK(forged == forger.forged());
  CHECK(forged > 50);
  CHECK(replayed == replayer.replayed());
  CHECK(replayed > 50);
}

TEST_CASE("the journal counts deliveries and losses in a stretch of time") {
  Journal journal;
  for (int i = 0; i < 10; i++) journal.count_loss(Instant() + ms(i), Direction::to_client);
  CHECK(journal.losses(Direction::to_client, Instant() + ms(2), Instant() + ms(5)) == 3);
  CHECK(journal.losses(Direction::to_server, Instant() + ms(2), Instant() + ms(5)) == 0);
  CHECK(journal.deliveries(Direction::to_client, Instant(), Instant::never()) == 0);
}

TEST_CASE("a packet's name is read from its first bytes") {
  CHECK(packet_name(std::vector<uint8_t>{0x40, 1, 2, 3, 4}) == "1-RTT");
  CHECK(packet_name(std::vector<uint8_t>{0xc0, 0, 0, 0, 1}) == "Initial v1");
  CHECK(packet_name(std::vector<uint8_t>{0xf0, 0, 0, 0, 1}) == "Retry v1");
  CHECK(packet_name(std::vector<uint8_t>{0xd0, 0x6b, 0x33, 0x43, 0xcf}) == "Initial v2");
  CHECK(packet_name(std::vector<uint8_t>{0xc0, 0x6b, 0x33, 0x43, 0xcf}) == "Retry v2");
  CHECK(packet_name(std::vector<uint8_t>{0x80, 0, 0, 0, 0}) == "Version Negotiation");
}

TEST_CASE("a seed gives the same scenario again, and other seeds give others") {
  std::set<std::string> lines;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    const std::string line = to_string(random_scenario(seed));
    CHECK(line == to_string(random_scenario(seed)));
    CHECK(line.starts_with("seed=" + std::to_string(seed)));
    lines.insert(line.substr(line.find(' ') + 1));
  }
  CHECK(lines.size() > 195);
}

TEST_CASE("a stream's bytes are the same however they are cut") {
  const quic::StreamId id(8);
  std::vector<uint8_t> whole(1'000), pieces(1'000);
  fill_pattern(7, id, true, 13, whole);
  for (size_t offset = 0; offset < pieces.size();) {
    const size_t size = std::min<size_t>(1 + offset % 37, pieces.size() - offset);
    fill_pattern(7, id, true, 13 + offset, MutBytes(pieces).subspan(offset, size));
    offset += size;
  }
  CHECK(whole == pieces);
  fill_pattern(7, id, false, 13, pieces);
  CHECK(whole != pieces);
}

}  // namespace
}  // namespace quoll::sim
