// Reader: a cursor over bytes with sticky failure. Every parser of the project (TLS, QUIC, HTTP/3, DER) reads with it.
//
// A read past the end fails: it returns zero or an empty range, and so does every read after it; the position stays
// where the failing read began and remaining() is 0. So a parser reads a whole structure and asks ok() once, before it
// acts on what it read. The price of a read is one comparison: failing moves the end to the cursor, and no read looks
// at the flag. A length-prefixed part comes back as a Reader of its own. If the part does not fit, both readers have
// failed; what fails inside the part later is the part's own failure. finished() asks what most formats want: all well,
// and nothing left over. The bytes read are views into the input.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/varint.h"

namespace quoll {

class Reader {
 public:
  Reader() = default;
  explicit Reader(Bytes input) : begin_(input.data()), at_(begin_), end_(begin_ + input.size()) {}

  bool ok() const { return !failed_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  bool finished() const { return ok() && at_ == end_; }
  /// Bytes read so far.
  size_t position() const { return static_cast<size_t>(at_ - begin_); }
  /// What is not read yet, without reading it.
  Bytes rest() const { return {at_, remaining()}; }

  uint8_t u8() { return integer<uint8_t>(); }
  uint16_t u16() { return integer<uint16_t>(); }
  uint32_t u32() { return integer<uint32_t>(); }
  uint64_t u64() { return integer<uint64_t>(); }
  uint32_t u24() {
    const uint8_t* from = take(3);
    return from ? uint32_t{from[0]} << 16 | uint32_t{from[1]} << 8 | from[2] : 0;
  }

  /// RFC 9000 §16.
  uint64_t varint() {
    const DecodedVarint decoded = varint_decode(rest());
    if (decoded.size == 0) [[unlikely]] {
      fail();
      return 0;
    }
    at_ += decoded.size;
    return decoded.value;
  }

  Bytes bytes(uint64_t size) {
    const uint8_t* from = take(size);
    return from ? Bytes(from, static_cast<size_t>(size)) : Bytes();
  }
  void skip(uint64_t size) { take(size); }

  /// The part that a length of 8, 16 or 24 bits, or a varint, announces.
  Reader prefixed_u8() { return part(u8()); }
  Reader prefixed_u16() { return part(u16()); }
  Reader prefixed_u24() { return part(u24()); }
  Reader prefixed_varint() { return part(varint()); }

  /// Fails the reader by decision of the parser, for example for a value that its format does not allow.
  void fail() {
    end_ = at_;
    failed_ = true;
  }

 private:
  /// The next `size` bytes, or null and a failed reader.
  const uint8_t* take(uint64_t size) {
    if (size > remaining()) [[unlikely]] {
      fail();
      return nullptr;
    }
    const uint8_t* from = at_;
    at_ += size;
    return from;
  }

  template <std::unsigned_integral T>
  T integer() {
    const uint8_t* from = take(sizeof(T));
    return from ? load_be<T>(from) : T{0};
  }

  Reader part(uint64_t size) {
    Reader inner(bytes(size));
    if (failed_) [[unlikely]]
      inner.fail();
    return inner;
  }

  const uint8_t* begin_ = nullptr;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  bool failed_ = false;
};

}  // namespace quoll
