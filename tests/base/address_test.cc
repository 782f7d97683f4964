#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

std::string ip_again(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? address->to_string() : "refused";
}
std::string socket_again(std::string_view text) {
  const auto address = SocketAddress::parse(text);
  return address ? address->to_string() : "refused";
}

}  // namespace

TEST_SUITE("address") {
  TEST_CASE("IPv4 is four decimal numbers and nothing else") {
    CHECK_EQ(ip_again("192.0.2.1"), "192.0.2.1");
    CHECK_EQ(ip_again("0.0.0.0"), "0.0.0.0");
    CHECK_EQ(ip_again("255.255.255.255"), "255.255.255.255");
    for (const char* text :
         {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4 ", " 1.2.3.4",
          "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4", "1.2.3.4%1", "1.2.3.99999999999"}) {
      CAPTURE(text);
      CHECK_EQ(ip_again(text), "refused");
    }
  }

  TEST_CASE("IPv6 prints as RFC 5952 recommends") {
    CHECK_EQ(ip_again("2001:0DB8::0001"), "2001:db8::1");               // §4.1, §4.3
    CHECK_EQ(ip_again("2001:db8:0:0:0:0:2:1"), "2001:db8::2:1");        // §4.2.1
    CHECK_EQ(ip_again("2001:db8::1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // §4.2.2
    CHECK_EQ(ip_again("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");          // §4.2.3: the longest
    CHECK_EQ(ip_again("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");    // §4.2.3: the first
    CHECK_EQ(ip_again("0:0:0:0:0:0:0:0"), "::");
    CHECK_EQ(ip_again("0:0:0:0:0:0:0:1"), "::1");
    CHECK_EQ(ip_again("1:0:0:0:0:0:0:0"), "1::");
    CHECK_EQ(ip_again("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
    CHECK_EQ(ip_again("1:2:3:4:5:6:0:0"), "1:2:3:4:5:6::");
    CHECK_EQ(ip_again("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
    CHECK_EQ(ip_again("::2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8");
    CHECK_EQ(ip_again("::ffff:192.0.2.1"), "::ffff:192.0.2.1");  // §5
    CHECK_EQ(ip_again("::FFFF:c000:0201"), "::ffff:192.0.2.1");
    CHECK_EQ(ip_again("::ffff:0:0"), "::ffff:0.0.0.0");
    CHECK_EQ(ip_again("::192.0.2.1"), "::c000:201");
    CHECK_EQ(ip_again("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
    CHECK_EQ(ip_again("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304");
  }

  TEST_CASE("what is not IPv6 is refused") {
    for (const char* text : {":",
                             ":::",
                             "1:",
                             ":1",
                             "1:2",
                             "1:2:3:4:5:6:7",
                             "1:2:3:4:5:6:7:8:9",
                             "1::2::3",
                             "1:::2",
                             "12345::",
                             "g::",
                             "::1:",
                             "1:2:3:4:5:6:7:8::",
                             "::1:2:3:4:5:6:7:8",
                             "1:2:3:4::5:6:7:8",
                             "1.2.3.4::",
                             "::1.2.3.4:5",
                             "::1.2.3",
                             "::1.2.3.256",
                             "1:2:3:4:5:6:7:1.2.3.4",
                             "[::1]",
                             "::1 ",
                             "::+1",
                             "::-1",
                             "::0x1",
                             "::1%",
                             "::1%0",
                             "::1%01",
                             "::1%eth0",
                             "::1%4294967296",
                             "%1",
                             ":%1"}) {
      CAPTURE(text);
      CHECK_EQ(ip_again(text), "refused");
    }
  }

  TEST_CASE("a scope is a number and part of the address") {
    CHECK_EQ(ip_again("fe80::1%2"), "fe80::1%2");
    CHECK_EQ(ip_again("fe80::1%4294967295"), "fe80::1%4294967295");
    CHECK_NE(*IpAddress::parse("fe80::1%2"), *IpAddress::parse("fe80::1"));
  }

  TEST_CASE("a socket address has a port, and brackets when it is IPv6") {
    CHECK_EQ(socket_again("1.2.3.4:443"), "1.2.3.4:443");
    CHECK_EQ(socket_again("[::1]:443"), "[::1]:443");
    CHECK_EQ(socket_again("[fe80::1%7]:65535"), "[fe80::1%7]:65535");
    CHECK_EQ(socket_again("0.0.0.0:0"), "0.0.0.0:0");
    for (const char* text :
         {"",           ":",       "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:0443",  "1.2.3.4:+1",
          "1.2.3.4:-1", "::1:443", "[::1]",   "[::1]:",   "[::1]443",      "[1.2.3.4]:443", "[::1:443",
          "::1]:443",   "[]:443",  "[:443",   ":443",     "localhost:443", "[[::1]]:443"}) {
      CAPTURE(text);
      CHECK_EQ(socket_again(text), "refused");
    }
  }

  TEST_CASE("an absent address is equal to itself only, and has no octets") {
    CHECK(IpAddress() == IpAddress());
    CHECK_NE(IpAddress(), IpAddress::v4({0, 0, 0, 0}));
    CHECK_NE(IpAddress::v4({0, 0, 0, 0}), IpAddress::v6({}));
    CHECK(IpAddress().octets().empty());
    CHECK_EQ(IpAddress::v4({1, 2, 3, 4}).octets().size(), 4);
    CHECK_EQ(IpAddress::v6({}).octets().size(), 16);
  }

  TEST_CASE("keys differ by every member of the address") {
    const SocketAddress base = *SocketAddress::parse("[fe80::1%1]:1");
    CHECK_EQ(base.key(), SocketAddress::parse("[fe80::1%1]:1")->key());
    for (const char* text : {"[fe80::1%1]:2", "[fe80::1%2]:1", "[fe80::2%1]:1", "[fe80::1]:1", "0.0.0.0:1"}) {
      CHECK_NE(base.key(), SocketAddress::parse(text)->key());
    }
    CHECK_NE(SocketAddress::parse("0.0.0.0:1")->key(), SocketAddress::parse("[::]:1")->key());
  }

  TEST_CASE("random texts are parsed as the C library parses them") {
    const uint64_t seed = tests::test_seed(9);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    const std::string pieces[] = {":",    ":",    ":",  "::",  "0",   "1", "f",       "ff",
                                  "ffff", "1234", "10", "255", "256", ".", "1.2.3.4", "g"};
    size_t accepted = 0;
    for (int i = 0; i < 50000; i++) {
      std::string text;
      if (rng.below(2) == 0) {  // a printed address, slightly damaged
        uint8_t octets[16];
        rng.fill(octets);
        for (size_t j = 0; j < 16; j++) octets[j] = rng.below(3) == 0 ? octets[j] : 0;
        char printed[INET6_ADDRSTRLEN];
        text = inet_ntop(AF_INET6, octets, printed, sizeof printed);
        if (rng.below(2) == 0) text.insert(rng.below(text.size() + 1), pieces[rng.below(std::size(pieces))]);
        if (rng.below(4) == 0) text.erase(rng.below(text.size()), 1);
      } else {
        for (uint64_t n = 1 + rng.below(16); n > 0; n--) text += pieces[rng.below(std::size(pieces))];
      }
      CAPTURE(text);
      uint8_t expected[16];
      const bool v6 = text.find(':') != std::string::npos;
      const bool valid = inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), expected) == 1;
      const auto parsed = IpAddress::parse(text);
      REQUIRE_EQ(parsed.has_value(), valid);
      if (!parsed) continue;
      accepted++;
      REQUIRE(std::ranges::equal(parsed->octets(), Bytes(expected).first(v6 ? 16 : 4)));
      REQUIRE(IpAddress::parse(parsed->to_string()) == parsed);
    }
    CHECK_GT(accepted, 5000);
  }
}
