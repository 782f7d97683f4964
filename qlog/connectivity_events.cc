// draft-ietf-quic-qlog-quic-events §4 and §6.
#include "qlog/event_members.h"
#include "qlog/qlog_sink.h"
#include "qlog/trace_names.h"

namespace quoll::qlog {

namespace trace = quic::trace;

namespace {

/// What key_updated and key_discarded say. §6 allows the keys themselves; they are for a key log.
template <class KeyEvent>
void write_key_event(JsonWriter& json, const KeyEvent& event) {
  json.member("key_type", key_type_of(event.type, event.sender));
  if (event.key_phase) json.member("key_phase", *event.key_phase);
  json.member("trigger", name_of(event.reason));
}

}  // namespace

void QlogSink::write(Instant now, const trace::ConnectionStarted& event) {
  Log::Event record(log_, now, "quic:connection_started");
  write_endpoint(record.json(), "local", event.path.local, event.local_id);
  write_endpoint(record.json(), "remote", event.path.remote, event.remote_id);
}

void QlogSink::write(Instant now, const trace::ConnectionStateUpdated& event) {
  Log::Event record(log_, now, "quic:connection_state_updated");
  if (event.old) record.json().member("old", name_of(*event.old));
  record.json().member("new", name_of(event.state));
}

void QlogSink::write(Instant now, const trace::ConnectionClosed& event) {
  Log::Event record(log_, now, "quic:connection_closed");
  JsonWriter& json = record.json();
  if (event.initiator) json.member("initiator", name_of(*event.initiator));
  if (event.error_code && event.is_application) write_application_error(json, "application_error", *event.error_code);
  if (event.error_code && !event.is_application) write_transport_error(json, "connection_error", *event.error_code);
  write_text(json, "reason", event.reason);
  json.member("trigger", name_of(event.why));
}

void QlogSink::write(Instant now, const trace::ConnectionIdUpdated& event) {
  Log::Event record(log_, now, "quic:connection_id_updated");
  record.json().member("initiator", name_of(event.initiator));
  if (!event.old.empty()) record.json().member("old", event.old);
  if (!event.id.empty()) record.json().member("new", event.id);
}

void QlogSink::write(Instant now, const trace::SpinBitUpdated& event) {
  Log::Event record(log_, now, "quic:spin_bit_updated");
  record.json().member("state", event.state);
}

void QlogSink::write(Instant now, const trace::PathAssigned& event) {
  Log::Event record(log_, now, "quic:tuple_assigned");
  JsonWriter& json = record.json();
  json.member("tuple_id", tuple_id_of(event.number));
  // §4.7: without both ends the tuple is abandoned.
  if (event.is_abandoned) return;
  write_endpoint(json, "tuple_remote", event.path.remote, event.remote_id);
  write_endpoint(json, "tuple_local", event.path.local, event.local_id);
}

void QlogSink::write(Instant now, const trace::MigrationStateUpdated& event) {
  Log::Event record(log_, now, "quic:migration_state_updated");
  JsonWriter& json = record.json();
  if (event.old) json.member("old", name_of(*event.old));
  json.member("new", name_of(event.state));
  json.member("tuple_id", tuple_id_of(event.number));
  write_endpoint(json, "tuple_remote", event.path.remote, {});
  write_endpoint(json, "tuple_local", event.path.local, {});
}

void QlogSink::write(Instant now, const trace::MtuUpdated& event) {
  Log::Event record(log_, now, "quic:mtu_updated");
  if (event.old) record.json().member("old", *event.old);
  record.json().member("new", event.mtu);
  if (event.is_done) record.json().member("done", true);
}

void QlogSink::write(Instant now, const trace::KeyUpdated& event) {
  Log::Event record(log_, now, "quic:key_updated");
  write_key_event(record.json(), event);
}

void QlogSink::write(Instant now, const trace::KeyDiscarded& event) {
  Log::Event record(log_, now, "quic:key_discarded");
  write_key_event(record.json(), event);
}

}  // namespace quoll::qlog
