// Hexadecimal text of bytes, for key logs, connection ids in logs and file names, pins, and tests. Lower case when
// written, either case when read. Not constant-time: a secret is written this way only into a key log that the user
// asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace quoll {

std::string to_hex(Bytes bytes);

/// Empty when the text has an odd length or anything but hexadecimal digits.
std::optional<std::vector<uint8_t>> from_hex(std::string_view text);

}  // namespace quoll
