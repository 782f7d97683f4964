// quoll qlog: what a qlog file says, an event a line, and the totals.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/cert.h"
#include "app/commands.h"
#include "app/options.h"
#include "os/file.h"
#include "qlog/log.h"
#include "qlog/log_reader.h"
#include "qlog/summary.h"

namespace quoll::app {
namespace {

using qlog::JsonValue;
using Kind = JsonValue::Kind;

constexpr Option kOptions[] = {
    {"event", 'e', "NAME", "print only events of this name, with or without its namespace; may be repeated"},
    {"summary", 's', "", "print only the totals"},
};

constexpr Usage kUsage = {
    .command = "quoll qlog",
    .operands = "FILE",
    .summary =
        "Prints the events of a qlog file, one a line: milliseconds, name, what it says; then totals. Reads JSON text "
        "sequences (.sqlog, as quoll writes them) and plain JSON (.qlog), schemas sequential and contained; - is "
        "standard input. Exit code 1: the file is malformed, or cannot be read.",
    .options = kOptions,
    .operands_min = 1,
    .operands_max = 1};

/// For a terminal: control characters, C1 ones included, become dots; the rest is UTF-8 already.
std::string printable_utf8(std::string_view text) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); i++) {
    const auto byte = static_cast<uint8_t>(out[i]);
    if (byte < 0x20 || byte == 0x7f) out[i] = '.';
    if (byte == 0xc2 && i + 1 < out.size() && static_cast<uint8_t>(out[i + 1]) < 0xa0) out.replace(i, 2, "..");
  }
  return out;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string milliseconds(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

void append_value(std::string& out, const JsonValue& value);

/// All members but the one called `except`.
void append_members(std::string& out, const JsonValue& object, std::string_view except = {}) {
  bool first = true;
  for (const JsonValue::Member& member : object.members) {
    if (!except.empty() && member.name == except) continue;
    if (!first) out += ' ';
    first = false;
    out.append(printable_utf8(member.name)).append("=");
    append_value(out, member.value);
  }
}

void append_elements(std::string& out, const JsonValue& array) {
  for (size_t i = 0; i < array.elements.size(); i++) {
    if (i != 0) out += ' ';
    append_value(out, array.elements[i]);
  }
}

void append_value(std::string& out, const JsonValue& value) {
  switch (value.kind) {
    case Kind::null:
      out += "null";
      break;
    case Kind::boolean:
      out += value.boolean ? "true" : "false";
      break;
    case Kind::number:
      out += value.text;
      break;
    case Kind::text:
      out += value.text.empty() ? "\"\"" : printable_utf8(value.text);
      break;
    case Kind::array:
      out += '[';
      append_elements(out, value);
      out += ']';
      break;
    case Kind::object:
      out += '{';
      append_members(out, value);
      out += '}';
      break;
  }
}

/// A frame in short: "stream(stream_id=0 offset=0 raw={length=5})".
void append_frame(std::string& out, const JsonValue& frame) {
  const std::string_view type = frame.text_of("frame_type");
  if (frame.kind != Kind::object || type.empty()) return append_value(out, frame);
  out += printable_utf8(type);
  if (frame.members.size() == 1) return;
  out += '(';
  append_members(out, frame, "frame_type");
  out += ')';
}

/// "initial 0, 1200 bytes: crypto(...) padding(...)"
void append_packet(std::string& out, const JsonValue& data) {
  if (const JsonValue* header = data.find("header")) {
    const std::string_view type = header->text_of("packet_type");
    out += type.empty() ? "packet" : printable_utf8(type);
    if (const JsonValue* number = header->find("packet_number")) {
      out += ' ';
      append_value(out, *number);
    }
  }
  if (const JsonValue* length = data.find("raw", "length")) {
    out += ", ";
    append_value(out, *length);
    out += " bytes";
  }
  if (const std::string_view trigger = data.text_of("trigger"); !trigger.empty()) {
    out.append(", ").append(printable_utf8(trigger));
  }
  if (const JsonValue* details = data.find("details"); details && !details->text_of("reason").empty()) {
    out.append(" (").append(printable_utf8(details->text_of("reason"))).append(")");
  }
  const JsonValue* frames = data.find("frames");
  if (!frames || frames->kind != Kind::array) return;
  for (size_t i = 0; i < frames->elements.size(); i++) {
    out += i == 0 ? ": " : " ";
    append_frame(out, frames->elements[i]);
  }
}

std::string_view without_namespace(std::string_view name) {
  constexpr std::string_view kQuic = "quic:";
  return name.starts_with(kQuic) ? name.substr(kQuic.size()) : name;
}

bool is_packet_event(std::string_view name) {
  constexpr std::string_view kNames[] = {"quic:packet_sent", "quic:packet_received", "quic:packet_dropped",
                                         "quic:packet_buffered", "quic:packet_lost"};
  return std::ranges::find(kNames, name) != std::ranges::end(kNames);
}

void print_event(const qlog::ReadEvent& event) {
  char start[80];
  std::snprintf(start, sizeof start, "%12.3f  ", event.time);
  std::string line(start);
  std::string name = printable_utf8(without_namespace(event.name));
  if (name.size() < 24) name.resize(24, ' ');
  line.append(name).append(" ");
  if (const std::string_view tuple = event.record->text_of("tuple"); !tuple.empty()) {
    line.append("path ").append(printable_utf8(tuple)).append(": ");
  }
  if (is_packet_event(event.name)) {
    append_packet(line, *event.data);
  } else {
    append_members(line, *event.data);
  }
  while (line.ends_with(' ')) line.pop_back();
  print(line += '\n');
}

std::string vantage_point(const JsonValue& trace) {
  const JsonValue* point = trace.find("vantage_point");
  const std::string_view type = point ? point->text_of("type") : "";
  std::string out = type.empty() ? "unknown vantage point" : printable_utf8(type);
  const JsonValue* common = trace.find("common_fields");
  if (const std::string_view group = common ? common->text_of("group_id") : ""; !group.empty()) {
    out.append(", group ").append(printable_utf8(group));
  }
  return out;
}

void print_line(std::string_view label, const std::string& text) {
  if (text.empty()) return;
  std::string line(label);
  line.resize(std::max<size_t>(line.size() + 1, 12), ' ');
  print(line.append(printable_utf8(text)).append("\n"));
}

std::string counted(uint64_t packets, uint64_t bytes) {
  return std::to_string(packets) + (packets == 1 ? " packet, " : " packets, ") + std::to_string(bytes) + " bytes";
}

std::string rtt_text(const qlog::Summary& summary) {
  std::string out;
  const auto add = [&out](const char* name, const std::optional<double>& value) {
    if (!value) return;
    if (!out.empty()) out += ", ";
    out.append(name).append(" ").append(milliseconds(*value)).append(" ms");
  };
  add("min", summary.min_rtt);
  add("smoothed", summary.smoothed_rtt);
  add("latest", summary.latest_rtt);
  return out;
}

void print_summary(const JsonValue& trace, const qlog::Summary& summary) {
  print_line("trace:", vantage_point(trace));
  print_line("events:",
             std::to_string(summary.events) + " in " + milliseconds(summary.last_time - summary.first_time) + " ms");
  print_line("version:", summary.version);
  print_line("alpn:", summary.alpn);
  print_line("sent:", counted(summary.packets_sent, summary.bytes_sent));
  print_line("received:", counted(summary.packets_received, summary.bytes_received));
  print_line("lost:", std::to_string(summary.packets_lost));
  print_line("dropped:", std::to_string(summary.packets_dropped));
  print_line("rtt:", rtt_text(summary));
  if (summary.congestion_window) {
    print_line("window:", std::to_string(*summary.congestion_window) + " bytes, at most " +
                              std::to_string(*summary.congestion_window_max));
  }
  print_line("closed:", summary.closed);
}

std::string failure_text(const qlog::ReadFailure& failure) {
  return "record " + std::to_string(failure.record) + ": " + failure.what;
}

bool is_wanted(const std::vector<std::string_view>& names, std::string_view name) {
  if (names.empty()) return true;
  return std::ranges::any_of(names,
                             [name](auto wanted) { return wanted == name || wanted == without_namespace(name); });
}

}  // namespace

int qlog(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kUsage, arguments);
  if (!parsed) return parsed.error();
  const std::string path(parsed->operands()[0]);
  const auto file = os::read_file(path == "-" ? "/dev/stdin" : path.c_str(), qlog::kLogSizeMax);
  if (!file) return failed(kUsage, path, file.error());

  const std::vector<std::string_view> names = parsed->values("event");
  const bool summary_only = parsed->has("summary");
  qlog::LogReader reader(as_text(*file));
  qlog::Summary summary;
  while (const auto event = reader.next()) {
    summary.add(*event);
    if (!summary_only && is_wanted(names, event->name)) print_event(*event);
  }
  if (reader.trace() && names.empty()) {
    if (!summary_only) print("\n");
    print_summary(*reader.trace(), summary);
  }
  if (!reader.failure()) return 0;
  std::fflush(stdout);
  return failed(kUsage, path, failure_text(*reader.failure()));
}

}  // namespace quoll::app
