// Protection of 0-RTT against replay (RFC 8446 §8; RFC 9001 §9.2): each ClientHello that carries early data is admitted
// once within the freshness window.
//
// StrikeRegister remembers the binders it admitted for as long as they would pass the freshness check. Its memory has a
// fixed bound; when it is full, or too young to know what a predecessor admitted, it refuses, and the handshake goes on
// without early data. Thread-safe, so that the workers of a process can share one. Processes and machines that open the
// same tickets do not share it: each of them would admit a ClientHello once (RFC 8446 §8.2).
#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/unix_time.h"

namespace quoll::tls {

class AntiReplay {
 public:
  virtual ~AntiReplay() = default;
  /// True the first time that it sees `unique` (a PSK binder) within the window; false otherwise or when in doubt.
  virtual bool admit(Bytes unique, UnixTime now) = 0;
  /// How far a ticket's claimed age may be off, both ways, to be fresh.
  virtual Duration window() const = 0;
};

/// What it holds of a binder is its keyed hash of 64 bits. Two binders with one hash cost the second one its early data,
/// with a chance of 2^-47 in a register of 65536 entries that is full; a binder that was admitted is never taken for
/// another one.
class StrikeRegister final : public AntiReplay {
 public:
  struct Options {
    Duration window = Duration::seconds(10);  // at most kWindowMax
    /// Admissions within two windows (and kReorderingMax). The memory is 21 bytes for each, taken at once; at most kEntriesMax.
    size_t entries_max = 65'536;
    UnixTime start;  // nothing is admitted before start + 2 windows: a restart forgot what came before
  };
  static constexpr Duration kWindowMax = Duration::seconds(24 * 3600);
  static constexpr size_t kEntriesMax = size_t{1} << 26;
  /// How far `now` may lie before the latest one that was seen: workers read the clock before they come here. A clock
  /// that is set back by more is in doubt until it has caught up.
  static constexpr Duration kReorderingMax = Duration::seconds(1);

  /// `rng` keys the table, so that a client cannot aim at one place of it.
  StrikeRegister(const Options& options, Rng& rng);
  ~StrikeRegister() override;

  bool admit(Bytes unique, UnixTime now) override;
  Duration window() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quoll::tls
