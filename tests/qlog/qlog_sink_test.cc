#include "qlog/qlog_sink.h"

#include <set>

#include "base/hex.h"
#include "qlog/quic_names.h"
#include "qlog/trace_names.h"
#include "tests/qlog/support.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using nlohmann::json;
using tests::Scene;

namespace {

constexpr uint8_t kId[] = {0x83, 0x94, 0xc8, 0xf0};
constexpr uint8_t kOtherId[] = {0xff};
const Path kPath{.local = *SocketAddress::parse("192.0.2.1:50000"),
                 .remote = *SocketAddress::parse("[2001:db8::1]:443")};

/// The data of one event, checked against the draft, and compared.
template <class Event>
json logged(const Event& event, Role role = Role::client) {
  Scene scene(role);
  json data = scene.data_of(event);
  INFO(scene.complaints());
  CHECK(scene.wrong.empty());
  return data;
}

template <size_t... I>
void trace_defaults_of_all(Scene& scene, std::index_sequence<I...>) {
  (scene.trace(Instant(), std::variant_alternative_t<I, TraceEvent>{}), ...);
}

/// The names that an enumeration of `count` values has, each value logged by `make`.
template <class E, class Make>
std::set<std::string> names_logged(int count, Make make) {
  std::set<std::string> names;
  for (int i = 0; i < count; i++) names.insert(make(static_cast<E>(i)));
  return names;
}

std::set<std::string> draft(std::string_view enumeration, std::initializer_list<std::string> without = {}) {
  const auto values = tests::values_of(enumeration);
  std::set<std::string> names(values.begin(), values.end());
  for (const std::string& name : without) names.erase(name);
  return names;
}

}  // namespace

