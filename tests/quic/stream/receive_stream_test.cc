// Every transition of RFC 9000 §3.2, figure 3, and the final size of §4.5.
#include "quic/stream/receive_stream.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using State = ReceiveStream::State;

namespace {

constexpr ApplicationErrorCode kCode{7};

bool receive(ReceiveStream& stream, uint64_t offset, const char* bytes, bool fin = false) {
  const Slice data = Slice::copy_of(as_bytes(bytes));
  REQUIRE(stream.check(offset + data.size(), fin, 0).has_value());
  return stream.insert(offset, data, fin);
}
bool fails(const Result<uint64_t>& result, TransportError code) {
  return !result && result.error().code == static_cast<uint64_t>(code) && result.error().frame_type == 4;
}

}  // namespace

TEST_SUITE("quic receiving part of a stream") {
  // RFC 9000 §3.2
  TEST_CASE("Recv, Size Known by FIN, Data Recvd by all data, Data Read by the application") {
    ReceiveStream stream(100, 100);
    CHECK_EQ(stream.state(), State::recv);
    CHECK(receive(stream, 0, "ab"));
    CHECK_EQ(stream.state(), State::recv);
    CHECK(receive(stream, 4, "ef", true));
    CHECK_EQ(stream.state(), State::size_known);
    CHECK(receive(stream, 2, "cd"));
    CHECK_EQ(stream.state(), State::data_recvd);
    CHECK_FALSE(stream.take_end());
    while (stream.read(SIZE_MAX)) {
    }
    CHECK(stream.take_end());
    CHECK_EQ(stream.state(), State::data_read);
    CHECK(stream.is_terminal());
    CHECK_FALSE(stream.take_end());
    CHECK_EQ(stream.returned(), 6);
  }

  // RFC 9000 §3.2
  TEST_CASE("an end without bytes is something to read") {
    ReceiveStream stream(100, 100);
    CHECK_FALSE(stream.is_readable());
    CHECK(receive(stream, 0, "", true));
    CHECK_EQ(stream.state(), State::data_recvd);
    CHECK(stream.is_readable());
    CHECK_FALSE(stream.read(SIZE_MAX).has_value());
    CHECK(stream.take_end());
    CHECK_FALSE(stream.is_readable());
  }

  // RFC 9000 §3.2
  TEST_CASE("Recv and Size Known become Reset Recvd by RESET_STREAM, Reset Read by the application") {
    for (const bool size_known : {false, true}) {
      ReceiveStream stream(100, 100);
      CHECK(receive(stream, 0, "ab"));
      if (size_known) CHECK(receive(stream, 8, "ij", true));
      REQUIRE(stream.check(10, true, 4).has_value());
      CHECK(stream.on_reset(kCode, 10));
      CHECK_EQ(stream.state(), State::reset_recvd);
      CHECK_EQ(stream.error(), kCode);
      CHECK_FALSE(stream.is_readable());
      // RFC 9000 §4.5: all bytes count, and nobody will read them.
      CHECK_EQ(stream.highest(), 10);
      CHECK_EQ(stream.take_discarded(), 10);
      CHECK_EQ(stream.take_discarded(), 0);
      stream.on_reset_told();
      CHECK_EQ(stream.state(), State::reset_read);
      CHECK(stream.is_terminal());
    }
  }

  // RFC 9000 §3.2
  TEST_CASE("a RESET_STREAM after all data has arrived is ignored") {
    ReceiveStream stream(100, 100);
    CHECK(receive(stream, 0, "ab", true));
    REQUIRE(stream.check(2, true, 4).has_value());
    CHECK_FALSE(stream.on_reset(kCode, 2));
    CHECK_EQ(stream.state(), State::data_recvd);
    CHECK(stream.is_readable());
  }

  // RFC 9000 §3.2
  TEST_CASE("data after a reset is ignored") {
    ReceiveStream stream(100, 100);
    CHECK(stream.on_reset(kCode, 10));
    CHECK(receive(stream, 0, "abc"));
    CHECK_FALSE(stream.is_readable());
    CHECK_EQ(stream.highest(), 10);
  }

  // RFC 9000 §4.5
  TEST_CASE("the final size cannot change, be passed, or lie below what has arrived") {
    ReceiveStream stream(100, 100);
    CHECK(receive(stream, 4, "ef"));
    CHECK(fails(stream.check(5, true, 4), TransportError::final_size_error));
    CHECK(receive(stream, 8, "", true));
    CHECK(fails(stream.check(9, false, 4), TransportError::final_size_error));
    CHECK(fails(stream.check(9, true, 4), TransportError::final_size_error));
    CHECK(fails(stream.check(7, true, 4), TransportError::final_size_error));
    CHECK_EQ(stream.check(8, true, 4).value(), 0);
    CHECK_EQ(stream.check(7, false, 4).value(), 0);
  }

  // RFC 9000 §4.1, §19.10
  TEST_CASE("data beyond the announced limit is FLOW_CONTROL_ERROR") {
    ReceiveStream stream(10, 10);
    CHECK_EQ(stream.check(10, false, 4).value(), 10);
    CHECK(fails(stream.check(11, false, 4), TransportError::flow_control_error));
    CHECK(fails(stream.check(11, true, 4), TransportError::flow_control_error));
    // A limit that was decided and not sent does not count.
    stream.window().consume(10, Instant(), Duration());
    CHECK(stream.wants_limit_frame());
    CHECK(fails(stream.check(11, false, 4), TransportError::flow_control_error));
    stream.window().limit().on_sent();
    CHECK(stream.check(11, false, 4).has_value());
  }

  // RFC 9000 §3.5
  TEST_CASE("stop in Recv asks by STOP_SENDING until the peer resets the stream") {
    ReceiveStream stream(100, 100);
    CHECK(receive(stream, 0, "ab"));
    stream.stop(kCode);
    REQUIRE(stream.wants_stop_frame());
    CHECK_EQ(stream.stop_frame(StreamId(4)), StopSendingFrame{.stream_id = StreamId(4), .application_error_code = 7});
    stream.on_stop_sent();
    CHECK_FALSE(stream.wants_stop_frame());
    CHECK_EQ(stream.take_discarded(), 2);
    // RFC 9000 §3.5: what comes after it counts and is thrown away.
    CHECK(receive(stream, 2, "cd"));
    CHECK_EQ(stream.highest(), 4);
    CHECK_EQ(stream.take_discarded(), 2);
    CHECK_FALSE(stream.is_readable());
    stream.on_stop_lost();
    CHECK(stream.wants_stop_frame());
    CHECK(stream.on_reset(ApplicationErrorCode{9}, 10));
    CHECK_FALSE(stream.wants_stop_frame());
    CHECK_EQ(stream.state(), State::reset_read);
    CHECK_EQ(stream.take_discarded(), 6);
    stream.on_stop_lost();
    CHECK_FALSE(stream.wants_stop_frame());
  }

  // RFC 9000 §3.5
  TEST_CASE("a stopped stream that ends by itself is over once STOP_SENDING is acknowledged") {
    for (const bool fin_first : {false, true}) {
      ReceiveStream stream(100, 100);
      if (fin_first) CHECK(receive(stream, 8, "ij", true));
      stream.stop(kCode);
      CHECK(stream.wants_stop_frame());
      stream.on_stop_sent();
      if (!fin_first) {
        stream.on_stop_acked();
        CHECK_EQ(stream.state(), State::recv);
        CHECK(receive(stream, 8, "ij", true));
      } else {
        CHECK_EQ(stream.state(), State::size_known);
        stream.on_stop_acked();
      }
      CHECK_EQ(stream.state(), State::data_read);
      CHECK_EQ(stream.take_discarded(), 10);
    }
  }

  // RFC 9000 §3.5
  TEST_CASE("STOP_SENDING is not sent when all has arrived, or the stream was reset") {
    ReceiveStream all(100, 100);
    CHECK(receive(all, 0, "ab", true));
    all.stop(kCode);
    CHECK_FALSE(all.wants_stop_frame());
    CHECK_EQ(all.state(), State::data_read);
    CHECK_EQ(all.take_discarded(), 2);
    ReceiveStream reset(100, 100);
    CHECK(reset.on_reset(kCode, 5));
    reset.stop(kCode);
    CHECK_FALSE(reset.wants_stop_frame());
    CHECK_EQ(reset.state(), State::reset_read);
  }

  // RFC 9000 §13.3
  TEST_CASE("MAX_STREAM_DATA is not sent once the size is known, or nothing is wanted") {
    ReceiveStream stream(4, 4);
    CHECK(receive(stream, 0, "ab"));
    stream.window().consume(2, Instant(), Duration());
    CHECK(stream.wants_limit_frame());
    CHECK(receive(stream, 3, "d", true));
    CHECK_FALSE(stream.wants_limit_frame());
    ReceiveStream stopped(4, 4);
    CHECK(receive(stopped, 0, "ab"));
    stopped.window().consume(2, Instant(), Duration());
    stopped.stop(kCode);
    CHECK_FALSE(stopped.wants_limit_frame());
  }
}
