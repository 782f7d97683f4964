#include "base/slab.h"

#include <map>
#include <set>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

/// Counts how many are alive.
struct Object {
  Object(uint64_t object_value, int& live_count) : value(object_value), live(live_count) { live++; }
  Object(const Object&) = delete;
  ~Object() { live--; }

  uint64_t value;
  int& live;
};

/// One to a chunk, as connections are.
struct Large : Object {
  using Object::Object;
  uint8_t padding[5000];
};

struct alignas(128) Aligned : Object {
  using Object::Object;
};

}  // namespace

TEST_SUITE("slab") {
  TEST_CASE("a handle finds its object until it is erased, and nothing when the place is used again") {
    int live = 0;
    Slab<Object> slab(10);
    Object* first = slab.emplace(1u, live);
    const Handle<Object> handle = slab.handle_of(*first);
    CHECK_EQ(slab.find(handle), first);
    slab.erase(*first);
    CHECK_EQ(live, 0);
    CHECK_EQ(slab.find(handle), nullptr);
    Object* second = slab.emplace(2u, live);
    CHECK_EQ(second, first);  // the same place
    CHECK_EQ(slab.handle_of(*second).index, handle.index);
    CHECK_NE(slab.handle_of(*second), handle);
    CHECK_EQ(slab.find(handle), nullptr);
  }

  TEST_CASE("handles that name nothing find nothing") {
    int live = 0;
    Slab<Object> slab(10);
    CHECK_EQ(slab.find({}), nullptr);
    Object* object = slab.emplace(1u, live);
    const Handle<Object> handle = slab.handle_of(*object);
    CHECK_EQ(slab.find({}), nullptr);
    CHECK_EQ(slab.find({.index = handle.index, .generation = handle.generation + 1}), nullptr);
    CHECK_EQ(slab.find({.index = handle.index + 1, .generation = handle.generation}), nullptr);
    slab.erase(*object);
    CHECK_EQ(slab.find({.index = handle.index, .generation = handle.generation + 1}), nullptr);
  }

  TEST_CASE("no more objects than the limit") {
    int live = 0;
    Slab<Object> slab(2);
    Object* first = slab.emplace(1u, live);
    CHECK_NE(slab.emplace(2u, live), nullptr);
    CHECK_EQ(slab.emplace(3u, live), nullptr);
    slab.erase(*first);
    CHECK_NE(slab.emplace(4u, live), nullptr);
    CHECK_EQ(live, 2);
  }

  TEST_CASE("a slab destroys what is left in it") {
    int live = 0;
    {
      Slab<Object> slab(100);
      for (uint64_t i = 0; i < 50; i++) slab.emplace(i, live);
      CHECK_EQ(live, 50);
    }
    CHECK_EQ(live, 0);
  }

  TEST_CASE("handles are stale while the destructor of their object runs") {
    struct Curious {
      Slab<Curious>* slab;
      Handle<Curious> handle = {};
      bool* found;
      ~Curious() { *found = slab->find(handle) != nullptr; }
    };
    Slab<Curious> slab(1);
    bool found = true;
    Curious* object = slab.emplace(&slab, Handle<Curious>{}, &found);
    object->handle = slab.handle_of(*object);
    slab.erase(*object);
    CHECK_FALSE(found);
  }

  TEST_CASE_TEMPLATE("random operations agree with a map", T, Object, Large, Aligned) {
    const uint64_t seed = tests::test_seed(6);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    struct Known {
      T* address;
      uint64_t value;
    };
    constexpr uint32_t kLimit = 150;
    int live = 0;
    Slab<T> slab(kLimit);
    std::map<std::pair<uint32_t, uint32_t>, Known> model;
    std::vector<Handle<T>> stale;
    bool growing = true;
    for (int step = 0; step < 10000; step++) {
      if (rng.below(300) == 0) growing = !growing;
      const uint64_t choice = rng.below(100);
      if (choice < (growing ? 60u : 40u)) {
        const uint64_t value = rng.next_u64();
        T* object = slab.emplace(value, live);
        REQUIRE_EQ(object != nullptr, model.size() < kLimit);
        if (!object) continue;
        REQUIRE_EQ(reinterpret_cast<uintptr_t>(object) % alignof(T), 0);
        const Handle<T> handle = slab.handle_of(*object);
        const bool fresh = model.emplace(std::pair(handle.index, handle.generation), Known{object, value}).second;
        REQUIRE(fresh);
      } else if (choice < 97 && !model.empty()) {
        const auto chosen = std::next(model.begin(), static_cast<std::ptrdiff_t>(rng.below(model.size())));
        slab.erase(*chosen->second.address);
        stale.push_back({.index = chosen->first.first, .generation = chosen->first.second});
        model.erase(chosen);
      } else if (choice == 97) {
        slab.trim();
      }
      REQUIRE_EQ(slab.size(), model.size());
      REQUIRE_EQ(live, static_cast<int>(model.size()));
      for (const auto& [key, known] : model) {
        T* object = slab.find({.index = key.first, .generation = key.second});
        REQUIRE_EQ(object, known.address);
        REQUIRE_EQ(object->value, known.value);
      }
      for (int i = 0; i < 10 && !stale.empty(); i++) REQUIRE_EQ(slab.find(stale[rng.below(stale.size())]), nullptr);
      if (step % 100 != 0) continue;
      std::set<T*> visited;
      slab.for_each([&](T& object) {
        visited.insert(&object);
        if (rng.below(20) != 0) return;
        const Handle<T> handle = slab.handle_of(object);
        model.erase({handle.index, handle.generation});
        slab.erase(object);
      });
      REQUIRE_GE(visited.size(), model.size());
      for (const auto& [key, known] : model) REQUIRE(visited.contains(known.address));
    }
  }
}
