// http::sf: a text that parses as item, list or dictionary is written again, reads the same, and its canonical text is its
// own canonical text. Spaces around it change nothing.
#include "http/structured_fields.h"

#include "base/bytes.h"
#include "base/check.h"

using namespace quoll;
using namespace quoll::http;

namespace {

template <class T>
void check(std::string_view text, std::optional<T> (*parse)(std::string_view)) {
  const std::optional<T> value = parse(text);
  QUOLL_CHECK(parse("  " + std::string(text) + " ") == value);
  if (!value) return;
  const std::optional<std::string> written = sf::serialise(*value);
  QUOLL_CHECK(written);
  const std::optional<T> again = parse(*written);
  QUOLL_CHECK(again == value);
  QUOLL_CHECK(sf::serialise(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  check(text, sf::parse_item);
  check(text, sf::parse_list);
  check(text, sf::parse_dictionary);
  return 0;
}
