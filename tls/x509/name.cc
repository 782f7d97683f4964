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

/// A size of 64 bits, then the bytes.
std::string sized(std::string_view bytes) {
  uint8_t size[8];
  store_be(size, uint64_t{bytes.size()});
  std::string out(as_text(size));
  out += bytes;
  return out;
}

// What follows the type in the canonical form of an attribute.
constexpr char kText = 't';
constexpr char kBinary = 'b';
// The first byte of what is no Name; a size of 64 bits never begins like this.
constexpr uint8_t kMalformed = 0xff;

std::string canonical_attribute(const Attribute& attribute) {
  std::string out = sized(as_text(attribute.type));
  if (const std::optional<std::string> text = string_to_utf8(attribute.tag, attribute.value)) {
    out += kText;
    out += fold_string(*text);
  } else {
    out += kBinary;
    out += as_text(attribute.element);
  }
  return out;
}

/// One RDN by its canonical attributes.
std::string canonical_rdn(std::vector<std::string> attributes) {
  std::ranges::sort(attributes);  // RFC 5280 §7.1: attributes match in any order
  std::string contents;
  for (const std::string& attribute : attributes) contents += sized(attribute);
  return sized(contents);
}

/// Empty for what is no Name.
std::optional<std::string> canonical_form(Bytes name) {
  std::string out;
  std::vector<std::string> rdn;
  const auto end_rdn = [&] {
    if (!rdn.empty()) out += canonical_rdn(std::move(rdn));
    rdn.clear();
  };
  const auto add = [&](const Attribute& attribute) { rdn.push_back(canonical_attribute(attribute)); };
  if (!visit_name(name, end_rdn, add)) return std::nullopt;
  end_rdn();
  return out;
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
      for (const uint8_t byte : as_bytes(bytes)) text += '\\' + hex_text(Bytes(&byte, 1));
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
    text += '#' + hex_text(attribute.element);  // RFC 4514 §2.4: the DER of what has no text
  }
}

}  // namespace

bool name_is_well_formed(Bytes name) {
  return visit_name(name, [] {}, [](const Attribute&) {});
}

std::vector<uint8_t> canonical_name(Bytes name) {
  if (const std::optional<std::string> form = canonical_form(name)) {
    const Bytes bytes = as_bytes(*form);
    return {bytes.begin(), bytes.end()};
  }
  std::vector<uint8_t> out(1 + name.size());
  out[0] = kMalformed;
  copy_bytes(out.data() + 1, name);
  return out;
}

bool names_equal(Bytes a, Bytes b) {
  if (std::ranges::equal(a, b)) return true;
  const std::optional<std::string> form = canonical_form(a);
  return form && form == canonical_form(b);
}

bool name_within(Bytes name, Bytes base) {
  const std::optional<std::string> inner = canonical_form(name), outer = canonical_form(base);
  return inner && outer && inner->starts_with(*outer);
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
