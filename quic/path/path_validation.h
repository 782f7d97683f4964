// PathValidation: whether the peer can be reached at an address (RFC 9000 §8.2), for one path; and PathResponses: what is
// owed for the peer's challenges.
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
  /// Begins, or begins anew; `pto` is the larger of the two. A challenge is due at once.
  void start(Instant now, Duration pto);
  /// The handshake has validated it.
  void set_validated() { state_ = State::validated; }
  void abandon();

  /// A challenge is to be sent now.
  bool is_due(Instant now) const;
  /// Writes down a challenge that goes out now; repeats are spaced by the PTO, doubling.
  PathData make_challenge(Instant now, Rng& rng);
  /// True when the data is that of a challenge in flight: the path is validated. The answer may come on any path (§8.2.3).
  /// `sent_full_size`: whether that challenge was in a datagram of 1200 bytes; if not, the path's MTU is not validated
  /// (§8.2.1) and another, larger challenge must follow.
  struct Match {
    bool full_size = false;
    Duration rtt{};  // from the sending of that challenge
  };
  std::optional<Match> on_response(Instant now, const PathData& data);
  /// The datagram with the last challenge was smaller than 1200 bytes, for lack of allowance.
  void note_small();

  /// The next challenge, or the end of waiting.
  Instant next_timeout() const;
  /// True when validation has just failed.
  bool on_timeout(Instant now);

 private:
  // (the implementation's)
  State state_ = State::idle;
};

/// PATH_RESPONSEs that are owed on one path: bounded, so that a flood of challenges costs no memory; the oldest goes.
class PathResponses {
 public:
  static constexpr size_t kMax = 4;

  void on_challenge(const PathData& data);
  bool empty() const { return count_ == 0; }
  const PathData& front() const;
  void pop();

 private:
  std::array<PathData, kMax> data_{};
  uint8_t first_ = 0;
  uint8_t count_ = 0;
};

}  // namespace quoll::quic
