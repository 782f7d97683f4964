// Log: one qlog file as it is written: a QlogFileSeq header, then events, each a record of JSON Text Sequences
// (RFC 7464; draft-ietf-quic-qlog-main-schema §5, §11.2).
//
// It knows no event: whoever does (QlogSink for the transport) begins an Event, writes its data and lets it end. Records
// are gathered and given to an Output in large pieces that end with a record. A log never grows beyond its limit: the
// event that would not fit is replaced by one that says so, and nothing follows (with a limit below the size of its header
// a log stays empty). It opens no file and reads no clock.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "qlog/json_writer.h"
#include "quic/wire/types.h"

namespace quoll::qlog {

/// draft-ietf-quic-qlog-quic-events §2.1: until there is an RFC, the URI bears the number of the draft.
inline constexpr std::string_view kQuicEventSchema = "urn:ietf:params:qlog:events:quic-13";
inline constexpr std::string_view kLoglevelEventSchema = "urn:ietf:params:qlog:events:loglevel";

/// A log stops here if its owner names no other limit: connections that live for days must not fill a disk.
inline constexpr uint64_t kLogSizeMax = uint64_t{1} << 30;
/// Records are handed on when so many bytes have gathered.
inline constexpr size_t kLogBufferSize = 64 * 1024;

/// Where a log goes: a file of the application's, a string of a test.
class Output {
 public:
  virtual ~Output() = default;
  /// False: nothing more can be written, and nothing more will be asked.
  virtual bool write(std::string_view text) = 0;
};

struct LogHeader {
  quic::Role role = quic::Role::client;
  std::string_view vantage_point = "quoll";  // a name for this endpoint
  std::string_view title{};
  /// draft-ietf-quic-qlog-quic-events §1.1: the client's first Destination Connection ID.
  Bytes original_destination{};
  /// Times of events are told from here on.
  Instant start{};
  /// RFC 3339 text of the time at `start`, if it is known.
  std::string_view wall_clock{};
  /// Beside those of this module.
  std::span<const std::string_view> event_schemas{};
};

struct LogOptions {
  uint64_t size_max = kLogSizeMax;
  size_t buffer_size = kLogBufferSize;  // 0: each record is handed on at once
};

class Log {
 public:
  /// Writes the header; `output` outlives the log.
  Log(Output& output, const LogHeader& header, LogOptions options = {});
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  /// Flushes.
  ~Log() { flush(); }

  /// Hands on what has gathered.
  void flush();
  /// The limit is reached, or the output has failed: events are no longer written.
  bool is_closed() const { return closed_; }
  /// Bytes of all records, those that wait included.
  uint64_t size() const { return handed_on_ + buffer_.size(); }

  /// One event. The data object is open from the constructor to the destructor: write its members to json().
  class Event {
   public:
    /// `tuple`: the path, 0 for that of the handshake (§7.2). The log is not closed.
    Event(Log& log, Instant now, std::string_view name, uint32_t tuple = 0);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    JsonWriter& json() { return log_.json_; }

   private:
    Log& log_;
  };

 private:
  void write_header(const LogHeader& header);
  void begin_event(Instant now, std::string_view name);
  void end_record();
  void end_with_warning();

  Output& output_;
  LogOptions options_;
  Instant start_;
  std::string buffer_;
  JsonWriter json_{buffer_};
  size_t record_start_ = 0;  // in buffer_
  Instant record_time_;
  uint64_t handed_on_ = 0;
  bool closed_ = false;
};

/// §1.1 of the QUIC events, §11.2 of the main schema: "8394c8f03e515708_server.sqlog".
std::string log_file_name(Bytes original_destination, quic::Role role);

}  // namespace quoll::qlog
