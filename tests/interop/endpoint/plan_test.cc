#include "interop/endpoint/hq_client.h"
#include "interop/endpoint/test_case.h"

#include <doctest/doctest.h>

namespace quoll::interop {
namespace {

std::vector<http::Url> urls(size_t count) {
  std::vector<http::Url> out;
  for (size_t i = 0; i < count; i++) out.push_back(*http::Url::parse("https://server/" + std::to_string(i)));
  return out;
}

}  // namespace

TEST_SUITE("interop endpoint: plans") {
  TEST_CASE("most test cases want one connection for all requests") {
    for (const TestCase test_case : {TestCase::transfer, TestCase::handshake, TestCase::retry, TestCase::v2}) {
      const auto plan = plan_for(test_case, urls(3));
      REQUIRE_EQ(plan.size(), 1);
      CHECK_EQ(plan[0].requests.size(), 3);
      CHECK_FALSE(plan[0].resumes);
      CHECK_FALSE(plan[0].updates_keys);
    }
    CHECK(plan_for(TestCase::keyupdate, urls(1))[0].updates_keys);
  }

  TEST_CASE("multiconnect wants one for each") {
    const auto plan = plan_for(TestCase::multiconnect, urls(50));
    REQUIRE_EQ(plan.size(), 50);
    for (size_t i = 0; i < plan.size(); i++) {
      REQUIRE_EQ(plan[i].requests.size(), 1);
      CHECK(plan[i].requests[0].path == "/" + std::to_string(i));
    }
  }

  TEST_CASE("resumption and 0-RTT want two: one request, and the rest") {
    for (const TestCase test_case : {TestCase::resumption, TestCase::zerortt}) {
      const auto plan = plan_for(test_case, urls(5));
      REQUIRE_EQ(plan.size(), 2);
      CHECK_EQ(plan[0].requests.size(), 1);
      CHECK(plan[0].keeps_ticket);
      CHECK_FALSE(plan[0].resumes);
      CHECK_EQ(plan[1].requests.size(), 4);
      CHECK(plan[1].resumes);
      CHECK_EQ(plan[1].early_data, test_case == TestCase::zerortt);
    }
  }

  TEST_CASE("names that are no test case are unknown") {
    CHECK(test_case_named("handshake") == TestCase::handshake);
    CHECK(test_case_named("http3") == TestCase::http3);
    for (const char* name : {"", "Handshake", "handshake ", "kxqzvw"}) CHECK_FALSE(test_case_named(name));
  }
}

}  // namespace quoll::interop
