// Why two windows: a ClientHello is fresh while the server's clock is within one window of the moment that it claims to
// be from. One that was admitted at time t may claim a moment as late as t + window, and is then fresh until
// t + 2 windows. So a generation lasts two windows, and an entry is forgotten only when the generation after its own is
// over. kReorderingMax comes on top of that, since it may be presented with a time that is so much earlier.
#include "tls/anti_replay.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

#include "crypto/siphash.h"

namespace quoll::tls {
namespace {

using crypto::SipHash;

/// A set of 64-bit hashes, none kEmpty, with a fixed number of places: open addressing, linear probing, at most three quarters full.
class HashSet {
 public:
  explicit HashSet(size_t entries_max) : entries_max_(entries_max), places_(entries_max + entries_max / 3 + 1) {}

  bool full() const { return size_ == entries_max_; }
  bool contains(uint64_t hash) const { return places_[find(hash)] == hash; }
  /// Wants a hash that is not in the set, and a set that is not full.
  void insert(uint64_t hash) {
    places_[find(hash)] = hash;
    size_++;
  }
  void clear() {
    if (size_ != 0) std::ranges::fill(places_, kEmpty);
    size_ = 0;
  }

  static constexpr uint64_t kEmpty = 0;

 private:
  /// Where the hash is, or the empty place where it would go. One place at least is empty.
  size_t find(uint64_t hash) const {
    size_t place = hash % places_.size();
    while (places_[place] != kEmpty && places_[place] != hash) place = place + 1 == places_.size() ? 0 : place + 1;
    return place;
  }

  size_t entries_max_;
  size_t size_ = 0;
  std::vector<uint64_t> places_;
};

SipHash random_key(Rng& rng) {
  std::array<uint8_t, SipHash::kKeySize> key;
  rng.fill(key);
  return SipHash(key);
}

}  // namespace

struct StrikeRegister::State {
  State(const Options& options, Rng& rng)
      : window(std::clamp(options.window, Duration(), kWindowMax)),
        generation(2 * window + kReorderingMax),
        first_admission(options.start + 2 * window),
        hash(random_key(rng)),
        current(std::min(options.entries_max, kEntriesMax)),
        previous(current),
        current_since(options.start),
        latest(options.start) {}

  /// Forgets what is old enough.
  void follow(UnixTime now) {
    latest = std::max(latest, now);
    const Duration elapsed = latest - current_since;
    if (elapsed < generation) return;
    std::swap(current, previous);
    current.clear();
    if (elapsed < 2 * generation) {
      current_since = current_since + generation;
    } else {
      previous.clear();
      current_since = latest;
    }
  }

  const Duration window;
  const Duration generation;
  const UnixTime first_admission;
  const SipHash hash;

  std::mutex mutex;  // of all below
  HashSet current, previous;
  UnixTime current_since;
  UnixTime latest;  // time that was seen
};

StrikeRegister::StrikeRegister(const Options& options, Rng& rng) : state_(std::make_unique<State>(options, rng)) {}
StrikeRegister::~StrikeRegister() = default;

bool StrikeRegister::admit(Bytes unique, UnixTime now) {
  State& state = *state_;
  const uint64_t hash = std::max(state.hash(unique), HashSet::kEmpty + 1);
  const std::lock_guard lock(state.mutex);
  // RFC 8446 §8.2: what a predecessor admitted just before it ended must be stale by now.
  if (now < state.first_admission || now < state.latest - kReorderingMax) return false;
  state.follow(now);
  if (state.current.contains(hash) || state.previous.contains(hash) || state.current.full()) return false;
  state.current.insert(hash);
  return true;
}

Duration StrikeRegister::window() const { return state_->window; }

}  // namespace quoll::tls
