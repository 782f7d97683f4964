// WindowedMax: the largest value of a window that slides over a virtual time, in constant memory.
//
// It keeps the best value and, of what came after it, the second and third best, so that the best of the rest is at hand
// when the best one leaves the window (the scheme that draft-ietf-ccwg-bbr §5.5.5 refers to). What it answers was seen within the
// window and is no less than the newest value; it may be less than the largest, since what comes in the quarter of a window after
// the best is not remembered.
#pragma once

#include <array>
#include <cstdint>

namespace quoll::quic {

template <class Value>
class WindowedMax {
 public:
  /// The largest value so far in the window.
  Value best() const { return samples_[0].value; }

  /// `value` at `time`, which never goes back; the window reaches `length` back from it.
  Value update(Value value, uint64_t time, uint64_t length) {
    const Sample sample{value, time};
    if (value >= samples_[0].value || time - samples_[2].time > length) return reset(sample);
    if (value >= samples_[1].value) {
      samples_[1] = samples_[2] = sample;
    } else if (value >= samples_[2].value) {
      samples_[2] = sample;
    }
    slide(sample, length);
    return best();
  }

 private:
  struct Sample {
    Value value{};
    uint64_t time = 0;
  };

  Value reset(Sample sample) {
    samples_.fill(sample);
    return best();
  }

  void slide(Sample sample, uint64_t length) {
    const uint64_t age = sample.time - samples_[0].time;
    if (age > length) {
      // The best has left the window, and perhaps the next one with it.
      samples_ = {samples_[1], samples_[2], sample};
      if (sample.time - samples_[0].time > length) samples_ = {samples_[1], samples_[2], sample};
    } else if (samples_[1].time == samples_[0].time && age > length / 4) {
      // A quarter of the window without a second best: one from the part that is left.
      samples_[1] = samples_[2] = sample;
    } else if (samples_[2].time == samples_[1].time && age > length / 2) {
      samples_[2] = sample;
    }
  }

  std::array<Sample, 3> samples_{};
};

}  // namespace quoll::quic
