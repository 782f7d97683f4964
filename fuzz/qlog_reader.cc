// qlog::parse_json: what is taken is written with qlog::JsonWriter and reads the same. qlog::LogReader and qlog::Summary on
// the same bytes end, and fail with a text.
#include "qlog/json_value.h"
#include "qlog/json_writer.h"
#include "qlog/log_reader.h"
#include "qlog/summary.h"

using namespace quoll;
using qlog::JsonValue;
using qlog::JsonWriter;
using Kind = JsonValue::Kind;

namespace {

/// Numbers as texts: JsonWriter has no others than integers.
void write(JsonWriter& json, const JsonValue& value) {
  switch (value.kind) {
    case Kind::null:
    case Kind::boolean:
      return json.value(value.boolean);
    case Kind::number:
    case Kind::text:
      return json.value(std::string_view(value.text));
    case Kind::array:
      json.begin_array();
      for (const JsonValue& element : value.elements) write(json, element);
      return json.end_array();
    case Kind::object:
      break;
  }
  // Names of members are any texts here, so pairs stand for them.
  json.begin_array();
  for (const JsonValue::Member& member : value.members) {
    json.value(std::string_view(member.name));
    write(json, member.value);
  }
  json.end_array();
}

std::string written(const JsonValue& value) {
  std::string out;
  JsonWriter json(out);
  write(json, value);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(Bytes(data, size));
  if (const auto value = qlog::parse_json(text)) {
    const std::string first = written(*value);
    QUOLL_CHECK(qlog::is_utf8(first));
    const auto again = qlog::parse_json(first);
    QUOLL_CHECK(again);
    QUOLL_CHECK(written(*again) == first);
  }
  qlog::LogReader reader(text);
  qlog::Summary summary;
  while (const auto event = reader.next()) {
    QUOLL_CHECK(event->data->kind == Kind::object);
    summary.add(*event);
  }
  QUOLL_CHECK(!reader.next());
  if (reader.failure()) QUOLL_CHECK(reader.failure()->what[0] != '\0');
  if (!reader.trace()) QUOLL_CHECK(reader.failure());
  return 0;
}
