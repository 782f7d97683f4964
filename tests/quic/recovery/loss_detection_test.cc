#include "quic/recovery/loss_detection.h"

#include "quic/wire/error_code.h"
#include "tests/quic/recovery/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at;
using tests::ms;
using tests::Recovery;
using Kind = LossDetection::Outcome::Kind;
using Numbers = std::vector<PacketNumber>;

TEST_SUITE("quic loss detection") {
  TEST_CASE("an ACK takes packets out of flight once and reports each once (RFC 9002 §A.7)") {
    Recovery r;
    for (int i = 0; i < 5; i++) r.send(0);
    CHECK_EQ(r.path.bytes_in_flight, 5000);
    const AckSummary first = r.ack(50, {{0, 3}});
    CHECK_EQ(first.newly_acked, 3);
    CHECK_EQ(first.bytes_acked, 3000);
    CHECK_EQ(first.prior_bytes_in_flight, 5000);
    CHECK(first.largest_increased);
    CHECK_EQ(first.rtt_sample, ms(50));
    const AckSummary again = r.ack(60, {{0, 3}});
    CHECK_EQ(again.newly_acked, 0);
    CHECK_FALSE(again.rtt_sample);
    CHECK_EQ(r.acked(), Numbers{0, 1, 2});
    CHECK_EQ(r.path.bytes_in_flight, 2000);
  }

  TEST_CASE("no RTT sample unless the largest is newly acknowledged with something ack-eliciting (RFC 9002 §5.1)") {
    Recovery r;
    r.send(0);
    r.send(0);
    r.send_ack_only(10);
    CHECK_FALSE(r.ack(30, {{2, 3}}).rtt_sample);  // only an ACK was acknowledged
    CHECK_FALSE(r.ack(40, {{1, 3}}).rtt_sample);  // the largest is known already
    CHECK_FALSE(r.path.rtt.has_sample());
    r.send(50);
    CHECK_EQ(r.ack(80, {{3, 4}}).rtt_sample, ms(30));
  }

  TEST_CASE("a packet is lost three numbers before an acknowledged one (RFC 9002 §6.1.1)") {
    Recovery r;
    for (int i = 0; i < 4; i++) r.send(0);
    r.ack(50, {{2, 3}});
    CHECK(r.lost().empty());
    const AckSummary summary = r.ack(50, {{3, 4}});
    CHECK_EQ(r.lost(), Numbers{0});
    CHECK_EQ(summary.lost.bytes, 1000);
    CHECK_EQ(summary.lost.newest_time_sent, at(0));
    CHECK_EQ(r.path.bytes_in_flight, 1000);
  }

  TEST_CASE("a packet before an acknowledged one is lost after 9/8 RTT, for which a timer runs (RFC 9002 §6.1.2)") {
    Recovery r;
    r.send(0);
    r.send(0);
    r.ack(80, {{1, 2}});
    CHECK(r.lost().empty());
    CHECK_EQ(r.loss.next_timeout(), at(90));
    CHECK_EQ(r.timeout(89).lost.packets, 0);
    const auto timeout = r.timeout(90);
    CHECK_EQ(timeout.lost.packets, 1);
    CHECK_FALSE(timeout.probe);
    CHECK_EQ(r.lost(), Numbers{0});
    CHECK(r.loss.next_timeout().is_never());
  }

  TEST_CASE("packets after the largest acknowledged are never lost (RFC 9002 §6.1)") {
    Recovery r;
    for (int i = 0; i < 3; i++) r.send(0);
    r.ack(20, {{0, 1}});
    CHECK(r.timeout(100'000).probe);
    CHECK(r.lost().empty());
    CHECK_EQ(r.path.bytes_in_flight, 2000);
  }

  TEST_CASE("numbers that were skipped are no reordering (RFC 9002 §A.10)") {
    Recovery r;
    r.send(0);
    r.loss.skip_packet_number(Space::application);
    r.send(0);
    r.send(0);
    r.ack(50, {{3, 4}});
    CHECK(r.lost().empty());
    r.send(10);
    r.ack(51, {{4, 5}});
    CHECK_EQ(r.lost(), Numbers{0});
  }

  TEST_CASE("an ACK of a packet that was never sent is PROTOCOL_VIOLATION (RFC 9000 §13.1)") {
    Recovery r;
    r.send(0);
    const auto result = r.try_ack(10, {{0, 2}});
    REQUIRE_FALSE(result);
    CHECK_EQ(result.error().code, static_cast<uint64_t>(TransportError::protocol_violation));
    CHECK_EQ(result.error().frame_type, 2);
    CHECK_FALSE(Recovery().try_ack(0, {{0, 1}}));
    CHECK_FALSE(Recovery().loss.on_ack(at(0), {.largest_acknowledged = 5}, std::vector<Interval>{}));
  }

  TEST_CASE("an ACK of a skipped number is PROTOCOL_VIOLATION, even long after (RFC 9000 §21.4)") {
    Recovery r;
    r.send(0);
    r.loss.skip_packet_number(Space::application);
    r.send(0);
    CHECK(r.try_ack(10, {{2, 3}, {0, 1}}));
    CHECK_FALSE(r.try_ack(11, {{0, 3}}));
    for (int i = 0; i < 300; i++) r.send(20);
    CHECK(r.try_ack(30, {{2, 303}}));
    CHECK_EQ(r.loss.sent_packets(Space::application).size(), 0);
    CHECK_FALSE(r.try_ack(40, {{1, 303}}));
  }

  TEST_CASE("a PTO probes with two packets, loses nothing and doubles (RFC 9002 §6.2, §6.2.1, §6.2.4)") {
    Recovery r;
    r.send(0);
    r.ack(100, {{0, 1}});
    r.send(200);
    const Duration pto = ms(100 + 4 * 50 + 25);
    CHECK_EQ(r.loss.pto(), pto);
    CHECK_EQ(r.loss.next_timeout(), at(200) + pto);
    CHECK_FALSE(r.timeout(524).probe);
    const auto timeout = r.timeout(525);
    REQUIRE(timeout.probe);
    CHECK_EQ(timeout.probe->space, Space::application);
    CHECK_EQ(timeout.probe->packets, 2);
    CHECK_FALSE(timeout.probe->anti_deadlock);
    CHECK_EQ(r.loss.next_timeout(), at(200) + 2 * pto);
    r.send(526);  // RFC 9002 §6.2.1: sending restarts the timer; §7.5: a probe is in flight, too
    CHECK_EQ(r.path.bytes_in_flight, 2000);
    CHECK_EQ(r.loss.next_timeout(), at(526) + 2 * pto);
    CHECK(r.timeout(526 + 650).probe);
    CHECK_EQ(r.loss.pto_count(), 2);
    CHECK(r.lost().empty());
    r.ack(1200, {{2, 3}});
    CHECK_EQ(r.loss.pto_count(), 0);
  }

  TEST_CASE("the backoff stays finite however often the PTO expires") {
    Recovery r;
    r.send(0);
    for (int i = 0; i < 100; i++) {
      REQUIRE_FALSE(r.loss.next_timeout().is_never());
      CHECK(r.loss.on_timeout(r.loss.next_timeout()).probe);
    }
  }

  TEST_CASE("the timer of the time threshold comes before the PTO (RFC 9002 §6.2.1)") {
    Recovery r;
    r.send(0);
    r.send(0);
    r.send(79);
    r.ack(80, {{1, 2}});
    CHECK_EQ(r.loss.next_timeout(), at(90));
  }

  TEST_CASE("before confirmation 1-RTT packets arm no PTO, at a server none at all (RFC 9002 §6.2.1)") {
    Recovery r(Role::server, false);
    r.send(0);
    CHECK(r.loss.next_timeout().is_never());
    r.send(5, Space::handshake);
    CHECK_EQ(r.loss.next_timeout(), at(5 + 999));  // without max_ack_delay
    r.loss.on_handshake_confirmed(at(6));
    CHECK_EQ(r.loss.next_timeout(), at(5 + 999));
    r.loss.discard_space(at(7), Space::handshake);
    CHECK_EQ(r.loss.next_timeout(), at(999 + 25));
  }

  TEST_CASE("the PTO is the earlier one of Initial and Handshake (RFC 9002 §6.2.1)") {
    Recovery r(Role::server, false);
    r.send(3, Space::handshake);
    r.send(1, Space::initial);
    CHECK_EQ(r.loss.next_timeout(), at(1 + 999));
    CHECK_EQ(r.timeout(1000).probe->space, Space::initial);
    r.send(1000, Space::initial);
    CHECK_EQ(r.loss.next_timeout(), at(3 + 2 * 999));  // the backoff is common to all spaces
    CHECK_EQ(r.timeout(2001).probe->space, Space::handshake);
  }

  TEST_CASE("a client probes with nothing in flight until its address is validated (RFC 9002 §6.2.2.1)") {
    Recovery r(Role::client, false);
    r.send(0, Space::initial);
    r.ack(40, {{0, 1}}, Space::initial);
    REQUIRE_EQ(r.loss.next_timeout(), at(40 + 40 + 80));
    const auto timeout = r.timeout(160);
    REQUIRE(timeout.probe);
    CHECK(timeout.probe->anti_deadlock);
    CHECK_EQ(timeout.probe->space, Space::initial);
    CHECK_EQ(timeout.probe->packets, 1);
    r.loss.on_handshake_keys(at(170));
    CHECK_EQ(r.timeout(170 + 240).probe->space, Space::handshake);
    r.send(420, Space::handshake);
    r.ack(460, {{0, 1}}, Space::handshake);
    CHECK(r.loss.next_timeout().is_never());
  }

  TEST_CASE("0-RTT packets in flight do not keep a client from its anti-deadlock probe (RFC 9002 §6.2.2.1)") {
    Recovery r(Role::client, false);
    r.send(0, Space::initial);
    r.send(0);
    r.ack(40, {{0, 1}}, Space::initial);
    CHECK_EQ(r.loss.next_timeout(), at(40 + 120));
    CHECK(r.timeout(160).probe->anti_deadlock);
  }

  TEST_CASE("ACKs of Initial packets do not reset a client's backoff (RFC 9002 §6.2.1)") {
    Recovery r(Role::client, false);
    r.send(0, Space::initial);
    CHECK(r.timeout(999).probe);
    r.send(1000, Space::initial);
    r.ack(1040, {{0, 2}}, Space::initial);
    CHECK_EQ(r.loss.pto_count(), 1);
    r.send(1040, Space::handshake);
    r.ack(1080, {{0, 1}}, Space::handshake);
    CHECK_EQ(r.loss.pto_count(), 0);
    Recovery server(Role::server, false);
    server.send(0, Space::initial);
    CHECK(server.timeout(999).probe);
    server.ack(1040, {{0, 1}}, Space::initial);
    CHECK_EQ(server.loss.pto_count(), 0);
  }

  TEST_CASE("a server at its amplification limit arms no timer, and runs a late one at once (RFC 9002 §6.2.2.1)") {
    Recovery r(Role::server, false);
    r.send(0, Space::initial);
    r.loss.set_amplification_limited(at(1), true);
    CHECK(r.loss.next_timeout().is_never());
    r.loss.set_amplification_limited(at(5000), false);
    CHECK_EQ(r.loss.next_timeout(), at(999));
    CHECK(r.timeout(5000).probe);
  }

  TEST_CASE("discarding keys removes packets from flight and resets the timers (RFC 9002 §6.2.2, §6.4)") {
    Recovery r(Role::client, false);
    r.send(0, Space::initial);
    r.send(0, Space::initial);
    r.send(1, Space::handshake);
    CHECK(r.timeout(999).probe);
    r.loss.discard_space(at(1000), Space::initial);
    CHECK_EQ(r.path.bytes_in_flight, 1000);
    CHECK_EQ(r.loss.pto_count(), 0);
    CHECK_EQ(r.loss.next_timeout(), at(1 + 999));
    CHECK_EQ(r.loss.next_packet_number(Space::initial), 2);
    CHECK(r.outcomes.empty());
    CHECK_EQ(r.ack(1001, {{0, 2}}, Space::initial).newly_acked, 0);
  }

  TEST_CASE("rejected 0-RTT packets are discarded, not lost (RFC 9002 §6.4)") {
    Recovery r(Role::client, false);
    r.send_packet(0, {.size = 500, .ack_eliciting = true, .in_flight = true, .is_zero_rtt = true});
    r.send(1);
    r.loss.discard_zero_rtt(at(2));
    r.poll();
    CHECK_EQ(r.numbers(Kind::discarded), Numbers{0});
    CHECK_EQ(r.path.bytes_in_flight, 1000);
    CHECK(r.lost().empty());
  }

  TEST_CASE("a Retry resets recovery and leaves packet numbers alone (RFC 9002 §6.3, RFC 9000 §17.2.5.3)") {
    Recovery r(Role::client, false);
    r.send(0, Space::initial);
    r.send(0);
    CHECK(r.timeout(999).probe);
    r.loss.on_retry(at(1000));
    r.poll();
    CHECK_EQ(r.numbers(Kind::discarded).size(), 2);
    CHECK_EQ(r.path.bytes_in_flight, 0);
    CHECK_EQ(r.loss.pto_count(), 0);
    CHECK_EQ(r.loss.next_packet_number(Space::initial), 1);
    CHECK_EQ(r.loss.next_timeout(), at(1000 + 999));
  }

  TEST_CASE("reported delays of Initial packets are not believed, of Handshake packets without limit (RFC 9002 §5.3)") {
    Recovery r(Role::client, false);
    r.send(0, Space::initial);
    r.ack(40, {{0, 1}}, Space::initial);
    r.send(40, Space::initial);
    r.ack(120, {{1, 2}}, Space::initial, ms(40));
    CHECK_EQ(r.path.rtt.smoothed_rtt(), ms(45));
    r.send(120, Space::handshake);
    r.ack(205, {{0, 1}}, Space::handshake, ms(40));  // adjusted to 45
    CHECK_EQ(r.path.rtt.smoothed_rtt(), ms(45));
  }

  TEST_CASE("the example of RFC 9002 §7.6.3 is persistent congestion") {
    // Times in units of 1 s; smoothed_rtt + max(4*rttvar, kGranularity) + max_ack_delay is 2 by max_ack_delay.
    Recovery r;
    r.send(0);
    r.send(1000);
    r.ack(1200, {{0, 1}});  // a sample of 1.2 s: PTO base 3.6 s
    r.loss.set_max_ack_delay(Duration());
    for (const int time : {2, 3, 4, 5, 6, 8}) r.send(1000 * time);
    r.send(12'000);
    CHECK_EQ(r.path.bytes_in_flight, 8000);
    const AckSummary slow = r.ack(12'200, {{8, 9}});
    CHECK_EQ(slow.lost.packets, 6 + 1);
    // Packets 3 to 8 (1 was sent before the first sample) span 6 s. The sample of 0.2 s brings the PTO base to
    // smoothed 1.075 s and 4 * rttvar 2.8 s: 3 * 3.875 s are not exceeded.
    CHECK_FALSE(slow.lost.persistent_congestion);

    Recovery fast;
    fast.send(0);
    fast.ack(400, {{0, 1}});  // 400 + 800 + 25
    for (const int time : {1, 2, 3, 4, 5, 6, 8}) fast.send(1000 * time);
    fast.send(12'000);
    const AckSummary summary = fast.ack(12'400, {{8, 9}});
    CHECK_EQ(summary.lost.packets, 7);
    CHECK(summary.lost.persistent_congestion);  // 7 s > 3 * (400 + 600 + 25)
    CHECK_EQ(fast.path.rtt.min_rtt(), fast.path.rtt.latest_rtt());
  }

  TEST_CASE("an acknowledged packet between two losses denies persistent congestion (RFC 9002 §7.6.2)") {
    Recovery r;
    r.send(0);
    r.ack(40, {{0, 1}});
    for (int i = 0; i < 11; i++) r.send(1000 + 60 * i);  // 1 to 11; 375 ms are persistent
    r.send(3000);
    SUBCASE("none") { CHECK(r.ack(3040, {{12, 13}}).lost.persistent_congestion); }
    SUBCASE("in the middle") { CHECK_FALSE(r.ack(3040, {{12, 13}, {6, 7}}).lost.persistent_congestion); }
    SUBCASE("near the end") { CHECK(r.ack(3040, {{12, 13}, {11, 12}}).lost.persistent_congestion); }
    SUBCASE("in another space") {
      r.loss.on_packet_sent(Space::handshake,
                            {.time_sent = at(1290), .size = 100, .path = 0, .ack_eliciting = true, .in_flight = true});
      r.ack(3040, {{0, 1}}, Space::handshake);
      CHECK_FALSE(r.ack(3040, {{12, 13}}).lost.persistent_congestion);
    }
  }

  TEST_CASE("packets that are not ack-eliciting establish no persistent congestion (RFC 9002 §7.6.2)") {
    Recovery r;
    r.send(0);
    r.ack(40, {{0, 1}});
    r.send_packet(100, {.size = 1000, .in_flight = true});
    r.send_packet(5000, {.size = 1000, .in_flight = true});
    for (int i = 0; i < 3; i++) r.send(5001);
    const AckSummary summary = r.ack(5040, {{3, 6}});
    CHECK_EQ(summary.lost.packets, 2);
    CHECK_FALSE(summary.lost.persistent_congestion);
  }

  TEST_CASE("a late ACK is told from a new one, widens the thresholds and can be undone (RFC 9002 §6.1)") {
    Recovery r;
    for (int i = 0; i < 8; i++) r.send(0);
    CHECK_EQ(r.ack(50, {{7, 8}, {2, 5}}).lost.packets, 2);  // 0 and 1; 5 and 6 are within 9/8 RTT
    const AckSummary half = r.ack(51, {{7, 8}, {1, 5}});
    CHECK_EQ(half.spurious_packets, 1);
    CHECK_EQ(half.newly_acked, 0);
    CHECK_FALSE(half.undo);
    CHECK_EQ(r.loss.packet_threshold(), 7);
    CHECK_EQ(r.loss.time_threshold_eighths(), 10);
    const AckSummary whole = r.ack(52, {{7, 8}, {0, 5}});
    CHECK(whole.undo);
    CHECK_EQ(r.numbers(Kind::acked_late), Numbers{1, 0});
    CHECK_EQ(r.loss.packet_threshold(), 8);
    CHECK_EQ(r.path.bytes_in_flight, 2000);
    CHECK_EQ(r.path.delivery_rate.delivered(), 6000);
    // Reordering as wide as that is no loss any more.
    for (int i = 0; i < 8; i++) r.send(100);
    CHECK_EQ(r.ack(120, {{15, 16}}).lost.packets, 2);  // 5 and 6 by time; 8 is only seven numbers away
    CHECK_EQ(r.loss.ack_eliciting_in_flight(Space::application), 7);
  }

  TEST_CASE("thresholds have limits") {
    Recovery r;
    for (int round = 0; round < 20; round++) {
      const PacketNumber first = r.loss.next_packet_number(Space::application);
      for (int i = 0; i < 600; i++) r.send(1000 * round);
      r.ack(1000 * round + 50, {{first + 599, first + 600}});
      r.ack(1000 * round + 51, {{first, first + 600}});
    }
    CHECK_EQ(r.loss.packet_threshold(), kPacketThresholdMax);
    CHECK_EQ(r.loss.time_threshold_eighths(), kTimeThresholdEighthsMax);
  }

  TEST_CASE("lost MTU probes are reported, and are no congestion (RFC 9000 §14.4)") {
    Recovery r;
    r.send_packet(0, {.size = 1400, .ack_eliciting = true, .in_flight = true, .is_mtu_probe = true});
    for (int i = 0; i < 3; i++) r.send(0);
    const AckSummary summary = r.ack(50, {{1, 4}});
    CHECK_EQ(summary.lost.packets, 0);
    CHECK_EQ(r.lost(), Numbers{0});
    CHECK(r.outcomes.back().is_mtu_probe);
    CHECK_EQ(r.path.bytes_in_flight, 0);
  }

  TEST_CASE("packets of another path count for no estimate of this one (RFC 9000 §9.4)") {
    Recovery r;
    PathRecovery other;
    const uint8_t id = r.loss.add_path(other).value();
    for (int i = 0; i < 4; i++) r.send(0);
    r.loss.set_current_path(at(1), id);
    r.send_packet(10, {.size = 700, .path = id, .ack_eliciting = true, .in_flight = true});
    CHECK_EQ(r.path.bytes_in_flight, 4000);
    CHECK_EQ(other.bytes_in_flight, 700);
    const AckSummary summary = r.ack(100, {{3, 4}});
    CHECK_EQ(summary.newly_acked, 1);
    CHECK_EQ(summary.bytes_acked, 0);
    CHECK_FALSE(summary.rtt_sample);
    CHECK_EQ(summary.lost.packets, 0);
    CHECK_EQ(r.lost(), Numbers{0});
    CHECK_EQ(r.path.bytes_in_flight, 2000);
    CHECK_FALSE(other.rtt.has_sample());
    r.loss.remove_path(r.path_id);
    CHECK_EQ(r.ack(110, {{1, 5}}).bytes_acked, 700);
    CHECK_EQ(other.bytes_in_flight, 0);
  }

  TEST_CASE("acknowledged bytes are split at the start of recovery (RFC 9002 §7.3.2)") {
    Recovery r;
    r.send(0);
    r.send(10);
    r.send(20);
    r.path.recovery_start = at(10);
    const AckSummary summary = r.ack(60, {{0, 3}});
    CHECK_EQ(summary.bytes_acked, 3000);
    CHECK_EQ(summary.bytes_acked_after_recovery_start, 1000);
    CHECK_EQ(summary.newest_time_sent, at(20));
  }

  TEST_CASE("a sender of nothing but ACKs keeps a bounded number of them") {
    Recovery r;
    for (int i = 0; i < 100'000; i++) r.send_ack_only(i);
    CHECK_LE(r.loss.sent_packets(Space::application).size(), kAckOnlyPacketsMax);
    CHECK(r.loss.next_timeout().is_never());
    CHECK_EQ(r.path.bytes_in_flight, 0);
  }

  TEST_CASE("a ring that is full gives up its oldest packet for lost (RFC 9000 §13.3)") {
    Recovery r;
    for (size_t i = 0; i < kSentPacketsMax + 3; i++) r.send(0);
    r.poll();
    CHECK_EQ(r.lost(), Numbers{0, 1, 2});
    CHECK_EQ(r.path.bytes_in_flight, 1000 * kSentPacketsMax);
    CHECK_EQ(r.ack(50, {{kSentPacketsMax + 2, kSentPacketsMax + 3}}).lost.packets, kSentPacketsMax - 1 - 2 + 3);
  }

  TEST_CASE("lost packets are forgotten after a PTO, and their tokens with them (RFC 9000 §13.3)") {
    Recovery r;
    TokenRing<uint32_t> tokens(100);
    for (uint32_t i = 0; i < 5; i++) {
      REQUIRE(tokens.push(10 * i));
      REQUIRE(tokens.push(10 * i + 1));
      r.send_packet(0, {.size = 100, .tokens = tokens.take(), .ack_eliciting = true, .in_flight = true});
    }
    r.ack(50, {{1, 5}});
    REQUIRE_EQ(r.lost(), Numbers{0});
    const TokenRange range = r.outcomes.back().tokens;
    CHECK_EQ(range.count, 2);
    CHECK_EQ(tokens[range.begin + 1], 1);
    tokens.release_below(r.loss.first_token(Space::application));
    CHECK_EQ(tokens.size(), 10);
    REQUIRE(tokens.push(50));
    r.send_packet(400, {.size = 100, .tokens = tokens.take(), .ack_eliciting = true, .in_flight = true});
    r.ack(450, {{5, 6}});
    tokens.release_below(r.loss.first_token(Space::application));
    CHECK_EQ(tokens.size(), 0);
  }

  TEST_CASE("trim() keeps what is in flight, and forgets packets that nobody has to acknowledge") {
    Recovery r;
    r.send(0);
    r.send(0);
    for (int i = 0; i < 20; i++) r.send_ack_only(10);
    r.ack(50, {{0, 1}});
    r.loss.trim();
    CHECK_EQ(r.loss.sent_packets(Space::application).size(), 21);  // behind the one in flight
    CHECK_EQ(r.path.bytes_in_flight, 1000);
    r.ack(60, {{1, 2}});
    r.loss.trim();
    CHECK(r.loss.sent_packets(Space::application).empty());
    CHECK_EQ(r.path.bytes_in_flight, 0);
    CHECK_EQ(r.ack(70, {{0, 22}}).newly_acked, 0);
    CHECK_EQ(r.send(80), 22);
    CHECK_EQ(r.ack(90, {{22, 23}}).newly_acked, 1);
  }

  TEST_CASE("trim() ends the spaces of the handshake once they are discarded and it is confirmed") {
    Recovery r(Role::client, false);
    r.send(0, Space::initial);
    r.send(1, Space::handshake);
    r.loss.trim();
    CHECK(r.loss.has_space(Space::initial));
    CHECK_EQ(r.path.bytes_in_flight, 2000);
    r.loss.discard_space(at(2), Space::initial);
    r.loss.on_handshake_confirmed(at(3));
    r.loss.trim();
    CHECK(r.loss.has_space(Space::handshake));
    r.loss.discard_space(at(4), Space::handshake);
    r.loss.trim();
    CHECK_FALSE(r.loss.has_space(Space::initial));
    CHECK_FALSE(r.loss.has_space(Space::handshake));
    CHECK_EQ(r.path.bytes_in_flight, 0);
    CHECK(r.loss.next_timeout().is_never());
    // Loss and timers go on with one space.
    for (int i = 0; i < 4; i++) r.send(10);
    r.ack(50, {{3, 4}});
    CHECK_EQ(r.lost(), Numbers{0});
    CHECK_FALSE(r.timeout(60).probe);
    r.send(1000);
    CHECK(r.timeout(10'000).probe);
  }

  TEST_CASE("losses are told by ranges of packet numbers, and when they are excessive") {
    Recovery r;
    for (int i = 0; i < 60; i++) r.send(i < 30 ? 0 : 1);
    const LossSummary one = r.ack(50, {{5, 6}}).lost;  // 0 to 2
    CHECK_EQ(one.packets, 3);
    CHECK_EQ(one.ranges, 1);
    CHECK(one.excess);                                              // of the 3000 bytes in flight when it was sent
    const LossSummary more = r.ack(51, {{20, 21}, {11, 13}}).lost;  // 3 and 4, as before; 6 to 10; 13 to 17
    CHECK_EQ(more.ranges, 2);
  }
}
