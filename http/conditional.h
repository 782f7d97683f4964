// Conditional requests (RFC 9110 §13): entity tags, and the preconditions of a request in their order.
//
// For an origin server that has found the representation and would answer with 2xx; for any other answer preconditions are
// not to be evaluated (§13.2.1). Fields that do not parse are as if absent, but for If-Match, whose sender wants to be sure:
// nothing matches a malformed one.
#pragma once

#include <optional>
#include <string_view>

#include "base/unix_time.h"
#include "http/field_section.h"

namespace quoll::http {

/// RFC 9110 §8.8.3.
struct EntityTag {
  std::string_view opaque{};  // with its quotes
  bool weak = false;
};

/// One entity tag and nothing else. Empty: malformed.
std::optional<EntityTag> parse_entity_tag(std::string_view text);
/// RFC 9110 §8.8.3.2.
constexpr bool match_strongly(const EntityTag& a, const EntityTag& b) {
  return !a.weak && !b.weak && a.opaque == b.opaque;
}
constexpr bool match_weakly(const EntityTag& a, const EntityTag& b) { return a.opaque == b.opaque; }

/// What is known of the representation that a request selects.
struct Validators {
  std::optional<EntityTag> entity_tag{};
  std::optional<UnixTime> last_modified{};
  /// RFC 9110 §8.8.2.2: it can not have changed twice in that second.
  bool last_modified_is_strong = false;
};

enum class Precondition : uint8_t {
  passed,        // perform the method
  not_modified,  // 304
  failed,        // 412
};

/// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since (RFC 9110 §13.2.2, steps 1 to 4). `now` is for dates
/// that tell two digits of their year.
Precondition evaluate_preconditions(const FieldSection& request, std::string_view method, const Validators& validators,
                                    UnixTime now);

/// Step 5: whether a Range field is to be heeded. True without an If-Range.
bool evaluate_if_range(const FieldSection& request, const Validators& validators, UnixTime now);

}  // namespace quoll::http
