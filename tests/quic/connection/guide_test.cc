// The code that docs/quic.md shows, and that it works: a server and its clients in one process, with memory for a network.
// tests/house checks that the page shows no code that does not stand here.
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "crypto/provider.h"
#include "fuzz/tls_identity.h"
#include "quic/endpoint/endpoint.h"
#include "quic/endpoint/resumption_store.h"
#include "tests/support/random.h"

#include "doctest/doctest.h"

namespace quoll::guide {
namespace {

/// What the loop wants of a socket.
class Socket {
 public:
  virtual ~Socket() = default;
  /// The next datagram or GRO train; empty when there is none.
  virtual std::optional<Received> receive() = 0;
  virtual bool can_send() const = 0;
  virtual void send(const Transmit& transmit) = 0;
};

class Application {
 public:
  virtual ~Application() = default;
  virtual void on_event(Instant now, quic::EndpointEvent& event) = 0;
};

/// A turn of the loop: what has arrived, what is due, what the application says to it, and what is to be sent.
void turn(quic::Endpoint& endpoint, Socket& socket, Application& application, Instant now) {
  static thread_local std::array<uint8_t, 65'507> scratch;  // a train: as much as UDP over IPv4 takes at once
  while (std::optional<Received> received = socket.receive()) endpoint.receive(now, std::move(*received));
  if (endpoint.next_timeout() <= now) endpoint.on_timeout(now);
  while (std::optional<quic::EndpointEvent> event = endpoint.poll_event()) application.on_event(now, *event);
  while (socket.can_send()) {
    const std::optional<Transmit> transmit = endpoint.poll_transmit(now, scratch);
    if (!transmit) break;
    socket.send(*transmit);
  }
}

std::shared_ptr<tls::ServerConfig> server_tls(std::shared_ptr<const tls::Identity> identity) {
  auto config = std::make_shared<tls::ServerConfig>();
  config->application_protocols = {"echo"};
  config->identities = {std::move(identity)};
  return config;
}

std::shared_ptr<quic::ServerConfig> server_config(std::shared_ptr<const tls::ServerConfig> tls) {
  auto config = std::make_shared<quic::ServerConfig>();
  config->tls = std::move(tls);
  config->transport.max_datagram_frame_size = 65'535;
  config->transport.streams.send_buffer_max = 256 * 1024;  // bytes that a stream may keep waiting
  return config;
}

std::shared_ptr<quic::ClientConfig> client_config(const x509::SpkiPin& pin) {
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {"echo"};
  tls->verification = tls::PeerVerification::pinned_leaf;  // else: tls->trust, and PeerVerification::chain
  tls->pins = {pin};
  auto config = std::make_shared<quic::ClientConfig>();
  config->tls = tls;
  config->transport.max_datagram_frame_size = 65'535;
  return config;
}

/// Sends back what it gets.
class EchoServer final : public Application {
 public:
  explicit EchoServer(quic::Endpoint& endpoint) : endpoint_(endpoint) {}

  void on_event(Instant, quic::EndpointEvent& event) override {
    const auto* news = std::get_if<quic::Event>(&event.event);
    quic::Connection* connection = endpoint_.find(event.connection);
    if (!news || !connection) return;
    if (const auto* readable = std::get_if<quic::StreamReadable>(news)) {
      echo(event.connection, connection->streams(), readable->stream_id);
    } else if (const auto* writable = std::get_if<quic::StreamWritable>(news)) {
      echo(event.connection, connection->streams(), writable->stream_id);
    } else if (std::holds_alternative<quic::DatagramReceived>(*news)) {
      while (std::optional<Slice> datagram = connection->receive_datagram()) {
        (void)connection->send_datagram(
            std::move(*datagram));  // not sent: too large for the path, or the queue is full
      }
    } else if (std::holds_alternative<quic::Closed>(*news)) {
      std::erase_if(waiting_, [&](const auto& each) { return each.first.first == key(event.connection); });
    }
  }

