#include "qlog/quic_frames.h"

#include "base/hex.h"
#include "tests/qlog/support.h"
#include "tests/support/frame_collector.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using nlohmann::json;
using tests::Scene;
using tests::written;

namespace {

/// The frames of a received 1-RTT packet with this payload.
json frames_of(Scene& scene, const std::vector<uint8_t>& payload, PacketType type = PacketType::one_rtt) {
  const json data = scene.data_of(trace::PacketReceived{.header = {.type = type}, .frames = payload});
  return data.contains("frames") ? data["frames"] : data;
}

/// What a client logs of one frame from a server.
template <class Frame>
json logged(const Frame& frame, PacketType type = PacketType::one_rtt) {
  Scene scene;
  const json frames = frames_of(scene, written(frame), type);
  INFO(scene.complaints());
  CHECK(scene.wrong.empty());
  return frames.size() == 1 ? frames[0] : frames;
}

constexpr uint8_t kData[] = {1, 2, 3, 4, 5};
const StreamId kStream{Role::server, true, 1};  // 7

}  // namespace

TEST_SUITE("qlog frames") {
  // draft-ietf-quic-qlog-quic-events §8.13
  TEST_CASE("every frame has the members of the draft") {
    CHECK(logged(PingFrame{}) == json::parse(R"({"frame_type":"ping"})"));
    CHECK(logged(PaddingFrame{.size = 9}) ==
          json::parse(R"({"frame_type":"padding","raw":{"length":9,"payload_length":9}})"));
    CHECK(logged(ResetStreamFrame{.stream_id = kStream, .application_error_code = 256, .final_size = 10}) ==
          json::parse(
              R"({"frame_type":"reset_stream","stream_id":7,"error":"unknown","error_code":256,"final_size":10})"));
    CHECK(logged(StopSendingFrame{.stream_id = kStream, .application_error_code = 256}) ==
          json::parse(R"({"frame_type":"stop_sending","stream_id":7,"error":"unknown","error_code":256})"));
    CHECK(logged(CryptoFrame{.offset = 3, .data = kData}, PacketType::initial) ==
          json::parse(R"({"frame_type":"crypto","offset":3,"raw":{"length":5}})"));
    CHECK(logged(NewTokenFrame{.token = kData}) ==
          json::parse(R"({"frame_type":"new_token","token":{"type":"resumption","raw":{"length":5}}})"));
    CHECK(logged(StreamFrame{.stream_id = kStream, .offset = 2, .data = kData, .fin = true}) ==
          json::parse(R"({"frame_type":"stream","stream_id":7,"offset":2,"fin":true,"raw":{"length":5}})"));
    CHECK(logged(StreamFrame{.stream_id = kStream, .data = kData}) ==
          json::parse(R"({"frame_type":"stream","stream_id":7,"offset":0,"raw":{"length":5}})"));
    CHECK(logged(MaxDataFrame{.maximum_data = 1000}) == json::parse(R"({"frame_type":"max_data","maximum":1000})"));
    CHECK(logged(MaxStreamDataFrame{.stream_id = kStream, .maximum_stream_data = 9}) ==
          json::parse(R"({"frame_type":"max_stream_data","stream_id":7,"maximum":9})"));
    CHECK(logged(MaxStreamsFrame{.unidirectional = true, .maximum_streams = 3}) ==
          json::parse(R"({"frame_type":"max_streams","stream_type":"unidirectional","maximum":3})"));
    CHECK(logged(DataBlockedFrame{.maximum_data = 4}) == json::parse(R"({"frame_type":"data_blocked","limit":4})"));
    CHECK(logged(StreamDataBlockedFrame{.stream_id = kStream, .maximum_stream_data = 4}) ==
          json::parse(R"({"frame_type":"stream_data_blocked","stream_id":7,"limit":4})"));
    CHECK(logged(StreamsBlockedFrame{.maximum_streams = 4}) ==
          json::parse(R"({"frame_type":"streams_blocked","stream_type":"bidirectional","limit":4})"));
    CHECK(logged(RetireConnectionIdFrame{.sequence_number = 2}) ==
          json::parse(R"({"frame_type":"retire_connection_id","sequence_number":2})"));
    CHECK(logged(PathChallengeFrame{.data = {1, 2, 3, 4, 5, 6, 7, 8}}) ==
          json::parse(R"({"frame_type":"path_challenge","data":"0102030405060708"})"));
    CHECK(logged(PathResponseFrame{.data = {1, 2, 3, 4, 5, 6, 7, 255}}) ==
          json::parse(R"({"frame_type":"path_response","data":"01020304050607ff"})"));
    CHECK(logged(HandshakeDoneFrame{}) == json::parse(R"({"frame_type":"handshake_done"})"));
    CHECK(logged(DatagramFrame{.data = kData}) == json::parse(R"({"frame_type":"datagram","raw":{"length":5}})"));
  }

  // draft-ietf-quic-qlog-main-schema §14: what would let a reader end the connection is not written.
  TEST_CASE("NEW_CONNECTION_ID is written without its reset token (draft-ietf-quic-qlog-quic-events §8.13.16)") {
    NewConnectionIdFrame frame{.sequence_number = 2, .retire_prior_to = 1, .connection_id = ConnectionId(kData)};
    frame.stateless_reset_token.fill(0xee);
    CHECK(logged(frame) == json::parse(R"({"frame_type":"new_connection_id","sequence_number":2,"retire_prior_to":1,
                                          "connection_id_length":5,"connection_id":"0102030405"})"));
  }

  // draft-ietf-quic-qlog-quic-events §8.13.3
  TEST_CASE("ranges of ACK are inclusive, and a single number stands for itself") {
    IntervalSet received(8, IntervalSet::WhenFull::refuse);
    (void)received.insert({1, 3});
    (void)received.insert({5, 6});
    (void)received.insert({10, 23});
    std::vector<uint8_t> payload(64);
    Writer writer(payload);
    write_ack(writer, received, {.ack_delay = 100, .ecn = EcnCounts{.ect0 = 4, .ect1 = 5, .ce = 6}}, 3);
    payload.resize(writer.size());
    Scene scene;
    CHECK(frames_of(scene, payload)[0] == json::parse(R"({"frame_type":"ack","ack_delay":0.8,
        "acked_ranges":[[10,22],[5],[1,2]],"ect1":5,"ect0":4,"ce":6})"));
    INFO(scene.complaints());
    CHECK(scene.wrong.empty());
  }

  // RFC 9000 §18.2, §19.3
  TEST_CASE("ack_delay goes by the exponent of the sender, in 1-RTT packets alone") {
    Scene scene;
    const TransportParameters ours{.ack_delay_exponent = 0}, theirs{.ack_delay_exponent = 10};
    scene.trace(Instant(), trace::ParametersSet{.initiator = trace::Side::local, .parameters = &ours});
    scene.trace(Instant(), trace::ParametersSet{.initiator = trace::Side::remote, .parameters = &theirs});
    const std::vector<uint8_t> ack = {0x02, 0, 5, 0, 0};
    CHECK(frames_of(scene, ack)[0]["ack_delay"] == 5.12);
    CHECK(frames_of(scene, ack, PacketType::handshake)[0]["ack_delay"] == 0.04);
    const json sent = scene.data_of(trace::PacketSent{.frames = ack});
    CHECK(sent["frames"][0]["ack_delay"] == 0.005);
    // The largest delay does not overflow.
    const std::vector<uint8_t> huge = {0x02, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0};
    CHECK(frames_of(scene, huge)[0]["ack_delay"].get<double>() > 1e12);
    CHECK(scene.wrong.empty());
  }

  // draft-ietf-quic-qlog-quic-events §8.13.20, §8.13.24, §8.13.26
  TEST_CASE("CONNECTION_CLOSE has a text for transport and TLS errors, a number for others") {
    const auto close = [](uint64_t code) { return logged(ConnectionCloseFrame{.error_code = code}); };
    CHECK(close(0x0a) == json::parse(R"({"frame_type":"connection_close","error_space":"transport",
                                         "error":"protocol_violation"})"));
    CHECK(close(0x00)["error"] == "no_error");
    CHECK(close(0x10)["error"] == "no_viable_path");
    CHECK(close(0x11)["error"] == "unknown");
    CHECK(close(0x11)["error_code"] == 0x11);
    CHECK(close(0x100)["error"] == "crypto_error_0x100");
    CHECK(close(0x12a)["error"] == "crypto_error_0x12a");
    CHECK(close(0x1ff)["error"] == "crypto_error_0x1ff");
    CHECK(close(0x200)["error"] == "unknown");
    CHECK(close(kVarintMax)["error_code"] == std::to_string(kVarintMax));
    // Every code below 0x11 has its own text of the draft.
    const auto names = tests::values_of("TransportError");
    for (uint64_t code = 0; code <= 0x10; code++) CHECK(close(code)["error"] == names[code]);

    const json application = logged(ConnectionCloseFrame{
        .application = true, .error_code = 256, .frame_type = 0, .reason_phrase = as_bytes("b\x1f\"ye")});
    CHECK(application == json::parse(R"({"frame_type":"connection_close","error_space":"application",
                                         "error":"unknown","error_code":256,"reason":"b\u001f\"ye"})"));
    const json frame = logged(ConnectionCloseFrame{.error_code = 7, .frame_type = 0x06, .reason_phrase = {}});
    CHECK(frame["trigger_frame_type"] == "crypto");
    CHECK(logged(ConnectionCloseFrame{.error_code = 7, .frame_type = 0x4242})["trigger_frame_type"] == 0x4242);
    CHECK(logged(ConnectionCloseFrame{.reason_phrase = as_bytes("\xff\x01")})["reason_bytes"] == "ff01");
  }

  // draft-ietf-quic-qlog-quic-events §8.13.22
  TEST_CASE("what cannot be parsed ends the list as an unknown frame") {
    Scene scene;
    CHECK(frames_of(scene, {0x01, 0x40, 0x42}) ==
          json::parse(R"([{"frame_type":"ping"},{"frame_type":"unknown","frame_type_bytes":66}])"));
    CHECK(frames_of(scene, {0x01, 0x06, 0x00, 0x05, 1}) ==  // CRYPTO cut short
          json::parse(R"([{"frame_type":"ping"},{"frame_type":"unknown","frame_type_bytes":6}])"));
    CHECK(frames_of(scene, {}) == json::array());
    INFO(scene.complaints());
    CHECK(scene.wrong.empty());
  }

  TEST_CASE("frames that only servers send are read in what a server sent") {
    Scene server(Role::server);
    const std::vector<uint8_t> done = written(HandshakeDoneFrame{});
    CHECK(server.data_of(trace::PacketSent{.frames = done})["frames"][0]["frame_type"] == "handshake_done");
    CHECK(server.data_of(trace::PacketReceived{.frames = done})["frames"][0]["frame_type"] == "unknown");
  }

  TEST_CASE("random payloads become events of the draft") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (int round = 0; round < 50; round++) {
      Scene scene(rng.below(2) == 0 ? Role::client : Role::server);
      for (int i = 0; i < 20; i++) {
        std::vector<uint8_t> payload = rng.bytes(rng.below(40));
        for (uint8_t& byte : payload) byte = rng.below(2) == 0 ? byte & 0x1f : byte;
        const auto type = PacketType{static_cast<uint8_t>(rng.below(4))};
        scene.trace(Instant(), trace::PacketReceived{.header = {.type = type}, .frames = payload});
      }
      CHECK(scene.events().size() == 20);
      INFO(scene.complaints());
      REQUIRE(scene.wrong.empty());
    }
  }
}
