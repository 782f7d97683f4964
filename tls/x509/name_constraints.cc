#include "tls/x509/name_constraints.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "crypto/der.h"
#include "tls/x509/extension_list.h"
#include "tls/x509/failure.h"
#include "tls/x509/host_name.h"
#include "tls/x509/name.h"
#include "tls/x509/oids.h"

namespace quoll::x509 {
namespace {

using Kind = GeneralName::Kind;

constexpr size_t kKinds = static_cast<size_t>(Kind::registered_id) + 1;
constexpr uint8_t kSmtpUtf8Mailbox[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09};  // RFC 9598 §3

constexpr size_t index_of(Kind kind) { return static_cast<size_t>(kind); }

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

/// `name` is some labels and a dot before `domain`.
bool is_below(std::string_view name, std::string_view domain) {
  return name.size() > domain.size() + 1 && name[name.size() - domain.size() - 1] == '.' &&
         ends_with_ignoring_case(name, domain);
}

struct Mailbox {
  std::string_view local, host;
};

/// Quoted local parts (RFC 5321 §4.1.2) are not taken apart, so they are no mailbox here.
std::optional<Mailbox> parse_mailbox(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const Mailbox mailbox{.local = text.substr(0, at), .host = text.substr(at + 1)};
  const bool plain = std::ranges::all_of(mailbox.local, [](char c) { return c > ' ' && c < 0x7f && c != '"'; });
  if (mailbox.local.empty() || !plain || !is_host_name(mailbox.host)) return std::nullopt;
  return mailbox;
}

/// A name in the form in which it is compared.
struct Comparable {
  Kind kind;
  Bytes value;                     // of a URI its host
  std::vector<uint8_t> canonical;  // of a directory name
  bool valid = true;
  bool is_mailbox = false;  // an otherName that constraints on e-mail addresses concern
};

Comparable comparable_name(Kind kind, Bytes value) {
  Comparable name{.kind = kind, .value = value, .canonical = {}};
  switch (kind) {
    case Kind::dns:
      name.valid = is_presented_name(as_text(value));
      break;
    case Kind::email:
      name.valid = parse_mailbox(as_text(value)).has_value();
      break;
    case Kind::uri:
      name.value = as_bytes(uri_host(as_text(value)));
      name.valid = !name.value.empty();
      break;
    case Kind::directory:
      name.canonical = canonical_name(value);
      break;
    case Kind::other: {
      crypto::DerReader reader(value);
      const auto type = reader.read(crypto::DerTag::object_identifier);
      name.is_mailbox = type && oid::is(*type, kSmtpUtf8Mailbox);
      break;
    }
    case Kind::ip:
    case Kind::x400:
    case Kind::edi:
    case Kind::registered_id:
      break;
  }
  return name;
}

std::vector<Comparable> names_of(const Certificate& certificate) {
  std::vector<Comparable> names;
  if (!name_is_empty(certificate.subject)) names.push_back(comparable_name(Kind::directory, certificate.subject));
  if (certificate.subject_alt_names) {
    for (const GeneralName& name : *certificate.subject_alt_names) {
      names.push_back(comparable_name(name.kind, name.value));
    }
    return names;
  }
  // RFC 5280 §4.2.1.10: without alternative names, addresses in the subject count.
  NameAttributeReader attributes(certificate.subject);
  while (const auto attribute = attributes.next()) {
    if (oid::is(attribute->oid, oid::kEmailAddress)) names.push_back(comparable_name(Kind::email, attribute->value));
  }
  return names;
}

/// Whether the base of a constraint means anything. Sizes and masks of addresses are the parser's business.
bool is_base(Kind kind, std::string_view text, LeadingDot leading_dot) {
  const bool below = text.starts_with('.') && is_host_name(text.substr(1));
  switch (kind) {
    case Kind::dns:
      return text.empty() || is_host_name(text) || (below && leading_dot == LeadingDot::means_below);
    case Kind::email:
      return below || is_host_name(text) || parse_mailbox(text);
    case Kind::uri:
      return below || is_host_name(text);
    case Kind::ip:
    case Kind::directory:
    case Kind::other:
    case Kind::x400:
    case Kind::edi:
    case Kind::registered_id:
      return true;
  }
  return false;
}

struct Base {
  Bytes value;
  std::vector<uint8_t> canonical;  // of a directory name
};

/// The bases of one list, by kind.
using Bases = std::array<std::vector<Base>, kKinds>;

/// False when one is malformed.
bool collect(const std::vector<GeneralName>& subtrees, LeadingDot leading_dot, Bases& bases) {
  for (const GeneralName& subtree : subtrees) {
    if (!is_base(subtree.kind, as_text(subtree.value), leading_dot)) return false;
    Base base{.value = subtree.value, .canonical = {}};
    if (subtree.kind == Kind::directory) base.canonical = canonical_name(subtree.value);
    bases[index_of(subtree.kind)].push_back(std::move(base));
  }
  return true;
}

bool is_within(const Comparable& name, const Base& base) {
  const std::string_view text = as_text(name.value), base_text = as_text(base.value);
  switch (name.kind) {
    case Kind::dns:
      return dns_name_within(text, base_text);
    case Kind::email:
      return mailbox_within(text, base_text);
    case Kind::uri:
      return uri_host_within(text, base_text);
    case Kind::ip:
      return address_within(name.value, base.value);
    case Kind::directory:
      // The form of a subtree's base is the beginning of the forms of the names in it.
      return base.canonical.size() <= name.canonical.size() &&
             std::equal(base.canonical.begin(), base.canonical.end(), name.canonical.begin());
    case Kind::other:
    case Kind::x400:
    case Kind::edi:
    case Kind::registered_id:
      return false;
  }
  return false;
}

bool may_be_within(const Comparable& name, const Base& base) {
  return is_within(name, base) ||
         (name.kind == Kind::dns && dns_wildcard_touches(as_text(name.value), as_text(base.value)));
}

constexpr bool is_compared(Kind kind) {
  return kind == Kind::dns || kind == Kind::email || kind == Kind::uri || kind == Kind::ip || kind == Kind::directory;
}

std::unexpected<Error> exhausted() { return refuse(Failure::limit, "too many names for too many name constraints"); }

/// The constraints of one authority, against names.
class Constraints {
 public:
  Constraints(const Bases& permitted, const Bases& excluded, size_t& budget)
      : permitted_(permitted), excluded_(excluded), budget_(budget) {}

