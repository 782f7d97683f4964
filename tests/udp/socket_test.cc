#include "udp/socket.h"

#include <string_view>

#include "tests/support/heap.h"
#include "tests/udp/loopback.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::tests;
using udp::Socket;
using udp::SocketOptions;

TEST_SUITE_BEGIN("udp socket");

namespace {

constexpr size_t kSegment = 1252;

/// Each way that a socket can work.
struct Way {
  const char* name;
  SocketOptions options;
};
std::vector<Way> ways() {
  SocketOptions no_gso, no_gro;
  no_gso.segmentation_offload = false;
  no_gro.receive_offload = false;
  return {
      {"all offloads", {}}, {"without GSO", no_gso}, {"without GRO", no_gro}, {"portable", SocketOptions::portable()}};
}

struct Place {
  const char* bind;
  const char* reach;
};
constexpr Place kPlaces[] = {{"127.0.0.1:0", "127.0.0.1"},
                             {"0.0.0.0:0", "127.0.0.1"},
                             {"[::1]:0", "::1"},
                             {"[::]:0", "::1"},
                             {"[::]:0", "127.0.0.1"}};

}  // namespace

TEST_CASE("a client's socket is bound for its server's family") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    Socket server = bind_socket(host[0] == ':' ? "[::1]:0" : "127.0.0.1:0");
    auto client = Socket::bind_for(server.local_address());
    REQUIRE(client);
    CHECK(client->local_address().ip.family() == server.local_address().ip.family());
    BufferPool pool(server.receive_buffer_size(), 4);
    const auto bytes = pattern(100);
    const Transmit transmit{.path = client->path_to(server.local_address()), .bytes = bytes, .departure = {}};
    REQUIRE(client->send(transmit) == Socket::SendResult::sent);
    CHECK(receive_all(server, pool, 1).size() == 1);
  }
}

TEST_CASE("trains arrive whole and in order, whichever way the sockets work, on IPv4, IPv6 and both") {
  for (const Place& place : kPlaces) {
    for (const Way& way : ways()) {
      CAPTURE(place.bind);
      CAPTURE(place.reach);
      CAPTURE(way.name);
      Socket receiver = bind_socket(place.bind, way.options);
      Socket sender = bind_socket(place.bind, way.options);
      BufferPool pool(receiver.receive_buffer_size(), 64);
      const auto bytes = pattern(40 * kSegment + 100);
      REQUIRE(sender.send(to(sender, at(place.reach, receiver), bytes, kSegment)) == Socket::SendResult::sent);
      const auto received = receive_all(receiver, pool, 41);
      CHECK(datagrams_of(received) == cut(bytes, kSegment));
      for (const Received& each : received) {
        CHECK(each.path.remote == at(place.reach, sender));
        CHECK(each.path.local == at(place.reach, receiver));
        CHECK(each.ecn == Ecn::not_ect);
      }
      CHECK(sender.statistics().datagrams_sent == 41);
      CHECK(receiver.statistics().datagrams_received == 41);
      CHECK(sender.statistics().send_errors == 0);
    }
  }
}

TEST_CASE("ECN marks are kept both ways, in trains and alone, on IPv4, IPv6 and both") {
  for (const Place& place : kPlaces) {
    for (const Way& way : ways()) {
      CAPTURE(place.bind);
      CAPTURE(place.reach);
      CAPTURE(way.name);
      Socket receiver = bind_socket(place.bind, way.options), sender = bind_socket(place.bind, way.options);
      BufferPool pool(receiver.receive_buffer_size(), 64);
      for (const Ecn mark : {Ecn::ect0, Ecn::ect1, Ecn::ce, Ecn::not_ect}) {
        for (const size_t datagrams : {1, 3}) {
          const auto bytes = pattern(datagrams * kSegment);
          (void)sender.send(to(sender, at(place.reach, receiver), bytes, kSegment, mark));
          const auto received = receive_all(receiver, pool, datagrams);
          REQUIRE(!received.empty());
          for (const Received& each : received) CHECK(each.ecn == mark);
        }
      }
    }
  }
}

