#include "quic/path/path_validation.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/ct.h"

namespace quoll::quic {

namespace {

/// No PTO is shorter than the timers' granularity (RFC 9002 §6.2.1): a caller that says so must not make us flood.
constexpr Duration kSpacingMin = Duration::milliseconds(1);

}  // namespace

void PathValidation::start(Instant now, Duration pto) {
  state_ = State::pending;
  count_ = 0;
  pto_ = interval_ = std::max(pto, kSpacingMin);
  deadline_ = now + kPathValidationPtos * pto_;
  next_challenge_ = Instant::never();
  due_ = true;
}

void PathValidation::set_validated() {
  state_ = State::validated;
  count_ = 0;
}

void PathValidation::abandon() {
  if (state_ == State::pending) state_ = State::idle;
  count_ = 0;
}

bool PathValidation::is_due(Instant now) const {
  return state_ == State::pending && now < deadline_ && (due_ || now >= next_challenge_);
}

PathData PathValidation::make_challenge(Instant now, Rng& rng) {
  QUOLL_DCHECK(state_ == State::pending);
  last_ = static_cast<uint8_t>(count_ == 0 ? 0 : (last_ + 1) % kChallengesMax);
  count_ = static_cast<uint8_t>(std::min<size_t>(count_ + size_t{1}, kChallengesMax));
  Challenge& challenge = challenges_[last_];
  challenge.sent = now;
  challenge.full_size = true;
  // RFC 9000 §8.2.1: unpredictable data in every challenge.
  rng.fill(challenge.data);
  // RFC 9000 §8.2.1, §9.4: no more often than Initial packets, so with a PTO that doubles.
  due_ = false;
  next_challenge_ = now + interval_;
  interval_ = interval_ * 2;
  return challenge.data;
}

std::optional<PathValidation::Match> PathValidation::on_response(Instant now, const PathData& data) {
  if (state_ != State::pending) return {};
  for (size_t i = 0; i < count_; i++) {
    const Challenge& challenge = challenges_[i];
    if (!crypto::ct::equal(challenge.data, data)) continue;
    const Match match{.full_size = challenge.full_size, .rtt = now - challenge.sent};
    if (match.full_size) {
      set_validated();
    } else {
      // RFC 9000 §8.2.3: another validation must follow, with an expanded datagram.
      start(now, pto_);
    }
    return match;
  }
  return {};
}

void PathValidation::note_small() {
  QUOLL_DCHECK(count_ != 0);
  challenges_[last_].full_size = false;
}

Instant PathValidation::next_timeout() const {
  if (state_ != State::pending) return Instant::never();
  return due_ ? deadline_ : std::min(deadline_, next_challenge_);
}

bool PathValidation::on_timeout(Instant now) {
  if (state_ != State::pending) return false;
  // RFC 9000 §8.2.4: abandoned by a timer.
  if (now >= deadline_) {
    state_ = State::failed;
    count_ = 0;
    return true;
  }
  if (now >= next_challenge_) due_ = true;
  return false;
}

void PathResponses::on_challenge(const PathData& data) {
  if (count_ == kMax) pop();
  data_[(first_ + size_t{count_}) % kMax] = data;
  count_++;
}

const PathData& PathResponses::front() const {
  QUOLL_DCHECK(count_ != 0);
  return data_[first_];
}

void PathResponses::pop() {
  QUOLL_DCHECK(count_ != 0);
  first_ = static_cast<uint8_t>((first_ + 1) % kMax);
  count_--;
}

}  // namespace quoll::quic
