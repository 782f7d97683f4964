#include "app/write_out.h"

#include <algorithm>
#include <cstdio>

#include "app/text.h"
#include "base/version.h"
#include "qlog/json_writer.h"

namespace quoll::app {
namespace {

/// A variable's value. `text` is what -w prints; JSON has it with quotes, without, or null.
struct Value {
  enum class Kind : uint8_t { none, text, number };
  Kind kind = Kind::none;
  std::string text{};
};

Value text_value(std::string text) {
  if (text.empty()) return {};
  return {Value::Kind::text, std::move(text)};
}
/// Present even where it is empty.
Value text_or_empty(std::string text) { return {Value::Kind::text, std::move(text)}; }
Value number(uint64_t count) { return {Value::Kind::number, std::to_string(count)}; }

Value seconds(Duration duration) {
  char text[32];
  const int64_t microseconds = std::max<int64_t>(duration.as_microseconds(), 0);
  std::snprintf(text, sizeof text, "%lld.%06lld", static_cast<long long>(microseconds / 1'000'000),
                static_cast<long long>(microseconds % 1'000'000));
  return {Value::Kind::number, text};
}

Value speed(uint64_t bytes, const TransferReport& report) {
  return number(report.total.as_nanoseconds() <= 0 ? 0 : Bandwidth::of(bytes, report.total).as_bytes_per_second());
}

Value address(const SocketAddress& address, bool connected) {
  return text_or_empty(connected && address.ip.family() != IpAddress::Family::none ? address.ip.to_string() : "");
}

using Report = TransferReport;
struct Variable {
  std::string_view name;
  Value (*value)(const Report&);
};
// In the order of curl's %{json}. What a QUIC connection does not have (proxies, FTP) is as curl has it without.
constexpr Variable kVariables[] = {
    {"content_type",
     [](const Report& r) { return text_value(std::string(r.fields.find("content-type").value_or(""))); }},
    {"errormsg", [](const Report& r) { return text_value(r.error_message); }},
    {"exitcode", [](const Report& r) { return number(static_cast<uint64_t>(r.exit_code)); }},
    {"filename_effective", [](const Report& r) { return text_value(r.file_name); }},
    {"http_code", [](const Report& r) { return number(r.status); }},
    {"http_connect", [](const Report&) { return number(0); }},
    {"http_version", [](const Report& r) { return text_or_empty(r.status != 0 ? "3" : "0"); }},
    {"local_ip", [](const Report& r) { return address(r.local, r.connected); }},
    {"local_port", [](const Report& r) { return number(r.connected ? r.local.port : 0); }},
    {"method", [](const Report& r) { return text_value(r.method); }},
    {"num_certs", [](const Report& r) { return number(r.certificates); }},
    {"num_connects", [](const Report& r) { return number(r.connects); }},
    {"num_headers", [](const Report& r) { return number(r.fields.size()); }},
    {"num_redirects", [](const Report& r) { return number(r.redirects); }},
    {"num_retries", [](const Report& r) { return number(r.retries); }},
    {"proxy_ssl_verify_result", [](const Report&) { return number(0); }},
    {"redirect_url", [](const Report& r) { return text_value(r.redirect_url); }},
    {"referer", [](const Report& r) { return text_value(r.referer); }},
    {"remote_ip", [](const Report& r) { return address(r.remote, r.connected); }},
    {"remote_port", [](const Report& r) { return number(r.connected ? r.remote.port : 0); }},
    {"response_code", [](const Report& r) { return number(r.status); }},
    {"scheme", [](const Report& r) { return text_value(r.connected ? "HTTPS" : ""); }},
    {"size_download", [](const Report& r) { return number(r.size_download); }},
    {"size_header", [](const Report& r) { return number(r.size_header); }},
    {"size_request", [](const Report& r) { return number(r.size_request); }},
    {"size_upload", [](const Report& r) { return number(r.size_upload); }},
    {"speed_download", [](const Report& r) { return speed(r.size_download, r); }},
    {"speed_upload", [](const Report& r) { return speed(r.size_upload, r); }},
    {"ssl_verify_result", [](const Report&) { return number(0); }},
    {"time_appconnect", [](const Report& r) { return seconds(r.connect); }},
    {"time_connect", [](const Report& r) { return seconds(r.connect); }},
    {"time_namelookup", [](const Report& r) { return seconds(r.name_lookup); }},
    {"time_pretransfer", [](const Report& r) { return seconds(r.pre_transfer); }},
    {"time_redirect", [](const Report& r) { return seconds(r.redirect); }},
    {"time_starttransfer", [](const Report& r) { return seconds(r.start_transfer); }},
    {"time_total", [](const Report& r) { return seconds(r.total); }},
    {"url", [](const Report& r) { return text_value(r.url); }},
    {"url_effective", [](const Report& r) { return text_value(r.url_effective); }},
    {"urlnum", [](const Report& r) { return number(r.url_number); }},
};

std::string json_of(const Report& report) {
  std::string out;
  qlog::JsonWriter json(out);
  json.begin_object();
  for (const Variable& variable : kVariables) {
    const Value value = variable.value(report);
    json.key(variable.name);
    switch (value.kind) {
      case Value::Kind::none:
        out += "null";
        break;
      case Value::Kind::text:
        json.value(std::string_view(value.text));
        break;
      case Value::Kind::number:
        out += value.text;
        break;
    }
  }
  json.member("quoll_version", std::string_view(kVersion));
  json.end_object();
  return out;
}

/// The fields in the order in which their names come first, the values of a name in an array.
std::string header_json_of(const http::FieldSection& fields) {
  std::string out = "{";
  for (size_t i = 0; i < fields.size(); i++) {
    const std::string_view name = fields[i].name;
    bool seen = false;
    for (size_t before = 0; before < i; before++) seen = seen || fields[before].name == name;
    if (seen) continue;
    if (out.size() > 1) out += ",\n";
    std::string line;  // of its own: the writer would put a comma after a line end
    qlog::JsonWriter json(line);
    json.value(name);
    line += ':';
    json.begin_array();
    for (const http::FieldLine field : fields) {
      if (field.name == name) json.value(field.value);
    }
    json.end_array();
    out += line;
  }
  return out += "\n}";
}

class Formatter {
 public:
  Formatter(std::string_view format, const Report& report) : rest_(format), report_(report) {}

