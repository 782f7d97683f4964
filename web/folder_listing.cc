#include "web/folder_listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "http/date.h"
#include "http/url.h"
#include "os/file.h"

namespace quoll::web {
namespace {

struct Entry {
  std::string name;
  bool is_folder = false;
  bool is_link = false;
  uint64_t size = 0;
  UnixTime modified;
};

struct Closer {
  void operator()(DIR* folder) const { closedir(folder); }
};

void append_html(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

std::string size_text(uint64_t size) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (size < 1024) return std::to_string(size) + " B";
  size_t unit = 0;
  auto amount = static_cast<double>(size);
  for (; amount >= 1024; amount /= 1024) unit++;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", amount, kUnits[unit]);
  return text;
}

/// Empty: gone, or none of file, folder and link. Links are not followed: where they lead may be nobody's business.
std::optional<Entry> read_entry(DIR* folder, const char* name) {
  struct stat status;
  if (fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) != 0) return {};
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) return {};
  return Entry{.name = name,
               .is_folder = S_ISDIR(status.st_mode),
               .is_link = S_ISLNK(status.st_mode),
               .size = static_cast<uint64_t>(status.st_size),
               .modified = UnixTime::from_seconds(status.st_mtime)};
}

constexpr std::string_view kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse;width:100%}td{padding:.2rem .6rem;border-top:1px solid #8884}"
    "td:nth-child(n+2){text-align:right;white-space:nowrap;opacity:.7}a{text-decoration:none}";

void append_row(std::string& out, const Entry& entry) {
  out += "<tr><td><a href=\"./";
  out += http::percent_encode(entry.name);  // needs no escapes of HTML
  out += entry.is_folder ? "/\">" : "\">";
  append_html(out, entry.name);
  out += entry.is_folder ? "/</a></td><td>" : "</a></td><td>";
  if (!entry.is_folder && !entry.is_link) out += size_text(entry.size);
  out += "</td><td>";
  out.append(http::as_text(http::date_text(entry.modified))).append("</td></tr>\n");
}

}  // namespace

Result<std::string> folder_listing(FileHandle folder, std::string_view url_path, bool hidden_files) {
  // The handle is for reading already; opening "." anew gives a place in the folder of its own.
  FileHandle own(openat(folder.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, Closer> stream(own ? fdopendir(own.fd()) : nullptr);
  if (!stream) return std::unexpected(os::system_error(errno));
  own.release();  // the stream closes it
  std::vector<Entry> entries;
  bool more = false;
  while (const dirent* found = readdir(stream.get())) {
    const std::string_view name = found->d_name;
    if (name == "." || name == ".." || (name.starts_with('.') && !hidden_files)) continue;
    more = entries.size() == kListingEntriesMax;
    if (more) break;
    if (auto entry = read_entry(stream.get(), found->d_name)) entries.push_back(std::move(*entry));
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return a.is_folder != b.is_folder ? a.is_folder : a.name < b.name;
  });

  const std::string title = http::percent_decode(url_path).value_or(std::string(url_path));
  std::string page = "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>";
  append_html(page, title);
  page.append("</title><meta name=\"viewport\" content=\"width=device-width\"><style>").append(kStyle);
  page.append("</style></head><body><h1>");
  append_html(page, title);
  page += "</h1>\n<table>\n";
  if (url_path != "/") page += "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
  for (const Entry& entry : entries) append_row(page, entry);
  page += "</table>\n";
  if (more) page.append("<p>There are more than ").append(std::to_string(kListingEntriesMax)).append(".</p>\n");
  return page.append("</body></html>\n");
}

}  // namespace quoll::web