  Result<void> check(const Comparable& name) const {
    if (name.is_mailbox && concern(Kind::email)) {
      return refuse(Failure::name_constraint, "constraints on e-mail addresses cannot be applied to this kind of name");
    }
    if (!concern(name.kind)) return {};
    if (!is_compared(name.kind)) {
      return refuse(Failure::name_constraint, "a name is of a kind whose constraints are not understood");
    }
    if (!name.valid) return refuse(Failure::name_constraint, "a name that constraints concern is malformed");
    if (const auto permitted = check_permitted(name); !permitted) return permitted;
    return check_excluded(name);
  }

 private:
  bool concern(Kind kind) const { return !permitted_[index_of(kind)].empty() || !excluded_[index_of(kind)].empty(); }

  Result<void> check_permitted(const Comparable& name) const {
    const std::vector<Base>& bases = permitted_[index_of(name.kind)];
    if (bases.empty()) return {};
    for (const Base& base : bases) {
      if (budget_ == 0) return exhausted();
      budget_--;
      if (is_within(name, base)) return {};
    }
    return refuse(Failure::name_constraint, "a name is not among those that its issuer may certify");
  }

  Result<void> check_excluded(const Comparable& name) const {
    for (const Base& base : excluded_[index_of(name.kind)]) {
      if (budget_ == 0) return exhausted();
      budget_--;
      if (may_be_within(name, base)) {
        return refuse(Failure::name_constraint, "a name is among those that its issuer must not certify");
      }
    }
    return {};
  }

  const Bases& permitted_;
  const Bases& excluded_;
  size_t& budget_;
};

}  // namespace

bool dns_name_within(std::string_view name, std::string_view base) {
  if (base.empty()) return true;
  if (base.starts_with('.')) return is_below(name, base.substr(1));
  return equal_ignoring_case(name, base) || is_below(name, base);
}

bool dns_wildcard_touches(std::string_view name, std::string_view base) {
  if (!name.starts_with("*.")) return false;
  const size_t dot = base.find('.');
  return dot != std::string_view::npos && dot != 0 && equal_ignoring_case(base.substr(dot), name.substr(1));
}

bool mailbox_within(std::string_view mailbox, std::string_view base) {
  const auto name = parse_mailbox(mailbox);
  if (!name) return false;
  if (const auto exact = parse_mailbox(base)) {
    // RFC 5280 §7.5: the host without regard to case, the local part octet for octet.
    return name->local == exact->local && equal_ignoring_case(name->host, exact->host);
  }
  return uri_host_within(name->host, base);
}

bool uri_host_within(std::string_view host, std::string_view base) {
  // RFC 5280 §4.2.1.10: unlike a DNS constraint, a host without leading dot is this host alone.
  return base.starts_with('.') ? is_below(host, base.substr(1)) : equal_ignoring_case(host, base);
}

bool address_within(Bytes address, Bytes base) {
  if (base.size() != address.size() * 2) return false;
  for (size_t i = 0; i < address.size(); i++) {
    const uint8_t mask = base[address.size() + i];
    if ((address[i] & mask) != (base[i] & mask)) return false;
  }
  return true;
}

std::string_view uri_host(std::string_view uri) {
  const size_t colon = uri.find(':');
  if (colon == std::string_view::npos || uri.substr(colon + 1, 2) != "//") return {};
  std::string_view authority = uri.substr(colon + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  authority = authority.substr(0, authority.find(':'));  // what begins with '[' is no DNS name anyway
  return is_host_name(authority) ? authority : std::string_view();
}

bool NameConstraintChecker::spend(size_t count) {
  if (count > comparisons_left_) return false;
  comparisons_left_ -= count;
  return true;
}

Result<void> NameConstraintChecker::check(std::span<const Certificate* const> path, size_t constraining,
                                          LeadingDot leading_dot) {
  std::vector<std::vector<Comparable>> names(path.size());
  std::vector<bool> collected(path.size());
  for (size_t issuer = constraining; issuer-- > 1;) {
    const auto& constraints = path[issuer]->name_constraints;
    if (!constraints) continue;
    if (!spend(constraints->permitted.size() + constraints->excluded.size())) return exhausted();
    Bases permitted, excluded;
    if (!collect(constraints->permitted, leading_dot, permitted) ||
        !collect(constraints->excluded, leading_dot, excluded)) {
      return refuse(Failure::malformed, "a name constraint is not well-formed");
    }
    const Constraints rules(permitted, excluded, comparisons_left_);
    for (size_t i = 0; i < issuer; i++) {
      // RFC 5280 §6.1.3 (b): not to self-issued certificates, but for the last of a path.
      if (i != 0 && path[i]->is_self_issued()) continue;
      if (!collected[i]) names[i] = names_of(*path[i]);
      if (!collected[i] && !spend(names[i].size())) return exhausted();
      collected[i] = true;
      for (const Comparable& name : names[i]) {
        if (const auto allowed = rules.check(name); !allowed) return allowed;
      }
    }
  }
  return {};
}

}  // namespace quoll::x509
