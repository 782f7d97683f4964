#include "qlog/log.h"

#include "base/hex.h"
#include "tests/qlog/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using tests::records_of;
using tests::StringOutput;

namespace {

const std::vector<uint8_t> kOdcid = *from_hex("8394c8f03e515708");

void write_event(qlog::Log& log, int64_t milliseconds, uint64_t number = 1200) {
  qlog::Log::Event event(log, Instant() + Duration::milliseconds(milliseconds), "quic:mtu_updated");
  event.json().member("new", number);
}

}  // namespace

TEST_SUITE("qlog log") {
  // draft-ietf-quic-qlog-main-schema §5, §6, §7.1, §7.5
  TEST_CASE("the header names schemas, vantage point, group and clock") {
    StringOutput output;
    {
      const std::string_view more[] = {"urn:ietf:params:qlog:events:http3-13"};
      qlog::Log log(output, {.role = quic::Role::server,
                             .vantage_point = "test",
                             .title = "a title",
                             .original_destination = kOdcid,
                             .wall_clock = "2026-11-21T12:00:00.000Z",
                             .event_schemas = more});
    }
    const auto records = records_of(output.text);
    REQUIRE(records.size() == 1);
    CHECK(tests::wrong_in_header(records[0]).empty());
    const auto& trace = records[0]["trace"];
    CHECK(records[0]["file_schema"] == "urn:ietf:params:qlog:file:sequential");
    CHECK(records[0]["serialization_format"] == "application/qlog+json-seq");
    CHECK(records[0]["title"] == "a title");
    CHECK(trace["vantage_point"]["type"] == "server");
    CHECK(trace["vantage_point"]["name"] == "test");
    CHECK(trace["common_fields"]["group_id"] == "8394c8f03e515708");
    CHECK(trace["common_fields"]["time_format"] == "relative_to_epoch");
    const auto& reference = trace["common_fields"]["reference_time"];
    CHECK(reference["clock_type"] == "monotonic");
    CHECK(reference["epoch"] == "unknown");
    CHECK(reference["wall_clock_time"] == "2026-11-21T12:00:00.000Z");
    // draft-ietf-quic-qlog-quic-events §2.1: no draft may bear the final URI.
    CHECK(trace["event_schemas"][0] == "urn:ietf:params:qlog:events:quic-13");
    CHECK(trace["event_schemas"].back() == "urn:ietf:params:qlog:events:http3-13");
  }

  // draft-ietf-quic-qlog-main-schema §3
  TEST_CASE("file_schema and serialization_format stand in the first 256 bytes") {
    StringOutput output;
    {
      const qlog::Log log(output, {.title = std::string(1000, 'x')});
    }
    const std::string start = output.text.substr(0, 256);
    CHECK(start.find("urn:ietf:params:qlog:file:sequential\"") != std::string::npos);
    CHECK(start.find("application/qlog+json-seq\"") != std::string::npos);
  }

  // draft-ietf-quic-qlog-main-schema §7, §7.1, §11.2
  TEST_CASE("an event is a record with the time since the start") {
    StringOutput output;
    {
      qlog::Log log(output, {.start = Instant::from_nanoseconds(5'000'000)});
      write_event(log, 7);
      qlog::Log::Event event(log, Instant::from_nanoseconds(6'250'001), "quic:spin_bit_updated", 3);
      event.json().member("state", true);
    }
    const auto records = records_of(output.text);
    REQUIRE(records.size() == 3);
    CHECK(tests::wrong_in_event(records[1]).empty());
    CHECK(records[1]["time"] == 2);
    CHECK(records[2]["time"] == 1.250001);
    CHECK(records[2]["tuple"] == "3");
    CHECK(output.text.ends_with("}\n"));
  }

  TEST_CASE("records wait until enough have gathered, and go out whole") {
    StringOutput output;
    qlog::Log log(output, {}, {.buffer_size = 1000});
    CHECK(output.text.empty());
    for (int i = 0; i < 100; i++) {
      write_event(log, i);
      CHECK((output.text.empty() || output.text.ends_with("\n")));
      CHECK(log.size() - output.text.size() < 1000);
    }
    CHECK(output.writes > 2);
    CHECK(output.writes < 20);
    log.flush();
    CHECK(records_of(output.text).size() == 101);
    CHECK(log.size() == output.text.size());
    const size_t writes = output.writes;
    log.flush();
    CHECK(output.writes == writes);
  }

  TEST_CASE("a log ends at its limit with a warning") {
    for (uint64_t limit = 0; limit < 2500; limit += 7) {
      StringOutput output;
      {
        qlog::Log log(output, {}, {.size_max = limit, .buffer_size = 300});
        for (int i = 0; i < 100; i++) {
          if (!log.is_closed()) write_event(log, i);
        }
        CHECK(log.is_closed());
      }
      CAPTURE(limit);
      REQUIRE(output.text.size() <= limit);
      const auto records = records_of(output.text);
      for (size_t i = 1; i < records.size(); i++) REQUIRE(tests::wrong_in_event(records[i]).empty());
      if (limit > 1000) CHECK(records.back()["name"] == "loglevel:warning");
      if (records.size() > 2) CHECK(records.back()["time"] >= records[records.size() - 2]["time"]);
    }
  }

  TEST_CASE("an output that fails is not asked again, and nothing gathers") {
    StringOutput output;
    qlog::Log log(output, {}, {.buffer_size = 0});
    output.works = false;
    CHECK_FALSE(log.is_closed());
    for (int i = 0; i < 10; i++) write_event(log, i);
    CHECK(log.is_closed());
    CHECK(output.writes == 2);
    CHECK(log.size() < 1500);
  }

  // draft-ietf-quic-qlog-quic-events §1.1, draft-ietf-quic-qlog-main-schema §11.2
  TEST_CASE("a file is named for the original destination and the vantage point") {
    CHECK(qlog::log_file_name(kOdcid, quic::Role::server) == "8394c8f03e515708_server.sqlog");
    CHECK(qlog::log_file_name({}, quic::Role::client) == "_client.sqlog");
  }
}
