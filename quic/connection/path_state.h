// PathState: what a connection knows of one path: who is at its ends, whether the peer was shown to be there, how fast and
// how large datagrams may go (RFC 9000 §8, §9, §14; RFC 9002 is per path).
#pragma once

#include <memory>

#include "base/net.h"
#include "quic/congestion/controller.h"
#include "quic/path/anti_amplification.h"
#include "quic/path/mtu_discovery.h"
#include "quic/path/path_validation.h"
#include "quic/path/remote_connection_ids.h"
#include "quic/recovery/loss_detection.h"
#include "quic/recovery/pacer.h"

namespace quoll::quic {

/// Paths that a connection keeps at a time: the current one, the one before it, and candidates. A peer that appears from
/// more addresses replaces the candidate that was heard of longest ago.
inline constexpr size_t kPathsMax = 4;
static_assert(kPathsMax <= kRecoveryPathsMax);

struct PathState {
  PathState(const Path& where, const MtuDiscovery::Options& mtu_options) : path(where), mtu(mtu_options) {}
  PathState(const PathState&) = delete;
  PathState& operator=(const PathState&) = delete;

  Path path;
  uint8_t number = 0;  // LossDetection's
  /// The id that the peer is addressed by on this path.
  RemoteConnectionIds::Id remote_id;
  /// The sequence number of our id that the peer used on it last.
  std::optional<uint64_t> local_id_sequence;

  AntiAmplification amplification;
  PathValidation validation;
  PathResponses responses;
  MtuDiscovery mtu;

  PathRecovery recovery;
  std::unique_ptr<Controller> controller;
  Pacer pacer;

  Instant last_received;
  Instant remove_at = Instant::never();  // of a path that was left
  /// Server: becomes the current one when it is validated. Client: was left, but the server still sends there.
  bool is_awaited = false;

  /// The peer was shown to be there, by the handshake or by a challenge.
  bool is_validated() const { return amplification.is_validated(); }
};

/// Whether a datagram of `received` belongs to the path: a caller may not know, or not tell, its local address.
inline bool is_same_path(const Path& known, const Path& received) {
  if (known.remote != received.remote) return false;
  const bool local_unknown =
      known.local.ip.family() == IpAddress::Family::none || received.local.ip.family() == IpAddress::Family::none;
  return local_unknown || known.local == received.local;
}

}  // namespace quoll::quic
