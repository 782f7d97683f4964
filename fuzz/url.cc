// http::Url: the part before a line break is a URL, the part after it a reference. What is taken is in its normal form: written
// and read again it is the same, its path stays below the root, and nothing in it could end a word or a line.
#include "http/url.h"

#include "base/bytes.h"
#include "base/check.h"

using namespace quoll;
using namespace quoll::http;

namespace {

bool is_visible_ascii(std::string_view text) {
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return true;
}

void check(const Url& url) {
  const std::string text = url.to_string();
  const Result<Url> again = Url::parse(text);
  QUOLL_CHECK(again && *again == url);
  QUOLL_CHECK(is_visible_ascii(text));
  QUOLL_CHECK(url.scheme == "https" || url.scheme == "http");
  QUOLL_CHECK(url.port != 0 && !url.host.empty());
  QUOLL_CHECK(url.path.starts_with('/') && remove_dot_segments(url.path) == url.path);
  QUOLL_CHECK(url.path.find_first_of("?#") == std::string::npos);
  const Result<Url> itself = url.resolve("");
  QUOLL_CHECK(itself && itself->request_target() == url.request_target() && !itself->fragment);
  const Result<Url> below = url.resolve("//" + url.authority() + url.request_target());
  QUOLL_CHECK(below && below->authority() == url.authority() && below->request_target() == url.request_target());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = as_text({data, size});
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, end);
  const std::string_view reference = input.substr(std::min(end + 1, input.size()));
  const Result<Url> url = Url::parse(text);
  if (url) {
    check(*url);
    if (const Result<Url> resolved = url->resolve(reference)) check(*resolved);
  } else {
    QUOLL_CHECK(*url.error().reason != 0);
  }
  const std::string plain = remove_dot_segments(reference);
  QUOLL_CHECK(plain.size() <= reference.size());
  QUOLL_CHECK(remove_dot_segments(plain).size() <= plain.size());
  if (const auto decoded = percent_decode(reference)) QUOLL_CHECK(decoded->size() <= reference.size());
  return 0;
}
