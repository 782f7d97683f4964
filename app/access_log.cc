#include "app/access_log.h"

#include "http/date.h"
#include "qlog/json_writer.h"
#include "web/clock.h"

namespace quoll::app {
namespace {

constexpr std::string_view kVersion = "HTTP/3";

/// As Apache has it: quotes and backslashes get a backslash, other bytes beyond printable ASCII become \xhh.
void append_escaped(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      out.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text.empty() ? "-" : text);
  out += '"';
}

/// "21/Nov/2026:14:20:05 +0000", from "Sat, 21 Nov 2026 14:20:05 GMT".
void append_common_time(std::string& out, UnixTime time) {
  const http::DateText date = http::date_text(time);
  const std::string_view text = http::as_text(date);
  out.append(text.substr(5, 2)).append("/").append(text.substr(8, 3)).append("/").append(text.substr(12, 4));
  out.append(":").append(text.substr(17, 8)).append(" +0000");
}

/// CONNECT has an authority in place of a path.
std::string_view target_of(const web::Exchange& exchange) {
  return exchange.path().empty() ? exchange.authority() : exchange.path();
}

std::string_view field(const web::Exchange& exchange, std::string_view name) {
  return exchange.fields().find(name).value_or(std::string_view());
}

std::string common_line(const AccessRecord& record) {
  const web::Exchange& exchange = record.exchange;
  std::string line = exchange.peer().ip.to_string();
  line += " - - [";
  append_common_time(line, record.begin);
  line += "] \"";
  append_escaped(line, exchange.method());
  line += ' ';
  append_escaped(line, target_of(exchange));
  line.append(" ").append(kVersion).append("\" ");
  line.append(record.outcome.status == 0 ? "-" : std::to_string(record.outcome.status)).append(" ");
  line.append(record.outcome.bytes_sent == 0 ? "-" : std::to_string(record.outcome.bytes_sent)).append(" ");
  append_quoted(line, field(exchange, "referer"));
  line += ' ';
  append_quoted(line, field(exchange, "user-agent"));
  return line;
}

std::string json_line(const AccessRecord& record) {
  const web::Exchange& exchange = record.exchange;
  std::string line;
  qlog::JsonWriter json(line);
  json.begin_object();
  json.member("time", web::timestamp(record.begin));
  json.member("remote", exchange.peer().to_string());
  json.member("method", exchange.method());
  json.member("authority", exchange.authority());
  json.member("path", exchange.path());
  json.member("protocol", kVersion);
  json.member("status", record.outcome.status);
  json.member("bytes", record.outcome.bytes_sent);
  json.member("duration_ms", record.duration);
  json.member("complete", record.outcome.complete);
  if (!record.outcome.complete) json.member("error_code", record.outcome.code);
  if (const auto value = field(exchange, "referer"); !value.empty()) json.member("referer", value);
  if (const auto value = field(exchange, "user-agent"); !value.empty()) json.member("user_agent", value);
  json.end_object();
  return line;
}

}  // namespace

std::string access_line(const AccessRecord& record, LogFormat format) {
  std::string line;
  switch (format) {
    case LogFormat::common:
      line = common_line(record);
      break;
    case LogFormat::json:
      line = json_line(record);
      break;
  }
  return line += '\n';
}

}  // namespace quoll::app
