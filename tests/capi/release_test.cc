// Memory that a write takes without a copy is released once, whatever becomes of the stream.
#include <array>
#include <set>

#include "tests/capi/support.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

struct Lent {
  std::string memory = std::string(50'000, 'z');
  int releases = 0;
  static void release(void* context) { static_cast<Lent*>(context)->releases++; }
};

enum class End { delivered, reset, stopped, closed, peer_closed, freed };

void run(bool http3, End end) {
  std::array<Lent, 200> lent;  // more than a send buffer holds
  size_t accepted = 0;
  Lent late;
  bool took_late = false;
  {
    Pair pair(http3);
    pair.establish();
    uint64_t stream = 0;
    if (http3) {
      const quoll_field fields[] = {QUOLL_FIELD(":method", "POST"), QUOLL_FIELD(":scheme", "https"),
                                    QUOLL_FIELD(":authority", "localhost"), QUOLL_FIELD(":path", "/")};
      REQUIRE(quoll_h3_request(pair.client.endpoint, pair.client.connection, fields, 4, 0, &stream) == QUOLL_OK);
    } else {
      REQUIRE(quoll_stream_open(pair.client.endpoint, pair.client.connection, 0, &stream) == QUOLL_OK);
    }
    for (Lent& each : lent) {
      const size_t written = pair.client.write(stream, each.memory, &Lent::release, &each);
      if (written > 0) accepted++;
      if (written < each.memory.size()) break;
    }
    REQUIRE(accepted > 1);
    REQUIRE(accepted < lent.size());
    for (const Lent& each : lent) CHECK(each.releases == 0);
    pair.run();
    Side& client = pair.client;
    Side& server = pair.server;
    switch (end) {
      case End::delivered:
        CHECK(client.finish(stream) == QUOLL_OK);
        for (int i = 0; i < 1000 && !server.ended; i++) {
          server.read(stream);
          pair.run();
        }
        CHECK(server.ended);
        break;
      case End::reset:
        CHECK(quoll_stream_reset(client.endpoint, client.connection, stream, 0x10c) == QUOLL_OK);
        pair.run();
        break;
      case End::stopped:
        CHECK(quoll_stream_stop(server.endpoint, server.connection, stream, 0x10c) == QUOLL_OK);
        pair.run();
        break;
      case End::closed:
        CHECK(quoll_connection_close(client.endpoint, client.connection, pair.now, 0x100, nullptr) == QUOLL_OK);
        pair.wait(10'000'000'000);
        break;
      case End::peer_closed:
        CHECK(quoll_endpoint_close(server.endpoint, pair.now, 0x100, nullptr) == QUOLL_OK);
        pair.wait(10'000'000'000);
        break;
      case End::freed:
        break;
    }
    if (end != End::freed) {
      for (size_t i = 0; i < accepted; i++) CHECK(lent[i].releases == 1);
    }
    // A write that takes nothing releases nothing.
    took_late = client.write(stream, late.memory, &Lent::release, &late) > 0;
    if (!took_late) CHECK(late.releases == 0);
  }
  CHECK(late.releases == (took_late ? 1 : 0));
  for (size_t i = 0; i < lent.size(); i++) CHECK(lent[i].releases == (i < accepted ? 1 : 0));
}

TEST_CASE("lent memory is released once: QUIC") {
  for (const End end : {End::delivered, End::reset, End::stopped, End::closed, End::peer_closed, End::freed}) {
    CAPTURE(static_cast<int>(end));
    run(false, end);
  }
}

TEST_CASE("lent memory is released once: HTTP/3") {
  for (const End end : {End::delivered, End::reset, End::stopped, End::closed, End::peer_closed, End::freed}) {
    CAPTURE(static_cast<int>(end));
    run(true, end);
  }
}

}  // namespace
}  // namespace quoll::tests
