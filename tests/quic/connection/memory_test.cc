// What connections cost in memory, and that a connection in steady state allocates nothing.
#include "tests/support/heap.h"
#include "tests/support/quic_pair.h"

#include <algorithm>
#include <vector>

#include "doctest/doctest.h"

namespace quoll::quic {
namespace {

using tests::QuicPair;

/// Keeps streams full and reads all that arrives: of the client to the server and, when `both_ways`, on the same stream
/// back.
struct Bulk {
  explicit Bulk(QuicPair& of, bool both_ways = false) : pair(of), both(both_ways) {
    pair.on_event = [this](bool of_server, EndpointEvent& event) {
      const Event* inner = std::get_if<Event>(&event.event);
      const auto* readable = inner ? std::get_if<StreamReadable>(inner) : nullptr;
      if (readable) read(of_server, readable->stream_id);
    };
    stream = *pair.client_connection().streams().open(false);
  }
  Streams& streams(bool of_server) {
    return (of_server ? pair.server_connection() : pair.client_connection()).streams();
  }
  void read(bool of_server, StreamId id) {
    for (;;) {
      const auto chunk = streams(of_server).read(id);
      if (!chunk || !*chunk) return;
      received[of_server] += (*chunk)->data.size();
    }
  }
  void write(bool of_server, uint64_t up_to) {
    static const std::vector<uint8_t> block(64 * 1024, 7);
    while (sent[of_server] < up_to) {
      Slice slice = Slice::of_static(Bytes(block).first(std::min<uint64_t>(block.size(), up_to - sent[of_server])));
      const auto written = streams(of_server).write(stream, slice);
      REQUIRE(written);
      if (*written == 0) return;
      sent[of_server] += *written;
    }
  }
  void transfer(uint64_t up_to) {
    write(false, up_to);  // while nothing else happens, nobody asks
    REQUIRE(pair.run_until([&] {
      write(false, up_to);
      if (both && received[true] != 0) write(true, up_to);
      return received[true] >= up_to && (!both || received[false] >= up_to);
    }));
  }

  QuicPair& pair;
  bool both;
  StreamId stream;
  uint64_t sent[2] = {};      // by who sent it: client, server
  uint64_t received[2] = {};  // by who received it
};

/// Messages of `size` bytes, each answered by the same, one at a time.
struct PingPong {
  PingPong(QuicPair& of, size_t size) : pair(of), message(size, 7) {
    pair.on_event = [this](bool of_server, EndpointEvent& event) {
      const Event* inner = std::get_if<Event>(&event.event);
      const auto* readable = inner ? std::get_if<StreamReadable>(inner) : nullptr;
      if (readable) read(of_server);
    };
    stream = *pair.client_connection().streams().open(false);
  }
  Streams& streams(bool of_server) {
    return (of_server ? pair.server_connection() : pair.client_connection()).streams();
  }
  void read(bool of_server) {
    for (;;) {
      const auto chunk = streams(of_server).read(stream);
      if (!chunk || !*chunk) break;
      received[of_server] += (*chunk)->data.size();
    }
    if (received[of_server] < message.size()) return;
    received[of_server] = 0;
    rounds += !of_server;
    if (rounds < wanted) say(of_server);
  }
  void say(bool of_server) { REQUIRE(streams(of_server).write(stream, Bytes(message)) == message.size()); }
  void play(uint64_t count) {
    wanted += count;
    say(false);
    REQUIRE(pair.run_until([&] { return rounds == wanted; }, Duration::seconds(600)));
  }

