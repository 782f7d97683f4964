#include "tls/x509/pem.h"

#include <algorithm>
#include <utility>

#include "crypto/ct.h"
#include "tls/x509/failure.h"

namespace quoll::x509 {
namespace {

namespace ct = crypto::ct;

constexpr size_t kLineLength = 64;  // RFC 7468 §2: what a generator must write
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kWhiteSpace = " \t\v\f\r\n";  // RFC 7468 §3: W
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_white_space(char c) { return kWhiteSpace.find(c) != std::string_view::npos; }

/// All ones when c is one of the `count` letters from `first`.
uint64_t mask_among(uint8_t c, char first, uint8_t count) {
  return ct::mask_less(static_cast<uint8_t>(c - first), count);
}

/// The six bits of a letter of the alphabet (RFC 4648 §4); `wrong` is set for anything else.
uint32_t six_bits(char letter, uint64_t& wrong) {
  const auto c = static_cast<uint8_t>(letter);
  const uint64_t upper = mask_among(c, 'A', 26), lower = mask_among(c, 'a', 26), digit = mask_among(c, '0', 10);
  const uint64_t plus = mask_among(c, '+', 1), slash = mask_among(c, '/', 1);
  wrong |= ~(upper | lower | digit | plus | slash);
  return static_cast<uint32_t>((upper & (c - uint64_t{'A'})) | (lower & (c - uint64_t{'a'} + 26)) |
                               (digit & (c - uint64_t{'0'} + 52)) | (plus & 62) | (slash & 63));
}

/// The reverse.
char letter_of(uint32_t bits) {
  // From 'A' on, with a step wherever the alphabet leaves the order of ASCII.
  uint64_t c = 'A' + bits;
  c += ~ct::mask_less(bits, 26) & ('a' - 'Z' - 1);
  c -= ~ct::mask_less(bits, 52) & ('z' - '0' + 1);
  c -= ~ct::mask_less(bits, 62) & ('9' - '+' + 1);
  c += ~ct::mask_less(bits, 63) & ('/' - '+' - 1);
  return static_cast<char>(c);
}

/// Takes base64 letter by letter. The output must have room for all of it from the start: a vector that grows leaves
/// copies behind.
class Decoder {
 public:
  explicit Decoder(std::vector<uint8_t>& out) : out_(out) {}

  void add(char letter) {
    if (letter == '=') {
      padding_++;
    } else {
      wrong_ |= 0 - uint64_t{padding_ != 0};
      quantum_ = quantum_ << 6 | six_bits(letter, wrong_);
    }
    if (++letters_ % 4 == 0) flush();
  }

  /// Whether all that was added is one canonical base64 text.
  bool finish() {
    ct::wipe(quantum_);
    return ct::declassified(wrong_) == 0 && letters_ % 4 == 0 && padding_ <= 2;
  }

 private:
  /// Four letters are there, of which the padding counts as zeros.
  void flush() {
    if (padding_ > 2) return;
    const uint32_t bits = quantum_ << 6 * padding_;
    for (size_t i = 0; i < 3 - padding_; i++) out_.push_back(static_cast<uint8_t>(bits >> (16 - 8 * i)));
    // RFC 4648 §3.5: the bits that the padding leaves unused are zero, else one value had several forms.
    wrong_ |= ct::mask_nonzero(bits & ((uint32_t{1} << 8 * padding_) - 1));
    quantum_ = 0;
  }

  std::vector<uint8_t>& out_;
  uint64_t wrong_ = 0;  // a mask
  uint32_t quantum_ = 0;
  size_t letters_ = 0, padding_ = 0;
};

size_t decoded_size_max(size_t letters) { return letters / 4 * 3; }

std::string_view trim(std::string_view line) {
  const size_t first = line.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kWhiteSpace) - first + 1);
}

/// Lines of a text, without white space around them; ended by CR, LF or both.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view next() {
    const size_t end = rest_.find_first_of("\r\n");
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return trim(line);
  }

 private:
  std::string_view rest_;
};

/// RFC 7468 §3: printable characters, in which single hyphens or spaces stand between others.
bool is_label(std::string_view label) {
  bool joint_allowed = false;
  for (const char c : label) {
    const bool joint = c == '-' || c == ' ';
    if (joint ? !joint_allowed : c < 0x21 || c > 0x7e) return false;
    joint_allowed = !joint;
  }
  return label.empty() || joint_allowed;
}

