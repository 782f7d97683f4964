// BufferPool: buffers of one size (a datagram, or a GRO train of 64 KiB) that are used again and again.
//
// A buffer comes back by itself when the Buffer and the last slice of it are gone. Free buffers are kept in a list,
// last in first out, so that memory still in the cache is used first; once warm, taking and giving back allocate
// nothing. At most `limit` buffers exist at a time, and take() comes back empty beyond that: the socket loop then
// waits, and memory is bounded whatever peers do. trim() returns free buffers to the heap. Slices may outlive the pool:
// what is still held then goes to the heap when it is dropped. One thread only, as for Slice.
#pragma once

#include <cstddef>
#include <optional>

#include "base/slice.h"

namespace quoll {

class BufferPool {
 public:
  struct Statistics {
    size_t in_use = 0;      // buffers that somebody holds
    size_t free = 0;        // buffers that wait in the pool
    size_t high_water = 0;  // the most that were in use at a time
    uint64_t refused = 0;   // calls of take() that came back empty
  };

  /// Allocates nothing yet.
  BufferPool(size_t buffer_size, size_t limit);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  /// A buffer of buffer_size() bytes, aligned to a cache line, uninitialised; empty when `limit` buffers are in use.
  std::optional<Buffer> take();

  /// Gives free buffers back to the heap until no more than `keep` are free.
  void trim(size_t keep);

  size_t buffer_size() const;
  const Statistics& statistics() const;

 private:
  struct Shared;
  struct Block;

  Shared* shared_;
};

}  // namespace quoll
