#include "interop/link/pcap_writer.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#include <doctest/doctest.h>

namespace quoll::link {
namespace {

struct TemporaryFile {
  TemporaryFile() { ::close(::mkstemp(path.data())); }
  ~TemporaryFile() { std::remove(path.c_str()); }
  std::vector<uint8_t> content() const {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    const std::string bytes = text.str();
    return {bytes.begin(), bytes.end()};
  }
  std::string path = "/tmp/quoll_pcap_XXXXXX";
};

constexpr size_t kHeader = 24, kRecord = 16;

}  // namespace

TEST_SUITE("interop/link/pcap_writer") {
  TEST_CASE("a capture has its header, and each packet with its time in nanoseconds") {
    TemporaryFile file;
    auto writer = PcapWriter::create(file.path).value();
    const std::vector<uint8_t> first(100, 1), second(1500, 2);
    writer->add(Instant::from_nanoseconds(1'700'000'000'123'456'789), first);
    writer->hand_over();
    writer->add(Instant::from_nanoseconds(1'700'000'001'000'000'000), second);
    CHECK(writer->close());
    const std::vector<uint8_t> content = file.content();
    REQUIRE_EQ(content.size(), kHeader + kRecord + 100 + kRecord + 1500);
    CHECK_EQ(load_le<uint32_t>(content.data()), 0xa1b23c4d);
    CHECK_EQ(load_le<uint32_t>(content.data() + 20), 101);
    const uint8_t* record = content.data() + kHeader;
    CHECK_EQ(load_le<uint32_t>(record), 1'700'000'000);
    CHECK_EQ(load_le<uint32_t>(record + 4), 123'456'789);
    CHECK_EQ(load_le<uint32_t>(record + 8), 100);
    CHECK_EQ(load_le<uint32_t>(record + 12), 100);
    CHECK_EQ(record[kRecord + 99], 1);
    CHECK_EQ(record[kRecord + 100 + kRecord + 1499], 2);
  }

  TEST_CASE("what was handed over is written while the capture goes on") {
    TemporaryFile file;
    auto writer = PcapWriter::create(file.path).value();
    writer->add(Instant(), std::vector<uint8_t>(10));
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (file.content().size() < kHeader + kRecord + 10 && std::chrono::steady_clock::now() < limit)
      writer->hand_over();
    CHECK_EQ(file.content().size(), kHeader + kRecord + 10);
  }

  TEST_CASE("a file that cannot be made or filled is told") {
    CHECK_FALSE(PcapWriter::create("/nowhere/at/all.pcap"));
    auto writer = PcapWriter::create("/dev/full").value();
    writer->add(Instant(), std::vector<uint8_t>(10));
    CHECK_FALSE(writer->close());
  }
}

}  // namespace quoll::link
