// Content codings (RFC 9110 §8.4.1, §12.5.3): which of the forms that a server has suits a client best.
//
// An Accept-Encoding is read once, weights in thousandths. Members that do not parse are skipped, and so are codings that
// have no name here: they could not be chosen.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/field_section.h"

namespace quoll::http {

enum class ContentCoding : uint8_t { identity, gzip, brotli, zstd };
inline constexpr size_t kContentCodingCount = 4;

/// "gzip", as in Content-Encoding; "identity", which is never sent there.
std::string_view coding_name(ContentCoding coding);
/// ".gz", as files with that coding are called; empty for identity.
std::string_view coding_extension(ContentCoding coding);
/// Names have no case; "x-gzip" is gzip (RFC 9110 §8.4.1.3).
std::optional<ContentCoding> parse_coding(std::string_view name);

class AcceptedCodings {
 public:
  static constexpr uint16_t kWeightMax = 1000;

  /// Of a request. RFC 9110 §12.5.3: without the field everything is acceptable, but who says nothing is best given what
  /// all understand, so identity is preferred then.
  static AcceptedCodings of(const FieldSection& request);
  static AcceptedCodings parse(std::string_view accept_encoding);

  /// 0: not acceptable.
  uint16_t weight(ContentCoding coding) const { return weights_[static_cast<size_t>(coding)]; }
  /// The best of `available`, which stand in the server's order of preference; codings of equal weight go by that order,
  /// and identity, which need not be among them, comes last. Identity also when nothing is acceptable: a body that is not
  /// wanted so is of more use than none.
  ContentCoding choose(std::span<const ContentCoding> available) const;

 private:
  std::array<uint16_t, kContentCodingCount> weights_{};
};

}  // namespace quoll::http
