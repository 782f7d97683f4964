#include "qpack/indexing_policy.h"

#include <string>

#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll::qpack;

namespace {

constexpr uint64_t kCapacity = 4096;

IndexingPolicy::Line line_of(std::string_view name, std::string_view value, uint32_t now) {
  return {.name = name, .hash = hash_line(name, value), .saved = 40, .pays_now = true, .now = now};
}

bool wants(IndexingPolicy& policy, std::string_view name, std::string_view value, uint32_t now) {
  return policy.on_new(line_of(name, value, now)).has_value();
}

/// Where the section itself may not reference what is inserted for it.
bool wants_for_later(IndexingPolicy& policy, std::string_view name, std::string_view value, uint32_t now) {
  IndexingPolicy::Line line = line_of(name, value, now);
  line.pays_now = false;
  return policy.on_new(line).has_value();
}

}  // namespace

// RFC 9204 §7.1.3.
TEST_CASE("credentials are told by their names") {
  CHECK(is_credential("authorization"));
  CHECK(is_credential("proxy-authorization"));
  CHECK_FALSE(is_credential("cookie"));
}

TEST_CASE("the first line of a name is wanted, at twice its price only when its values are not known to change") {
  IndexingPolicy policy(kCapacity);
  CHECK(wants(policy, "x-a", "1", 1));
  CHECK(wants(policy, "user-agent", "1", 1));
  CHECK(wants_for_later(policy, "x-b", "1", 1));
  CHECK(wants_for_later(policy, "accept-language", "1", 1));
  CHECK_FALSE(wants_for_later(policy, "etag", "1", 1));
}

TEST_CASE("what saves a byte or two is not wanted") {
  IndexingPolicy policy(kCapacity);
  IndexingPolicy::Line line = line_of("user-agent", "x", 1);
  line.saved = 3;
  CHECK_FALSE(policy.on_new(line));
}

TEST_CASE("a name whose last unseen line did not come again inserts no other, unless it comes twice") {
  IndexingPolicy policy(kCapacity);
  CHECK(wants(policy, "x-id", "1", 1));
  CHECK(wants(policy, "x-id", "2", 1));  // of the same section
  CHECK_FALSE(wants(policy, "x-id", "3", 2));
  CHECK_FALSE(wants(policy, "x-id", "4", 3));
  CHECK(wants(policy, "x-other", "1", 3));
  CHECK(wants(policy, "x-id", "3", 4));
  CHECK_FALSE(wants(policy, "x-id", "5", 5));
  policy.on_repeated("x-id", hash_line("x-id", "1"));
  CHECK(wants(policy, "x-id", "6", 6));
}

TEST_CASE("an unseen line is judged by the unseen lines of its name") {
  IndexingPolicy policy(kCapacity);
  wants_for_later(policy, "x-page", "0", 1);
  CHECK_FALSE(wants_for_later(policy, "x-page", "1", 2));
  for (uint32_t i = 2; i < 12; i++) {
    const std::string value = std::to_string(i);
    wants_for_later(policy, "x-page", value, 2 * i);
    policy.on_repeated("x-page", hash_line("x-page", value));
    policy.on_repeated("x-page", hash_line("x-page", value));  // counts once
  }
  CHECK(wants_for_later(policy, "x-page", "new", 30));
  for (uint32_t i = 20; i < 30; i++) wants_for_later(policy, "x-page", std::to_string(i), 2 * i);
  CHECK_FALSE(wants_for_later(policy, "x-page", "newer", 70));
}

TEST_CASE("a line that came shortly before is wanted at any price, one of long ago is not") {
  IndexingPolicy policy(kCapacity);
  wants_for_later(policy, "x-a", "0", 1);
  CHECK_FALSE(wants_for_later(policy, "x-a", "1", 2));
  CHECK(wants_for_later(policy, "x-a", "1", 3));
  CHECK_FALSE(wants_for_later(policy, "x-a", "2", 4));
  CHECK_FALSE(wants_for_later(policy, "x-a", "2", 1000));
}

TEST_CASE("names do not take each other's history away before there are many") {
  IndexingPolicy policy(kCapacity);
  for (int i = 0; i < 8; i++) CHECK(wants(policy, "x-" + std::to_string(i), "1", 1));
  for (int i = 0; i < 8; i++) CHECK_FALSE(wants(policy, "x-" + std::to_string(i), "2", 2));
}

TEST_CASE("memory comes with lines, up to a fixed size, and what was known before it grew is known after") {
  if (!quoll::tests::heap_is_counted()) {
    MESSAGE("SKIPPED: a sanitizer counts in its own way");
    return;
  }
  const size_t before = quoll::tests::heap_bytes();
  IndexingPolicy policy(kCapacity);
  CHECK(quoll::tests::heap_bytes() == before);
  for (uint32_t i = 0; i < 4; i++) (void)wants(policy, "x-" + std::to_string(i), "1", 1);
  const size_t few = quoll::tests::heap_bytes() - before;
  CHECK(few < 512);
  for (uint32_t i = 4; i < 10'000; i++) (void)wants(policy, "x-" + std::to_string(i), "1", 1);
  const size_t many = quoll::tests::heap_bytes() - before;
  CHECK(many > few);
  CHECK(many < 16 * 1024);
  // Of each of these the second line is one too many; its coming again is noticed.
  IndexingPolicy other(kCapacity);
  for (uint32_t i = 0; i < 40; i++) (void)wants(other, "x-" + std::to_string(i), "1", 1);
  size_t noticed = 0;
  for (uint32_t i = 0; i < 40; i++) {
    const std::string name = "x-" + std::to_string(i);
    CHECK_FALSE(wants(other, name, "2", 2));
    noticed += wants(other, name, "2", 3);
  }
  CHECK(noticed >= 38);
}
