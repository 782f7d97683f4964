// web::Server and a client that does what no client may, over UDP: the whole way from a byte on a stream to the code that
// the client is told, and that without delay. What each code is for is in tests/h3/conformance.
#include <algorithm>
#include <optional>

#include "h3/frame.h"
#include "h3/over_quic.h"
#include "tests/h3/raw.h"
#include "tests/web/fixture.h"
#include "udp/run.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

using h3::ErrorCode;
using h3::FrameType;

/// A connection of QUIC on which nobody speaks HTTP/3 but the test.
class Stranger {
 public:
  explicit Stranger(const SocketAddress& server)
      : socket_(udp::Socket::bind(*SocketAddress::parse("127.0.0.1:0")).value()),
        endpoint_(config(), crypto::best(), os::thread_rng()) {
    auto tls = trusting(test_identity());
    tls->application_protocols = {"h3"};
    auto client = std::make_shared<quic::ClientConfig>();
    client->tls = tls;
    h3::prepare(client->transport, {});
    handle_ = endpoint_
                  .connect(udp::now(), client, {.local = socket_.local_address(), .remote = server},
                           {.server_name = "localhost"})
                  .value();
    established_ = run_until([this] { return established_; });
  }
  bool is_established() const { return established_; }

  bool run_until(std::function<bool()> done, Duration patience = Duration::seconds(5)) {
    done_ = std::move(done);
    deadline_ = udp::now() + patience;
    return udp::run(endpoint_, socket_, *this).has_value() && done_();
  }
  quic::Streams& streams() { return endpoint_.find(handle_)->streams(); }
  void send(uint64_t stream, const ByteVector& bytes, bool fin = false) {
    const bool unidirectional = (stream & 2) != 0;
    for (uint64_t& next = next_[unidirectional]; next <= stream / 4; next++) (void)streams().open(unidirectional);
    (void)streams().write(quic::StreamId(stream), Bytes(bytes));
    if (fin) (void)streams().finish(quic::StreamId(stream));
  }
  /// "H3_FRAME_ERROR" of the connection's end, or "stream: " and the code of the request's.
  std::string outcome() {
    if (!run_until([this] { return closed_ || aborted_; }, Duration::seconds(2))) return "nothing";
    if (!closed_) return "stream: " + std::string(h3::name_of(*aborted_));
    return std::string(closed_->application ? h3::name_of(closed_->error_code) : "an error of the transport");
  }

  // udp::run's.
  void on_event(Instant, quic::EndpointEvent& event) {
    const auto& news = std::get<quic::Event>(event.event);
    if (std::holds_alternative<quic::Connected>(news)) established_ = true;
    if (const auto* end = std::get_if<quic::Closed>(&news)) closed_ = *end;
    const auto* reset = std::get_if<quic::StreamReset>(&news);
    if (reset && reset->stream_id == quic::StreamId(0)) aborted_ = static_cast<uint64_t>(reset->error);
  }
  void on_turn(Instant) {}
  Instant next_timeout() const { return deadline_; }
  bool is_done() const { return closed_ || done_() || udp::now() >= deadline_; }

 private:
  static quic::EndpointConfig config() {
    quic::EndpointConfig config;
    config.wall_clock = [](Instant) { return system_time(); };
    return config;
  }

  udp::Socket socket_;
  quic::Endpoint endpoint_;
  quic::ConnectionHandle handle_;
  std::function<bool()> done_;
  Instant deadline_;
  uint64_t next_[2] = {};
  bool established_ = false;
  std::optional<quic::Closed> closed_;
  std::optional<uint64_t> aborted_;
};

struct Misdeed {
  const char* what;
  std::string outcome;
  std::vector<std::pair<uint64_t, ByteVector>> sent;  // by stream, one after the other
  bool fin = false;                                   // of the last stream
};

