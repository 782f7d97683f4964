#include "base/varint.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "base/hex.h"
#include "base/writer.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

/// Whether a call aborts, tried in a child process.
template <class Call>
bool aborts(Call call) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // doctest's handler would report the child as a failure
    close(STDERR_FILENO);
    call();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_SUITE("varint") {
  TEST_CASE("the samples of RFC 9000 §A.1 decode") {
    struct Sample {
      const char* hex;
      uint64_t value;
    };
    for (const auto& [hex, value] : {Sample{"c2197c5eff14e88c", 151288809941952652},
                                     {"9d7f3e7d", 494878333},
                                     {"7bbd", 15293},
                                     {"25", 37},
                                     {"4025", 37}}) {
      CAPTURE(hex);
      std::vector<uint8_t> bytes = *from_hex(hex);
      const size_t size = bytes.size();
      CHECK_EQ(varint_size_from(bytes[0]), size);
      for (size_t following = 0; following < 9; following++) {  // with and without room for an eight-byte load
        const auto [decoded, decoded_size] = varint_decode(bytes);
        CHECK_EQ(decoded, value);
        CHECK_EQ(decoded_size, size);
        bytes.push_back(0xff);
      }
    }
  }

  TEST_CASE("the shortest form changes at 2^6, 2^14 and 2^30") {
    static_assert(varint_size(0) == 1 && varint_size(63) == 1);
    static_assert(varint_size(64) == 2 && varint_size(16383) == 2);
    static_assert(varint_size(16384) == 4 && varint_size(1073741823) == 4);
    static_assert(varint_size(1073741824) == 8 && varint_size(kVarintMax) == 8);
    static_assert(kVarintMax == 4611686018427387903);
    static_assert(varint_fits(kVarintMax) && !varint_fits(kVarintMax + 1) && !varint_fits(UINT64_MAX));
    for (const size_t width : {1u, 2u, 4u, 8u}) {
      CHECK_EQ(varint_size(varint_max(width)), width);
      if (width < 8) CHECK_EQ(varint_size(varint_max(width) + 1), 2 * width);
    }
  }

  TEST_CASE("a value without a form is a bug of the caller, not bytes on the wire") {
    uint8_t room[16];
    const auto write = [&](uint64_t value) { Writer(room).varint(value); };
    CHECK_FALSE(aborts([&] { write(kVarintMax); }));
    CHECK(aborts([&] { write(kVarintMax + 1); }));
    CHECK(aborts([&] { write(UINT64_MAX); }));
    CHECK(aborts([&] { Writer(room).varint(64, 1); }));
    CHECK(aborts([&] { Counter().varint(kVarintMax + 1); }));
  }

  TEST_CASE("every prefix of a form asks for more") {
    for (const char* hex : {"25", "7bbd", "9d7f3e7d", "c2197c5eff14e88c"}) {
      const std::vector<uint8_t> bytes = *from_hex(hex);
      for (size_t size = 0; size < bytes.size(); size++) CHECK_EQ(varint_decode(Bytes(bytes).first(size)).size, 0);
    }
  }

  TEST_CASE("every width that holds a value gives it back, and writes no byte more") {
    const uint64_t seed = tests::test_seed(1);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    for (int i = 0; i < 20000; i++) {
      const uint64_t value = rng.next_u64() >> (2 + rng.below(62));
      for (const size_t width : {1u, 2u, 4u, 8u}) {
        if (value > varint_max(width)) continue;
        uint8_t bytes[16];
        std::memset(bytes, 0xa5, sizeof bytes);
        varint_encode(bytes, value, width);
        REQUIRE_EQ(varint_decode(bytes).value, value);
        REQUIRE_EQ(varint_decode(bytes).size, width);
        REQUIRE_EQ(varint_decode(Bytes(bytes).first(width)).value, value);
        for (size_t j = width; j < sizeof bytes; j++) REQUIRE_EQ(bytes[j], 0xa5);
      }
    }
  }
}
