#include "http/text_codecs.h"

#include <array>

namespace quoll::http {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_values() {
  std::array<int8_t, 256> values = {};
  values.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); i++) values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return values;
}
constexpr std::array<int8_t, 256> kValues = make_values();

/// Bytes that follow the first one of a character, and the limits of the second: these keep out long forms, surrogates and
/// what lies above U+10FFFF. size 0: no first byte.
struct Utf8Form {
  uint8_t size;
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xbf;
};

Utf8Form form_of(uint8_t first) {
  if (first < 0xc2) return {0};
  if (first < 0xe0) return {1};
  if (first == 0xe0) return {.size = 2, .second_min = 0xa0};
  if (first == 0xed) return {.size = 2, .second_max = 0x9f};
  if (first < 0xf0) return {2};
  if (first == 0xf0) return {.size = 3, .second_min = 0x90};
  if (first < 0xf4) return {3};
  if (first == 0xf4) return {.size = 3, .second_max = 0x8f};
  return {0};
}

}  // namespace

std::optional<std::vector<uint8_t>> base64_decode(std::string_view text) {
  const size_t padded_size = text.size();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  const size_t padding = padded_size - text.size();
  const size_t tail = text.size() % 4;
  // Padding fills up the last four characters, or is not there.
  if (tail == 1 || (padding != 0 && (tail == 0 || padding != 4 - tail))) return {};

  std::vector<uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int value = kValues[static_cast<uint8_t>(c)];
    if (value < 0) return {};
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<uint8_t>(bits >> count));
    }
  }
  return bytes;
}

void base64_encode(Bytes bytes, std::string& out) {
  size_t at = 0;
  for (; at < bytes.size(); at += 3) {
    const size_t left = bytes.size() - at;
    uint32_t bits = uint32_t{bytes[at]} << 16;
    if (left > 1) bits |= uint32_t{bytes[at + 1]} << 8;
    if (left > 2) bits |= bytes[at + 2];
    out.push_back(kAlphabet[bits >> 18]);
    out.push_back(kAlphabet[bits >> 12 & 63]);
    out.push_back(left > 1 ? kAlphabet[bits >> 6 & 63] : '=');
    out.push_back(left > 2 ? kAlphabet[bits & 63] : '=');
  }
}

bool is_utf8(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  for (size_t at = 0; at < bytes.size(); at++) {
    if (bytes[at] < 0x80) continue;
    const Utf8Form form = form_of(bytes[at]);
    if (form.size == 0 || bytes.size() - at <= form.size) return false;
    if (bytes[at + 1] < form.second_min || bytes[at + 1] > form.second_max) return false;
    for (size_t i = 2; i <= form.size; i++) {
      if ((bytes[at + i] & 0xc0) != 0x80) return false;
    }
    at += form.size;
  }
  return true;
}

}  // namespace quoll::http
