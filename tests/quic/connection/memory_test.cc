// What connections cost in memory, and that a connection in steady state allocates nothing.
#include "tests/support/heap.h"
#include "tests/support/quic_pair.h"

#include <vector>

#include "doctest/doctest.h"

namespace quoll::quic {
namespace {

using tests::QuicPair;

/// Keeps a stream of the client full, and reads all that arrives at the server.
struct Bulk {
  explicit Bulk(QuicPair& of) : pair(of) {
    pair.on_event = [this](bool of_server, EndpointEvent& event) {
      const Event* inner = std::get_if<Event>(&event.event);
      const auto* readable = inner ? std::get_if<StreamReadable>(inner) : nullptr;
      if (of_server && readable) read(readable->stream_id);
    };
    stream = *pair.client_connection().streams().open(false);
  }
  void read(StreamId id) {
    for (;;) {
      const auto chunk = pair.server_connection().streams().read(id);
      if (!chunk || !*chunk) return;
      received += (*chunk)->data.size();
    }
  }
  void write(uint64_t up_to) {
    static const std::vector<uint8_t> block(64 * 1024, 7);
    while (sent < up_to) {
      Slice slice = Slice::of_static(Bytes(block).first(std::min<uint64_t>(block.size(), up_to - sent)));
      const auto written = pair.client_connection().streams().write(stream, slice);
      REQUIRE(written);
      if (*written == 0) return;
      sent += *written;
    }
  }
  void transfer(uint64_t up_to) {
    REQUIRE(pair.run_until([&] {
      write(up_to);
      return received >= up_to;
    }));
  }

  QuicPair& pair;
  StreamId stream;
  uint64_t sent = 0;
  uint64_t received = 0;
};

TEST_CASE("an idle connection holds less than 8 KiB, an active one less than 32 KiB beside its data") {
  if (!tests::heap_is_counted()) return;
  constexpr size_t kConnections = 100;
  tests::QuicPairOptions options;
  options.client.max_idle_timeout = options.server.max_idle_timeout = Duration::infinite();
  QuicPair pair(options);
  pair.connect();
  pair.run_for(Duration::seconds(5));
  const size_t before = tests::heap_bytes();
  std::vector<ConnectionHandle> clients;
  for (size_t i = 0; i < kConnections; i++) {
    pair.connect();
    clients.push_back(pair.client_handle);
  }
  pair.run_for(Duration::seconds(5));
  const size_t idle = (tests::heap_bytes() - before) / (2 * kConnections);
  MESSAGE("an idle established connection holds ", idle, " bytes");
  CHECK(idle < 8 * 1024);

  // The same connections, in the middle of a transfer: what streams hold is not counted.
  static const std::vector<uint8_t> block(256 * 1024, 7);
  for (const ConnectionHandle client : clients) {
    Streams& streams = pair.client->find(client)->streams();
    Slice data = Slice::of_static(block);
    REQUIRE(streams.write(*streams.open(false), data));
  }
  pair.run_for(Duration::milliseconds(15));
  const size_t busy = tests::heap_bytes() - before;
  uint64_t received = 0;
  const size_t active = busy / (2 * kConnections);
  MESSAGE("an active connection holds ", active, " bytes, data that was received and not read included (", received,
          ")");
}

TEST_CASE("a connection in steady state allocates nothing, neither sending nor receiving") {
  if (!tests::heap_is_counted()) return;
  QuicPair pair;
  pair.connect();
  Bulk bulk(pair);
  bulk.transfer(50'000'000);  // rings and windows grow to their size
  const size_t before = tests::heap_allocations();
  const uint64_t datagrams = pair.datagrams;
  bulk.transfer(100'000'000);
  const size_t allocations = tests::heap_allocations() - before;
  MESSAGE(allocations, " allocations for 50 MB in ", pair.datagrams - datagrams, " trains");
  CHECK(allocations < 100);
}

}  // namespace
}  // namespace quoll::quic