TEST_SUITE("qlog sink") {
  TEST_CASE("every event that knows nothing is still an event of the draft") {
    Scene scene;
    constexpr size_t kCount = std::variant_size_v<TraceEvent>;
    trace_defaults_of_all(scene, std::make_index_sequence<kCount>());
    const auto events = scene.events();
    INFO(scene.complaints());
    CHECK(scene.wrong.empty());
    // packets_acked without numbers is no event.
    CHECK(events.size() == kCount - 1);
    std::set<std::string> names;
    for (const json& event : events) names.insert(event["name"]);
    // Three kinds of packets without frames are packet_received too.
    CHECK(names.size() == kCount - 4);
  }

  // draft-ietf-quic-qlog-quic-events §4.2
  TEST_CASE("connection_started") {
    CHECK(logged(trace::ConnectionStarted{.path = kPath, .local_id = kId, .remote_id = kOtherId}) ==
          json::parse(R"({"local":{"ip_v4":"192.0.2.1","port_v4":50000,"connection_ids":["8394c8f0"]},
                          "remote":{"ip_v6":"2001:db8::1","port_v6":443,"connection_ids":["ff"]}})"));
  }

  // draft-ietf-quic-qlog-quic-events §4.3
  TEST_CASE("connection_closed") {
    CHECK(logged(trace::ConnectionClosed{.why = trace::CloseReason::idle_timeout}) ==
          json::parse(R"({"trigger":"idle_timeout"})"));
    CHECK(logged(trace::ConnectionClosed{.initiator = trace::Side::remote,
                                         .why = trace::CloseReason::error,
                                         .error_code = 0x0a,
                                         .reason = "bad \xff frame"}) ==
          json::parse("{\"initiator\":\"remote\",\"connection_error\":\"protocol_violation\",\"reason\":"
                      "\"bad \xef\xbf\xbd frame\",\"trigger\":\"error\"}"));
    CHECK(logged(trace::ConnectionClosed{
              .why = trace::CloseReason::application, .is_application = true, .error_code = 256}) ==
          json::parse(R"({"application_error":"unknown","error_code":256,"trigger":"application"})"));
    CHECK(logged(trace::ConnectionClosed{.error_code = 0x128})["connection_error"] == "crypto_error_0x128");
  }

  // draft-ietf-quic-qlog-quic-events §4.4, §4.5, §4.6, §4.8
  TEST_CASE("connection_id_updated, spin_bit_updated, connection_state_updated, mtu_updated") {
    CHECK(logged(trace::ConnectionIdUpdated{.initiator = trace::Side::remote, .old = kId, .id = kOtherId}) ==
          json::parse(R"({"initiator":"remote","old":"8394c8f0","new":"ff"})"));
    CHECK(logged(trace::SpinBitUpdated{.state = true}) == json::parse(R"({"state":true})"));
    CHECK(logged(trace::ConnectionStateUpdated{.old = trace::ConnectionState::attempted,
                                               .state = trace::ConnectionState::handshake_started}) ==
          json::parse(R"({"old":"attempted","new":"handshake_started"})"));
    CHECK(logged(trace::MtuUpdated{.old = 1200, .mtu = 1452, .is_done = true}) ==
          json::parse(R"({"old":1200,"new":1452,"done":true})"));
  }

  // draft-ietf-quic-qlog-quic-events §4.7, §5.20
  TEST_CASE("tuple_assigned and migration_state_updated; the tuple of the handshake is the empty text") {
    const json ends = json::parse(R"({"tuple_remote":{"ip_v6":"2001:db8::1","port_v6":443},
                                      "tuple_local":{"ip_v4":"192.0.2.1","port_v4":50000}})");
    json expected = ends;
    expected["tuple_id"] = "2";
    CHECK(logged(trace::PathAssigned{.number = 2, .path = kPath}) == expected);
    expected["tuple_id"] = "";
    CHECK(logged(trace::PathAssigned{.path = kPath}) == expected);
    CHECK(logged(trace::PathAssigned{.number = 2, .path = kPath, .is_abandoned = true}) ==
          json::parse(R"({"tuple_id":"2"})"));
    expected["tuple_id"] = "1";
    expected["old"] = "probing_started";
    expected["new"] = "probing_successful";
    CHECK(logged(trace::MigrationStateUpdated{.old = trace::MigrationState::probing_started,
                                              .state = trace::MigrationState::probing_successful,
                                              .number = 1,
                                              .path = kPath}) == expected);
  }

  // draft-ietf-quic-qlog-main-schema §7.2
  TEST_CASE("packets of another path bear its tuple") {
    Scene scene;
    scene.trace(Instant(), trace::PacketSent{.path = 0});
    scene.trace(Instant(), trace::PacketReceived{.path = 3});
    const auto events = scene.events();
    CHECK_FALSE(events[0].contains("tuple"));
    CHECK(events[1]["tuple"] == "3");
  }

  // draft-ietf-quic-qlog-quic-events §5.1, §5.2
  TEST_CASE("version_information and alpn_information") {
    const Version ours[] = {Version::v1, Version::v2}, theirs[] = {Version{0x1a2a3a4a}};
    CHECK(logged(trace::VersionInformation{.server = theirs, .client = ours, .chosen = Version::v2}) ==
          json::parse(R"({"server_versions":["1a2a3a4a"],"client_versions":["00000001","6b3343cf"],
                          "chosen_version":"6b3343cf"})"));
    CHECK(logged(trace::VersionInformation{.server = theirs}) == json::parse(R"({"server_versions":["1a2a3a4a"]})"));
    const std::string client[] = {"h3", "\xff\x01"};
    CHECK(logged(trace::AlpnInformation{.client = client, .chosen = "h3"}) ==
          json::parse(R"({"client_alpns":[{"string_value":"h3"},{"byte_value":"ff01"}],
                          "chosen_alpn":{"string_value":"h3"}})"));
  }

  // draft-ietf-quic-qlog-quic-events §5.3, §5.4
  TEST_CASE("parameters_set has every parameter, and no reset token") {
    TransportParameters parameters{.max_idle_timeout = 30'000, .initial_max_data = uint64_t{1} << 60};
    parameters.initial_source_connection_id = ConnectionId(kId);
    parameters.original_destination_connection_id = ConnectionId(kOtherId);
    parameters.retry_source_connection_id = ConnectionId();
    parameters.stateless_reset_token.emplace().fill(0xee);
    parameters.preferred_address = PreferredAddress{.ipv4 = kPath.local, .connection_id = ConnectionId(kId)};
    parameters.preferred_address->stateless_reset_token.fill(0xee);
    const json data = logged(trace::ParametersSet{.initiator = trace::Side::remote,
                                                  .parameters = &parameters,
                                                  .tls_cipher = "TLS_AES_128_GCM_SHA256",
                                                  .resumption_allowed = true,
                                                  .early_data_enabled = false});
    CHECK(data.dump().find("eeee") == std::string::npos);
    CHECK(data["initiator"] == "remote");
    CHECK(data["tls_cipher"] == "TLS_AES_128_GCM_SHA256");
    CHECK(data["resumption_allowed"] == true);
    CHECK(data["early_data_enabled"] == false);
    CHECK(data["max_idle_timeout"] == 30'000);
    CHECK(data["initial_max_data"] == "1152921504606846976");
    CHECK(data["retry_source_connection_id"] == "");
    CHECK(data["initial_source_connection_id"] == "8394c8f0");
    CHECK(data["preferred_address"] == json::parse(R"({"ip_v4":"192.0.2.1","port_v4":50000,
                                                       "connection_id":"8394c8f0","stateless_reset_token":""})"));
    const json restored = logged(trace::ParametersRestored{.parameters = &parameters});
    CHECK(restored["initial_max_data"] == "1152921504606846976");
    CHECK_FALSE(restored.contains("ack_delay_exponent"));  // RFC 9000 §7.4.1: not remembered
  }

  // draft-ietf-quic-qlog-quic-events §5.5, §8.8
  TEST_CASE("packet_sent") {
    const uint8_t ping[] = {0x01};
    CHECK(logged(trace::PacketSent{.header = {.type = PacketType::initial,
                                              .number = 2,
                                              .number_size = 4,
                                              .version = Version::v1,
                                              .destination = kId,
                                              .token = kOtherId},
                                   .size = 1200,
                                   .frames = ping,
                                   .datagram_id = 9,
                                   .reason = trace::SendReason::pto_probe}) ==
          json::parse(R"({"header":{"packet_type":"initial","packet_number_length":4,"packet_number":2,
              "token":{"raw":{"length":1}},"length":21,"version":"00000001","scil":0,"dcil":4,"scid":"",
              "dcid":"8394c8f0"},"frames":[{"frame_type":"ping"}],"raw":{"length":1200,"payload_length":1},
              "datagram_id":9,"trigger":"pto_probe"})"));
    CHECK(logged(trace::PacketSent{.header = {.number = 7, .spin_bit = true}, .is_mtu_probe = true}) ==
          json::parse(R"({"header":{"packet_type":"1RTT","spin_bit":true,"key_phase_bit":false,"packet_number":7},
              "frames":[],"raw":{"length":0,"payload_length":0},"is_mtu_probe_packet":true})"));
  }

  // draft-ietf-quic-qlog-quic-events §5.6
  TEST_CASE("packet_received, also of Retry, Version Negotiation and stateless resets") {
    CHECK(logged(trace::PacketReceived{.header = {.type = PacketType::handshake}, .was_buffered = true})["trigger"] ==
          "keys_available");
    CHECK(logged(trace::RetryReceived{.version = Version::v2, .source = kId, .token = kOtherId, .size = 50}) ==
          json::parse(R"({"header":{"packet_type":"retry","token":{"type":"retry","raw":{"length":1}},
              "version":"6b3343cf","scil":4,"dcil":0,"scid":"8394c8f0","dcid":""},"raw":{"length":50}})"));
    const uint8_t versions[] = {0, 0, 0, 1, 0x1a, 0x1a, 0x1a, 0x1a, 5};
    const json negotiation = logged(trace::VersionNegotiationReceived{.versions = versions});
    CHECK(negotiation["header"]["version"] == "00000000");
    CHECK(negotiation["supported_versions"] == json::parse(R"(["00000001","1a1a1a1a"])"));
    const std::vector<uint8_t> token(16, 0xab);
    CHECK(logged(trace::StatelessResetReceived{.token = token, .size = 40}) ==
          json::parse(R"({"header":{"packet_type":"stateless_reset"},
              "stateless_reset_token":"abababababababababababababababab","raw":{"length":40}})"));
  }

  // draft-ietf-quic-qlog-quic-events §5.7, §5.8
  TEST_CASE("packet_dropped has the draft's category and our reason, packet_buffered its reason") {
    CHECK(logged(trace::PacketDropped{.kind = trace::PacketKind::handshake,
                                      .reason = trace::DropReason::unauthenticated,
                                      .number = 3,
                                      .destination = kId,
                                      .size = 100,
                                      .datagram_id = 2}) ==
          json::parse(R"({"header":{"packet_type":"handshake","packet_number":3,"dcid":"8394c8f0"},
              "raw":{"length":100},"datagram_id":2,"details":{"reason":"unauthenticated"},
              "trigger":"decryption_failure"})"));
    CHECK(logged(trace::PacketBuffered{.kind = trace::PacketKind::one_rtt, .size = 60}) ==
          json::parse(R"({"header":{"packet_type":"1RTT"},"raw":{"length":60},"trigger":"keys_unavailable"})"));
    std::set<std::string> triggers, reasons;
    constexpr int kReasons = static_cast<int>(trace::DropReason::other) + 1;
    for (int i = 0; i < kReasons; i++) {
      const json data = logged(trace::PacketDropped{.reason = static_cast<trace::DropReason>(i)});
      triggers.insert(data["trigger"]);
      reasons.insert(data["details"]["reason"]);
    }
    CHECK(reasons.size() == kReasons);
    CHECK(triggers == draft("DropTrigger", {"internal_error"}));
    // The reasons of the parser keep their names.
    CHECK(trace::reason_of(PacketDrop::bad_version_negotiation) == trace::DropReason::bad_version_negotiation);
    for (int i = 0; i < 10; i++) CHECK(static_cast<int>(trace::reason_of(static_cast<PacketDrop>(i))) == i);
  }

  // draft-ietf-quic-qlog-quic-events §5.9
  TEST_CASE("packets_acked lists numbers, many of them in several events") {
    CHECK(logged(trace::PacketsAcked{.space = Space::handshake, .numbers = {4, 7}}) ==
          json::parse(R"({"packet_number_space":"handshake","packet_numbers":[4,5,6]})"));
    Scene scene;
    scene.trace(Instant(), trace::PacketsAcked{.numbers = {0, 2 * qlog::kAckedNumbersMax + 1}});
    scene.trace(Instant(), trace::PacketsAcked{.numbers = {5, 5}});
    const auto events = scene.events();
    REQUIRE(events.size() == 3);
    CHECK(events[1]["data"]["packet_numbers"][0] == qlog::kAckedNumbersMax);
    CHECK(events[2]["data"]["packet_numbers"].size() == 1);
  }

  // draft-ietf-quic-qlog-quic-events §5.10, §5.11, §5.12
  TEST_CASE("trains of datagrams are told one by one") {
    CHECK(logged(trace::DatagramsSent{.size = 3000, .segment_size = 1200, .ecn = Ecn::ect0}) ==
          json::parse(R"x({"count":3,"raw":[{"length":1200},{"length":1200},{"length":600}],
                          "ecn":["ECT(0)","ECT(0)","ECT(0)"]})x"));
    CHECK(logged(trace::DatagramsSent{.size = 2400, .segment_size = 1200})["count"] == 2);
    CHECK(logged(trace::DatagramsReceived{.size = 1200, .ecn = Ecn::ce}) ==
          json::parse(R"({"count":1,"raw":[{"length":1200}],"ecn":["CE"]})"));
    CHECK(logged(trace::DatagramsReceived{.size = SIZE_MAX, .segment_size = 1})["count"] == 1024);
    CHECK(logged(trace::DatagramDropped{.size = 10}) == json::parse(R"({"raw":{"length":10}})"));
  }

  // draft-ietf-quic-qlog-quic-events §5.13, §5.15, §5.16
  TEST_CASE("streams and what moves through them") {
    const StreamId stream{Role::client, true, 1};
    CHECK(logged(trace::StreamStateUpdated{.stream_id = stream,
                                           .part = trace::StreamPart::receiving,
                                           .old = trace::StreamState::receive,
                                           .state = trace::StreamState::size_known,
                                           .trigger = trace::Side::remote}) ==
          json::parse(R"({"stream_id":6,"stream_type":"unidirectional","old":"receive","new":"size_known",
                          "stream_side":"receiving","trigger":"remote"})"));
    CHECK(logged(trace::StreamDataMoved{.stream_id = stream, .offset = 5, .length = 10, .fin = true}) ==
          json::parse(R"({"stream_id":6,"offset":5,"from":"application","to":"transport","additional_info":"fin_set",
                          "raw":{"length":10}})"));
    CHECK(logged(trace::StreamDataMoved{.reset = true})["additional_info"] == "stream_reset");
    CHECK(logged(trace::DatagramDataMoved{.length = 3, .from = trace::DataLocation::network}) ==
          json::parse(R"({"from":"network","to":"transport","raw":{"length":3}})"));
  }

  // draft-ietf-quic-qlog-quic-events §5.17, §5.18, §5.19
  TEST_CASE("what blocks sending") {
    CHECK(logged(trace::ConnectionBlockedUpdated{.reason = trace::BlockedReason::congestion_control}) ==
          json::parse(R"({"old":"unblocked","new":"blocked","reason":"congestion_control"})"));
    CHECK(logged(trace::StreamBlockedUpdated{.stream_id = StreamId(4), .is_blocked = false}) ==
          json::parse(R"({"stream_id":4,"old":"blocked","new":"unblocked"})"));
    CHECK(logged(trace::DatagramBlockedUpdated{}) == json::parse(R"({"old":"unblocked","new":"blocked"})"));
  }

  // draft-ietf-quic-qlog-quic-events §5.21
  TEST_CASE("timer_updated has a delta when the timer is set") {
    CHECK(logged(trace::TimerUpdated{
              .kind = trace::TimerKind::pto, .space = Space::initial, .delta = Duration::microseconds(1500)}) ==
          json::parse(R"({"timer_type":"pto","packet_number_space":"initial","event_type":"set","delta":1.5})"));
    CHECK(logged(trace::TimerUpdated{.change = trace::TimerChange::expired}) ==
          json::parse(R"({"timer_type":"loss_timeout","event_type":"expired"})"));
    CHECK_FALSE(logged(trace::TimerUpdated{.delta = Duration::infinite()}).contains("delta"));
  }

  // draft-ietf-quic-qlog-quic-events §6.1, §6.2
  TEST_CASE("keys are named, never shown") {
    CHECK(logged(trace::KeyUpdated{.type = PacketType::one_rtt,
                                   .sender = Role::server,
                                   .key_phase = 2,
                                   .reason = trace::KeyReason::remote_update}) ==
          json::parse(R"({"key_type":"server_1rtt_secret","key_phase":2,"trigger":"remote_update"})"));
    CHECK(logged(trace::KeyDiscarded{}) == json::parse(R"({"key_type":"client_initial_secret","trigger":"tls"})"));
    std::set<std::string> types;
    for (int i = 0; i < 8; i++) {
      types.insert(
          std::string(qlog::key_type_of(PacketType{static_cast<uint8_t>(i / 2)}, Role{static_cast<uint8_t>(i % 2)})));
    }
    CHECK(types == draft("KeyType"));
  }

  // draft-ietf-quic-qlog-quic-events §7.1
  TEST_CASE("recovery_parameters_set") {
    CHECK(logged(trace::RecoveryParametersSet{
              .max_datagram_size = 1200, .initial_congestion_window = 12000, .minimum_congestion_window = 2400}) ==
          json::parse(R"({"reordering_threshold":3,"time_threshold":1.125,"timer_granularity":1,"initial_rtt":333,
              "max_datagram_size":1200,"initial_congestion_window":12000,"minimum_congestion_window":2400,
              "persistent_congestion_threshold":3})"));
  }

  // draft-ietf-quic-qlog-quic-events §7.2
  TEST_CASE("recovery_metrics_updated tells what has changed") {
    Scene scene;
    trace::MetricsUpdated metrics{.smoothed_rtt = Duration::milliseconds(333),
                                  .rttvar = Duration::microseconds(166'500),
                                  .congestion_window = 12000};
    CHECK(scene.data_of(metrics) ==
          json::parse(R"({"smoothed_rtt":333,"rtt_variance":166.5,"pto_count":0,"congestion_window":12000,
                          "bytes_in_flight":0,"packets_in_flight":0})"));
    metrics.bytes_in_flight = 1200;
    metrics.packets_in_flight = 1;
    metrics.pacing_rate = Bandwidth::bytes_per_second(1000);
    CHECK(scene.data_of(metrics) == json::parse(R"({"congestion_window":12000,"bytes_in_flight":1200,
                                                    "packets_in_flight":1,"pacing_rate":8000})"));
    metrics.slow_start_threshold = 6000;
    metrics.min_rtt = metrics.latest_rtt = Duration::microseconds(10'100);
    CHECK(scene.data_of(metrics) == json::parse(R"({"min_rtt":10.1,"latest_rtt":10.1,"congestion_window":12000,
                                                    "bytes_in_flight":1200,"ssthresh":6000})"));
    const size_t before = scene.events().size();
    scene.trace(Instant(), metrics);
    CHECK(scene.events().size() == before);
    metrics.pacing_rate = Bandwidth::infinite();
    CHECK(scene.data_of(metrics) == json::parse(R"({"congestion_window":12000,"bytes_in_flight":1200})"));
    CHECK(scene.wrong.empty());
  }

  // draft-ietf-quic-qlog-quic-events §7.3, §7.4, §7.6
  TEST_CASE("congestion_state_updated, packet_lost, ecn_state_updated") {
    CHECK(logged(trace::CongestionStateUpdated{
              .old = CongestionState::slow_start, .state = CongestionState::recovery, .trigger = "ecn"}) ==
          json::parse(R"({"old":"slow_start","new":"recovery","trigger":"ecn"})"));
    CHECK(logged(trace::PacketLost{.type = PacketType::zero_rtt,
                                   .number = 3,
                                   .reason = trace::LossReason::time_threshold,
                                   .is_mtu_probe = true}) ==
          json::parse(R"({"header":{"packet_type":"0RTT","packet_number":3},"is_mtu_probe_packet":true,
                          "trigger":"time_threshold"})"));
    CHECK(logged(trace::EcnStateUpdated{.old = EcnValidator::State::testing, .state = EcnValidator::State::capable}) ==
          json::parse(R"({"old":"testing","new":"capable"})"));
  }

  TEST_CASE("enumerations have the names of the draft, all of them but those listed") {
    const auto named = [](auto value) { return std::string(qlog::name_of(value)); };
    CHECK(names_logged<PacketType>(4, named) ==
          draft("PacketType", {"retry", "version_negotiation", "stateless_reset", "unknown"}));
    CHECK(names_logged<trace::PacketKind>(8, named) == draft("PacketType"));
    CHECK(names_logged<Space>(3, named) == draft("PacketNumberSpace"));
    CHECK(names_logged<Ecn>(4, named) == draft("ECN"));
    CHECK(names_logged<EcnValidator::State>(4, named) == draft("ECNState"));
    CHECK(names_logged<trace::Side>(2, named) == draft("Initiator"));
    CHECK(names_logged<trace::BufferReason>(2, named) == draft("BufferTrigger"));
    CHECK(names_logged<trace::KeyReason>(3, named) == draft("KeyTrigger"));
    CHECK(names_logged<trace::TimerKind>(6, named) == draft("TimerType"));
    CHECK(names_logged<trace::TimerChange>(3, named) == draft("TimerEventType"));
    CHECK(names_logged<trace::ConnectionState>(9, named) == draft("ConnectionState"));
    CHECK(names_logged<trace::CloseReason>(7, named) == draft("CloseTrigger"));
    CHECK(names_logged<trace::StreamPart>(2, named) == draft("StreamSide"));
    // These two are states of bidirectional streams as a whole; we tell each part.
    CHECK(names_logged<trace::StreamState>(14, named) ==
          draft("StreamState", {"half_closed_local", "half_closed_remote"}));
    CHECK(names_logged<trace::DataLocation>(3, named) == draft("DataLocation"));
    CHECK(names_logged<trace::MigrationState>(6, named) == draft("MigrationState"));
    // Their first values mean that there is nothing to tell.
    const auto with_none = [](std::set<std::string> names) {
      names.insert("");
      return names;
    };
    CHECK(names_logged<trace::SendReason>(6, named) == with_none(draft("SendTrigger")));
    CHECK(names_logged<trace::LossReason>(4, named) == with_none(draft("LossTrigger")));
    CHECK(names_logged<trace::BlockedReason>(9, named) == with_none(draft("BlockedReason")));
    CHECK(qlog::name_of(CongestionState::conservative_slow_start) == "conservative_slow_start");
  }

  TEST_CASE("values outside their enumerations do no harm") {
    Scene scene;
    scene.trace(Instant(), trace::PacketDropped{.kind = static_cast<trace::PacketKind>(99),
                                                .reason = static_cast<trace::DropReason>(99)});
    scene.trace(Instant(), trace::PacketSent{.header = {.type = static_cast<PacketType>(9)}});
    scene.trace(Instant::never(), trace::StreamStateUpdated{.state = static_cast<trace::StreamState>(99)});
    const auto events = scene.events();
    for (const json& event : events) CHECK(event.is_object());
  }

  TEST_CASE("a sink writes nothing into a log that has ended") {
    tests::StringOutput output;
    qlog::Log log(output, {}, {.size_max = 1000, .buffer_size = 0});
    qlog::QlogSink sink(log, Role::client);
    for (int i = 0; i < 100; i++) sink.on_event(Instant(), trace::SpinBitUpdated{});
    CHECK(log.is_closed());
    const size_t size = output.text.size();
    sink.on_event(Instant(), trace::PacketsAcked{.numbers = {0, UINT64_MAX}});
    CHECK(output.text.size() == size);
    CHECK(size <= 1000);
  }

  TEST_CASE("packets are logged without allocation once the buffer is warm") {
    struct NullOutput : qlog::Output {
      bool write(std::string_view) override { return true; }
    } output;
    qlog::Log log(output, {}, {.buffer_size = 4096});
    qlog::QlogSink sink(log, Role::client);
    const uint8_t frames[] = {0x01, 0x02, 9, 5, 1, 2, 0, 1, 0x1a, 1, 2, 3, 4, 5, 6, 7, 8};
    const auto log_some = [&] {
      for (uint64_t i = 0; i < 200; i++) {
        const trace::PacketHeader header{.type = PacketType::initial, .number = i, .destination = kId};
        sink.on_event(Instant(), trace::PacketSent{.header = header, .frames = frames});
        sink.on_event(Instant(), trace::PacketReceived{.header = header, .frames = frames});
        sink.on_event(Instant(), trace::MetricsUpdated{.bytes_in_flight = i});
        sink.on_event(Instant(), trace::PacketLost{.number = i});
      }
    };
    log_some();
    const size_t before = tests::heap_allocations();
    log_some();
    CHECK(tests::heap_allocations() == before);
  }

  TEST_CASE("a list of numbers without end ends with the log") {
    tests::StringOutput output;
    qlog::Log log(output, {}, {.size_max = 100'000});
    qlog::QlogSink sink(log, Role::client);
    sink.on_event(Instant(), trace::PacketsAcked{.numbers = {0, UINT64_MAX}});
    CHECK(log.is_closed());
    CHECK(output.text.size() <= 100'000);
  }
}
