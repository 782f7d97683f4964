// A log into memory, read back with another JSON parser than ours, every record checked against the drafts.
#pragma once

#include "qlog/qlog_sink.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "tests/qlog/draft_schema.h"

namespace quoll::tests {

struct StringOutput : qlog::Output {
  std::string text;
  size_t writes = 0;
  bool works = true;

  bool write(std::string_view more) override {
    writes++;
    if (works) text += more;
    return works;
  }
};

/// The records of JSON text sequences; a record that is no JSON comes out as a discarded value.
inline std::vector<nlohmann::json> records_of(std::string_view text) {
  std::vector<nlohmann::json> records;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\x1e', 1), text.size());
    const std::string_view record = text.substr(0, end);
    const bool framed = record.starts_with('\x1e') && record.ends_with('\n');
    records.push_back(nlohmann::json::parse(framed ? record.substr(1) : "?", nullptr, false));
    text.remove_prefix(end);
  }
  return records;
}

/// A log with a sink: what is given to it comes out as checked JSON.
struct Scene {
  StringOutput output;
  qlog::Log log;
  qlog::QlogSink sink;
  Trace<quic::TraceEvent> trace{&sink};

  explicit Scene(quic::Role role = quic::Role::client) : log(output, {.role = role}), sink(log, role) {}

  /// The events so far, without the header. What is wrong with them is added to `wrong`.
  std::vector<nlohmann::json> events() {
    log.flush();
    std::vector<nlohmann::json> records = records_of(output.text);
    for (size_t i = 0; i < records.size(); i++) {
      const auto found = i == 0 ? wrong_in_header(records[i]) : wrong_in_event(records[i]);
      wrong.insert(wrong.end(), found.begin(), found.end());
    }
    records.erase(records.begin());
    return records;
  }

  /// The data of the one event that this makes.
  template <class Event>
  nlohmann::json data_of(const Event& event) {
    const size_t before = events().size();
    trace(Instant(), event);
    const std::vector<nlohmann::json> after = events();
    return after.size() == before + 1 ? after.back()["data"] : nlohmann::json("not one event");
  }

  /// What the checker of the drafts complained about, one a line.
  std::string complaints() const {
    std::string text;
    for (const std::string& line : wrong) text += line + "\n";
    return text;
  }

  std::vector<std::string> wrong;
};

}  // namespace quoll::tests
