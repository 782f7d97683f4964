#include "quic/path/remote_connection_ids.h"

#include "tests/quic/path/support.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::frames_of;
using tests::id_of;
using tests::is_error;
using tests::token_of;
using tests::write_packet;
using tests::WrittenPacket;

namespace {

struct Fixture {
  /// The peer's ids: number n has the id and the token 100 + n.
  Result<void> receive(uint64_t number, uint64_t retire_prior_to = 0) {
    return ids.on_frame(frame(number, retire_prior_to));
  }
  static NewConnectionIdFrame frame(uint64_t number, uint64_t retire_prior_to = 0) {
    return {.sequence_number = number,
            .retire_prior_to = retire_prior_to,
            .connection_id = id_of(100 + number),
            .stateless_reset_token = token_of(100 + number)};
  }
  /// Writes a packet; the numbers that it retires.
  std::vector<uint64_t> retirements(size_t room = 1000) {
    packet = write_packet(ids, room);
    std::vector<uint64_t> numbers;
    for (const auto& retired : frames_of<RetireConnectionIdFrame>(packet)) numbers.push_back(retired.sequence_number);
    return numbers;
  }
  void ack() {
    for (const FrameToken& token : packet.tokens) ids.on_acked(token);
  }
  void lose() {
    for (const FrameToken& token : packet.tokens) ids.on_lost(token);
  }
  /// The changes of tokens, as their numbers, negative for those removed.
  std::vector<int64_t> token_changes() {
    std::vector<int64_t> changes;
    while (const auto change = ids.poll_token_change()) {
      const auto number = static_cast<int64_t>(load_be<uint64_t>(change->token.data() + 8));
      changes.push_back(change->added ? number : -number);
    }
    return changes;
  }
  bool knows(uint64_t token) const { return ids.is_reset_token(token_of(token)); }

  RemoteConnectionIds ids{id_of(100)};
  WrittenPacket packet;
};

using Numbers = std::vector<uint64_t>;
using Changes = std::vector<int64_t>;

}  // namespace

