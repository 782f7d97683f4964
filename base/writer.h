// The two sinks that bytes are written to: Writer fills a bounded range, Counter only counts. Code that writes a
// structure is a template over Sink, so the size of a structure always comes from the code that writes it.
//
// A write that does not fit fails: it leaves nothing behind, and neither does any write after it; size() stays and ok()
// is false. So a structure is written whole and ok() asked once. Nothing is ever written past the end. A LengthPrefix
// keeps room for the length of what follows it and fills it in when it is closed.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/varint.h"

namespace quoll {

/// What both sinks can do. Integers are big-endian.
template <class S>
concept Sink = requires(S& sink, const S& made, Bytes bytes, uint64_t value, size_t size) {
  sink.u8(uint8_t{});
  sink.u16(uint16_t{});
  sink.u24(uint32_t{});
  sink.u32(uint32_t{});
  sink.u64(value);
  sink.varint(value);        // the shortest form
  sink.varint(value, size);  // the form of 1, 2, 4 or 8 bytes
  sink.bytes(bytes);
  sink.zeros(size);
  sink.skip(size);                // room whose content somebody else supplies
  sink.patch(size, value, size);  // position, value, width: overwrites what is already written
  sink.fail();
  { made.ok() } -> std::same_as<bool>;
  { made.size() } -> std::same_as<size_t>;
};

class Writer {
 public:
  explicit Writer(MutBytes room) : begin_(room.data()), at_(begin_), end_(begin_ + room.size()) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  bool ok() const { return !failed_; }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }
  /// Room that is left; 0 after a failure.
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  Bytes written() const { return {begin_, size()}; }

  void u8(uint8_t value) { integer(value); }
  void u16(uint16_t value) { integer(value); }
  void u32(uint32_t value) { integer(value); }
  void u64(uint64_t value) { integer(value); }
  void u24(uint32_t value) {
    QUOLL_DCHECK(value < uint32_t{1} << 24);
    if (uint8_t* to = take(3)) {
      to[0] = static_cast<uint8_t>(value >> 16);
      to[1] = static_cast<uint8_t>(value >> 8);
      to[2] = static_cast<uint8_t>(value);
    }
  }

  void varint(uint64_t value) {
    const size_t width = varint_size(value);
    if (uint8_t* to = take(width)) varint_encode(to, value, width);
  }
  void varint(uint64_t value, size_t width) {
    QUOLL_CHECK(value <= varint_max(width));
    if (uint8_t* to = take(width)) varint_encode(to, value, width);
  }

  void bytes(Bytes from) {
    if (uint8_t* to = take(from.size())) copy_bytes(to, from);
  }
  void zeros(size_t size) {
    uint8_t* to = take(size);
    if (to && size != 0) std::memset(to, 0, size);
  }

  /// Leaves the next `size` bytes as they are.
  void skip(size_t size) { take(size); }

  void patch(size_t position, uint64_t value, size_t width) {
    QUOLL_CHECK(width <= size() && position <= size() - width);
    uint8_t wide[8];
    store_be(wide, value);
    copy_bytes(begin_ + position, Bytes(wide).last(width));
  }

  void fail() {
    end_ = at_;
    failed_ = true;
  }

 private:
  /// The next `size` bytes of room, or null and a failed writer.
  uint8_t* take(size_t size) {
    if (size > remaining()) [[unlikely]] {
      fail();
      return nullptr;
    }
    return std::exchange(at_, at_ + size);
  }

  template <std::unsigned_integral T>
  void integer(T value) {
    if (uint8_t* to = take(sizeof value)) store_be(to, value);
  }

  uint8_t* begin_;
  uint8_t* at_;
  uint8_t* end_;
  bool failed_ = false;
};

/// Counts what a Writer with room enough would write. Fails only where that one would for another reason than room.
class Counter {
 public:
  bool ok() const { return !failed_; }
  size_t size() const { return size_; }

  void u8(uint8_t) { add(1); }
  void u16(uint16_t) { add(2); }
  void u24(uint32_t) { add(3); }
  void u32(uint32_t) { add(4); }
  void u64(uint64_t) { add(8); }
  void varint(uint64_t value) { add(varint_size(value)); }
  void varint(uint64_t value, size_t width) {
    QUOLL_CHECK(value <= varint_max(width));
    add(width);
  }
  void bytes(Bytes from) { add(from.size()); }
  void zeros(size_t size) { add(size); }
  void skip(size_t size) { add(size); }
  void patch(size_t, uint64_t, size_t) {}
  void fail() { failed_ = true; }

 private:
  void add(size_t size) {
    if (!failed_) size_ += size;
  }

  size_t size_ = 0;
  bool failed_ = false;
};

/// The forms that a length can have; a varint has a width that is chosen before the length is known.
enum class Prefix : uint8_t { u8, u16, u24, varint1, varint2, varint4, varint8 };

/// Keeps room for a length, and writes the length of all that was written since when it is closed or goes out of scope.
/// A body longer than the prefix can say fails the sink. Prefixes nest; the inner one is closed first.
template <Sink S>
class [[nodiscard]] LengthPrefix {
 public:
  LengthPrefix(S& sink, Prefix form) : sink_(sink), start_(sink.size()), form_(form) { sink_.zeros(width()); }
  LengthPrefix(const LengthPrefix&) = delete;
  LengthPrefix& operator=(const LengthPrefix&) = delete;
  ~LengthPrefix() { close(); }

  void close() {
    if (std::exchange(closed_, true) || !sink_.ok()) return;
    const uint64_t length = sink_.size() - start_ - width();
    if (length > largest()) {
      sink_.fail();
    } else {
      sink_.patch(start_, length | mark(), width());
    }
  }

 private:
  bool is_varint() const { return form_ >= Prefix::varint1; }
  size_t width() const {
    switch (form_) {
      case Prefix::u8:
      case Prefix::varint1:
        return 1;
      case Prefix::u16:
      case Prefix::varint2:
        return 2;
      case Prefix::u24:
        return 3;
      case Prefix::varint4:
        return 4;
      case Prefix::varint8:
        return 8;
    }
    return 0;
  }
  uint64_t largest() const { return is_varint() ? varint_max(width()) : (uint64_t{1} << 8 * width()) - 1; }
  /// The two bits at the top of a varint that tell its width.
  uint64_t mark() const {
    return is_varint() ? static_cast<uint64_t>(std::countr_zero(width())) << (8 * width() - 2) : 0;
  }

  S& sink_;
  size_t start_;
  Prefix form_;
  bool closed_ = false;
};

static_assert(Sink<Writer> && Sink<Counter>);

}  // namespace quoll
