#include "quic/path/local_connection_ids.h"

#include <set>

#include "tests/quic/path/support.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::frames_of;
using tests::is_error;
using tests::write_packet;
using tests::WrittenPacket;
using Kind = ConnectionIdChange::Kind;

namespace {

struct Fixture {
  explicit Fixture(uint64_t limit = 4, size_t size = 8) : generator(size), ids(source(), generator.generate(rng)) {
    if (limit != 0) ids.set_peer_limit(limit);
  }
  LocalConnectionIds::Source source() { return {.generator = &generator, .reset_tokens = &tokens, .rng = &rng}; }

  std::vector<ConnectionIdChange> changes() {
    std::vector<ConnectionIdChange> all;
    while (const auto change = ids.poll_change()) all.push_back(*change);
    return all;
  }
  /// Writes a packet; its NEW_CONNECTION_ID frames.
  std::vector<NewConnectionIdFrame> announce(size_t room = 1000) {
    packet = write_packet(ids, room);
    return frames_of<NewConnectionIdFrame>(packet);
  }
  void ack() {
    for (const FrameToken& token : packet.tokens) ids.on_acked(token);
  }
  void lose() {
    for (const FrameToken& token : packet.tokens) ids.on_lost(token);
  }
  /// The peer retires an id in a packet to another one.
  Result<void> retire(uint64_t sequence_number) {
    return ids.on_frame({.sequence_number = sequence_number}, tests::id_of(0xffff));
  }

  tests::SeededRng rng{1};
  tests::PlainResetTokens tokens;
  RandomConnectionIds generator;
  LocalConnectionIds ids;
  WrittenPacket packet;
};

/// Gives the same id again and again.
class StuckIds final : public ConnectionIdGenerator {
 public:
  size_t size() const override { return 8; }
  ConnectionId generate(Rng&) override { return tests::id_of(calls++ / 3); }
  uint64_t calls = 0;
};

}  // namespace

