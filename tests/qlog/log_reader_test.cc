#include "qlog/log_reader.h"

#include "qlog/summary.h"
#include "tests/qlog/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using qlog::LogReader;

namespace {

const std::string kHeader =
    "\x1e{\"file_schema\":\"urn:ietf:params:qlog:file:sequential\","
    "\"serialization_format\":\"application/qlog+json-seq\",\"trace\":{\"event_schemas\":[]}}\n";

std::string event(std::string_view time, std::string_view name = "a:b", std::string_view data = "{}") {
  std::string text = "\x1e{\"time\":";
  return text.append(time).append(",\"name\":\"").append(name).append("\",\"data\":").append(data).append("}\n");
}

/// The failure of a file, after as many events.
struct Read {
  size_t events = 0;
  std::string what;
  size_t record = 0;
  bool is_cut_short = false;

  explicit Read(std::string_view file) {
    LogReader reader(file);
    while (reader.next()) events++;
    if (const auto& failure = reader.failure()) {
      what = failure->what;
      record = failure->record;
      is_cut_short = failure->is_cut_short;
    }
  }
};

std::vector<double> times_of(std::string_view file) {
  std::vector<double> times;
  LogReader reader(file);
  while (const auto read = reader.next()) times.push_back(read->time);
  CHECK_FALSE(reader.failure());
  return times;
}

}  // namespace

