// PathValidation: whether the peer can be reached at an address (RFC 9000 §8.2), for one path; and PathResponses:
// what is owed for the peer's challenges.
//
// The owner of PATH_CHALLENGE and PATH_RESPONSE, which leave no token: a challenge is never repeated, a fresh one
// follows, and an acknowledgment proves nothing (§8.2.3). Who writes them keeps to one challenge in a packet, to
// datagrams of 1200 bytes (or what AntiAmplification allows), and to the path; a response is matched with the
// challenges of all paths.
//
// A challenge in a datagram that was smaller, when answered, validates the address alone: then validation begins once
// more by itself, for a full-sized one, and the path counts as validated when that is answered (§8.2.1, §8.2.3).
#pragma once

#include <array>
#include <optional>

#include "base/rng.h"
#include "base/time.h"
#include "quic/wire/frame.h"

namespace quoll::quic {

/// RFC 9000 §8.2.4: three times the larger of the current PTO and that of the new path.
inline constexpr int kPathValidationPtos = 3;
/// Challenges in flight at a time: each is sent with fresh data, and any of them validates.
inline constexpr size_t kChallengesMax = 4;

class PathValidation {
 public:
  enum class State : uint8_t { idle, pending, validated, failed };

  State state() const { return state_; }
  /// Begins, or begins anew; `pto` is the larger of the two. A challenge is due at once; earlier ones are forgotten.
  void start(Instant now, Duration pto);
  /// The handshake has validated it.
  void set_validated();
  /// Gives up a validation that is pending, without a verdict.
  void abandon();

  /// A challenge is to be sent now.
  bool is_due(Instant now) const;
  /// Writes down a challenge that goes out now; repeats are spaced by the PTO, doubling.
  PathData make_challenge(Instant now, Rng& rng);
  /// What an answer shows when the data is that of a challenge in flight: the peer is at this path's address. The
  /// answer may come on any path (§8.2.3). Unless `full_size`, the path's MTU is not validated (§8.2.1): the state
  /// stays pending, and another challenge is due, in a datagram of 1200 bytes, which the address's validation now
  /// allows.
  struct Match {
    bool full_size = false;
    Duration rtt{};  // from the sending of that challenge
  };
  std::optional<Match> on_response(Instant now, const PathData& data);
  /// The datagram with the last challenge was smaller than 1200 bytes, for lack of allowance.
  void note_small();

  /// The next challenge, or the end of waiting; never when a challenge is due already and waits to be sent.
  Instant next_timeout() const;
  /// True when validation has just failed.
  bool on_timeout(Instant now);

 private:
  struct Challenge {
    PathData data{};
    Instant sent;
    bool full_size = true;
  };

  std::array<Challenge, kChallengesMax> challenges_{};
  Instant deadline_ = Instant::never();
  Instant next_challenge_ = Instant::never();
  Duration pto_;
  Duration interval_;
  State state_ = State::idle;
  uint8_t count_ = 0;  // of challenges in flight
  uint8_t last_ = 0;   // the newest of them
  bool due_ = false;
};

/// PATH_RESPONSEs that are owed on one path: bounded, so that a flood of challenges costs no memory; the oldest goes.
class PathResponses {
 public:
  static constexpr size_t kMax = 4;

  void on_challenge(const PathData& data);
  bool empty() const { return count_ == 0; }
  /// The oldest; not empty.
  const PathData& front() const;
  /// It was sent: once, whatever becomes of it (RFC 9000 §8.2.2).
  void pop();

 private:
  std::array<PathData, kMax> data_{};
  uint8_t first_ = 0;
  uint8_t count_ = 0;
};

}  // namespace quoll::quic
