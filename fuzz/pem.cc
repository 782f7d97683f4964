// PEM and base64 over any text: base64 as a plain table reads it, and what is read is written and read again the same.
#include "tls/x509/pem.h"

#include <algorithm>

#include "base/check.h"

using namespace quoll;

namespace {

/// RFC 4648 §4 by the book: whole quanta, padding at the end alone, unused bits zero.
std::optional<std::vector<uint8_t>> naive_decode(std::string_view text) {
  const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') padding++;
  std::vector<bool> bits;
  for (const char letter : text.substr(0, text.size() - padding)) {
    const size_t value = alphabet.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    for (int i = 5; i >= 0; i--) bits.push_back((value >> i & 1) != 0);
  }
  std::vector<uint8_t> bytes(bits.size() / 8);
  for (size_t i = 0; i < bits.size(); i++) {
    if (i / 8 == bytes.size()) {
      if (bits[i]) return std::nullopt;
    } else {
      bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] << 1 | (bits[i] ? 1 : 0));
    }
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  const auto decoded = x509::base64_decode(text);
  QUOLL_CHECK(decoded == naive_decode(text));
  if (decoded) QUOLL_CHECK(x509::base64_encode(*decoded) == text);
  QUOLL_CHECK(naive_decode(x509::base64_encode({data, size})) == std::vector<uint8_t>(data, data + size));

  const auto blocks = x509::parse_pem(text);
  if (!blocks) return 0;
  std::string written;
  for (const x509::PemBlock& block : *blocks) written += x509::write_pem(block.label, block.contents);
  const auto again = x509::parse_pem(written);
  QUOLL_CHECK(again && again->size() == blocks->size());
  for (size_t i = 0; i < blocks->size(); i++) {
    QUOLL_CHECK((*again)[i].label == (*blocks)[i].label && (*again)[i].contents == (*blocks)[i].contents);
  }
  return 0;
}
