// Slice: a read-only range of memory that stays alive as long as a slice of it does. Buffer: its single writer.
//
// Zero copy rests on these. Sending: the application hands memory in as a Slice (its own, with a release callback, or a
// block), stream and retransmission hold slices of it, and the AEAD reads straight from it. Receiving: a datagram or
// GRO train lies in a pool's Buffer, packets are opened in place, and stream data goes up as slices that pin the
// buffer; when they pin too much (pinned_size()), the holder replaces them by Slice::copy_of.
//
// A Slice is owner, pointer and size: copying costs one increment, cutting nothing. Counts are not atomic: all slices
// of one owner belong to one thread, that of the endpoint. The last slice to go calls the owner's release function at
// once, from whatever call of the core dropped it, so that function must not call into the endpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace quoll {

/// The count of a piece of memory and what to do when nobody needs it any more. Who has an object that lives as long as
/// the memory (a mapped file, a pool's block) puts a SliceOwner into it and spends no allocation on slices.
struct SliceOwner {
  using Release = void (*)(SliceOwner&);

  Release release;
  size_t memory_size;       // bytes of memory that are kept alive
  uint32_t references = 0;  // slices and buffers
};

class Slice {
 public:
  Slice() = default;

  /// A part of memory that `owner` keeps.
  Slice(SliceOwner& owner, Bytes part) : Slice(&owner, part) {}
  /// A copy on the heap.
  static Slice copy_of(Bytes bytes);
  /// The application's memory: `release(context)` is called when the last slice of it is gone.
  static Slice of_application(Bytes memory, void (*release)(void* context), void* context);
  /// Memory that outlives every slice, such as a constant: nothing is counted.
  static Slice of_static(Bytes memory) { return Slice(nullptr, memory); }

  Slice(const Slice& other) : Slice(other.owner_, other.bytes()) {}
  Slice(Slice&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Slice& operator=(Slice other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Slice() {
    if (owner_ && --owner_->references == 0) owner_->release(*owner_);
  }

  Bytes bytes() const { return {data_, size_}; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  Slice subslice(size_t offset, size_t size) const {
    QUOLL_DCHECK(offset <= size_ && size <= size_ - offset);
    return Slice(owner_, {data_ + offset, size});
  }
  /// Takes the first `size` bytes away and returns them.
  Slice split_front(size_t size) {
    Slice front = subslice(0, size);
    drop_front(size);
    return front;
  }
  void drop_front(size_t size) {
    QUOLL_DCHECK(size <= size_);
    data_ += size;
    size_ -= size;
  }
  /// Keeps the first `size` bytes.
  void truncate(size_t size) {
    QUOLL_DCHECK(size <= size_);
    size_ = size;
  }

  /// Bytes of memory that this slice keeps alive, together with the other slices of the same owner.
  size_t pinned_size() const { return owner_ ? owner_->memory_size : 0; }
  /// Both keep the same memory alive.
  bool shares_owner_with(const Slice& other) const { return owner_ == other.owner_; }
  /// Nobody else holds a slice of this memory.
  bool unique() const { return owner_ && owner_->references == 1; }

 private:
  Slice(SliceOwner* owner, Bytes part) : owner_(owner), data_(part.data()), size_(part.size()) {
    if (owner_) owner_->references++;
  }

  SliceOwner* owner_ = nullptr;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// Memory that one holder may write, and hand out as slices while it goes on writing elsewhere in it: a GRO train's
/// first packet may be in the application's hands while its second is opened in place. Not to write below a slice is on
/// the holder.
class Buffer {
 public:
  /// No memory.
  Buffer() = default;
  /// All of `memory`, which `owner` keeps and no slice covers yet.
  Buffer(SliceOwner& owner, MutBytes memory) : whole_(owner, memory) {}
  /// A block of the heap, uninitialised.
  static Buffer allocate(size_t size);

  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&&) noexcept = default;

  MutBytes bytes() { return {const_cast<uint8_t*>(whole_.data()), whole_.size()}; }
  Bytes bytes() const { return whole_.bytes(); }
  size_t size() const { return whole_.size(); }
  bool empty() const { return whole_.empty(); }
  /// No slice of it is left.
  bool unique() const { return whole_.unique(); }
  /// Keeps the first `size` bytes, for a datagram shorter than its buffer.
  void truncate(size_t size) { whole_.truncate(size); }

  /// A slice of a part, given as the range itself.
  Slice slice(Bytes part) const {
    QUOLL_DCHECK(part.empty() || (part.data() >= whole_.data() && part.data() + part.size() <= whole_.data() + size()));
    return whole_.subslice(part.empty() ? 0 : static_cast<size_t>(part.data() - whole_.data()), part.size());
  }
  Slice slice() const { return whole_; }

 private:
  Slice whole_;
};

}  // namespace quoll
