// Media types (RFC 9110 §8.3) of files, told by the extensions of their names: the ones of the web, and what people put there.
//
// A constant table instead of the system's mime.types, so that a server answers the same everywhere. Text is UTF-8: whoever
// has other texts says so in them.
#pragma once

#include <string_view>

namespace quoll::http {

inline constexpr std::string_view kUnknownMediaType = "application/octet-stream";

/// "text/html; charset=utf-8" for "index.html": by the last extension, whose letters have no case. kUnknownMediaType when the
/// table does not have it.
std::string_view media_type_of(std::string_view file_name);

}  // namespace quoll::http
