// The name that a server gives a file: Content-Disposition (RFC 6266), for -J.
//
// What a stranger calls a file must do no harm: it keeps no folders, no control characters and no dot in front, and is no longer
// than a name may be. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quoll::app {

/// The name, of filename* if it is there and understood (RFC 8187: UTF-8), else of filename. Empty: there is none, or nothing is
/// left of it.
std::optional<std::string> file_name_of(std::string_view content_disposition);

}  // namespace quoll::app