 private:
  static uint64_t key(quic::ConnectionHandle handle) { return uint64_t{handle.index} << 32 | handle.generation; }

  /// Without a copy: the slices that were received are sent. It reads no more before the last chunk is written, so that
  /// a client that does not read its answers runs into flow control.
  void echo(quic::ConnectionHandle handle, quic::Streams& streams, quic::StreamId id) {
    const auto place = waiting_.try_emplace({key(handle), id}).first;
    quic::Chunk& chunk = place->second;
    for (;;) {
      if (!chunk.data.empty()) {
        if (!streams.write(id, chunk.data)) break;  // the client wants no more
        if (!chunk.data.empty()) return;            // StreamWritable follows
      }
      if (chunk.fin) {
        (void)streams.finish(id);
        break;
      }
      Result<std::optional<quic::Chunk>> next = streams.read(id);
      if (!next || !*next) break;  // given up by the client, or StreamReadable follows
      chunk = std::move(**next);
    }
    waiting_.erase(place);
  }

  quic::Endpoint& endpoint_;
  std::map<std::pair<uint64_t, quic::StreamId>, quic::Chunk> waiting_;  // what was read and is not written yet
};

/// Sends a message, and takes what comes back.
class EchoClient final : public Application {
 public:
  EchoClient(quic::Endpoint& endpoint, quic::ResumptionStore& store) : endpoint_(endpoint), store_(store) {}

  Result<void> start(Instant now, UnixTime wall_clock, std::shared_ptr<const quic::ClientConfig> config,
                     const Path& path) {
    const Result<quic::ConnectionHandle> handle = endpoint_.connect(
        now, std::move(config), path,
        {.server_name = "example.com", .resumption = store_.take("example.com", wall_clock), .early_data = true});
    if (!handle) return std::unexpected(handle.error());
    connection_ = *handle;
    ask();
    return {};
  }

  void on_event(Instant, quic::EndpointEvent& event) override {
    auto* news = std::get_if<quic::Event>(&event.event);
    if (!news) return;
    if (std::holds_alternative<quic::StreamsAvailable>(*news)) {
      ask();
    } else if (const auto* readable = std::get_if<quic::StreamReadable>(news)) {
      take_answer(readable->stream_id);
    } else if (auto* received = std::get_if<quic::ResumptionReceived>(news)) {
      store_.put("example.com", std::move(received->state));
    } else if (const auto* done = std::get_if<quic::Connected>(news)) {
      connected = *done;
    } else if (auto* over = std::get_if<quic::Closed>(news)) {
      closed = std::move(*over);
    }
  }

  quic::Connection* connection() { return endpoint_.find(connection_); }

  std::string message = "hello";
  std::string answer;
  bool answered = false;
  std::optional<quic::Connected> connected;
  std::optional<quic::Closed> closed;

 private:
  void ask() {
    quic::Streams& streams = connection()->streams();
    const std::optional<quic::StreamId> stream = streams.open(false);
    if (!stream) return;  // without 0-RTT the server's limits are not known yet: StreamsAvailable follows
    const Result<size_t> written = streams.write(*stream, as_bytes(message));
    if (written && *written == message.size()) (void)streams.finish(*stream);
  }

  void take_answer(quic::StreamId id) {
    while (quic::Connection* open = connection()) {
      const Result<std::optional<quic::Chunk>> chunk = open->streams().read(id);
      if (!chunk || !*chunk) return;
      answer += as_text((*chunk)->data.bytes());
      answered = (*chunk)->fin;
      if (answered) return;
    }
  }

