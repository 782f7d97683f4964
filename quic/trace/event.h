// The trace events of the transport: what its owners report, one small struct for each kind of news, for a TraceSink
// outside the core (base/trace.h): qlog, counters, a test's expectations.
//
//     trace_(now, trace::PacketLost{.type = PacketType::one_rtt, .number = 7, .reason = trace::LossReason::time_threshold});
//
// Names and contents follow draft-ietf-quic-qlog-quic-events. Members are plain values, and views that are valid during
// the call; all have defaults, so that an owner tells what it knows with designated initialisers. No event carries a
// secret, but frames are plaintext of the application: whoever installs a sink sees them. The namespace of their own
// keeps these names apart from the wire's (VersionInformation) and from the application's events (Closed, Migrated).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/interval_set.h"
#include "base/net.h"
#include "base/trace.h"
#include "quic/congestion/controller.h"
#include "quic/recovery/ecn.h"
#include "quic/trace/terms.h"
#include "quic/wire/transport_parameters.h"

namespace quoll::quic {
namespace trace {

/// The number of a path in a trace. The path of the handshake is 0; a later one keeps its number as long as it lives.
using PathNumber = uint32_t;

/// The header of a packet that carries frames; what its type does not have stays at its default.
struct PacketHeader {
  PacketType type = PacketType::one_rtt;
  PacketNumber number = 0;
  uint8_t number_size = 0;                 // bytes; 0: not told
  Version version = Version::negotiation;  // of long headers
  Bytes destination{};
  Bytes source{};  // of long headers
  Bytes token{};   // of Initial packets
  bool spin_bit = false;
  bool key_phase = false;  // the bit
};

// Connectivity.

struct ConnectionStarted {
  Path path{};
  Bytes local_id{};   // the Source Connection ID of our first packet
  Bytes remote_id{};  // its Destination Connection ID
};

struct ConnectionStateUpdated {
  std::optional<ConnectionState> old{};
  ConnectionState state = ConnectionState::attempted;
};

/// The connection ends, or enters closing or draining. The code is told if there is one.
struct ConnectionClosed {
  std::optional<Side> initiator{};
  CloseReason why = CloseReason::unspecified;
  bool is_application = false;  // whose code it is
  std::optional<uint64_t> error_code{};
  std::string_view reason{};  // any bytes
};

/// `local`: we took another id for ourselves; `remote`: the id that we address the peer by has changed.
struct ConnectionIdUpdated {
  Side initiator = Side::local;
  Bytes old{};
  Bytes id{};
};

struct SpinBitUpdated {
  bool state = false;
};

/// A path has got its number, or has other ids; it `is_abandoned` when it is given up.
struct PathAssigned {
  PathNumber number = 0;
  Path path{};
  Bytes local_id{};
  Bytes remote_id{};
  bool is_abandoned = false;
};

/// A path was validated (probing_successful), or something else happened to it.
struct MigrationStateUpdated {
  std::optional<MigrationState> old{};
  MigrationState state = MigrationState::probing_started;
  PathNumber number = 0;
  Path path{};
};

/// The UDP payload that the path carries.
struct MtuUpdated {
  std::optional<uint32_t> old{};
  uint32_t mtu = 0;
  bool is_done = false;  // the search has ended
};

// Versions and parameters.

/// What each side supports, as far as it is known, and the version chosen; empty when there is none in common.
struct VersionInformation {
  std::span<const Version> server{};
  std::span<const Version> client{};
  std::optional<Version> chosen{};
};

struct AlpnInformation {
  std::span<const std::string> server{};
  std::span<const std::string> client{};
  std::string_view chosen{};  // empty: not known yet
};

/// The parameters of one side, and what else its settings are, as soon as they are known.
struct ParametersSet {
  Side initiator = Side::local;
  const TransportParameters* parameters = nullptr;
  std::string_view tls_cipher{};  // "TLS_AES_128_GCM_SHA256"
  std::optional<bool> resumption_allowed{};
  std::optional<bool> early_data_enabled{};
};

/// A client goes by these, remembered from an earlier connection (RFC 9000 §7.4.1).
struct ParametersRestored {
  const TransportParameters* parameters = nullptr;
};

// Packets.

struct PacketSent {
  PacketHeader header{};
  size_t size = 0;  // of the whole packet, header and tag included
  Bytes frames{};   // the payload before encryption
  PathNumber path = 0;
  uint64_t datagram_id = 0;  // packets of one datagram share it; 0: not told
  bool is_mtu_probe = false;
  SendReason reason = SendReason::normal;
};

/// A packet was opened, and is no duplicate. Told before its frames are processed.
struct PacketReceived {
  PacketHeader header{};
  size_t size = 0;
  Bytes frames{};
  PathNumber path = 0;
  uint64_t datagram_id = 0;
  bool was_buffered = false;  // until its keys were there
};

/// A Retry whose integrity tag is right.
struct RetryReceived {
  Version version = Version::v1;
  Bytes destination{};
  Bytes source{};
  Bytes token{};
  size_t size = 0;
};

struct VersionNegotiationReceived {
  Bytes destination{};
  Bytes source{};
  Bytes versions{};  // of four bytes each, as they came
  size_t size = 0;
};

struct StatelessResetReceived {
  Bytes token{};  // 16 bytes
  size_t size = 0;
};

struct PacketDropped {
  PacketKind kind = PacketKind::unknown;
  DropReason reason = DropReason::other;
  std::optional<PacketNumber> number{};  // once header protection is off
  Bytes destination{};
  size_t size = 0;
  uint64_t datagram_id = 0;
};

struct PacketBuffered {
  PacketKind kind = PacketKind::unknown;
  BufferReason reason = BufferReason::keys_unavailable;
  size_t size = 0;
  uint64_t datagram_id = 0;
};

/// Packets that were acknowledged for the first time.
struct PacketsAcked {
  Space space = Space::application;
  Interval numbers{};
};

struct PacketLost {
  PacketType type = PacketType::one_rtt;
  PacketNumber number = 0;
  LossReason reason = LossReason::unspecified;
  bool is_mtu_probe = false;
};

/// A datagram or a train, as in base/net.h.
struct DatagramsSent {
  size_t size = 0;            // UDP payloads, all together
  uint16_t segment_size = 0;  // of each but the last; 0: there is only one
  Ecn ecn = Ecn::not_ect;
};

struct DatagramsReceived {
  size_t size = 0;
  uint16_t segment_size = 0;
  Ecn ecn = Ecn::not_ect;
};

/// A datagram without a packet that could be read.
struct DatagramDropped {
  size_t size = 0;
};

// Streams and data.

struct StreamStateUpdated {
  StreamId stream_id{};
  StreamPart part = StreamPart::sending;
  std::optional<StreamState> old{};
  StreamState state = StreamState::idle;
  std::optional<Side> trigger{};
};

struct StreamDataMoved {
  StreamId stream_id{};
  uint64_t offset = 0;
  uint64_t length = 0;
  DataLocation from = DataLocation::application;
  DataLocation to = DataLocation::transport;
  bool fin = false;
  bool reset = false;
};

struct DatagramDataMoved {
  uint64_t length = 0;
  DataLocation from = DataLocation::application;
  DataLocation to = DataLocation::transport;
};

/// Something keeps the connection from sending, or no longer does.
struct ConnectionBlockedUpdated {
  bool is_blocked = true;
  BlockedReason reason = BlockedReason::unspecified;
};

struct StreamBlockedUpdated {
  StreamId stream_id{};
  bool is_blocked = true;
  BlockedReason reason = BlockedReason::unspecified;
};

struct DatagramBlockedUpdated {
  bool is_blocked = true;
  BlockedReason reason = BlockedReason::unspecified;
};

// Security. Only that keys changed is told, never the keys.

struct KeyUpdated {
  PacketType type = PacketType::initial;
  Role sender = Role::client;           // whose packets the key protects
  std::optional<uint64_t> key_phase{};  // of 1-RTT keys: how often they changed
  KeyReason reason = KeyReason::tls;
};

struct KeyDiscarded {
  PacketType type = PacketType::initial;
  Role sender = Role::client;
  std::optional<uint64_t> key_phase{};
  KeyReason reason = KeyReason::tls;
};

// Recovery.

struct RecoveryParametersSet {
  uint16_t reordering_threshold = 3;
  int time_threshold_eighths = 9;
  Duration timer_granularity = kGranularity;
  Duration initial_rtt = kInitialRtt;
  uint32_t max_datagram_size = 0;
  uint64_t initial_congestion_window = 0;
  uint64_t minimum_congestion_window = 0;
  uint16_t persistent_congestion_threshold = kPersistentCongestionThreshold;
};

/// The present values of everything; a sink finds out what has changed.
struct MetricsUpdated {
  Duration min_rtt{};  // zero before the first sample, as latest_rtt
  Duration smoothed_rtt{};
  Duration latest_rtt{};
  Duration rttvar{};
  uint32_t pto_count = 0;
  uint64_t congestion_window = 0;
  uint64_t bytes_in_flight = 0;
  uint64_t slow_start_threshold = UINT64_MAX;  // infinite
  uint64_t packets_in_flight = 0;              // of all packet number spaces
  Bandwidth pacing_rate{};                     // zero: nothing is paced

