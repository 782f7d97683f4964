// What a connection tells a trace, over a conversation with loss, corruption and small windows.
#include "tests/support/quic_pair.h"

#include <map>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace quoll::quic {
namespace {

using tests::QuicPair;
using tests::QuicPairOptions;

/// Keeps the parts of events that the tests ask for.
class Recorder final : public TraceSink<TraceEvent> {
 public:
  void on_event(Instant now, const TraceEvent& event) override {
    CHECK(now >= latest_);
    latest_ = now;
    kinds[event.index()]++;
    if (const auto* state = std::get_if<trace::StreamStateUpdated>(&event)) states.push_back(*state);
    if (const auto* moved = std::get_if<trace::StreamDataMoved>(&event)) {
      bytes[{moved->from, moved->to}] += moved->length;
    }
    if (const auto* acked = std::get_if<trace::PacketsAcked>(&event)) packets_acked += acked->numbers.size();
    if (const auto* lost = std::get_if<trace::PacketLost>(&event)) losses.push_back(*lost);
    if (const auto* dropped = std::get_if<trace::PacketDropped>(&event)) drops.push_back(*dropped);
    if (const auto* blocked = std::get_if<trace::ConnectionBlockedUpdated>(&event)) {
      CHECK(blocked->is_blocked != is_blocked);  // by turns
      is_blocked = blocked->is_blocked;
      reasons.push_back(blocked->reason);
    }
    if (const auto* blocked = std::get_if<trace::StreamBlockedUpdated>(&event)) {
      CHECK(blocked->is_blocked != is_stream_blocked);
      is_stream_blocked = blocked->is_blocked;
    }
    if (const auto* alpn = std::get_if<trace::AlpnInformation>(&event)) protocol = alpn->chosen;
  }
  template <class E>
  size_t count() const {
    const auto found = kinds.find(TraceEvent(E{}).index());
    return found == kinds.end() ? 0 : found->second;
  }
  std::vector<trace::StreamState> states_of(trace::StreamPart part) const {
    std::vector<trace::StreamState> of_part;
    for (const trace::StreamStateUpdated& each : states) {
      if (each.part == part) of_part.push_back(each.state);
    }
    return of_part;
  }

  std::map<size_t, size_t> kinds;
  std::vector<trace::StreamStateUpdated> states;
  std::map<std::pair<trace::DataLocation, trace::DataLocation>, uint64_t> bytes;
  uint64_t packets_acked = 0;
  std::vector<trace::PacketLost> losses;
  std::vector<trace::PacketDropped> drops;
  std::vector<trace::BlockedReason> reasons;
  bool is_blocked = false;
  bool is_stream_blocked = false;
  std::string protocol;

 private:
  Instant latest_;
};

struct Conversation {
  static constexpr uint64_t kSize = 200'000;

  Conversation() : pair(options()) {
    pair.on_event = [this](bool of_server, EndpointEvent& event) {
      const Event* inner = std::get_if<Event>(&event.event);
      const auto* readable = inner ? std::get_if<StreamReadable>(inner) : nullptr;
      if (!readable || !of_server) return;
      while (const auto chunk = pair.server_connection().streams().read(readable->stream_id)) {
        if (!*chunk) return;
        received += (*chunk)->data.size();
        ended |= (*chunk)->fin;
        if (ended) return;
      }
    };
  }
  QuicPairOptions options() {
    QuicPairOptions with;
    with.server.streams.initial_stream_window = 20'000;
    with.server.streams.initial_connection_window = 30'000;
    with.server.streams.max_stream_window = 40'000;
    with.server.streams.max_connection_window = 40'000;
    with.trace = [this](Role role, const ConnectionId&) { return role == Role::client ? &client : &server; };
    return with;
  }
  void run() {
    pair.connect();
    Streams& streams = pair.client_connection().streams();
    const StreamId id = *streams.open(false);
    Slice data = Slice::copy_of(std::vector<uint8_t>(kSize, 7));
    REQUIRE(streams.write(id, data) == kSize);
    REQUIRE(streams.finish(id));
    REQUIRE(pair.run_until([&] { return ended; }));
    pair.run_for(Duration::milliseconds(500));
  }

  Recorder client, server;
  QuicPair pair;
  uint64_t received = 0;
  bool ended = false;
};

TEST_CASE("a trace tells the states of both parts of a stream, and where its bytes go") {
  using State = trace::StreamState;
  using Where = trace::DataLocation;
  Conversation c;
  c.run();
  CHECK(c.client.states_of(trace::StreamPart::sending) ==
        std::vector{State::ready, State::send, State::data_sent, State::data_received});
  CHECK(c.server.states_of(trace::StreamPart::receiving) ==
        std::vector{State::receive, State::data_received, State::data_read});
  CHECK(c.client.bytes[{Where::application, Where::transport}] == Conversation::kSize);
  CHECK(c.client.bytes[{Where::transport, Where::network}] == Conversation::kSize);
  CHECK(c.server.bytes[{Where::network, Where::transport}] == Conversation::kSize);
  CHECK(c.server.bytes[{Where::transport, Where::application}] == Conversation::kSize);
  CHECK(c.client.protocol == "test");
  CHECK(c.server.protocol == "test");
}

TEST_CASE("a trace tells when flow control and the congestion window hold data back, and when no longer") {
  Conversation c;
  c.run();
  CHECK(c.client.count<trace::StreamBlockedUpdated>() >= 2);
  CHECK(c.client.count<trace::ConnectionBlockedUpdated>() >= 2);
  CHECK_FALSE(c.client.is_blocked);
  CHECK_FALSE(c.client.is_stream_blocked);
  const auto has = [&](trace::BlockedReason reason) {
    return std::ranges::find(c.client.reasons, reason) != c.client.reasons.end();
  };
  CHECK((has(trace::BlockedReason::pacing) || has(trace::BlockedReason::congestion_control)));
}

TEST_CASE("a trace tells which packets were acknowledged, which were lost and why, and the timer") {
  Conversation c;
  uint64_t sent = 0;
  c.pair.filter = [&](QuicPair::Datagram& datagram) { return !datagram.to_server || ++sent % 10 != 0; };
  c.run();
  const Statistics statistics = c.pair.client_connection().statistics();
  CHECK(statistics.packets_lost != 0);
  CHECK(c.client.losses.size() == statistics.packets_lost);
  for (const trace::PacketLost& lost : c.client.losses) CHECK(lost.reason != trace::LossReason::unspecified);
  CHECK(c.client.packets_acked != 0);
  CHECK(c.client.packets_acked <= c.client.count<trace::PacketSent>());
  CHECK(c.client.count<trace::TimerUpdated>() != 0);
  CHECK(c.client.count<trace::RecoveryParametersSet>() == 1);
  CHECK(c.client.count<trace::MetricsUpdated>() != 0);
}

TEST_CASE("a trace tells why a packet was dropped") {
  Conversation c;
  uint64_t sent = 0;
  c.pair.filter = [&](QuicPair::Datagram& datagram) {
    if (datagram.to_server && ++sent > 20 && sent % 10 == 0) datagram.data.bytes().back() ^= 1;
    return true;
  };
  c.run();
  CHECK_FALSE(c.server.drops.empty());
  CHECK(c.server.drops.size() == c.pair.server_connection().statistics().packets_dropped);
  for (const trace::PacketDropped& drop : c.server.drops) {
    CHECK(drop.reason == trace::DropReason::unauthenticated);
    CHECK(drop.kind == trace::PacketKind::one_rtt);
    CHECK(drop.size != 0);
  }
}

}  // namespace
}  // namespace quoll::quic
