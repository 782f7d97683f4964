#include "interop/link/packet.h"

#include "tests/interop/link/packets.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::link {

TEST_SUITE("interop/link/packet") {
  TEST_CASE("the shape of IPv4 and IPv6 datagrams is seen, with addresses and ports") {
    for (const auto& [from, to] : {std::pair(kClient4, kServer4), std::pair(kServer6, kClient6)}) {
      const std::vector<uint8_t> packet = make_packet({.from = from, .to = to, .payload = {1, 2, 3}});
      const std::optional<IpPacket> shape = parse_ip(packet);
      REQUIRE(shape);
      CHECK(shape->is_udp);
      CHECK_EQ(shape->payload_at() + 3, packet.size());
      CHECK_EQ(address_of(packet, *shape, End::source), from.ip);
      CHECK_EQ(address_of(packet, *shape, End::destination), to.ip);
      CHECK_EQ(port_of(packet, *shape, End::source), from.port);
      CHECK_EQ(port_of(packet, *shape, End::destination), to.port);
      CHECK(checksums_hold(packet, *shape));
    }
  }

  TEST_CASE("what is cut short, padded or of another protocol is no UDP") {
    for (const auto& [from, to] : {std::pair(kClient4, kServer4), std::pair(kClient6, kServer6)}) {
      std::vector<uint8_t> packet = make_packet({.from = from, .to = to, .payload = {}});
      for (size_t size = 0; size < packet.size(); size++) CHECK_FALSE(parse_ip(Bytes(packet).first(size)));
      packet.push_back(0);
      CHECK_FALSE(parse_ip(packet));
      const std::vector<uint8_t> tcp = make_packet({.from = from, .to = to, .payload = {}, .protocol = 6});
      REQUIRE(parse_ip(tcp));
      CHECK_FALSE(parse_ip(tcp)->is_udp);
    }
    std::vector<uint8_t> fragment = make_packet({.from = kClient4, .to = kServer4, .payload = {1, 2}});
    fragment[7] = 1;  // its offset
    REQUIRE(parse_ip(fragment));
    CHECK_FALSE(parse_ip(fragment)->is_udp);
    CHECK_FALSE(parse_ip(std::vector<uint8_t>(60, 0x50)));
  }

  TEST_CASE("after any change the checksums are those computed from the ground") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (int i = 0; i < 20'000; i++) {
      const bool ipv4 = rng.below(2) == 0;
      std::vector<uint8_t> packet = make_packet({.from = ipv4 ? kClient4 : kClient6,
                                                 .to = ipv4 ? kServer4 : kServer6,
                                                 .payload = rng.bytes(1 + rng.below(20))});
      const IpPacket shape = parse_ip(packet).value();
      const End end = rng.below(2) == 0 ? End::source : End::destination;
      switch (rng.below(3)) {
        case 0:
          set_port(packet, shape, end, static_cast<uint16_t>(rng.next_u64()));
          break;
        case 1: {
          IpAddress address = IpAddress::v4({1, 2, static_cast<uint8_t>(rng.next_u64()), 4});
          std::array<uint8_t, 16> octets;
          rng.fill(octets);
          if (!ipv4) address = IpAddress::v6(octets);
          set_address(packet, shape, end, address);
          CHECK_EQ(address_of(packet, shape, end), address);
          break;
        }
        default:
          set_payload_byte(packet, shape, rng.below(packet.size() - shape.payload_at()),
                           static_cast<uint8_t>(rng.next_u64()));
      }
      REQUIRE(has_right_checksums(packet));
      REQUIRE(checksums_hold(packet, shape));
      packet[shape.payload_at()] ^= 1;
      REQUIRE_FALSE(checksums_hold(packet, shape));
    }
  }

  TEST_CASE("a sum of zero is written as all ones, and a checksum that was left out stays out") {
    std::vector<uint8_t> packet = make_packet({.from = kClient4, .to = kServer4, .payload = {0, 0}});
    const IpPacket shape = parse_ip(packet).value();
    // The payload takes up what is missing, so the sum becomes zero.
    const uint16_t missing = load_be<uint16_t>(packet.data() + 26);
    set_payload_byte(packet, shape, 0, static_cast<uint8_t>(missing >> 8));
    set_payload_byte(packet, shape, 1, static_cast<uint8_t>(missing));
    CHECK_EQ(load_be<uint16_t>(packet.data() + 26), 0xffff);
    CHECK(checksums_hold(packet, shape));

    packet = make_packet({.from = kClient4, .to = kServer4, .payload = {7}, .udp_checksum = false});
    set_port(packet, shape, End::source, 1);
    set_payload_byte(packet, shape, 0, 8);
    CHECK_EQ(load_be<uint16_t>(packet.data() + 26), 0);
    CHECK(checksums_hold(packet, shape));
  }

  TEST_CASE("congestion is marked on those who understand it") {
    for (const auto& [from, to] : {std::pair(kClient4, kServer4), std::pair(kClient6, kServer6)}) {
      for (uint8_t ecn = 0; ecn < 4; ecn++) {
        std::vector<uint8_t> packet = make_packet({.from = from, .to = to, .payload = {1}, .ecn = ecn});
        CHECK_EQ(mark_congestion(packet, parse_ip(packet).value()), ecn != 0);
        const uint8_t marked = ecn == 0 ? uint8_t{0} : uint8_t{3};
        CHECK_EQ(packet, make_packet({.from = from, .to = to, .payload = {1}, .ecn = marked}));
      }
    }
  }
}

}  // namespace quoll::link
