#include "interop/link/nat.h"

#include <set>

#include "interop/link/scenario.h"
#include "tests/interop/link/packets.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::link {
namespace {

Duration ms(int64_t count) { return Duration::milliseconds(count); }

struct Router {
  explicit Router(NatConfig config) : rng(tests::test_seed(1)), nat(config, rng) {}

  /// The source that the server sees.
  SocketAddress send(const SocketAddress& client, Duration at) {
    const bool ipv4 = client.ip.family() == IpAddress::Family::ipv4;
    auto packet = make_packet({.from = client, .to = ipv4 ? kServer4 : kServer6, .payload = {1, 2, 3}});
    const IpPacket shape = parse_ip(packet).value();
    CHECK_EQ(nat.to_server(packet, at), Fate::delivered);
    CHECK(has_right_checksums(packet));
    return {.ip = address_of(packet, shape, End::source), .port = port_of(packet, shape, End::source)};
  }
  /// To whom the server's packet gets, if to anybody.
  std::optional<SocketAddress> answer(const SocketAddress& to, Duration at) {
    const bool ipv4 = to.ip.family() == IpAddress::Family::ipv4;
    auto packet = make_packet({.from = ipv4 ? kServer4 : kServer6, .to = to, .payload = {4, 5}});
    const IpPacket shape = parse_ip(packet).value();
    if (nat.to_client(packet, at) == Fate::dropped) return std::nullopt;
    CHECK(has_right_checksums(packet));
    return SocketAddress{.ip = address_of(packet, shape, End::destination),
                         .port = port_of(packet, shape, End::destination)};
  }

  tests::SeededRng rng;
  Nat nat;
};

}  // namespace

TEST_SUITE("interop/link/nat") {
  TEST_CASE("until the first rebind flows keep their own addresses, and unknown ports are closed") {
    Router router({.first = ms(1000), .every = ms(5000), .addresses = true});
    CHECK_FALSE(router.answer(kClient4, ms(0)));
    CHECK_EQ(router.send(kClient4, ms(999)), kClient4);
    CHECK_EQ(router.answer(kClient4, ms(999)), kClient4);
  }

  TEST_CASE("each rebind gives every flow a new port, and what is under way to the old one is lost") {
    Router router({.first = ms(1000), .every = ms(5000)});
    SocketAddress other = kClient4;
    other.port = 40'001;
    std::set<std::string> seen;
    for (const int64_t at : {0, 1000, 6000, 11'000}) {
      for (const SocketAddress& flow : {kClient4, kClient6, other}) {
        const SocketAddress outer = router.send(flow, ms(at));
        CHECK_EQ(outer.ip, flow.ip);
        CHECK_EQ(router.answer(outer, ms(at)), flow);
        if (at != 0) CHECK(seen.insert(outer.to_string()).second);
        CHECK_GE(outer.port, 1024);
        CHECK_EQ(router.send(flow, ms(at + 999)), outer);
      }
      if (at != 0) CHECK_FALSE(router.answer(kClient4, ms(at + 999)));
    }
    CHECK_EQ(seen.size(), 9);
    CHECK_EQ(router.nat.rebinds(), 3);
  }

  TEST_CASE("without a frequency there is one rebind") {
    Router router({.first = ms(1000)});
    (void)router.send(kClient4, ms(0));
    const SocketAddress outer = router.send(kClient4, ms(1000));
    CHECK_NE(outer.port, kClient4.port);
    CHECK_EQ(router.send(kClient4, ms(1'000'000)), outer);
  }

  TEST_CASE("addresses change within their network, for IPv4 and IPv6, and flows that begin later have them too") {
    Router router({.first = ms(1000), .every = ms(1000), .addresses = true});
    IpAddress last4 = kClient4.ip, last6 = kClient6.ip;
    (void)router.send(kClient4, ms(0));
    (void)router.send(kClient6, ms(0));
    for (uint16_t round = 1; round < 50; round++) {
      const Duration at = ms(1000 * round);
      const SocketAddress outer4 = router.send(kClient4, at), outer6 = router.send(kClient6, at);
      CHECK_NE(outer4.ip, last4);
      CHECK_NE(outer4.ip, kClient4.ip);
      CHECK_EQ(as_text(outer4.ip.octets().first(3)), as_text(kClient4.ip.octets().first(3)));
      CHECK_NE(outer6.ip, last6);
      CHECK_EQ(as_text(outer6.ip.octets().first(14)), as_text(kClient6.ip.octets().first(14)));
      last4 = outer4.ip;
      last6 = outer6.ip;
      CHECK_EQ(router.answer(outer4, at), kClient4);
      CHECK_EQ(router.answer(outer6, at), kClient6);
      CHECK_FALSE(router.answer({.ip = kClient4.ip, .port = outer4.port}, at));
      const SocketAddress fresh = {.ip = kClient4.ip, .port = static_cast<uint16_t>(100 + round)};
      CHECK_EQ(router.send(fresh, at).ip, outer4.ip);
    }
  }

  TEST_CASE("after more rebinds than there are ports, flows still have ports of their own") {
    Router router({.first = ms(1), .every = ms(1)});
    SocketAddress other = kClient4;
    other.port = 40'001;
    (void)router.send(kClient4, ms(0));
    (void)router.send(other, ms(0));
    for (int64_t at = 1; at < 100'000; at += 500) {
      const SocketAddress outer = router.send(kClient4, ms(at)), second = router.send(other, ms(at));
      REQUIRE_NE(outer.port, second.port);
      REQUIRE_EQ(router.answer(outer, ms(at)), kClient4);
    }
  }

  TEST_CASE("no port serves twice, not even a new flow whose own it is") {
    Router router({.first = ms(1), .every = ms(1)});
    (void)router.send(kClient4, ms(0));
    std::set<uint16_t> seen = {kClient4.port};
    for (int64_t at = 1; at <= 2'000; at++) CHECK(seen.insert(router.send(kClient4, ms(at)).port).second);
    const SocketAddress outer = router.send(kClient4, ms(2'000));
    SocketAddress namesake = kClient4;
    namesake.port = outer.port;
    CHECK_FALSE(seen.contains(router.send(namesake, ms(2'000)).port));
    CHECK_EQ(router.answer(outer, ms(2'000)), kClient4);
  }

  TEST_CASE("other protocols pass untouched, and the scenario's two models share one table") {
    tests::SeededRng rng(1);
    Scenario scenario;
    scenario.kind = Scenario::Kind::rebind;
    scenario.nat = {.first = ms(1), .addresses = true};
    const ErrorModels models = make_error_models(scenario, rng, rng);
    const auto tcp = make_packet({.from = kClient4, .to = kServer4, .payload = {1}, .protocol = 6});
    auto packet = tcp;
    CHECK_EQ(models.to_server->judge(packet, ms(5)), Fate::delivered);
    CHECK_EQ(models.to_client->judge(packet, ms(5)), Fate::delivered);
    CHECK_EQ(packet, tcp);
    auto sent = make_packet({.from = kClient4, .to = kServer4, .payload = {1}});
    CHECK_EQ(models.to_server->judge(sent, ms(5)), Fate::delivered);
    const IpPacket shape = parse_ip(sent).value();
    const SocketAddress outer = {.ip = address_of(sent, shape, End::source), .port = port_of(sent, shape, End::source)};
    auto answer = make_packet({.from = kServer4, .to = outer, .payload = {2}});
    CHECK_EQ(models.to_client->judge(answer, ms(6)), Fate::delivered);
    CHECK_EQ(answer, make_packet({.from = kServer4, .to = kClient4, .payload = {2}}));
  }
}

}  // namespace quoll::link
