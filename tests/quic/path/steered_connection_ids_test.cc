#include "quic/path/steered_connection_ids.h"

#include <set>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::SeededRng;

namespace {

std::array<uint8_t, SteeredConnectionIds::kKeySize> key_of(uint64_t seed) {
  std::array<uint8_t, SteeredConnectionIds::kKeySize> key;
  SeededRng rng(seed);
  rng.fill(key);
  return key;
}

std::vector<uint8_t> short_packet(const ConnectionId& id) {
  std::vector<uint8_t> datagram = {0x40};
  datagram.insert(datagram.end(), id.data(), id.data() + id.size());
  datagram.resize(40);
  return datagram;
}

std::vector<uint8_t> long_packet(const ConnectionId& id) {
  std::vector<uint8_t> datagram = {0xc0, 0, 0, 0, 1, static_cast<uint8_t>(id.size())};
  datagram.insert(datagram.end(), id.data(), id.data() + id.size());
  datagram.resize(1200);
  return datagram;
}

}  // namespace

TEST_SUITE("quic steered connection ids") {
  TEST_CASE("an id tells its worker to who has the key, in short and in long headers") {
    SeededRng rng(1);
    for (const uint16_t worker : {uint16_t{0}, uint16_t{1}, uint16_t{7}, uint16_t{0xffff}}) {
      SteeredConnectionIds ids(key_of(1), worker);
      const SteeredConnectionIds reader(key_of(1), 3);
      for (int i = 0; i < 100; i++) {
        const ConnectionId id = ids.generate(rng);
        CHECK(reader.worker_of(id) == worker);
        // RFC 8999 §5.2: a short header has the id after its first byte.
        CHECK(reader.worker_of_datagram(short_packet(id)) == worker);
        // RFC 8999 §5.1: after the first byte and the version of a long header, the size of the id and the id.
        CHECK(reader.worker_of_datagram(long_packet(id)) == worker);
      }
    }
  }

  TEST_CASE("ids of another server of the fleet are none of ours") {
    SeededRng rng(5);
    const SteeredConnectionIds reader(key_of(1), 0, 7);
    SteeredConnectionIds ours(key_of(1), 3, 7), others(key_of(1), 3, 8);
    for (int i = 0; i < 1000; i++) {
      CHECK(reader.worker_of(ours.generate(rng)) == 3);
      CHECK_FALSE(reader.worker_of(others.generate(rng)));
    }
  }

  TEST_CASE("ids of strangers count as ours hardly ever") {
    SeededRng rng(2);
    const SteeredConnectionIds reader(key_of(1), 0);
    SteeredConnectionIds strangers(key_of(2), 0);
    int taken = 0;
    for (int i = 0; i < 20'000; i++) taken += reader.worker_of(strangers.generate(rng)).has_value();
    CHECK(taken <= 6);  // 0.3 are to be expected
  }

  TEST_CASE("cut and odd datagrams have no worker") {
    SeededRng rng(3);
    SteeredConnectionIds ids(key_of(1), 5);
    const ConnectionId id = ids.generate(rng);
    for (size_t size = 0; size < 1 + id.size(); size++) {
      CHECK_FALSE(ids.worker_of_datagram(Bytes(short_packet(id)).first(size)));
    }
    for (size_t size = 0; size < 6 + id.size(); size++) {
      CHECK_FALSE(ids.worker_of_datagram(Bytes(long_packet(id)).first(size)));
    }
    std::vector<uint8_t> other_size = long_packet(id);
    other_size[5] = 8;
    CHECK_FALSE(ids.worker_of_datagram(other_size));
    CHECK_FALSE(ids.worker_of(id.bytes().first(8)));
  }

  // RFC 9000 §5.1: ids must not let an observer tell which belong together.
  TEST_CASE("ids of one worker have no byte in common") {
    SeededRng rng(4);
    SteeredConnectionIds ids(key_of(1), 1);
    for (size_t byte = 0; byte < SteeredConnectionIds::kSize; byte++) {
      std::set<uint8_t> values;
      for (int i = 0; i < 500; i++) values.insert(ids.generate(rng).data()[byte]);
      CHECK(values.size() > 150);
    }
  }
}