std::vector<Misdeed> misdeeds() {
  const ByteVector head = headers(get()), post = headers(with_method("POST", {{"content-length", "5"}}));
  const ByteVector trailers = headers({{"a", "b"}});
  const auto type = [](h3::StreamType of) { return stream_type(of); };
  const ByteVector settings = frame(FrameType::settings, {});
  std::vector<Misdeed> all = {
      // RFC 9114 §6.2.1
      {"no settings", "H3_MISSING_SETTINGS", {{2, varint(0) + frame(FrameType::goaway, varint(0))}}},
      {"the control stream ends", "H3_CLOSED_CRITICAL_STREAM", {{2, control()}}, true},
      {"two control streams", "H3_STREAM_CREATION_ERROR", {{2, control()}, {6, control()}}},
      // RFC 9114 §6.2.2
      {"a push stream", "H3_STREAM_CREATION_ERROR", {{2, control()}, {6, type(h3::StreamType::push)}}},
      // RFC 9114 §7.2.4
      {"settings twice", "H3_FRAME_UNEXPECTED", {{2, control() + settings}}},
      {"a setting of HTTP/2", "H3_SETTINGS_ERROR", {{2, varint(0) + frame(FrameType::settings, {0x02, 0x00})}}},
      {"DATA on the control stream", "H3_FRAME_UNEXPECTED", {{2, control() + data("x")}}},
      {"HEADERS on the control stream", "H3_FRAME_UNEXPECTED", {{2, control() + head}}},
      // RFC 9114 §7.2.3, §7.2.7
      {"CANCEL_PUSH of nothing", "H3_ID_ERROR", {{2, control() + frame(FrameType::cancel_push, varint(0))}}},
      // RFC 9204 §3.2.3, §4.4.3, §2.2.1
      {"a capacity above the limit",
       "QPACK_ENCODER_STREAM_ERROR",
       {{2, control()}, {6, {0x02, 0x3f, 0xff, 0xff, 0x7f}}}},
      {"an increment of zero", "QPACK_DECODER_STREAM_ERROR", {{2, control()}, {6, {0x03, 0x00}}}},
      {"an index that is none",
       "QPACK_DECOMPRESSION_FAILED",
       {{2, control()}, {0, frame(FrameType::headers, {0x00, 0x00, 0xff, 0xff, 0x01})}}},
      // RFC 9114 §4.1
      {"DATA before the head", "H3_FRAME_UNEXPECTED", {{2, control()}, {0, data("x")}}},
      {"DATA after trailers", "H3_FRAME_UNEXPECTED", {{2, control()}, {0, head + data("x") + trailers + data("x")}}},
      {"DATA after trailers, in pieces",
       "H3_FRAME_UNEXPECTED",
       {{2, control()}, {0, head}, {0, data("x")}, {0, trailers}, {0, data("x")}}},
      {"HEADERS after trailers", "H3_FRAME_UNEXPECTED", {{2, control()}, {0, head + trailers + trailers}}},
      {"PUSH_PROMISE", "H3_FRAME_UNEXPECTED", {{2, control()}, {0, head + promise(0, get())}}},
      {"PUSH_PROMISE behind content",
       "H3_FRAME_UNEXPECTED",
       {{2, control()}, {0, head + data("x") + promise(0, get())}}},
      {"nothing but an end", "stream: H3_REQUEST_INCOMPLETE", {{2, control()}, {0, {}}}, true},
      // RFC 9114 §4.1.2
      {"two requests", "stream: H3_MESSAGE_ERROR", {{2, control()}, {0, head + head}}, true},
      {"less than content-length", "stream: H3_MESSAGE_ERROR", {{2, control()}, {0, post + data("abc")}}, true},
      {"less than content-length, in pieces",
       "stream: H3_MESSAGE_ERROR",
       {{2, control()}, {0, post}, {0, data("ab") + data("c")}},
       true},
      {"more than content-length", "stream: H3_MESSAGE_ERROR", {{2, control()}, {0, post + data("abcdef")}}},
      {"upper case", "stream: H3_MESSAGE_ERROR", {{2, control()}, {0, headers(with_method("GET", {{"Upper", "x"}}))}}},
      // RFC 9114 §7.1
      {"an end within DATA", "H3_FRAME_ERROR", {{2, control()}, {0, head + varint(0) + varint(9) + text("x")}}, true},
      {"an end within DATA, behind other content",
       "H3_FRAME_ERROR",
       {{2, control()}, {0, head + data("abc") + varint(0) + varint(9) + text("x")}},
       true},
      {"an end within the head",
       "H3_FRAME_ERROR",
       {{2, control()}, {0, ByteVector(head.begin(), head.end() - 1)}},
       true},
      {"an end within trailers",
       "H3_FRAME_ERROR",
       {{2, control()}, {0, head + ByteVector(trailers.begin(), trailers.end() - 1)}},
       true},
      // RFC 9218 §7.2
      {"a priority beyond the limit",
       "H3_ID_ERROR",
       {{2, control() + frame(FrameType::priority_update_request, varint(4 << 20))}}},
  };
  // RFC 9114 §7.2.8
  for (const uint64_t number : {0x02, 0x06, 0x08, 0x09}) {
    all.push_back({"a frame of HTTP/2", "H3_FRAME_UNEXPECTED", {{2, control() + frame(number, {})}}});
    all.push_back(
        {"a frame of HTTP/2 in a request", "H3_FRAME_UNEXPECTED", {{2, control()}, {0, head + frame(number, {})}}});
  }
  // RFC 9114 §7.2
  for (const FrameType stray :
       {FrameType::settings, FrameType::goaway, FrameType::cancel_push, FrameType::max_push_id}) {
    all.push_back(
        {"a frame of the control stream", "H3_FRAME_UNEXPECTED", {{2, control()}, {0, frame(stray, varint(0))}}});
    all.push_back({"a frame of the control stream behind content",
                   "H3_FRAME_UNEXPECTED",
                   {{2, control()}, {0, head + data("x") + frame(stray, varint(0))}}});
  }
  return all;
}

}  // namespace

TEST_SUITE("web server and strangers") {
  // RFC 9114 §8
  TEST_CASE("each misdeed is told its code at once, whatever the handler does with the request") {
    ServerFixture fixture([](web::Exchange& exchange) { exchange.send(200, {}, "hello"); });
    const SocketAddress address = fixture.server->addresses().front();
    for (const Misdeed& misdeed : misdeeds()) {
      CAPTURE(std::string(misdeed.what));
      Stranger stranger(address);
      REQUIRE(stranger.is_established());
      const Instant begin = udp::now();
      for (const auto& [stream, bytes] : misdeed.sent) {
        stranger.send(stream, bytes, misdeed.fin && &bytes == &misdeed.sent.back().second);
      }
      CHECK_EQ(stranger.outcome(), misdeed.outcome);
      CHECK(udp::now() - begin < Duration::milliseconds(500));
    }
  }
}

}  // namespace quoll::tests
