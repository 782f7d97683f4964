#include "tests/support/pcap_writer.h"

#include "base/hex.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

constexpr uint8_t kPayload[] = {1, 2, 3};
const SocketAddress kV4 = *SocketAddress::parse("192.0.2.1:443");
const SocketAddress kV6 = *SocketAddress::parse("[2001:db8::1]:443");
const SocketAddress kNowhere = {.ip = {}, .port = 50000};
constexpr size_t kFileHeader = 24;

std::string hex_of(const tests::PcapWriter& pcap, size_t from) { return to_hex(as_bytes(pcap.file()).subspan(from)); }

}  // namespace

TEST_SUITE("pcap writer") {
  TEST_CASE("a datagram over IPv4") {
    tests::PcapWriter pcap;
    CHECK(to_hex(as_bytes(pcap.file())) ==
          "4d3cb2a1020004000000000000000000"
          "0000040065000000");
    pcap.add(Instant::from_nanoseconds(2'000'000'005), kNowhere, kV4, kPayload, Ecn::ect0);
    CHECK(hex_of(pcap, kFileHeader) ==
          "02000000050000001f0000001f000000"
          "4502001f00004000401100007f000001c0000201"
          "c35001bb000b0000010203");
  }

  TEST_CASE("a train over IPv6") {
    tests::PcapWriter pcap;
    Transmit train;
    train.path = {.local = kV6, .remote = kNowhere};
    train.ecn = Ecn::ce;
    train.bytes = kPayload;
    train.segment_size = 2;
    pcap.add(Instant(), train);
    const std::string addresses =
        "20010db8000000000000000000000001"
        "00000000000000000000000000000001";
    CHECK(hex_of(pcap, kFileHeader) ==
          "00000000000000003200000032000000"
          "60300000000a1140" +
              addresses +
              "01bbc350000a0c120102"
              "00000000000000003100000031000000"
              "6030000000091140" +
              addresses + "01bbc35000090a1603");
  }
}