  friend bool operator==(const MetricsUpdated&, const MetricsUpdated&) = default;
};

struct CongestionStateUpdated {
  std::optional<CongestionState> old{};
  CongestionState state = CongestionState::slow_start;
  std::string_view trigger{};  // "persistent_congestion", "ecn"
};

struct TimerUpdated {
  TimerKind kind = TimerKind::loss_timeout;
  TimerChange change = TimerChange::set;
  std::optional<Space> space{};
  Duration delta{};  // until it expires, of a timer that was set
};

struct EcnStateUpdated {
  std::optional<EcnValidator::State> old{};
  EcnValidator::State state = EcnValidator::State::testing;
};

}  // namespace trace

using TraceEvent =
    std::variant<trace::ConnectionStarted, trace::ConnectionStateUpdated, trace::ConnectionClosed,
                 trace::ConnectionIdUpdated, trace::SpinBitUpdated, trace::PathAssigned, trace::MigrationStateUpdated,
                 trace::MtuUpdated, trace::VersionInformation, trace::AlpnInformation, trace::ParametersSet,
                 trace::ParametersRestored, trace::PacketSent, trace::PacketReceived, trace::RetryReceived,
                 trace::VersionNegotiationReceived, trace::StatelessResetReceived, trace::PacketDropped,
                 trace::PacketBuffered, trace::PacketsAcked, trace::PacketLost, trace::DatagramsSent,
                 trace::DatagramsReceived, trace::DatagramDropped, trace::StreamStateUpdated, trace::StreamDataMoved,
                 trace::DatagramDataMoved, trace::ConnectionBlockedUpdated, trace::StreamBlockedUpdated,
                 trace::DatagramBlockedUpdated, trace::KeyUpdated, trace::KeyDiscarded, trace::RecoveryParametersSet,
                 trace::MetricsUpdated, trace::CongestionStateUpdated, trace::TimerUpdated, trace::EcnStateUpdated>;

}  // namespace quoll::quic
