// RemoteConnectionIds: the ids that we may address the peer by: received, used by paths, retired (RFC 9000 §5.1.1,
// §5.1.2, §19.15). The owner of NEW_CONNECTION_ID received and RETIRE_CONNECTION_ID to send.
//
// A path takes an id of its own (§9.5) and gives it back, which retires it. The number of ids, and of retirements that
// wait to be acknowledged, is bounded (§5.1.2: a peer may not make us hold more).
#pragma once

#include <optional>

#include "base/result.h"
#include "quic/recovery/packet_builder.h"
#include "quic/wire/error_code.h"
#include "quic/wire/stateless_reset.h"

namespace quoll::quic {

/// What we announce as active_connection_id_limit.
inline constexpr uint64_t kRemoteIdsMax = 8;
/// Retirements that are not acknowledged yet; RFC 9000 §5.1.2 suggests at least twice the limit of active ids. Beyond it
/// the connection ends with CONNECTION_ID_LIMIT_ERROR.
inline constexpr size_t kRetirementsMax = 4 * kRemoteIdsMax;

class RemoteConnectionIds {
 public:
  struct Id {
    uint64_t sequence_number = 0;
    ConnectionId id{};
    std::optional<StatelessResetToken> reset_token{};
  };

  /// The id that a client invents, or that of the client's first packet; sequence number 0.
  explicit RemoteConnectionIds(const ConnectionId& initial);

  /// Client: the peer's first Source Connection ID, or that of a Retry, replaces the present one.
  void replace_initial(const ConnectionId& id);
  /// The stateless_reset_token transport parameter belongs to sequence number 0.
  void set_initial_reset_token(const StatelessResetToken& token);
  /// preferred_address: sequence number 1.
  [[nodiscard]] Result<void> add_preferred(const ConnectionId& id, const StatelessResetToken& token);

  /// An id that no path uses yet, for a new path; empty when there is none. With zero-length ids there is always that one.
  std::optional<Id> take();
  bool has_unused() const;
  /// The path that used it has ended, or uses another one: it is retired.
  void release(uint64_t sequence_number);
  /// Ids in use that the peer wants to be retired (retire_prior_to): each path that holds one asks for another with take()
  /// and releases it. Empty when the id is fine.
  bool must_replace(uint64_t sequence_number) const;
  bool uses_zero_length() const;

  [[nodiscard]] Result<void> on_frame(const NewConnectionIdFrame& frame);
  bool wants_to_send() const;
  void write_frames(PacketBuilder& packet);
  void on_acked(const FrameToken& token);
  void on_lost(const FrameToken& token);

  /// Whether the 16 bytes are a reset token of an id that we have used and not retired, in constant time.
  bool is_reset_token(Bytes candidate) const;
  /// A change of the tokens that is_reset_token() knows: for the endpoint's table.
  struct TokenChange {
    bool added = false;
    StatelessResetToken token{};
  };
  std::optional<TokenChange> poll_token_change();
  void forget_all_tokens();

 private:
  // (the implementation's)
};

}  // namespace quoll::quic
