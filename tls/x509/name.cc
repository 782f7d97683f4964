#include "tls/x509/name.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "crypto/der.h"
#include "tls/x509/der_values.h"
#include "tls/x509/directory_string.h"
#include "tls/x509/oids.h"

namespace quoll::x509 {
namespace {

using crypto::DerReader;
using crypto::DerTag;

/// AttributeTypeAndValue.
struct Attribute {
  Bytes type;     // OID contents
  Bytes element;  // the value, whole
  DerTag tag;
  Bytes value;  // its contents
};

std::optional<Attribute> read_attribute(DerReader& set) {
  DerReader sequence = set.enter(DerTag::sequence);
  const std::optional<Bytes> type = read_oid(sequence);
  const std::optional<DerTag> tag = sequence.peek();
  const std::optional<Bytes> element = sequence.read_element();
  if (!type || !element || !sequence.finished()) return std::nullopt;
  const std::optional<Bytes> value = DerReader(*element).read(*tag);
  if (!value) return std::nullopt;
  return Attribute{.type = *type, .element = *element, .tag = *tag, .value = *value};
}

/// Calls begin_rdn() and then attribute(Attribute) for each of its attributes. False when the bytes are no Name; what
/// came before the fault has been visited.
template <class BeginRdn, class VisitAttribute>
bool visit_name(Bytes name, BeginRdn begin_rdn, VisitAttribute visit_attribute) {
  DerReader outer(name);
  DerReader rdns = outer.enter(DerTag::sequence);
  if (!outer.finished()) return false;
  while (!rdns.at_end()) {
    DerReader set = rdns.enter(DerTag::set);
    if (set.at_end()) return false;  // RFC 5280 §4.1.2.4: SET SIZE (1..MAX); or it was no SET
    begin_rdn();
    while (!set.at_end()) {
      const std::optional<Attribute> attribute = read_attribute(set);
      if (!attribute) return false;
      visit_attribute(*attribute);
    }
    if (!set.finished()) return false;
  }
  return rdns.finished();
}

void append(std::vector<uint8_t>& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_sized(std::vector<uint8_t>& out, Bytes bytes) {
  uint8_t size[8];
  store_be(size, uint64_t{bytes.size()});
  append(out, size);
  append(out, bytes);
}

// What follows the type in the canonical form of an attribute.
constexpr uint8_t kText = 't';
constexpr uint8_t kBinary = 'b';
// The first byte of what is no Name; a size of 64 bits never begins like this.
constexpr uint8_t kMalformed = 0xff;

std::vector<uint8_t> canonical_attribute(const Attribute& attribute) {
  std::vector<uint8_t> out;
  append_sized(out, attribute.type);
  if (const std::optional<std::string> text = string_to_utf8(attribute.tag, attribute.value)) {
    out.push_back(kText);
    append(out, as_bytes(fold_string(*text)));
  } else {
    out.push_back(kBinary);
    append(out, attribute.element);
  }
  return out;
}

using Rdn = std::vector<std::vector<uint8_t>>;  // canonical attributes

void append_rdn(std::vector<uint8_t>& out, Rdn& rdn) {
  std::ranges::sort(rdn);  // RFC 5280 §7.1: attributes match in any order
  std::vector<uint8_t> contents;
  for (const std::vector<uint8_t>& attribute : rdn) append_sized(contents, attribute);
  append_sized(out, contents);
  rdn.clear();
}

std::string_view attribute_name(Bytes type) {
  struct Entry {
    Bytes oid;
    std::string_view name;
  };
  static constexpr Entry kNames[] = {
      // RFC 4514 §3, RFC 4519, and what tools write for the rest
      {oid::kCommonName, "CN"},
      {oid::kOrganizationName, "O"},
      {oid::kOrganizationalUnitName, "OU"},
      {oid::kCountryName, "C"},
      {oid::kLocalityName, "L"},
      {oid::kStateOrProvinceName, "ST"},
      {oid::kStreetAddress, "STREET"},
      {oid::kDomainComponent, "DC"},
      {oid::kUserId, "UID"},
      {oid::kEmailAddress, "emailAddress"},
      {oid::kSerialNumber, "serialNumber"},
      {oid::kSurname, "SN"},
      {oid::kGivenName, "GN"},
      {oid::kTitle, "title"},
      {oid::kPostalCode, "postalCode"},
      {oid::kOrganizationIdentifier, "organizationIdentifier"},
  };
  for (const Entry& entry : kNames) {
    if (oid::is(type, entry.oid)) return entry.name;
  }
  return {};
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_hex(std::string& text, uint8_t byte) {
  text += kHexDigits[byte >> 4];
  text += kHexDigits[byte & 15];
}

/// Characters that a terminal would act upon, or that make a text look like another.
bool is_unprintable(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/// RFC 4514 §2.4: special characters behind a backslash, others as bytes in hex.
void append_escaped(std::string& text, std::string_view value) {
  std::string_view rest = value;
  while (!rest.empty()) {
    const std::string_view before = rest;
    const std::optional<char32_t> c = take_code_point(rest);
    const std::string_view bytes = before.substr(0, before.size() - rest.size());
    const bool at_begin = before.size() == value.size();
    const bool space_at_an_end = c == U' ' && (at_begin || rest.empty());
    const bool special = *c < 0x80 && std::string_view("\"+,;<>\\").contains(static_cast<char>(*c));
    if (is_unprintable(*c)) {
      for (const char byte : bytes) {
        text += '\\';
        append_hex(text, static_cast<uint8_t>(byte));
      }
    } else {
      if (space_at_an_end || special || (at_begin && c == U'#')) text += '\\';
      text += bytes;
    }
  }
}

void append_attribute(std::string& text, const Attribute& attribute) {
  const std::string_view name = attribute_name(attribute.type);
  text += name.empty() ? oid_text(attribute.type) : std::string(name);
  text += '=';
  if (const std::optional<std::string> value = string_to_utf8(attribute.tag, attribute.value)) {
    append_escaped(text, *value);
  } else {
    text += '#';  // RFC 4514 §2.4: what has no text is given as its DER in hex
    for (const uint8_t byte : attribute.element) append_hex(text, byte);
  }
}

}  // namespace

bool name_is_well_formed(Bytes name) {
  return visit_name(name, [] {}, [](const Attribute&) {});
}

std::vector<uint8_t> canonical_name(Bytes name) {
  std::vector<uint8_t> out;
  Rdn rdn;
  const auto begin_rdn = [&] {
    if (!rdn.empty()) append_rdn(out, rdn);
  };
  if (!visit_name(name, begin_rdn,
                  [&](const Attribute& attribute) { rdn.push_back(canonical_attribute(attribute)); })) {
    out.assign(1, kMalformed);
    append(out, name);
    return out;
  }
  begin_rdn();
  return out;
}

bool names_equal(Bytes a, Bytes b) { return std::ranges::equal(a, b) || canonical_name(a) == canonical_name(b); }

bool name_within(Bytes name, Bytes base) {
  if (!name_is_well_formed(name) || !name_is_well_formed(base)) return false;
  const std::vector<uint8_t> outer = canonical_name(base), inner = canonical_name(name);
  return inner.size() >= outer.size() && std::equal(outer.begin(), outer.end(), inner.begin());
}

std::string name_text(Bytes name) {
  std::string text;
  bool first = true, first_of_rdn = true;
  const bool ok = visit_name(
      name, [&] { first_of_rdn = true; },
      [&](const Attribute& attribute) {
        if (!first) text += first_of_rdn ? ", " : "+";
        first = first_of_rdn = false;
        append_attribute(text, attribute);
      });
  return ok ? text : "(not a name)";
}

bool name_is_empty(Bytes name) {
  DerReader outer(name);
  const std::optional<Bytes> contents = outer.read(DerTag::sequence);
  return contents && contents->empty() && outer.finished();
}

}  // namespace quoll::x509
