// ReceiveBuffers: memory that datagrams arrive in, so that what streams keep waiting pins little more than itself.
//
// A buffer for receive() has the size of a whole GRO train. What arrives is mostly a few datagrams, and a byte of it that
// an application has not read yet would keep 64 KiB alive: short trains are copied into a buffer of their size, and the
// large one is used again at once.
#pragma once

#include <array>
#include <span>

#include "base/buffer_pool.h"
#include "base/net.h"
#include "udp/socket.h"

namespace quoll::web {

inline constexpr size_t kReceiveBatch = 16;                 // trains a call
inline constexpr size_t kTrainsMax = 16 * 1024;             // large buffers that streams may pin: 1 GiB
inline constexpr size_t kTrainsKept = 64;                   // free ones that are kept for later
inline constexpr size_t kDatagramBufferSize = 2048;         // what a short train is copied into
inline constexpr size_t kDatagramBuffersMax = 1024 * 1024;  // as many, 2 GiB, of single datagrams
inline constexpr size_t kCopyBelow = 8 * 1024;              // bytes: a longer train keeps its buffer

class ReceiveBuffers {
 public:
  explicit ReceiveBuffers(size_t train_size)
      : trains_(train_size, kTrainsMax), datagrams_(kDatagramBufferSize, kDatagramBuffersMax) {}

  /// What waits at a socket, or a worker's inbox; good until the next call. Empty when nothing does, or memory is used up.
  template <class Source>
  std::span<Received> receive(Source& source) {
    return copied(source.receive(trains_, received_));
  }
  /// No memory to receive into before streams are read.
  bool is_exhausted() const { return trains_.statistics().in_use >= kTrainsMax; }
  /// Gives back what a burst took.
  void trim() {
    if (trains_.statistics().free > kTrainsKept) trains_.trim(kTrainsKept);
    if (datagrams_.statistics().free > kDatagramsKept) datagrams_.trim(kDatagramsKept);
  }

 private:
  static constexpr size_t kDatagramsKept = 256;
  std::span<Received> copied(size_t count);
  void copy_short(Received& received);

  BufferPool trains_;
  BufferPool datagrams_;
  std::array<Received, kReceiveBatch> received_;
};

}  // namespace quoll::web