  QuicPair& pair;
  std::vector<uint8_t> message;
  StreamId stream;
  size_t received[2] = {};
  uint64_t rounds = 0;
  uint64_t wanted = 0;
};

/// How often `work` allocates.
template <class Work>
size_t allocations_of(Work work) {
  const size_t before = tests::heap_allocations();
  work();
  return tests::heap_allocations() - before;
}

TEST_CASE("an idle connection holds less than 8 KiB, an active one less than 32 KiB beside its data") {
  if (!tests::heap_is_counted()) return;
  constexpr int64_t kConnections = 100;
  tests::QuicPairOptions options;
  options.client.max_idle_timeout = options.server.max_idle_timeout = Duration::infinite();
  QuicPair pair(options);
  pair.connect();
  pair.run_for(Duration::seconds(5));
  const int64_t before[2] = {pair.held[0], pair.held[1]};
  std::vector<ConnectionHandle> clients;
  for (int64_t i = 0; i < kConnections; i++) {
    pair.connect();
    clients.push_back(pair.client_handle);
  }
  pair.run_for(Duration::seconds(5));
  // What the endpoints' tables hold for their connections is counted too.
  const auto each = [&](bool of_server) { return (pair.held[of_server] - before[of_server]) / kConnections; };
  MESSAGE("an idle established connection holds ", each(false), " bytes as a client, ", each(true), " as a server");
  CHECK(each(false) < 8 * 1024);
  CHECK(each(true) < 8 * 1024);

  // All of them in the middle of a transfer, of memory that is counted nowhere, to a reader that reads at once.
  static const std::vector<uint8_t> block(256 * 1024, 7);
  uint64_t received = 0;
  pair.on_event = [&](bool of_server, EndpointEvent& event) {
    const Event* inner = std::get_if<Event>(&event.event);
    const auto* readable = inner ? std::get_if<StreamReadable>(inner) : nullptr;
    if (!of_server || !readable) return;
    while (const auto chunk = pair.server->find(event.connection)->streams().read(readable->stream_id)) {
      if (!*chunk) break;
      received += (*chunk)->data.size();
    }
  };
  pair.charge(false, [&] {
    for (const ConnectionHandle client : clients) {
      Streams& streams = pair.client->find(client)->streams();
      Slice data = Slice::of_static(block);
      REQUIRE(streams.write(*streams.open(false), data));
    }
  });
  int64_t most[2] = {};
  while (received < kConnections * block.size()) {
    pair.run_for(Duration::milliseconds(1));
    for (const bool of_server : {false, true}) most[of_server] = std::max(most[of_server], each(of_server));
  }
  MESSAGE("an active connection holds ", most[0], " bytes as the sender, ", most[1], " as the receiver, at the most");
  CHECK(most[0] < 32 * 1024);
  CHECK(most[1] < 32 * 1024);

  pair.run_for(Duration::seconds(5));
  MESSAGE("with a stream that is idle again, ", each(false), " and ", each(true));
  CHECK(each(false) < 9 * 1024);
  CHECK(each(true) < 9 * 1024);
}

TEST_CASE("a quiet connection wakes once to give memory back, and goes on as before") {
  tests::QuicPairOptions options;
  options.client.max_idle_timeout = options.server.max_idle_timeout = Duration::seconds(600);
  QuicPair pair(options);
  pair.connect();
  Bulk bulk(pair);
  for (uint64_t round = 1; round <= 4; round++) {
    // Long enough for limits to be raised: a receiver has nothing else that is acknowledged.
    bulk.transfer(round * 10'000'000);
    pair.run_for(Duration::seconds(5));
    // Nothing but the idle timeout is left.
    CHECK(pair.client->next_timeout() > pair.now + Duration::seconds(500));
    CHECK(pair.server->next_timeout() > pair.now + Duration::seconds(500));
    pair.client->check_invariants();
    pair.server->check_invariants();
    // RFC 9001 §6: an update is begun, and answered, by keys that were given up.
    if (round % 2 == 0) {
      CHECK(pair.client_connection().update_keys(pair.now));
    } else {
      CHECK(pair.server_connection().update_keys(pair.now));
    }
  }
  bulk.transfer(50'000'000);
  CHECK(pair.client_connection().statistics().key_updates == 4);
  CHECK(pair.server_connection().statistics().key_updates == 4);
  CHECK(pair.client_connection().statistics().packets_lost == 0);
}

TEST_CASE("a connection in steady state allocates nothing, neither sending nor receiving") {
  if (!tests::heap_is_counted()) return;
  QuicPair pair;
  pair.connect();
  Bulk bulk(pair);
  bulk.transfer(50'000'000);  // rings and windows grow to their size
  const uint64_t datagrams = pair.datagrams;
  const size_t allocations = allocations_of([&] { bulk.transfer(100'000'000); });
  MESSAGE(allocations, " allocations for 50 MB in ", pair.datagrams - datagrams, " trains");
  CHECK(allocations < 32);  // rings that double as the windows grow
}

TEST_CASE("both directions of a stream at a time allocate nothing in steady state") {
  if (!tests::heap_is_counted()) return;
  QuicPair pair;
  pair.connect();
  Bulk bulk(pair, true);
  bulk.transfer(50'000'000);
  const size_t allocations = allocations_of([&] { bulk.transfer(100'000'000); });
  MESSAGE(allocations, " allocations for 50 MB each way");
  CHECK(allocations < 32);  // rings that double as the windows grow
}

TEST_CASE("small messages on an open stream allocate nothing in steady state") {
  if (!tests::heap_is_counted()) return;
  for (const size_t size : {1, 100, 900, 20'000}) {
    QuicPair pair;
    pair.connect();
    PingPong messages(pair, size);
    messages.play(2'000);
    const size_t allocations = allocations_of([&] { messages.play(2'000); });
    MESSAGE(allocations, " allocations for 2000 messages of ", size, " bytes and their answers");
    // Copies of more than the smallest block have a block each.
    CHECK(allocations < (size <= kSendBlockMin ? 10 : 4 * (2 * 2'000)));
  }
}

TEST_CASE("datagrams allocate nothing in steady state") {
  if (!tests::heap_is_counted()) return;
  tests::QuicPairOptions options;
  options.client.max_datagram_frame_size = options.server.max_datagram_frame_size = 65'535;
  QuicPair pair(options);
  pair.connect();
  static const std::vector<uint8_t> block(1000, 7);
  uint64_t received[2] = {};
  pair.on_event = [&](bool of_server, EndpointEvent& event) {
    const Event* inner = std::get_if<Event>(&event.event);
    if (!inner || !std::holds_alternative<DatagramReceived>(*inner)) return;
    Connection& connection = of_server ? pair.server_connection() : pair.client_connection();
    while (connection.receive_datagram()) received[of_server]++;
  };
  const auto transfer = [&](uint64_t count) {
    for (uint64_t i = 0; i < count; i += 32) {
      for (int j = 0; j < 32; j++) {
        REQUIRE(pair.client_connection().send_datagram(Slice::of_static(block)));
        REQUIRE(pair.server_connection().send_datagram(Slice::of_static(block)));
      }
      pair.run_for(Duration::milliseconds(25));
    }
  };
  transfer(5'000);
  const uint64_t before = received[0] + received[1];
  const size_t allocations = allocations_of([&] { transfer(25'000); });
  MESSAGE(allocations, " allocations for ", received[0] + received[1] - before, " datagrams of 1000 bytes");
  CHECK(received[0] + received[1] - before > 49'000);
  CHECK(allocations < 10);
}

TEST_CASE("a new stream costs a bounded number of allocations") {
  if (!tests::heap_is_counted()) return;
  QuicPair pair;
  pair.connect();
  const std::vector<uint8_t> message(100, 7);
  pair.on_event = [&](bool of_server, EndpointEvent& event) {
    const Event* inner = std::get_if<Event>(&event.event);
    const auto* readable = inner ? std::get_if<StreamReadable>(inner) : nullptr;
    if (!readable) return;
    Streams& streams = (of_server ? pair.server_connection() : pair.client_connection()).streams();
    for (;;) {
      const auto chunk = streams.read(readable->stream_id);
      if (!chunk || !*chunk) return;
      if (!(*chunk)->fin) continue;
      if (!of_server) return;
      REQUIRE(streams.write(readable->stream_id, Bytes(message)) == message.size());
      REQUIRE(streams.finish(readable->stream_id));
      return;
    }
  };
  const auto requests = [&](int count) {
    for (int i = 0; i < count; i++) {
      Streams& streams = pair.client_connection().streams();
      const StreamId id = *streams.open(false);
      REQUIRE(streams.write(id, Bytes(message)) == message.size());
      REQUIRE(streams.finish(id));
      REQUIRE(pair.run_until([&] { return !pair.client_connection().streams().has_open_streams(); }));
    }
  };
  requests(200);
  constexpr int kCount = 1000;
  const size_t allocations = allocations_of([&] { requests(kCount); });
  MESSAGE(allocations, " allocations for ", kCount, " requests and their answers, at both ends together");
  CHECK(allocations <= 16 * kCount);
}

}  // namespace
}  // namespace quoll::quic
