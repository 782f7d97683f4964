// quic/packet_number.json: packet numbers decoded and sized. tables/quic_registry.json: our numbers by the registry's
// names, and table 3 of RFC 9000.
#include <cstdlib>
#include <map>

#include "quic/wire/error_code.h"
#include "quic/wire/frame.h"
#include "quic/wire/packet_number.h"
#include "quic/wire/transport_parameters.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

using namespace quic;
using Numbers = std::map<std::string, uint64_t>;

void run_packet_numbers(const json& file, Report& report) {
  for (const json& entry : file.at("decode")) {
    const PacketNumber expected = static_cast<uint64_t>(entry.at("largest_pn").get<int64_t>() + 1);
    const auto truncated = entry.at("truncated_pn").get<uint32_t>();
    const size_t size = entry.at("bits").get<size_t>() / 8;
    report.check(decode_packet_number(truncated, size, expected) == entry.at("decoded").get<uint64_t>(),
                 "decode " + entry.dump());
  }
  for (const json& entry : file.at("encode")) {
    const json& acked = entry.at("largest_acked");
    const auto largest = acked.is_null() ? std::nullopt : std::optional(acked.get<uint64_t>());
    const auto number = entry.at("full_pn").get<uint64_t>();
    report.check(packet_number_size(number, largest) == entry.at("min_bits").get<size_t>() / 8,
                 "encode " + entry.dump());
  }
}

template <class E>
uint64_t number(E value) {
  return static_cast<uint64_t>(value);
}

const Numbers& transport_errors() {
  using E = TransportError;
  static const Numbers known = {
      {"NO_ERROR", number(E::no_error)},
      {"INTERNAL_ERROR", number(E::internal_error)},
      {"CONNECTION_REFUSED", number(E::connection_refused)},
      {"FLOW_CONTROL_ERROR", number(E::flow_control_error)},
      {"STREAM_LIMIT_ERROR", number(E::stream_limit_error)},
      {"STREAM_STATE_ERROR", number(E::stream_state_error)},
      {"FINAL_SIZE_ERROR", number(E::final_size_error)},
      {"FRAME_ENCODING_ERROR", number(E::frame_encoding_error)},
      {"TRANSPORT_PARAMETER_ERROR", number(E::transport_parameter_error)},
      {"CONNECTION_ID_LIMIT_ERROR", number(E::connection_id_limit_error)},
      {"PROTOCOL_VIOLATION", number(E::protocol_violation)},
      {"INVALID_TOKEN", number(E::invalid_token)},
      {"APPLICATION_ERROR", number(E::application_error)},
      {"CRYPTO_BUFFER_EXCEEDED", number(E::crypto_buffer_exceeded)},
      {"KEY_UPDATE_ERROR", number(E::key_update_error)},
      {"AEAD_LIMIT_REACHED", number(E::aead_limit_reached)},
      {"NO_VIABLE_PATH", number(E::no_viable_path)},
      {"CRYPTO_ERROR", number(E::crypto_error_base)},
      {"VERSION_NEGOTIATION_ERROR", number(E::version_negotiation_error)},
  };
  return known;
}

const Numbers& transport_parameters() {
  using Id = TransportParameterId;
  static const Numbers known = {
      {"original_destination_connection_id", number(Id::original_destination_connection_id)},
      {"max_idle_timeout", number(Id::max_idle_timeout)},
      {"stateless_reset_token", number(Id::stateless_reset_token)},
      {"max_udp_payload_size", number(Id::max_udp_payload_size)},
      {"initial_max_data", number(Id::initial_max_data)},
      {"initial_max_stream_data_bidi_local", number(Id::initial_max_stream_data_bidi_local)},
      {"initial_max_stream_data_bidi_remote", number(Id::initial_max_stream_data_bidi_remote)},
      {"initial_max_stream_data_uni", number(Id::initial_max_stream_data_uni)},
      {"initial_max_streams_bidi", number(Id::initial_max_streams_bidi)},
      {"initial_max_streams_uni", number(Id::initial_max_streams_uni)},
      {"ack_delay_exponent", number(Id::ack_delay_exponent)},
      {"max_ack_delay", number(Id::max_ack_delay)},
      {"disable_active_migration", number(Id::disable_active_migration)},
      {"preferred_address", number(Id::preferred_address)},
      {"active_connection_id_limit", number(Id::active_connection_id_limit)},
      {"initial_source_connection_id", number(Id::initial_source_connection_id)},
      {"retry_source_connection_id", number(Id::retry_source_connection_id)},
      {"version_information", number(Id::version_information)},
      {"max_datagram_frame_size", number(Id::max_datagram_frame_size)},
      {"grease_quic_bit", number(Id::grease_quic_bit)},
  };
  return known;
}

