// Paths: where the peer is, where we are, and how a connection goes over from one path to another (RFC 9000 §8.2, §9).
#include "quic/connection/state.h"

namespace quoll::quic {
namespace {

/// A path that was left is kept this long for packets on their way (RFC 9000 §9.3.3, §9.4).
constexpr int kAbandonedPathPtos = 3;

bool differs_in_port_only(const SocketAddress& a, const SocketAddress& b) { return a.ip == b.ip; }

}  // namespace

PathState* Connection::State::find_path(const Path& path) {
  for (const std::unique_ptr<PathState>& each : paths) {
    if (each && is_same_path(each->path, path)) return each.get();
  }
  return nullptr;
}

void Connection::State::setup_path(PathState& path, Duration initial_rtt) {
  path.recovery.rtt = Rtt(initial_rtt);
  path.controller = make_controller(config.congestion, path.mtu.mtu(), shared.rng->next_u64(), config.initial_window);
  path.recovery.recovery_start = path.controller->recovery_start();
  path.pacer = Pacer({.burst = path.controller->burst(), .idle_burst = initial_window(path.mtu.mtu())});
  if (peer_parameters) path.mtu.set_peer_max(peer_parameters->max_udp_payload_size);
  if (role == Role::client) path.amplification.set_validated();  // RFC 9000 §8: the limit is for servers...
  const std::optional<uint8_t> number = loss.add_path(path.recovery);
  QUOLL_CHECK(number.has_value());
  path.number = *number;
}

PathState* Connection::State::add_path(Instant now, const Path& path) {
  std::unique_ptr<PathState>* place = nullptr;
  for (std::unique_ptr<PathState>& each : paths) {
    if (!each) {
      place = &each;
      break;
    }
    if (each.get() == current || each.get() == fallback || each.get() == migrating_to) continue;
    if (!place || each->last_received < (*place)->last_received) place = &each;
  }
  if (!place) return nullptr;
  if (*place) remove_path(**place);
  *place = std::make_unique<PathState>(path, config.mtu);
  PathState& added = **place;
  setup_path(added, config.initial_rtt);
  added.last_received = now;
  return &added;
}

void Connection::State::remove_path(PathState& path) {
  QUOLL_DCHECK(&path != current);
  if (fallback == &path) fallback = nullptr;
  if (migrating_to == &path) migrating_to = nullptr;
  loss.remove_path(path.number);
  // RFC 9000 §9.5: the id goes with the path, unless a path of the same peer address goes on with it.
  bool is_shared = false;
  for (const std::unique_ptr<PathState>& each : paths) {
    is_shared |= each && each.get() != &path && each->remote_id.sequence_number == path.remote_id.sequence_number;
  }
  if (!is_shared) remote_ids->release(path.remote_id.sequence_number);
  trace(present, trace::PathAssigned{.number = path.number, .path = path.path, .is_abandoned = true});
  for (std::unique_ptr<PathState>& each : paths) {
    if (each.get() == &path) each.reset();
  }
}

/// RFC 9000 §5.1.1, §9.5: without a spare id the peer's next move could not be answered, and it gives others only for those that
/// are retired. Paths that are kept for late packets alone end before their time. When an id was wanted already and no such
/// path is there, the one ends that has been silent longest, such as one that was probed and never used.
void Connection::State::release_spare_paths(bool is_urgent) {
  PathState* silent = nullptr;
  bool released = false;
  for (const std::unique_ptr<PathState>& each : paths) {
    PathState* path = each.get();
    if (!path || path == current || path == fallback || path == migrating_to || path->is_awaited) continue;
    if (!path->remove_at.is_never()) {
      remove_path(*path);
      released = true;
    } else if (!silent || path->last_received < silent->last_received) {
      silent = path;
    }
  }
  if (is_urgent && !released && silent) remove_path(*silent);
}

PathState* Connection::State::path_of(PacketContext& context, PacketType type) {
  if (PathState* known = find_path(context.path)) return known;
  // RFC 9000 §9: clients discard what comes from unknown addresses; during the handshake addresses are stable.
  if (role == Role::client || type != PacketType::one_rtt || !handshake_complete) return nullptr;
  const std::optional<uint64_t> sequence = local_ids->sequence_of(context.destination);
  // RFC 9000 §9.5: a peer that goes on with its id was moved by its NAT, and may be answered with the id in use. One
  // that took another id wants an id that nobody has seen.
  const bool same_id = sequence && sequence == current->local_id_sequence;
  std::optional<RemoteConnectionIds::Id> id;
  if (same_id || remote_ids->uses_zero_length()) {
    id = current->remote_id;
  } else {
    id = remote_ids->take();
    if (!remote_ids->has_unused()) release_spare_paths(!id);
  }
  if (!id) return nullptr;
  PathState* added = add_path(context.now, context.path);
  if (!added) {
    if (id->sequence_number != current->remote_id.sequence_number) remote_ids->release(id->sequence_number);
    return nullptr;
  }
  added->remote_id = *id;
  added->local_id_sequence = sequence;
  added->amplification.on_received(context.datagram_size);
  trace(context.now, trace::PathAssigned{.number = added->number,
                                         .path = added->path,
                                         .local_id = context.destination,
                                         .remote_id = added->remote_id.id});
  return added;
}

void Connection::State::start_validation(Instant now, PathState& path) {
  // RFC 9000 §8.2.4: three times the larger PTO; that of a new path is made from its initial RTT.
  const Duration of_path = path.recovery.rtt.pto_base();
  path.validation.start(now, std::max(loss.pto(), of_path));
  trace(now, trace::MigrationStateUpdated{
                 .state = trace::MigrationState::probing_started, .number = path.number, .path = path.path});
}

/// The newest packet that does more than probe tells where a client is (RFC 9000 §9.2, §9.3).
void Connection::State::on_non_probing_packet(Instant now, PathState& path) {
  if (role == Role::client) {
    if (&path != current) return;
    for (const std::unique_ptr<PathState>& each : paths) {
      if (each && std::exchange(each->is_awaited, false)) each->remove_at = now + loss.pto() * kAbandonedPathPtos;
    }
    return;
  }
  if (&path == current) return;
  if (!path.is_validated() && path.path.local != current->path.local) {
    // RFC 9000 §9.6.2: to the preferred address, but not with more than probes before the path is validated.
    if (!std::exchange(path.is_awaited, true)) start_validation(now, path);
    return;
  }
  go_over(now, path);
}

/// The peer has gone over to another path; so do we.
void Connection::State::go_over(Instant now, PathState& path) {
  path.is_awaited = false;
  PathState& old = *current;
  if (old.is_validated()) fallback = &old;
  if (fallback == &path) fallback = nullptr;
  if (differs_in_port_only(old.path.remote, path.path.remote) && old.path.local == path.path.local) {
    // RFC 9000 §9.4: a new port is a NAT's work, the network is the same, and so is its state.
    std::swap(path.controller, old.controller);
    path.recovery.rtt = old.recovery.rtt;
    path.recovery.recovery_start = path.controller->recovery_start();
    old.recovery.recovery_start = old.controller->recovery_start();
  }
  switch_path(now, path);
  if (!path.is_validated()) {
    start_validation(now, path);
    // RFC 9000 §9.3.2: there to go back to until the verdict, which takes longer than packets need on their way.
    if (fallback) fallback->remove_at = Instant::never();
  } else {
    forget_fallback(now);
  }
  // RFC 9000 §9.3.3: whoever forwards packets from elsewhere must not move the connection away.
  if (old.is_validated()) start_validation(now, old);
}

void Connection::State::switch_path(Instant now, PathState& path) {
  PathState& old = *current;
  current = &path;
  old.remove_at = now + loss.pto() * kAbandonedPathPtos;
  if (role == Role::client && old.path.remote != path.path.remote) {
    // RFC 9000 §9.6.2: until the server has validated us at its preferred address, it sends from the other one.
    old.is_awaited = true;
    old.remove_at = Instant::never();
  }
  path.is_awaited = false;
  path.remove_at = Instant::never();
  loss.set_current_path(now, path.number);
  ecn.start();
  update_pacing(now);
  counters.migrations++;
  streams.set_smoothed_rtt(path.recovery.rtt.smoothed_rtt());
  push_event(Migrated{.path = path.path});
  trace(now, trace::MigrationStateUpdated{
                 .state = trace::MigrationState::migration_started, .number = path.number, .path = path.path});
}

void Connection::State::on_path_challenge(Instant now, PathState& path, const PathData& data) {
  path.responses.on_challenge(data);  // RFC 9000 §8.2.2: answered on the path where it came
  // RFC 9000 §9.6.3: a client that probes is about to come; once it is validated there, it need not wait when it does.
  const bool is_new = !path.is_validated() && path.validation.state() == PathValidation::State::idle;
  if (role == Role::server && &path != current && is_new) start_validation(now, path);
}

void Connection::State::on_path_response(Instant now, const PathData& data) {
  for (const std::unique_ptr<PathState>& each : paths) {
    const std::optional<PathValidation::Match> match =
        each ? each->validation.on_response(now, data) : std::optional<PathValidation::Match>();
    if (!match) continue;
    PathState& path = *each;
    path.amplification.set_validated();
    if (!path.recovery.rtt.has_sample() && !match->rtt.is_zero()) path.recovery.rtt = Rtt(match->rtt);
    // RFC 9000 §8.2.1: the address is right; that the path carries 1200 bytes is shown by another challenge, which
    // PathValidation has begun.
    if (!match->full_size) return;
    return on_path_validated(now, path);
  }
}

void Connection::State::on_path_validated(Instant now, PathState& path) {
  trace(now, trace::MigrationStateUpdated{
                 .state = trace::MigrationState::probing_successful, .number = path.number, .path = path.path});
  if (&path == migrating_to) {
    migrating_to = nullptr;
    switch_path(now, path);
    space(Space::application).ping = true;  // a packet that does more than probe, so that the server follows
  } else if (path.is_awaited) {
    go_over(now, path);
  } else if (&path == current) {
    forget_fallback(now);
  }
}

void Connection::State::forget_fallback(Instant now) {
  if (PathState* old = std::exchange(fallback, nullptr)) old->remove_at = now + loss.pto() * kAbandonedPathPtos;
}

void Connection::State::on_path_failed(Instant now, PathState& path) {
  trace(now, trace::MigrationStateUpdated{
                 .state = trace::MigrationState::probing_abandoned, .number = path.number, .path = path.path});
  if (&path != current) {
    const Path where = path.path;
    const bool was_wanted = &path == migrating_to;
    remove_path(path);
    if (was_wanted) push_event(MigrationFailed{.path = where});
    return;
  }
  // RFC 9000 §9.3.2: back to the last validated address; without one the connection is over, silently.
  if (fallback) {
    PathState& back = *std::exchange(fallback, nullptr);
    switch_path(now, back);
    return remove_path(path);
  }
  if (path.is_validated()) return;  // the old address of a peer that came back to it
  if (path.last_received + loss.pto() * kPathValidationPtos > now) {
    // The peer is heard there, and nowhere else: its answers are slower than its data. Within the anti-amplification limit
    // asking again costs little.
    return start_validation(now, path);
  }
  end({.why = Closed::Why::no_viable_path, .reason = "no path to the peer"});
  become_drained();
}

Result<void> Connection::State::migrate(Instant now, const Path& path) {
  if (role != Role::client) return usage_error("only a client migrates");
  if (!is_open() || !confirmed) return usage_error("RFC 9000 §9: not before the handshake is confirmed");
  const bool is_to_server = path.remote == current->path.remote;
  if (is_to_server && peer_parameters->disable_active_migration) {
    return usage_error("the server has disabled active migration");
  }
  if (remote_ids->uses_zero_length()) return usage_error("the server has no connection ids to migrate with");
  if (path == current->path) return usage_error("the connection is on this path");
  if (PathState* known = find_path(path); known && known != current) remove_path(*known);
  if (migrating_to) remove_path(*migrating_to);
  // RFC 9000 §9.5: a new path has a new id.
  const std::optional<RemoteConnectionIds::Id> id = remote_ids->take();
  if (!id) return usage_error("the server has given no spare connection id");
  PathState* added = add_path(now, path);
  if (!added) {
    remote_ids->release(id->sequence_number);
    return usage_error("too many paths");
  }
  added->remote_id = *id;
  migrating_to = added;
  trace(now, trace::PathAssigned{.number = added->number, .path = added->path, .remote_id = added->remote_id.id});
  start_validation(now, *added);
  return {};
}

void Connection::State::follow_preferred_address(Instant now) {
  // RFC 9000 §9.6.1: after the handshake is confirmed, to the address of the family that works.
  if (!config.follow_preferred_address || !peer_parameters || !peer_parameters->preferred_address) return;
  const PreferredAddress& preferred = *peer_parameters->preferred_address;
  const bool is_ipv6 = current->path.remote.ip.family() == IpAddress::Family::ipv6;
  const std::optional<SocketAddress>& there = is_ipv6 ? preferred.ipv6 : preferred.ipv4;
  if (!there || *there == current->path.remote) return;
  (void)migrate(now, {.local = current->path.local, .remote = *there});  // if it cannot be, all stays as it is
}

void Connection::State::replace_retired_ids(Instant now) {
  for (const std::unique_ptr<PathState>& each : paths) {
    if (!each || !remote_ids->must_replace(each->remote_id.sequence_number)) continue;
    const uint64_t old = each->remote_id.sequence_number;
    const std::optional<RemoteConnectionIds::Id> id = remote_ids->take();
    if (!id) {
      // RFC 9000 §5.1.2: a retired id is not used any more, and without one there is no path.
      if (each.get() != current) {
        remove_path(*each);
        continue;
      }
      const auto error = close_with(TransportError::protocol_violation, "all connection ids were retired");
      return fail(now, error.error());
    }
    for (const std::unique_ptr<PathState>& same : paths) {
      if (same && same->remote_id.sequence_number == old) same->remote_id = *id;
    }
    remote_ids->release(old);
    trace(now, trace::ConnectionIdUpdated{.initiator = trace::Side::remote, .id = id->id});
  }
}

}  // namespace quoll::quic
