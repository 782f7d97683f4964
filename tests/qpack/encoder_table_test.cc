#include "qpack/encoder_table.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::qpack;

namespace {

constexpr uint64_t kNoLimit = UINT64_MAX;

void insert(EncoderTable& table, std::string_view name, std::string_view value) {
  table.insert(hash_line(name, value), name, value);
}

/// All that a table should know: every entry that there ever was, in order, and the first that is not gone.
struct Model {
  struct Line {
    std::string name;
    std::string value;
    uint64_t size() const { return entry_size(name, value); }
  };

  explicit Model(uint64_t limit) : capacity(limit) {}

  void insert(Line line) {
    lines.push_back(std::move(line));
    for (size += lines.back().size(); size > capacity; first++) size -= lines[first].size();
    pins.push_back(0);
  }
  bool has_room(uint64_t wanted, uint64_t keep_from) const {
    uint64_t left = capacity - size;
    for (size_t i = first; i < lines.size() && left < wanted; i++) {
      if (i >= keep_from || pins[i] != 0) return false;
      left += lines[i].size();
    }
    return left >= wanted;
  }
  std::optional<uint64_t> find(const Line& line, bool whole, uint64_t limit) const {
    for (size_t i = lines.size(); i-- > first;) {
      if (i < limit && lines[i].name == line.name && (!whole || lines[i].value == line.value)) return i;
    }
    return {};
  }

  uint64_t capacity;
  uint64_t size = 0;
  size_t first = 0;
  std::vector<Line> lines;
  std::vector<unsigned> pins;
};

}  // namespace

// RFC 9204 §3.2.1, §4.5.1.1: with the smallest entries there are as many as MaxEntries says, and one comes before one goes.
TEST_CASE("a table full of the smallest entries takes another one, new or a copy") {
  for (const uint64_t capacity : {32u, 40u, 63u, 64u, 256u, 287u, 1024u}) {
    EncoderTable table(capacity);
    const uint64_t entries = max_entries(capacity);
    for (uint64_t i = 0; i < 3 * entries + 3; i++) {
      insert(table, "", "");
      table.check_invariants(0);
    }
    CHECK(table.insert_count() - table.entries().first() == entries);
    for (uint64_t i = 0; i < 3 * entries + 3; i++) {
      table.duplicate(table.entries().first());
      table.check_invariants(0);
    }
    CHECK(table.entries().size() == entries * kEntryOverhead);
    CHECK(table.find_line(hash_line("", ""), "", "", kNoLimit) == table.insert_count() - 1);
  }
}

TEST_CASE("an entry is found as long as it is there, whatever came in between") {
  const uint64_t seed = quoll::tests::test_seed(5);
  INFO("QUOLL_TEST_SEED=", seed);
  quoll::tests::SeededRng rng(seed);
  for (const uint64_t capacity : {32u, 63u, 100u, 320u, 1000u, 5000u}) {
    EncoderTable table(capacity);
    Model model(capacity);
    std::vector<uint64_t> pinned;
    for (int step = 0; step < 3000; step++) {
      const std::vector<uint8_t> dice = rng.bytes(5);
      const Model::Line line = {
          .name = std::string(dice[1] % 3, static_cast<char>('a' + dice[1] % 5)),
          .value = std::string(dice[2] % 8 * (dice[3] % 8), static_cast<char>('a' + dice[3] % 3))};
      const LineHash hash = hash_line(line.name, line.value);
      const uint64_t limit = dice[4] % 4 == 0 ? model.lines.size() - dice[4] / 4u % 8 : kNoLimit;
      REQUIRE(table.find_line(hash, line.name, line.value, limit) == model.find(line, true, limit));
      REQUIRE(table.find_name(hash, line.name, limit) == model.find(line, false, limit));
      const bool room = table.has_room(line.size(), limit);
      REQUIRE(room == model.has_room(line.size(), limit));
      const size_t present = model.lines.size() - model.first;
      if (dice[0] < 40 && present != 0) {
        const uint64_t index = model.first + dice[1] % present;
        const Model::Line copy = model.lines[index];
        if (!model.has_room(copy.size(), kNoLimit)) continue;
        table.duplicate(index);
        model.insert(copy);
      } else if (dice[0] < 60 && present != 0 && pinned.size() < 3) {
        pinned.push_back(model.first + dice[1] % present);
        table.pin(pinned.back());
        model.pins[pinned.back()]++;
      } else if (dice[0] < 120 && !pinned.empty()) {
        table.unpin(pinned.back());
        model.pins[pinned.back()]--;
        pinned.pop_back();
      } else if (room) {
        table.insert(hash, line.name, line.value);
        model.insert(line);
      }
      REQUIRE(table.insert_count() == model.lines.size());
      REQUIRE(table.entries().first() == model.first);
      REQUIRE(table.evictions() == model.first);
      table.check_invariants(pinned.size());
    }
  }
}

// RFC 9204 §2.1.1.1: how far an entry is on its way out, and how much of that is new.
TEST_CASE("the depth of an entry counts all that came since, and what is new only what is no copy") {
  EncoderTable table(1000);
  insert(table, "a", "1");
  CHECK(table.depth(0) == 34);
  CHECK(table.new_since(0) == 0);
  insert(table, "b", "22");
  table.duplicate(0);
  CHECK(table.depth(0) == 34 + 35 + 34);
  CHECK(table.new_since(0) == 35);
  CHECK(table.depth(2) == 34);
  CHECK(table.new_since(2) == 0);
}

TEST_CASE("half of an entry's worth is forgotten in a half-life, and a copy takes all of it") {
  EncoderTable table(1024);
  const uint32_t half_life = Worth::half_life_of(1024);
  insert(table, "a", "1");
  table.on_used(0, 80, 10);
  CHECK(table.worth(0, 10) == 80);
  CHECK(table.worth(0, 10 + half_life) == 40);
  CHECK(table.worth(0, 10 + 3 * half_life) == 10);
  CHECK(table.worth(0, 10 + 40 * half_life) == 0);
  table.duplicate(0);
  CHECK(table.worth(0, 10) == 0);
  CHECK(table.worth(1, 10) == 80);
}
