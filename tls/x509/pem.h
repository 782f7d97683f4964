// PEM (RFC 7468): labelled base64 blocks in text, and base64 itself (RFC 4648 §4).
//
// Reading is lax about what stands around the blocks (explanatory text, CRLF, a byte order mark, white space within the
// base64) and strict about the blocks themselves (matching labels, canonical padding). One pass; bounded by the size of
// the text. Letters of base64 may be a private key, so they are converted without a branch or an index from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace quoll::x509 {

struct PemBlock {
  PemBlock() = default;
  PemBlock(PemBlock&&) noexcept = default;
  PemBlock& operator=(PemBlock&&) noexcept;
  ~PemBlock();  // wipes: a block may be a private key

  std::string label;  // "CERTIFICATE", "PRIVATE KEY", ...
  std::vector<uint8_t> contents;
};

/// All blocks in order. Failure::malformed for a block that is broken, Failure::unsupported for one with the headers of
/// RFC 1421 (an encrypted key of old); text without any block is no error.
[[nodiscard]] Result<std::vector<PemBlock>> parse_pem(std::string_view text);

/// One block, lines of 64 characters, with a final newline. The caller wipes it when it is a private key.
std::string write_pem(std::string_view label, Bytes contents);

/// Standard alphabet with padding; white space is refused. For pins and the like.
std::string base64_encode(Bytes bytes);
std::optional<std::vector<uint8_t>> base64_decode(std::string_view text);

}  // namespace quoll::x509