  quic::Endpoint& endpoint_;
  quic::ResumptionStore& store_;
  quic::ConnectionHandle connection_;
};

/// False: the datagram does not go, since it is too large for the path, or the queue is full, or the peer takes none.
bool send_message(quic::Connection& connection, Bytes message) {
  const std::optional<size_t> size_max = connection.max_datagram_size();
  if (!size_max || message.size() > *size_max) return false;
  const Result<bool> queued = connection.send_datagram(Slice::copy_of(message));
  return queued && *queued;
}

/// Tickets that all servers with the secret open, which is in use since `secret_since`; and 0-RTT.
void allow_resumption(tls::ServerConfig& config, const quic::FleetSecret& secret, UnixTime secret_since, UnixTime now,
                      Rng& rng) {
  const quic::FleetKeys keys(crypto::best(), secret);
  config.ticket_keys = tls::TicketKeys::ratcheted(crypto::best(), keys.tls_tickets, {.origin = secret_since});
  config.anti_replay = std::make_shared<tls::StrikeRegister>(tls::StrikeRegister::Options{.start = now}, rng);
}

/// One of several workers of a server, each with a socket of its own.
quic::EndpointConfig worker_config(const quic::FleetSecret& secret, uint16_t worker) {
  const quic::FleetKeys keys(crypto::best(), secret);
  auto ids = std::make_shared<quic::WorkerConnectionIds>(crypto::best(), keys.connection_ids, worker);
  quic::EndpointConfig config;
  config.secret = secret;
  config.connection_ids = ids;
  config.may_reset = [ids, worker](const quic::ConnectionId& id) { return ids->worker_of(id) == worker; };
  return config;
}

// --- Memory for a network

class MemorySocket final : public Socket {
 public:
  /// Where it sends to.
  void join(MemorySocket& peer) { peer_ = &peer; }

  std::optional<Received> receive() override {
    if (inbox_.empty()) return {};
    Received first = std::move(inbox_.front());
    inbox_.pop_front();
    return first;
  }
  bool can_send() const override { return true; }
  void send(const Transmit& transmit) override {
    Received received{.path = {.local = transmit.path.remote, .remote = transmit.path.local},
                      .ecn = transmit.ecn,
                      .data = Buffer::allocate(transmit.bytes.size()),
                      .segment_size = transmit.segment_size};
    copy_bytes(received.data.bytes().data(), transmit.bytes);
    peer_->inbox_.push_back(std::move(received));
  }
  bool is_idle() const { return inbox_.empty(); }

 private:
  MemorySocket* peer_ = nullptr;
  std::deque<Received> inbox_;
};

struct World {
  explicit World(quic::EndpointConfig server_config = {}, bool with_resumption = false) {
    auto tls = server_tls(fuzz::identity());
    const UnixTime long_ago = fuzz::kNow - Duration::seconds(60);  // a register that is young admits nothing
    if (with_resumption) allow_resumption(*tls, secret, long_ago - Duration::seconds(24 * 3600), long_ago, rng);
    server_config.server = guide::server_config(tls);
    server_config.wall_clock = [](Instant at) { return wall_clock(at); };
    quic::EndpointConfig client_config;
    client_config.wall_clock = server_config.wall_clock;
    server.emplace(std::move(server_config), crypto::best(), rng);
    client.emplace(std::move(client_config), crypto::best(), rng);
    echo.emplace(*server);
    client_socket.join(server_socket);
    server_socket.join(client_socket);
  }
  static UnixTime wall_clock(Instant at) { return fuzz::kNow + (at - Instant()); }

  /// Until nothing is left to do but to wait, and `done`.
  template <class Done>
  void run(EchoClient& application, Done done) {
    for (int turns = 0; turns < 10'000; turns++) {
      turn(*client, client_socket, application, now);
      turn(*server, server_socket, *echo, now);
      if (done()) return;
      if (client_socket.is_idle() && server_socket.is_idle()) {
        const Instant next = std::min(client->next_timeout(), server->next_timeout());
        if (next.is_never()) return;
        now = std::max(now, next);
      }
    }
    FAIL("it does not come to an end");
  }
  Result<void> start(EchoClient& application) {
    const x509::SpkiPin pin = x509::spki_pin(crypto::best(), fuzz::identity()->leaf());
    return application.start(now, wall_clock(now), guide::client_config(pin), path);
  }

