#include "tls/x509/general_name.h"

#include <algorithm>
#include <bit>

#include "tls/x509/der_values.h"
#include "tls/x509/name.h"

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;
using Kind = GeneralName::Kind;

constexpr size_t kIpv4Size = 4;
constexpr size_t kIpv6Size = 16;

/// Where the name stands decides what an iPAddress is.
enum class Place { alternative_name, subtree };

std::optional<Kind> kind_of(DerTag tag) {
  constexpr bool kConstructed[] = {true, false, false, true, true, true, false, false, false};
  for (uint8_t number = 0; number < std::size(kConstructed); number++) {
    if (tag == crypto::der_context_tag(number, kConstructed[number])) return static_cast<Kind>(number);
  }
  return std::nullopt;
}

bool is_ascii(Bytes text) {
  return std::ranges::all_of(text, [](uint8_t byte) { return byte < 0x80; });
}

/// Ones, then zeros (RFC 4632 §3.1).
bool is_contiguous_mask(Bytes mask) {
  bool ended = false;
  for (const uint8_t byte : mask) {
    const int ones = std::countl_one(byte);
    if (static_cast<uint8_t>(byte << ones) != 0 || (ended && byte != 0)) return false;
    ended = ended || ones != 8;
  }
  return true;
}

bool is_ip(Bytes octets, Place place) {
  if (place == Place::alternative_name) return octets.size() == kIpv4Size || octets.size() == kIpv6Size;
  return (octets.size() == 2 * kIpv4Size || octets.size() == 2 * kIpv6Size) &&
         is_contiguous_mask(octets.subspan(octets.size() / 2));
}

bool is_other_name(Bytes contents) {
  DerReader reader(contents);
  const std::optional<Bytes> type = read_oid(reader);
  const std::optional<Bytes> value = reader.read(crypto::der_context_tag(0, true));
  return type && value && reader.finished();
}

bool is_valid(const GeneralName& name, Place place) {
  switch (name.kind) {
    case Kind::email:
    case Kind::dns:
    case Kind::uri:
      return is_ascii(name.value);
    case Kind::directory:
      return name_is_well_formed(name.value);
    case Kind::ip:
      return is_ip(name.value, place);
    case Kind::registered_id:
      return is_oid(name.value);
    case Kind::other:
      return is_other_name(name.value);
    case Kind::x400:
    case Kind::edi:
      return true;
  }
  return false;
}

std::optional<GeneralName> read_general_name(DerReader& reader, Place place) {
  const std::optional<DerTag> tag = reader.peek();
  const std::optional<Kind> kind = tag ? kind_of(*tag) : std::nullopt;
  if (!kind) return std::nullopt;
  const std::optional<Bytes> value = reader.read(*tag);
  if (!value) return std::nullopt;
  const GeneralName name{.kind = *kind, .value = *value};
  if (!is_valid(name, place)) return std::nullopt;
  return name;
}

}  // namespace

std::optional<std::vector<GeneralName>> read_general_names(DerReader sequence) {
  std::vector<GeneralName> names;
  while (!sequence.at_end()) {
    const std::optional<GeneralName> name = read_general_name(sequence, Place::alternative_name);
    if (!name) return std::nullopt;
    names.push_back(*name);
  }
  if (!sequence.finished() || names.empty()) return std::nullopt;  // SIZE (1..MAX)
  return names;
}

std::optional<std::vector<GeneralName>> read_general_subtrees(DerReader sequence) {
  std::vector<GeneralName> names;
  while (!sequence.at_end()) {
    DerReader subtree = sequence.enter(DerTag::sequence);
    const std::optional<GeneralName> base = read_general_name(subtree, Place::subtree);
    // RFC 5280 §4.2.1.10: minimum is zero, which as the default DER leaves out; maximum is absent.
    if (!base || !subtree.finished()) return std::nullopt;
    names.push_back(*base);
  }
  if (!sequence.finished() || names.empty()) return std::nullopt;  // SIZE (1..MAX)
  return names;
}

}  // namespace quoll::x509
