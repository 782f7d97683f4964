#include "http/priority.h"

#include "http/structured_fields.h"

namespace quoll::http {
namespace {

/// What nearly everybody sends: u and i, each at most once, in their usual form. Empty: it wants the full parser.
std::optional<Priority> parse_usual(std::string_view value, Priority priority) {
  bool urgency_seen = false;
  bool incremental_seen = false;
  while (!value.empty()) {
    if (value.size() >= 3 && !urgency_seen && value.starts_with("u=") && value[2] >= '0' && value[2] <= '7') {
      priority.urgency = static_cast<uint8_t>(value[2] - '0');
      urgency_seen = true;
      value.remove_prefix(3);
    } else if (!incremental_seen && value.starts_with("i")) {
      const bool is_long = value.starts_with("i=?0") || value.starts_with("i=?1");
      priority.incremental = !is_long || value[3] == '1';
      incremental_seen = true;
      value.remove_prefix(is_long ? 4 : 1);
    } else {
      return {};
    }
    if (value.empty()) break;
    if (value[0] != ',') return {};
    value.remove_prefix(value.starts_with(", ") ? 2 : 1);
    if (value.empty()) return {};
  }
  return priority;
}

const sf::BareItem* find_item(const sf::Dictionary& dictionary, std::string_view key) {
  const sf::Member* member = sf::find(dictionary, key);
  const sf::Item* item = member ? std::get_if<sf::Item>(member) : nullptr;
  return item ? &item->value : nullptr;
}

}  // namespace

std::optional<Priority> parse_priority(std::string_view value, Priority base) {
  if (const std::optional<Priority> usual = parse_usual(value, base)) return usual;
  const std::optional<sf::Dictionary> dictionary = sf::parse_dictionary(value);
  if (!dictionary) return {};
  // RFC 9218 §4: what is out of range or of an unexpected type is ignored like what is not known.
  Priority priority = base;
  if (const sf::BareItem* item = find_item(*dictionary, "u")) {
    const int64_t* urgency = std::get_if<int64_t>(item);
    if (urgency && *urgency >= 0 && *urgency <= Priority::kUrgencyMax)
      priority.urgency = static_cast<uint8_t>(*urgency);
  }
  if (const sf::BareItem* item = find_item(*dictionary, "i")) {
    if (const bool* incremental = std::get_if<bool>(item)) priority.incremental = *incremental;
  }
  return priority;
}

std::string to_string(Priority priority) {
  std::string text;
  if (priority.urgency != Priority{}.urgency) text = {'u', '=', static_cast<char>('0' + priority.urgency)};
  if (priority.incremental) text += text.empty() ? "i" : ", i";
  return text;
}

}  // namespace quoll::http
