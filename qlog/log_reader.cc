#include "qlog/log_reader.h"

#include <algorithm>
#include <cmath>

namespace quoll::qlog {
namespace {

constexpr char kRecordSeparator = '\x1e';
constexpr std::string_view kSequential = "urn:ietf:params:qlog:file:sequential";
constexpr std::string_view kContained = "urn:ietf:params:qlog:file:contained";
constexpr std::string_view kSpace = " \t\r\n";

bool is_object(const JsonValue* value) { return value && value->kind == JsonValue::Kind::object; }
bool is_array(const JsonValue* value) { return value && value->kind == JsonValue::Kind::array; }

}  // namespace

void LogReader::read_header() {
  const size_t first = rest_.find_first_not_of(kSpace);
  record_number_ = 1;
  if (first == std::string_view::npos) return fail("the file is empty");
  rest_.remove_prefix(first);
  is_contained_ = rest_[0] == '{';
  if (is_contained_) return read_contained();
  record_number_ = 0;
  read_sequence_header();
}

void LogReader::read_contained() {
  auto file = parse_json(rest_);
  rest_ = {};
  if (!file) return fail(file.error().what);
  header_ = std::move(*file);
  if (header_.text_of("file_schema") != kContained) return fail("the file_schema is none that is known");
  const JsonValue* traces = header_.find("traces");
  if (!is_array(traces) || traces->elements.empty()) return fail("the file has no traces");
  for (const JsonValue& trace : traces->elements) {
    // §4.3: in place of a trace there may stand a TraceError.
    if (is_array(trace.find("events"))) {
      trace_ = &trace;
      return;
    }
  }
  fail("the file has no trace with events");
}

void LogReader::read_sequence_header() {
  if (!read_record(header_)) {
    if (!failure_) fail("the file is empty");
    return;
  }
  if (header_.text_of("file_schema") != kSequential) return fail("the file_schema is none that is known");
  if (!is_object(header_.find("trace"))) return fail("the header has no trace");
  trace_ = header_.find("trace");
}

bool LogReader::read_record(JsonValue& record) {
  // RFC 7464 §2.1: more than one separator may stand between records.
  while (!rest_.empty() && (rest_[0] == kRecordSeparator && rest_.substr(1).starts_with(kRecordSeparator))) {
    rest_.remove_prefix(1);
  }
  if (rest_.empty()) return false;
  record_number_++;
  if (rest_[0] != kRecordSeparator) {
    fail("a record begins with no record separator");
    return false;
  }
  const size_t end = std::min(rest_.find(kRecordSeparator, 1), rest_.size());
  const std::string_view text = rest_.substr(1, end - 1);
  rest_.remove_prefix(end);
  auto parsed = parse_json(text);
  // RFC 7464 §2.4: without the line feed a record may be a part of another.
  if (!text.ends_with('\n')) {
    fail("the last record is cut short", rest_.empty());
    return false;
  }
  if (!parsed) {
    fail(parsed.error().what);
    return false;
  }
  record = std::move(*parsed);
  return true;
}

std::optional<ReadEvent> LogReader::next() {
  if (!trace_ || failure_) return std::nullopt;
  if (!is_contained_) {
    record_ = {};
    if (!read_record(record_)) return std::nullopt;
    return event_of(record_);
  }
  const std::vector<JsonValue>& traces = header_.find("traces")->elements;
  for (; next_trace_ < traces.size(); next_trace_++, next_event_ = 0) {
    const JsonValue* events = traces[next_trace_].find("events");
    if (!is_array(events) || next_event_ == events->elements.size()) continue;
    if (next_event_ == 0) previous_time_ = 0;
    trace_ = &traces[next_trace_];
    return event_of(events->elements[next_event_++]);
  }
  return std::nullopt;
}

std::optional<ReadEvent> LogReader::event_of(const JsonValue& record) {
  const JsonValue* time = record.find("time");
  const double milliseconds = time ? time->as_double().value_or(NAN) : NAN;
  const std::string_view name = record.text_of("name");
  const JsonValue* data = record.find("data");
  // §7: what every event has.
  if (std::isnan(milliseconds)) {
    fail("an event has no time");
  } else if (name.empty()) {
    fail("an event has no name");
  } else if (!is_object(data)) {
    fail("an event has no data");
  }
  if (failure_) return std::nullopt;
  // §7.1: the format may stand in the event or in common_fields.
  std::string_view format = record.text_of("time_format");
  if (const JsonValue* common = trace_->find("common_fields"); common && format.empty()) {
    format = common->text_of("time_format");
  }
  const bool is_relative = format == "relative_to_previous_event";
  previous_time_ = is_relative ? previous_time_ + milliseconds : milliseconds;
  return ReadEvent{.time = previous_time_, .name = name, .record = &record, .data = data};
}

}  // namespace quoll::qlog
