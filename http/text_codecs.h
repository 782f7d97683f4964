// Base64 (RFC 4648 §4) and the validity of UTF-8 (RFC 3629 §4), as structured fields want them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace quoll::http {

/// Padding may be missing and its bits may be set (RFC 9651 §4.2.7); other characters, padding within the text and a
/// single character left over are errors.
std::optional<std::vector<uint8_t>> base64_decode(std::string_view text);
/// Appends, with padding.
void base64_encode(Bytes bytes, std::string& out);

/// Shortest forms only, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace quoll::http
