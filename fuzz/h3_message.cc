// The rules of messages over sections of a stranger: the first byte chooses request, response, trailers or promise; each
// line is two sizes, a name and a value. What is well-formed obeys the rules as they are spelled out here once more, and
// stops being well-formed when a line is added that no message may have; a harmless line changes nothing.
#include "h3/message.h"

#include "base/check.h"
#include "base/reader.h"
#include "h3/error.h"

using namespace quoll;
using namespace quoll::h3;
using http::FieldLine;
using http::FieldSection;

namespace {

enum class Kind : uint8_t { request, response, trailers, promise };

/// What a check finds, comparable: the whole head as text.
struct Outcome {
  std::optional<uint64_t> error;
  std::string head;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome_of(const Result<RequestHead>& head) {
  if (!head) return {.error = head.error().code, .head = {}};
  std::string text;
  for (const std::string_view part : {head->method, head->scheme, head->authority, head->path, head->protocol}) {
    text.append(part).append("\n");
  }
  return {.error = {}, .head = text + (head->content_length ? std::to_string(*head->content_length) : "-")};
}

Outcome check(Kind kind, const FieldSection& fields) {
  switch (kind) {
    case Kind::request:
      return outcome_of(check_request(fields, true));
    case Kind::promise:
      return outcome_of(check_promised_request(fields));
    case Kind::response: {
      const Result<ResponseHead> head = check_response(fields);
      if (!head) return {.error = head.error().code, .head = {}};
      QUOLL_CHECK(head->status >= 100 && head->status <= 999 && head->status != 101);
      return {.error = {}, .head = std::to_string(head->status)};
    }
    case Kind::trailers: {
      const Result<void> trailers = check_trailers(fields);
      return {.error = trailers ? std::nullopt : std::optional(trailers.error().code), .head = {}};
    }
  }
  return {};
}

FieldSection read_section(Bytes input) {
  FieldSection fields;
  Reader reader(input);
  while (reader.remaining() != 0 && fields.size() < 64) {
    const size_t name_size = reader.u8();
    const size_t value_size = reader.u8();
    const std::string_view name = as_text(reader.bytes(name_size));
    const std::string_view value = as_text(reader.bytes(value_size));
    if (!reader.ok()) break;
    fields.add(name, value);
  }
  return fields;
}

bool is_bad_byte(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/// RFC 9114 §4.2, §4.3 for a section that passed.
void check_lines(Kind kind, const FieldSection& fields) {
  bool regular = false;
  for (size_t i = 0; i < fields.size(); i++) {
    const FieldLine line = fields[i];
    for (const char c : line.name) QUOLL_CHECK(c > 0x20 && c < 0x7f && !(c >= 'A' && c <= 'Z'));
    for (const char c : line.value) QUOLL_CHECK(!is_bad_byte(c));
    QUOLL_CHECK(line.name != "connection" && line.name != "upgrade" && line.name != "transfer-encoding");
    if (line.name[0] == ':') {
      QUOLL_CHECK(!regular && kind != Kind::trailers && fields.count(line.name) == 1);
      QUOLL_CHECK((line.name == ":status") == (kind == Kind::response));
    } else {
      QUOLL_CHECK(line.name.find(':') == std::string_view::npos);
      regular = true;
    }
  }
}

void check_variations(Kind kind, const FieldSection& fields, const Outcome& outcome) {
  const auto with = [&](std::string_view name, std::string_view value) {
    FieldSection more = fields;
    more.add(name, value);
    return check(kind, more);
  };
  const Outcome malformed{.error = static_cast<uint64_t>(ErrorCode::message_error), .head = {}};
  QUOLL_CHECK(with("x-harmless", "a\tb \x80") == outcome);
  for (const char* name : {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "", "X",
                           "a b", ":status", ":method", ":path", "\xc3\xa4"}) {
    QUOLL_CHECK(with(name, "1") == malformed);
  }
  for (const char* value : {" a", "a ", "a\nb", "a\rb", "\x7f"}) QUOLL_CHECK(with("a", value) == malformed);
  QUOLL_CHECK(with("te", "gzip") == malformed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Kind kind{static_cast<uint8_t>(data[0] & 3)};
  const FieldSection fields = read_section(Bytes(data, size).subspan(1));
  const Outcome outcome = check(kind, fields);
  const auto code = [](ErrorCode error) { return static_cast<uint64_t>(error); };
  if (outcome.error) {
    QUOLL_CHECK(*outcome.error == code(ErrorCode::message_error) ||
                (kind == Kind::promise && *outcome.error == code(ErrorCode::request_cancelled)));
    return 0;
  }
  check_lines(kind, fields);
  check_variations(kind, fields, outcome);
  if (const auto cookie = joined_cookie(fields))
    QUOLL_CHECK(is_field_value(*cookie) || cookie->ends_with(' ') || cookie->starts_with(';'));
  return 0;
}
