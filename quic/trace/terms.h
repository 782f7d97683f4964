// The terms of the trace events (event.h): why packets were dropped, buffered, sent and lost, the states that are told,
// whose side something is on. Where draft-ietf-quic-qlog-quic-events has the same list, the enumerators bear its names;
// where it is coarser (packet_dropped), the trace keeps the finer reason and a sink maps it.
#pragma once

#include <cstdint>

#include "quic/wire/packet_header.h"
#include "quic/wire/types.h"

namespace quoll::quic::trace {

/// Whose doing, or whose value, something is.
enum class Side : uint8_t { local, remote };

/// A packet as far as its type is known: PacketType's four, and those without frames.
enum class PacketKind : uint8_t {
  initial,
  zero_rtt,
  handshake,
  one_rtt,
  retry,
  version_negotiation,
  stateless_reset,
  unknown,
};

constexpr PacketKind kind_of(PacketType type) {
  switch (type) {
    case PacketType::initial:
      return PacketKind::initial;
    case PacketType::zero_rtt:
      return PacketKind::zero_rtt;
    case PacketType::handshake:
      return PacketKind::handshake;
    case PacketType::one_rtt:
      break;
  }
  return PacketKind::one_rtt;
}

/// The packet type that recovery's Space stands for in a trace; 0-RTT packets count as 1-RTT there.
constexpr PacketType type_of(Space space) {
  switch (space) {
    case Space::initial:
      return PacketType::initial;
    case Space::handshake:
      return PacketType::handshake;
    case Space::application:
      break;
  }
  return PacketType::one_rtt;
}

/// Why a packet goes out that new data alone would not have caused.
enum class SendReason : uint8_t {
  normal,
  retransmit_reordered,  // content of a packet lost by the packet threshold, RFC 9002 §6.1.1
  retransmit_timeout,    // by the time threshold, RFC 9002 §6.1.2
  pto_probe,             // RFC 9002 §6.2.4
  retransmit_crypto,     // RFC 9002 §6.2.3
  cc_bandwidth_probe,
};

/// Why a packet was not processed. The first ten are PacketDrop's.
enum class DropReason : uint8_t {
  truncated,
  too_short,
  fixed_bit,
  connection_id_too_long,
  other_connection_id,
  misplaced,
  wrong_role,
  unexpected_token,
  bad_retry,
  bad_version_negotiation,
  unsupported_version,
  unknown_connection,
  no_keys,                         // not yet, and not worth keeping, or no longer
  unauthenticated,                 // the AEAD refused it
  bad_integrity_tag,               // of a Retry, RFC 9001 §5.8
  duplicate,                       // RFC 9000 §12.3
  unexpected_retry,                // a second one, or after another packet: RFC 9000 §17.2.5.2
  unexpected_version_negotiation,  // RFC 9000 §6.2
  wrong_connection_id,             // the Source Connection ID changed: RFC 9000 §7.2
  initial_too_small,               // a server's: RFC 9000 §14.1
  invalid_token,                   // RFC 9000 §8.1.3
  connection_closed,               // closing or draining: RFC 9000 §10.2
  buffer_full,                     // packets before their keys are kept in small numbers: RFC 9000 §5.7
  path_limit,                      // no room for another path
  rate_limited,
  other,
};

constexpr DropReason reason_of(PacketDrop drop) {
  switch (drop) {
    case PacketDrop::truncated:
      return DropReason::truncated;
    case PacketDrop::too_short:
      return DropReason::too_short;
    case PacketDrop::fixed_bit:
      return DropReason::fixed_bit;
    case PacketDrop::connection_id_too_long:
      return DropReason::connection_id_too_long;
    case PacketDrop::other_connection_id:
      return DropReason::other_connection_id;
    case PacketDrop::misplaced:
      return DropReason::misplaced;
    case PacketDrop::wrong_role:
      return DropReason::wrong_role;
    case PacketDrop::unexpected_token:
      return DropReason::unexpected_token;
    case PacketDrop::bad_retry:
      return DropReason::bad_retry;
    case PacketDrop::bad_version_negotiation:
      return DropReason::bad_version_negotiation;
  }
  return DropReason::other;
}

enum class BufferReason : uint8_t { keys_unavailable, backpressure };

/// Why a packet was declared lost (RFC 9002 §6.1.1, §6.1.2, §6.2.4).
enum class LossReason : uint8_t { unspecified, reordering_threshold, time_threshold, pto_expired };

/// What made keys, or ended them.
enum class KeyReason : uint8_t { tls, remote_update, local_update };

enum class TimerKind : uint8_t { ack, pto, loss_timeout, path_validation, handshake_timeout, idle_timeout };
enum class TimerChange : uint8_t { set, expired, cancelled };

/// How far a connection is (RFC 9000 §10, RFC 9001 §4.1).
enum class ConnectionState : uint8_t {
  attempted,
  peer_validated,  // RFC 9000 §8.1
  handshake_started,
  early_write,  // a server that may send 1-RTT data before the handshake is complete
  handshake_complete,
  handshake_confirmed,
  closing,
  draining,
  closed,
};

/// What ended a connection.
enum class CloseReason : uint8_t {
  unspecified,
  idle_timeout,
  application,
  error,
  version_mismatch,
  stateless_reset,
  aborted,
};

enum class StreamPart : uint8_t { sending, receiving };
/// RFC 9000 §3.1 and §3.2; data_received is of both parts.
enum class StreamState : uint8_t {
  idle,
  open,
  closed,
  ready,
  send,
  data_sent,
  reset_sent,
  reset_received,
  receive,
  size_known,
  data_read,
  reset_read,
  data_received,
  destroyed,
};

/// Where data comes from or goes to.
enum class DataLocation : uint8_t { application, transport, network };

/// Why nothing can be sent.
enum class BlockedReason : uint8_t {
  unspecified,
  scheduling,
  pacing,
  amplification_protection,
  congestion_control,
  connection_flow_control,
  stream_flow_control,
  stream_id,
  application,
};

/// Steps of the validation of a path and of a migration to it (RFC 9000 §8.2, §9).
enum class MigrationState : uint8_t {
  probing_started,
  probing_abandoned,
  probing_successful,
  migration_started,
  migration_abandoned,
  migration_complete,
};

}  // namespace quoll::quic::trace
