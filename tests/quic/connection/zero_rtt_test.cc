// 0-RTT from both sides (RFC 9001 §4.6, §4.9.3, §5.6, §8.3; RFC 9000 §7.4.1, §17.2.3; RFC 9369 §4.1, §5).
#include <map>
#include <set>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::quic::tests {
namespace {

using T = FrameType;

/// Tickets, and 0-RTT that does not wait for its register.
void give_tickets(Stage& s) {
  quoll::tests::SeededRng rng(3);
  tls::TicketKeys::Secret secret;
  rng.fill(secret);
  s.tls_server.ticket_keys = tls::tests::must(tls::TicketKeys::from_secrets(crypto::best(), std::span(&secret, 1)));
  tls::StrikeRegister::Options options;
  options.start = tls::tests::kNow - tls::tests::kDay;
  s.tls_server.anti_replay = std::make_shared<tls::StrikeRegister>(options, rng);
}

/// The same server and client again.
void share(Stage& second, const Stage& first) {
  second.tls_server = first.tls_server;
  second.tls_client = first.tls_client;
  second.now = first.now + Duration::seconds(1);
}

/// A puppet that comes back to a server with a ticket and early data.
struct Returning {
  explicit Returning(auto change) : first(Role::server), second(Role::server, 2) {
    give_tickets(first);
    CHECK(first.handshake());
    first.advance(Duration::milliseconds(100));
    REQUIRE_FALSE(first.puppet->tickets().empty());
    share(second, first);
    second.options.ticket = first.puppet->tickets()[0];
    second.options.early_data = true;
    change(second);
    second.start();
  }
  Stage first, second;
};

/// An endpoint that comes back to a puppet with what it remembers.
struct ClientReturning {
  explicit ClientReturning(auto before, auto change) : first(Role::client), second(Role::client, 2) {
    give_tickets(first);
    before(first);
    CHECK(first.handshake());
    first.advance(Duration::milliseconds(100));
    const ResumptionState* kept = nullptr;
    for (const EndpointEvent& e : first.events) {
      const auto* general = std::get_if<Event>(&e.event);
      const auto* received = general ? std::get_if<ResumptionReceived>(general) : nullptr;
      if (received && received->state.ticket) kept = &received->state;
    }
    REQUIRE(kept);
    share(second, first);
    second.options.parameters = first.options.parameters;
    second.resumption = *kept;
    second.resumption->token = {1, 2, 3};
    second.early_data = true;
    change(second);
    second.start();
  }
  Stage first, second;
};

const auto kAsItIs = [](Stage&) {};

uint64_t early_bytes(const Stage& s) {
  std::map<uint64_t, uint64_t> ends;
  for (const SeenPacket& packet : s.puppet->packets()) {
    if (packet.type != PacketType::zero_rtt) continue;
    for (const CollectedFrame& f : packet.frames) {
      if (f.type == T::stream) ends[f.numbers[0]] = std::max(ends[f.numbers[0]], f.numbers[1] + f.bytes.size());
    }
  }
  uint64_t sum = 0;
  for (const auto& [id, end] : ends) sum += end;
  return sum;
}

}  // namespace

