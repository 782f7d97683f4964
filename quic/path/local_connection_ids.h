// LocalConnectionIds: the ids that the peer addresses us by: issued, announced, retired (RFC 9000 §5.1.1, §5.1.2, §19.15,
// §19.16). The owner of NEW_CONNECTION_ID to send and RETIRE_CONNECTION_ID received.
//
// As many ids are kept active as the peer's active_connection_id_limit allows, up to kLocalIdsMax. The endpoint learns of
// changes through poll_change() and keeps its routing table by them.
#pragma once

#include <optional>

#include "base/result.h"
#include "base/ring.h"
#include "base/rng.h"
#include "quic/path/connection_id_generator.h"
#include "quic/recovery/packet_builder.h"
#include "quic/wire/error_code.h"
#include "quic/wire/stateless_reset.h"

namespace quoll::quic {

/// Ids that the peer may use at a time: one in use, spares for paths and migrations.
inline constexpr size_t kLocalIdsMax = 8;
/// Retirements that wait for their replacements to be acknowledged: a peer that retires ids as fast as we issue them is
/// answered no faster than it acknowledges.
inline constexpr size_t kLocalIdsIssuedUnackedMax = 16;

/// Makes the stateless reset token of an id (RFC 9000 §10.3.2): the same for the same id on all servers of a fleet.
class ResetTokenSource {
 public:
  virtual ~ResetTokenSource() = default;
  virtual StatelessResetToken token_of(const ConnectionId& id) const = 0;
};

/// A change of what routes to the connection.
struct ConnectionIdChange {
  enum class Kind : uint8_t { added, removed };
  Kind kind = Kind::added;
  ConnectionId id{};
};

class LocalConnectionIds {
 public:
  /// Who makes ids and tokens; both outlive this.
  struct Source {
    ConnectionIdGenerator* generator = nullptr;
    const ResetTokenSource* reset_tokens = nullptr;
    Rng* rng = nullptr;
  };

  /// `initial` has sequence number 0 (the Source Connection ID of our first packet) and counts as added.
  LocalConnectionIds(Source source, const ConnectionId& initial);

  /// The client's first Destination Connection ID routes to a server until the handshake is done with it; it has no
  /// sequence number.
  void add_original_destination(const ConnectionId& id);
  void remove_original_destination();
  /// The id of a preferred_address has sequence number 1 (RFC 9000 §5.1.1). A server calls this before any other is issued.
  ConnectionId issue_for_preferred_address(StatelessResetToken& token);
  /// The peer's active_connection_id_limit: from now on ids are issued.
  void set_peer_limit(uint64_t active_connection_id_limit);

  const ConnectionId& initial() const;
  /// The sequence number of an id that is active; empty for others.
  std::optional<uint64_t> sequence_of(Bytes id) const;
  /// Asks the peer to use new ids, by retire_prior_to, for all that are active now.
  void rotate();

  /// `destination`: of the packet that carried the frame. PROTOCOL_VIOLATION for a number never issued, or that of the
  /// packet's own id (RFC 9000 §19.16).
  [[nodiscard]] Result<void> on_frame(const RetireConnectionIdFrame& frame, Bytes destination);
  bool wants_to_send() const;
  void write_frames(PacketBuilder& packet);
  void on_acked(const FrameToken& token);
  void on_lost(const FrameToken& token);
  std::optional<ConnectionIdChange> poll_change();
  /// At the end of the connection: all ids are removed.
  void retire_all();
  /// Every id that is active.
  template <class Visit>
  void for_each(Visit visit) const;

 private:
  // (the implementation's)
};

}  // namespace quoll::quic
