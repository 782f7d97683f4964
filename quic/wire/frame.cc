#include "quic/wire/frame.h"

namespace quoll::quic {
namespace {

struct Row {
  FrameType first;
  FrameType last;
  const char* name;
  const char* packets;  // as in table 3 of RFC 9000: I, H, 0, 1
  const char* rules;    // N not ack-eliciting, C not in flight, P probing, F flow controlled; S only servers send it
};

// RFC 9000 §12.4, table 3; DATAGRAM: RFC 9221 §5. RFC 9002 §3 gives CONNECTION_CLOSE a C that the table lacks.
constexpr Row kRows[] = {
    {FrameType::padding, FrameType::padding, "PADDING", "IH01", "NP"},
    {FrameType::ping, FrameType::ping, "PING", "IH01", ""},
    {FrameType::ack, FrameType::ack_ecn, "ACK", "IH1", "NC"},
    {FrameType::reset_stream, FrameType::reset_stream, "RESET_STREAM", "01", ""},
    {FrameType::stop_sending, FrameType::stop_sending, "STOP_SENDING", "01", ""},
    {FrameType::crypto, FrameType::crypto, "CRYPTO", "IH1", ""},
    {FrameType::new_token, FrameType::new_token, "NEW_TOKEN", "1", "S"},
    {FrameType::stream, FrameType::stream_off_len_fin, "STREAM", "01", "F"},
    {FrameType::max_data, FrameType::max_data, "MAX_DATA", "01", ""},
    {FrameType::max_stream_data, FrameType::max_stream_data, "MAX_STREAM_DATA", "01", ""},
    {FrameType::max_streams_bidi, FrameType::max_streams_uni, "MAX_STREAMS", "01", ""},
    {FrameType::data_blocked, FrameType::data_blocked, "DATA_BLOCKED", "01", ""},
    {FrameType::stream_data_blocked, FrameType::stream_data_blocked, "STREAM_DATA_BLOCKED", "01", ""},
    {FrameType::streams_blocked_bidi, FrameType::streams_blocked_uni, "STREAMS_BLOCKED", "01", ""},
    {FrameType::new_connection_id, FrameType::new_connection_id, "NEW_CONNECTION_ID", "01", "P"},
    {FrameType::retire_connection_id, FrameType::retire_connection_id, "RETIRE_CONNECTION_ID", "01", ""},
    {FrameType::path_challenge, FrameType::path_challenge, "PATH_CHALLENGE", "01", "P"},
    {FrameType::path_response, FrameType::path_response, "PATH_RESPONSE", "1", "P"},
    {FrameType::connection_close, FrameType::connection_close, "CONNECTION_CLOSE", "IH01", "NC"},
    {FrameType::connection_close_application, FrameType::connection_close_application, "CONNECTION_CLOSE", "01", "NC"},
    {FrameType::handshake_done, FrameType::handshake_done, "HANDSHAKE_DONE", "1", "S"},
    {FrameType::datagram, FrameType::datagram_len, "DATAGRAM", "01", ""},
};

constexpr bool has(const char* letters, char letter) { return std::string_view(letters).contains(letter); }

constexpr FrameTraits traits_in(const Row& row) {
  FrameTraits traits{.known = true};
  constexpr char kLetters[] = {'I', '0', 'H', '1'};  // in the order of PacketType
  for (int type = 0; type < 4; type++) {
    if (has(row.packets, kLetters[type])) traits.packets |= static_cast<uint8_t>(1 << type);
  }
  traits.ack_eliciting = !has(row.rules, 'N');
  traits.counts_in_flight = !has(row.rules, 'C');
  traits.probing = has(row.rules, 'P');
  traits.flow_controlled = has(row.rules, 'F');
  traits.only_from_server = has(row.rules, 'S');
  return traits;
}

constexpr std::array<FrameTraits, kFrameTypeEnd> make_table() {
  std::array<FrameTraits, kFrameTypeEnd> table{};
  for (const Row& row : kRows) {
    for (auto type = static_cast<size_t>(row.first); type <= static_cast<size_t>(row.last); type++) {
      table[type] = traits_in(row);
    }
  }
  return table;
}

}  // namespace

constexpr std::array<FrameTraits, kFrameTypeEnd> kFrameTraits = make_table();

const char* frame_name(FrameType type) {
  for (const Row& row : kRows) {
    if (type >= row.first && type <= row.last) return row.name;
  }
  return "unknown";
}

}  // namespace quoll::quic