  WrittenOut run() {
    while (!rest_.empty() && !done_) {
      if (rest_[0] == '%' && rest_.size() > 1) {
        take_percent();
      } else if (rest_[0] == '\\' && rest_.size() > 1) {
        take_escape();
      } else {
        put(rest_.substr(0, 1));
        rest_.remove_prefix(1);
      }
    }
    return std::move(out_);
  }

 private:
  void put(std::string_view text) { (to_error_ ? out_.standard_error : out_.standard_output).append(text); }

  void take_escape() {
    constexpr std::string_view kLetters = "nrt", kMeanings = "\n\r\t";
    const size_t which = kLetters.find(rest_[1]);
    put(which == std::string_view::npos ? rest_.substr(0, 2) : kMeanings.substr(which, 1));
    rest_.remove_prefix(2);
  }

  void take_percent() {
    constexpr std::string_view kField = "%header{";
    if (rest_.starts_with("%{")) return take_braces(2);
    if (rest_.starts_with(kField)) return take_braces(kField.size());
    put(rest_[1] == '%' ? rest_.substr(0, 1) : rest_.substr(0, 2));
    rest_.remove_prefix(2);
  }

  /// What opens with so many characters and ends at the next brace; without one it is text.
  void take_braces(size_t opening) {
    const size_t end = rest_.find('}');
    if (end == std::string_view::npos) {
      put(rest_.substr(0, opening));
      rest_.remove_prefix(opening);
      return;
    }
    const std::string_view name = rest_.substr(opening, end - opening);
    rest_.remove_prefix(end + 1);
    if (opening == 2) {
      put_variable(name);
    } else {
      put(report_.fields.find(lower_case(name)).value_or(""));
    }
  }

  void put_variable(std::string_view name) {
    if (name == "stderr" || name == "stdout") {
      to_error_ = name == "stderr";
    } else if (name == "onerror") {
      done_ = report_.exit_code == 0;
    } else if (name == "json") {
      put(json_of(report_));
    } else if (name == "header_json") {
      put(header_json_of(report_.fields));
    } else if (const auto found = std::ranges::find(kVariables, name, &Variable::name);
               found != std::ranges::end(kVariables)) {
      std::string text = found->value(report_).text;
      // A status has three digits, those of none included.
      if (name == "http_code" || name == "response_code" || name == "http_connect") {
        while (text.size() < 3) text.insert(text.begin(), '0');
      }
      put(text);
    } else {
      out_.unknown.emplace_back(name);
    }
  }

  std::string_view rest_;
  const Report& report_;
  WrittenOut out_;
  bool to_error_ = false, done_ = false;
};

}  // namespace

WrittenOut write_out(std::string_view format, const TransferReport& report) { return Formatter(format, report).run(); }

std::vector<std::string_view> write_out_variables() {
  std::vector<std::string_view> names = {"header_json", "json", "onerror", "stderr", "stdout"};
  for (const Variable& variable : kVariables) names.push_back(variable.name);
  return names;
}

}  // namespace quoll::app
