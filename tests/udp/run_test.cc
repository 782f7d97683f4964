// The loop's turns, with an endpoint that does what a test says.
#include "udp/run.h"

#include <deque>
#include <thread>

#include "tests/udp/faulty_calls.h"
#include "tests/udp/loopback.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::tests;
using udp::Outbox;
using udp::Socket;

TEST_SUITE_BEGIN("udp run");

namespace {

struct FakeEvent {
  int number;
};

/// Sends what waits in `outgoing` and keeps what it receives.
struct FakeEndpoint {
  struct Outgoing {
    Path path;
    std::vector<uint8_t> bytes;
    uint16_t segment_size;
  };
  std::deque<Outgoing> outgoing;
  std::vector<Received> received;
  std::deque<FakeEvent> events;
  Instant timeout = Instant::never();
  int timeouts = 0;
  size_t polled = 0;

  Instant next_timeout() const { return timeout; }
  void on_timeout(Instant) {
    timeout = Instant::never();
    timeouts++;
  }
  void receive(Instant, Received train) { received.push_back(std::move(train)); }
  std::optional<FakeEvent> poll_event() {
    if (events.empty()) return {};
    const FakeEvent event = events.front();
    events.pop_front();
    return event;
  }
  std::optional<Transmit> poll_transmit(Instant, MutBytes scratch) {
    if (outgoing.empty()) return {};
    const Outgoing next = std::move(outgoing.front());
    outgoing.pop_front();
    polled++;
    copy_bytes(scratch.data(), next.bytes);
    return Transmit{.path = next.path,
                    .ecn = Ecn::not_ect,
                    .bytes = scratch.first(next.bytes.size()),
                    .segment_size = next.segment_size,
                    .departure = {}};
  }
  void queue(const Path& path, std::vector<uint8_t> bytes, uint16_t segment_size = 0) {
    outgoing.push_back({path, std::move(bytes), segment_size});
  }
};

}  // namespace

TEST_CASE("an outbox sends all that an endpoint has, small transmits in few calls") {
  Socket sender = bind_socket("127.0.0.1:0"), receiver = bind_socket("127.0.0.1:0");
  BufferPool pool(65536, 128);
  FakeEndpoint endpoint;
  std::vector<std::vector<uint8_t>> wanted;
  for (uint8_t i = 0; i < 60; i++) {
    wanted.push_back(pattern(200 + i, i));
    endpoint.queue(sender.path_to(receiver.local_address()), wanted.back());
  }
  Outbox outbox;
  CHECK(outbox.transmit({}, endpoint, std::span(&sender, 1)) == Outbox::Progress::all_sent);
  CHECK(sender.statistics().send_calls == 2);
  CHECK(datagrams_of(receive_all(receiver, pool, 60)) == wanted);
}

TEST_CASE("an outbox stops at the limit of a turn and goes on in the next") {
  Socket sender = bind_socket("127.0.0.1:0");
  FakeEndpoint endpoint;
  for (int i = 0; i < 200; i++) endpoint.queue(sender.path_to(sender.local_address()), pattern(10));
  Outbox outbox;
  CHECK(outbox.transmit({}, endpoint, std::span(&sender, 1)) == Outbox::Progress::limit);
  CHECK(endpoint.polled >= udp::kTransmitsPerTurnMax);
  CHECK(endpoint.polled < 2 * udp::kTransmitsPerTurnMax);
  while (outbox.transmit({}, endpoint, std::span(&sender, 1)) == Outbox::Progress::limit) continue;
  CHECK(endpoint.polled == 200);
  CHECK(sender.statistics().datagrams_sent == 200);
}

