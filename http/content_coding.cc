#include "http/content_coding.h"

#include "http/characters.h"
#include "http/list.h"

namespace quoll::http {
namespace {

/// RFC 9110 §12.4.2: a qvalue in thousandths.
std::optional<uint16_t> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return {};
  if (text.size() > 1 && text[1] != '.') return {};
  unsigned weight = text[0] == '1' ? 1000 : 0;
  unsigned unit = 100;
  for (size_t i = 2; i < text.size(); i++, unit /= 10) {
    if (!is_digit(text[i])) return {};
    weight += unit * static_cast<unsigned>(text[i] - '0');
  }
  if (weight > AcceptedCodings::kWeightMax) return {};
  return static_cast<uint16_t>(weight);
}

struct Member {
  std::string_view name;
  uint16_t weight = AcceptedCodings::kWeightMax;
};

/// "gzip", "gzip;q=0.5"; other parameters are none of codings.
std::optional<Member> parse_member(std::string_view text) {
  Member member;
  const size_t semicolon = text.find(';');
  member.name = trim(text.substr(0, semicolon));
  if (semicolon == std::string_view::npos) return member;
  std::string_view parameter = trim(text.substr(semicolon + 1));
  if (parameter.size() < 2 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') return {};
  parameter.remove_prefix(2);
  const auto weight = parse_weight(parameter);
  if (!weight) return {};
  member.weight = *weight;
  return member;
}

/// The lowest weight: acceptable, but nobody's wish. RFC 9110 §12.5.3: so is identity where a field does not name it, and
/// every coding where there is no field.
constexpr uint16_t kTolerated = 1;

}  // namespace

std::string_view coding_name(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::identity:
      return "identity";
    case ContentCoding::gzip:
      return "gzip";
    case ContentCoding::brotli:
      return "br";
    case ContentCoding::zstd:
      return "zstd";
  }
  return {};
}

std::string_view coding_extension(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::identity:
      return "";
    case ContentCoding::gzip:
      return ".gz";
    case ContentCoding::brotli:
      return ".br";
    case ContentCoding::zstd:
      return ".zst";
  }
  return {};
}

std::optional<ContentCoding> parse_coding(std::string_view name) {
  for (const auto coding : {ContentCoding::identity, ContentCoding::gzip, ContentCoding::brotli, ContentCoding::zstd}) {
    if (equals_ignoring_case(name, coding_name(coding))) return coding;
  }
  if (equals_ignoring_case(name, "x-gzip")) return ContentCoding::gzip;
  return {};
}

AcceptedCodings AcceptedCodings::of(const FieldSection& request) {
  const std::string_view name = "accept-encoding";
  const auto first = request.find(name);
  if (!first) {
    AcceptedCodings all;
    all.weights_.fill(kTolerated);
    all.weights_[static_cast<size_t>(ContentCoding::identity)] = kWeightMax;
    return all;
  }
  return request.count(name) == 1 ? parse(*first) : parse(*request.combined(name));
}

AcceptedCodings AcceptedCodings::parse(std::string_view accept_encoding) {
  std::array<std::optional<uint16_t>, kContentCodingCount> named;
  std::optional<uint16_t> others;
  List members(accept_encoding);
  while (const auto text = members.next()) {
    const auto member = parse_member(*text);
    if (!member) continue;
    if (member->name == "*") others = member->weight;
    if (const auto coding = parse_coding(member->name)) named[static_cast<size_t>(*coding)] = member->weight;
  }
  AcceptedCodings accepted;
  for (size_t i = 0; i < kContentCodingCount; i++) {
    const uint16_t unnamed = static_cast<ContentCoding>(i) == ContentCoding::identity ? kTolerated : uint16_t{0};
    accepted.weights_[i] = named[i].value_or(others.value_or(unnamed));
  }
  return accepted;
}

ContentCoding AcceptedCodings::choose(std::span<const ContentCoding> available) const {
  ContentCoding best = ContentCoding::identity;
  for (const ContentCoding coding : available) {
    if (coding == ContentCoding::identity || weight(coding) == 0) continue;
    const bool is_better =
        best == ContentCoding::identity ? weight(coding) >= weight(best) : weight(coding) > weight(best);
    if (is_better) best = coding;
  }
  return best;
}

}  // namespace quoll::http
