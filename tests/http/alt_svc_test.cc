#include "http/alt_svc.h"

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::http;

namespace {

using Services = std::vector<AlternativeService>;

Services services(std::string_view value) {
  const std::optional<AltSvc> parsed = parse_alt_svc(value);
  REQUIRE(parsed);
  CHECK_FALSE(parsed->clear);
  return parsed->services;
}

}  // namespace

TEST_SUITE("http alt-svc") {
  // RFC 7838 §3
  TEST_CASE("the examples of the RFC") {
    CHECK(services("h2=\":8000\"") == Services{{.protocol = "h2", .port = 8000}});
    CHECK(services("h2=\"new.example.org:80\"") == Services{{.protocol = "h2", .host = "new.example.org", .port = 80}});
    CHECK(services("h2=\"alt.example.com:8000\", h2=\":443\"") ==
          Services{{.protocol = "h2", .host = "alt.example.com", .port = 8000}, {.protocol = "h2", .port = 443}});
    CHECK(services("w%3Dx%3Ay#z=\":1\"")[0].protocol == "w=x:y#z");
    CHECK(services("x%25y=\":1\"")[0].protocol == "x%y");
  }

  // RFC 7838 §3.1
  TEST_CASE("ages and persistence are read, what is unknown is ignored") {
    CHECK(services("h3=\":443\"")[0].max_age == Duration::seconds(86400));
    CHECK(services("h3=\":443\"; ma=2592000; persist=1") ==
          Services{{.protocol = "h3", .port = 443, .max_age = Duration::seconds(2592000), .persist = true}});
    CHECK(services("h3=\":443\";ma=\"60\"")[0].max_age == Duration::seconds(60));
    CHECK(services("h3=\":443\" ;\tMA=0")[0].max_age.is_zero());
    CHECK(services("h3=\":443\"; ma=99999999999999999999999")[0].max_age == Duration::seconds(int64_t{1} << 31));
    CHECK_FALSE(services("h3=\":443\"; persist=0")[0].persist);
    CHECK_FALSE(services("h3=\":443\"; persist=true; v=\"46,43\"; x=y")[0].persist);
    CHECK(services("h3=\":443\"; v=\"a\\\"b, c\"; ma=5")[0].max_age == Duration::seconds(5));
  }

  // RFC 7838 §3
  TEST_CASE("clear drops everything, what stands beside it too") {
    CHECK(parse_alt_svc("clear") == AltSvc{.clear = true, .services = {}});
    CHECK(parse_alt_svc(" clear\t") == AltSvc{.clear = true, .services = {}});
    CHECK(parse_alt_svc("h3=\":443\", clear") == AltSvc{.clear = true, .services = {}});
    CHECK_FALSE(parse_alt_svc("Clear"));
    CHECK(services("clear=\":1\"")[0].protocol == "clear");
  }

  TEST_CASE("hosts are names or addresses") {
    CHECK(services("h3=\"[2001:DB8::1]:443\"")[0].host == "2001:db8::1");
    CHECK(services("h3=\"192.0.2.1:443\"")[0].host == "192.0.2.1");
    CHECK(services("h3=\"A.Example:443\"")[0].host == "a.example");
    for (const char* authority : {"", ":", "a", "a:", ":0", ":65536", ":x", "::1:443", "[::1:443", "a b:1", "u@a:1",
                                  "a:1:2", "[fe80::1%1]:1", "..:1"}) {
      CAPTURE(authority);
      CHECK_FALSE(parse_alt_svc("h3=\"" + std::string(authority) + "\""));
    }
  }

  TEST_CASE("a value that does not parse is none") {
    for (const char* value : {"",
                              ",",
                              "h3",
                              "h3=",
                              "h3=:443",
                              "=\":443\"",
                              "h3=\":443",
                              "h3=\":443\" x",
                              "h3=\":443\";",
                              "h3=\":443\"; ma",
                              "h3=\":443\"; ma=",
                              "h3=\":443\"; ma=x",
                              "h3=\":443\"; ma=-1",
                              "h3 =\":443\"",
                              "h%3=\":1\"",
                              "h%zz=\":1\"",
                              "h3=\":443\";;",
                              "h3=\":443\" h2=\":443\"",
                              "h3=\":4\\",
                              "h3=\":443\"; v=\"\x01\""}) {
      CAPTURE(value);
      CHECK_FALSE(parse_alt_svc(value));
    }
  }

  // RFC 9110 §5.6.1.2
  TEST_CASE("empty members are passed over") { CHECK_EQ(services(", h3=\":1\" ,,\t, h2=\":2\",").size(), 2); }

  TEST_CASE("a long list ends where nobody looks any further") {
    std::string value;
    for (int i = 0; i < 40; i++) value += "h3=\":" + std::to_string(i + 1) + "\", ";
    CHECK_EQ(services(value + "garbage").size(), kAlternativesMax);
  }

  TEST_CASE("what is written reads the same") {
    const uint64_t seed = tests::test_seed(23);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    constexpr std::string_view kHosts[] = {"", "a.example", "192.0.2.1", "2001:db8::1", "::1"};
    for (int round = 0; round < 300; round++) {
      AltSvc alt_svc;
      for (uint64_t i = 1 + rng.below(5); i > 0; i--) {
        const std::vector<uint8_t> name = rng.bytes(1 + rng.below(5));
        alt_svc.services.push_back({.protocol = std::string(as_text(name)),
                                    .host = std::string(kHosts[rng.below(std::size(kHosts))]),
                                    .port = static_cast<uint16_t>(1 + rng.below(65535)),
                                    .max_age = Duration::seconds(static_cast<int64_t>(rng.below(100000))),
                                    .persist = rng.below(2) == 0});
      }
      CAPTURE(to_string(alt_svc));
      CHECK(parse_alt_svc(to_string(alt_svc)) == alt_svc);
    }
    CHECK(to_string(AltSvc{.clear = true, .services = {}}) == "clear");
    CHECK(to_string(AltSvc{.clear = false, .services = {{.protocol = "x%y", .port = 5}}}) == "x%25y=\":5\"");
  }
}
