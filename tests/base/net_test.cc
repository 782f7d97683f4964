#include "base/net.h"

#include "base/buffer_pool.h"

#include <doctest/doctest.h>

using namespace quoll;

TEST_SUITE("net") {
  TEST_CASE("paths are equal when both ends are") {
    const SocketAddress one = *SocketAddress::parse("192.0.2.1:443"), other = *SocketAddress::parse("192.0.2.1:444");
    CHECK(Path{one, other} == Path{one, other});
    CHECK_FALSE(Path{one, other} == Path{other, one});
    CHECK_FALSE(Path{one, one} == Path{one, other});
  }

  TEST_CASE("ECN marks have the values of the IP header, RFC 3168 §5") {
    CHECK_EQ(static_cast<int>(Ecn::not_ect), 0b00);
    CHECK_EQ(static_cast<int>(Ecn::ect1), 0b01);
    CHECK_EQ(static_cast<int>(Ecn::ect0), 0b10);
    CHECK_EQ(static_cast<int>(Ecn::ce), 0b11);
  }

  TEST_CASE("a received train hands its memory over, and what is sliced from it outlives it") {
    BufferPool pool(64, 1);
    Slice pinned;
    {
      Received train;
      train.data = *pool.take();
      const Received taken = std::move(train);
      CHECK(train.data.empty());
      pinned = taken.data.slice(taken.data.bytes().subspan(10, 10));
    }
    CHECK_EQ(pool.statistics().in_use, 1);
    pinned = Slice();
    CHECK_EQ(pool.statistics().in_use, 0);
  }
}
