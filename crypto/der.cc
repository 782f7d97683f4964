#include "crypto/der.h"

namespace quoll::crypto {
namespace {

constexpr uint8_t kHighTagNumber =
    0x1f;  // X.690 §8.1.2.4: the tag goes on in further bytes; nothing of ours has such tags
constexpr uint8_t kLongLength = 0x80;  // X.690 §8.1.3.5
constexpr size_t kLengthBytesMax = 4;

/// The number of bytes of a length after its first, 0 for the short form.
constexpr size_t length_bytes(size_t length) {
  if (length < kLongLength) return 0;
  size_t count = 0;
  for (; length != 0; length >>= 8) count++;
  return count;
}

}  // namespace

std::optional<DerTag> DerReader::peek() const {
  if (rest_.empty()) return std::nullopt;
  return static_cast<DerTag>(rest_[0]);
}

std::optional<DerReader::Element> DerReader::next() const {
  if (rest_.size() < 2) return std::nullopt;
  if ((rest_[0] & kHighTagNumber) == kHighTagNumber) return std::nullopt;
  size_t header_size = 2;
  size_t length = rest_[1];
  if (length >= kLongLength) {
    const size_t count = length - kLongLength;
    if (count == 0 || count > kLengthBytesMax || count > rest_.size() - header_size) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < count; i++) length = length << 8 | rest_[header_size + i];
    if (length_bytes(length) != count) return std::nullopt;  // X.690 §10.1: the shortest form
    header_size += count;
  }
  if (length > rest_.size() - header_size) return std::nullopt;
  return Element{static_cast<DerTag>(rest_[0]), header_size, length};
}

void DerReader::fail() {
  failed_ = true;
  rest_ = {};
}

std::optional<Bytes> DerReader::read(DerTag tag) {
  const std::optional<Element> element = next();
  if (!element || element->tag != tag) {
    fail();
    return std::nullopt;
  }
  const Bytes contents = rest_.subspan(element->header_size, element->content_size);
  rest_ = rest_.subspan(element->header_size + element->content_size);
  return contents;
}

DerReader DerReader::enter(DerTag tag) {
  const std::optional<Bytes> contents = read(tag);
  DerReader inner(contents.value_or(Bytes()));
  inner.failed_ = !contents;
  return inner;
}

std::optional<Bytes> DerReader::read_element() {
  const std::optional<Element> element = next();
  if (!element) {
    fail();
    return std::nullopt;
  }
  const Bytes whole = rest_.first(element->header_size + element->content_size);
  rest_ = rest_.subspan(whole.size());
  return whole;
}

std::optional<Bytes> DerReader::read_unsigned_integer() {
  const std::optional<Bytes> contents = read(DerTag::integer);
  if (!contents) return std::nullopt;
  const Bytes bytes = *contents;
  // X.690 §8.3.2: at least one byte, and the first nine bits are not all equal. A set first bit is a negative number.
  const bool empty = bytes.empty();
  const bool negative = !empty && (bytes[0] & 0x80) != 0;
  const bool padded = bytes.size() > 1 && bytes[0] == 0 && (bytes[1] & 0x80) == 0;
  if (empty || negative || padded) {
    fail();
    return std::nullopt;
  }
  return bytes[0] == 0 ? bytes.subspan(1) : bytes;
}

std::optional<uint64_t> DerReader::read_small_integer() {
  const std::optional<Bytes> magnitude = read_unsigned_integer();
  if (!magnitude) return std::nullopt;
  if (magnitude->size() > sizeof(uint64_t)) {
    fail();
    return std::nullopt;
  }
  uint64_t value = 0;
  for (const uint8_t byte : *magnitude) value = value << 8 | byte;
  return value;
}

std::optional<Bytes> DerReader::read_bit_string_bytes() {
  const std::optional<Bytes> contents = read(DerTag::bit_string);
  if (!contents) return std::nullopt;
  // X.690 §8.6.2: the first byte counts the unused bits of the last.
  if (contents->empty() || (*contents)[0] != 0) {
    fail();
    return std::nullopt;
  }
  return contents->subspan(1);
}

void DerWriter::append(Bytes bytes) {
  if (failed_ || bytes.size() > output_.size() - size_) {
    failed_ = true;
    return;
  }
  copy_bytes(output_.data() + size_, bytes);
  size_ += bytes.size();
}

size_t DerWriter::open(DerTag tag) {
  append(static_cast<uint8_t>(tag));
  append(uint8_t{0});  // the length, which close() sets
  return size_;
}

void DerWriter::close(size_t opened) {
  if (failed_) return;
  const size_t length = size_ - opened;
  const size_t extra = length_bytes(length);
  uint8_t* const contents = output_.data() + opened;
  if (extra > output_.size() - size_) {
    failed_ = true;
    return;
  }
  if (extra != 0) std::memmove(contents + extra, contents, length);
  for (size_t i = 0; i < extra; i++) contents[i] = static_cast<uint8_t>(length >> 8 * (extra - 1 - i));
  contents[-1] = static_cast<uint8_t>(extra == 0 ? length : kLongLength + extra);
  size_ += extra;
}

void DerWriter::write(DerTag tag, Bytes contents) {
  const size_t opened = open(tag);
  append(contents);
  close(opened);
}

void DerWriter::write_unsigned_integer(Bytes magnitude) {
  while (!magnitude.empty() && magnitude[0] == 0) magnitude = magnitude.subspan(1);
  const size_t opened = open(DerTag::integer);
  if (magnitude.empty() || (magnitude[0] & 0x80) != 0) append(uint8_t{0});
  append(magnitude);
  close(opened);
}

void DerWriter::write_bit_string_bytes(Bytes bytes) {
  const size_t opened = open(DerTag::bit_string);
  append(uint8_t{0});  // X.690 §8.6.2: no bit of the last byte is unused
  append(bytes);
  close(opened);
}

std::optional<Bytes> DerWriter::finish() const {
  if (failed_) return std::nullopt;
  return output_.first(size_);
}

}  // namespace quoll::crypto