TEST_SUITE("qlog log reader") {
  TEST_CASE("what a sink writes is read") {
    tests::Scene scene(Role::server);
    scene.trace(Instant::from_nanoseconds(1'500'000), trace::MtuUpdated{.mtu = 1300});
    scene.trace(Instant::from_nanoseconds(2'000'000), trace::PacketSent{.size = 1200});
    (void)scene.events();
    LogReader reader(scene.output.text);
    REQUIRE(reader.trace());
    CHECK(reader.trace()->find("vantage_point", "type")->text == "server");
    const auto first = reader.next();
    REQUIRE(first);
    CHECK(first->time == 1.5);
    CHECK(first->name == "quic:mtu_updated");
    CHECK(first->data->find("new")->as_integer() == 1300);
    const auto second = reader.next();
    REQUIRE(second);
    CHECK(second->data->find("raw", "length")->as_integer() == 1200);
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.failure());
  }

  // draft-ietf-quic-qlog-main-schema §7.1
  TEST_CASE("times relative to the previous event are added up") {
    std::string header = kHeader;
    const std::string_view schemas = "\"event_schemas\":[]";
    header.replace(header.find(schemas), schemas.size(),
                   "\"event_schemas\":[],\"common_fields\":{\"time_format\":\"relative_to_previous_event\"}");
    CHECK(times_of(header + event("1") + event("2") + event("2.5")) == std::vector<double>{1, 3, 5.5});
    CHECK(times_of(kHeader + event("1") + event("2")) == std::vector<double>{1, 2});
  }

  // draft-ietf-quic-qlog-main-schema §4, §11.1
  TEST_CASE("plain JSON with several traces is read") {
    const std::string file = R"( {"file_schema":"urn:ietf:params:qlog:file:contained",
        "serialization_format":"application/qlog+json","traces":[{"error_description":"x"},
        {"event_schemas":["x"],"events":[{"time":1,"name":"a:b","data":{}},{"time":"2","name":"a:c","data":{}}]},
        {"event_schemas":["x"],"events":[]},
        {"common_fields":{"time_format":"relative_to_previous_event"},"event_schemas":["x"],
         "events":[{"time":5,"name":"a:b","data":{}},{"time":5,"name":"a:b","data":{}}]}]})";
    CHECK(times_of(file) == std::vector<double>{1, 2, 5, 10});
    CHECK(Read(R"({"file_schema":"urn:ietf:params:qlog:file:contained","traces":[]})").what ==
          "the file has no traces");
    CHECK(Read(R"({"file_schema":"urn:ietf:params:qlog:file:contained","traces":[{}]})").what ==
          "the file has no trace with events");
    CHECK(Read(R"({"file_schema":"urn:ietf:params:qlog:file:contained","traces":[)").what == "the text is cut short");
    CHECK(Read(R"({"qlog_version":"0.3"})").what == "the file_schema is none that is known");
  }

  // draft-ietf-quic-qlog-main-schema §13
  TEST_CASE("events and members that nobody knows pass") {
    CHECK(Read(kHeader + event("1", "rick:rolled", "{\"never\":[1,{}]}")).events == 1);
  }

  // draft-ietf-quic-qlog-main-schema §7
  TEST_CASE("an event without time, name or data is a fault, told with its record") {
    const auto after_one = [](std::string_view record) {
      return Read(kHeader + event("1") + "\x1e" + std::string(record) + "\n" + event("2"));
    };
    CHECK(after_one(R"({"name":"a:b","data":{}})").what == "an event has no time");
    CHECK(after_one(R"({"time":null,"name":"a:b","data":{}})").what == "an event has no time");
    CHECK(after_one(R"({"time":1,"data":{}})").what == "an event has no name");
    CHECK(after_one(R"({"time":1,"name":"a:b","data":[]})").what == "an event has no data");
    CHECK(after_one("[]").what == "an event has no time");
    CHECK(after_one("{").what == "a member needs a name");
    CHECK(after_one("{").record == 3);
    CHECK(after_one("{").events == 1);
    CHECK_FALSE(after_one("{").is_cut_short);
  }

  TEST_CASE("a file that is none is told") {
    CHECK(Read("").what == "the file is empty");
    CHECK(Read(" \n").what == "the file is empty");
    CHECK(Read("hello").what == "a record begins with no record separator");
    CHECK(Read("\x1e{}\n").what == "the file_schema is none that is known");
    CHECK(Read("\x1e{\"file_schema\":\"urn:ietf:params:qlog:file:sequential\"}\n").what == "the header has no trace");
    CHECK(Read("\x1e\x1e").what == "the last record is cut short");
  }

  TEST_CASE("a file cut short anywhere is read up to the record that is not whole (RFC 7464 §2.4)") {
    const std::string file = kHeader + event("1") + event("2");
    const size_t second = kHeader.size() + event("1").size();
    for (size_t size = kHeader.size(); size < file.size(); size++) {
      const Read read(file.substr(0, size));
      const bool whole = size == kHeader.size() || size == second;
      CAPTURE(size);
      REQUIRE(read.events == (size >= second ? 1 : 0));
      REQUIRE(read.is_cut_short == !whole);
    }
  }

  TEST_CASE("a summary adds up packets, and keeps what was told last") {
    tests::Scene scene;
    const auto at = [](int64_t ms) { return Instant() + Duration::milliseconds(ms); };
    scene.trace(at(10), trace::VersionInformation{.chosen = Version::v1});
    scene.trace(at(11), trace::AlpnInformation{.chosen = "h3"});
    scene.trace(at(12), trace::PacketSent{.size = 1200});
    scene.trace(at(13), trace::PacketSent{.size = 300});
    scene.trace(at(14), trace::PacketReceived{.size = 1200});
    scene.trace(at(15), trace::PacketLost{});
    scene.trace(at(16), trace::PacketDropped{});
    scene.trace(at(17), trace::MetricsUpdated{.min_rtt = Duration::milliseconds(5), .congestion_window = 20000});
    scene.trace(at(18), trace::MetricsUpdated{.min_rtt = Duration::milliseconds(4), .congestion_window = 10000});
    scene.trace(at(40), trace::ConnectionClosed{.initiator = trace::Side::remote,
                                                .why = trace::CloseReason::application,
                                                .is_application = true,
                                                .error_code = 256,
                                                .reason = "bye"});
    (void)scene.events();
    LogReader reader(scene.output.text);
    qlog::Summary summary;
    while (const auto read = reader.next()) summary.add(*read);
    CHECK(summary.events == 10);
    CHECK(summary.last_time - summary.first_time == 30);
    CHECK(summary.packets_sent == 2);
    CHECK(summary.bytes_sent == 1500);
    CHECK(summary.packets_received == 1);
    CHECK(summary.bytes_received == 1200);
    CHECK(summary.packets_lost == 1);
    CHECK(summary.packets_dropped == 1);
    CHECK(summary.version == "00000001");
    CHECK(summary.alpn == "h3");
    CHECK(summary.min_rtt == 4);
    CHECK_FALSE(summary.latest_rtt);
    CHECK(summary.congestion_window == 10000);
    CHECK(summary.congestion_window_max == 20000);
    CHECK(summary.closed == "remote, application, application_error, code 256, bye");
  }
}
