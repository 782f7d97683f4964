#include "tests/qlog/draft_schema.h"

#include <map>
#include <sstream>

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

using Json = nlohmann::json;
using Complaints = std::vector<std::string>;

/// "name:type ?optional:type"; types are other entries, those of is_basic(), [+T], [*T], and alternatives T/U.
const std::map<std::string, std::string>& structs() {
  static const std::map<std::string, std::string> table{
      // Main schema: figures 2, 9, 11, 12, 14, 16, 25, 40.
      {"QlogFileSeq", "file_schema:text serialization_format:text ?title:text ?description:text trace:TraceSeq"},
      {"TraceSeq",
       "?title:text ?description:text ?common_fields:CommonFields ?vantage_point:VantagePoint event_schemas:[+text]"},
      {"CommonFields", "?tuple:text ?time_format:TimeFormat ?reference_time:ReferenceTime ?group_id:text"},
      {"ReferenceTime", "clock_type:text epoch:text ?wall_clock_time:text"},
      {"VantagePoint", "?name:text type:VantagePointType ?flow:text"},
      {"Event", "time:float name:text data:any ?tuple:text ?time_format:TimeFormat ?group_id:text"},
      {"RawInfo", "?length:uint64 ?payload_length:uint64 ?data:hex"},
      {"loglevel:warning", "?code:uint64 ?message:text"},
      // QUIC events: sections 4 to 7.
      {"quic:connection_started", "local:TupleEndpointInfo remote:TupleEndpointInfo"},
      {"quic:connection_closed",
       "?initiator:Initiator ?connection_error:TransportError/CryptoError ?application_error:ApplicationError "
       "?error_code:uint64 ?internal_code:uint64 ?reason:text ?trigger:CloseTrigger"},
      {"quic:connection_id_updated", "initiator:Initiator ?old:hex ?new:hex"},
      {"quic:spin_bit_updated", "state:bool"},
      {"quic:connection_state_updated", "?old:ConnectionState new:ConnectionState"},
      {"quic:tuple_assigned", "tuple_id:text ?tuple_remote:TupleEndpointInfo ?tuple_local:TupleEndpointInfo"},
      {"quic:mtu_updated", "?old:uint32 new:uint32 ?done:bool"},
      {"quic:version_information", "?server_versions:[+hex] ?client_versions:[+hex] ?chosen_version:hex"},
      {"quic:alpn_information",
       "?server_alpns:[*ALPNIdentifier] ?client_alpns:[*ALPNIdentifier] ?chosen_alpn:ALPNIdentifier"},
      {"quic:parameters_set",
       "?initiator:Initiator ?resumption_allowed:bool ?early_data_enabled:bool ?tls_cipher:text "
       "?original_destination_connection_id:hex ?initial_source_connection_id:hex ?retry_source_connection_id:hex "
       "?stateless_reset_token:hex ?disable_active_migration:bool ?max_idle_timeout:uint64 "
       "?max_udp_payload_size:uint64 ?ack_delay_exponent:uint64 ?max_ack_delay:uint64 "
       "?active_connection_id_limit:uint64 ?initial_max_data:uint64 ?initial_max_stream_data_bidi_local:uint64 "
       "?initial_max_stream_data_bidi_remote:uint64 ?initial_max_stream_data_uni:uint64 "
       "?initial_max_streams_bidi:uint64 ?initial_max_streams_uni:uint64 ?preferred_address:PreferredAddress "
       "?unknown_parameters:any ?max_datagram_frame_size:uint64 ?grease_quic_bit:bool ?reset_stream_at:bool"},
      {"quic:parameters_restored",
       "?disable_active_migration:bool ?max_idle_timeout:uint64 ?max_udp_payload_size:uint64 "
       "?active_connection_id_limit:uint64 ?initial_max_data:uint64 ?initial_max_stream_data_bidi_local:uint64 "
       "?initial_max_stream_data_bidi_remote:uint64 ?initial_max_stream_data_uni:uint64 "
       "?initial_max_streams_bidi:uint64 ?initial_max_streams_uni:uint64 ?max_datagram_frame_size:uint64 "
       "?grease_quic_bit:bool"},
      // datagram_id is ours (docs/qlog.md).
      {"quic:packet_sent",
       "header:PacketHeader ?frames:[*QuicFrame] ?stateless_reset_token:hex ?supported_versions:[+hex] ?raw:RawInfo "
       "?datagram_payload_checksum:uint32 ?is_mtu_probe_packet:bool ?trigger:SendTrigger ?datagram_id:uint64"},
      {"quic:packet_received",
       "header:PacketHeader ?frames:[*QuicFrame] ?stateless_reset_token:hex ?supported_versions:[+hex] ?raw:RawInfo "
       "?datagram_payload_checksum:uint32 ?trigger:ReceiveTrigger ?datagram_id:uint64"},
      {"quic:packet_dropped",
       "?header:PacketHeader ?raw:RawInfo ?datagram_payload_checksum:uint32 ?details:any ?trigger:DropTrigger "
       "?datagram_id:uint64"},
      {"quic:packet_buffered",
       "?header:PacketHeader ?raw:RawInfo ?datagram_payload_checksum:uint32 ?trigger:BufferTrigger "
       "?datagram_id:uint64"},
      {"quic:packets_acked", "?packet_number_space:PacketNumberSpace ?packet_numbers:[+uint64]"},
      {"quic:udp_datagrams_sent", "?count:uint16 ?raw:[+RawInfo] ?ecn:[+ECN] ?datagram_payload_checksums:[+uint32]"},
      {"quic:udp_datagrams_received",
       "?count:uint16 ?raw:[+RawInfo] ?ecn:[+ECN] ?datagram_payload_checksums:[+uint32]"},
      {"quic:udp_datagram_dropped", "?raw:RawInfo"},
      {"quic:stream_state_updated",
       "stream_id:uint64 ?stream_type:StreamType ?old:StreamState new:StreamState stream_side:StreamSide "
       "?trigger:Initiator"},
      {"quic:frames_created", "frames:[*QuicFrame] ?packet_numbers:[*uint64]"},
      {"quic:frames_parsed", "frames:[*QuicFrame] ?packet_numbers:[*uint64]"},
      {"quic:stream_data_moved",
       "?stream_id:uint64 ?offset:uint64 ?from:DataLocation ?to:DataLocation ?additional_info:DataMovedAdditionalInfo "
       "?raw:RawInfo"},
      {"quic:datagram_data_moved", "?from:DataLocation ?to:DataLocation ?raw:RawInfo"},
      {"quic:connection_data_blocked_updated", "?old:BlockedState new:BlockedState ?reason:BlockedReason"},
      {"quic:stream_data_blocked_updated", "?old:BlockedState new:BlockedState stream_id:uint64 ?reason:BlockedReason"},
      {"quic:datagram_data_blocked_updated", "?old:BlockedState new:BlockedState ?reason:BlockedReason"},
      {"quic:migration_state_updated",
       "?old:MigrationState new:MigrationState ?tuple_id:text ?tuple_remote:TupleEndpointInfo "
       "?tuple_local:TupleEndpointInfo"},
      {"quic:timer_updated",
       "?timer_type:TimerType ?timer_id:uint64 ?packet_number_space:PacketNumberSpace event_type:TimerEventType "
       "?delta:float"},
      {"quic:key_updated", "key_type:KeyType ?old:hex ?new:hex ?key_phase:uint64 ?trigger:KeyTrigger"},
      {"quic:key_discarded", "key_type:KeyType ?key:hex ?key_phase:uint64 ?trigger:KeyTrigger"},
      {"quic:recovery_parameters_set",
       "?reordering_threshold:uint16 ?time_threshold:float timer_granularity:uint16 ?initial_rtt:float "
       "?max_datagram_size:uint32 ?initial_congestion_window:uint64 ?minimum_congestion_window:uint64 "
       "?loss_reduction_factor:float ?persistent_congestion_threshold:uint16"},
      {"quic:recovery_metrics_updated",
       "?min_rtt:float ?smoothed_rtt:float ?latest_rtt:float ?rtt_variance:float ?pto_count:uint16 "
       "?congestion_window:uint64 ?bytes_in_flight:uint64 ?ssthresh:uint64 ?packets_in_flight:uint64 "
       "?pacing_rate:uint64"},
      {"quic:congestion_state_updated", "?old:text new:text ?trigger:text"},
      {"quic:packet_lost", "?header:PacketHeader ?frames:[*QuicFrame] ?is_mtu_probe_packet:bool ?trigger:LossTrigger"},
      {"quic:marked_for_retransmit", "frames:[+QuicFrame]"},
      {"quic:ecn_state_updated", "?old:ECNState new:ECNState"},
      {"quic:server_listening", "?ip_v4:text ?port_v4:uint16 ?ip_v6:text ?port_v6:uint16 ?retry_required:bool"},
      // Section 8.
      {"TupleEndpointInfo", "?ip_v4:text ?port_v4:uint16 ?ip_v6:text ?port_v6:uint16 ?connection_ids:[+hex]"},
      {"PacketHeader",
       "packet_type:PacketType ?packet_type_bytes:uint64 ?spin_bit:bool ?key_phase:uint64 ?key_phase_bit:bool "
       "?packet_number_length:uint8 ?packet_number:uint64 ?token:Token ?length:uint16 ?version:hex ?scil:uint8 "
       "?dcil:uint8 ?scid:hex ?dcid:hex"},
      {"Token", "?type:TokenType ?details:any ?raw:RawInfo"},
      {"ALPNIdentifier", "?byte_value:hex ?string_value:text"},
      {"PreferredAddress",
       "?ip_v4:text ?port_v4:uint16 ?ip_v6:text ?port_v6:uint16 connection_id:hex stateless_reset_token:hex"},
      // Frames: section 8.13.
      {"frame padding", "?raw:RawInfo"},
      {"frame ping", "?raw:RawInfo"},
      {"frame ack", "?ack_delay:float ?acked_ranges:[+AckRange] ?ect1:uint64 ?ect0:uint64 ?ce:uint64 ?raw:RawInfo"},
      {"frame reset_stream",
       "stream_id:uint64 error:ApplicationError ?error_code:uint64 final_size:uint64 ?raw:RawInfo"},
      {"frame stop_sending", "stream_id:uint64 error:ApplicationError ?error_code:uint64 ?raw:RawInfo"},
      {"frame crypto", "offset:uint64 raw:RawInfo"},
      {"frame new_token", "token:Token ?raw:RawInfo"},
      {"frame stream", "stream_id:uint64 ?offset:uint64 ?fin:bool ?raw:RawInfo"},
      {"frame max_data", "maximum:uint64 ?raw:RawInfo"},
      {"frame max_stream_data", "stream_id:uint64 maximum:uint64 ?raw:RawInfo"},
      {"frame max_streams", "stream_type:StreamType maximum:uint64 ?raw:RawInfo"},
      {"frame data_blocked", "limit:uint64 ?raw:RawInfo"},
      {"frame stream_data_blocked", "stream_id:uint64 limit:uint64 ?raw:RawInfo"},
      {"frame streams_blocked", "stream_type:StreamType limit:uint64 ?raw:RawInfo"},
      {"frame new_connection_id",
       "sequence_number:uint64 retire_prior_to:uint64 ?connection_id_length:uint8 connection_id:hex "
       "?stateless_reset_token:hex ?raw:RawInfo"},
      {"frame retire_connection_id", "sequence_number:uint64 ?raw:RawInfo"},
      {"frame path_challenge", "?data:hex ?raw:RawInfo"},
      {"frame path_response", "?data:hex ?raw:RawInfo"},
      {"frame connection_close",
       "?error_space:ErrorSpace ?error:TransportError/CryptoError/ApplicationError ?error_code:uint64 ?reason:text "
       "?reason_bytes:hex ?trigger_frame_type:uint64/text ?raw:RawInfo"},
      {"frame handshake_done", "?raw:RawInfo"},
      {"frame unknown", "frame_type_bytes:uint64 ?raw:RawInfo"},
      {"frame datagram", "?raw:RawInfo"},
  };
  return table;
}

