// (placeholder: the events are defined here)
#pragma once

#include <variant>

#include "base/trace.h"

namespace quoll::quic {
using TraceEvent = std::variant<std::monostate>;
}  // namespace quoll::quic
