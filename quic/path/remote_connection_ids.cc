#include "quic/path/remote_connection_ids.h"

#include <algorithm>

#include "crypto/ct.h"

namespace quoll::quic {

namespace {

constexpr auto kNewConnectionId = static_cast<uint64_t>(FrameType::new_connection_id);

}  // namespace

RemoteConnectionIds::RemoteConnectionIds(const ConnectionId& initial) : zero_length_(initial.empty()) {
  // RFC 9000 §5.1.1: the initial id has sequence number 0.
  ids_.push_back({.id = {.sequence_number = 0, .id = initial}});
}

RemoteConnectionIds::~RemoteConnectionIds() {
  for (Entry& entry : ids_) {
    if (entry.id.reset_token) crypto::ct::wipe(*entry.id.reset_token);
  }
  for (Retirement& retirement : retirements_) crypto::ct::wipe(retirement.token);
}

void RemoteConnectionIds::replace_initial(const ConnectionId& id) {
  Entry* initial = find_entry(0);
  QUOLL_CHECK(initial);
  initial->id.id = id;
  zero_length_ = id.empty();
}

void RemoteConnectionIds::set_initial_reset_token(const StatelessResetToken& token) {
  if (Entry* initial = find_entry(0)) initial->id.reset_token = token;
}

Result<void> RemoteConnectionIds::add_preferred(const ConnectionId& id, const StatelessResetToken& token) {
  // RFC 9000 §18.2: a server with a zero-length id provides no preferred address, nor such an id in it.
  if (zero_length_ || id.empty())
    return close_with(TransportError::transport_parameter_error, "preferred_address with a zero-length connection id");
  const bool repeats =
      std::ranges::any_of(ids_, [&](const Entry& entry) { return entry.id.id == id || entry.id.sequence_number == 1; });
  if (repeats)
    return close_with(TransportError::transport_parameter_error, "preferred_address repeats a connection id");
  // RFC 9000 §5.1.1: the sequence number of the supplied id is 1.
  ids_.push_back({.id = {.sequence_number = 1, .id = id, .reset_token = token}});
  return {};
}

std::optional<RemoteConnectionIds::Id> RemoteConnectionIds::take() {
  for (Entry& entry : ids_) {
    // RFC 9000 §5.1.1: a zero-length id is used on every path.
    if (entry.used && !zero_length_) continue;
    entry.used = true;
    return entry.id;
  }
  return {};
}

bool RemoteConnectionIds::has_unused() const {
  return zero_length_ || std::ranges::any_of(ids_, [](const Entry& entry) { return !entry.used; });
}

std::optional<RemoteConnectionIds::Id> RemoteConnectionIds::find(uint64_t sequence_number) const {
  for (const Entry& entry : ids_) {
    if (entry.id.sequence_number == sequence_number) return entry.id;
  }
  return {};
}

void RemoteConnectionIds::release(uint64_t sequence_number) {
  // RFC 9000 §19.16: a zero-length id cannot be retired.
  if (zero_length_) return;
  Entry* entry = find_entry(sequence_number);
  if (!entry || !entry->used) return;
  retire(*entry);
  ids_.erase(ids_.begin() + (entry - ids_.data()));
}

bool RemoteConnectionIds::must_replace(uint64_t sequence_number) const {
  return !zero_length_ && sequence_number < retire_prior_to_;
}

Result<void> RemoteConnectionIds::on_frame(const NewConnectionIdFrame& frame) {
  // RFC 9000 §19.15: not while we send packets with a zero-length Destination Connection ID.
  if (zero_length_)
    return close_with(TransportError::protocol_violation, "new connection id beside a zero-length one",
                      kNewConnectionId);
  if (Result<void> consistent = check_consistent(frame); !consistent) return consistent;

  // RFC 9000 §5.1.2: first the retirements, then the new id. §19.15: a smaller Retire Prior To has no effect.
  if (frame.retire_prior_to > retire_prior_to_) {
    retire_prior_to_ = frame.retire_prior_to;
    std::erase_if(ids_, [&](const Entry& entry) {
      const bool retired = !entry.used && entry.id.sequence_number < retire_prior_to_;
      if (retired) retire(entry);
      return retired;
    });
  }

  const bool is_new = !find_entry(frame.sequence_number) && !retired_.contains(frame.sequence_number);
  if (is_new) {
    // Each id that is held makes at most one run when it is retired, so the set never refuses.
    if (retired_.size() + ids_.size() >= kRetiredRunsMax)
      return close_with(TransportError::protocol_violation, "gaps in the sequence numbers of connection ids",
                        kNewConnectionId);
    if (frame.sequence_number < retire_prior_to_) {
      // RFC 9000 §19.15: below an earlier Retire Prior To, it is retired at once.
      retire_sequence_number(frame.sequence_number);
    } else {
      const auto after = std::ranges::upper_bound(ids_, frame.sequence_number, {},
                                                  [](const Entry& entry) { return entry.id.sequence_number; });
      ids_.insert(after, {.id = {.sequence_number = frame.sequence_number,
                                 .id = frame.connection_id,
                                 .reset_token = frame.stateless_reset_token}});
    }
  }

  // RFC 9000 §5.1.1: more active ids than the limit that we announced, once all is processed.
  if (active_count() > kRemoteIdsMax)
    return close_with(TransportError::connection_id_limit_error, "more connection ids than active_connection_id_limit",
                      kNewConnectionId);
  // RFC 9000 §5.1.2: ids in need of retirement beyond the limit of what we track.
  if (retirements_.size() + owed_retirements() > kRetirementsMax)
    return close_with(TransportError::connection_id_limit_error, "too many connection ids to retire", kNewConnectionId);
  return {};
}

bool RemoteConnectionIds::wants_to_send() const {
  return std::ranges::any_of(retirements_,
                             [](const Retirement& retirement) { return retirement.delivery == Delivery::pending; });
}

void RemoteConnectionIds::write_frames(PacketBuilder& packet) {
  for (Retirement& retirement : retirements_) {
    if (retirement.delivery != Delivery::pending) continue;
    const FrameToken token{.id = retirement.sequence_number, .kind = FrameToken::Kind::retire_connection_id};
    const RetireConnectionIdFrame frame{.sequence_number = retirement.sequence_number};
    if (!packet.add(frame, FrameType::retire_connection_id, token)) return;
    retirement.delivery = Delivery::in_flight;
  }
}

void RemoteConnectionIds::on_acked(const FrameToken& token) {
  QUOLL_DCHECK(token.kind == FrameToken::Kind::retire_connection_id);
  const auto found = std::ranges::find(retirements_, token.id, &Retirement::sequence_number);
  if (found == retirements_.end()) return;
  found->delivery = Delivery::acked;
  forget_delivered();
}

void RemoteConnectionIds::on_lost(const FrameToken& token) {
  QUOLL_DCHECK(token.kind == FrameToken::Kind::retire_connection_id);
  const auto found = std::ranges::find(retirements_, token.id, &Retirement::sequence_number);
  if (found != retirements_.end() && found->delivery == Delivery::in_flight) found->delivery = Delivery::pending;
}

bool RemoteConnectionIds::is_reset_token(Bytes candidate) const {
  // RFC 9000 §10.3.1: no token of an id that is unused or retired; how many there are is no secret.
  bool found = false;
  for (const Entry& entry : ids_) {
    if (has_live_token(entry)) found |= crypto::ct::equal(*entry.id.reset_token, candidate);
  }
  return found;
}

std::optional<RemoteConnectionIds::TokenChange> RemoteConnectionIds::poll_token_change() {
  for (Retirement& retirement : retirements_) {
    if (!retirement.token_told) continue;
    const TokenChange change{.added = false, .token = retirement.token};
    retirement.token_told = false;
    crypto::ct::wipe(retirement.token);
    forget_delivered();
    return change;
  }
  for (Entry& entry : ids_) {
    if (entry.token_told == has_live_token(entry)) continue;
    entry.token_told = !entry.token_told;
    return TokenChange{.added = entry.token_told, .token = *entry.id.reset_token};
  }
  return {};
}

void RemoteConnectionIds::forget_all_tokens() { tokens_forgotten_ = true; }

size_t RemoteConnectionIds::active_count() const { return ids_.size() - owed_retirements(); }

RemoteConnectionIds::Entry* RemoteConnectionIds::find_entry(uint64_t sequence_number) {
  const auto found =
      std::ranges::find_if(ids_, [&](const Entry& entry) { return entry.id.sequence_number == sequence_number; });
  return found == ids_.end() ? nullptr : &*found;
}

Result<void> RemoteConnectionIds::check_consistent(const NewConnectionIdFrame& frame) const {
  for (const Entry& entry : ids_) {
    const Id& known = entry.id;
    const bool same_sequence = known.sequence_number == frame.sequence_number;
    const bool same_id = known.id == frame.connection_id;
    // RFC 9000 §19.15: a sequence number that is used for different ids, or an id that is repeated with another number.
    if (same_sequence != same_id)
      return close_with(TransportError::protocol_violation, "connection id contradicts an earlier one",
                        kNewConnectionId);
    const bool same_token = known.reset_token && crypto::ct::equal(*known.reset_token, frame.stateless_reset_token);
    // RFC 9000 §19.15: repeated with another token. §10.3.2: a token is not used for several ids.
    if (known.reset_token && same_token != same_id)
      return close_with(TransportError::protocol_violation, "stateless reset token contradicts an earlier one",
                        kNewConnectionId);
  }
  return {};
}

void RemoteConnectionIds::retire(const Entry& entry) {
  retire_sequence_number(entry.id.sequence_number);
  if (!entry.token_told) return;
  retirements_.back().token_told = true;
  retirements_.back().token = *entry.id.reset_token;
}

void RemoteConnectionIds::retire_sequence_number(uint64_t sequence_number) {
  QUOLL_CHECK(retired_.insert(sequence_number));
  retirements_.push_back({.sequence_number = sequence_number});
}

void RemoteConnectionIds::forget_delivered() {
  std::erase_if(retirements_, [](const Retirement& retirement) {
    return retirement.delivery == Delivery::acked && !retirement.token_told;
  });
  if (retirements_.empty()) shrink(retirements_);
}

size_t RemoteConnectionIds::owed_retirements() const {
  return static_cast<size_t>(
      std::ranges::count_if(ids_, [&](const Entry& entry) { return entry.id.sequence_number < retire_prior_to_; }));
}

}  // namespace quoll::quic
