// Every transition of RFC 9000 §3.1, figure 2.
#include "quic/stream/send_stream.h"

#include <vector>

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using State = SendStream::State;

namespace {

constexpr ApplicationErrorCode kCode{7};
constexpr StreamId kId(0);

Bytes text(const char* bytes) { return as_bytes(bytes); }

/// In "Send", with three bytes in flight.
void send_three(SendStream& stream) {
  REQUIRE(stream.append_copy(text("abc")));
  REQUIRE_EQ(*stream.next(UINT64_MAX), Interval{0, 3});
  CHECK_EQ(stream.on_data_sent({0, 3}, false), 3);
}
void send_three_and_end(SendStream& stream) {
  REQUIRE(stream.append_copy(text("abc")));
  stream.finish();
  REQUIRE(stream.ends_at(3));
  CHECK_EQ(stream.on_data_sent({0, 3}, true), 3);
}

}  // namespace

TEST_SUITE("quic sending part of a stream") {
  // RFC 9000 §3.1
  TEST_CASE("Ready takes data; the first STREAM frame leads to Send") {
    SendStream stream(100);
    CHECK_EQ(stream.state(), State::ready);
    REQUIRE(stream.append_copy(text("abc")));
    CHECK_EQ(stream.state(), State::ready);
    CHECK_EQ(stream.need(), SendNeed::credit);
    stream.on_data_sent({0, 3}, false);
    CHECK_EQ(stream.state(), State::send);
    CHECK_EQ(stream.need(), SendNeed::nothing);
  }

  // RFC 9000 §3.1
  TEST_CASE("Ready becomes Send by a STREAM_DATA_BLOCKED frame too") {
    SendStream stream(0);
    REQUIRE(stream.append_copy(text("abc")));
    CHECK_EQ(stream.need(), SendNeed::nothing);
    REQUIRE(stream.limit().wants_to_send());
    stream.on_blocked_sent();
    CHECK_EQ(stream.state(), State::send);
    CHECK_FALSE(stream.limit().wants_to_send());
  }

  // RFC 9000 §3.1
  TEST_CASE("Send becomes Data Sent with the FIN bit, Data Recvd when all is acknowledged") {
    SendStream stream(100);
    send_three(stream);
    stream.finish();
    CHECK_EQ(stream.state(), State::send);
    CHECK_EQ(stream.need(), SendNeed::no_credit);
    CHECK_EQ(*stream.next(0), Interval{3, 3});  // an end without bytes
    CHECK_EQ(stream.on_data_sent({3, 3}, true), 0);
    CHECK_EQ(stream.state(), State::data_sent);
    stream.on_data_acked({3, 3}, true);
    CHECK_EQ(stream.state(), State::data_sent);
    stream.on_data_acked({0, 3}, false);
    CHECK_EQ(stream.state(), State::data_recvd);
    CHECK(stream.is_terminal());
  }

  // RFC 9000 §3.1
  TEST_CASE("an empty stream ends too") {
    SendStream stream(0);
    stream.finish();
    CHECK_EQ(*stream.next(0), Interval{0, 0});
    stream.on_data_sent({0, 0}, true);
    stream.on_data_acked({0, 0}, true);
    CHECK_EQ(stream.state(), State::data_recvd);
  }

  // RFC 9000 §3.1
  TEST_CASE("Ready, Send and Data Sent become Reset Sent, and Reset Recvd by the acknowledgement") {
    for (const int from : {0, 1, 2}) {
      SendStream stream(100);
      if (from == 1) send_three(stream);
      if (from == 2) send_three_and_end(stream);
      stream.reset(kCode, false);
      CHECK_EQ(stream.state(), State::reset_sent);
      REQUIRE(stream.wants_reset_frame());
      // RFC 9000 §4.5: the final size is what was sent.
      CHECK_EQ(stream.reset_frame(kId),
               ResetStreamFrame{.stream_id = kId, .application_error_code = 7, .final_size = from == 0 ? 0u : 3u});
      stream.on_reset_sent();
      CHECK_FALSE(stream.wants_reset_frame());
      CHECK_EQ(stream.need(), SendNeed::nothing);
      CHECK_FALSE(stream.next(UINT64_MAX).has_value());
      stream.on_reset_lost();
      CHECK(stream.wants_reset_frame());
      stream.on_reset_sent();
      stream.on_reset_acked();
      CHECK_EQ(stream.state(), State::reset_recvd);
      stream.on_reset_lost();  // of an earlier frame
      CHECK_FALSE(stream.wants_reset_frame());
    }
  }

  // RFC 9000 §3.1
  TEST_CASE("after Data Recvd there is nothing to reset") {
    SendStream stream(100);
    send_three_and_end(stream);
    stream.on_data_acked({0, 3}, true);
    stream.reset(kCode, false);
    CHECK_EQ(stream.state(), State::data_recvd);
    CHECK_FALSE(stream.wants_reset_frame());
  }

  // RFC 9000 §13.3
  TEST_CASE("the content of a reset does not change") {
    SendStream stream(100);
    send_three(stream);
    stream.reset(kCode, false);
    const ResetStreamFrame first = stream.reset_frame(kId);
    stream.reset(ApplicationErrorCode{9}, true);
    CHECK_EQ(stream.reset_frame(kId), first);
    CHECK_FALSE(stream.is_stopped());
  }

  // RFC 9000 §13.3
  TEST_CASE("no data is repeated once a reset was sent") {
    SendStream stream(100);
    send_three(stream);
    stream.reset(kCode, false);
    stream.on_data_lost({0, 3}, false);
    CHECK_EQ(stream.need(), SendNeed::nothing);
    CHECK_EQ(stream.sent_end(), 3);
  }

  // RFC 9000 §13.3
  TEST_CASE("lost data and a lost end are sent again, without credit") {
    SendStream stream(3);
    send_three_and_end(stream);
    stream.on_data_lost({0, 3}, true);
    CHECK_EQ(stream.state(), State::data_sent);
    CHECK_EQ(stream.need(), SendNeed::no_credit);
    CHECK_EQ(*stream.next(0), Interval{0, 3});
    CHECK(stream.ends_at(3));
    CHECK_EQ(stream.on_data_sent({0, 3}, true), 0);
    stream.on_data_acked({0, 3}, true);
    CHECK_EQ(stream.state(), State::data_recvd);
  }

  // RFC 9000 §13.3
  TEST_CASE("an acknowledgement that comes after the loss counts") {
    SendStream stream(100);
    send_three_and_end(stream);
    stream.on_data_lost({0, 3}, true);
    stream.on_data_acked({0, 3}, true);
    CHECK_EQ(stream.need(), SendNeed::nothing);
    CHECK_EQ(stream.state(), State::data_recvd);
  }

  // RFC 9000 §4.1
  TEST_CASE("new bytes go no further than the stream's limit, nor than the connection's credit") {
    SendStream stream(5);
    REQUIRE(stream.append_copy(text("abcdefgh")));
    CHECK_EQ(*stream.next(2), Interval{0, 2});
    CHECK_EQ(*stream.next(UINT64_MAX), Interval{0, 5});
    CHECK_FALSE(stream.limit().wants_to_send());
    stream.on_data_sent({0, 5}, false);
    CHECK(stream.limit().wants_to_send());
    CHECK_EQ(stream.need(), SendNeed::nothing);
    CHECK_FALSE(stream.next(UINT64_MAX).has_value());
    stream.raise_limit(4);
    CHECK_FALSE(stream.next(UINT64_MAX).has_value());
    stream.raise_limit(6);
    CHECK_EQ(stream.need(), SendNeed::credit);
    CHECK_EQ(*stream.next(UINT64_MAX), Interval{5, 6});
    CHECK_FALSE(stream.next(0).has_value());
  }

  TEST_CASE("the end waits for bytes that flow control holds back") {
    SendStream stream(2);
    REQUIRE(stream.append_copy(text("abc")));
    stream.finish();
    CHECK_FALSE(stream.ends_at(2));
    stream.on_data_sent({0, 2}, false);
    CHECK_EQ(stream.need(), SendNeed::nothing);
    CHECK_FALSE(stream.next(UINT64_MAX).has_value());
    stream.raise_limit(3);
    CHECK_EQ(*stream.next(UINT64_MAX), Interval{2, 3});
    CHECK(stream.ends_at(3));
  }

  // RFC 9000 §7.4.1
  TEST_CASE("rejected 0-RTT makes all unsent, also the final size of a reset") {
    SendStream stream(100);
    send_three_and_end(stream);
    stream.rewind();
    CHECK_EQ(stream.state(), State::ready);
    CHECK_EQ(stream.sent_end(), 0);
    CHECK_EQ(stream.need(), SendNeed::nothing);  // no limit is known
    stream.on_data_lost({0, 3}, true);           // of what was rejected
    CHECK_EQ(stream.need(), SendNeed::nothing);
    stream.raise_limit(2);
    CHECK_EQ(*stream.next(UINT64_MAX), Interval{0, 2});

    SendStream reset(100);
    send_three(reset);
    reset.reset(kCode, false);
    reset.on_reset_sent();
    reset.rewind();
    REQUIRE(reset.wants_reset_frame());
    CHECK_EQ(reset.reset_frame(kId).final_size, 0);
  }

  TEST_CASE("a write that was cut short is told of once a quarter is free") {
    SendStream stream(100'000);
    REQUIRE(stream.append_copy(std::vector<uint8_t>(1000)));
    CHECK_EQ(stream.room(1000), 0);
    CHECK_FALSE(stream.take_room_news(1000));
    stream.set_waits_for_room();
    stream.on_data_sent({0, 1000}, false);
    stream.on_data_acked({0, 249}, false);
    CHECK_FALSE(stream.take_room_news(1000));
    stream.on_data_acked({249, 250}, false);
    CHECK(stream.take_room_news(1000));
    CHECK_FALSE(stream.take_room_news(1000));
    CHECK_EQ(stream.room(1000), 250);
  }
}
