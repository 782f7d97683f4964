// Transport parameters (RFC 9000 §7.4, §18; RFC 9221 §3; RFC 9287 §3; RFC 9368 §3): parsed with all checks that need
// only the message and its sender, written, remembered for 0-RTT, and used to authenticate connection ids.
//
// Values are those of the wire; a parameter that was absent has its default, and writing leaves defaults out. Whatever
// is wrong is TRANSPORT_PARAMETER_ERROR; unknown and reserved parameters are ignored.
#pragma once

#include <optional>

#include "base/address.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/time.h"
#include "base/writer.h"
#include "quic/wire/stateless_reset.h"
#include "quic/wire/version.h"

namespace quoll::quic {

enum class TransportParameterId : uint64_t {
  original_destination_connection_id = 0x00,
  max_idle_timeout = 0x01,
  stateless_reset_token = 0x02,
  max_udp_payload_size = 0x03,
  initial_max_data = 0x04,
  initial_max_stream_data_bidi_local = 0x05,
  initial_max_stream_data_bidi_remote = 0x06,
  initial_max_stream_data_uni = 0x07,
  initial_max_streams_bidi = 0x08,
  initial_max_streams_uni = 0x09,
  ack_delay_exponent = 0x0a,
  max_ack_delay = 0x0b,
  disable_active_migration = 0x0c,
  preferred_address = 0x0d,
  active_connection_id_limit = 0x0e,
  initial_source_connection_id = 0x0f,
  retry_source_connection_id = 0x10,
  version_information = 0x11,
  max_datagram_frame_size = 0x20,
  grease_quic_bit = 0x2ab2,
};

inline constexpr uint64_t kMaxUdpPayloadSizeMin = 1200;
inline constexpr uint64_t kMaxUdpPayloadSizeDefault = 65527;
inline constexpr uint64_t kAckDelayExponentMax = 20;
inline constexpr uint64_t kMaxAckDelayEnd = uint64_t{1} << 14;  // milliseconds
inline constexpr uint64_t kActiveConnectionIdLimitMin = 2;

/// RFC 9000 §18.2, figure 22. A family that the server does not offer is empty.
struct PreferredAddress {
  std::optional<SocketAddress> ipv4{};
  std::optional<SocketAddress> ipv6{};
  ConnectionId connection_id{};  // not empty; its sequence number is 1
  StatelessResetToken stateless_reset_token{};

  friend bool operator==(const PreferredAddress&, const PreferredAddress&) = default;
};

struct TransportParameters {
  uint64_t max_idle_timeout = 0;  // milliseconds; 0 for none
  uint64_t max_udp_payload_size = kMaxUdpPayloadSizeDefault;
  uint64_t initial_max_data = 0;
  uint64_t initial_max_stream_data_bidi_local = 0;
  uint64_t initial_max_stream_data_bidi_remote = 0;
  uint64_t initial_max_stream_data_uni = 0;
  uint64_t initial_max_streams_bidi = 0;
  uint64_t initial_max_streams_uni = 0;
  uint64_t ack_delay_exponent = 3;
  uint64_t max_ack_delay = 25;  // milliseconds
  uint64_t active_connection_id_limit = kActiveConnectionIdLimitMin;
  uint64_t max_datagram_frame_size = 0;  // 0: no DATAGRAM frames
  bool disable_active_migration = false;
  bool grease_quic_bit = false;
  std::optional<ConnectionId> initial_source_connection_id{};
  std::optional<VersionInformation> version_information{};

  // From servers alone.
  std::optional<ConnectionId> original_destination_connection_id{};
  std::optional<ConnectionId> retry_source_connection_id{};
  std::optional<StatelessResetToken> stateless_reset_token{};
  std::optional<PreferredAddress> preferred_address{};

  /// max_idle_timeout as a duration, infinite for none.
  Duration idle_timeout() const;

