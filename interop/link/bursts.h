// Bursts: how smoothly a sender hands over its packets: bytes within a short time, and the lengths of trains.
//
// What counts is when packets came to the device, before any queue made them smooth.
#pragma once

#include <cstdint>
#include <deque>

#include "base/time.h"
#include "interop/link/histogram.h"

namespace quoll::link {

/// What came within a window of time, which ends with each packet.
class BurstWindow {
 public:
  explicit BurstWindow(Duration length) : length_(length) {}

  /// Time does not run back.
  void add(Instant at, uint64_t size);
  /// For each packet, the bytes that came with it and within the length before it.
  const Histogram& bytes() const { return bytes_; }

 private:
  struct Packet {
    Instant at;
    uint64_t size;
  };

  Duration length_;
  std::deque<Packet> packets_;  // those of the window
  uint64_t sum_ = 0;            // of their sizes
  Histogram bytes_;
};

class Bursts {
 public:
  /// Packets with longer gaps between them belong to different trains. 1,500 bytes need 120 µs at 100 Mbit/s.
  static constexpr Duration kTrainGap = Duration::microseconds(50);

  /// Time does not run back.
  void add(Instant at, uint64_t size);
  const Histogram& within_1ms() const { return short_.bytes(); }
  const Histogram& within_10ms() const { return long_.bytes(); }
  /// Packets of each train, the last one included.
  Histogram trains() const;

 private:
  BurstWindow short_{Duration::milliseconds(1)}, long_{Duration::milliseconds(10)};
  Histogram trains_;    // that are over
  uint64_t train_ = 0;  // packets of the present one
  Instant last_;
};

}  // namespace quoll::link
