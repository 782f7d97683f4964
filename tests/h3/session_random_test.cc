// Random programs for two sessions, and for one with a misbehaving peer: the fuzz targets' own, with inputs from a seed.
#include "fuzz/h3_session_pair.h"
#include "fuzz/h3_session_script.h"

#include <doctest/doctest.h>

using namespace quoll;

TEST_SUITE("h3 session at random") {
  TEST_CASE("what is sent and not given up arrives, whatever the transport's pace") {
    for (uint64_t seed = 1; seed <= 300; seed++) {
      CAPTURE(seed);
      tests::SeededRng rng(seed);
      const std::vector<uint8_t> program = rng.bytes(40 + rng.below(800));
      fuzz::H3Conversation(program).run();
    }
  }

  TEST_CASE("no peer makes a session do what it must not") {
    for (uint64_t seed = 1; seed <= 1000; seed++) {
      CAPTURE(seed);
      tests::SeededRng rng(seed);
      const std::vector<uint8_t> program = rng.bytes(40 + rng.below(400));
      fuzz::run_h3_session(seed % 2 == 0 ? h3::Role::server : h3::Role::client, program);
    }
  }
}
