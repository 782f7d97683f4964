// http::parse_priority against the dictionary that it stands for, for a request and for a response that changes a priority;
// what comes out is written and reads the same.
#include "http/priority.h"

#include "base/bytes.h"
#include "base/check.h"
#include "http/structured_fields.h"

using namespace quoll;
using namespace quoll::http;

namespace {

template <class T>
const T* value_of(const sf::Dictionary& dictionary, std::string_view key) {
  const sf::Member* member = sf::find(dictionary, key);
  const sf::Item* item = member ? std::get_if<sf::Item>(member) : nullptr;
  return item ? std::get_if<T>(&item->value) : nullptr;
}

void check(std::string_view text, Priority base) {
  const std::optional<Priority> priority = parse_priority(text, base);
  const std::optional<sf::Dictionary> dictionary = sf::parse_dictionary(text);
  QUOLL_CHECK(priority.has_value() == dictionary.has_value());
  if (!priority) return;
  const int64_t* urgency = value_of<int64_t>(*dictionary, "u");
  const bool* incremental = value_of<bool>(*dictionary, "i");
  QUOLL_CHECK(priority->urgency == (urgency && *urgency >= 0 && *urgency <= 7 ? *urgency : base.urgency));
  QUOLL_CHECK(priority->incremental == (incremental ? *incremental : base.incremental));
  QUOLL_CHECK(parse_priority(to_string(*priority)) == *priority);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  check(text, {});
  check(text, {.urgency = 6, .incremental = true});
  return 0;
}