/// The label of an encapsulation boundary that starts with `kind`; empty when it is broken.
std::optional<std::string_view> boundary_label(std::string_view line, std::string_view kind) {
  if (!line.starts_with(kind)) return std::nullopt;
  line.remove_prefix(kind.size());
  if (!line.ends_with(kDashes)) return std::nullopt;
  line.remove_suffix(kDashes.size());
  if (!is_label(line)) return std::nullopt;
  return line;
}

/// The body of a block and the line that ends it: everything up to a line that starts with dashes.
struct Body {
  std::string_view letters, end;
};
Body take_body(Lines& lines, const char* begin) {
  while (!lines.at_end()) {
    const std::string_view line = lines.next();
    if (line.starts_with(kDashes)) return {{begin, static_cast<size_t>(line.data() - begin)}, line};
  }
  return {};
}

Result<PemBlock> parse_block(std::string_view label, const Body& body) {
  if (body.end.empty()) return refuse(Failure::malformed, "a PEM block does not end");
  // RFC 7468 §3: parsers may skip the comparison; a mismatch tells of a file that was cut and glued.
  if (boundary_label(body.end, kEnd) != label) return refuse(Failure::malformed, "a PEM block ends as another one");
  PemBlock block;
  block.label = label;
  block.contents.reserve(decoded_size_max(body.letters.size()));
  Decoder decoder(block.contents);
  for (const char c : body.letters) {
    if (!is_white_space(c)) decoder.add(c);
  }
  if (decoder.finish()) return block;
  // RFC 7468 §2: headers as of RFC 1421 are not permitted.
  if (body.letters.find(':') != std::string_view::npos) {
    return refuse(Failure::unsupported, "a PEM block with headers (a key encrypted in the old way?)");
  }
  return refuse(Failure::malformed, "the contents of a PEM block are not base64");
}

}  // namespace

PemBlock& PemBlock::operator=(PemBlock&& other) noexcept {
  std::swap(label, other.label);  // so that what was here is wiped with the other
  std::swap(contents, other.contents);
  return *this;
}

PemBlock::~PemBlock() { ct::wipe(contents.data(), contents.size()); }

Result<std::vector<PemBlock>> parse_pem(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<PemBlock> blocks;
  for (Lines lines(text); !lines.at_end();) {
    const std::string_view line = lines.next();
    if (line.starts_with(kEnd)) return refuse(Failure::malformed, "a PEM block ends that did not begin");
    if (!line.starts_with(kBegin)) continue;
    const std::optional<std::string_view> label = boundary_label(line, kBegin);
    if (!label) return refuse(Failure::malformed, "the first line of a PEM block is broken");
    Result<PemBlock> block = parse_block(*label, take_body(lines, line.data() + line.size()));
    if (!block) return std::unexpected(block.error());
    blocks.push_back(std::move(*block));
  }
  return blocks;
}

std::string base64_encode(Bytes bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    uint32_t quantum = 0;
    for (size_t i = 0; i < 3; i++) quantum = quantum << 8 | (i < count ? bytes[at + i] : 0);
    for (size_t i = 0; i < 4; i++) text.push_back(i <= count ? letter_of(quantum >> (18 - 6 * i) & 63) : '=');
  }
  return text;
}

std::optional<std::vector<uint8_t>> base64_decode(std::string_view text) {
  std::vector<uint8_t> out;
  out.reserve(decoded_size_max(text.size()));
  Decoder decoder(out);
  for (const char c : text) decoder.add(c);
  if (decoder.finish()) return out;
  ct::wipe(out.data(), out.size());
  return std::nullopt;
}

std::string write_pem(std::string_view label, Bytes contents) {
  constexpr size_t kLineBytes = kLineLength / 4 * 3;
  const size_t lines = (contents.size() + kLineBytes - 1) / kLineBytes;
  std::string text;
  // All the room at once: a string that grows leaves copies behind.
  text.reserve(kBegin.size() + kEnd.size() + 2 * (label.size() + kDashes.size() + 1) + lines * (kLineLength + 1));
  text.append(kBegin).append(label).append(kDashes).append("\n");
  for (size_t at = 0; at < contents.size(); at += kLineBytes) {
    std::string line = base64_encode(contents.subspan(at, std::min(kLineBytes, contents.size() - at)));
    text.append(line).append("\n");
    ct::wipe(line.data(), line.size());
  }
  text.append(kEnd).append(label).append(kDashes).append("\n");
  return text;
}

}  // namespace quoll::x509
