// The extensions of a certificate one by one (RFC 5280 §4.1.2.9), for rules about those that Certificate does not
// decode, and about their critical flags; and the attributes of a Name in the same manner (§4.1.2.4).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "crypto/der.h"
#include "tls/x509/certificate.h"

namespace quoll::x509 {

struct Extension {
  Bytes oid;
  bool critical = false;
  Bytes value;  // what the OCTET STRING holds
};

class ExtensionReader {
 public:
  explicit ExtensionReader(const Certificate& certificate);
  /// The next extension; empty at the end, or where the list is not well-formed (which parsing has excluded).
  std::optional<Extension> next();

 private:
  crypto::DerReader list_;
};

std::optional<Extension> find_extension(const Certificate& certificate, Bytes oid);

struct NameAttribute {
  Bytes oid;
  Bytes value;  // contents of the string, whatever its kind
};

class NameAttributeReader {
 public:
  /// `name` is a whole Name.
  explicit NameAttributeReader(Bytes name);
  std::optional<NameAttribute> next();

 private:
  crypto::DerReader sequence_;
  crypto::DerReader set_;
};

}  // namespace quoll::x509
