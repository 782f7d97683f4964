// The page that shows what a folder holds, for servers that were asked to show it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "web/root_folder.h"

namespace quoll::web {

/// A page names so many entries at most, and says that there are more: it is made in memory.
inline constexpr size_t kListingEntriesMax = 10'000;

/// HTML of the folder, which was asked for as `url_path` (percent-encoded, ends with a slash). Folders stand first, names in
/// the order of their bytes; those that begin with a dot are left out unless asked for.
[[nodiscard]] Result<std::string> folder_listing(FileHandle folder, std::string_view url_path, bool hidden_files);

}  // namespace quoll::web
