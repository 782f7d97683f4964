#include "app/form.h"

#include <algorithm>
#include <array>
#include <utility>

#include "app/cert.h"
#include "app/upload_source.h"
#include "base/hex.h"
#include "http/media_type.h"

namespace quoll::app {
namespace {

/// What is said of a part behind its content.
struct Parameter {
  size_t begin = std::string_view::npos, value = 0;

  bool is_there() const { return begin != std::string_view::npos; }
};

/// The last ";NAME=" in the text, a space before the name or not.
Parameter find_parameter(std::string_view text, std::string_view name) {
  Parameter found;
  for (const std::string_view before : {";", "; "}) {
    const std::string mark = std::string(before).append(name).append("=");
    const size_t at = text.rfind(mark);
    if (at == std::string_view::npos || (found.is_there() && at < found.begin)) continue;
    found.begin = at;
    found.value = at + mark.size();
  }
  return found;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; });
}

/// RFC 7578 §2 leaves it to browsers, and they (WHATWG HTML, multipart/form-data) escape these three and nothing else.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') {
      out += "%22";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string head_of(const FormPart& part) {
  std::string head = "Content-Disposition: form-data; name=" + quoted(part.name);
  if (part.file_name) head.append("; filename=").append(quoted(*part.file_name));
  if (!part.type.empty()) head.append("\r\nContent-Type: ").append(part.type);
  return head.append("\r\n\r\n");
}

/// Sources one after the other.
class Sequence final : public web::BodySource {
 public:
  explicit Sequence(std::vector<std::unique_ptr<web::BodySource>> sources) : sources_(std::move(sources)) {}

  Result<Piece> next(size_t max) override {
    while (at_ < sources_.size()) {
      Result<Piece> piece = sources_[at_]->next(max);
      if (!piece) return piece;
      if (piece->end) at_++;
      piece->end = at_ == sources_.size();
      if (!piece->data.empty() || piece->end) return piece;
    }
    return Piece{{}, true};
  }

  std::optional<uint64_t> size() const override {
    uint64_t sum = 0;
    for (const auto& source : sources_) {
      const auto size = source->size();
      if (!size) return {};
      sum += *size;
    }
    return sum;
  }

  bool rewind() override {
    at_ = 0;
    return std::ranges::all_of(sources_, [](const auto& source) { return source->rewind(); });
  }

 private:
  std::vector<std::unique_ptr<web::BodySource>> sources_;
  size_t at_ = 0;
};

/// The content of a part: a file that can be sent again, or a text.
std::expected<std::unique_ptr<web::BodySource>, std::string> content_of(const FormPart& part) {
  if (!part.path) return web::text_body(part.content);
  Result<Upload> upload = open_upload(*part.path);
  if (!upload) return std::unexpected(*part.path + ": " + error_text(upload.error()));
  if (upload->file) return std::move(upload->file);
  return std::unexpected(*part.path + ": is no file any more");
}

}  // namespace

std::optional<FormPart> parse_form_part(std::string_view text) {
  FormPart part;
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return {};
  part.name = std::string(text.substr(0, equals));
  text.remove_prefix(equals + 1);
  const bool is_file = text.starts_with('@');
  part.reads_content = text.starts_with('<');
  // From the end: a type may have parameters of its own.
  while (true) {
    const Parameter type = find_parameter(text, "type");
    const Parameter name = is_file ? find_parameter(text, "filename") : Parameter();
    if (!type.is_there() && !name.is_there()) break;
    const bool is_type = type.is_there() && (!name.is_there() || type.begin > name.begin);
    const Parameter& last = is_type ? type : name;
    if (is_type) {
      part.type = std::string(text.substr(last.value));
    } else {
      part.file_name = std::string(text.substr(last.value));
    }
    text = text.substr(0, last.begin);
  }
  if (has_control_character(part.type)) return {};
  if (!is_file && !part.reads_content) {
    part.content = std::string(text);
    return part;
  }
  part.path = std::string(text.substr(1));
  if (part.path->empty()) return {};
  if (is_file && !part.file_name) part.file_name = part.path->substr(part.path->rfind('/') + 1);
  if (is_file && part.type.empty()) {
    const std::string_view type = http::media_type_of(*part.file_name);
    part.type =
        std::string(type.substr(0, type.find(';')));  // in which characters it is written is the file's business
  }
  return part;
}

std::expected<FormBody, std::string> make_form(const std::vector<FormPart>& parts, Rng& rng) {
  std::array<uint8_t, 16> random;
  rng.fill(random);
  const std::string boundary = "quoll-" + to_hex(random);
  std::vector<std::unique_ptr<web::BodySource>> sources;
  for (const FormPart& part : parts) {
    // RFC 2046 §5.1.1: the line break before a delimiter belongs to it.
    sources.push_back(web::text_body((sources.empty() ? "--" : "\r\n--") + boundary + "\r\n" + head_of(part)));
    auto content = content_of(part);
    if (!content) return std::unexpected(content.error());
    sources.push_back(std::move(*content));
  }
  sources.push_back(web::text_body("\r\n--" + boundary + "--\r\n"));
  return FormBody{std::make_unique<Sequence>(std::move(sources)), "multipart/form-data; boundary=" + boundary};
}

}  // namespace quoll::app