  tests::SeededRng rng{1};
  quic::FleetSecret secret{};
  Instant now = Instant::from_nanoseconds(1'000'000'000);
  Path path{*SocketAddress::parse("192.0.2.1:5000"), *SocketAddress::parse("192.0.2.2:4433")};
  std::optional<quic::Endpoint> server, client;
  std::optional<EchoServer> echo;
  MemorySocket server_socket, client_socket;
  quic::ResumptionStore store;
};

TEST_CASE("the guide's client gets its answer, and closes") {
  World world;
  EchoClient client(*world.client, world.store);
  REQUIRE(world.start(client));
  world.run(client, [&] { return client.answered; });
  CHECK(client.answer == "hello");
  CHECK(client.connected.has_value());

  client.connection()->close(world.now, quic::ApplicationErrorCode{0}, "done");
  world.run(client, [] { return false; });
  REQUIRE(client.closed.has_value());
  CHECK(client.closed->why == quic::Closed::Why::local);
  CHECK(client.closed->application);
  CHECK(client.connection() == nullptr);
  CHECK(world.client->connections() == 0);
  CHECK(world.server->connections() == 0);
}

TEST_CASE("the guide's server echoes more than buffers and windows hold") {
  World world;
  EchoClient client(*world.client, world.store);
  client.message.assign(3'000'000, 'x');
  REQUIRE(world.start(client));
  world.run(client, [&] { return client.answered; });
  CHECK(client.answer == client.message);
}

TEST_CASE("the guide's second connection is resumed, with early data") {
  World world({}, true);
  EchoClient first(*world.client, world.store);
  REQUIRE(world.start(first));
  world.run(first, [&] { return first.answered && world.store.servers() != 0; });
  CHECK_FALSE(first.connected->resumed);
  first.connection()->close(world.now, quic::ApplicationErrorCode{0}, "");
  world.run(first, [] { return false; });

  EchoClient second(*world.client, world.store);
  REQUIRE(world.start(second));
  world.run(second, [&] { return second.answered; });
  CHECK(second.answer == "hello");
  CHECK(second.connected->resumed);
  CHECK(second.connected->early_data_accepted);
}

TEST_CASE("the guide's workers: an id tells its worker, which alone answers for it") {
  const quic::FleetSecret secret{};
  const quic::EndpointConfig two = worker_config(secret, 2);
  const quic::EndpointConfig three = worker_config(secret, 3);
  tests::SeededRng rng(1);
  const quic::ConnectionId id = two.connection_ids->generate(rng);
  CHECK(two.may_reset(id));
  CHECK_FALSE(three.may_reset(id));

  World world(two);
  EchoClient client(*world.client, world.store);
  REQUIRE(world.start(client));
  world.run(client, [&] { return client.answered; });
  CHECK(client.answer == "hello");
}

TEST_CASE("the guide's datagrams, migration and statistics") {
  World world;
  EchoClient client(*world.client, world.store);
  REQUIRE(world.start(client));
  world.run(client, [&] { return client.answered; });
  world.run(client, [&] { return client.connection()->is_confirmed(); });

  CHECK(send_message(*client.connection(), as_bytes("ping")));
  std::optional<Slice> back;
  world.run(client, [&] { return (back = client.connection()->receive_datagram()).has_value(); });
  CHECK(as_text(back->bytes()) == "ping");

  const SocketAddress other_network = *SocketAddress::parse("198.51.100.7:6000");
  const Result<void> begun = client.connection()->migrate(world.now, other_network);
  CHECK(begun.has_value());
  world.run(client, [&] { return client.connection()->path().local == other_network; });
  CHECK(client.connection()->path().local == other_network);
  const quic::Statistics statistics = client.connection()->statistics();
  CHECK(statistics.migrations == 1);
  CHECK(statistics.packets_lost == 0);
}

}  // namespace
}  // namespace quoll::guide
