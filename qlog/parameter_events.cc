// draft-ietf-quic-qlog-quic-events §5.1 to §5.4.
#include "qlog/event_members.h"
#include "qlog/qlog_sink.h"
#include "qlog/trace_names.h"

namespace quoll::qlog {

namespace trace = quic::trace;

namespace {

using quic::TransportParameters;

void write_versions(JsonWriter& json, std::string_view member, std::span<const quic::Version> versions) {
  if (versions.empty()) return;
  json.begin_array(member);
  for (const quic::Version version : versions) write_version(json, version);
  json.end_array();
}

/// §5.2: an ALPNIdentifier.
void write_alpn(JsonWriter& json, std::string_view identifier) {
  json.begin_object();
  write_foreign_text(json, "string_value", "byte_value", identifier);
  json.end_object();
}

void write_alpns(JsonWriter& json, std::string_view member, std::span<const std::string> identifiers) {
  if (identifiers.empty()) return;
  json.begin_array(member);
  for (const std::string& identifier : identifiers) write_alpn(json, identifier);
  json.end_array();
}

/// The parameters that the two events have in common.
void write_restorable(JsonWriter& json, const TransportParameters& parameters) {
  json.member("disable_active_migration", parameters.disable_active_migration);
  json.member("max_idle_timeout", parameters.max_idle_timeout);
  json.member("max_udp_payload_size", parameters.max_udp_payload_size);
  json.member("active_connection_id_limit", parameters.active_connection_id_limit);
  json.member("initial_max_data", parameters.initial_max_data);
  json.member("initial_max_stream_data_bidi_local", parameters.initial_max_stream_data_bidi_local);
  json.member("initial_max_stream_data_bidi_remote", parameters.initial_max_stream_data_bidi_remote);
  json.member("initial_max_stream_data_uni", parameters.initial_max_stream_data_uni);
  json.member("initial_max_streams_bidi", parameters.initial_max_streams_bidi);
  json.member("initial_max_streams_uni", parameters.initial_max_streams_uni);
  json.member("max_datagram_frame_size", parameters.max_datagram_frame_size);
  json.member("grease_quic_bit", parameters.grease_quic_bit);
}

void write_id(JsonWriter& json, std::string_view member, const std::optional<quic::ConnectionId>& id) {
  if (id) json.member(member, id->bytes());
}

// The reset tokens of stateless_reset_token and preferred_address are left out, although a PreferredAddress is to have
// one: the address is worth to be told, the token would let a reader of the log end the connection.
void write_preferred_address(JsonWriter& json, const quic::PreferredAddress& preferred) {
  json.begin_object("preferred_address");
  if (preferred.ipv4) write_address(json, *preferred.ipv4);
  if (preferred.ipv6) write_address(json, *preferred.ipv6);
  json.member("connection_id", preferred.connection_id.bytes());
  json.member("stateless_reset_token", "");
  json.end_object();
}

void write_parameters(JsonWriter& json, const TransportParameters& parameters) {
  write_id(json, "original_destination_connection_id", parameters.original_destination_connection_id);
  write_id(json, "initial_source_connection_id", parameters.initial_source_connection_id);
  write_id(json, "retry_source_connection_id", parameters.retry_source_connection_id);
  write_restorable(json, parameters);
  json.member("ack_delay_exponent", parameters.ack_delay_exponent);
  json.member("max_ack_delay", parameters.max_ack_delay);
  if (parameters.preferred_address) write_preferred_address(json, *parameters.preferred_address);
}

}  // namespace

void QlogSink::write(Instant now, const trace::VersionInformation& event) {
  Log::Event record(log_, now, "quic:version_information");
  write_versions(record.json(), "server_versions", event.server);
  write_versions(record.json(), "client_versions", event.client);
  if (!event.chosen) return;
  record.json().key("chosen_version");
  write_version(record.json(), *event.chosen);
}

void QlogSink::write(Instant now, const trace::AlpnInformation& event) {
  Log::Event record(log_, now, "quic:alpn_information");
  write_alpns(record.json(), "server_alpns", event.server);
  write_alpns(record.json(), "client_alpns", event.client);
  if (event.chosen.empty()) return;
  record.json().key("chosen_alpn");
  write_alpn(record.json(), event.chosen);
}

void QlogSink::write(Instant now, const trace::ParametersSet& event) {
  Log::Event record(log_, now, "quic:parameters_set");
  JsonWriter& json = record.json();
  json.member("initiator", name_of(event.initiator));
  if (event.resumption_allowed) json.member("resumption_allowed", *event.resumption_allowed);
  if (event.early_data_enabled) json.member("early_data_enabled", *event.early_data_enabled);
  write_text(json, "tls_cipher", event.tls_cipher);
  if (!event.parameters) return;
  const bool local = event.initiator == trace::Side::local;
  (local ? local_ack_delay_exponent_ : remote_ack_delay_exponent_) = event.parameters->ack_delay_exponent;
  write_parameters(json, *event.parameters);
}

void QlogSink::write(Instant now, const trace::ParametersRestored& event) {
  Log::Event record(log_, now, "quic:parameters_restored");
  if (event.parameters) write_restorable(record.json(), *event.parameters);
}

}  // namespace quoll::qlog
