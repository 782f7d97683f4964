#include "http/conditional.h"

#include "http/date.h"
#include "http/list.h"

namespace quoll::http {
namespace {

/// RFC 9110 §8.8.3: etagc.
constexpr bool is_entity_tag_character(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte == 0x21 || (byte >= 0x23 && byte <= 0x7e) || byte >= 0x80;
}

/// An entity tag off the front.
std::optional<EntityTag> take_entity_tag(std::string_view& text) {
  EntityTag tag;
  std::string_view rest = text;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return {};
  size_t end = 1;
  while (end < rest.size() && is_entity_tag_character(rest[end])) end++;
  if (end == rest.size() || rest[end] != '"') return {};
  tag.opaque = rest.substr(0, end + 1);
  text = rest.substr(end + 1);
  return tag;
}

enum class ListVerdict : uint8_t { absent, malformed, any, match, no_match };

/// What comes between two elements: white space, and at least one comma unless it is the end. False: something else.
bool take_separator(std::string_view& text) {
  bool comma = false;
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == ',')) {
    comma = comma || text[0] == ',';
    text.remove_prefix(1);
  }
  return comma || text.empty();
}

/// Looks for our tag in the lines of If-Match or If-None-Match, which make one list. Tags may hold commas, so the list is
/// not cut but walked.
template <class Match>
ListVerdict find_in_list(const FieldSection& request, std::string_view name, const Validators& validators,
                         Match match) {
  ListVerdict verdict = ListVerdict::absent;
  bool is_any = false;
  size_t elements = 0;
  for (const FieldLine line : request) {
    if (line.name != name) continue;
    if (verdict == ListVerdict::absent) verdict = ListVerdict::no_match;
    std::string_view rest = trim(line.value);
    while (rest.starts_with(',') || rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
    while (!rest.empty()) {
      elements++;
      if (rest.starts_with('*')) {
        is_any = true;
        rest.remove_prefix(1);
      } else {
        const auto tag = take_entity_tag(rest);
        if (!tag) return ListVerdict::malformed;
        if (validators.entity_tag && match(*tag, *validators.entity_tag)) verdict = ListVerdict::match;
      }
      if (!take_separator(rest)) return ListVerdict::malformed;
    }
  }
  // RFC 9110 §13.1.1, §13.1.2: "*" is no member of a list.
  if (is_any) return elements == 1 ? ListVerdict::any : ListVerdict::malformed;
  return verdict;
}

/// Empty when the field is absent, given twice (it is no list), or no date.
std::optional<UnixTime> date_field(const FieldSection& request, std::string_view name, UnixTime now) {
  const auto value = request.find(name);
  if (!value || request.count(name) != 1) return {};
  return parse_date(trim(*value), now);
}

/// RFC 9110 §13.2.2, steps 1 and 2: whether the representation is still the one that the client means.
bool is_as_expected(const FieldSection& request, const Validators& validators, UnixTime now) {
  switch (find_in_list(request, "if-match", validators, match_strongly)) {
    case ListVerdict::any:
    case ListVerdict::match:
      return true;
    case ListVerdict::no_match:
    case ListVerdict::malformed:
      return false;
    case ListVerdict::absent:
      break;
  }
  // RFC 9110 §13.1.4: only without an If-Match, and only if both times are known.
  const auto since = date_field(request, "if-unmodified-since", now);
  if (!since || !validators.last_modified) return true;
  return validators.last_modified->as_seconds() <= since->as_seconds();
}

/// Steps 3 and 4: whether the client has it already.
bool is_known(const FieldSection& request, bool is_get_or_head, const Validators& validators, UnixTime now) {
  switch (find_in_list(request, "if-none-match", validators, match_weakly)) {
    case ListVerdict::any:
    case ListVerdict::match:
      return true;
    case ListVerdict::no_match:
    case ListVerdict::malformed:
      // RFC 9110 §13.1.3: an If-None-Match, whatever it says, takes the place of If-Modified-Since.
      return false;
    case ListVerdict::absent:
      break;
  }
  if (!is_get_or_head) return false;
  const auto since = date_field(request, "if-modified-since", now);
  if (!since || !validators.last_modified) return false;
  return validators.last_modified->as_seconds() <= since->as_seconds();
}

}  // namespace

std::optional<EntityTag> parse_entity_tag(std::string_view text) {
  const auto tag = take_entity_tag(text);
  if (!text.empty()) return {};
  return tag;
}

Precondition evaluate_preconditions(const FieldSection& request, std::string_view method, const Validators& validators,
                                    UnixTime now) {
  if (!is_as_expected(request, validators, now)) return Precondition::failed;
  const bool is_get_or_head = method == "GET" || method == "HEAD";
  if (!is_known(request, is_get_or_head, validators, now)) return Precondition::passed;
  return is_get_or_head ? Precondition::not_modified : Precondition::failed;
}

bool evaluate_if_range(const FieldSection& request, const Validators& validators, UnixTime now) {
  const auto value = request.find("if-range");
  if (!value) return true;
  if (request.count("if-range") != 1) return false;
  const std::string_view text = trim(*value);
  // RFC 9110 §13.1.5: a quote among the first three characters tells an entity tag from a date.
  if (text.substr(0, 3).find('"') != std::string_view::npos) {
    const auto tag = parse_entity_tag(text);
    return tag && validators.entity_tag && match_strongly(*tag, *validators.entity_tag);
  }
  const auto date = parse_date(text, now);
  if (!date || !validators.last_modified || !validators.last_modified_is_strong) return false;
  return date->as_seconds() == validators.last_modified->as_seconds();
}

}  // namespace quoll::http
