// Forms with files, as -F sends them: multipart/form-data (RFC 7578).
//
// Files are read as there is room to send them; what comes through a pipe is read at once, before anything is sent. The
// boundary is random, so that it occurs in no part.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "web/body_source.h"

namespace quoll::app {

struct FormPart {
  std::string name{};
  std::string content{};              // unless there is a path
  std::optional<std::string> path{};  // of a file that is sent
  bool reads_content = false;         // "<FILE": the path's contents are the content, and no file
  std::optional<std::string> file_name{};
  std::string type{};  // of the content; empty: none is told
};

/// "NAME=CONTENT", "NAME=@FILE", "NAME=<FILE"; ";type=TYPE" and, of files, ";filename=NAME" may follow. Empty: none of these.
std::optional<FormPart> parse_form_part(std::string_view text);

struct FormBody {
  std::unique_ptr<web::BodySource> source;
  std::string content_type;  // with the boundary
};
/// What is wrong with a file otherwise, for a person.
[[nodiscard]] std::expected<FormBody, std::string> make_form(const std::vector<FormPart>& parts, Rng& rng);

}  // namespace quoll::app
