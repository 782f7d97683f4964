#include "qlog/log.h"

#include "base/hex.h"

namespace quoll::qlog {
namespace {

// RFC 7464 §2.2.
constexpr char kRecordSeparator = '\x1e';
constexpr char kRecordEnd = '\n';
/// Room that is kept for the last record.
constexpr size_t kWarningRoom = 160;
constexpr std::string_view kWarning = "the log has reached its size limit, and ends here";

std::string_view role_name(quic::Role role) { return role == quic::Role::client ? "client" : "server"; }

}  // namespace

Log::Log(Output& output, const LogHeader& header, LogOptions options)
    : output_(output), options_(options), start_(header.start) {
  write_header(header);
  buffer_ += kRecordEnd;
  closed_ = size() > options_.size_max;
  if (closed_) {
    buffer_.clear();
  } else if (buffer_.size() >= options_.buffer_size) {
    flush();
  }
}

void Log::write_header(const LogHeader& header) {
  buffer_ += kRecordSeparator;
  json_.begin_object();
  // §3: these two are to be in the first 256 bytes.
  json_.member("file_schema", "urn:ietf:params:qlog:file:sequential");
  json_.member("serialization_format", "application/qlog+json-seq");
  if (!header.title.empty()) json_.member("title", header.title);
  json_.begin_object("trace");
  json_.begin_object("common_fields");
  json_.member("group_id", to_hex(header.original_destination));
  json_.member("time_format", "relative_to_epoch");
  json_.begin_object("reference_time");
  // §7.1: a monotonic clock has an unknown epoch.
  json_.member("clock_type", "monotonic");
  json_.member("epoch", "unknown");
  if (!header.wall_clock.empty()) json_.member("wall_clock_time", header.wall_clock);
  json_.end_object();
  json_.end_object();
  json_.begin_object("vantage_point");
  json_.member("name", header.vantage_point);
  json_.member("type", role_name(header.role));
  json_.end_object();
  json_.begin_array("event_schemas");
  json_.value(kQuicEventSchema);
  json_.value(kLoglevelEventSchema);
  for (const std::string_view schema : header.event_schemas) json_.value(schema);
  json_.end_array();
  json_.end_object();
  json_.end_object();
}

void Log::begin_event(Instant now, std::string_view name) {
  record_start_ = buffer_.size();
  record_time_ = now;
  buffer_ += kRecordSeparator;
  json_.begin_object();
  json_.member("time", now - start_);
  json_.member("name", name);
}

void Log::end_record() {
  buffer_ += kRecordEnd;
  if (closed_) {
    buffer_.clear();
  } else if (size() + kWarningRoom > options_.size_max) {
    end_with_warning();
  } else if (buffer_.size() >= options_.buffer_size) {
    flush();
  }
}

void Log::end_with_warning() {
  buffer_.resize(record_start_);
  begin_event(record_time_, "loglevel:warning");
  json_.begin_object("data");
  json_.member("message", kWarning);
  json_.end_object();
  json_.end_object();
  buffer_ += kRecordEnd;
  if (size() > options_.size_max) buffer_.resize(record_start_);
  flush();
  closed_ = true;
}

void Log::flush() {
  if (buffer_.empty() || closed_) return;
  if (!output_.write(buffer_)) closed_ = true;
  handed_on_ += buffer_.size();
  buffer_.clear();
}

Log::Event::Event(Log& log, Instant now, std::string_view name, uint32_t tuple) : log_(log) {
  log_.begin_event(now, name);
  if (tuple != 0) log_.json_.member("tuple", std::to_string(tuple));
  log_.json_.begin_object("data");
}

Log::Event::~Event() {
  log_.json_.end_object();
  log_.json_.end_object();
  log_.end_record();
}

std::string log_file_name(Bytes original_destination, quic::Role role) {
  return to_hex(original_destination).append("_").append(role_name(role)).append(".sqlog");
}

}  // namespace quoll::qlog
