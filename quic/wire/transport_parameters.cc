#include "quic/wire/transport_parameters.h"

#include <limits>

#include "base/reader.h"

namespace quoll::quic {
namespace {

using Id = TransportParameterId;
using wire::IntegerParameter;
using wire::kIntegerParameters;

std::unexpected<Error> wrong(const char* reason) {
  return close_with(TransportError::transport_parameter_error, reason);
}

/// RFC 9000 §7.4: which parameters came already.
class Seen {
 public:
  /// False when this parameter came before.
  bool add(uint64_t id) {
    if (const int bit = bit_of(id); bit >= 0) {
      const uint64_t mask = uint64_t{1} << bit;
      const bool fresh = (known_ & mask) == 0;
      known_ |= mask;
      return fresh;
    }
    if (std::find(unknown_.begin(), unknown_.begin() + size_, id) != unknown_.begin() + size_) return false;
    if (size_ < kUnknownParametersTracked) unknown_[size_++] = id;
    return true;
  }

 private:
  static int bit_of(uint64_t id) {
    if (id < 63) return static_cast<int>(id);
    return id == static_cast<uint64_t>(Id::grease_quic_bit) ? 63 : -1;
  }

  uint64_t known_ = 0;
  std::array<uint64_t, kUnknownParametersTracked> unknown_{};
  size_t size_ = 0;
};

class Parser {
 public:
  explicit Parser(Role sender) : sender_(sender) {}

  Result<TransportParameters> parse(Bytes message) {
    Reader reader(message);
    while (reader.ok() && reader.remaining() != 0) {
      const uint64_t id = reader.varint();
      Reader value(reader.prefixed_varint());
      if (!reader.ok()) break;
      // RFC 9000 §7.4: duplicates.
      if (!seen_.add(id)) return wrong("duplicate transport parameter");
      if (const char* reason = take(Id{id}, value)) return wrong(reason);
    }
    if (!reader.ok()) return wrong("transport parameters are cut short");
    if (const char* reason = check_together()) return wrong(reason);
    return parameters_;
  }

 private:
  /// Takes one parameter; null, or what is wrong with it.
  const char* take(Id id, Reader value) {
    for (const IntegerParameter& integer : kIntegerParameters) {
      if (integer.id == id) return take_integer(integer, value);
    }
    switch (id) {
      case Id::disable_active_migration:
        return take_flag(parameters_.disable_active_migration, value);
      case Id::grease_quic_bit:  // RFC 9287 §3: empty
        return take_flag(parameters_.grease_quic_bit, value);
      case Id::initial_source_connection_id:
        return take_connection_id(parameters_.initial_source_connection_id, value);
      case Id::version_information:
        return take_version_information(value);
      case Id::original_destination_connection_id:
        return from_server() ? take_connection_id(parameters_.original_destination_connection_id, value) : kServerOnly;
      case Id::retry_source_connection_id:
        return from_server() ? take_connection_id(parameters_.retry_source_connection_id, value) : kServerOnly;
      case Id::stateless_reset_token:
        return from_server() ? take_token(value) : kServerOnly;
      case Id::preferred_address:
        return from_server() ? take_preferred_address(value) : kServerOnly;
      case Id::max_idle_timeout:
      case Id::max_udp_payload_size:
      case Id::initial_max_data:
      case Id::initial_max_stream_data_bidi_local:
      case Id::initial_max_stream_data_bidi_remote:
      case Id::initial_max_stream_data_uni:
      case Id::initial_max_streams_bidi:
      case Id::initial_max_streams_uni:
      case Id::ack_delay_exponent:
      case Id::max_ack_delay:
      case Id::active_connection_id_limit:
      case Id::max_datagram_frame_size:
        break;  // an integer, taken above
    }
    return nullptr;  // RFC 9000 §7.4.2: unknown and reserved parameters are ignored
  }

  // RFC 9000 §18.2: a client sends none of four parameters.
  static constexpr const char* kServerOnly = "transport parameter that only servers send";
  bool from_server() const { return sender_ == Role::server; }

  const char* take_integer(const IntegerParameter& integer, Reader value) {
    const uint64_t number = value.varint();
    if (!value.finished()) return "integer transport parameter of a wrong length";
    if (number < integer.smallest || number > integer.largest) return "transport parameter out of range";
    parameters_.*integer.member = number;
    return nullptr;
  }

  static const char* take_flag(bool& flag, Reader value) {
    if (value.remaining() != 0) return "transport parameter that should be empty";
    flag = true;
    return nullptr;
  }

  static const char* take_connection_id(std::optional<ConnectionId>& id, Reader value) {
    if (value.remaining() > kConnectionIdSizeMax) return "connection id parameter over 20 bytes";
    id = ConnectionId(value.rest());
    return nullptr;
  }

  const char* take_token(Reader value) {
    if (value.remaining() != kStatelessResetTokenSize) return "stateless_reset_token is not 16 bytes";
    copy_bytes(parameters_.stateless_reset_token.emplace().data(), value.rest());
    return nullptr;
  }

