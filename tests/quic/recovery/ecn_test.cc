#include "quic/recovery/ecn.h"

#include "tests/quic/recovery/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at;
using tests::ms;
using State = EcnValidator::State;

namespace {

void send(EcnValidator& ecn, int count, int64_t now = 0) {
  for (int i = 0; i < count; i++) ecn.on_packet_sent(at(now), Space::application, ecn.mark(), ms(100));
}
bool ack(EcnValidator& ecn, uint32_t ect0_acked, std::optional<EcnCounts> counts, bool largest_increased = true) {
  return ecn.on_ack({.space = Space::application,
                     .counts = counts,
                     .ect0_acked = ect0_acked,
                     .largest_increased = largest_increased});
}

}  // namespace

TEST_SUITE("quic ecn") {
  TEST_CASE("ten packets test a path, then marking waits for an ACK (RFC 9000 §13.4.2, §A.4)") {
    EcnValidator ecn;
    CHECK(ecn.mark() == Ecn::ect0);
    send(ecn, 9);
    CHECK(ecn.state() == State::testing);
    send(ecn, 1);
    CHECK(ecn.state() == State::unknown);
    CHECK(ecn.mark() == Ecn::not_ect);
    CHECK_FALSE(ack(ecn, 10, EcnCounts{.ect0 = 10}));
    CHECK(ecn.state() == State::capable);
    CHECK(ecn.mark() == Ecn::ect0);
  }

  TEST_CASE("the test ends after three PTOs (RFC 9000 §13.4.2)") {
    EcnValidator ecn;
    send(ecn, 1, 0);
    send(ecn, 1, 299);
    CHECK(ecn.state() == State::testing);
    send(ecn, 1, 300);
    CHECK(ecn.state() == State::unknown);
  }

  TEST_CASE("an ACK without marked packets does not make a path capable (RFC 9000 §A.4)") {
    EcnValidator ecn;
    send(ecn, 10);
    ack(ecn, 0, std::nullopt);
    CHECK(ecn.state() == State::unknown);
  }

  TEST_CASE("CE that grows is congestion, once (RFC 9002 §7.1)") {
    EcnValidator ecn;
    send(ecn, 10);
    CHECK(ack(ecn, 5, EcnCounts{.ect0 = 4, .ce = 1}));
    CHECK_FALSE(ack(ecn, 5, EcnCounts{.ect0 = 9, .ce = 1}));
    CHECK(ecn.state() == State::capable);
  }

  TEST_CASE("each breach of RFC 9000 §13.4.2.1 ends marking (§13.4.2.2)") {
    EcnValidator ecn;
    send(ecn, 10);
    REQUIRE_FALSE(ack(ecn, 5, EcnCounts{.ect0 = 5}));
    REQUIRE(ecn.state() == State::capable);
    SUBCASE("no counts with marked packets") { ack(ecn, 1, std::nullopt); }
    SUBCASE("too small an increase") { ack(ecn, 3, EcnCounts{.ect0 = 7}); }
    SUBCASE("a count that shrinks") { ack(ecn, 0, EcnCounts{.ect0 = 4, .ce = 6}); }
    SUBCASE("more than was sent") { ack(ecn, 1, EcnCounts{.ect0 = 11}); }
    SUBCASE("ECT(1), which was never sent") { ack(ecn, 1, EcnCounts{.ect0 = 6, .ect1 = 1}); }
    CHECK(ecn.state() == State::failed);
    CHECK(ecn.mark() == Ecn::not_ect);
    CHECK_FALSE(ack(ecn, 0, EcnCounts{.ect0 = 10, .ce = 100}));
    ecn.start();
    CHECK(ecn.mark() == Ecn::ect0);
  }

  TEST_CASE("an ACK that came out of order fails nothing (RFC 9000 §13.4.2.1)") {
    EcnValidator ecn;
    send(ecn, 10);
    ack(ecn, 5, EcnCounts{.ect0 = 5});
    CHECK_FALSE(ack(ecn, 2, std::nullopt, false));
    CHECK_FALSE(ack(ecn, 2, EcnCounts{.ect0 = 2, .ce = 50}, false));
    CHECK(ecn.state() == State::capable);
  }

  TEST_CASE("lost ACKs let counts grow by more than is newly acknowledged (RFC 9000 §13.4.2.1)") {
    EcnValidator ecn;
    send(ecn, 10);
    ack(ecn, 2, EcnCounts{.ect0 = 9});
    CHECK(ecn.state() == State::capable);
  }

  TEST_CASE("a path on which all marked packets are lost, or all marked CE, fails (RFC 9000 §13.4.2, §A.4)") {
    EcnValidator lossy;
    send(lossy, 10);
    lossy.on_lost(9);
    CHECK(lossy.state() == State::unknown);
    lossy.on_lost(1);
    CHECK(lossy.state() == State::failed);
    EcnValidator all_ce;
    send(all_ce, 10);
    CHECK_FALSE(ack(all_ce, 10, EcnCounts{.ce = 10}));
    CHECK(all_ce.state() == State::failed);
  }

  TEST_CASE("each packet number space has its own counts (RFC 9000 §13.4.1)") {
    EcnValidator ecn;
    ecn.on_packet_sent(at(0), Space::initial, Ecn::ect0, ms(100));
    send(ecn, 9);
    ecn.on_ack({.space = Space::initial, .counts = EcnCounts{.ect0 = 1}, .ect0_acked = 1, .largest_increased = true});
    ack(ecn, 1, EcnCounts{.ect0 = 1});
    CHECK(ecn.state() == State::capable);
  }

  TEST_CASE("a socket that cannot mark never tries") {
    EcnValidator ecn(false);
    CHECK(ecn.mark() == Ecn::not_ect);
    ecn.start();
    CHECK(ecn.state() == State::failed);
  }
}