  friend bool operator==(const TransportParameters&, const TransportParameters&) = default;
};

/// A reserved parameter (RFC 9000 §18.1), which peers must ignore.
struct ReservedParameter {
  static constexpr size_t kValueSizeMax = 16;

  uint64_t id = 27;  // 31 * N + 27
  std::array<uint8_t, kValueSizeMax> value{};
  size_t size = 0;

  static ReservedParameter random(Rng& rng);
};

/// Duplicates of unknown parameters are noticed among the first few only: RFC 9000 §7.4 asks for no more than SHOULD,
/// and a message can hold many thousands.
inline constexpr size_t kUnknownParametersTracked = 16;

/// Parses what `sender` said. That a connection id parameter is present is authenticate_connection_ids()'s matter.
Result<TransportParameters> parse_transport_parameters(Bytes message, Role sender);

/// Writes all that differs from the defaults, and `reserved` if there is one. The values are valid and no greater than
/// kVarintMax.
template <Sink S>
void write_transport_parameters(S& sink, const TransportParameters& parameters,
                                const ReservedParameter* reserved = nullptr);

/// RFC 9000 §7.4.1, RFC 9221 §3: what may be remembered of a server's parameters for 0-RTT; the rest are defaults.
TransportParameters remembered_parameters(const TransportParameters& servers);

/// Whether a server may accept 0-RTT with the parameters `ours` when the client goes by `remembered`: no limit is
/// smaller. RFC 9000 §7.4.1 lets a server also reject for a smaller max_idle_timeout or max_udp_payload_size and a new
/// disable_active_migration; this one does.
bool can_accept_early_data(const TransportParameters& remembered, const TransportParameters& ours);

/// A client's check when the server has accepted 0-RTT: PROTOCOL_VIOLATION when it reduced a limit.
Result<void> check_early_data_limits(const TransportParameters& remembered, const TransportParameters& servers);

/// The connection ids of the handshake as this endpoint saw them (RFC 9000 §7.3).
struct HandshakeConnectionIds {
  ConnectionId peers_initial_source{};  // Source Connection ID of the peer's first Initial packet
  // Clients:
  ConnectionId original_destination{};         // Destination Connection ID of our first Initial packet
  std::optional<ConnectionId> retry_source{};  // Source Connection ID of the Retry packet that we accepted
};

/// TRANSPORT_PARAMETER_ERROR when the parameters of `peer` do not confirm the connection ids.
Result<void> authenticate_connection_ids(const TransportParameters& peers, Role peer,
                                         const HandshakeConnectionIds& seen);

namespace wire {

/// Parameters whose value is one variable-length integer, with their members: one list for parsing and writing.
struct IntegerParameter {
  TransportParameterId id;
  uint64_t TransportParameters::* member;
  uint64_t smallest;
  uint64_t largest;
};
inline constexpr IntegerParameter kIntegerParameters[] = {
    {TransportParameterId::max_idle_timeout, &TransportParameters::max_idle_timeout, 0, kVarintMax},
    {TransportParameterId::max_udp_payload_size, &TransportParameters::max_udp_payload_size, kMaxUdpPayloadSizeMin,
     kVarintMax},
    {TransportParameterId::initial_max_data, &TransportParameters::initial_max_data, 0, kVarintMax},
    {TransportParameterId::initial_max_stream_data_bidi_local, &TransportParameters::initial_max_stream_data_bidi_local,
     0, kVarintMax},
    {TransportParameterId::initial_max_stream_data_bidi_remote,
     &TransportParameters::initial_max_stream_data_bidi_remote, 0, kVarintMax},
    {TransportParameterId::initial_max_stream_data_uni, &TransportParameters::initial_max_stream_data_uni, 0,
     kVarintMax},
    // RFC 9000 §4.6: a greater number of streams cannot be said in a stream id.
    {TransportParameterId::initial_max_streams_bidi, &TransportParameters::initial_max_streams_bidi, 0,
     kStreamCountMax},
    {TransportParameterId::initial_max_streams_uni, &TransportParameters::initial_max_streams_uni, 0, kStreamCountMax},
    {TransportParameterId::ack_delay_exponent, &TransportParameters::ack_delay_exponent, 0, kAckDelayExponentMax},
    {TransportParameterId::max_ack_delay, &TransportParameters::max_ack_delay, 0, kMaxAckDelayEnd - 1},
    {TransportParameterId::active_connection_id_limit, &TransportParameters::active_connection_id_limit,
     kActiveConnectionIdLimitMin, kVarintMax},
    {TransportParameterId::max_datagram_frame_size, &TransportParameters::max_datagram_frame_size, 0, kVarintMax},
};

template <Sink S>
void write_bytes_parameter(S& sink, TransportParameterId id, Bytes value) {
  sink.varint(static_cast<uint64_t>(id));
  sink.varint(value.size());
  sink.bytes(value);
}

template <Sink S>
void write_address(S& sink, const std::optional<SocketAddress>& address, size_t ip_size) {
  if (!address) {
    sink.zeros(ip_size + 2);
  } else {
    QUOLL_DCHECK(address->ip.octets().size() == ip_size);
    sink.bytes(address->ip.octets());
    sink.u16(address->port);
  }
}

template <Sink S>
void write_preferred_address(S& sink, const PreferredAddress& preferred) {
  sink.varint(static_cast<uint64_t>(TransportParameterId::preferred_address));
  const LengthPrefix length(sink, Prefix::varint1);  // at most 61
  write_address(sink, preferred.ipv4, 4);
  write_address(sink, preferred.ipv6, 16);
  sink.u8(static_cast<uint8_t>(preferred.connection_id.size()));
  sink.bytes(preferred.connection_id);
  sink.bytes(preferred.stateless_reset_token);
}

template <Sink S>
void write_version_information(S& sink, const VersionInformation& information) {
  sink.varint(static_cast<uint64_t>(TransportParameterId::version_information));
  const LengthPrefix length(sink, Prefix::varint2);
  sink.u32(static_cast<uint32_t>(information.chosen));
  for (const Version version : information.available) sink.u32(static_cast<uint32_t>(version));
}

}  // namespace wire

template <Sink S>
void write_transport_parameters(S& sink, const TransportParameters& parameters, const ReservedParameter* reserved) {
  using Id = TransportParameterId;
  const TransportParameters defaults;
  for (const wire::IntegerParameter& integer : wire::kIntegerParameters) {
    const uint64_t value = parameters.*integer.member;
    QUOLL_DCHECK(value >= integer.smallest && value <= integer.largest);
    if (value == defaults.*integer.member) continue;
    sink.varint(static_cast<uint64_t>(integer.id));
    sink.varint(varint_size(value));
    sink.varint(value);
  }
  if (parameters.disable_active_migration) wire::write_bytes_parameter(sink, Id::disable_active_migration, {});
  if (parameters.grease_quic_bit) wire::write_bytes_parameter(sink, Id::grease_quic_bit, {});
  const auto write_id = [&sink](Id id, const std::optional<ConnectionId>& value) {
    if (value) wire::write_bytes_parameter(sink, id, *value);
  };
  write_id(Id::initial_source_connection_id, parameters.initial_source_connection_id);
  write_id(Id::original_destination_connection_id, parameters.original_destination_connection_id);
  write_id(Id::retry_source_connection_id, parameters.retry_source_connection_id);
  if (const auto& token = parameters.stateless_reset_token) {
    wire::write_bytes_parameter(sink, Id::stateless_reset_token, *token);
  }
  if (parameters.preferred_address) wire::write_preferred_address(sink, *parameters.preferred_address);
  if (parameters.version_information) wire::write_version_information(sink, *parameters.version_information);
  if (reserved) {
    wire::write_bytes_parameter(sink, Id{reserved->id}, Bytes(reserved->value).first(reserved->size));
  }
}

}  // namespace quoll::quic
