// The progress bar of `quoll get`: one line on a terminal, written anew a few times a second.
//
// progress_line() is pure. RateMeter smooths over the last seconds, so that the time that is left does not jump.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace quoll::app {

struct ProgressState {
  uint64_t done = 0;                // bytes
  std::optional<uint64_t> total{};  // empty: unknown
  Bandwidth rate{};
  Duration elapsed{};
  size_t transfers = 1, transfers_done = 0;  // shown when there is more than one
};

/// At most `columns` characters of ASCII, at least the amount.
std::string progress_line(const ProgressState& state, size_t columns);

/// "0 B", "1023 B", "1.50 KiB", "12.3 MiB": at most eight characters below an exbibyte.
std::string size_text(uint64_t bytes);
/// "0:07", "12:34", "1:02:03"; "-:--" for infinite.
std::string clock_text(Duration duration);

/// Bytes a second over the last seconds.
class RateMeter {
 public:
  void add(Instant now, uint64_t done);
  Bandwidth rate() const;

 private:
  static constexpr size_t kSamples = 16;
  static constexpr Duration kInterval = Duration::milliseconds(250);
  struct Sample {
    Instant time;
    uint64_t done = 0;
  };
  std::array<Sample, kSamples> samples_{};  // a ring
  size_t count_ = 0, next_ = 0;
  Sample latest_;
};

/// Writes the line to standard error. Nothing is written before the first draw().
class ProgressBar {
 public:
  void draw(const ProgressState& state);
  /// Takes the line away, for a message that follows or for what comes after.
  void clear();
  /// Leaves the line as it is and goes to the next one.
  void finish();

 private:
  size_t shown_ = 0;  // characters
};

}  // namespace quoll::app
