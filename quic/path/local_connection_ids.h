// LocalConnectionIds: the ids that the peer addresses us by: issued, announced, retired (RFC 9000 §5.1.1, §5.1.2,
// §19.15, §19.16). The owner of NEW_CONNECTION_ID to send and RETIRE_CONNECTION_ID received.
//
// As many ids are kept active as the peer's active_connection_id_limit allows, up to kLocalIdsMax. An id is accepted
// from when it is issued until the peer retires it, whether or not it was asked to. The endpoint learns of changes
// through poll_change() and keeps its routing table by them: every id is added before a packet announces it, if
// changes are polled before packets are sent.
//
// Invariants: sequence numbers are issued and first announced without a gap; the ids that the peer can have at or
// above any Retire Prior To that it can have seen are no more than its limit. What is held is bounded by the two
// constants below.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "base/shrink.h"
#include "quic/path/connection_id_generator.h"
#include "quic/recovery/packet_builder.h"
#include "quic/wire/error_code.h"
#include "quic/wire/stateless_reset.h"

namespace quoll::quic {

/// Ids that the peer may use at a time: one in use, spares for paths and migrations.
inline constexpr size_t kLocalIdsMax = 4;
/// Ids whose announcement is not acknowledged yet, retired ones too: a peer that retires ids as fast as we issue them
/// is answered no faster than it acknowledges.
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
  friend bool operator==(const ConnectionIdChange&, const ConnectionIdChange&) = default;
};

class LocalConnectionIds {
 public:
  /// Who makes ids and tokens; all outlive this.
  struct Source {
    ConnectionIdGenerator* generator = nullptr;
    const ResetTokenSource* reset_tokens = nullptr;
    Rng* rng = nullptr;
  };

  /// `initial` has sequence number 0 (the Source Connection ID of our first packet) and counts as added: poll_change()
  /// gives it. Empty: no other id is ever issued, and there are no changes, since nothing routes by it.
  LocalConnectionIds(Source source, const ConnectionId& initial);

  /// The client's first Destination Connection ID routes to a server until the handshake is done with it; it has no
  /// sequence number.
  void add_original_destination(const ConnectionId& id);
  void remove_original_destination();
  /// The id of a preferred_address has sequence number 1 (RFC 9000 §5.1.1). A server calls this before any other is
  /// issued; not with zero-length ids (§18.2).
  ConnectionId issue_for_preferred_address(StatelessResetToken& token);
  /// The peer's active_connection_id_limit: from now on ids are issued.
  void set_peer_limit(uint64_t active_connection_id_limit);

  const ConnectionId& initial() const { return initial_; }
  /// The sequence number of an id that is active; empty for others.
  std::optional<uint64_t> sequence_of(Bytes id) const;
  /// Asks the peer to use new ids, by retire_prior_to, for all that are announced now. While it still owes retirements
  /// from an earlier call, the request waits for them (RFC 9000 §5.1.2).
  void rotate();

  /// `destination`: of the packet that carried the frame. PROTOCOL_VIOLATION for a number never announced, or that of
  /// the packet's own id (RFC 9000 §19.16), or when our ids are empty. A retirement that is repeated changes nothing.
  [[nodiscard]] Result<void> on_frame(const RetireConnectionIdFrame& frame, Bytes destination);
  bool wants_to_send() const;
  void write_frames(PacketBuilder& packet);
  void on_acked(const FrameToken& token);
  void on_lost(const FrameToken& token);
  std::optional<ConnectionIdChange> poll_change();
  /// Returns memory that the present ids do not need.
  void trim() { shrink(entries_); }
  /// At the end of the connection: all ids are removed, none is issued any more.
  void retire_all();
  /// Calls visit(const ConnectionId&) for every id that routes here: the active ones and the original destination.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Entry& entry : entries_) {
      if (!entry.retired) visit(entry.id);
    }
    if (original_ && !original_->retired) visit(original_->id);
  }

  /// Ids that the peer may use now.
  size_t active_count() const;
  /// Ids that are remembered: active ones, and retired ones that are not yet done with.
  size_t remembered_count() const { return entries_.size(); }

 private:
  /// What became of the frame that announced an id; `acked` for those that needed none.
  enum class Announcement : uint8_t { unsent, in_flight, lost, acked };

  struct Entry {
    uint64_t sequence_number = 0;
    ConnectionId id{};
    Announcement announcement = Announcement::unsent;
    bool retired = false;
    bool routed = false;  // as the last change that was polled has it
  };

  bool has_ids() const { return !initial_.empty(); }
  Entry* find(uint64_t sequence_number);
  void add(const ConnectionId& id, Announcement announcement);
  /// An id that we do not have; empty when the generator fails to give one.
  std::optional<ConnectionId> generate();
  void issue();
  bool may_issue() const;
  void retire(Entry& entry);
  /// Forgets retired ids of which nothing is expected any more.
  void forget();
  bool owes_retirements() const;

  Source source_;
  std::vector<Entry> entries_;     // ascending
  std::optional<Entry> original_;  // the sequence number means nothing
  ConnectionId initial_;
  bool closed_ = false;
  bool rotation_waits_ = false;
  uint64_t next_ = 0;       // sequence number of the next id
  uint64_t announced_ = 0;  // all below were sent to the peer
  uint64_t retire_prior_to_ = 0;
  uint64_t earlier_retire_prior_to_ = 0;  // before the last rotation: all ids below are retired
  uint64_t peer_limit_ = 0;               // 0 until it is known
};

}  // namespace quoll::quic