TEST_SUITE("quic connection: 0-RTT") {
  // RFC 9000 §13.2.6, §17.2.3; RFC 9001 §5.6
  TEST_CASE("a server takes early data, acknowledges it in 1-RTT packets, and sends no 0-RTT packet") {
    Returning scene(kAsItIs);
    Stage& s = scene.second;
    s.answer();
    const PacketNumber number = s.send(
        {.type = PacketType::zero_rtt, .frames = frames(StreamFrame{.stream_id = StreamId(0), .data = Data{1, 2, 3}})});
    CHECK(s.event<StreamOpened>());
    s.run();
    s.advance(Duration::milliseconds(100));
    REQUIRE(s.puppet->is_complete());
    CHECK(s.puppet->early_data_accepted() == true);
    CHECK(s.acknowledged(number));
    for (const SeenPacket& packet : s.puppet->packets()) CHECK(packet.type != PacketType::zero_rtt);
  }

  // RFC 9001 §8.3
  TEST_CASE("CRYPTO in a 0-RTT packet is PROTOCOL_VIOLATION") {
    Returning scene(kAsItIs);
    Stage& s = scene.second;
    s.answer();
    s.send({.type = PacketType::zero_rtt, .frames = frames(CryptoFrame{.offset = 0, .data = Data{1}})});
    CHECK(s.closed_with(TransportError::protocol_violation));
  }

  // RFC 9001 §4.6.2; RFC 9000 §7.4.1
  TEST_CASE("a server that refuses early data processes none of its packets") {
    // No register for replays; a limit that is lower than what the ticket promised.
    const auto no_register = [](Stage& s) { s.tls_server.anti_replay = nullptr; };
    const auto lower = [](Stage& s) { s.transport.streams.initial_connection_window = 1000; };
    const auto fewer = [](Stage& s) { s.transport.streams.max_bidirectional_streams = 1; };
    const auto run = [](auto change) {
      Returning scene(change);
      Stage& s = scene.second;
      s.answer();
      const PacketNumber number = s.send(
          {.type = PacketType::zero_rtt, .frames = frames(StreamFrame{.stream_id = StreamId(0), .data = Data{1}})});
      s.run();
      s.advance(Duration::milliseconds(100));
      CHECK(s.puppet->is_complete());
      CHECK(s.puppet->early_data_accepted() == false);
      CHECK_FALSE(s.acknowledged(number));
      CHECK_FALSE(s.event<StreamOpened>());
    };
    run(no_register);
    run(lower);
    run(fewer);
  }

  // RFC 9000 §7.4.1; RFC 9221 §3
  TEST_CASE("a server that accepts early data has reduced no limit") {
    Returning scene(kAsItIs);
    Stage& s = scene.second;
    s.run();
    CHECK(s.puppet->early_data_accepted() == true);
    const TransportParameters& then = *scene.first.puppet->peer_parameters();
    const TransportParameters& now = *s.puppet->peer_parameters();
    CHECK(check_early_data_limits(remembered_parameters(then), now));
  }

  // RFC 9001 §4.9.3
  TEST_CASE("early data that the network delivers after the end of the handshake is read") {
    Returning scene(kAsItIs);
    Stage& s = scene.second;
    s.answer();
    s.run();
    REQUIRE(s.connection()->is_confirmed());
    const PacketNumber number = s.send(
        {.type = PacketType::zero_rtt, .frames = frames(StreamFrame{.stream_id = StreamId(0), .data = Data{1, 2, 3}})});
    CHECK(s.event<StreamOpened>());
    s.advance(Duration::milliseconds(100));
    CHECK(s.acknowledged(number));
  }

  // RFC 9001 §4.9.3
  TEST_CASE("0-RTT keys go soon after the first 1-RTT packet") {
    Returning scene(kAsItIs);
    Stage& s = scene.second;
    s.answer();
    s.run();
    s.send_frames(PingFrame{});
    s.advance(Duration::seconds(4));
    const PacketNumber number = s.send({.type = PacketType::zero_rtt, .frames = frames(PingFrame{})});
    s.advance(Duration::milliseconds(100));
    CHECK_FALSE(s.acknowledged(number));
  }

  // RFC 9369 §5
  TEST_CASE("a server does not resume a session of another version") {
    Returning scene([](Stage& s) {
      s.transport.versions = {Version::v1, Version::v2};
      s.options.version = Version::v2;
    });
    Stage& s = scene.second;
    s.run();
    REQUIRE(s.puppet->is_complete());
    CHECK_FALSE(s.puppet->session().negotiated().resumed);
    CHECK(s.puppet->early_data_accepted() == false);
  }

  // RFC 9001 §5.6
  TEST_CASE("a client sends no 0-RTT unless asked to, and none once it has 1-RTT keys") {
    ClientReturning unasked(kAsItIs, [](Stage& s) { s.early_data = false; });
    unasked.second.run();
    for (const SeenPacket& packet : unasked.second.puppet->packets()) CHECK(packet.type != PacketType::zero_rtt);

    ClientReturning scene(kAsItIs, kAsItIs);
    Stage& s = scene.second;
    const auto id = s.streams().open(false);
    REQUIRE(id);
    CHECK(s.streams().write(*id, Data(500, 1)));
    s.drain();
    CHECK_EQ(early_bytes(s), 500);
    s.run();
    CHECK(s.streams().write(*id, Data(500, 2)));
    s.advance(Duration::milliseconds(200));
    REQUIRE(s.event<Connected>());
    CHECK(s.event<Connected>()->early_data_accepted);
    bool one_rtt = false;
    for (const SeenPacket& packet : s.puppet->packets()) {
      one_rtt |= packet.type == PacketType::one_rtt;
      if (one_rtt) CHECK(packet.type != PacketType::zero_rtt);
    }
    CHECK(one_rtt);
  }

  // RFC 9000 §7.4.1
  TEST_CASE("early data keeps to the remembered limits, and afterwards the new values count") {
    ClientReturning scene([](Stage& s) { s.options.parameters.initial_max_data = 2000; },
                          [](Stage& s) {
                            s.options.parameters.initial_max_data = 9000;
                            s.options.parameters.ack_delay_exponent = 10;
                            s.options.parameters.max_ack_delay = 77;
                          });
    Stage& s = scene.second;
    const auto id = s.streams().open(false);
    REQUIRE(id);
    CHECK(s.streams().write(*id, Data(5000, 1)));
    s.drain();
    CHECK_EQ(early_bytes(s), 2000);
    s.run();
    s.advance(Duration::milliseconds(200));
    CHECK_EQ(early_bytes(s), 2000);
    uint64_t end = 0;
    for (const CollectedFrame& f : s.all(T::stream)) end = std::max(end, f.numbers[1] + f.bytes.size());
    CHECK_EQ(end, 5000);
    REQUIRE(s.connection()->peer_parameters());
    CHECK_EQ(s.connection()->peer_parameters()->ack_delay_exponent, 10);
    CHECK_EQ(s.connection()->peer_parameters()->max_ack_delay, 77);
  }

  // RFC 9000 §7.4.1; RFC 9221 §3
  TEST_CASE("a client closes when a server accepts early data under lower limits") {
    for (const auto limit : {&TransportParameters::initial_max_data, &TransportParameters::initial_max_streams_bidi,
                             &TransportParameters::max_datagram_frame_size}) {
      ClientReturning scene([&](Stage& s) { s.options.parameters.*limit = 50; },
                            [&](Stage& s) { s.options.parameters.*limit = 40; });
      scene.second.run();
      CHECK(scene.second.closed_with(TransportError::protocol_violation));
    }
  }

  // RFC 9000 §17.2.3; RFC 9001 §4.6.2
  TEST_CASE("refused early data is sent anew from each stream's beginning, with new packet numbers") {
    ClientReturning scene(kAsItIs, [](Stage& s) { s.tls_server.anti_replay = nullptr; });
    Stage& s = scene.second;
    const auto id = s.streams().open(false);
    REQUIRE(id);
    CHECK(s.streams().write(*id, Data{1, 2, 3}));
    CHECK(s.streams().finish(*id));
    s.drain();
    s.run();
    s.advance(Duration::milliseconds(200));
    REQUIRE(s.event<EarlyDataRejected>());
    REQUIRE(s.event<Connected>());
    CHECK_FALSE(s.event<Connected>()->early_data_accepted);
    const auto sent = s.all(T::stream);
    REQUIRE_FALSE(sent.empty());
    CHECK(sent.back() == CollectedFrame{T::stream, {id->value(), 0, 1}, {1, 2, 3}});
    std::set<PacketNumber> numbers;
    for (const SeenPacket& packet : s.puppet->packets()) {
      if (space_of(packet.type) == Space::application) CHECK(numbers.insert(packet.number).second);
    }
  }

  // RFC 9369 §4.1
  TEST_CASE("0-RTT packets keep the original version when the server changes it") {
    ClientReturning scene([](Stage& s) { s.transport.versions = {Version::v1, Version::v2}; },
                          [](Stage& s) {
                            s.transport.versions = {Version::v1, Version::v2};
                            s.options.negotiate = Version::v2;
                          });
    Stage& s = scene.second;
    const auto id = s.streams().open(false);
    REQUIRE(id);
    CHECK(s.streams().write(*id, Data(100, 1)));
    s.drain();
    // The ServerHello in version 2 alone, then more early data.
    const std::vector<Data> flight = s.puppet->take_datagrams();
    REQUIRE_FALSE(flight.empty());
    s.deliver(flight[0]);
    CHECK(s.streams().write(*id, Data(100, 2)));
    s.drain();
    for (size_t i = 1; i < flight.size(); i++) s.deliver(flight[i]);
    s.run();
    size_t early = 0;
    // The puppet's 0-RTT keys are of the original version: packets of another one would not have opened.
    for (const SeenPacket& packet : s.puppet->packets()) {
      if (packet.type != PacketType::zero_rtt) continue;
      early++;
      CHECK(packet.version == Version::v1);
    }
    for (const SeenDatagram& d : s.puppet->datagrams()) {
      const bool is_zero_rtt_of_v2 = (d.bytes[0] & 0xf0) == 0xe0 && d.bytes[1] == 0x6b;
      CHECK_FALSE(is_zero_rtt_of_v2);
    }
    CHECK(s.puppet->is_complete());
    CHECK(s.puppet->early_data_accepted() == true);
    CHECK_GE(early, 1);
  }

  // RFC 9369 §5
  TEST_CASE("a client does not use a session or a token of another version") {
    ClientReturning scene(kAsItIs, [](Stage& s) {
      s.transport.versions = {Version::v2};
      s.options.version = Version::v2;
    });
    Stage& s = scene.second;
    s.run();
    REQUIRE(s.puppet->is_complete());
    CHECK_FALSE(s.puppet->session().negotiated().resumed);
    CHECK_FALSE(s.puppet->early_data_accepted().has_value());
    for (const SeenPacket& packet : s.puppet->packets()) CHECK(packet.token.empty());
  }
}

}  // namespace quoll::quic::tests
