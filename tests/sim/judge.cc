#include "tests/sim/judge.h"

#include <algorithm>

namespace quoll::sim {
namespace {

/// Beyond the idle timeout: three PTOs may be longer than it (RFC 9000 §10.1), and datagrams are underway for a while.
constexpr Duration kSlack = Duration::seconds(3);
constexpr size_t kLossesMin = 2;

/// One side of a connection, and the other.
struct Side {
  const Facts& facts;
  Conversation& self;
  Conversation* peer;
  Direction towards_self;

  const char* name() const { return self.role() == quic::Role::client ? "client" : "server"; }
  Instant end() const { return self.closed_at(); }
  /// When the peer was gone for its own reasons.
  Instant peer_end() const { return peer ? std::min(peer->close_called_at(), peer->closed_at()) : Instant::never(); }
};

std::string complain(const Side& side, const std::string& what) {
  const quic::Closed& closed = *side.self.closed();
  return std::string(side.name()) + " of connection " + std::to_string(side.facts.client.index()) + ": " + what +
         " (code " + std::to_string(closed.error_code) + ", frame " + std::to_string(closed.frame_type) + ", \"" +
         closed.reason + "\")";
}

/// Losses kept the peer's news from us.
bool lost_the_close(const Side& side) {
  return side.peer_end() <= side.end() &&
         side.facts.journal.losses(side.towards_self, side.peer_end() - kSlack, side.end()) > 0;
}

/// The NAT gave the client another address between Retry and handshake, or that took longer than tokens live.
bool token_became_invalid(const Side& side) {
  const ScenarioOptions& options = side.facts.options;
  const bool late = side.end() - side.facts.client.started_at() > quic::EndpointConfig().retry_token_lifetime;
  const bool retried = options.retry > 0 || options.ask == 2;
  return retried && (options.rebinds > 0 || late) && !side.facts.client.is_confirmed();
}

/// RFC 9000 §9: nobody migrates before the handshake is confirmed, so a server does not hear a client whose address changes
/// in the midst of it.
bool moved_in_handshake(const Side& side) {
  return side.facts.options.rebinds > 0 && !side.facts.client.is_confirmed();
}

std::string judge_idle_timeout(const Side& side, Features& features) {
  const Facts& facts = side.facts;
  features.add(Feature::idle_timeouts);
  const Duration idle = Duration::milliseconds(facts.options.idle_ms);
  const bool moved = facts.options.rebinds > 0 || facts.options.migrations > 0 || facts.options.preferred_address > 0;
  const bool strangers = facts.options.forge_ppm > 0 || facts.options.replay_ppm > 0 ||
                         facts.options.up.corrupt_ppm > 0 || facts.options.down.corrupt_ppm > 0;  // are answered, too
  // What comes so late that its number is forgotten is not processed; what comes twice, an Initial packet above all, may be
  // answered by another connection.
  const bool late = facts.options.up.reorder_ppm > 0 || facts.options.down.reorder_ppm > 0 ||
                    facts.options.up.duplicate_ppm > 0 || facts.options.down.duplicate_ppm > 0;
  const bool alone =
      facts.options.connections == 1 && !strangers && !late && side.peer_end() > side.end() && !facts.restarted;
  if (alone && !moved && side.self.is_confirmed()) {
    // A host gathers trains, so that what has arrived is not yet received.
    const Duration slack = Duration::milliseconds(1 + facts.options.gather_us / 1'000);
    // Around the handshake packets come whose keys are gone already.
    const bool after_handshake = side.end() - idle > facts.client.started_at() + Duration::seconds(2);
    if (after_handshake &&
        facts.journal.deliveries(side.towards_self, side.end() - idle + slack, side.end() - slack) > 0) {
      return complain(side, "idle timeout although datagrams arrived");
    }
  }
  if (facts.restarted) return {};
  if (facts.ending == Ending::idle && side.self.is_done() && side.peer && side.peer->is_done()) {
    // A peer that ended long before answers nothing.
    const bool answered = side.peer_end() > side.end() - idle;
    const bool undisturbed =
        answered && !moved && !strangers && facts.journal.losses(side.end() - idle - kSlack, side.end()) == 0;
    const uint64_t in_flight = side.self.statistics().bytes_in_flight;
    if (undisturbed && in_flight != 0) return complain(side, std::to_string(in_flight) + " bytes remain in flight");
    return {};
  }
  if (lost_the_close(side)) return {};
  if (side.peer && side.peer->closed() && side.peer->closed()->why == quic::Closed::Why::idle_timeout &&
      side.peer->closed_at() <= side.end()) {
    return {};  // the peer's is judged by itself
  }
  // A PTO that has backed off waits as long as that again.
  // Who never got the end of the handshake may have lost it long ago: the other side has given up since then.
  const Instant from = facts.client.is_confirmed() ? side.end() - 2 * idle - kSlack : side.self.started_at() - kSlack;
  if (facts.journal.losses(from, side.end()) >= kLossesMin || moved_in_handshake(side)) {
    features.add(Feature::timeouts_explained);
    return {};
  }
  return complain(side, "idle timeout without losses: " + facts.client.describe() +
                            (facts.server ? " | " + facts.server->describe() : std::string()));
}

std::string judge_handshake_timeout(const Side& side, Features& features) {
  features.add(Feature::handshake_timeouts);
  if (side.facts.restarted || lost_the_close(side) || token_became_invalid(side)) return {};
  if (side.facts.journal.losses(side.self.started_at() - kSlack, side.end()) > kLossesMin || moved_in_handshake(side)) {
    features.add(Feature::timeouts_explained);
    return {};
  }
  return complain(side, "handshake timeout without losses");
}

std::string judge_close_of_peer(const Side& side) {
  const quic::Closed& closed = *side.self.closed();
  const bool peer_closed = side.peer && !side.peer->close_called_at().is_never();
  if (closed.application) {
    if (!peer_closed) return complain(side, "closed by a peer that did not close");
    if (closed.error_code != side.peer->close_code()) return complain(side, "closed with another code than the peer's");
    return {};
  }
  // RFC 9000 §10.2.3: before the handshake is confirmed, an application's code may be hidden.
  if (closed.error_code == static_cast<uint64_t>(quic::TransportError::application_error) && peer_closed &&
      side.peer->closed_while_unestablished()) {
    return {};
  }
  // A token that was changed on its way is answered like a wrong one, and so is one that comes from another address than
  // it was made for (RFC 9000 §8.1.2).
  const bool invalid = closed.error_code == static_cast<uint64_t>(quic::TransportError::invalid_token);
  const ScenarioOptions& options = side.facts.options;
  if (invalid && (options.up.corrupt_ppm > 0 || options.forge_ppm > 0 || token_became_invalid(side))) return {};
  return complain(side, "closed by an error that the peer found");
}

std::string judge_side(const Side& side, Features& features) {
  const quic::Closed& closed = *side.self.closed();
  if (side.facts.also_accept && side.facts.also_accept(closed)) return {};
  switch (closed.why) {
    case quic::Closed::Why::local:
      if (side.self.close_called_at().is_never()) return complain(side, "closed by an error that it found");
      if (!closed.application || closed.error_code != side.self.close_code()) {
        return complain(side, "close() gave another code");
      }
      features.add(Feature::application_closes);
      return {};
    case quic::Closed::Why::peer:
      return judge_close_of_peer(side);
    case quic::Closed::Why::stateless_reset:
      features.add(Feature::stateless_resets);
      if (side.facts.restarted || side.peer_end() <= side.end()) return {};
      // A server that never got the end of the handshake has given up.
      if (!side.peer && side.facts.journal.losses(side.self.started_at(), side.end()) >= kLossesMin) return {};
      return complain(side, "a stateless reset that nobody sent");
    case quic::Closed::Why::idle_timeout:
      return judge_idle_timeout(side, features);
    case quic::Closed::Why::handshake_timeout:
      return judge_handshake_timeout(side, features);
    case quic::Closed::Why::no_viable_path:
      if (side.facts.journal.losses(side.end() - Duration::seconds(60), side.end()) >= kLossesMin) return {};
      return complain(side, "no viable path without losses");
    case quic::Closed::Why::version_negotiation:
      // Version Negotiation is not authenticated: one that was changed on its way may say anything.
      if (side.facts.options.versions == Versions::negotiation && side.facts.options.down.corrupt_ppm > 0) return {};
      return complain(side, "no version in common");
  }
  return {};
}

/// What must hold of the numbers of any connection.
std::string judge_statistics(const Side& side, Features& features) {
  const Facts& facts = side.facts;
  const ScenarioOptions& o = facts.options;
  const quic::Statistics& s = side.self.statistics();
  if (!side.self.connected_at()) return {};
  if (s.mtu < quic::kBaseMtu || s.mtu > std::max<uint32_t>(o.mtu_max, quic::kBaseMtu)) {
    return complain(side, "the MTU is " + std::to_string(s.mtu));
  }
  if (s.packets_spuriously_lost > s.packets_lost) return complain(side, "more losses were spurious than there were");
  // RFC 9002 §6.1: on a path that loses nothing and keeps the order, nothing is declared lost, unless a peer had reason
  // to drop what arrived.
  const bool in_order = o.up.reorder_ppm == 0 && o.down.reorder_ppm == 0 && o.replay_ppm == 0 && o.forge_ppm == 0 &&
                        o.rebinds == 0 && o.migrations == 0 && o.preferred_address == 0;
  const bool dropped = o.refuse_early > 0 || facts.restarted || o.ask > 0 || o.parallel > 0;
  if (in_order && !dropped && facts.journal.losses(Instant() - Duration::seconds(1), side.end()) == 0) {
    features.add(Feature::perfect_paths);
    if (s.packets_lost != 0) {
      return complain(side, std::to_string(s.packets_lost) + " packets were declared lost on a perfect path");
    }
  }
  return {};
}

}  // namespace

std::string judge(const Facts& facts, Features& features) {
  const Side client{facts, facts.client, facts.server, Direction::to_client};
  for (const auto part : {judge_side, judge_statistics}) {
    if (std::string wrong = part(client, features); !wrong.empty()) return wrong;
  }
  if (!facts.server || facts.server->is_abandoned() || !facts.server->closed()) return {};
  const Side server{facts, *facts.server, &facts.client, Direction::to_server};
  for (const auto part : {judge_side, judge_statistics}) {
    if (std::string wrong = part(server, features); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace quoll::sim
