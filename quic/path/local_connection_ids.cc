#include "quic/path/local_connection_ids.h"

#include <algorithm>

namespace quoll::quic {

namespace {

/// An id of a sane generator collides never; one that always does must not hold us up.
constexpr int kGenerateAttempts = 8;

bool is_same(const ConnectionId& id, Bytes bytes) { return std::ranges::equal(id.bytes(), bytes); }

}  // namespace

LocalConnectionIds::LocalConnectionIds(Source source, const ConnectionId& initial)
    : source_(source), initial_(initial) {
  add(initial, Announcement::acked);
}

void LocalConnectionIds::add_original_destination(const ConnectionId& id) {
  original_ = Entry{.id = id, .announcement = Announcement::acked};
}

void LocalConnectionIds::remove_original_destination() {
  if (!original_) return;
  if (original_->routed) {
    original_->retired = true;
  } else {
    original_.reset();
  }
}

ConnectionId LocalConnectionIds::issue_for_preferred_address(StatelessResetToken& token) {
  // RFC 9000 §18.2: a server with zero-length ids provides no preferred address.
  QUOLL_CHECK(has_ids());
  // RFC 9000 §5.1.1: the sequence number of the supplied id is 1.
  QUOLL_CHECK(next_ == 1);
  const std::optional<ConnectionId> id = generate();
  QUOLL_CHECK(id);
  add(*id, Announcement::acked);
  token = source_.reset_tokens->token_of(*id);
  return *id;
}

void LocalConnectionIds::set_peer_limit(uint64_t active_connection_id_limit) {
  peer_limit_ = active_connection_id_limit;
  issue();
}

std::optional<uint64_t> LocalConnectionIds::sequence_of(Bytes id) const {
  for (const Entry& entry : entries_) {
    if (!entry.retired && is_same(entry.id, id)) return entry.sequence_number;
  }
  return {};
}

void LocalConnectionIds::rotate() {
  if (closed_ || !has_ids()) return;
  // RFC 9000 §5.1.2: no update of Retire Prior To before the ids that the previous one names are retired.
  rotation_waits_ = owes_retirements();
  if (rotation_waits_) return;
  // Ids that nobody has seen are as good as new ones.
  earlier_retire_prior_to_ = retire_prior_to_;
  retire_prior_to_ = announced_;
  issue();
}

Result<void> LocalConnectionIds::on_frame(const RetireConnectionIdFrame& frame, Bytes destination) {
  constexpr auto kType = static_cast<uint64_t>(FrameType::retire_connection_id);
  // RFC 9000 §19.16: an endpoint that provides a zero-length id takes no RETIRE_CONNECTION_ID.
  if (!has_ids())
    return close_with(TransportError::protocol_violation, "retirement of a zero-length connection id", kType);
  // RFC 9000 §19.16: a sequence number greater than any that was sent to the peer.
  if (frame.sequence_number >= announced_)
    return close_with(TransportError::protocol_violation, "retirement of a connection id never issued", kType);
  Entry* entry = find(frame.sequence_number);
  if (!entry || entry->retired) return {};
  // RFC 9000 §19.16: the number must not refer to the id by which the packet came.
  if (is_same(entry->id, destination))
    return close_with(TransportError::protocol_violation, "retirement of the packet's own connection id", kType);
  retire(*entry);
  forget();
  if (rotation_waits_) rotate();
  // RFC 9000 §5.1.1: a new id for each that is retired.
  issue();
  return {};
}

bool LocalConnectionIds::wants_to_send() const {
  return std::ranges::any_of(entries_, [](const Entry& entry) {
    return !entry.retired && (entry.announcement == Announcement::unsent || entry.announcement == Announcement::lost);
  });
}

void LocalConnectionIds::write_frames(PacketBuilder& packet) {
  for (Entry& entry : entries_) {
    const bool due = entry.announcement == Announcement::unsent || entry.announcement == Announcement::lost;
    if (entry.retired || !due) continue;
    const NewConnectionIdFrame frame{
        .sequence_number = entry.sequence_number,
        // RFC 9000 §19.15: at most the sequence number. An announcement that is repeated after a rotation says what it
        // said at first (a smaller value has no effect): a value between could take all ids from a peer that has
        // retired this one.
        .retire_prior_to = entry.sequence_number < retire_prior_to_ ? earlier_retire_prior_to_ : retire_prior_to_,
        .connection_id = entry.id,
        .stateless_reset_token = source_.reset_tokens->token_of(entry.id),
    };
    const FrameToken token{.id = entry.sequence_number, .kind = FrameToken::Kind::new_connection_id};
    if (!packet.add(frame, FrameType::new_connection_id, token)) return;
    entry.announcement = Announcement::in_flight;
    announced_ = std::max(announced_, entry.sequence_number + 1);
  }
}

void LocalConnectionIds::on_acked(const FrameToken& token) {
  QUOLL_DCHECK(token.kind == FrameToken::Kind::new_connection_id);
  Entry* entry = find(token.id);
  if (!entry) return;
  entry->announcement = Announcement::acked;
  forget();
  issue();
}

void LocalConnectionIds::on_lost(const FrameToken& token) {
  QUOLL_DCHECK(token.kind == FrameToken::Kind::new_connection_id);
  Entry* entry = find(token.id);
  if (!entry || entry->announcement != Announcement::in_flight) return;
  entry->announcement = entry->retired ? Announcement::acked : Announcement::lost;
  forget();
  issue();
}

std::optional<ConnectionIdChange> LocalConnectionIds::poll_change() {
  const auto change_of = [](Entry& entry) -> std::optional<ConnectionIdChange> {
    // Nothing routes by an empty id.
    if (entry.routed != entry.retired || entry.id.empty()) return {};
    entry.routed = !entry.routed;
    return ConnectionIdChange{
        .kind = entry.routed ? ConnectionIdChange::Kind::added : ConnectionIdChange::Kind::removed, .id = entry.id};
  };
  for (Entry& entry : entries_) {
    const std::optional<ConnectionIdChange> change = change_of(entry);
    if (!change) continue;
    if (!entry.routed) forget();
    return change;
  }
  if (!original_) return {};
  const std::optional<ConnectionIdChange> change = change_of(*original_);
  if (original_->retired && !original_->routed) original_.reset();
  return change;
}

void LocalConnectionIds::retire_all() {
  closed_ = true;
  for (Entry& entry : entries_) {
    entry.retired = true;
    entry.announcement = Announcement::acked;
  }
  remove_original_destination();
  forget();
}

size_t LocalConnectionIds::active_count() const {
  return static_cast<size_t>(std::ranges::count(entries_, false, &Entry::retired));
}

LocalConnectionIds::Entry* LocalConnectionIds::find(uint64_t sequence_number) {
  const auto found = std::ranges::find(entries_, sequence_number, &Entry::sequence_number);
  return found == entries_.end() ? nullptr : &*found;
}

void LocalConnectionIds::add(const ConnectionId& id, Announcement announcement) {
  // RFC 9000 §5.1.1: the sequence number increases by 1.
  entries_.push_back({.sequence_number = next_++, .id = id, .announcement = announcement});
  if (announcement == Announcement::acked) announced_ = next_;
}

std::optional<ConnectionId> LocalConnectionIds::generate() {
  for (int attempt = 0; attempt < kGenerateAttempts; attempt++) {
    const ConnectionId id = source_.generator->generate(*source_.rng);
    // RFC 9000 §5.1: the same id is not issued more than once on a connection.
    const bool taken = std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.id == id; }) ||
                       (original_ && original_->id == id);
    if (!taken && !id.empty()) return id;
  }
  return {};
}

