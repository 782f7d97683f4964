// Distinguished names (RFC 5280 §4.1.2.4): comparison by the rules of §7.1, and a text form for people (RFC 4514).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace quoll::x509 {

/// Whether two Names (whole elements) are equal: same attributes in the same order; strings of the directory kinds
/// compared without regard to their ASN.1 type, ASCII case, and runs of inner or outer white space.
bool names_equal(Bytes a, Bytes b);

/// Whether `name` lies in the subtree `base`: base's RDNs are the first RDNs of name (RFC 5280 §7.1).
bool name_within(Bytes name, Bytes base);

/// A canonical form: equal exactly for names that names_equal() calls equal. For use as a key of a table.
std::vector<uint8_t> canonical_name(Bytes name);

/// "CN=example.com, O=Example" in the order of the certificate; control characters and non-UTF-8 are escaped. For
/// people.
std::string name_text(Bytes name);

/// Whether this is a well-formed Name without attributes.
bool name_is_empty(Bytes name);

}  // namespace quoll::x509
