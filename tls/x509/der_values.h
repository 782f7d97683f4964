// The values of X.509 that crypto::DerReader does not know: times (RFC 5280 §4.1.2.5), booleans, bit strings, object
// identifiers, AlgorithmIdentifier (§4.1.1.2).
//
// The read functions take the next element of a reader. They return empty when it is not a value of that kind in DER;
// the reader may then stand behind the element, so a caller asks for the value, not for the reader's state.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/unix_time.h"
#include "crypto/der.h"

namespace quoll::x509 {

/// X.690 §11.1: one octet, 0x00 or 0xff.
std::optional<bool> read_boolean(crypto::DerReader& reader);

/// A bit string and how many bits of its last byte are not part of it (they are zero, X.690 §11.2.1).
struct BitString {
  Bytes bytes;
  uint8_t unused_bits = 0;

  /// Bit 0 is the first; bits behind the end are not set.
  bool is_set(size_t bit) const;
};
std::optional<BitString> read_bit_string(crypto::DerReader& reader);

/// The contents of an OBJECT IDENTIFIER: whole arcs, each in its shortest form (X.690 §8.19).
std::optional<Bytes> read_oid(crypto::DerReader& reader);
bool is_oid(Bytes contents);

/// Lower case, without separators.
std::string hex_text(Bytes bytes);

/// "2.5.29.15". Contents that are no OID, or have an arc above 64 bits, are given in hex: "#ff".
std::string oid_text(Bytes contents);

/// The contents of an INTEGER of any sign and size, in the shortest form (X.690 §8.3).
std::optional<Bytes> read_integer_contents(crypto::DerReader& reader);

/// An element with this tag, header included.
std::optional<Bytes> read_whole(crypto::DerReader& reader, crypto::DerTag tag);

/// UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 restricts them: with seconds, without fractions, in UTC, a day of the
/// calendar. Second 60 is refused, for UnixTime has no leap seconds.
std::optional<UnixTime> read_time(crypto::DerReader& reader);

/// "2026-11-21 05:37:43 UTC", for people.
std::string time_text(UnixTime time);

/// RFC 5280 §4.1.1.2.
struct AlgorithmIdentifier {
  Bytes element;                    // whole
  Bytes oid;                        // contents
  std::optional<Bytes> parameters;  // whole element

  bool parameters_are_null() const;
};
std::optional<AlgorithmIdentifier> read_algorithm_identifier(crypto::DerReader& reader);

}  // namespace quoll::x509