void LocalConnectionIds::issue() {
  while (may_issue()) {
    const std::optional<ConnectionId> id = generate();
    if (!id) return;
    add(*id, Announcement::unsent);
  }
}

bool LocalConnectionIds::may_issue() const {
  if (closed_ || !has_ids()) return false;
  size_t spare = 0;
  size_t unacked = 0;
  for (const Entry& entry : entries_) {
    if (!entry.retired && entry.sequence_number >= retire_prior_to_) spare++;
    if (entry.announcement != Announcement::acked) unacked++;
  }
  // RFC 9000 §5.1.1: no more than the peer's limit; those below Retire Prior To are excess that the frame itself
  // retires.
  return spare < std::min<uint64_t>(peer_limit_, kLocalIdsMax) && unacked < kLocalIdsIssuedUnackedMax;
}

void LocalConnectionIds::retire(Entry& entry) {
  entry.retired = true;
  // It was received, so it is not sent again. One in flight still waits for its acknowledgment.
  if (entry.announcement != Announcement::in_flight) entry.announcement = Announcement::acked;
}

void LocalConnectionIds::forget() {
  std::erase_if(entries_, [](const Entry& entry) {
    return entry.retired && !entry.routed && entry.announcement != Announcement::in_flight;
  });
}

bool LocalConnectionIds::owes_retirements() const {
  return std::ranges::any_of(
      entries_, [&](const Entry& entry) { return !entry.retired && entry.sequence_number < retire_prior_to_; });
}

}  // namespace quoll::quic
