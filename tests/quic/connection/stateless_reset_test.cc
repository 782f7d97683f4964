// Stateless resets, sent and received (RFC 9000 §10.3).
#include <algorithm>
#include <set>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

StatelessResetToken token_of(uint8_t fill) {
  StatelessResetToken token;
  token.fill(fill);
  return token;
}

/// A datagram that nobody can open, with a short header for `id` and these last bytes.
Data short_datagram(const ConnectionId& id, size_t size, std::optional<StatelessResetToken> token = {}) {
  Data out(size, 0x5a);
  out[0] = 0x4b;
  const Bytes bytes = id.bytes();
  for (size_t i = 0; i < bytes.size() && i + 1 < size; i++) out[i + 1] = bytes[i];
  if (token) std::copy(token->begin(), token->end(), out.end() - 16);
  return out;
}

/// The last 16 bytes that each NEW_CONNECTION_ID frame told, by connection id.
std::vector<std::pair<ConnectionId, StatelessResetToken>> issued(const Stage& s) {
  std::vector<std::pair<ConnectionId, StatelessResetToken>> all;
  for (const CollectedFrame& f : s.all(T::new_connection_id)) {
    const size_t size = f.numbers[2];
    StatelessResetToken token;
    std::copy_n(f.bytes.begin() + static_cast<ptrdiff_t>(size), 16, token.begin());
    all.push_back({ConnectionId(Bytes(f.bytes).first(size)), token});
  }
  return all;
}

}  // namespace