TEST_SUITE("quic local connection ids") {
  // RFC 9000 §5.1.1
  TEST_CASE("the initial id has sequence number 0 and is announced by its packets") {
    Fixture f(0);
    CHECK_EQ(f.ids.sequence_of(f.ids.initial()), 0);
    CHECK_FALSE(f.ids.wants_to_send());
    const auto changes = f.changes();
    REQUIRE_EQ(changes.size(), 1);
    CHECK(changes[0] == ConnectionIdChange{Kind::added, f.ids.initial()});
  }

  // RFC 9000 §5.1.1, §18.2
  TEST_CASE("no id is issued before the peer's limit is known, then as many as it takes, up to our own limit") {
    for (const uint64_t limit : {2, 3, 8, 9, 1000}) {
      Fixture f(0);
      CHECK(f.announce().empty());
      f.ids.set_peer_limit(limit);
      const auto frames = f.announce();
      CHECK_EQ(frames.size(), std::min<uint64_t>(limit, kLocalIdsMax) - 1);
      CHECK_EQ(f.ids.active_count(), frames.size() + 1);
      CHECK_FALSE(f.ids.wants_to_send());
    }
  }

  // RFC 9000 §5.1.1, §19.15
  TEST_CASE("sequence numbers increase by 1, ids differ, and each has its own token") {
    Fixture f(8);
    const auto frames = f.announce();
    std::set<StatelessResetToken> tokens;
    for (size_t i = 0; i < frames.size(); i++) {
      CHECK_EQ(frames[i].sequence_number, i + 1);
      CHECK_EQ(frames[i].retire_prior_to, 0);
      CHECK_EQ(f.ids.sequence_of(frames[i].connection_id), i + 1);
      CHECK_EQ(frames[i].stateless_reset_token, f.tokens.token_of(frames[i].connection_id));
      CHECK(tokens.insert(frames[i].stateless_reset_token).second);
    }
  }

  // RFC 9000 §5.1
  TEST_CASE("an id is never issued twice, though the generator repeats itself") {
    StuckIds generator;
    tests::SeededRng rng(1);
    tests::PlainResetTokens tokens;
    LocalConnectionIds ids({.generator = &generator, .reset_tokens = &tokens, .rng = &rng}, generator.generate(rng));
    ids.add_original_destination(tests::id_of(1));
    ids.set_peer_limit(4);
    std::set<uint64_t> seen = {load_be<uint64_t>(ids.initial().data()), 1};
    for (const auto& frame : frames_of<NewConnectionIdFrame>(write_packet(ids)))
      CHECK(seen.insert(load_be<uint64_t>(frame.connection_id.data())).second);
    CHECK_EQ(seen.size(), 5);
  }

  // RFC 9000 §5.1.1
  TEST_CASE("the endpoint learns of ids before the peer does") {
    Fixture f(3);
    CHECK_EQ(f.changes().size(), 3);  // nothing is written yet
    CHECK(f.changes().empty());
  }

  // RFC 9000 §5.1.1, §19.16
  TEST_CASE("an id that the peer retires is replaced, and routes no more") {
    Fixture f(3);
    const auto frames = f.announce();
    f.ack();
    f.changes();
    REQUIRE(f.retire(1));
    CHECK_FALSE(f.ids.sequence_of(frames[0].connection_id));
    const auto changes = f.changes();
    REQUIRE_EQ(changes.size(), 2);
    CHECK(changes[0] == ConnectionIdChange{Kind::removed, frames[0].connection_id});
    CHECK_EQ(changes[1].kind, Kind::added);
    const auto more = f.announce();
    REQUIRE_EQ(more.size(), 1);
    CHECK_EQ(more[0].sequence_number, 3);
    CHECK(more[0].connection_id == changes[1].id);
  }

  // RFC 9000 §5.1.2
  TEST_CASE("the initial id can be retired like any other") {
    Fixture f(2);
    f.announce();
    const ConnectionId initial = f.ids.initial();
    REQUIRE(f.retire(0));
    CHECK_FALSE(f.ids.sequence_of(initial));
    CHECK(f.ids.initial() == initial);
    CHECK_EQ(f.announce().size(), 1);
  }

  // RFC 9000 §19.16
  TEST_CASE("a retirement of a number never sent is PROTOCOL_VIOLATION, issued or not") {
    Fixture f(4);
    CHECK(is_error(f.retire(1), TransportError::protocol_violation));  // issued, not announced
    CHECK(is_error(f.retire(kVarintMax), TransportError::protocol_violation));
    f.announce();
    CHECK(f.retire(3));
    CHECK(is_error(f.retire(4), TransportError::protocol_violation));
    CHECK_EQ(f.retire(4).error().frame_type, 0x19);
  }

  // RFC 9000 §19.16
  TEST_CASE("a retirement of the id by which its packet came is PROTOCOL_VIOLATION") {
    Fixture f(4);
    const auto frames = f.announce();
    CHECK(
        is_error(f.ids.on_frame({.sequence_number = 1}, frames[0].connection_id), TransportError::protocol_violation));
    CHECK(is_error(f.ids.on_frame({.sequence_number = 0}, f.ids.initial()), TransportError::protocol_violation));
    CHECK(f.ids.on_frame({.sequence_number = 2}, frames[0].connection_id));
  }

  // RFC 9000 §13.3
  TEST_CASE("a retirement that is repeated changes nothing") {
    Fixture f(3);
    f.announce();
    REQUIRE(f.retire(1));
    f.announce();
    f.changes();
    for (int i = 0; i < 5; i++) CHECK(f.retire(1));
    CHECK(f.changes().empty());
    CHECK_FALSE(f.ids.wants_to_send());
    f.ack();
    CHECK(f.retire(1));
  }

  // RFC 9000 §5.1.1, §19.15
  TEST_CASE("with a zero-length id none is issued, whatever the peer takes") {
    Fixture f(8, 0);
    CHECK(f.ids.initial().empty());
    CHECK_FALSE(f.ids.wants_to_send());
    f.ids.rotate();
    CHECK(f.announce().empty());
    CHECK(f.changes().empty());
    CHECK_EQ(f.ids.sequence_of({}), 0);
    f.ids.retire_all();
    CHECK(f.changes().empty());
  }

  // RFC 9000 §19.16
  TEST_CASE("a retirement of a zero-length id is PROTOCOL_VIOLATION") {
    Fixture f(8, 0);
    CHECK(is_error(f.retire(0), TransportError::protocol_violation));
    CHECK(is_error(f.retire(1), TransportError::protocol_violation));
  }

  // RFC 9000 §5.1.1, §9.6, §18.2
  TEST_CASE("the id of a preferred address has sequence number 1 and counts towards the limit") {
    Fixture f(0);
    StatelessResetToken token{};
    const ConnectionId id = f.ids.issue_for_preferred_address(token);
    CHECK_EQ(f.ids.sequence_of(id), 1);
    CHECK_EQ(token, f.tokens.token_of(id));
    CHECK_EQ(f.changes().size(), 2);
    f.ids.set_peer_limit(3);
    const auto frames = f.announce();
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(frames[0].sequence_number, 2);
    CHECK(f.retire(1));  // it counts as sent
    CHECK_EQ(f.announce()[0].sequence_number, 3);
  }

  // RFC 9000 §13.3
  TEST_CASE("a lost announcement is repeated as it was, one that was acknowledged is not") {
    Fixture f(4);
    const auto first = f.announce();
    f.lose();
    CHECK(f.ids.wants_to_send());
    CHECK(f.announce() == first);
    const WrittenPacket repeated = f.packet;
    f.ack();
    CHECK_FALSE(f.ids.wants_to_send());
    for (const FrameToken& token : repeated.tokens) f.ids.on_lost(token);  // of the first packet, late
    CHECK_FALSE(f.ids.wants_to_send());
  }

  // RFC 9000 §13.3, §19.16
  TEST_CASE("a lost announcement of an id that the peer has retired is not repeated") {
    Fixture f(2);
    f.announce();
    const WrittenPacket first = f.packet;
    REQUIRE(f.retire(1));
    f.announce();
    for (const FrameToken& token : first.tokens) f.ids.on_lost(token);
    CHECK_FALSE(f.ids.wants_to_send());
  }

  TEST_CASE("frames that do not fit wait for the next packet, in order") {
    Fixture f(8);
    std::vector<uint64_t> numbers;
    for (int packets = 0; f.ids.wants_to_send(); packets++) {
      REQUIRE_LT(packets, 8);
      for (const auto& frame : f.announce(70)) numbers.push_back(frame.sequence_number);
    }
    CHECK(numbers == std::vector<uint64_t>{1, 2, 3});
    CHECK(f.announce(10).empty());
  }

  // RFC 9000 §5.1.1, §5.1.2
  TEST_CASE("a rotation announces a new set that retires the old one") {
    Fixture f(3);
    f.announce();
    f.ack();
    f.ids.rotate();
    CHECK_EQ(f.ids.active_count(), 6);  // the old ones are accepted until they are retired
    const auto frames = f.announce();
    REQUIRE_EQ(frames.size(), 3);
    for (size_t i = 0; i < frames.size(); i++) {
      CHECK_EQ(frames[i].sequence_number, 3 + i);
      CHECK_EQ(frames[i].retire_prior_to, 3);
    }
    CHECK_EQ(f.ids.sequence_of(f.ids.initial()), 0);
    for (uint64_t old = 0; old < 3; old++) REQUIRE(f.retire(old));
    CHECK_EQ(f.ids.active_count(), 3);
    CHECK_FALSE(f.ids.wants_to_send());  // the replacements are out already
  }

  // RFC 9000 §5.1.2
  TEST_CASE("Retire Prior To does not move on before the earlier one is obeyed") {
    Fixture f(2);
    f.announce();
    f.ids.rotate();
    f.announce();
    f.ids.rotate();
    f.ids.rotate();
    CHECK_FALSE(f.ids.wants_to_send());
    REQUIRE(f.retire(0));
    CHECK_FALSE(f.ids.wants_to_send());
    REQUIRE(f.retire(1));
    const auto frames = f.announce();
    REQUIRE_EQ(frames.size(), 2);
    CHECK_EQ(frames[0].retire_prior_to, 4);
    CHECK_EQ(frames[1].retire_prior_to, 4);
    REQUIRE(f.retire(2));
    REQUIRE(f.retire(3));
    CHECK_FALSE(f.ids.wants_to_send());  // waited once, done once
  }

  // RFC 9000 §19.15
  TEST_CASE("an announcement that is repeated after a rotation says what it said at first") {
    Fixture f(3);
    f.announce();
    f.lose();
    f.ids.rotate();
    const auto frames = f.announce();
    REQUIRE_EQ(frames.size(), 5);
    for (const auto& frame : frames) CHECK_EQ(frame.retire_prior_to, frame.sequence_number < 3 ? 0 : 3);
  }

  TEST_CASE("a rotation takes ids that were never announced for new ones") {
    Fixture f(4);
    f.announce(40);  // 1
    f.ids.rotate();
    CHECK_EQ(f.ids.active_count(), 6);  // 0, 1; 2, 3 unseen; 4, 5
    const auto frames = f.announce();
    REQUIRE_EQ(frames.size(), 4);
    CHECK_EQ(frames[0].sequence_number, 2);
    for (const auto& frame : frames) CHECK_EQ(frame.retire_prior_to, 2);
  }

  TEST_CASE("the original destination routes until it is removed, without a sequence number") {
    Fixture f(2);
    const ConnectionId original = tests::id_of(0xabcdef);
    f.ids.add_original_destination(original);
    CHECK_FALSE(f.ids.sequence_of(original));
    auto changes = f.changes();
    REQUIRE_EQ(changes.size(), 3);
    CHECK(changes[2] == ConnectionIdChange{Kind::added, original});
    f.ids.remove_original_destination();
    f.ids.remove_original_destination();
    changes = f.changes();
    REQUIRE_EQ(changes.size(), 1);
    CHECK(changes[0] == ConnectionIdChange{Kind::removed, original});
    f.ids.remove_original_destination();
    CHECK(f.changes().empty());
  }

  TEST_CASE("what comes and goes between two polls is no change") {
    Fixture f(2);
    f.ids.add_original_destination(tests::id_of(5));
    f.ids.remove_original_destination();
    CHECK_EQ(f.changes().size(), 2);
    f.announce();
    REQUIRE(f.retire(1));
    f.ids.retire_all();
    const auto changes = f.changes();  // 2 was never added
    REQUIRE_EQ(changes.size(), 2);
    CHECK_EQ(changes[0].kind, Kind::removed);
    CHECK_EQ(changes[1].kind, Kind::removed);
  }

  TEST_CASE("all routes are visited, and gone at the end") {
    Fixture f(3);
    f.ids.add_original_destination(tests::id_of(9));
    std::set<uint64_t> routes;
    for (const auto& change : f.changes()) routes.insert(load_be<uint64_t>(change.id.data()));
    size_t visited = 0;
    f.ids.for_each([&](const ConnectionId& id) {
      visited++;
      CHECK_EQ(routes.count(load_be<uint64_t>(id.data())), 1);
    });
    CHECK_EQ(visited, 4);
    f.announce();
    f.ids.retire_all();
    CHECK_EQ(f.changes().size(), 4);
    f.ids.for_each([&](const ConnectionId&) { visited++; });
    CHECK_EQ(visited, 4);
    f.ids.set_peer_limit(8);
    f.ids.rotate();
    f.lose();
    CHECK_FALSE(f.ids.wants_to_send());
    CHECK_EQ(f.ids.remembered_count(), 0);
  }

  // RFC 9000 §5.1.1, §21.9
  TEST_CASE("a peer that retires all and acknowledges nothing gets no further ids") {
    Fixture f(8);
    std::vector<WrittenPacket> packets;
    uint64_t issued = 0;
    for (int round = 0; round < 100; round++) {
      for (const auto& frame : f.announce()) issued = std::max(issued, frame.sequence_number);
      packets.push_back(f.packet);
      f.changes();
      for (uint64_t number = 0; number <= issued; number++) (void)f.retire(number);
      CHECK_LE(f.ids.remembered_count(), kLocalIdsMax + kLocalIdsIssuedUnackedMax);
    }
    CHECK_EQ(issued, kLocalIdsIssuedUnackedMax);
    // Acknowledgments, or losses, let it go on.
    f.ids.on_acked(packets[0].tokens[0]);
    CHECK_EQ(f.announce().size(), 1);
    f.ids.on_lost(packets[0].tokens[1]);
    CHECK_EQ(f.announce().size(), 1);
  }

  // RFC 9000 §21.9
  TEST_CASE("a flood of retirements leaves memory flat") {
    Fixture f(8);
    uint64_t next = 0;
    size_t bytes = 0;
    for (int round = 0; round < 2000; round++) {
      f.packet = write_packet(f.ids);
      for (const FrameToken& token : f.packet.tokens) next = std::max(next, token.id);
      f.ack();
      while (f.ids.poll_change()) continue;
      for (uint64_t number = next < 8 ? 0 : next - 8; number <= next; number++)
        REQUIRE(f.ids.on_frame({.sequence_number = number}, tests::id_of(0xffff)));
      f.packet = {};
      if (round == 20) bytes = tests::heap_bytes();
      if (round > 20) REQUIRE_EQ(tests::heap_bytes(), bytes);
    }
    CHECK_GT(next, 5'000);
    CHECK_LE(f.ids.remembered_count(), 2 * kLocalIdsMax);
  }
}