const Numbers& versions() {
  static const Numbers known = {
      {"QUICv1", number(Version::v1)}, {"QUICv2", number(Version::v2)}, {"negotiation", number(Version::negotiation)}};
  return known;
}

/// The number at the beginning of "0x11 (RFC 9368)" and "0x02-0x03".
uint64_t leading_number(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 16); }

void check_numbers(const json& section, const Numbers& known, Report& report) {
  for (const auto& [name, value] : known) {
    report.check(section.contains(name) && leading_number(section.at(name).get<std::string>()) == value, name);
  }
}

bool has(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

bool agrees(const FrameTraits& traits, const std::string& packets, const std::string& rules, bool application_close) {
  const bool long_too = !application_close;  // "ih": only type 0x1c there
  return traits.known &&
         traits.allowed_in(PacketType::initial) == ((has(packets, 'I') || has(packets, 'i')) && long_too) &&
         traits.allowed_in(PacketType::handshake) == ((has(packets, 'H') || has(packets, 'h')) && long_too) &&
         traits.allowed_in(PacketType::zero_rtt) == has(packets, '0') &&
         traits.allowed_in(PacketType::one_rtt) == has(packets, '1') && traits.ack_eliciting == !has(rules, 'N') &&
         traits.probing == has(rules, 'P') && traits.flow_controlled == has(rules, 'F') &&
         (traits.counts_in_flight || has(rules, 'C') || has(packets, 'i'));
}

void check_frames(const json& frames, Report& report) {
  size_t known = 0;
  for (const json& entry : frames) {
    const auto types = entry.at("type").get<std::string>();
    const auto name = entry.at("name").get<std::string>();
    const uint64_t first = leading_number(types);
    const size_t dash = types.find('-');
    const uint64_t last = dash == std::string::npos ? first : leading_number(types.substr(dash + 1));
    for (uint64_t value = first; value <= last; value++) {
      const FrameTraits traits = traits_of(FrameType{value});
      if (!entry.contains("packets") && name != "DATAGRAM") {  // a draft's
        report.check(!traits.known, name + " is not known");
        continue;
      }
      known++;
      report.check(frame_name(FrameType{value}) == name, name);
      if (name == "DATAGRAM") {
        report.check(agrees(traits, "01", "", false), name + " RFC 9221");
      } else {
        report.check(agrees(traits, entry.at("packets").get<std::string>(), entry.at("spec").get<std::string>(),
                            value == number(FrameType::connection_close_application)),
                     name + " in table 3");
      }
    }
  }
  size_t ours = 0;
  for (const FrameTraits& traits : kFrameTraits) ours += traits.known;
  report.check(ours == known, "we know no frame that the registry does not");
}

void run_registry(const json& file, Report& report) {
  check_numbers(file.at("versions"), versions(), report);
  check_numbers(file.at("transport_errors"), transport_errors(), report);
  check_numbers(file.at("transport_parameters"), transport_parameters(), report);
  check_frames(file.at("frames"), report);
}

}  // namespace

Handler quic_wire_handler(const json& file) {
  if (!file.is_object()) return nullptr;
  if (file.contains("transport_parameters") && file.contains("frames")) return run_registry;
  if (!file.contains("decode") || !file.contains("encode")) return nullptr;
  return file.at("encode").is_array() && !file.at("encode").empty() && file.at("encode")[0].contains("full_pn")
             ? run_packet_numbers
             : nullptr;
}

}  // namespace quoll::vectors
