// ReceiveBuffer: puts the bytes of a stream (or of one level of CRYPTO data) in order (RFC 9000 §2.2).
//
// Data is held as slices of the datagrams that brought it, unless these pin far more memory than they hold: then bytes
// are copied into blocks of their own, as small fragments are at once that nothing before them pins already. Bytes that are there twice are kept once, the
// first copy. Memory is bounded by the flow control window that the caller enforces: memory() is never above
// kPinnedFactorMax * held() + kReceiveSlack, and the number of gaps has a limit, beyond which data is refused; the caller
// then leaves the packet unacknowledged, so that nothing is lost. Data that goes on where all has arrived is never
// refused.
//
// What has arrived is a list of ranges, and each range a chain of slices: in order or filling a gap, data costs a search
// over the ranges, never over the slices. Data in order that finds the buffer empty costs no allocation. When the last
// byte is read no datagram is pinned, and what is kept, so that the next train allocates nothing, is kReceiveKeptMax at
// most, until trim().
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/slice.h"

namespace quoll::quic {

/// Gaps between the pieces that wait.
inline constexpr size_t kReceiveGapsMax = 1024;
/// Memory that slices may keep alive for each byte that they hold, before they are copied out.
inline constexpr size_t kPinnedFactorMax = 4;
/// Beside that: one buffer of a train that has just begun to arrive, and the books over kReceiveGapsMax gaps.
inline constexpr size_t kReceiveSlack = 128 * 1024;
/// Data below this size that has to wait is copied at once: its slice would cost more than its bytes.
inline constexpr size_t kReceiveFragmentMax = 512;

/// Nodes and ranges that an empty buffer keeps: those of two trains of 64 packets, and of some losses.
inline constexpr size_t kReceiveNodesKept = 128;
inline constexpr size_t kReceiveRangesKept = 16;
/// Blocks that copied fragments share.
inline constexpr size_t kFragmentBlockMin = 256;
inline constexpr size_t kFragmentBlockMax = 2048;
inline constexpr size_t kReceiveKeptMax = kReceiveNodesKept * 32 + kReceiveRangesKept * 24 + kFragmentBlockMax;

class ReceiveBuffer {
 public:
  ReceiveBuffer() = default;
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;

  /// Takes data at an offset. False when it would leave too many gaps; nothing changed then.
  [[nodiscard]] bool insert(uint64_t offset, Slice data);
  /// The same by copying what is new of it.
  [[nodiscard]] bool insert_copy(uint64_t offset, Bytes data);
  /// The next bytes in order, at most `max`; empty when there are none yet.
  std::optional<Slice> read(size_t max);
  /// All up to here was read.
  uint64_t read_offset() const { return read_offset_; }
  /// All up to here has arrived.
  uint64_t contiguous_end() const { return contiguous_end_; }
  /// Bytes can be read.
  bool is_readable() const { return contiguous_end_ > read_offset_; }
  /// Bytes that wait, in order or not; and the memory that is kept for them (at most: what a datagram holds for this
  /// buffer in several places may count more than once).
  uint64_t held() const { return held_; }
  size_t memory() const;
  /// Copies out of datagrams that hold little else: for an owner of many buffers whose data will wait.
  void unpin() { compact(); }
  /// Drops all that waits, and all that comes.
  void clear();
  /// Gives back what an empty buffer keeps.
  void trim();

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Node {
    Slice data;
    uint32_t next = kNone;
  };
  /// A list of nodes, by their indices: bytes without a gap.
  struct Chain {
    uint32_t head = kNone;
    uint32_t tail = kNone;
    bool empty() const { return head == kNone; }
  };
  /// Bytes [start, end) behind a gap.
  struct Range {
    uint64_t start;
    uint64_t end;
    Chain chain;
  };
  /// Where data goes, in order of offset.
  struct Place {
    Slice* before = nullptr;       // the bytes right in front of it, null behind a gap
    const Slice* left = nullptr;   // the last slice in front of it, behind a gap or not
    const Slice* right = nullptr;  // the first slice behind it
  };
  /// A slice that compact() looks at.
  struct Item {
    Slice* slice;
    bool begins_range;
    bool copy = false;
  };

  void insert_in_order(Slice data);
  bool insert_behind_gap(uint64_t offset, Slice data);
  uint64_t absorb(Chain& chain, uint64_t at, Slice data, size_t first);
  void append(Chain& chain, Slice data, size_t next_range);
  Place place_behind(const Chain& chain, size_t next_range);
  Slice copy_fragment(Bytes data);
  void account(const Slice& added, const Place& place);
  Slice pop_front();

  uint32_t make_node(Slice data);
  void free_node(uint32_t index);
  void splice(Chain& chain, Chain other);

  void bound_memory();
  void compact();
  std::vector<Item> items();
  static void mark_runs(std::span<Item> items);
  static void copy_marked(std::span<Item> items);
  void rebuild_nodes();
  void on_empty();

  uint64_t read_offset_ = 0;
  uint64_t contiguous_end_ = 0;
  uint64_t held_ = 0;
  size_t pinned_ = 0;          // by runs of slices, in order of offset, that share an owner
  Slice front_;                // the first bytes to be read; without them in_order_ is empty
  Chain in_order_;             // what follows them, up to contiguous_end_
  std::vector<Range> ranges_;  // ascending; between any two, and in front of the first, there is a gap
  std::vector<Node> nodes_;
  uint32_t free_nodes_ = kNone;
  Buffer block_;  // of copied fragments: the last one
  size_t block_used_ = 0;
  bool cleared_ = false;
};

}  // namespace quoll::quic
