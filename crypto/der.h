// DER (ITU-T X.690), the distinguished encoding: a strict cursor and a small writer.
//
// DerReader accepts only what DER allows: single-byte tags, definite lengths in their shortest form, minimal INTEGERs.
// Its failure is sticky: after the first element that is not as demanded every read fails, so a parser reads a whole
// structure and looks once, at finished(). A reader never allocates: what it returns are views of the bytes that it was
// made from. DerWriter builds an encoding in the caller's buffer, also with sticky failure (the buffer is too small).
//
// Neither is constant-time in the shape of the data (lengths, leading zeros of integers): a private key is read through
// read() and unsigned_integer(), which look only at its sign and its first nine bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace quoll::crypto {

/// Identifier octets, class and constructed bit included.
enum class DerTag : uint8_t {
  boolean = 0x01,
  integer = 0x02,
  bit_string = 0x03,
  octet_string = 0x04,
  null = 0x05,
  object_identifier = 0x06,
  utf8_string = 0x0c,
  printable_string = 0x13,
  teletex_string = 0x14,
  ia5_string = 0x16,
  utc_time = 0x17,
  generalized_time = 0x18,
  visible_string = 0x1a,
  universal_string = 0x1c,
  bmp_string = 0x1e,
  sequence = 0x30,
  set = 0x31,
};

/// The tag [number] of class context-specific; number < 31.
constexpr DerTag der_context_tag(uint8_t number, bool constructed) {
  return static_cast<DerTag>(0x80 | (constructed ? 0x20 : 0) | number);
}

class DerReader {
 public:
  explicit DerReader(Bytes input) : rest_(input) {}

  bool failed() const { return failed_; }
  /// Nothing is left to read, or a read failed: the condition of a loop over elements.
  bool at_end() const { return rest_.empty(); }
  /// Every read succeeded and nothing is left: the acceptance test of a structure.
  bool finished() const { return !failed_ && rest_.empty(); }

  /// The next element's tag, without consuming it; empty at the end.
  std::optional<DerTag> peek() const;
  bool next_is(DerTag tag) const { return peek() == tag; }

  /// The contents of the next element, which must have this tag.
  std::optional<Bytes> read(DerTag tag);

  /// A reader over the contents of the next element, which must have this tag. When that fails, the new reader has
  /// failed too.
  DerReader enter(DerTag tag);

  /// The next element whole, header included, whatever its tag.
  std::optional<Bytes> read_element();

  /// The magnitude of the next element, a non-negative INTEGER: big-endian, without leading zeros, empty for 0.
  std::optional<Bytes> read_unsigned_integer();

  /// The next element, a non-negative INTEGER that fits 64 bits.
  std::optional<uint64_t> read_small_integer();

  /// The contents of the next element, a BIT STRING of whole bytes.
  std::optional<Bytes> read_bit_string_bytes();

 private:
  struct Element {
    DerTag tag;
    size_t header_size;
    size_t content_size;
  };
  /// The header of the next element; empty when it is not DER or its contents are not all there.
  std::optional<Element> next() const;
  void fail();

  Bytes rest_;
  bool failed_ = false;
};

class DerWriter {
 public:
  explicit DerWriter(MutBytes output) : output_(output) {}

  /// Opens a constructed element (or any whose contents are written piecewise); close() takes what this returns.
  [[nodiscard]] size_t open(DerTag tag);
  /// Ends the innermost open element.
  void close(size_t opened);

  void write(DerTag tag, Bytes contents);
  /// An INTEGER from a big-endian magnitude of any length, leading zeros allowed.
  void write_unsigned_integer(Bytes magnitude);
  /// A BIT STRING of whole bytes.
  void write_bit_string_bytes(Bytes bytes);
  /// An element that is encoded already, header included.
  void write_element(Bytes element) { append(element); }

  /// What has been written; empty when it did not fit.
  std::optional<Bytes> finish() const;

 private:
  void append(Bytes bytes);
  void append(uint8_t byte) { append(Bytes(&byte, 1)); }

  MutBytes output_;
  size_t size_ = 0;
  bool failed_ = false;
};

}  // namespace quoll::crypto
