// LogReader: reads a qlog file event by event: JSON Text Sequences (.sqlog, QlogFileSeq) as Log writes them, and the plain
// JSON of others (.qlog, QlogFile) with one trace or several (draft-ietf-quic-qlog-main-schema §4, §5, §11).
//
// It checks the form that §3, §5 and §7 demand: the schemas of the file, and of each event a time, a name and data. It
// knows no event; unknown members and events pass (§13). Times come out relative to the epoch, whatever their format. What
// is no JSON ends the reading, but a last record that is cut short is told apart, since a program that dies leaves one.
#pragma once

#include <optional>
#include <string_view>

#include "qlog/json_value.h"

namespace quoll::qlog {

struct ReadEvent {
  double time = 0;  // milliseconds
  std::string_view name{};
  const JsonValue* record = nullptr;
  const JsonValue* data = nullptr;  // an object
};

/// What is wrong with a file.
struct ReadFailure {
  size_t record = 0;  // counted from 1; 1 is the header of a sequence, and all of a plain file
  const char* what = "";
  bool is_cut_short = false;  // the last record, and nothing else is wrong
};

class LogReader {
 public:
  /// Reads the header. `file` is the whole file, and outlives the reader.
  explicit LogReader(std::string_view file) : rest_(file) { read_header(); }
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  /// The first trace's object; null when the header is wrong.
  const JsonValue* trace() const { return trace_; }
  /// The next event, to be used until the next call; empty at the end, and where something is wrong.
  std::optional<ReadEvent> next();
  const std::optional<ReadFailure>& failure() const { return failure_; }

 private:
  void read_header();
  void read_sequence_header();
  void read_contained();
  /// The next record of a sequence.
  bool read_record(JsonValue& record);
  std::optional<ReadEvent> event_of(const JsonValue& record);
  void fail(const char* what, bool is_cut_short = false) {
    if (!failure_) failure_ = ReadFailure{record_number_, what, is_cut_short};
  }

  std::string_view rest_;
  JsonValue header_;
  JsonValue record_;
  const JsonValue* trace_ = nullptr;
  bool is_contained_ = false;
  size_t next_trace_ = 0;  // of a contained file, with next_event_
  size_t next_event_ = 0;
  size_t record_number_ = 0;
  double previous_time_ = 0;
  std::optional<ReadFailure> failure_;
};

}  // namespace quoll::qlog
