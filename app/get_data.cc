#include "app/get_data.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "app/commands.h"
#include "app/exit_codes.h"
#include "base/bytes.h"
#include "http/url.h"
#include "os/file.h"

namespace quoll::app {
namespace {

int unreadable(std::string_view path, const Error& error) {
  std::fprintf(stderr, "quoll get: %.*s: %s\n", static_cast<int>(path.size()), path.data(),
               error.domain == ErrorDomain::system ? std::strerror(static_cast<int>(error.code)) : error.reason);
  return static_cast<int>(GetExit::read_error);
}

/// "TEXT", "=TEXT", "NAME=TEXT", "@FILE", "NAME@FILE": the text is percent-encoded, the name is not.
std::expected<std::string, int> urlencoded_piece(std::string_view value) {
  const size_t equals = value.find('='), mark = equals == std::string_view::npos ? value.find('@') : equals;
  if (mark == std::string_view::npos) return http::percent_encode(value);
  std::string piece(value.substr(0, mark));
  if (!piece.empty()) piece += '=';
  const std::string_view rest = value.substr(mark + 1);
  if (value[mark] == '=') return piece += http::percent_encode(rest);
  auto text = read_named_file(rest);
  if (!text) return text;
  return piece += http::percent_encode(*text);
}

}  // namespace

bool is_data(const Option& option) {
  const std::string_view name = option.name;
  return name == "data" || name == "data-raw" || name == "data-binary" || name == "data-urlencode" || name == "json";
}

namespace {

bool is_regular_file(const std::string& path) {
  struct stat status{};
  return path != "-" && stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

/// What one option gives.
std::expected<std::string, int> piece_of(std::string_view name, std::string_view value) {
  if (name == "data-urlencode") return urlencoded_piece(value);
  if (name == "data-raw" || !value.starts_with('@')) return std::string(value);
  auto text = read_named_file(value.substr(1));
  if (!text || name != "data") return text;
  return without_line_ends(*text);
}

}  // namespace

int read_data(const Arguments& arguments, GetOptions& options) {
  for (const Arguments::Given& given : arguments.given()) {
    const std::string_view name = given.option->name;
    if (!is_data(*given.option)) continue;
    auto piece = piece_of(name, given.value);
    if (!piece) return piece.error();
    // curl: pieces of JSON are one text, all others are pairs of a form.
    if (options.data && name != "json") options.data->append("&");
    if (!options.data) options.data.emplace();
    options.data->append(*piece);
    options.is_json = options.is_json || name == "json";
    if (options.data->size() > kDataSizeMax) {
      std::fprintf(stderr, "quoll get: -d gives more than %zu bytes in all; -T sends files of any size\n",
                   kDataSizeMax);
      return static_cast<int>(GetExit::read_error);
    }
  }
  return 0;
}

int read_form(const Arguments& arguments, GetOptions& options) {
  for (const Arguments::Given& given : arguments.given()) {
    const std::string_view name = given.option->name, value = given.value;
    if (name == "form-string") {
      const size_t equals = value.find('=');
      options.form.push_back(
          {.name = std::string(value.substr(0, equals)), .content = std::string(value.substr(equals + 1))});
    }
    if (name != "form") continue;
    auto part = parse_form_part(value);
    if (!part) return kUsageError;
    if (part->path && (part->reads_content || !is_regular_file(*part->path))) {
      auto text = read_named_file(*part->path);
      if (!text) return text.error();
      part->content = std::move(*text);
      part->path.reset();
    }
    options.form.push_back(std::move(*part));
  }
  return 0;
}

std::expected<std::string, int> read_named_file(std::string_view path) {
  const std::string name(path == "-" ? "/dev/stdin" : path);
  const auto bytes = os::read_file(name.c_str(), kDataSizeMax);
  if (!bytes) return std::unexpected(unreadable(path, bytes.error()));
  return std::string(as_text(*bytes));
}

std::string without_line_ends(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return c != '\r' && c != '\n' && c != '\0'; });
  return out;
}

}  // namespace quoll::app
