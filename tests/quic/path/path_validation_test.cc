#include "quic/path/path_validation.h"

#include <deque>
#include <set>

#include "tests/quic/path/support.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::at;
using tests::ms;
using tests::SeededRng;
using State = PathValidation::State;

TEST_SUITE("quic path validation") {
  // RFC 9000 §8.2.1
  TEST_CASE("a challenge is due at once, and not before validation has begun") {
    PathValidation path;
    CHECK_EQ(path.state(), State::idle);
    CHECK_FALSE(path.is_due(at(0)));
    CHECK(path.next_timeout().is_never());
    path.start(at(10), ms(100));
    CHECK_EQ(path.state(), State::pending);
    CHECK(path.is_due(at(10)));
  }

  // RFC 9000 §8.2.1, §19.17
  TEST_CASE("every challenge has fresh data") {
    SeededRng rng(1);
    std::set<PathData> seen;
    for (int i = 0; i < 100; i++) {
      PathValidation path;
      path.start(at(0), ms(100));
      CHECK(seen.insert(path.make_challenge(at(0), rng)).second);
      CHECK(seen.insert(path.make_challenge(at(100), rng)).second);
    }
  }

  // RFC 9000 §8.2.1, §9.4
  TEST_CASE("challenges are a PTO apart, and the spacing doubles") {
    SeededRng rng(2);
    PathValidation path;
    path.start(at(0), ms(100));
    path.make_challenge(at(0), rng);
    CHECK_FALSE(path.is_due(at(0)));
    CHECK_FALSE(path.is_due(at(99)));
    CHECK_EQ(path.next_timeout(), at(100));
    CHECK_FALSE(path.on_timeout(at(100)));
    CHECK(path.is_due(at(100)));
    path.make_challenge(at(100), rng);
    CHECK_FALSE(path.is_due(at(299)));
    CHECK_EQ(path.next_timeout(), at(300));
  }

  // RFC 9000 §8.2.4
  TEST_CASE("validation fails after three PTOs without an answer") {
    SeededRng rng(3);
    PathValidation path;
    path.start(at(50), ms(100));
    const PathData data = path.make_challenge(at(50), rng);
    CHECK_FALSE(path.on_timeout(at(349)));
    CHECK_EQ(path.state(), State::pending);
    CHECK(path.on_timeout(at(350)));
    CHECK_EQ(path.state(), State::failed);
    CHECK_FALSE(path.on_timeout(at(351)));
    CHECK(path.next_timeout().is_never());
    CHECK_FALSE(path.is_due(at(351)));
    CHECK_FALSE(path.on_response(at(352), data));  // too late
    CHECK_EQ(path.state(), State::failed);
  }

  TEST_CASE("a challenge that waits for allowance does not make the timer spin") {
    SeededRng rng(4);
    PathValidation path;
    path.start(at(0), ms(100));
    CHECK_EQ(path.next_timeout(), at(300));  // due already: only failure is left to wait for
    path.make_challenge(at(10), rng);
    CHECK_EQ(path.next_timeout(), at(110));
    CHECK_FALSE(path.on_timeout(at(110)));
    CHECK_EQ(path.next_timeout(), at(300));
    CHECK(path.is_due(at(200)));
    CHECK_FALSE(path.is_due(at(300)));
  }

  // RFC 9000 §8.2.3
  TEST_CASE("a response with the data of a challenge validates, and tells the round trip") {
    SeededRng rng(5);
    PathValidation path;
    path.start(at(0), ms(100));
    const PathData data = path.make_challenge(at(5), rng);
    const auto match = path.on_response(at(47), data);
    REQUIRE(match);
    CHECK(match->full_size);
    CHECK_EQ(match->rtt, ms(42));
    CHECK_EQ(path.state(), State::validated);
    CHECK(path.next_timeout().is_never());
    CHECK_FALSE(path.is_due(at(1000)));
    CHECK_FALSE(path.on_timeout(at(1000)));
    CHECK_FALSE(path.on_response(at(48), data));  // once
    CHECK_EQ(path.state(), State::validated);
  }

  // RFC 9000 §8.2.3, §19.18
  TEST_CASE("a response with other data changes nothing") {
    SeededRng rng(6);
    PathValidation path;
    CHECK_FALSE(path.on_response(at(0), PathData{}));
    path.start(at(0), ms(100));
    CHECK_FALSE(path.on_response(at(0), PathData{}));  // nothing is in flight, though memory holds zeros
    PathData data = path.make_challenge(at(0), rng);
    data[7] ^= 1;
    CHECK_FALSE(path.on_response(at(10), data));
    CHECK_EQ(path.state(), State::pending);
  }

  // RFC 9000 §8.2.1, §8.2.3
  TEST_CASE("any of several challenges in flight is good") {
    for (int answered = 0; answered < 2; answered++) {
      SeededRng rng(7);
      PathValidation path;
      path.start(at(0), ms(100));
      const PathData data[] = {path.make_challenge(at(0), rng), path.make_challenge(at(100), rng)};
      const auto match = path.on_response(at(150), data[answered]);
      REQUIRE(match);
      CHECK_EQ(match->rtt, ms(answered == 0 ? 150 : 50));
      CHECK_EQ(path.state(), State::validated);
    }
  }

  TEST_CASE("of more challenges than are remembered, the newest count") {
    SeededRng rng(8);
    std::vector<PathData> data;
    PathValidation path;
    path.start(at(0), ms(100));
    for (size_t i = 0; i < kChallengesMax + 2; i++) data.push_back(path.make_challenge(at(1), rng));
    CHECK_FALSE(path.on_response(at(2), data[0]));
    CHECK_FALSE(path.on_response(at(2), data[1]));
    CHECK(path.on_response(at(2), data[2]));
  }

  // RFC 9000 §8.2.1, §8.2.3
  TEST_CASE("a small challenge validates the address alone; a large one must be answered too") {
    SeededRng rng(9);
    PathValidation path;
    path.start(at(0), ms(100));
    const PathData small = path.make_challenge(at(0), rng);
    path.note_small();
    const auto first = path.on_response(at(30), small);
    REQUIRE(first);
    CHECK_FALSE(first->full_size);
    CHECK_EQ(path.state(), State::pending);
    CHECK(path.is_due(at(30)));
    CHECK_EQ(path.next_timeout(), at(330));  // with all its time
    const PathData large = path.make_challenge(at(30), rng);
    CHECK_FALSE(path.on_response(at(31), small));
    const auto second = path.on_response(at(60), large);
    REQUIRE(second);
    CHECK(second->full_size);
    CHECK_EQ(path.state(), State::validated);
  }

  // RFC 9000 §8.2.1, §14
  TEST_CASE("a path that answers small challenges only fails") {
    SeededRng rng(10);
    PathValidation path;
    path.start(at(0), ms(100));
    const PathData small = path.make_challenge(at(0), rng);
    path.note_small();
    REQUIRE(path.on_response(at(30), small));
    path.make_challenge(at(30), rng);
    CHECK(path.on_timeout(at(330)));
    CHECK_EQ(path.state(), State::failed);
  }

  TEST_CASE("only the last challenge is noted as small") {
    SeededRng rng(11);
    PathValidation path;
    path.start(at(0), ms(100));
    const PathData small = path.make_challenge(at(0), rng);
    path.note_small();
    const PathData large = path.make_challenge(at(100), rng);
    (void)small;
    REQUIRE(path.on_response(at(110), large));
    CHECK_EQ(path.state(), State::validated);
  }

  // RFC 9000 §8.2.4
  TEST_CASE("a validation may be given up for other reasons than failure") {
    SeededRng rng(12);
    PathValidation path;
    path.start(at(0), ms(100));
    const PathData data = path.make_challenge(at(0), rng);
    path.abandon();
    CHECK_EQ(path.state(), State::idle);
    CHECK(path.next_timeout().is_never());
    CHECK_FALSE(path.on_timeout(at(500)));
    CHECK_FALSE(path.on_response(at(10), data));
    path.set_validated();
    path.abandon();
    CHECK_EQ(path.state(), State::validated);
  }

  // RFC 9000 §8.2
  TEST_CASE("a path may be validated again, and answers to earlier challenges do not count") {
    SeededRng rng(13);
    PathValidation path;
    path.set_validated();
    path.start(at(0), ms(100));
    CHECK_EQ(path.state(), State::pending);
    const PathData old = path.make_challenge(at(0), rng);
    path.start(at(50), ms(200));
    CHECK(path.is_due(at(50)));
    CHECK_FALSE(path.on_response(at(60), old));
    CHECK_EQ(path.next_timeout(), at(650));
  }

  TEST_CASE("a PTO of zero does not make a flood of challenges") {
    SeededRng rng(14);
    PathValidation path;
    path.start(at(0), Duration());
    path.make_challenge(at(0), rng);
    CHECK_FALSE(path.is_due(at(0)));
    path.start(at(0), Duration::infinite());
    path.make_challenge(at(0), rng);
    CHECK(path.next_timeout().is_never());
  }
}