TEST_CASE("a wildcard socket tells which address was asked, and answers leave from it") {
  for (const char* bind : {"0.0.0.0:0", "[::]:0"}) {
    for (const Way& way : ways()) {
      for (const char* asked : {"127.0.0.1", "127.0.0.2", "127.8.9.10"}) {
        CAPTURE(bind);
        CAPTURE(way.name);
        CAPTURE(asked);
        Socket server = bind_socket(bind, way.options), client = bind_socket("127.0.0.1:0", way.options);
        BufferPool pool(server.receive_buffer_size(), 64);
        (void)client.send(to(client, at(asked, server), pattern(100)));
        auto request = receive_all(server, pool, 1);
        REQUIRE(request.size() == 1);
        CHECK(request[0].path == Path{.local = at(asked, server), .remote = client.local_address()});
        const auto answer = pattern(3000);
        (void)server.send(
            {.path = request[0].path, .ecn = Ecn::ect0, .bytes = answer, .segment_size = 1200, .departure = {}});
        const auto answers = receive_all(client, pool, 3);
        REQUIRE(!answers.empty());
        for (const Received& each : answers) CHECK(each.path.remote == at(asked, server));
        CHECK(datagrams_of(answers) == cut(answer, 1200));
      }
    }
  }
}

TEST_CASE("a socket without dual stack leaves IPv4 alone") {
  SocketOptions options;
  options.dual_stack = false;
  Socket six = bind_socket("[::]:0", options);
  const SocketAddress same_port{*IpAddress::parse("0.0.0.0"), six.local_address().port};
  CHECK(Socket::bind(same_port).has_value());
  CHECK(six.send(to(six, at("127.0.0.1", six), pattern(10))) == Socket::SendResult::sent);
  CHECK(six.statistics().send_errors == 1);
}

TEST_CASE("binding an address that is taken or not here fails with the system's error") {
  const Socket first = bind_socket("127.0.0.1:0");
  const auto taken = Socket::bind(first.local_address());
  REQUIRE_FALSE(taken);
  CHECK(taken.error().domain == ErrorDomain::system);
  CHECK(taken.error().code == EADDRINUSE);
  CHECK(std::string_view(taken.error().reason) == "bind");
  CHECK(Socket::bind(address_of("203.0.113.1:0")).error().code == EADDRNOTAVAIL);
}

TEST_CASE("a path from a wildcard socket leaves its address open, another has it") {
  const Socket one = bind_socket("127.0.0.1:0"), any = bind_socket("[::]:0");
  const SocketAddress remote = address_of("127.0.0.9:443");
  CHECK(one.path_to(remote) == Path{.local = one.local_address(), .remote = remote});
  CHECK(any.path_to(remote) == Path{.local = {{}, any.local_address().port}, .remote = remote});
}

TEST_CASE("many transmits go out in one call of the kernel") {
  Socket sender = bind_socket("127.0.0.1:0");
  std::vector<Socket> receivers;
  std::vector<Transmit> transmits;
  const auto bytes = pattern(2000);
  for (int i = 0; i < 20; i++) {
    receivers.push_back(bind_socket("127.0.0.1:0"));
    transmits.push_back(to(sender, receivers.back().local_address(), bytes, i % 2 == 0 ? uint16_t{1200} : uint16_t{0}));
  }
  CHECK(sender.send(transmits) == 20);
  CHECK(sender.statistics().send_calls == 1);
  CHECK(sender.statistics().datagrams_sent == 30);
  BufferPool pool(65536, 64);
  for (size_t i = 0; i < 20; i++) {
    CHECK(datagrams_of(receive_all(receivers[i], pool, i % 2 == 0 ? 2 : 1)) == cut(bytes, i % 2 == 0 ? 1200 : 2000));
  }
}

