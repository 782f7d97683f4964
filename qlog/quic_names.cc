#include "qlog/quic_names.h"

#include <array>

namespace quoll::qlog {

// A value outside its enumeration can only be a fault of ours; a log is no place to find it.

std::string_view name_of(quic::PacketType value) {
  using E = quic::PacketType;
  switch (value) {
    case E::initial:
      return "initial";
    case E::zero_rtt:
      return "0RTT";
    case E::handshake:
      return "handshake";
    case E::one_rtt:
      return "1RTT";
  }
  return "unknown";
}

std::string_view name_of(quic::Space value) {
  using E = quic::Space;
  switch (value) {
    case E::initial:
      return "initial";
    case E::handshake:
      return "handshake";
    case E::application:
      return "application_data";
  }
  return "unknown";
}

std::string_view name_of(Ecn value) {
  using E = Ecn;
  switch (value) {
    case E::not_ect:
      return "Not-ECT";
    case E::ect1:
      return "ECT(1)";
    case E::ect0:
      return "ECT(0)";
    case E::ce:
      return "CE";
  }
  return "Not-ECT";
}

std::string_view name_of(quic::CongestionState value) {
  using E = quic::CongestionState;
  switch (value) {
    case E::slow_start:
      return "slow_start";
    case E::conservative_slow_start:
      return "conservative_slow_start";
    case E::recovery:
      return "recovery";
    case E::congestion_avoidance:
      return "congestion_avoidance";
    case E::startup:
      return "startup";
    case E::drain:
      return "drain";
    case E::probe_bandwidth_down:
      return "probe_bw_down";
    case E::probe_bandwidth_cruise:
      return "probe_bw_cruise";
    case E::probe_bandwidth_refill:
      return "probe_bw_refill";
    case E::probe_bandwidth_up:
      return "probe_bw_up";
    case E::probe_rtt:
      return "probe_rtt";
  }
  return "unknown";
}

std::string_view name_of(quic::EcnValidator::State value) {
  using E = quic::EcnValidator::State;
  switch (value) {
    case E::testing:
      return "testing";
    case E::unknown:
      return "unknown";
    case E::failed:
      return "failed";
    case E::capable:
      return "capable";
  }
  return "unknown";
}

std::string_view key_type_of(quic::PacketType type, quic::Role sender) {
  const bool server = sender == quic::Role::server;
  switch (type) {
    case quic::PacketType::initial:
      return server ? "server_initial_secret" : "client_initial_secret";
    case quic::PacketType::handshake:
      return server ? "server_handshake_secret" : "client_handshake_secret";
    case quic::PacketType::zero_rtt:
      return server ? "server_0rtt_secret" : "client_0rtt_secret";
    case quic::PacketType::one_rtt:
      break;
  }
  return server ? "server_1rtt_secret" : "client_1rtt_secret";
}

std::string_view frame_type_name(quic::FrameType type) {
  using E = quic::FrameType;
  switch (type) {
    case E::padding:
      return "padding";
    case E::ping:
      return "ping";
    case E::ack:
    case E::ack_ecn:
      return "ack";
    case E::reset_stream:
      return "reset_stream";
    case E::stop_sending:
      return "stop_sending";
    case E::crypto:
      return "crypto";
    case E::new_token:
      return "new_token";
    case E::stream:
    case E::stream_fin:
    case E::stream_len:
    case E::stream_len_fin:
    case E::stream_off:
    case E::stream_off_fin:
    case E::stream_off_len:
    case E::stream_off_len_fin:
      return "stream";
    case E::max_data:
      return "max_data";
    case E::max_stream_data:
      return "max_stream_data";
    case E::max_streams_bidi:
    case E::max_streams_uni:
      return "max_streams";
    case E::data_blocked:
      return "data_blocked";
    case E::stream_data_blocked:
      return "stream_data_blocked";
    case E::streams_blocked_bidi:
    case E::streams_blocked_uni:
      return "streams_blocked";
    case E::new_connection_id:
      return "new_connection_id";
    case E::retire_connection_id:
      return "retire_connection_id";
    case E::path_challenge:
      return "path_challenge";
    case E::path_response:
      return "path_response";
    case E::connection_close:
    case E::connection_close_application:
      return "connection_close";
    case E::handshake_done:
      return "handshake_done";
    case E::datagram:
    case E::datagram_len:
      return "datagram";
  }
  return "unknown";
}

namespace {

/// Empty for codes that have no text.

std::string_view name_of_transport_error(uint64_t code) {
  using E = quic::TransportError;
  switch (E{code}) {
    case E::no_error:
      return "no_error";
    case E::internal_error:
      return "internal_error";
    case E::connection_refused:
      return "connection_refused";
    case E::flow_control_error:
      return "flow_control_error";
    case E::stream_limit_error:
      return "stream_limit_error";
    case E::stream_state_error:
      return "stream_state_error";
    case E::final_size_error:
      return "final_size_error";
    case E::frame_encoding_error:
      return "frame_encoding_error";
    case E::transport_parameter_error:
      return "transport_parameter_error";
    case E::connection_id_limit_error:
      return "connection_id_limit_error";
    case E::protocol_violation:
      return "protocol_violation";
    case E::invalid_token:
      return "invalid_token";
    case E::application_error:
      return "application_error";
    case E::crypto_buffer_exceeded:
      return "crypto_buffer_exceeded";
    case E::key_update_error:
      return "key_update_error";
    case E::aead_limit_reached:
      return "aead_limit_reached";
    case E::no_viable_path:
      return "no_viable_path";
    case E::version_negotiation_error:  // RFC 9368; the draft has no text for it
    case E::crypto_error_base:
      break;
  }
  return {};
}

void write_unknown_error(JsonWriter& json, std::string_view member, uint64_t code) {
  json.member(member, "unknown");
  json.member("error_code", code);
}

}  // namespace

void write_transport_error(JsonWriter& json, std::string_view member, uint64_t code) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr auto kCryptoBase = static_cast<uint64_t>(quic::TransportError::crypto_error_base);
  if (const std::string_view name = name_of_transport_error(code); !name.empty()) {
    json.member(member, name);
  } else if (code >= kCryptoBase && code <= kCryptoBase + 0xff) {
    // §8.13.26: with the TLS alert in it.
    std::string text = "crypto_error_0x1";
    text += kDigits[code >> 4 & 15];
    text += kDigits[code & 15];
    json.member(member, std::string_view(text));
  } else {
    write_unknown_error(json, member, code);
  }
}

void write_application_error(JsonWriter& json, std::string_view member, uint64_t code) {
  write_unknown_error(json, member, code);
}

void write_version(JsonWriter& json, quic::Version version) {
  std::array<uint8_t, 4> bytes;
  store_be(bytes.data(), static_cast<uint32_t>(version));
  json.value(Bytes(bytes));
}

}  // namespace quoll::qlog
