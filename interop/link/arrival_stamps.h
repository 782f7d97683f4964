// ArrivalStamps: when the kernel got each of the packets that a device sends, from a packet socket that sees their beginnings.
//
// What is read from a TUN device has no time. With these stamps a link knows when a packet came though it was itself asleep: it
// does not take for a burst what was sent smoothly. Stamps are matched with packets by content, in order; where one is
// missing, because the kernel had no room for it, the packet counts as just come.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/time.h"

namespace quoll::link {

class ArrivalStamps {
 public:
  /// Of a device in the calling thread's network namespace. Null when the kernel gives none.
  static std::unique_ptr<ArrivalStamps> open(int device);
  ~ArrivalStamps();
  ArrivalStamps(const ArrivalStamps&) = delete;
  ArrivalStamps& operator=(const ArrivalStamps&) = delete;

  /// How long ago the packet, which was just read from the device, came to it; zero when that is not known.
  Duration age(Bytes packet);

 private:
  ArrivalStamps(int fd, uint8_t* ring) : fd_(fd), ring_(ring) {}

  int fd_;
  uint8_t* ring_;  // shared with the kernel
  size_t next_ = 0;
};

}  // namespace quoll::link
