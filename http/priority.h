// Priority: the parameters of Extensible Priorities (RFC 9218 §4), and the Priority field value that carries them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quoll::http {

struct Priority {
  static constexpr uint8_t kUrgencyMax = 7;
  uint8_t urgency = 3;  // 0, the most urgent, to 7 (background)
  bool incremental = false;
  friend bool operator==(Priority, Priority) = default;
};

/// RFC 9218 §4, §5: what is missing or has a wrong type or range takes its default; unknown parameters are ignored. Empty:
/// the value is no dictionary. `base`: what it changes, for a response's Priority (§8).
std::optional<Priority> parse_priority(std::string_view value, Priority base = {});
/// The shortest value; empty text for the defaults.
std::string to_string(Priority priority);

}  // namespace quoll::http
