#include "base/slice.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

std::string text_of(const Slice& slice) { return std::string(as_text(slice.bytes())); }

/// Memory of an application that knows whether it was released.
struct Tracked {
  std::vector<uint8_t> memory;
  int released = 0;

  Slice slice() {
    return Slice::of_application(memory, [](void* context) { static_cast<Tracked*>(context)->released++; }, this);
  }
};

}  // namespace

TEST_SUITE("slice") {
  TEST_CASE("an empty slice owns nothing") {
    const Slice slice;
    CHECK(slice.empty());
    CHECK_EQ(slice.pinned_size(), 0);
    CHECK_FALSE(slice.unique());
    CHECK(Slice::copy_of({}).empty());
  }

  TEST_CASE("a copied block lives until its last slice is gone") {
    Slice part;
    {
      std::string text = "zero copy";
      const Slice whole = Slice::copy_of(as_bytes(text));
      text = "overwritten";
      part = whole.subslice(5, 4);
      CHECK_EQ(whole.pinned_size(), 9);
      CHECK_FALSE(whole.unique());
    }
    CHECK_EQ(text_of(part), "copy");
    CHECK_EQ(part.pinned_size(), 9);
    CHECK(part.unique());
  }

  TEST_CASE("the application's memory is released once, when its last slice goes") {
    Tracked tracked{.memory = std::vector<uint8_t>(10)};
    {
      Slice first = tracked.slice();
      Slice second = first.split_front(4);
      CHECK_EQ(first.data(), tracked.memory.data() + 4);
      CHECK_EQ(second.size(), 4);
      first = Slice();
      CHECK_EQ(tracked.released, 0);
      Slice moved = std::move(second);
      CHECK_EQ(tracked.released, 0);
      moved = moved.subslice(1, 0);  // an empty slice of an owner still holds it
      CHECK_EQ(tracked.released, 0);
    }
    CHECK_EQ(tracked.released, 1);
  }

  TEST_CASE("static memory is neither counted nor copied") {
    const Slice slice = Slice::of_static(as_bytes("constant"));
    const Slice copy = slice.subslice(0, 5);
    CHECK_EQ(text_of(copy), "const");
    CHECK_EQ(copy.pinned_size(), 0);
  }

  TEST_CASE("assigning a slice to itself keeps it") {
    Slice slice = Slice::copy_of(as_bytes("self"));
    const Slice& alias = slice;
    slice = alias;
    CHECK_EQ(text_of(slice), "self");
    CHECK(slice.unique());
  }

  TEST_CASE("an embedded owner costs no allocation and is released when unused") {
    struct Object : SliceOwner {
      uint8_t memory[4] = {1, 2, 3, 4};
      bool released = false;
      Object()
          : SliceOwner{.release = [](SliceOwner& self) { static_cast<Object&>(self).released = true; },
                       .memory_size = 4} {}
    } object;
    {
      const Slice slice(object, object.memory);
      CHECK_EQ(object.references, 1);
    }
    CHECK(object.released);
    CHECK_EQ(object.references, 0);
  }

  TEST_CASE("a buffer is written in place beside slices of other parts") {
    Slice first;
    {
      Buffer buffer = Buffer::allocate(8);
      copy_bytes(buffer.bytes().data(), as_bytes("datagram"));
      first = buffer.slice(buffer.bytes().first(4));
      buffer.bytes()[4] = 'G';
      const Slice second = buffer.slice(Bytes(buffer.bytes()).subspan(4));
      CHECK_EQ(text_of(second), "Gram");
      buffer.truncate(6);
      CHECK_EQ(text_of(buffer.slice()), "dataGr");
      Buffer moved = std::move(buffer);
      CHECK(buffer.empty());
      CHECK_EQ(moved.size(), 6);
    }
    CHECK_EQ(text_of(first), "data");
    CHECK_EQ(first.pinned_size(), 8);
  }

  TEST_CASE("random copies, cuts and drops keep every slice's text and release each owner exactly once") {
    const uint64_t seed = tests::test_seed(2);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    struct Held {
      Slice slice;
      size_t owner, offset, size;  // what the slice should be
    };
    std::vector<std::unique_ptr<Tracked>> owners;
    std::vector<Held> held;
    for (int step = 0; step < 10000; step++) {
      const uint64_t choice = rng.below(10);
      if (held.empty() || (choice == 0 && held.size() < 50)) {
        owners.push_back(std::make_unique<Tracked>(Tracked{.memory = rng.bytes(rng.below(100))}));
        const size_t size = owners.back()->memory.size();
        held.push_back({owners.back()->slice(), owners.size() - 1, 0, size});
      } else {
        const size_t i = rng.below(held.size());
        Held& at = held[i];
        const size_t cut = rng.below(at.size + 1);
        if (choice <= 2) {
          const Held copy = at;
          held.push_back(copy);
        } else if (choice == 3) {
          const size_t size = rng.below(at.size - cut + 1);
          const Held part{at.slice.subslice(cut, size), at.owner, at.offset + cut, size};
          held.push_back(part);
        } else if (choice == 4) {
          Held front{at.slice.split_front(cut), at.owner, at.offset, cut};
          at.offset += cut;
          at.size -= cut;
          held.push_back(std::move(front));
        } else if (choice == 5) {
          at.slice.drop_front(cut);
          at.offset += cut;
          at.size -= cut;
        } else if (choice == 6) {
          at.slice.truncate(cut);
          at.size = cut;
        } else {
          std::swap(held[i], held.back());
          held.pop_back();
        }
      }
      std::vector<size_t> references(owners.size());
      for (const Held& at : held) references[at.owner]++;
      bool as_expected = true;
      for (const Held& at : held) {
        const Bytes expected = Bytes(owners[at.owner]->memory).subspan(at.offset, at.size);
        as_expected &= at.slice.data() == expected.data() && at.slice.size() == expected.size();
        as_expected &= at.slice.pinned_size() == owners[at.owner]->memory.size();
        as_expected &= at.slice.unique() == (references[at.owner] == 1);
      }
      for (size_t i = 0; i < owners.size(); i++) as_expected &= owners[i]->released == (references[i] == 0 ? 1 : 0);
      REQUIRE(as_expected);
      if (held.empty()) owners.clear();
    }
  }
}
