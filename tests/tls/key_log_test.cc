// Key log lines (draft-ietf-tls-keylogfile).
#include "tls/key_log.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

class Lines final : public KeyLog {
 public:
  void line(std::string_view text) override { lines.emplace_back(text); }
  std::vector<std::string> lines;
};

TEST_SUITE("key log") {
  TEST_CASE("a line has label, client random and secret in lower-case hexadecimal") {
    Lines log;
    const std::vector<uint8_t> random(32, 0xab), secret = {0x00, 0x1f, 0xf0};
    log_secret(&log, kClientTrafficSecret0, random, secret);
    std::string expected = "CLIENT_TRAFFIC_SECRET_0 ";
    for (int i = 0; i < 32; i++) expected += "ab";
    REQUIRE(log.lines.size() == 1);
    CHECK(log.lines[0] == expected + " 001ff0");
  }

  TEST_CASE("without a log nothing happens") { log_secret(nullptr, kExporterSecret, {}, {}); }
}

}  // namespace
}  // namespace quoll::tls
