// The levels of protection that a handshake passes through (RFC 9001 §4), and the two directions.
#pragma once

#include <cstdint>

namespace quoll::tls {

enum class Level : uint8_t { initial, early_data, handshake, application };
inline constexpr int kLevelCount = 4;

enum class Direction : uint8_t { read, write };

}  // namespace quoll::tls
