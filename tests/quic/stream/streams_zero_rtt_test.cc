// Streams before the handshake is complete.
#include "quic/stream/streams.h"

#include "tests/quic/stream/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;

TEST_SUITE("quic streams in 0-RTT") {
  // RFC 9000 §7.4.1
  TEST_CASE("streams go by the remembered limits, later by the handshake's") {
    Streams client(Role::client, StreamLimits());
    client.set_peer_parameters(
        {.initial_max_data = 100, .initial_max_stream_data_bidi_remote = 10, .initial_max_streams_bidi = 1});
    const StreamId id = *client.open(false);
    CHECK_FALSE(client.open(false).has_value());
    write_all(client, id, repeat(50));
    CHECK_EQ(frames_of(write_packet(client, 1200, Write::data))[0].bytes.size(), 10);
    client.set_peer_parameters(
        {.initial_max_data = 100, .initial_max_stream_data_bidi_remote = 30, .initial_max_streams_bidi = 2});
    CHECK_EQ(frames_of(write_packet(client, 1200, Write::data))[0].bytes.size(), 20);
    CHECK(client.open(false).has_value());
    client.check_invariants();
  }

  // RFC 9000 §7.4.1
  TEST_CASE("after a rejection all is sent anew under the new limits, and streams above them wait") {
    Streams client(Role::client, StreamLimits());
    client.set_peer_parameters(open_parameters());
    const StreamId a = *client.open(false), b = *client.open(false), c = *client.open(true);
    write_all(client, a, repeat(500));
    write_all(client, b, "second");
    write_all(client, c, repeat(50));
    REQUIRE(client.finish(b));
    REQUIRE(client.stop(a, kCode));
    const StreamPacket early = write_packet(client);
    CHECK_FALSE(client.wants_to_send());
    REQUIRE(client.reset(c, kCode));
    (void)write_packet(client);

    client.on_zero_rtt_rejected();
    client.check_invariants();
    CHECK_FALSE(client.wants_to_send());  // no limits yet: nothing may be said
    lose(client, early);
    CHECK_FALSE(client.wants_to_send());
    client.set_peer_parameters({.initial_max_data = 1000,
                                .initial_max_stream_data_bidi_remote = 400,
                                .initial_max_streams_bidi = 1,
                                .initial_max_streams_uni = 1});
    client.check_invariants();
    auto frames = sent_frames(client);
    REQUIRE_EQ(frames.size(), 4);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::streams_blocked_bidi, {1}, {}});
    // RFC 9000 §4.5: nothing of the stream was ever sent.
    size_t resets = 0, stops = 0;
    for (const CollectedFrame& frame : frames) {
      resets += frame == CollectedFrame{FrameType::reset_stream, {c.value(), 7, 0}, {}};
      stops += frame == CollectedFrame{FrameType::stop_sending, {a.value(), 7}, {}};
    }
    CHECK_EQ(resets, 1);
    CHECK_EQ(stops, 1);
    CHECK_EQ(frames[3].type, FrameType::stream);
    CHECK_EQ(frames[3].bytes.size(), 400);
    frames = sent_frames(client);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0], CollectedFrame{FrameType::stream_data_blocked, {a.value(), 400}, {}});
    CHECK_FALSE(client.open(false).has_value());
    REQUIRE(deliver_frame(client, MaxStreamsFrame{.maximum_streams = 2}));
    frames = sent_frames(client);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(as_text(frames[0].bytes), "second");
    client.check_invariants();
  }
}
