// RemoteConnectionIds: the ids that we may address the peer by: received, used by paths, retired (RFC 9000 §5.1.1,
// §5.1.2, §10.3.1, §19.15). The owner of NEW_CONNECTION_ID received and RETIRE_CONNECTION_ID to send.
//
// A path takes an id of its own (§9.5) and gives it back, which retires it. The first take() gives the initial id, of
// sequence number 0. An id goes unused -> used -> retired, never back; Retire Prior To retires the unused ones at once,
// and the used ones when their paths let go of them, which they must do before they send again. A retirement is
// remembered until it is acknowledged, its sequence number (as one of few intervals) for good, so that a late
// repetition of NEW_CONNECTION_ID does not bring an id back.
//
// What is held is bounded by the three constants below, whatever the peer sends (§5.1.2).
#pragma once

#include <optional>
#include <vector>

#include "base/interval_set.h"
#include "base/result.h"
#include "base/shrink.h"
#include "quic/recovery/packet_builder.h"
#include "quic/wire/error_code.h"
#include "quic/wire/stateless_reset.h"

namespace quoll::quic {

/// What we announce as active_connection_id_limit.
inline constexpr uint64_t kRemoteIdsMax = 4;
/// Retirements that are not acknowledged yet; RFC 9000 §5.1.2 suggests at least twice the limit of active ids. Beyond
/// it the connection ends with CONNECTION_ID_LIMIT_ERROR.
inline constexpr size_t kRetirementsMax = 4 * kRemoteIdsMax;
/// Runs of retired sequence numbers, plus the ids that are held and may split or lengthen them. A peer that counts up
/// by 1, as it must, leaves no more gaps than it has ids under way, at most kRemoteIdsMax and those of a rotation.
inline constexpr size_t kRetiredRunsMax = 8 * kRemoteIdsMax;

class RemoteConnectionIds {
 public:
  struct Id {
    uint64_t sequence_number = 0;
    ConnectionId id{};
    std::optional<StatelessResetToken> reset_token{};
  };

  /// The id that a client invents, or that of the client's first packet; sequence number 0.
  explicit RemoteConnectionIds(const ConnectionId& initial);
  RemoteConnectionIds(const RemoteConnectionIds&) = delete;
  RemoteConnectionIds& operator=(const RemoteConnectionIds&) = delete;
  ~RemoteConnectionIds();

  /// Client: the peer's first Source Connection ID, or that of a Retry, replaces the present one (whether it is taken
  /// or not: the path reads it again by find(0)).
  void replace_initial(const ConnectionId& id);
  /// The stateless_reset_token transport parameter belongs to sequence number 0.
  void set_initial_reset_token(const StatelessResetToken& token);
  /// preferred_address: sequence number 1. TRANSPORT_PARAMETER_ERROR when either id is empty (RFC 9000 §18.2) or they
  /// are the same.
  [[nodiscard]] Result<void> add_preferred(const ConnectionId& id, const StatelessResetToken& token);

  /// An id that no path uses yet, the lowest; empty when there is none. With zero-length ids there is always that one.
  std::optional<Id> take();
  bool has_unused() const;
  /// An id that is held, used or not; empty when it is retired or unknown.
  std::optional<Id> find(uint64_t sequence_number) const;
  /// The path that used it has ended, or uses another one: it is retired.
  void release(uint64_t sequence_number);
  /// Whether the peer wants an id that is in use to be retired (retire_prior_to): the path that holds it asks for
  /// another with take() and releases it, before anything is sent.
  bool must_replace(uint64_t sequence_number) const;
  bool uses_zero_length() const { return zero_length_; }

  /// PROTOCOL_VIOLATION for contradictions, and when the peer's id is empty; CONNECTION_ID_LIMIT_ERROR for more than we
  /// hold.
  [[nodiscard]] Result<void> on_frame(const NewConnectionIdFrame& frame);
  bool wants_to_send() const;
  void write_frames(PacketBuilder& packet);
  void on_acked(const FrameToken& token);
  void on_lost(const FrameToken& token);

  /// Whether the 16 bytes are a reset token of an id that we have used and not retired, in constant time.
  bool is_reset_token(Bytes candidate) const;
  /// A change of the tokens that is_reset_token() knows: for the endpoint's table. A token is added once and then
  /// removed once.
  struct TokenChange {
    bool added = false;
    StatelessResetToken token{};
  };
  std::optional<TokenChange> poll_token_change();
  /// The end of the connection: no token means anything any more.
  void forget_all_tokens();

  /// Returns memory that the present ids do not need.
  void trim() {
    shrink(ids_);
    shrink(retirements_);
    retired_.trim();
  }
  /// Ids that count towards the limit that we announced.
  size_t active_count() const;
  /// Retirements that are remembered.
  size_t retirement_count() const { return retirements_.size(); }

 private:
  struct Entry {
    Id id;
    bool used = false;
    bool token_told = false;  // as the last change that was polled has it
  };
  enum class Delivery : uint8_t { pending, in_flight, acked };
  struct Retirement {
    uint64_t sequence_number = 0;
    Delivery delivery = Delivery::pending;
    bool token_told = false;  // its removal is still to be polled
    StatelessResetToken token{};
  };

  Entry* find_entry(uint64_t sequence_number);
  bool has_live_token(const Entry& entry) const { return entry.used && entry.id.reset_token && !tokens_forgotten_; }
  Result<void> check_consistent(const NewConnectionIdFrame& frame) const;
  void retire(const Entry& entry);
  void retire_sequence_number(uint64_t sequence_number);
  void forget_delivered();
  /// Retirements of ids that paths still have to let go of.
  size_t owed_retirements() const;

  std::vector<Entry> ids_;  // ascending
  std::vector<Retirement> retirements_;
  IntervalSet retired_{kRetiredRunsMax, IntervalSet::WhenFull::refuse};
  uint64_t retire_prior_to_ = 0;
  bool zero_length_ = false;
  bool tokens_forgotten_ = false;
};

}  // namespace quoll::quic