const std::map<std::string, std::string>& enums() {
  static const std::map<std::string, std::string> table{
      {"TimeFormat", "relative_to_epoch relative_to_previous_event"},
      {"VantagePointType", "client server network unknown"},
      {"Initiator", "local remote"},
      {"CloseTrigger", "idle_timeout application error version_mismatch stateless_reset aborted unspecified"},
      {"ConnectionState",
       "attempted handshake_started handshake_complete closed peer_validated early_write handshake_confirmed closing "
       "draining"},
      {"SendTrigger", "retransmit_reordered retransmit_timeout pto_probe retransmit_crypto cc_bandwidth_probe"},
      {"ReceiveTrigger", "keys_available"},
      {"DropTrigger",
       "internal_error rejected unsupported invalid duplicate connection_unknown decryption_failure key_unavailable "
       "general"},
      {"BufferTrigger", "backpressure keys_unavailable"},
      {"StreamType", "unidirectional bidirectional"},
      {"StreamSide", "sending receiving"},
      {"StreamState",
       "idle open closed half_closed_local half_closed_remote ready send data_sent reset_sent reset_received receive "
       "size_known data_read reset_read data_received destroyed"},
      {"DataLocation", "application transport network"},
      {"DataMovedAdditionalInfo", "fin_set stream_reset"},
      {"BlockedState", "blocked unblocked"},
      {"BlockedReason",
       "scheduling pacing amplification_protection congestion_control connection_flow_control stream_flow_control "
       "stream_id application"},
      {"MigrationState",
       "probing_started probing_abandoned probing_successful migration_started migration_abandoned "
       "migration_complete"},
      {"TimerType", "ack pto loss_timeout path_validation handshake_timeout idle_timeout"},
      {"TimerEventType", "set expired cancelled"},
      {"KeyTrigger", "tls remote_update local_update"},
      {"LossTrigger", "reordering_threshold time_threshold pto_expired"},
      {"ECNState", "testing unknown failed capable"},
      {"PacketType", "initial handshake 0RTT 1RTT retry version_negotiation stateless_reset unknown"},
      {"PacketNumberSpace", "initial handshake application_data"},
      {"TokenType", "retry resumption"},
      {"KeyType",
       "server_initial_secret client_initial_secret server_handshake_secret client_handshake_secret "
       "server_0rtt_secret client_0rtt_secret server_1rtt_secret client_1rtt_secret"},
      {"ECN", "Not-ECT ECT(1) ECT(0) CE"},
      {"ErrorSpace", "transport application"},
      {"ApplicationError", "unknown"},
      {"TransportError",
       "no_error internal_error connection_refused flow_control_error stream_limit_error stream_state_error "
       "final_size_error frame_encoding_error transport_parameter_error connection_id_limit_error protocol_violation "
       "invalid_token application_error crypto_buffer_exceeded key_update_error aead_limit_reached no_viable_path "
       "unknown"},
  };
  return table;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> out;
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

bool is_hex(const std::string& text) {
  return text.size() % 2 == 0 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// uint64 may be a string of digits (main schema, section 11.3).
bool is_unsigned(const Json& value, unsigned bits) {
  if (bits == 64 && value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  }
  if (!value.is_number_unsigned()) return false;
  return bits == 64 || value.get<uint64_t>() >> bits == 0;
}

bool is_basic(const std::string& type, const Json& value, bool& fits) {
  if (type == "any") return fits = true;
  if (type == "text") return fits = value.is_string(), true;
  if (type == "hex") return fits = value.is_string() && is_hex(value.get<std::string>()), true;
  if (type == "bool") return fits = value.is_boolean(), true;
  if (type == "float") return fits = value.is_number(), true;
  if (type == "uint8") return fits = is_unsigned(value, 8), true;
  if (type == "uint16") return fits = is_unsigned(value, 16), true;
  if (type == "uint32") return fits = is_unsigned(value, 32), true;
  if (type == "uint64") return fits = is_unsigned(value, 64), true;
  if (type == "AckRange") {
    fits = value.is_array() && (value.size() == 1 || value.size() == 2);
    for (const Json& number : value) fits = fits && is_unsigned(number, 64);
    return true;
  }
  if (type == "CryptoError") {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    fits = text.size() == 18 && text.starts_with("crypto_error_0x1") && is_hex(text.substr(16));
    return true;
  }
  return false;
}

void check(const std::string& where, const std::string& type, const Json& value, Complaints& wrong);

void check_struct(const std::string& where, const std::string& name, const Json& value, Complaints& wrong) {
  if (!value.is_object()) return wrong.push_back(where + ": no object");
  std::map<std::string, std::string> known;
  for (std::string member : words(structs().at(name))) {
    const bool optional = member[0] == '?';
    if (optional) member.erase(0, 1);
    const size_t colon = member.find(':');
    const std::string key = member.substr(0, colon);
    known[key] = member.substr(colon + 1);
    if (!optional && !value.contains(key)) wrong.push_back(where + ": " + key + " is missing");
  }
  if (name.starts_with("frame ")) known["frame_type"] = "text";
  for (const auto& [key, member] : value.items()) {
    if (!known.contains(key)) {
      wrong.push_back(where + ": " + key + " is no member");
    } else {
      check(where + "." + key, known[key], member, wrong);
    }
  }
}

void check_array(const std::string& where, const std::string& type, const Json& value, Complaints& wrong) {
  if (!value.is_array()) return wrong.push_back(where + ": no array");
  if (type[1] == '+' && value.empty()) wrong.push_back(where + ": is empty");
  for (const Json& element : value) check(where + "[]", type.substr(2, type.size() - 3), element, wrong);
}

void check_alternatives(const std::string& where, const std::string& types, const Json& value, Complaints& wrong) {
  std::istringstream stream(types);
  for (std::string type; std::getline(stream, type, '/');) {
    Complaints found;
    check(where, type, value, found);
    if (found.empty()) return;
  }
  wrong.push_back(where + ": " + value.dump() + " is none of " + types);
}

void check(const std::string& where, const std::string& type, const Json& value, Complaints& wrong) {
  bool fits = false;
  if (type[0] == '[') {
    check_array(where, type, value, wrong);
  } else if (type.find('/') != std::string::npos) {
    check_alternatives(where, type, value, wrong);
  } else if (is_basic(type, value, fits)) {
    if (!fits) wrong.push_back(where + ": " + value.dump() + " is no " + type);
  } else if (type == "QuicFrame") {
    const std::string frame = "frame " + (value.is_object() ? value.value("frame_type", "") : "");
    if (!structs().contains(frame)) return wrong.push_back(where + ": " + frame + " is not known");
    check_struct(where + "(" + frame + ")", frame, value, wrong);
  } else if (enums().contains(type)) {
    for (const std::string& known : words(enums().at(type))) {
      if (value == known) return;
    }
    wrong.push_back(where + ": " + value.dump() + " is no " + type);
  } else {
    check_struct(where, type, value, wrong);
  }
}

}  // namespace

std::vector<std::string> wrong_in_header(const Json& record) {
  Complaints wrong;
  check("header", "QlogFileSeq", record, wrong);
  return wrong;
}

std::vector<std::string> wrong_in_event(const Json& record) {
  Complaints wrong;
  check("event", "Event", record, wrong);
  const std::string name = record.is_object() ? record.value("name", "") : "";
  if (!structs().contains(name) || name.find(':') == std::string::npos) {
    wrong.push_back("event: the name " + name + " is not known");
  } else if (wrong.empty()) {
    check(name, name, record["data"], wrong);
  }
  return wrong;
}

std::vector<std::string> quic_event_names() {
  std::vector<std::string> names;
  for (const auto& [name, members] : structs()) {
    if (name.starts_with("quic:")) names.push_back(name);
  }
  return names;
}

std::vector<std::string> values_of(std::string_view enumeration) { return words(enums().at(std::string(enumeration))); }

}  // namespace quoll::tests

