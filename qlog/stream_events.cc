// draft-ietf-quic-qlog-quic-events §5.13, §5.15 to §5.19.
#include "qlog/event_members.h"
#include "qlog/qlog_sink.h"
#include "qlog/trace_names.h"

namespace quoll::qlog {

namespace trace = quic::trace;

namespace {

/// §5.17: a state that changes has only one other that it can come from.
void write_blocked(JsonWriter& json, bool is_blocked, trace::BlockedReason reason) {
  json.member("old", is_blocked ? "unblocked" : "blocked");
  json.member("new", is_blocked ? "blocked" : "unblocked");
  write_text(json, "reason", name_of(reason));
}

}  // namespace

void QlogSink::write(Instant now, const trace::StreamStateUpdated& event) {
  Log::Event record(log_, now, "quic:stream_state_updated");
  JsonWriter& json = record.json();
  json.member("stream_id", event.stream_id.value());
  json.member("stream_type", event.stream_id.is_unidirectional() ? "unidirectional" : "bidirectional");
  if (event.old) json.member("old", name_of(*event.old));
  json.member("new", name_of(event.state));
  json.member("stream_side", name_of(event.part));
  if (event.trigger) json.member("trigger", name_of(*event.trigger));
}

void QlogSink::write(Instant now, const trace::StreamDataMoved& event) {
  Log::Event record(log_, now, "quic:stream_data_moved");
  JsonWriter& json = record.json();
  json.member("stream_id", event.stream_id.value());
  json.member("offset", event.offset);
  json.member("from", name_of(event.from));
  json.member("to", name_of(event.to));
  if (event.fin) json.member("additional_info", "fin_set");
  if (event.reset && !event.fin) json.member("additional_info", "stream_reset");
  write_raw_length(json, event.length);
}

void QlogSink::write(Instant now, const trace::DatagramDataMoved& event) {
  Log::Event record(log_, now, "quic:datagram_data_moved");
  JsonWriter& json = record.json();
  json.member("from", name_of(event.from));
  json.member("to", name_of(event.to));
  write_raw_length(json, event.length);
}

void QlogSink::write(Instant now, const trace::ConnectionBlockedUpdated& event) {
  Log::Event record(log_, now, "quic:connection_data_blocked_updated");
  write_blocked(record.json(), event.is_blocked, event.reason);
}

void QlogSink::write(Instant now, const trace::StreamBlockedUpdated& event) {
  Log::Event record(log_, now, "quic:stream_data_blocked_updated");
  record.json().member("stream_id", event.stream_id.value());
  write_blocked(record.json(), event.is_blocked, event.reason);
}

void QlogSink::write(Instant now, const trace::DatagramBlockedUpdated& event) {
  Log::Event record(log_, now, "quic:datagram_data_blocked_updated");
  write_blocked(record.json(), event.is_blocked, event.reason);
}

}  // namespace quoll::qlog