TEST_SUITE("quic path responses") {
  // RFC 9000 §8.2.2, §19.17
  TEST_CASE("each challenge is answered once, with its data, in order") {
    PathResponses responses;
    CHECK(responses.empty());
    responses.on_challenge({1});
    responses.on_challenge({2});
    CHECK_EQ(responses.front(), PathData{1});
    responses.pop();
    CHECK_EQ(responses.front(), PathData{2});
    responses.pop();
    CHECK(responses.empty());
  }

  TEST_CASE("a flood of challenges costs no memory: the oldest go") {
    const size_t allocations = tests::heap_allocations();
    PathResponses responses;
    for (uint8_t i = 0; i < 200; i++) responses.on_challenge({i});
    for (uint8_t i = 196; i < 200; i++) {
      CHECK_EQ(responses.front(), PathData{i});
      responses.pop();
    }
    CHECK(responses.empty());
    CHECK_EQ(tests::heap_allocations(), allocations);
  }

  TEST_CASE("any order of challenges and answers behaves as a queue that forgets") {
    const uint64_t seed = tests::test_seed(20);
    INFO("seed " << seed);
    SeededRng rng(seed);
    PathResponses responses;
    std::deque<PathData> model;
    for (int i = 0; i < 20'000; i++) {
      if (rng.below(2) == 0) {
        PathData data;
        rng.fill(data);
        responses.on_challenge(data);
        model.push_back(data);
        if (model.size() > PathResponses::kMax) model.pop_front();
      } else if (!model.empty()) {
        responses.pop();
        model.pop_front();
      }
      REQUIRE_EQ(responses.empty(), model.empty());
      if (!model.empty()) REQUIRE_EQ(responses.front(), model.front());
    }
  }
}