using namespace quoll::tests;

TEST_SUITE("qlog draft schema") {
  TEST_CASE("the checker finds what is missing, unknown and of the wrong type") {
    const Json right = Json::parse(R"({"time":1.5,"name":"quic:mtu_updated","data":{"new":1200}})");
    CHECK(wrong_in_event(right).empty());
    for (const char* patch :
         {R"({"time":"1"})", R"({"name":"quic:mtu"})", R"({"data":{"new":null}})", R"({"data":{"new":4294967296}})",
          R"({"data":{"more":1}})", R"({"data":{"done":0}})", R"({"more":1})"}) {
      Json event = right;
      event.merge_patch(Json::parse(patch));
      CAPTURE(patch);
      CHECK_FALSE(wrong_in_event(event).empty());
    }
  }

  TEST_CASE("the tables have the 38 events of draft-ietf-quic-qlog-quic-events §3") {
    CHECK(quic_event_names().size() == 38);
  }

  TEST_CASE("frames are checked by their type") {
    Json event = Json::parse(R"({"time":0,"name":"quic:frames_parsed","data":{"frames":[{"frame_type":"ping"}]}})");
    CHECK(wrong_in_event(event).empty());
    event["data"]["frames"][0] = Json::parse(R"({"frame_type":"crypto","offset":0})");
    CHECK(wrong_in_event(event).size() == 1);
    event["data"]["frames"][0] = Json::parse(R"({"frame_type":"ack","acked_ranges":[[1,2,3]]})");
    CHECK(wrong_in_event(event).size() == 1);
  }
}