TEST_SUITE("quic connection: stateless reset") {
  // RFC 9000 §10.3, §10.3.3
  TEST_CASE("a reset is smaller than what it answers, and looks like a short header") {
    Stage s(Role::server);
    s.start();
    s.puppet->answers = false;
    for (size_t size = 1; size <= 1500; size += size < 60 ? 1 : 97) {
      const size_t before = s.datagrams();
      s.deliver(short_datagram(id_of("nobody"), size));
      if (s.datagrams() == before) {
        CHECK_LT(size, 60);  // larger ones are answered
        continue;
      }
      REQUIRE_EQ(s.datagrams(), before + 1);
      const Data& reset = s.puppet->datagrams().back().bytes;
      CHECK_LT(reset.size(), size);
      CHECK_GE(reset.size(), kStatelessResetSizeMin);
      CHECK_EQ(reset[0] & 0xc0, 0x40);
    }
    CHECK_GT(s.endpoint->statistics().stateless_resets_sent, 0);
  }

  // RFC 9000 §10.3.2
  TEST_CASE("a server that lost its state resets with the token that it had told for the connection id") {
    Stage s(Role::server);
    s.endpoint_config.secret.emplace();
    s.rng.fill(*s.endpoint_config.secret);
    REQUIRE(s.handshake());
    const auto all = issued(s);
    REQUIRE_GE(all.size(), 2);
    std::set<StatelessResetToken> tokens;
    for (const auto& [id, token] : all) CHECK(tokens.insert(token).second);  // each has its own

    // The same secret, another run; then another secret.
    Stage again(Role::server, 2);
    again.endpoint_config.secret = s.endpoint_config.secret;
    again.start();
    again.puppet->answers = false;
    Stage stranger(Role::server, 3);
    stranger.start();
    stranger.puppet->answers = false;
    for (const auto& [id, token] : all) {
      again.deliver(short_datagram(id, 100));
      REQUIRE(again.datagrams() > 0);
      CHECK(std::ranges::equal(Bytes(again.puppet->datagrams().back().bytes).last(16), token));
      stranger.deliver(short_datagram(id, 100));
      REQUIRE(stranger.datagrams() > 0);
      CHECK_FALSE(std::ranges::equal(Bytes(stranger.puppet->datagrams().back().bytes).last(16), token));
    }
  }

  // RFC 9000 §10.3.2
  TEST_CASE("connection ids, and so the tokens of a secret, are not used for a second connection") {
    auto noted = std::make_shared<NotedConnectionIds>();
    std::set<std::vector<uint8_t>> seen;
    for (uint64_t seed = 1; seed < 10; seed++) {
      Stage s(Role::server, seed);
      s.endpoint_config.connection_ids = noted;
      REQUIRE(s.handshake());
    }
    for (const ConnectionId& id : noted->made) CHECK(seen.insert({id.data(), id.data() + id.size()}).second);
    CHECK_GE(seen.size(), 9 * 2);
  }

  // RFC 9000 §10.3, §10.3.1
  TEST_CASE("a datagram that ends in the peer's token, whatever its header, ends the connection without a word") {
    for (const bool long_header : {false, true}) {
      Stage s(Role::client);
      s.options.amend = [](TransportParameters& p) { p.stateless_reset_token = token_of(0x77); };
      REQUIRE(s.handshake());
      const size_t before = s.datagrams();
      Data reset = short_datagram(id_of("random"), 60, token_of(0x77));
      if (long_header) reset = short_datagram(id_of("random"), 60, token_of(0x77)), reset[0] = 0xcb;
      s.deliver(reset);
      REQUIRE(s.event<Closed>());
      CHECK(s.event<Closed>()->why == Closed::Why::stateless_reset);
      CHECK_EQ(s.endpoint->statistics().stateless_resets_received, 1);
      s.puppet->answers = false;
      for (int i = 0; i < 5; i++) s.send_frames(PingFrame{});
      s.advance(Duration::seconds(1));
      CHECK_EQ(s.datagrams(), before);
    }
  }

  // RFC 9000 §10.3.1
  TEST_CASE("a token counts, too, in a datagram for the connection that does not open") {
    Stage s(Role::client);
    s.options.amend = [](TransportParameters& p) { p.stateless_reset_token = token_of(0x77); };
    REQUIRE(s.handshake());
    s.deliver(short_datagram(s.puppet->remote, 60, token_of(0x77)));
    REQUIRE(s.event<Closed>());
    CHECK(s.event<Closed>()->why == Closed::Why::stateless_reset);
  }

  // RFC 9000 §10.3.1
  TEST_CASE("tokens of connection ids that were not used, or are retired, mean nothing") {
    Stage s(Role::client);
    s.options.amend = [](TransportParameters& p) { p.stateless_reset_token = token_of(0x77); };
    REQUIRE(s.handshake());
    s.send_frames(NewConnectionIdFrame{
        .sequence_number = 1, .connection_id = id_of("spare"), .stateless_reset_token = token_of(0x11)});
    s.deliver(short_datagram(id_of("random"), 60, token_of(0x11)));
    CHECK_FALSE(s.event<Closed>());
    // The first one is retired, the spare one used.
    s.send_frames(NewConnectionIdFrame{.sequence_number = 2,
                                       .retire_prior_to = 1,
                                       .connection_id = id_of("third"),
                                       .stateless_reset_token = token_of(0x22)});
    s.advance(Duration::milliseconds(500));
    REQUIRE(s.find(T::retire_connection_id));
    s.deliver(short_datagram(id_of("random"), 60, token_of(0x77)));
    CHECK_FALSE(s.event<Closed>());
    s.connection()->ping();
    s.drain();
    const bool uses_spare = s.puppet->packets().back().destination == id_of("spare");
    s.deliver(short_datagram(id_of("random"), 60, token_of(uses_spare ? 0x11 : 0x22)));
    CHECK(s.event<Closed>());
  }

  // RFC 9000 §11, §21.11
  TEST_CASE("a connection that lives is not reset, whatever comes for it") {
    Stage s(Role::server);
    REQUIRE(s.handshake());
    std::vector<ConnectionId> ids = {s.puppet->remote};
    for (const auto& [id, token] : issued(s)) ids.push_back(id);
    for (const ConnectionId& id : ids) {
      for (const size_t size : {25, 60, 1200}) s.deliver(short_datagram(id, size));
    }
    CHECK_EQ(s.endpoint->statistics().stateless_resets_sent, 0);
    CHECK_FALSE(s.connection()->is_closed());
  }
}

}  // namespace quoll::quic::tests