TEST_CASE("an outbox keeps what a full socket did not take, in order, and polls no more meanwhile") {
  FaultyCalls calls;
  udp::SocketOptions options;
  options.system = &calls;
  Socket sender = bind_socket("127.0.0.1:0", options), receiver = bind_socket("127.0.0.1:0");
  BufferPool pool(65536, 1024);
  FakeEndpoint endpoint;
  std::vector<std::vector<uint8_t>> wanted;
  for (uint8_t i = 0; i < 50; i++) {
    const auto bytes = pattern(i % 3 == 0 ? 40'000 : 500, i);
    const uint16_t segment = i % 3 == 0 ? 1200 : 0;
    for (auto& each : cut(bytes, segment == 0 ? bytes.size() : segment)) wanted.push_back(std::move(each));
    endpoint.queue(sender.path_to(receiver.local_address()), bytes, segment);
  }
  int room = 0;
  calls.fail_send = [&](const msghdr&) { return room-- > 0 ? 0 : EAGAIN; };
  Outbox outbox;
  for (int i = 0; i < 100; i++) {
    room = i % 3;
    const size_t polled = endpoint.polled;
    const bool was_blocked = outbox.blocked_socket().has_value();
    const auto progress = outbox.transmit({}, endpoint, std::span(&sender, 1));
    if (was_blocked && i % 3 == 0) CHECK(endpoint.polled == polled);
    CHECK(outbox.blocked_socket().has_value() == (progress == Outbox::Progress::blocked));
    if (progress == Outbox::Progress::all_sent) break;
  }
  CHECK(endpoint.outgoing.empty());
  CHECK(datagrams_of(receive_all(receiver, pool, wanted.size())) == wanted);
}

TEST_CASE("transmits leave by the socket of their local port, or of their family") {
  std::vector<Socket> sockets;
  for (const char* address : {"127.0.0.1:0", "127.0.0.1:0", "[::1]:0"}) sockets.push_back(bind_socket(address));
  const SocketAddress four = address_of("127.0.0.1:9"), six = address_of("[::1]:9");
  for (size_t i = 0; i < 3; i++) CHECK(udp::socket_for(sockets, sockets[i].path_to(i < 2 ? four : six)) == i);
  Path path = sockets[1].path_to(four);
  path.local.ip = {};
  CHECK(udp::socket_for(sockets, path) == 1);
  path.local.port = 0;
  CHECK(udp::socket_for(sockets, path) == 0);
}

TEST_CASE("a turn serves timers, events and the application, and ends when that is done") {
  struct Application {
    FakeEndpoint& endpoint;
    std::vector<int> events = {};
    int turns = 0;
    void on_event(Instant, FakeEvent event) { events.push_back(event.number); }
    void on_turn(Instant now) {
      if (turns++ == 0) {
        endpoint.timeout = now + Duration::milliseconds(1);
        endpoint.events = {{1}, {2}};
      }
    }
    bool is_done() const { return endpoint.timeouts == 1; }
  };
  for (int round = 0; round < 2; round++) {
    Socket socket = bind_socket("127.0.0.1:0");
    FakeEndpoint endpoint;
    Application application{endpoint};
    REQUIRE(udp::run(endpoint, socket, application));
    CHECK(application.events == std::vector{1, 2});
    CHECK(application.turns >= 2);
  }
}

TEST_CASE("an application's own timer ends a wait, and another thread does") {
  struct Application {
    Instant timer = udp::now() + Duration::milliseconds(2);
    std::atomic<bool> stopped = false;
    std::atomic<bool> timer_passed = false;
    void on_event(Instant, FakeEvent) {}
    void on_turn(Instant now) {
      if (now < timer) return;
      timer = Instant::never();
      timer_passed = true;
      timer_passed.notify_all();
    }
    Instant next_timeout() const { return timer; }
    bool is_done() const { return stopped; }
  };
  Socket socket = bind_socket("127.0.0.1:0");
  auto loop = udp::Loop::create();
  REQUIRE(loop);
  FakeEndpoint endpoint;
  Application application;
  std::thread stopper([&] {
    application.timer_passed.wait(false);
    application.stopped = true;
    loop->wake();
  });
  REQUIRE(udp::run(*loop, endpoint, std::span(&socket, 1), application));
  stopper.join();
}

TEST_CASE("while an application holds all buffers the loop waits instead of spinning, and then reads on") {
  Socket receiver = bind_socket("127.0.0.1:0"), sender = bind_socket("127.0.0.1:0");
  auto loop = udp::Loop::create();
  REQUIRE(loop);
  udp::Driver driver(*loop, std::span(&receiver, 1));
  REQUIRE(driver.start());
  FakeEndpoint endpoint;
  while (endpoint.received.size() < udp::kReceiveBuffersMax) {
    (void)sender.send(to(sender, receiver.local_address(), pattern(100)));
    REQUIRE(is_readable(receiver, 2000));
    driver.receive(endpoint, 0);
  }
  for (int i = 0; i < 3; i++) (void)sender.send(to(sender, receiver.local_address(), pattern(100)));
  REQUIRE(is_readable(receiver, 2000));
  driver.receive(endpoint, 0);
  CHECK(endpoint.received.size() == udp::kReceiveBuffersMax);
  REQUIRE(driver.update_watches());
  CHECK(loop->wait(udp::now() + Duration::milliseconds(1)).empty());
  endpoint.received.clear();
  REQUIRE(driver.update_watches());
  REQUIRE(loop->wait(udp::now() + Duration::seconds(2)).size() == 1);
  driver.receive(endpoint, 0);
  CHECK(endpoint.received.size() == 3);
}

TEST_SUITE_END();
