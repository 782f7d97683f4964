#include "h3/over_quic.h"

#include "h3/frame.h"

#include <map>

#include "tests/support/quic_pair.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;

namespace {

using http::FieldSection;

/// What an application knows of one stream.
struct Message {
  FieldSection head, trailers;
  std::vector<uint8_t> body;
  unsigned status = 0;
  bool ended = false, closed = false, delivered = false;
  std::optional<uint64_t> aborted, stopped;
  // What is to be sent.
  Slice to_send;
  bool sending = false;
};

std::vector<uint8_t> pattern(size_t size, uint8_t seed) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(seed + i * 7 + (i >> 8));
  return bytes;
}

FieldSection get(std::string_view path) {
  return {{":method", "GET"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", path}};
}

FieldSection post(std::string_view path) {
  return {{":method", "POST"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", path}};
}

/// One end: a session over its connection, and an application that keeps what it is told.
struct End {
  End(Role of, const SessionOptions& options, Rng& rng) : role(of), h3(of, options, rng) {}

  void on_event(quic::Connection& connection, const quic::Event& event) {
    h3.on_event(connection, event);
    poll(connection);
  }

  void poll(quic::Connection& connection) {
    while (std::optional<Event> event = h3.poll_event()) {
      std::visit([&](auto& kind) { on(connection, kind); }, *event);
    }
    h3.use(connection).check_invariants();
  }

  void on(quic::Connection&, SettingsReceived&) { settings = true; }
  void on(quic::Connection& connection, RequestReceived& event) {
    messages[event.stream].head = event.fields;
    messages[event.stream].ended = !event.has_body;
    order.push_back(event.stream);
    if (on_request) on_request(h3.use(connection), event.stream);
  }
  void on(quic::Connection&, InformationReceived& event) { interim.push_back(event.status); }
  void on(quic::Connection&, ResponseReceived& event) {
    messages[event.stream].head = event.fields;
    messages[event.stream].status = event.status;
    messages[event.stream].ended = !event.has_body;
  }
  void on(quic::Connection& connection, BodyReadable& event) {
    Message& message = messages[event.stream];
    for (;;) {
      const auto chunk = h3.use(connection).read_body(event.stream);
      REQUIRE(chunk.has_value());
      if (!*chunk) break;
      message.body.insert(message.body.end(), (*chunk)->data.bytes().begin(), (*chunk)->data.bytes().end());
      if (!(*chunk)->fin) continue;
      message.ended = true;
      finished.push_back(event.stream);
      if (on_end) on_end(h3.use(connection), event.stream);
      break;
    }
  }
  void on(quic::Connection&, TrailersReceived& event) { messages[event.stream].trailers = event.fields; }
  void on(quic::Connection& connection, BodyWritable& event) { write(connection, event.stream); }
  void on(quic::Connection&, MessageAborted& event) { messages[event.stream].aborted = event.code; }
  void on(quic::Connection&, SendingStopped& event) { messages[event.stream].stopped = event.code; }
  void on(quic::Connection&, ExchangeClosed& event) {
    messages[event.stream].closed = true;
    messages[event.stream].delivered = event.delivered;
  }
  void on(quic::Connection&, PushPromised& event) { promises[event.push_id] = event.request; }
  void on(quic::Connection&, PushStarted& event) { pushes[event.push_id] = event.stream; }
  void on(quic::Connection&, PushCancelled& event) { cancelled.push_back(event.push_id); }
  void on(quic::Connection&, GoawayReceived& event) { goaway = event.id; }
  void on(quic::Connection&, PriorityUpdated& event) { priorities[event.stream] = event.priority; }
  void on(quic::Connection& connection, DatagramReceived& event) {
    while (auto datagram = h3.use(connection).receive_datagram(event.stream)) {
      datagrams.emplace_back(as_text(datagram->bytes()));
      if (echo_datagrams) (void)h3.use(connection).send_datagram(event.stream, datagram->bytes());
    }
  }
  void on(quic::Connection&, RequestsAvailable&) { available = true; }
  void on(quic::Connection&, SessionFailed& event) { failed = event.code; }

  void write(quic::Connection& connection, uint64_t stream) {
    Message& message = messages[stream];
    if (!message.sending) return;
    REQUIRE(h3.use(connection).write_body(stream, message.to_send).has_value());
    if (!message.to_send.empty()) return;
    message.sending = false;
    REQUIRE(h3.use(connection).finish(stream).has_value());
  }
  void send(quic::Connection& connection, uint64_t stream, Bytes body) {
    messages[stream].to_send = Slice::copy_of(body);
    messages[stream].sending = true;
    write(connection, stream);
  }

  Role role;
  OverQuic h3;
  std::map<uint64_t, Message> messages;
  std::map<uint64_t, FieldSection> promises;
  std::map<uint64_t, uint64_t> pushes;
  std::map<uint64_t, http::Priority> priorities;
  std::vector<uint64_t> order, finished, cancelled;
  std::vector<unsigned> interim;
  std::vector<std::string> datagrams;
  std::optional<uint64_t> goaway, failed;
  bool settings = false, available = false, echo_datagrams = false;
  std::function<void(Session&, uint64_t)> on_request, on_end;
};

struct Fixture {
  explicit Fixture(const SessionOptions& client_options = {}, const SessionOptions& server_options = {},
                   tests::QuicPairOptions quic_options = {})
      : rng(7),
        pair(prepared(std::move(quic_options), client_options, server_options)),
        client(Role::client, client_options, rng),
        server(Role::server, server_options, rng) {
    pair.on_event = [this](bool of_server, quic::EndpointEvent& event) {
      if (!std::holds_alternative<quic::Event>(event.event)) return;
      quic::Endpoint& endpoint = of_server ? *pair.server : *pair.client;
      quic::Connection* connection = endpoint.find(event.connection);
      REQUIRE(connection != nullptr);
      (of_server ? server : client).on_event(*connection, std::get<quic::Event>(event.event));
    };
    pair.connect();
  }

  static tests::QuicPairOptions prepared(tests::QuicPairOptions options, const SessionOptions& client_options,
                                         const SessionOptions& server_options) {
    prepare(options.client, client_options);
    prepare(options.server, server_options);
    return options;
  }

  Session& to_server() { return client.h3.use(pair.client_connection()); }
  Session& to_client() { return server.h3.use(pair.server_connection()); }
  uint64_t request(const FieldSection& fields, bool end, http::Priority priority = {}) {
    const auto stream = to_server().request(fields, end, priority);
    REQUIRE(stream.has_value());
    REQUIRE(stream->has_value());
    return **stream;
  }
  /// The server answers each request, once it is whole, with what is at hand for its path.
  void serve(std::map<std::string, std::vector<uint8_t>> bodies) {
    served = std::move(bodies);
    const auto answer = [this](Session& session, uint64_t stream) {
      const std::string path(*server.messages[stream].head.find(":path"));
      REQUIRE(session.respond(stream, 200, {{"content-type", "text/plain"}}, false).has_value());
      server.send(pair.server_connection(), stream, served[path]);
    };
    server.on_request = [this, answer](Session& session, uint64_t stream) {
      if (server.messages[stream].ended) answer(session, stream);
    };
    server.on_end = answer;
  }

  tests::SeededRng rng;
  tests::QuicPair pair;
  End client, server;
  std::map<std::string, std::vector<uint8_t>> served;
};

}  // namespace

TEST_SUITE("h3 over quic") {
  // RFC 9114 §6.1, §6.2
  TEST_CASE("the transport is prepared for our streams and the peer's") {
    quic::TransportConfig transport;
    transport.streams = {.max_bidirectional_streams = 0, .max_unidirectional_streams = 0};
    prepare(transport, {});
    CHECK(transport.streams.max_bidirectional_streams >= 100);
    CHECK(transport.streams.max_unidirectional_streams >= 3);
  }

  TEST_CASE("a request without a body gets a response, and both ends hear that it is over") {
    Fixture f;
    f.serve({{"/", pattern(100, 1)}});
    const uint64_t stream = f.request(get("/"), true);
    REQUIRE(f.pair.run_until([&] { return f.client.messages[stream].closed && f.server.messages[stream].closed; }));
    CHECK_EQ(f.client.messages[stream].status, 200);
    CHECK_EQ(f.client.messages[stream].body, pattern(100, 1));
    CHECK_EQ(f.client.messages[stream].head.find("content-type"), "text/plain");
    CHECK(f.client.messages[stream].delivered);
    CHECK(f.server.messages[stream].delivered);
    CHECK_EQ(f.server.messages[stream].head.find(":path"), "/");
    CHECK(f.client.settings);
    CHECK(f.server.settings);
  }

  TEST_CASE("bodies of a megabyte go both ways") {
    Fixture f;
    f.serve({{"/large", pattern(1 << 20, 2)}});
    const uint64_t stream = f.request(post("/large"), false);
    f.client.send(f.pair.client_connection(), stream, pattern(1 << 20, 3));
    REQUIRE(f.pair.run_until([&] { return f.client.messages[stream].closed && f.server.messages[stream].closed; }));
    CHECK(f.server.messages[stream].body == pattern(1 << 20, 3));
    CHECK(f.client.messages[stream].body == pattern(1 << 20, 2));
  }

  TEST_CASE("a hundred requests at a time are all answered") {
    Fixture f;
    std::map<std::string, std::vector<uint8_t>> bodies;
    for (int i = 0; i < 100; i++) bodies["/" + std::to_string(i)] = pattern(5000 + i, static_cast<uint8_t>(i));
    f.serve(bodies);
    std::vector<uint64_t> streams;
    for (int i = 0; i < 100; i++) streams.push_back(f.request(get("/" + std::to_string(i)), true));
    REQUIRE(f.pair.run_until([&] {
      return std::ranges::all_of(streams, [&](uint64_t stream) { return f.client.messages[stream].closed; });
    }));
    for (int i = 0; i < 100; i++) CHECK(f.client.messages[streams[i]].body == bodies["/" + std::to_string(i)]);
    CHECK_EQ(f.to_server().open_exchanges(), 0);
  }

  // RFC 9114 §4.6
  TEST_CASE("a push reaches the client beside the response") {
    SessionOptions options;
    options.pushes_max = 8;
    Fixture f(options);
    std::optional<uint64_t> pushed;
    f.server.on_request = [&](Session& session, uint64_t stream) {
      pushed = session.push(stream, get("/pushed")).value();
      REQUIRE(pushed.has_value());
      REQUIRE(session.respond(*pushed, 200, {}, false).has_value());
      f.server.send(f.pair.server_connection(), *pushed, pattern(50'000, 4));
      Session& same = f.to_client();
      REQUIRE(same.respond(stream, 204, {}, true).has_value());
    };
    const uint64_t stream = f.request(get("/"), true);
    REQUIRE(f.pair.run_until([&] { return pushed && f.client.messages[*pushed].closed; }));
    CHECK_EQ(f.client.promises.at(0).find(":path"), "/pushed");
    CHECK_EQ(f.client.pushes.at(0), *pushed);
    CHECK(f.client.messages[*pushed].body == pattern(50'000, 4));
    CHECK_EQ(f.client.messages[stream].status, 204);
  }

  // RFC 9297 §2.1
  TEST_CASE("datagrams of an extended CONNECT go there and back") {
    Fixture f;
    f.server.echo_datagrams = true;
    f.server.on_request = [](Session& session, uint64_t stream) {
      REQUIRE(session.respond(stream, 200, {}, false).has_value());
    };
    REQUIRE(f.pair.run_until([&] { return f.client.settings; }));
    const uint64_t stream = f.request({{":method", "CONNECT"},
                                       {":protocol", "connect-udp"},
                                       {":scheme", "https"},
                                       {":authority", "example.com"},
                                       {":path", "/udp"}},
                                      false);
    REQUIRE(f.to_server().max_datagram_size(stream).value_or(0) > 1000);
    for (int i = 0; i < 10; i++) {
      CHECK(f.to_server().send_datagram(stream, as_bytes("datagram " + std::to_string(i))).value());
    }
    REQUIRE(f.pair.run_until([&] { return f.client.datagrams.size() == 10; }));
    CHECK_EQ(f.server.datagrams.size(), 10);
    CHECK_EQ(f.client.datagrams.back(), "datagram 9");
  }

  // RFC 9218 §10
  TEST_CASE("the most urgent response comes first") {
    Fixture f;
    std::map<std::string, std::vector<uint8_t>> bodies;
    for (const char* path : {"/background", "/usual", "/urgent"}) bodies[path] = pattern(400'000, 5);
    f.serve(bodies);
    const uint64_t background = f.request(get("/background"), true, {.urgency = 7});
    const uint64_t usual = f.request(get("/usual"), true);
    const uint64_t urgent = f.request(get("/urgent"), true, {.urgency = 0});
    REQUIRE(f.pair.run_until([&] { return f.client.finished.size() == 3; }));
    CHECK(f.client.finished == std::vector<uint64_t>{urgent, usual, background});
  }

  TEST_CASE("a request is made more urgent while its response is under way") {
    Fixture f;
    f.serve({{"/a", pattern(3'000'000, 6)}, {"/b", pattern(3'000'000, 7)}});
    const uint64_t first = f.request(get("/a"), true);
    const uint64_t second = f.request(get("/b"), true);
    REQUIRE(f.pair.run_until([&] { return f.client.messages[first].body.size() > 10'000; }));
    f.to_server().set_priority(second, {.urgency = 0});
    REQUIRE(f.pair.run_until([&] { return f.client.finished.size() == 2; }));
    CHECK_EQ(f.client.finished.front(), second);
    CHECK_EQ(f.server.priorities[second].urgency, 0);
  }

  // RFC 9114 §5.2
  TEST_CASE("an orderly end serves what has begun, and closes without an error") {
    Fixture f;
    f.serve({{"/", pattern(200'000, 8)}});
    const uint64_t stream = f.request(get("/"), true);
    REQUIRE(f.pair.run_until([&] { return !f.server.order.empty(); }));
    f.to_client().shutdown(false);
    REQUIRE(f.pair.run_until([&] { return f.client.goaway.has_value(); }));
    CHECK_FALSE(f.to_server().request(get("/"), true).value().has_value());
    f.to_client().shutdown(true);
    REQUIRE(f.pair.run_until([&] { return f.client.messages[stream].closed && f.server.messages[stream].closed; }));
    CHECK_EQ(f.client.goaway, 4);
    CHECK(f.client.messages[stream].body == pattern(200'000, 8));
    f.to_client().close(ErrorCode::no_error, "done");
    // Before the endpoint has forgotten it.
    REQUIRE(f.pair.run_until([&] { return f.pair.client_connection().is_closed(); }));
    CHECK(f.to_server().is_going_away());
  }

  // RFC 9114 §8
  TEST_CASE("an error of the peer's closes the connection with its code") {
    Fixture f;
    std::optional<quic::Closed> closed;
    const auto before = f.pair.on_event;
    f.pair.on_event = [&](bool of_server, quic::EndpointEvent& event) {
      if (const auto* news = std::get_if<quic::Event>(&event.event); news && !of_server) {
        if (const auto* end = std::get_if<quic::Closed>(news)) closed = *end;
      }
      before(of_server, event);
    };
    // DATA where a request should begin, behind our session's back.
    quic::Streams& streams = f.pair.client_connection().streams();
    const quic::StreamId id = streams.open(false).value();
    const uint8_t data[] = {0x00, 0x01, 'x'};
    REQUIRE(streams.write(id, Bytes(data)).has_value());
    REQUIRE(f.pair.run_until([&] { return closed.has_value(); }));
    CHECK(closed->application);
    CHECK_EQ(closed->error_code, static_cast<uint64_t>(ErrorCode::frame_unexpected));
    CHECK_EQ(f.server.failed, static_cast<uint64_t>(ErrorCode::frame_unexpected));
  }

  // RFC 9218 §7.2
  // RFC 9297 §2.1
  TEST_CASE("what names a stream beyond the server's limit closes the connection") {
    for (const bool datagram : {false, true}) {
      for (const uint64_t stream : {uint64_t{4 * 99}, uint64_t{4 * 100}}) {
        Fixture f;
        f.serve({{"/", pattern(10, 1)}});
        const uint64_t first = f.request(get("/"), true);
        REQUIRE(f.pair.run_until([&] { return f.client.messages[first].closed; }));
        f.pair.run_for(Duration::seconds(1));
        std::vector<uint8_t> bytes;
        if (datagram) {
          write_varint(bytes, stream / 4);
          REQUIRE(f.pair.client_connection().send_datagram(Slice::copy_of(bytes)).value());
        } else {
          write_priority_update(bytes, {.of_push = false, .id = stream, .priority = {.urgency = 1}});
          REQUIRE(f.pair.client_connection().streams().write(quic::StreamId(2), Bytes(bytes)).has_value());
        }
        f.pair.run_for(Duration::seconds(1));
        CHECK_EQ(f.server.failed.has_value(), stream == 4 * 100);
        if (f.server.failed) CHECK_EQ(*f.server.failed, static_cast<uint64_t>(ErrorCode::id_error));
      }
    }
  }

  // RFC 9114 §4.1.1
  TEST_CASE("a response that is given up reaches the client as an abort") {
    Fixture f;
    f.server.on_request = [](Session& session, uint64_t stream) {
      REQUIRE(session.respond(stream, 200, {}, false).has_value());
      session.abort(stream, ErrorCode::internal_error);
    };
    const uint64_t stream = f.request(get("/"), true);
    REQUIRE(f.pair.run_until([&] { return f.client.messages[stream].closed; }));
    CHECK_EQ(f.client.messages[stream].aborted, static_cast<uint64_t>(ErrorCode::internal_error));
  }

  TEST_CASE("a thousand requests one after the other, a hundred at a time") {
    Fixture f;
    f.serve({{"/", pattern(300, 9)}});
    size_t sent = 0;
    const auto ask = [&] {
      while (sent < 1000) {
        const auto stream = f.to_server().request(get("/"), true);
        REQUIRE(stream.has_value());
        if (!*stream) return;
        sent++;
      }
    };
    while (f.client.finished.size() < 1000) {
      ask();
      const size_t before = f.client.finished.size();
      REQUIRE(f.pair.run_until([&] { return f.client.finished.size() > before; }));
    }
    CHECK(f.client.available);
    CHECK_EQ(f.server.order.size(), 1000);
  }

  // RFC 9114 §7.2.4.2
  TEST_CASE("a server that is used before the handshake is complete sends its settings with it") {
    tests::QuicPairOptions quic_options;
    prepare(quic_options.client, {});
    prepare(quic_options.server, {});
    tests::SeededRng rng(12);
    tests::QuicPair pair(std::move(quic_options));
    End client(Role::client, {}, rng), server(Role::server, {}, rng);
    bool connected[2] = {};
    pair.on_event = [&](bool of_server, quic::EndpointEvent& event) {
      const auto* news = std::get_if<quic::Event>(&event.event);
      if (!news) return;
      if (std::holds_alternative<quic::Connected>(*news)) connected[of_server] = true;
      quic::Connection* connection = (of_server ? *pair.server : *pair.client).find(event.connection);
      (of_server ? server : client).on_event(*connection, *news);
    };
    pair.begin_connect();
    const quic::ConnectionHandle first{.index = 0, .generation = 1};  // that an endpoint gives
    pair.filter = [&](tests::QuicPair::Datagram&) {                   // each is a time to write something
      if (quic::Connection* connection = pair.server->find(first)) (void)server.h3.use(*connection);
      return true;
    };
    REQUIRE(pair.run_until([&] { return connected[false] && client.settings; }));
    CHECK_FALSE(connected[true]);
  }

  // RFC 9114 §7.2.4.2
  TEST_CASE("a request in early data is answered, whether the server takes early data or not") {
    for (const bool accepted : {true, false}) {
      CAPTURE(accepted);
      tests::QuicPairOptions quic_options;
      quic_options.early_data = true;
      SessionOptions options;
      prepare(quic_options.client, options);
      prepare(quic_options.server, options);
      tests::SeededRng rng(11);
      tests::QuicPair pair(std::move(quic_options));
      std::optional<End> client, server;
      std::optional<quic::ResumptionState> ticket;
      std::optional<Settings> remembered;
      bool early = false;
      pair.on_event = [&](bool of_server, quic::EndpointEvent& event) {
        const auto* news = std::get_if<quic::Event>(&event.event);
        if (!news) return;
        if (const auto* got = std::get_if<quic::ResumptionReceived>(news); got && !of_server) ticket = got->state;
        if (const auto* connected = std::get_if<quic::Connected>(news)) early = connected->early_data_accepted;
        quic::Connection* connection = (of_server ? *pair.server : *pair.client).find(event.connection);
        (of_server ? *server : *client).on_event(*connection, *news);
      };
      client.emplace(Role::client, options, rng);
      server.emplace(Role::server, options, rng);
      pair.connect();
      REQUIRE(pair.run_until([&] { return ticket && ticket->ticket && client->settings; }));
      remembered = client->h3.use(pair.client_connection()).peer_settings();
      client->h3.use(pair.client_connection()).close(ErrorCode::no_error, "");
      pair.run_for(Duration::seconds(30));

      options.remembered = remembered;
      client.emplace(Role::client, options, rng);
      server.emplace(Role::server, options, rng);
      server->on_request = [](Session& session, uint64_t stream) {
        REQUIRE(session.respond(stream, 204, {}, true).has_value());
      };
      if (!accepted)
        ticket->ticket->age_add += 3'600'000;  // a stale age: the ticket resumes, its early data is refused
      pair.begin_connect(ticket, true);
      const uint64_t stream = client->h3.use(pair.client_connection()).request(get("/early"), true).value().value();
      REQUIRE(pair.run_until([&] { return client->messages[stream].closed; }));
      CHECK_EQ(client->messages[stream].status, 204);
      if (accepted) CHECK(early);
    }
  }
}
