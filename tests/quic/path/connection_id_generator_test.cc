#include "quic/path/connection_id_generator.h"

#include <bit>
#include <set>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::SeededRng;

namespace {

std::vector<uint8_t> bytes_of(const ConnectionId& id) { return {id.bytes().begin(), id.bytes().end()}; }

}  // namespace

TEST_SUITE("quic connection id generator") {
  // RFC 9000 §5.1
  TEST_CASE("random ids have their size and differ") {
    SeededRng rng(1);
    for (const size_t size : {8, 12, 20}) {
      RandomConnectionIds ids(size);
      CHECK_EQ(ids.size(), size);
      std::set<std::vector<uint8_t>> seen;
      for (int i = 0; i < 200; i++) {
        const ConnectionId id = ids.generate(rng);
        CHECK_EQ(id.size(), size);
        CHECK(seen.insert(bytes_of(id)).second);
      }
    }
  }

  // RFC 9000 §5.1
  TEST_CASE("ids may be empty") {
    SeededRng rng(1);
    RandomConnectionIds ids(0);
    CHECK_EQ(ids.size(), 0);
    CHECK(ids.generate(rng).empty());
  }

  TEST_CASE("every worker reads every worker's ids, with keys of both sizes and all implementations") {
    SeededRng rng(2);
    for (const crypto::Provider& provider : crypto::all()) {
      for (const size_t key_size : {16, 32}) {
        const std::vector<uint8_t> key = rng.bytes(key_size);
        WorkerConnectionIds reader(crypto::portable(), key, 7);
        for (const uint32_t worker : {0, 1, 255, 256, 65535}) {
          WorkerConnectionIds ids(provider, key, static_cast<uint16_t>(worker));
          const ConnectionId id = ids.generate(rng);
          CHECK_EQ(id.size(), WorkerConnectionIds::kSize);
          CHECK_EQ(ids.worker_of(id), worker);
          CHECK_EQ(reader.worker_of(id), worker);
        }
      }
    }
  }

  TEST_CASE("an id that was changed in any bit, or is another key's, or random, tells no worker") {
    SeededRng rng(3);
    const std::vector<uint8_t> key = rng.bytes(16);
    WorkerConnectionIds ids(crypto::best(), key, 3);
    WorkerConnectionIds others(crypto::best(), rng.bytes(16), 3);
    for (int i = 0; i < 20; i++) {
      const std::vector<uint8_t> id = bytes_of(ids.generate(rng));
      for (size_t bit = 0; bit < 8 * id.size(); bit++) {
        std::vector<uint8_t> changed = id;
        changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1 << bit % 8));
        CHECK_FALSE(ids.worker_of(changed));
      }
      CHECK_FALSE(others.worker_of(id));
      CHECK_FALSE(ids.worker_of(rng.bytes(16)));
    }
    CHECK_FALSE(ids.worker_of({}));
    CHECK_FALSE(ids.worker_of(rng.bytes(8)));
    CHECK_FALSE(ids.worker_of(rng.bytes(20)));
  }

  // RFC 9000 §5.1, §9.5
  TEST_CASE("ids of a worker share nothing that an observer could see") {
    SeededRng rng(4);
    WorkerConnectionIds ids(crypto::best(), rng.bytes(16), 5);
    constexpr int kCount = 4000;
    int ones[128] = {};
    int same_as_before[16] = {};
    std::vector<uint8_t> before(16);
    for (int i = 0; i < kCount; i++) {
      const std::vector<uint8_t> id = bytes_of(ids.generate(rng));
      for (size_t byte = 0; byte < 16; byte++) {
        same_as_before[byte] += id[byte] == before[byte];
        for (size_t bit = 0; bit < 8; bit++) ones[8 * byte + bit] += id[byte] >> bit & 1;
      }
      before = id;
    }
    for (const int count : ones) {  // seven standard deviations
      CHECK_GT(count, kCount / 2 - 222);
      CHECK_LT(count, kCount / 2 + 222);
    }
    for (const int count : same_as_before) CHECK_LT(count, 60);  // 16 are expected
  }

  // RFC 9000 §5.1, §9.5
  TEST_CASE("two workers with the same randomness make unlike ids, in the nonce alone the same") {
    SeededRng one(5);
    SeededRng two(5);
    const std::vector<uint8_t> key(16, 0x42);
    const std::vector<uint8_t> a = bytes_of(WorkerConnectionIds(crypto::best(), key, 1).generate(one));
    const std::vector<uint8_t> b = bytes_of(WorkerConnectionIds(crypto::best(), key, 2).generate(two));
    CHECK(std::equal(a.begin(), a.begin() + 10, b.begin()));
    int different = 0;
    for (size_t i = 12; i < 16; i++) different += std::popcount(static_cast<unsigned>(a[i] ^ b[i]));
    CHECK_GT(different, 4);  // the check depends on the worker
  }
}
