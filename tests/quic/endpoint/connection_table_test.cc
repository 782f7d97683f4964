#include "quic/endpoint/connection_table.h"

#include <map>

#include "tests/quic/endpoint/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::address;
using tests::connection_id;

namespace {

ConnectionHandle handle(uint32_t index) { return {.index = index, .generation = 1}; }

}  // namespace

TEST_SUITE("quic connection table") {
  // RFC 9000 §5.2
  TEST_CASE("several connection ids lead to one connection, others to none") {
    tests::SeededRng rng(1);
    ConnectionTable table(rng, 100);
    CHECK(table.add(table.by_id(connection_id(1)), handle(1)));
    CHECK(table.add(table.by_id(connection_id(2, 20)), handle(1)));
    CHECK(table.add(table.by_id(connection_id(3)), handle(2)));
    CHECK(table.find(table.by_id(connection_id(1))) == handle(1));
    CHECK(table.find(table.by_id(connection_id(2, 20))) == handle(1));
    CHECK(table.find(table.by_id(connection_id(3))) == handle(2));
    CHECK_FALSE(table.contains(table.by_id(connection_id(1, 7))));
    CHECK_FALSE(table.contains(table.by_id(connection_id(1, 9))));
    table.remove(table.by_id(connection_id(1)));
    CHECK_FALSE(table.contains(table.by_id(connection_id(1))));
    CHECK_EQ(table.size(), 2);
  }

  TEST_CASE("an id that leads to one connection is not given to another one") {
    tests::SeededRng rng(1);
    ConnectionTable table(rng, 100);
    CHECK(table.add(table.by_id(connection_id(1)), handle(1)));
    CHECK(table.add(table.by_id(connection_id(1)), handle(1)));
    CHECK_FALSE(table.add(table.by_id(connection_id(1)), handle(2)));
    CHECK(table.find(table.by_id(connection_id(1))) == handle(1));
    CHECK_EQ(table.size(), 1);
  }

  TEST_CASE("the first ids of two clients may be the same") {
    tests::SeededRng rng(1);
    ConnectionTable table(rng, 100);
    const RouteKey one = table.by_initial(connection_id(1), address("198.51.100.1:1"));
    const RouteKey other = table.by_initial(connection_id(1), address("198.51.100.1:2"));
    CHECK(table.add(one, handle(1)));
    CHECK(table.add(other, handle(2)));
    CHECK(table.find(one) == handle(1));
    CHECK(table.find(other) == handle(2));
    CHECK_FALSE(table.contains(table.by_id(connection_id(1))));
  }

  // RFC 9000 §5.2: with zero-length connection ids, by addresses.
  TEST_CASE("addresses route by both ends, and kinds of routes never meet") {
    tests::SeededRng rng(1);
    ConnectionTable table(rng, 100);
    const Path path = tests::path_from("198.51.100.1:1");
    CHECK(table.add(table.by_address(path), handle(1)));
    CHECK(table.find(table.by_address(path)) == handle(1));
    CHECK_FALSE(table.contains(table.by_address({.local = path.remote, .remote = path.local})));
    CHECK_FALSE(table.contains(table.by_address({.local = path.local, .remote = {}})));
    const ConnectionId id = connection_id(4, 16);
    CHECK(table.by_id(id) != table.by_token(id));
    CHECK(table.by_id({}) != table.by_initial({}, path.remote));
  }

  TEST_CASE("an id that is too long for any of ours is not in the table") {
    tests::SeededRng rng(1);
    ConnectionTable table(rng, 100);
    const std::vector<uint8_t> longest(255, 1);
    CHECK_FALSE(table.add(table.by_id(longest), handle(1)));
    CHECK_FALSE(table.contains(table.by_id(longest)));
    CHECK_FALSE(table.contains(table.by_initial(Bytes(longest).first(21), address("198.51.100.1:1"))));
    CHECK_EQ(table.size(), 0);
  }

  TEST_CASE("there are never more routes than the limit, and memory is given back") {
    tests::SeededRng rng(1);
    ConnectionTable table(rng, 1000);
    const auto key = [&](uint32_t i) {
      uint8_t bytes[8] = {};
      store_be(bytes, i);
      return table.by_id(bytes);
    };
    for (uint32_t i = 0; i < 1000; i++) CHECK(table.add(key(i), handle(i)));
    CHECK_FALSE(table.add(key(1000), handle(1000)));
    CHECK(table.capacity() <= 2048);
    for (uint32_t i = 0; i < 1000; i++) table.remove(key(i));
    CHECK_EQ(table.size(), 0);
    CHECK_EQ(table.capacity(), 0);
    CHECK(table.add(key(1000), handle(1000)));
  }

  TEST_CASE("it does what a map does") {
    const uint64_t seed = tests::test_seed(8);
    INFO("seed " << seed);
    tests::SeededRng rng(seed);
    ConnectionTable table(rng, 300);
    std::map<uint64_t, uint32_t> model;
    const auto key = [&](uint64_t i) {
      uint8_t bytes[8];
      store_be(bytes, i);
      return table.by_id(bytes);
    };
    for (int step = 0; step < 30'000; step++) {
      const uint64_t name = rng.below(400);
      const uint32_t connection = static_cast<uint32_t>(rng.below(5));
      // Phases of growing and shrinking.
      if (rng.below(10) < (step / 3000 % 2 == 0 ? 7u : 3u)) {
        const bool expected = model.contains(name) ? model[name] == connection : model.size() < 300;
        CHECK_EQ(table.add(key(name), handle(connection)), expected);
        if (expected) model[name] = connection;
      } else {
        table.remove(key(name));
        model.erase(name);
      }
      REQUIRE_EQ(table.size(), model.size());
      const uint64_t probe = rng.below(400);
      const auto found = table.find(key(probe));
      REQUIRE_EQ(found.has_value(), model.contains(probe));
      if (found) CHECK(*found == handle(model[probe]));
      if (step % 100 == 0) table.check_invariants();
    }
  }
}
