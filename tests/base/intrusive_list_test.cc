#include "base/intrusive_list.h"

#include <algorithm>
#include <list>
#include <memory>
#include <vector>

#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;

namespace {

struct Sending;
struct Blocked;

struct Stream : ListHook<Sending>, ListHook<Blocked> {
  explicit Stream(int stream_id = 0) : id(stream_id) {}
  int id;
};
using SendingList = IntrusiveList<Stream, Sending>;
using BlockedList = IntrusiveList<Stream, Blocked>;

template <class List>
std::vector<int> ids(List& list) {
  std::vector<int> found;
  for (Stream& stream : list) found.push_back(stream.id);
  return found;
}

}  // namespace

TEST_SUITE("intrusive list") {
  TEST_CASE("elements come in the order of pushing and inserting") {
    Stream a(1), b(2), c(3), d(4);
    SendingList list;
    CHECK(list.empty());
    CHECK_EQ(list.pop_front(), nullptr);
    list.push_back(b);
    list.push_back(d);
    list.push_front(a);
    list.insert_before(d, c);
    CHECK_EQ(ids(list), std::vector<int>{1, 2, 3, 4});
    CHECK_EQ(list.front().id, 1);
    CHECK_EQ(list.back().id, 4);
    SendingList::remove(b);
    CHECK_EQ(ids(list), std::vector<int>{1, 3, 4});
    CHECK_EQ(list.pop_front(), &a);
    CHECK_FALSE(SendingList::is_linked(a));
    CHECK(SendingList::is_linked(c));
  }

  TEST_CASE("one element is in lists of different tags at once") {
    Stream a(1), b(2);
    SendingList sending;
    BlockedList blocked;
    sending.push_back(a);
    sending.push_back(b);
    blocked.push_back(b);
    blocked.push_back(a);
    SendingList::remove(a);
    CHECK_EQ(ids(sending), std::vector<int>{2});
    CHECK_EQ(ids(blocked), std::vector<int>{2, 1});
  }

  TEST_CASE("a destroyed element leaves its lists, a destroyed list lets its elements go") {
    Stream a(1), c(3);
    {
      SendingList list;
      {
        Stream b(2);
        list.push_back(a);
        list.push_back(b);
        list.push_back(c);
      }
      CHECK_EQ(ids(list), std::vector<int>{1, 3});
    }
    CHECK_FALSE(SendingList::is_linked(a));
    CHECK_FALSE(SendingList::is_linked(c));
  }

  TEST_CASE("unlinking twice does nothing") {
    Stream a(1);
    SendingList list;
    list.push_back(a);
    SendingList::remove(a);
    SendingList::remove(a);
    CHECK(list.empty());
  }

  TEST_CASE("the element that the iterator has passed may be removed") {
    Stream streams[5] = {Stream(0), Stream(1), Stream(2), Stream(3), Stream(4)};
    SendingList list;
    for (Stream& stream : streams) list.push_back(stream);
    for (auto at = list.begin(); at != list.end();) {
      Stream& stream = *at++;
      if (stream.id % 2 == 0) SendingList::remove(stream);
    }
    CHECK_EQ(ids(list), std::vector<int>{1, 3});
    CHECK_EQ((--list.end())->id, 3);
  }

  TEST_CASE("random operations agree with std::list") {
    const uint64_t seed = tests::test_seed(5);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 30; i++) streams.push_back(std::make_unique<Stream>(i));
    SendingList list;
    std::list<int> model;
    for (int step = 0; step < 10000; step++) {
      const int id = static_cast<int>(rng.below(streams.size()));
      Stream& stream = *streams[id];
      const auto in_model = std::find(model.begin(), model.end(), id);
      REQUIRE_EQ(SendingList::is_linked(stream), in_model != model.end());
      if (in_model != model.end()) {
        model.erase(in_model);
        if (rng.below(2) == 0) {
          SendingList::remove(stream);
        } else {
          streams[id] = std::make_unique<Stream>(id);
        }
      } else if (const uint64_t choice = rng.below(3); choice == 0 || model.empty()) {
        list.push_back(stream);
        model.push_back(id);
      } else if (choice == 1) {
        list.push_front(stream);
        model.push_front(id);
      } else {
        const auto place = std::next(model.begin(), static_cast<std::ptrdiff_t>(rng.below(model.size())));
        list.insert_before(*streams[*place], stream);
        model.insert(place, id);
      }
      REQUIRE_EQ(ids(list), std::vector<int>(model.begin(), model.end()));
      REQUIRE_EQ(list.empty(), model.empty());
    }
  }
}
