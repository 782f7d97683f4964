#include "qlog/summary.h"

#include <algorithm>

namespace quoll::qlog {
namespace {

void set(std::optional<double>& to, const JsonValue* from) {
  if (from && from->as_double()) to = from->as_double();
}

uint64_t raw_length(const JsonValue& data) {
  const JsonValue* length = data.find("raw", "length");
  return length ? length->as_integer().value_or(0) : 0;
}

}  // namespace

void Summary::add(const ReadEvent& event) {
  first_time = events == 0 ? event.time : std::min(first_time, event.time);
  last_time = events == 0 ? event.time : std::max(last_time, event.time);
  events++;
  const JsonValue& data = *event.data;
  if (event.name == "quic:packet_sent") {
    packets_sent++;
    bytes_sent += raw_length(data);
  } else if (event.name == "quic:packet_received") {
    packets_received++;
    bytes_received += raw_length(data);
  } else if (event.name == "quic:packet_lost") {
    packets_lost++;
  } else if (event.name == "quic:packet_dropped") {
    packets_dropped++;
  } else if (event.name == "quic:recovery_metrics_updated") {
    add_metrics(data);
  } else if (event.name == "quic:version_information") {
    if (const auto chosen = data.text_of("chosen_version"); !chosen.empty()) version = chosen;
  } else if (event.name == "quic:alpn_information") {
    if (const JsonValue* chosen = data.find("chosen_alpn")) alpn = chosen->text_of("string_value");
  } else if (event.name == "quic:connection_closed") {
    add_closed(data);
  }
}

void Summary::add_metrics(const JsonValue& data) {
  set(min_rtt, data.find("min_rtt"));
  set(smoothed_rtt, data.find("smoothed_rtt"));
  set(latest_rtt, data.find("latest_rtt"));
  const JsonValue* window = data.find("congestion_window");
  if (!window || !window->as_integer()) return;
  congestion_window = window->as_integer();
  congestion_window_max = std::max(congestion_window_max.value_or(0), *congestion_window);
}

void Summary::add_closed(const JsonValue& data) {
  closed.clear();
  const auto add = [this](std::string_view text) {
    if (text.empty()) return;
    if (!closed.empty()) closed += ", ";
    closed += text;
  };
  add(data.text_of("initiator"));
  add(data.text_of("trigger"));
  add(data.text_of("connection_error"));
  add(data.text_of("application_error") == "unknown" ? "application_error" : data.text_of("application_error"));
  if (const JsonValue* code = data.find("error_code"); code && code->as_integer()) add("code " + code->text);
  add(data.text_of("reason"));
}

}  // namespace quoll::qlog