  const char* take_preferred_address(Reader value) {
    constexpr const char* kWrong = "preferred_address of a wrong form";
    PreferredAddress preferred;
    std::array<uint8_t, 4> ipv4{};
    std::array<uint8_t, 16> ipv6{};
    copy_bytes(ipv4.data(), value.bytes(ipv4.size()));
    const uint16_t ipv4_port = value.u16();
    copy_bytes(ipv6.data(), value.bytes(ipv6.size()));
    const uint16_t ipv6_port = value.u16();
    const Bytes id = value.bytes(value.u8());
    const Bytes token = value.bytes(kStatelessResetTokenSize);
    if (!value.finished() || id.size() > kConnectionIdSizeMax) return kWrong;
    if (id.empty()) return "preferred_address with an empty connection id";  // RFC 9000 §18.2
    // RFC 9000 §18.2: all zeros where the server offers nothing in a family.
    if (ipv4 != std::array<uint8_t, 4>{} || ipv4_port != 0) preferred.ipv4 = {IpAddress::v4(ipv4), ipv4_port};
    if (ipv6 != std::array<uint8_t, 16>{} || ipv6_port != 0) preferred.ipv6 = {IpAddress::v6(ipv6), ipv6_port};
    preferred.connection_id = ConnectionId(id);
    copy_bytes(preferred.stateless_reset_token.data(), token);
    parameters_.preferred_address = preferred;
    return nullptr;
  }

  const char* take_version_information(Reader value) {
    // RFC 9368 §4: too short, not a multiple of four, or a version of zero is a parsing failure.
    if (value.remaining() < 4 || value.remaining() % 4 != 0) return "version_information of a wrong length";
    VersionInformation information{.chosen = Version{value.u32()}, .available = {}};
    bool zero = information.chosen == Version::negotiation;
    bool lists_chosen = false;
    while (value.remaining() != 0) {
      const Version version{value.u32()};
      zero |= version == Version::negotiation;
      lists_chosen |= version == information.chosen;
      information.available.add(version);
    }
    if (zero) return "version_information with version zero";
    // RFC 9368 §4: a client's Chosen Version is among its Available Versions.
    if (!from_server() && !lists_chosen) return "version_information without the chosen version";
    parameters_.version_information = information;
    return nullptr;
  }

  /// What is wrong between parameters, or null.
  const char* check_together() const {
    // RFC 9000 §18.2: a server that chose an empty connection id gives no preferred address.
    const auto& source = parameters_.initial_source_connection_id;
    if (parameters_.preferred_address && source && source->empty()) return "preferred_address without connection ids";
    return nullptr;
  }

  Role sender_;
  Seen seen_;
  TransportParameters parameters_;
};

/// The limits that 0-RTT data may have used (RFC 9000 §7.4.1; max_datagram_frame_size: RFC 9221 §3).
constexpr uint64_t TransportParameters::* kEarlyDataLimits[] = {
    &TransportParameters::active_connection_id_limit,
    &TransportParameters::initial_max_data,
    &TransportParameters::initial_max_stream_data_bidi_local,
    &TransportParameters::initial_max_stream_data_bidi_remote,
    &TransportParameters::initial_max_stream_data_uni,
    &TransportParameters::initial_max_streams_bidi,
    &TransportParameters::initial_max_streams_uni,
    &TransportParameters::max_datagram_frame_size,
};

bool reduces_limits(const TransportParameters& remembered, const TransportParameters& now) {
  return std::ranges::any_of(kEarlyDataLimits, [&](auto limit) { return now.*limit < remembered.*limit; });
}

}  // namespace

Duration TransportParameters::idle_timeout() const {
  if (max_idle_timeout == 0) return Duration::infinite();
  return Duration::milliseconds(static_cast<int64_t>(
      std::min<uint64_t>(max_idle_timeout, static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))));
}

ReservedParameter ReservedParameter::random(Rng& rng) {
  ReservedParameter reserved;
  reserved.id = 31 * rng.below((kVarintMax - 27) / 31 + 1) + 27;
  reserved.size = rng.below(kValueSizeMax + 1);
  rng.fill(MutBytes(reserved.value).first(reserved.size));
  return reserved;
}

Result<TransportParameters> parse_transport_parameters(Bytes message, Role sender) {
  return Parser(sender).parse(message);
}

TransportParameters remembered_parameters(const TransportParameters& servers) {
  TransportParameters remembered;
  for (const auto limit : kEarlyDataLimits) remembered.*limit = servers.*limit;
  remembered.max_idle_timeout = servers.max_idle_timeout;
  remembered.max_udp_payload_size = servers.max_udp_payload_size;
  remembered.disable_active_migration = servers.disable_active_migration;
  return remembered;
}

bool can_accept_early_data(const TransportParameters& remembered, const TransportParameters& ours) {
  return !reduces_limits(remembered, ours) && ours.idle_timeout() >= remembered.idle_timeout() &&
         ours.max_udp_payload_size >= remembered.max_udp_payload_size &&
         (!ours.disable_active_migration || remembered.disable_active_migration);
}

Result<void> check_early_data_limits(const TransportParameters& remembered, const TransportParameters& servers) {
  if (reduces_limits(remembered, servers)) {
    return close_with(TransportError::protocol_violation, "the server accepted 0-RTT and reduced its limits");
  }
  return {};
}

Result<void> authenticate_connection_ids(const TransportParameters& peers, Role peer,
                                         const HandshakeConnectionIds& seen) {
  // RFC 9000 §7.3: absent or different values.
  if (peers.initial_source_connection_id != seen.peers_initial_source) {
    return wrong("initial_source_connection_id does not match");
  }
  if (peer == Role::client) return {};
  if (peers.original_destination_connection_id != seen.original_destination) {
    return wrong("original_destination_connection_id does not match");
  }
  // RFC 9000 §7.3: present exactly when a Retry packet was accepted.
  if (peers.retry_source_connection_id != seen.retry_source) return wrong("retry_source_connection_id does not match");
  return {};
}

}  // namespace quoll::quic
