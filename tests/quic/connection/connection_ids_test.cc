// Connection ids issued, used and retired (RFC 9000 §5.1, §19.15, §19.16).
#include <set>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;
constexpr Role kBoth[] = {Role::client, Role::server};

NewConnectionIdFrame spare(uint8_t sequence, uint64_t retire_prior_to = 0) {
  StatelessResetToken token;
  token.fill(sequence);
  return {.sequence_number = sequence,
          .retire_prior_to = retire_prior_to,
          .connection_id = id_of("spare", sequence),
          .stateless_reset_token = token};
}

ConnectionId id_in(const CollectedFrame& new_connection_id) {
  return ConnectionId(Bytes(new_connection_id.bytes).first(new_connection_id.numbers[2]));
}

}  // namespace

TEST_SUITE("quic connection: connection ids") {
  // RFC 9000 §5.1, §5.1.1, §10.3.2, §19.15
  TEST_CASE("issued ids differ, count up by one, stay within the peer's limit, and have tokens of their own") {
    for (const Role role : kBoth) {
      for (const uint64_t limit : {2, 4, 100}) {
        Stage s(role);
        s.options.parameters.active_connection_id_limit = limit;
        REQUIRE(s.handshake());
        s.advance(Duration::seconds(1));
        std::set<Data> ids, tokens;
        const Bytes first = s.puppet->remote.bytes();
        ids.insert(Data(first.begin(), first.end()));
        uint64_t next = 1;
        for (const CollectedFrame& f : s.all(T::new_connection_id)) {
          CHECK_EQ(f.numbers[0], next++);
          CHECK_LE(f.numbers[1], f.numbers[0]);
          const Bytes id = Bytes(f.bytes).first(f.numbers[2]), token = Bytes(f.bytes).subspan(f.numbers[2]);
          CHECK(ids.insert(Data(id.begin(), id.end())).second);
          CHECK(tokens.insert(Data(token.begin(), token.end())).second);
        }
        CHECK_LE(ids.size(), limit);
        CHECK_GE(ids.size(), 2);
      }
    }
  }

  // RFC 9000 §5.1.1
  TEST_CASE("packets to any issued id are accepted until the peer retires it") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      const auto issued = s.all(T::new_connection_id);
      REQUIRE_GE(issued.size(), 2);
      for (const CollectedFrame& f : issued) {
        const PacketNumber number = s.send({.frames = frames(PingFrame{}), .destination = id_in(f)});
        s.advance(Duration::milliseconds(50));
        CHECK(s.acknowledged(number));
      }
      const ConnectionId retired = id_in(issued[0]);
      s.send_frames(RetireConnectionIdFrame{.sequence_number = issued[0].numbers[0]});
      s.advance(Duration::seconds(5));
      const PacketNumber number = s.send({.frames = frames(PingFrame{}), .destination = retired});
      s.advance(Duration::milliseconds(50));
      CHECK_FALSE(s.acknowledged(number));
      // Another one takes its place.
      CHECK_GT(s.all(T::new_connection_id).size(), issued.size());
    }
  }

  // RFC 9000 §5.1.1
  TEST_CASE("more ids than we allow are CONNECTION_ID_LIMIT_ERROR") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      const uint64_t limit = s.puppet->peer_parameters()->active_connection_id_limit;
      for (uint8_t i = 1; i < limit; i++) s.send_frames(spare(i));
      CHECK_FALSE(s.close());
      s.send_frames(spare(static_cast<uint8_t>(limit)));
      CHECK(s.closed_with(TransportError::connection_id_limit_error));
    }
  }

  // RFC 9000 §5.1.2, §19.15, §19.16
  TEST_CASE("Retire Prior To makes the endpoint use a new id and retire the old ones, again if that is lost") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.send_frames(spare(1));
      s.advance(Duration::milliseconds(100));
      s.puppet->acknowledges = false;
      const size_t before = s.seen();
      s.send_frames(spare(2, 2));
      s.advance(Duration::milliseconds(200));
      std::set<uint64_t> retired;
      for (size_t i = before; i < s.seen(); i++) {
        const SeenPacket& packet = s.puppet->packets()[i];
        if (const CollectedFrame* f = packet.find(T::retire_connection_id)) {
          retired.insert(f->numbers[0]);
          // Not to the id that it retires.
          CHECK(packet.destination == id_of("spare", 2));
        }
      }
      for (const CollectedFrame& f : s.all(T::retire_connection_id, before)) retired.insert(f.numbers[0]);
      CHECK(retired == std::set<uint64_t>{0, 1});
      // That packet is lost: a later one is acknowledged.
      s.connection()->ping();
      s.drain();
      const PacketNumber last = s.puppet->packets().back().number;
      const size_t then = s.seen();
      s.send({.frames = ack_of({{last, last + 1}})});
      s.advance(Duration::seconds(1));
      CHECK_FALSE(s.all(T::retire_connection_id, then).empty());
      CHECK(s.puppet->packets().back().destination == id_of("spare", 2));
      CHECK_FALSE(s.close());
    }
  }

  // RFC 9000 §19.15
  TEST_CASE("the same NEW_CONNECTION_ID again is no error, another id or token under its number is") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      for (int i = 0; i < 3; i++) s.send_frames(spare(1));
      CHECK_FALSE(s.close());
      NewConnectionIdFrame other = spare(1);
      other.connection_id = id_of("other", 1);
      s.send_frames(other);
      CHECK(s.closed_with(TransportError::protocol_violation));
    }
  }

  // RFC 9000 §19.15
  TEST_CASE("Retire Prior To that goes back is ignored, and ids below it are retired on arrival") {
    for (const Role role : kBoth) {
      Stage s(role);
      REQUIRE(s.handshake());
      s.send_frames(spare(3, 3));
      s.advance(Duration::milliseconds(200));
      size_t before = s.seen();
      s.send_frames(spare(4, 1));
      s.advance(Duration::milliseconds(200));
      CHECK(s.all(T::retire_connection_id, before).empty());
      before = s.seen();
      s.send_frames(spare(2));
      s.advance(Duration::milliseconds(200));
      const auto retired = s.all(T::retire_connection_id, before);
      REQUIRE_FALSE(retired.empty());
      for (const CollectedFrame& frame : retired) CHECK_EQ(frame.numbers[0], 2);  // a probe may repeat it
      // Once: the same frame again brings no second one.
      before = s.seen();
      s.send_frames(spare(2));
      s.advance(Duration::milliseconds(200));
      CHECK_FALSE(s.close());
    }
  }

  // RFC 9000 §19.15
  TEST_CASE("NEW_CONNECTION_ID with a wrong length or Retire Prior To is FRAME_ENCODING_ERROR") {
    const Data token(16, 1);
    const auto refused = [&](const Data& start, size_t id_size) {
      Stage s(Role::server);
      REQUIRE(s.handshake());
      s.send({.frames = start + Data(id_size, 7) + token});
      return s.closed_with(TransportError::frame_encoding_error);
    };
    CHECK(refused({0x18, 1, 0, 0}, 0));
    CHECK(refused({0x18, 1, 0, 21}, 21));
    CHECK(refused({0x18, 1, 2, 8}, 8));
    CHECK_FALSE(refused({0x18, 1, 1, 8}, 8));
  }

  // RFC 9000 §19.16
  TEST_CASE("retiring a number never issued, or the id of the packet itself, is PROTOCOL_VIOLATION") {
    for (const Role role : kBoth) {
      for (const uint64_t number : {uint64_t{100}, uint64_t{0}}) {
        Stage s(role);
        REQUIRE(s.handshake());
        s.send_frames(RetireConnectionIdFrame{.sequence_number = number});
        CHECK(s.closed_with(TransportError::protocol_violation));
      }
    }
  }

  // RFC 9000 §5.1, §19.15, §19.16
  TEST_CASE("an endpoint with empty ids issues none, and nothing of it can be retired") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.endpoint_config.connection_ids = std::make_shared<RandomConnectionIds>(0);
      REQUIRE(s.handshake());
      s.advance(Duration::seconds(1));
      CHECK(s.all(T::new_connection_id).empty());
      if (role == Role::client) {
        // A second connection on the same addresses could not be told from the first.
        CHECK_FALSE(s.endpoint->connect(s.now, std::make_shared<const ClientConfig>(s.client), s.path,
                                        {.server_name = "example.com"}));
      }
      s.send_frames(RetireConnectionIdFrame{.sequence_number = 0});
      CHECK(s.closed_with(TransportError::protocol_violation));
    }
  }

  // RFC 9000 §19.15
  TEST_CASE("NEW_CONNECTION_ID from a peer with empty ids is PROTOCOL_VIOLATION") {
    for (const Role role : kBoth) {
      Stage s(role);
      s.options.id = ConnectionId();
      REQUIRE(s.handshake());
      s.send_frames(spare(1));
      CHECK(s.closed_with(TransportError::protocol_violation));
    }
  }
}

}  // namespace quoll::quic::tests
