// Preconditions: the input's lines are values of the five fields. What is decided together must be what the steps of RFC
// 9110 §13.2.2 decide apart, and lists of entity tags are read once more by a plain walk.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "http/conditional.h"

using namespace quoll;
using http::EntityTag;
using http::Precondition;

namespace {

constexpr std::array<std::string_view, 5> kNames = {"if-match", "if-unmodified-since", "if-none-match",
                                                    "if-modified-since", "if-range"};
constexpr EntityTag kOurs = {.opaque = "\"tag\""};
const UnixTime kNow = UnixTime::from_seconds(1'795'000'000);
const http::Validators kValidators = {
    .entity_tag = kOurs, .last_modified = UnixTime::from_seconds(784'111'777), .last_modified_is_strong = true};

/// The entity tags of a value that has nothing but well-formed tags, single commas and spaces; empty otherwise.
std::optional<std::vector<EntityTag>> plain_list(std::string_view value) {
  std::vector<EntityTag> tags;
  while (true) {
    while (value.starts_with(' ')) value.remove_prefix(1);
    const size_t quote = value.find('"');
    const size_t end = quote == std::string_view::npos ? quote : value.find('"', quote + 1);
    if (end == std::string_view::npos) return {};
    const auto tag = http::parse_entity_tag(value.substr(0, end + 1));
    if (!tag) return {};
    tags.push_back(*tag);
    value.remove_prefix(end + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (value.empty()) return tags;
    if (!value.starts_with(',')) return {};
    value.remove_prefix(1);
  }
}

Precondition evaluate(const http::FieldSection& fields, std::string_view method) {
  return http::evaluate_preconditions(fields, method, kValidators, kNow);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest = as_text(Bytes(data, size));
  http::FieldSection all, expected, known;
  for (size_t i = 0; i < 8 && !rest.empty(); i++) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty()) continue;
    const size_t which = static_cast<uint8_t>(line[0]) % kNames.size();
    all.add(kNames[which], line.substr(1));
    if (which < 2) expected.add(kNames[which], line.substr(1));
    if (which == 2 || which == 3) known.add(kNames[which], line.substr(1));
  }
  for (const std::string_view method : {"GET", "HEAD", "PUT"}) {
    const Precondition together = evaluate(all, method);
    const Precondition first = evaluate(expected, method), second = evaluate(known, method);
    QUOLL_CHECK(first != Precondition::not_modified);
    QUOLL_CHECK(together == (first == Precondition::failed ? first : second));
    if (method == "PUT") QUOLL_CHECK(together != Precondition::not_modified);
  }
  for (const auto& [name, weakly] : {std::pair("if-match", false), std::pair("if-none-match", true)}) {
    const auto value = all.find(name);
    const auto tags = value && all.count(name) == 1 ? plain_list(*value) : std::nullopt;
    if (!tags) continue;
    bool match = false;
    for (const EntityTag& tag : *tags) {
      match = match || (weakly ? http::match_weakly(tag, kOurs) : http::match_strongly(tag, kOurs));
    }
    const http::FieldSection alone{{name, *value}};
    const Precondition result = evaluate(alone, "GET");
    if (weakly) {
      QUOLL_CHECK(result == (match ? Precondition::not_modified : Precondition::passed));
    } else {
      QUOLL_CHECK(result == (match ? Precondition::passed : Precondition::failed));
    }
  }
  (void)http::evaluate_if_range(all, kValidators, kNow);
  return 0;
}
