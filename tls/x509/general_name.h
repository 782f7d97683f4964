// GeneralName (RFC 5280 §4.2.1.6) and GeneralSubtrees (§4.2.1.10).
//
// What the type says is checked: ASCII, the sizes of addresses, a well-formed Name or OID. What the text of a name means
// (host names, wildcards, mailboxes) is left to those who compare it. otherName, x400Address and ediPartyName stand as
// they are: nobody here compares them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "crypto/der.h"

namespace quoll::x509 {

/// A name of one of nine kinds, and its contents as they stand in the certificate.
struct GeneralName {
  enum class Kind : uint8_t { other, email, dns, x400, directory, edi, uri, ip, registered_id };
  Kind kind;
  Bytes value;  // email, dns, uri: ASCII; ip: 4 or 16 octets (8 or 32 in name constraints); directory: a Name
};

/// GeneralNames, by the contents of its SEQUENCE: one or more names.
std::optional<std::vector<GeneralName>> read_general_names(crypto::DerReader sequence);

/// GeneralSubtrees, by the contents of its SEQUENCE: one or more names, addresses with a contiguous mask. A subtree with
/// a minimum or maximum is none: RFC 5280 knows no use of them.
std::optional<std::vector<GeneralName>> read_general_subtrees(crypto::DerReader sequence);

}  // namespace quoll::x509
