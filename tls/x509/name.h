// Distinguished names (RFC 5280 §4.1.2.4): comparison by the rules of §7.1, and a text form for people (RFC 4514).
//
// Attribute values of the string types are compared as text (tls/x509/directory_string.h says how); all others, and
// strings whose contents their type does not allow, as bytes, the type included. Bytes that are no Name at all are only
// equal to themselves, and lie in no subtree.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace quoll::x509 {

/// Whether this is exactly one Name: a SEQUENCE of SETs of one or more attributes, each a type and any value.
bool name_is_well_formed(Bytes name);

/// Whether two Names (whole elements) are equal: same attributes in the same order; strings of the directory kinds
/// compared without regard to their ASN.1 type, ASCII case, and runs of inner or outer white space. The attributes of
/// one RDN may stand in any order.
bool names_equal(Bytes a, Bytes b);

/// Whether `name` lies in the subtree `base`: base's RDNs are the first RDNs of name (RFC 5280 §7.1).
bool name_within(Bytes name, Bytes base);

/// A canonical form: equal exactly for names that names_equal() calls equal. For use as a key of a table. Of
/// well-formed names the form of `base` is a prefix of the form of `name` exactly if name_within(name, base): who
/// compares many makes the forms once.
std::vector<uint8_t> canonical_name(Bytes name);

/// "CN=example.com, O=Example" in the order of the certificate, RDNs of several attributes joined by '+'. Control
/// characters, those that change the direction of text, and what is no text are escaped. For people.
std::string name_text(Bytes name);

/// Whether this is a well-formed Name without attributes.
bool name_is_empty(Bytes name);

}  // namespace quoll::x509
