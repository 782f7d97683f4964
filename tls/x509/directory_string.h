// The character strings of names (DirectoryString of RFC 5280 §4.1.2.4, and IA5String, VisibleString): to UTF-8, and the
// form in which they are compared.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "crypto/der.h"

namespace quoll::x509 {

/// The text of a string element of this tag in UTF-8. TeletexString is read as ISO 8859-1, which is what those who made
/// them meant (RFC 5280 appendix B). Empty for other tags, and for contents that the type does not allow; PrintableString
/// may hold any ASCII, for certificates with '@', '*' or '_' in one are many.
std::optional<std::string> string_to_utf8(crypto::DerTag tag, Bytes contents);

/// RFC 5280 §7.1, as widely as peers do it: ASCII letters in lower case, white space stripped at both ends and each run
/// of it within one space. Unicode's case folding and normalization (RFC 4518) are left out, as in OpenSSL and
/// BoringSSL: CAs repeat their names byte for byte.
std::string fold_string(std::string_view utf8);

/// One code point off the front of a UTF-8 text, of which it is removed; empty, with nothing removed, when the text
/// begins with none (RFC 3629: shortest form, no surrogates).
std::optional<char32_t> take_code_point(std::string_view& utf8);

}  // namespace quoll::x509
