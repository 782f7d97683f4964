#include "qpack/huffman.h"

#include <array>

#include "base/check.h"

namespace quoll::qpack {

namespace {

constexpr unsigned kEos = 256;
constexpr unsigned kSymbols = 257;
constexpr unsigned kShortest = 5;
constexpr unsigned kLongest = 30;

/// RFC 7541 appendix B: the length of each symbol's code in bits.
constexpr std::array<uint8_t, kSymbols> kLengths = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,  // 0
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,  // 16
    6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,   // 32
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10,  // 48
    13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   // 64
    7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,   // 80
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,   // 96
    6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28,  // 112
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,  // 128
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,  // 144
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,  // 160
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,  // 176
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,  // 192
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,  // 208
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  // 224
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,  // 240
    30,                                                              // 256
};

/// Canonical: codes of one length are consecutive numbers in the order of their symbols, and shorter codes come first.
struct CanonicalCode {
  std::array<uint32_t, kSymbols> code{};
  // Of each length, aligned to the left of 32 bits: the first code, and the first number beyond the codes.
  std::array<uint32_t, kLongest + 1> first{};
  std::array<uint64_t, kLongest + 1> end{};
  std::array<uint16_t, kLongest + 1> offset{};  // of the length's first symbol in `sorted`
  std::array<uint16_t, kSymbols> sorted{};
};

constexpr CanonicalCode make_code() {
  CanonicalCode made;
  uint32_t next = 0;
  uint16_t count = 0;
  for (unsigned length = 1; length <= kLongest; length++) {
    next <<= 1;
    made.first[length] = next << (32 - length);
    made.offset[length] = count;
    for (unsigned symbol = 0; symbol < kSymbols; symbol++) {
      if (kLengths[symbol] != length) continue;
      made.code[symbol] = next++;
      made.sorted[count++] = static_cast<uint16_t>(symbol);
    }
    made.end[length] = uint64_t{next} << (32 - length);
  }
  return made;
}

constexpr CanonicalCode kCode = make_code();
static_assert(kCode.end[kLongest] == uint64_t{1} << 32, "the code is complete");
static_assert(kCode.code[kEos] == 0x3fffffff);

constexpr unsigned kWindow = 11;

/// What the next kWindow bits begin with: one symbol or two; or a longer code, with first_bits 0.
struct Lookup {
  uint8_t symbols[2] = {};
  uint8_t first_bits = 0;
  uint8_t all_bits = 0;
};

constexpr Lookup look_up(uint32_t window) {
  Lookup found;
  unsigned used = 0;
  for (unsigned i = 0; i < 2; i++) {
    const uint32_t left = window << (32 - kWindow + used);
    for (unsigned length = kShortest; length <= kWindow - used; length++) {
      if (left >= kCode.end[length]) continue;
      const uint32_t rank = (left - kCode.first[length]) >> (32 - length);
      found.symbols[i] = static_cast<uint8_t>(kCode.sorted[kCode.offset[length] + rank]);
      used += length;
      if (i == 0) found.first_bits = static_cast<uint8_t>(used);
      found.all_bits = static_cast<uint8_t>(used);
      break;
    }
    if (found.all_bits != used || found.first_bits == 0 || used + kShortest > kWindow) break;
  }
  return found;
}

constexpr std::array<Lookup, 1 << kWindow> make_lookups() {
  std::array<Lookup, 1 << kWindow> made{};
  for (uint32_t window = 0; window < made.size(); window++) made[window] = look_up(window);
  return made;
}

constexpr std::array<Lookup, 1 << kWindow> kLookups = make_lookups();

/// A symbol and the length of its code.
struct Symbol {
  unsigned symbol = 0;
  unsigned bits = 0;
};

Symbol long_symbol(uint32_t left) {
  unsigned length = kWindow + 1;
  while (left >= kCode.end[length]) length++;
  const uint32_t rank = (left - kCode.first[length]) >> (32 - length);
  return {kCode.sorted[kCode.offset[length] + rank], length};
}

/// The bits that are not decoded yet, aligned to the left; behind the input's end are ones, as in its padding.
class BitReader {
 public:
  explicit BitReader(Bytes input) : at_(input.data()), end_(at_ + input.size()) {}

  /// At least 32 bits, those beyond the end among them.
  void refill() {
    if (valid_ >= 32) return;
    if (end_ - at_ >= 4) [[likely]] {
      bits_ |= uint64_t{load_be<uint32_t>(at_)} << (32 - valid_);
      at_ += 4;
      valid_ += 32;
      return;
    }
    while (at_ < end_) {
      bits_ |= uint64_t{*at_++} << (56 - valid_);
      valid_ += 8;
    }
  }
  uint32_t left() const {
    const uint64_t ones = valid_ < 32 ? (uint64_t{1} << (32 - valid_)) - 1 : 0;
    return static_cast<uint32_t>(bits_ >> 32 | ones);
  }
  unsigned valid() const { return valid_; }
  void consume(unsigned bits) {
    bits_ <<= bits;
    valid_ -= bits;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  uint64_t bits_ = 0;
  unsigned valid_ = 0;
};

}  // namespace

size_t huffman_size(std::string_view text) {
  size_t bits = 0;
  for (const char c : text) bits += kLengths[static_cast<uint8_t>(c)];
  return (bits + 7) / 8;
}

void huffman_encode(std::string_view text, uint8_t* to) {
  uint64_t bits = 0;  // the lowest `count` are not written yet
  unsigned count = 0;
  for (const char c : text) {
    const uint8_t symbol = static_cast<uint8_t>(c);
    bits = bits << kLengths[symbol] | kCode.code[symbol];
    count += kLengths[symbol];
    if (count >= 32) {
      count -= 32;
      store_be(to, static_cast<uint32_t>(bits >> count));
      to += 4;
    }
  }
  // RFC 7541 §5.2: what is left of the last byte is the beginning of EOS.
  const unsigned padding = (8 - count % 8) % 8;
  bits = bits << padding | ((1u << padding) - 1);
  for (count += padding; count != 0; count -= 8) *to++ = static_cast<uint8_t>(bits >> (count - 8));
}

HuffmanDecoded huffman_decode(Bytes encoded, MutBytes to) {
  BitReader reader(encoded);
  size_t size = 0;
  while (true) {
    reader.refill();
    const uint32_t left = reader.left();
    const Lookup& found = kLookups[left >> (32 - kWindow)];
    if (reader.valid() >= kWindow && found.first_bits != 0) [[likely]] {
      const size_t symbols = found.all_bits == found.first_bits ? 1 : 2;
      if (to.size() - size < symbols) return {HuffmanStatus::too_large, size};
      to[size] = found.symbols[0];
      if (symbols == 2) to[size + 1] = found.symbols[1];
      size += symbols;
      reader.consume(found.all_bits);
      continue;
    }
    const Symbol next = found.first_bits != 0 ? Symbol{found.symbols[0], found.first_bits} : long_symbol(left);
    if (next.bits > reader.valid()) {
      // RFC 7541 §5.2: less than a byte of padding, all ones. left() has ones behind the input, so EOS here says so.
      const bool padding = reader.valid() < 8 && left == UINT32_MAX;
      return {padding ? HuffmanStatus::done : HuffmanStatus::invalid, size};
    }
    // RFC 7541 §5.2: a string that contains EOS is an error.
    if (next.symbol == kEos) return {HuffmanStatus::invalid, size};
    if (size == to.size()) return {HuffmanStatus::too_large, size};
    to[size++] = static_cast<uint8_t>(next.symbol);
    reader.consume(next.bits);
  }
}

}  // namespace quoll::qpack