TEST_SUITE("quic remote connection ids") {
  // RFC 9000 §5.1.1
  TEST_CASE("the first path takes the initial id, sequence number 0") {
    Fixture f;
    CHECK(f.ids.has_unused());
    const auto id = f.ids.take();
    REQUIRE(id);
    CHECK_EQ(id->sequence_number, 0);
    CHECK(id->id == id_of(100));
    CHECK_FALSE(id->reset_token);
    CHECK_FALSE(f.ids.has_unused());
    CHECK_FALSE(f.ids.take());
    CHECK_FALSE(f.ids.uses_zero_length());
  }

  // RFC 9000 §7.2
  TEST_CASE("the peer's own choice replaces the id that a client invents") {
    Fixture f;
    f.ids.take();
    f.ids.replace_initial(id_of(55));
    CHECK(f.ids.find(0)->id == id_of(55));
    CHECK_FALSE(f.ids.has_unused());
    f.ids.replace_initial({});
    CHECK(f.ids.uses_zero_length());
  }

  // RFC 9000 §5.1.1, §9.5
  TEST_CASE("each path takes an id of its own, in order") {
    Fixture f;
    f.ids.take();
    REQUIRE(f.receive(2));
    REQUIRE(f.receive(1));
    const auto one = f.ids.take();
    const auto two = f.ids.take();
    REQUIRE(one);
    REQUIRE(two);
    CHECK_EQ(one->sequence_number, 1);
    CHECK(one->id == id_of(101));
    CHECK_EQ(one->reset_token, token_of(101));
    CHECK_EQ(two->sequence_number, 2);
    CHECK_FALSE(f.ids.take());
  }

  // RFC 9000 §5.1.2, §19.16
  TEST_CASE("an id that a path lets go of is retired and never taken again") {
    Fixture f;
    f.ids.take();
    REQUIRE(f.receive(1));
    f.ids.take();
    CHECK_FALSE(f.ids.wants_to_send());
    f.ids.release(0);
    CHECK(f.ids.wants_to_send());
    CHECK_EQ(f.retirements(), Numbers{0});
    CHECK_FALSE(f.ids.wants_to_send());
    CHECK_FALSE(f.ids.take());
    CHECK_FALSE(f.ids.find(0));
    f.ids.release(0);
    f.ids.release(77);
    CHECK_FALSE(f.ids.wants_to_send());
  }

  TEST_CASE("what no path has taken cannot be released") {
    Fixture f;
    REQUIRE(f.receive(1));
    f.ids.release(1);
    CHECK_FALSE(f.ids.wants_to_send());
    CHECK(f.ids.find(1));
  }

  // RFC 9000 §13.3
  TEST_CASE("a lost retirement is repeated until it is acknowledged") {
    Fixture f;
    f.ids.take();
    f.ids.release(0);
    f.retirements();
    const WrittenPacket first = f.packet;
    f.lose();
    CHECK_EQ(f.retirements(), Numbers{0});
    f.ack();
    CHECK_EQ(f.ids.retirement_count(), 0);
    for (const FrameToken& token : first.tokens) f.ids.on_lost(token);
    CHECK_FALSE(f.ids.wants_to_send());
  }

  TEST_CASE("retirements that do not fit wait for the next packet") {
    Fixture f;
    for (uint64_t n = 1; n < 4; n++) REQUIRE(f.receive(n));
    for (int i = 0; i < 4; i++) f.ids.take();
    for (uint64_t n = 0; n < 4; n++) f.ids.release(n);
    CHECK_EQ(f.retirements(5), Numbers{0, 1});
    CHECK_EQ(f.retirements(1), Numbers{});
    CHECK_EQ(f.retirements(), Numbers{2, 3});
  }

  // RFC 9000 §19.15
  TEST_CASE("the same frame again is no error, before and after its id is retired") {
    Fixture f;
    f.ids.take();
    REQUIRE(f.receive(1));
    for (int i = 0; i < 3; i++) CHECK(f.receive(1));
    CHECK_EQ(f.ids.active_count(), 2);
    f.ids.take();
    CHECK(f.receive(1));
    f.ids.release(1);
    for (int i = 0; i < 3; i++) CHECK(f.receive(1));
    CHECK_EQ(f.retirements(), Numbers{1});
    f.ack();
    CHECK(f.receive(1));
    CHECK_FALSE(f.ids.has_unused());
    CHECK_FALSE(f.ids.wants_to_send());
  }

  // RFC 9000 §19.15
  TEST_CASE("a sequence number with another id is PROTOCOL_VIOLATION") {
    Fixture f;
    REQUIRE(f.receive(1));
    NewConnectionIdFrame frame = Fixture::frame(1);
    frame.connection_id = id_of(7);
    CHECK(is_error(f.ids.on_frame(frame), TransportError::protocol_violation));
    frame = Fixture::frame(0);
    frame.connection_id = id_of(7);
    CHECK(is_error(f.ids.on_frame(frame), TransportError::protocol_violation));
  }

  // RFC 9000 §19.15
  TEST_CASE("an id with another sequence number is PROTOCOL_VIOLATION, the initial one too") {
    Fixture f;
    REQUIRE(f.receive(1));
    NewConnectionIdFrame frame = Fixture::frame(2);
    frame.connection_id = id_of(101);
    CHECK(is_error(f.ids.on_frame(frame), TransportError::protocol_violation));
    frame.connection_id = id_of(100);
    CHECK(is_error(f.ids.on_frame(frame), TransportError::protocol_violation));
    CHECK_EQ(f.ids.on_frame(frame).error().frame_type, 0x18);
  }

  // RFC 9000 §19.15, §10.3.2
  TEST_CASE("an id with another reset token, or a token of another id, is PROTOCOL_VIOLATION") {
    Fixture f;
    f.ids.set_initial_reset_token(token_of(100));
    REQUIRE(f.receive(1));
    NewConnectionIdFrame frame = Fixture::frame(1);
    frame.stateless_reset_token = token_of(9);
    CHECK(is_error(f.ids.on_frame(frame), TransportError::protocol_violation));
    frame = Fixture::frame(2);
    frame.stateless_reset_token = token_of(101);
    CHECK(is_error(f.ids.on_frame(frame), TransportError::protocol_violation));
    frame.stateless_reset_token = token_of(100);
    CHECK(is_error(f.ids.on_frame(frame), TransportError::protocol_violation));
    CHECK(f.receive(0));  // the initial id again, as it was
  }

  // RFC 9000 §19.15
  TEST_CASE("a new id beside a zero-length one is PROTOCOL_VIOLATION") {
    RemoteConnectionIds ids{ConnectionId()};
    CHECK(ids.uses_zero_length());
    CHECK(is_error(ids.on_frame(Fixture::frame(1)), TransportError::protocol_violation));
  }

  // RFC 9000 §5.1.1, §19.16
  TEST_CASE("a zero-length id serves every path and is never retired") {
    RemoteConnectionIds ids{ConnectionId()};
    ids.set_initial_reset_token(token_of(1));
    for (int i = 0; i < 5; i++) {
      const auto id = ids.take();
      REQUIRE(id);
      CHECK(id->id.empty());
      CHECK(ids.has_unused());
      ids.release(0);
    }
    CHECK_FALSE(ids.wants_to_send());
    CHECK_FALSE(ids.must_replace(0));
    CHECK(ids.is_reset_token(token_of(1)));
  }

  // RFC 9000 §5.1.1, §18.2
  TEST_CASE("more ids than active_connection_id_limit are CONNECTION_ID_LIMIT_ERROR") {
    Fixture f;
    for (uint64_t n = 1; n < kRemoteIdsMax; n++) REQUIRE(f.receive(n));
    CHECK_EQ(f.ids.active_count(), kRemoteIdsMax);
    CHECK(f.receive(3));
    CHECK(is_error(f.receive(kRemoteIdsMax), TransportError::connection_id_limit_error));
  }

  // RFC 9000 §5.1.1
  TEST_CASE("the limit counts what is left once the frame's retirements are done") {
    Fixture f;
    f.ids.take();
    for (uint64_t n = 1; n < kRemoteIdsMax; n++) REQUIRE(f.receive(n));
    CHECK(f.receive(8, 1));  // 0 is in use still, but no longer active
    CHECK_EQ(f.ids.active_count(), kRemoteIdsMax);
    CHECK(f.ids.must_replace(0));
    CHECK(is_error(f.receive(9, 1), TransportError::connection_id_limit_error));
  }

  // RFC 9000 §5.1.2, §19.15
  TEST_CASE("Retire Prior To retires unused ids at once, used ones when their paths have another") {
    Fixture f;
    f.ids.take();
    REQUIRE(f.receive(1));
    REQUIRE(f.receive(2));
    REQUIRE(f.receive(3, 3));
    CHECK_EQ(f.retirements(), Numbers{1, 2});
    CHECK(f.ids.must_replace(0));
    CHECK_FALSE(f.ids.must_replace(3));
    const auto next = f.ids.take();
    REQUIRE(next);
    CHECK_EQ(next->sequence_number, 3);
    f.ids.release(0);
    CHECK_EQ(f.retirements(), Numbers{0});
  }

  // RFC 9000 §9.6.2, §19.15
  TEST_CASE("Retire Prior To applies to the ids of the handshake and of preferred_address") {
    Fixture f;
    REQUIRE(f.ids.add_preferred(id_of(101), token_of(101)));
    REQUIRE(f.receive(2, 2));
    CHECK_EQ(f.retirements(), Numbers{0, 1});
  }

  // RFC 9000 §19.15
  TEST_CASE("a Retire Prior To that does not increase has no effect") {
    Fixture f;
    f.ids.take();
    REQUIRE(f.receive(5, 5));
    CHECK(f.receive(6, 2));
    CHECK(f.receive(7, 0));
    CHECK_EQ(f.ids.active_count(), 3);
    CHECK(f.ids.must_replace(4));
    CHECK_FALSE(f.ids.must_replace(5));
  }

  // RFC 9000 §19.15
  TEST_CASE("an id below an earlier Retire Prior To is retired as it arrives, once") {
    Fixture f;
    f.ids.take();
    REQUIRE(f.receive(5, 4));
    CHECK(f.receive(2));
    CHECK(f.receive(2));
    CHECK_FALSE(f.ids.find(2));
    CHECK_EQ(f.retirements(), Numbers{2});
    CHECK(f.receive(2));
    f.ack();
    CHECK(f.receive(2));
    CHECK_FALSE(f.ids.wants_to_send());
    CHECK_EQ(f.ids.active_count(), 1);
  }

  TEST_CASE("Retire Prior To may jump far ahead") {
    Fixture f;
    f.ids.take();
    CHECK(f.receive(kVarintMax, kVarintMax));
    CHECK(f.ids.must_replace(0));
    CHECK_EQ(f.ids.take()->sequence_number, kVarintMax);
    f.ids.release(0);
    f.ids.release(kVarintMax);
    CHECK_EQ(f.retirements(), Numbers{0, kVarintMax});
  }

  // RFC 9000 §5.1.1, §9.6, §18.2
  TEST_CASE("the id of preferred_address has sequence number 1") {
    Fixture f;
    f.ids.take();
    REQUIRE(f.ids.add_preferred(id_of(101), token_of(101)));
    CHECK(f.receive(1));  // repeated in a frame
    NewConnectionIdFrame frame = Fixture::frame(1);
    frame.stateless_reset_token = token_of(3);
    CHECK(is_error(f.ids.on_frame(frame), TransportError::protocol_violation));
    const auto id = f.ids.take();
    REQUIRE(id);
    CHECK_EQ(id->sequence_number, 1);
    CHECK(f.knows(101));
  }

  // RFC 9000 §18.2
  TEST_CASE("a preferred address with a zero-length id, or beside one, is TRANSPORT_PARAMETER_ERROR") {
    Fixture f;
    CHECK(is_error(f.ids.add_preferred({}, token_of(1)), TransportError::transport_parameter_error));
    CHECK(is_error(f.ids.add_preferred(id_of(100), token_of(1)), TransportError::transport_parameter_error));
    RemoteConnectionIds empty{ConnectionId()};
    CHECK(is_error(empty.add_preferred(id_of(1), token_of(1)), TransportError::transport_parameter_error));
  }

  // RFC 9000 §5.1.2
  TEST_CASE("at least twice the limit of retirements are tracked, and too many close the connection") {
    Fixture f;
    uint64_t n = 1;
    Result<void> result;
    while (result && n < 1000) {
      result = f.receive(n, n);
      n++;
    }
    CHECK(is_error(result, TransportError::connection_id_limit_error));
    CHECK_GE(f.ids.retirement_count(), 2 * kRemoteIdsMax);
    CHECK_EQ(f.ids.retirement_count(), kRetirementsMax + 1);
  }

  // RFC 9000 §5.1.2
  TEST_CASE("ids below Retire Prior To that are in use count among the retirements") {
    Fixture f;
    for (uint64_t n = 1; n < kRemoteIdsMax; n++) REQUIRE(f.receive(n));
    for (uint64_t i = 0; i < kRemoteIdsMax; i++) f.ids.take();
    Result<void> result = f.receive(kRemoteIdsMax, kRemoteIdsMax);
    uint64_t n = kRemoteIdsMax + 1;
    for (; result && n < 1000; n++) result = f.receive(n, n);
    CHECK(is_error(result, TransportError::connection_id_limit_error));
    CHECK_EQ(f.ids.retirement_count() + kRemoteIdsMax, kRetirementsMax + 1);
  }

  // RFC 9000 §5.1.1
  TEST_CASE("a peer that leaves gaps in its sequence numbers is found out, whatever is acknowledged") {
    Fixture f;
    Result<void> result;
    int received = 0;
    for (uint64_t n = 2; result; n += 2, received++) {
      REQUIRE_LT(received, 1000);
      result = f.receive(n, n);
      f.retirements();
      f.ack();
    }
    CHECK(is_error(result, TransportError::protocol_violation));
    CHECK_GE(received, 4 * kRemoteIdsMax);
  }

  // RFC 9000 §10.3.1
  TEST_CASE("only tokens of ids in use are known") {
    Fixture f;
    f.ids.set_initial_reset_token(token_of(100));
    CHECK_FALSE(f.knows(100));
    f.ids.take();
    CHECK(f.knows(100));
    REQUIRE(f.receive(1));
    CHECK_FALSE(f.knows(101));
    f.ids.take();
    CHECK(f.knows(101));
    f.ids.release(0);
    CHECK_FALSE(f.knows(100));
    CHECK(f.knows(101));
    StatelessResetToken token = token_of(101);
    for (uint8_t& byte : token) {
      byte ^= 1;
      CHECK_FALSE(f.ids.is_reset_token(token));
      byte ^= 1;
    }
    CHECK_FALSE(f.ids.is_reset_token(Bytes(token).first(15)));
    f.ids.forget_all_tokens();
    CHECK_FALSE(f.knows(101));
  }

  // RFC 9000 §10.3.1
  TEST_CASE("the endpoint is told of tokens as they come and go") {
    Fixture f;
    CHECK_EQ(f.token_changes(), Changes{});
    f.ids.take();
    CHECK_EQ(f.token_changes(), Changes{});  // a client's first id has no token
    f.ids.set_initial_reset_token(token_of(100));
    CHECK_EQ(f.token_changes(), Changes{100});
    REQUIRE(f.receive(1));
    CHECK_EQ(f.token_changes(), Changes{});
    f.ids.take();
    CHECK_EQ(f.token_changes(), Changes{101});
    f.ids.release(0);
    f.retirements();
    f.ack();
    CHECK_EQ(f.token_changes(), Changes{-100});  // though acknowledged before it was polled
    CHECK_EQ(f.ids.retirement_count(), 0);
    f.ids.forget_all_tokens();
    f.ids.release(1);
    CHECK_EQ(f.token_changes(), Changes{-101});
    CHECK_EQ(f.token_changes(), Changes{});
  }

  TEST_CASE("a token that comes and goes between two polls is no change") {
    Fixture f;
    f.ids.set_initial_reset_token(token_of(100));
    f.ids.take();
    f.ids.release(0);
    CHECK_EQ(f.token_changes(), Changes{});
    REQUIRE(f.receive(1));
    f.ids.take();
    f.ids.forget_all_tokens();
    CHECK_EQ(f.token_changes(), Changes{});
  }

  // RFC 9000 §21.9
  TEST_CASE("a flood of new ids leaves memory flat") {
    Fixture f;
    f.ids.take();
    uint64_t used = 0;
    size_t bytes = 0;
    for (uint64_t n = 1; n < 5000; n++) {
      REQUIRE(f.receive(n, n));
      REQUIRE(f.receive(n, n));
      const auto next = f.ids.take();
      REQUIRE(next);
      f.ids.release(used);
      used = next->sequence_number;
      f.packet = write_packet(f.ids);
      f.ack();
      while (f.ids.poll_token_change()) continue;
      f.packet = {};
      if (n == 20) bytes = tests::heap_bytes();
      if (n > 20) REQUIRE_EQ(tests::heap_bytes(), bytes);
    }
  }
}