TEST_CASE("trains beyond what the kernel takes as one are several") {
  Socket receiver = bind_socket("127.0.0.1:0"), sender = bind_socket("127.0.0.1:0");
  BufferPool pool(receiver.receive_buffer_size(), 512);
  const auto many_small = pattern(300 * 50), large = pattern(65'536);
  CHECK(sender.send(to(sender, receiver.local_address(), many_small, 50)) == Socket::SendResult::sent);
  CHECK(datagrams_of(receive_all(receiver, pool, 300)) == cut(many_small, 50));
  CHECK(sender.send(to(sender, receiver.local_address(), large, 1200)) == Socket::SendResult::sent);
  CHECK(datagrams_of(receive_all(receiver, pool, 55)) == cut(large, 1200));
  CHECK(sender.statistics().send_errors == 0);
  CHECK(sender.segmentation_offload());
}

TEST_CASE("empty datagrams arrive") {
  Socket receiver = bind_socket("127.0.0.1:0"), sender = bind_socket("127.0.0.1:0");
  BufferPool pool(receiver.receive_buffer_size(), 4);
  CHECK(sender.send(to(sender, receiver.local_address(), {})) == Socket::SendResult::sent);
  const auto received = receive_all(receiver, pool, 1);
  REQUIRE(received.size() == 1);
  CHECK(received[0].data.size() == 0);
}

TEST_CASE("a datagram larger than a packet is counted as too big") {
  Socket sender = bind_socket("127.0.0.1:0");
  CHECK(sender.send(to(sender, sender.local_address(), pattern(65'530))) == Socket::SendResult::sent);
  CHECK(sender.statistics().too_big == 1);
  CHECK(sender.statistics().send_errors == 1);
}

TEST_CASE("without buffers nothing is received, and with them again what waited is") {
  for (const Way& way : ways()) {
    CAPTURE(way.name);
    Socket receiver = bind_socket("127.0.0.1:0", way.options), sender = bind_socket("127.0.0.1:0");
    BufferPool pool(receiver.receive_buffer_size(), 3);
    for (uint8_t i = 0; i < 5; i++) (void)sender.send(to(sender, receiver.local_address(), pattern(100 + i, i)));
    REQUIRE(is_readable(receiver, 2000));
    std::vector<Received> first(8), second(8);
    CHECK(receiver.receive(pool, first) == 3);
    CHECK(receiver.receive(pool, second) == 0);
    CHECK(pool.statistics().in_use == 3);
    first.clear();
    CHECK(receiver.receive(pool, second) == 2);
    CHECK(second[1].data.size() == 104);
    CHECK(pool.statistics().in_use == 2);
  }
}

TEST_CASE("a datagram that a buffer cannot hold is dropped and counted") {
  for (const Way& way : ways()) {
    Socket receiver = bind_socket("127.0.0.1:0", way.options), sender = bind_socket("127.0.0.1:0");
    BufferPool pool(1500, 8);
    for (const size_t size : {1500, 1501, 100}) (void)sender.send(to(sender, receiver.local_address(), pattern(size)));
    REQUIRE(is_readable(receiver, 2000));
    Received out[8];
    CHECK(receiver.receive(pool, out) == 2);
    CHECK(out[0].data.size() == 1500);
    CHECK(out[1].data.size() == 100);
    CHECK(receiver.statistics().truncated == 1);
  }
}

TEST_CASE("sending and receiving allocate nothing once warm") {
  if (!heap_is_counted()) return;
  for (const Way& way : ways()) {
    CAPTURE(way.name);
    Socket receiver = bind_socket("[::]:0", way.options), sender = bind_socket("[::]:0", way.options);
    BufferPool pool(receiver.receive_buffer_size(), 64);
    const auto bytes = pattern(40 * kSegment);
    const Transmit train = to(sender, at("::1", receiver), bytes, kSegment, Ecn::ect0);
    Received received[16];
    const auto round = [&] {
      (void)sender.send(train);
      size_t size = 0;
      for (int tries = 0; size < bytes.size() && tries < 10'000; tries++) {
        const size_t count = receiver.receive(pool, received);
        for (size_t i = 0; i < count; i++) {
          size += received[i].data.size();
          received[i].data = {};
        }
      }
    };
    for (int i = 0; i < 5; i++) round();
    const size_t before = heap_allocations();
    for (int i = 0; i < 100; i++) round();
    CHECK(heap_allocations() == before);
    CHECK(receiver.statistics().datagrams_received == 105 * 40);
  }
}

TEST_SUITE_END();
