// DER put together from pieces, and certificates from fields that a test may replace one by one by anything.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/der.h"
#include "tls/x509/oids.h"

namespace quoll::tests {

using Buffer = std::vector<uint8_t>;

inline Buffer to_buffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

inline Buffer unhex(std::string_view text) {
  const auto digit = [](char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  Buffer out(text.size() / 2);
  for (size_t i = 0; i < out.size(); i++) {
    out[i] = static_cast<uint8_t>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  }
  return out;
}

inline Buffer join(std::initializer_list<Buffer> parts) {
  Buffer out;
  for (const Buffer& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

inline Buffer element(crypto::DerTag tag, Bytes contents) {
  Buffer room(contents.size() + 6);
  crypto::DerWriter writer(room);
  writer.write(tag, contents);
  return to_buffer(writer.finish().value());
}

inline Buffer text(crypto::DerTag tag, std::string_view contents) { return element(tag, as_bytes(contents)); }
inline Buffer sequence(std::initializer_list<Buffer> parts) { return element(crypto::DerTag::sequence, join(parts)); }
inline Buffer set(std::initializer_list<Buffer> parts) { return element(crypto::DerTag::set, join(parts)); }
inline Buffer context(uint8_t number, bool constructed, Bytes contents) {
  return element(crypto::der_context_tag(number, constructed), contents);
}
inline Buffer object_identifier(Bytes oid) { return element(crypto::DerTag::object_identifier, oid); }
inline Buffer integer(uint8_t value) { return element(crypto::DerTag::integer, Bytes(&value, 1)); }  // below 0x80
inline Buffer boolean(bool value) { return {0x01, 0x01, static_cast<uint8_t>(value ? 0xff : 0x00)}; }
inline Buffer null() { return {0x05, 0x00}; }
inline Buffer octets(Bytes contents) { return element(crypto::DerTag::octet_string, contents); }
/// A BIT STRING of whole bytes.
inline Buffer bits(Bytes contents) {
  return element(crypto::DerTag::bit_string, join({Buffer{0}, to_buffer(contents)}));
}

/// One RDN with one attribute.
inline Buffer rdn(Bytes type, const Buffer& value) { return set({sequence({object_identifier(type), value})}); }
/// A Name with a commonName as UTF8String.
inline Buffer common_name(std::string_view name) {
  return sequence({rdn(x509::oid::kCommonName, text(crypto::DerTag::utf8_string, name))});
}

inline Buffer extension(Bytes oid, bool critical, const Buffer& value) {
  return sequence({object_identifier(oid), critical ? boolean(true) : Buffer(), octets(value)});
}

/// The fields of a certificate, each a whole element (or nothing). As they stand they make a certificate of version 3
/// with an extension; its signature is nonsense.
struct CertificateFields {
  Buffer version = context(0, true, integer(2));
  Buffer serial_number = integer(1);
  Buffer inner_algorithm = sequence({object_identifier(x509::oid::kEcdsaWithSha256)});
  Buffer issuer = common_name("Issuer");
  Buffer validity = sequence(
      {text(crypto::DerTag::utc_time, "250101000000Z"), text(crypto::DerTag::generalized_time, "20500101000000Z")});
  Buffer subject = common_name("Subject");
  Buffer key = sequence({sequence({object_identifier(x509::oid::kEd25519)}), bits(Buffer(32, 0x5a))});
  Buffer unique_ids;
  Buffer extensions =
      context(3, true, sequence({extension(x509::oid::kBasicConstraints, true, sequence({boolean(true)}))}));
  Buffer after_extensions;
  Buffer outer_algorithm = inner_algorithm;
  Buffer signature = bits(Buffer(64, 0xa5));
  Buffer after_signature;

  /// With these extensions instead.
  static CertificateFields with_extensions(std::initializer_list<Buffer> list) {
    CertificateFields fields;
    fields.extensions = context(3, true, sequence(list));
    return fields;
  }

  Buffer build() const {
    const Buffer tbs = sequence({version, serial_number, inner_algorithm, issuer, validity, subject, key, unique_ids,
                                 extensions, after_extensions});
    return sequence({tbs, outer_algorithm, signature, after_signature});
  }
};

}  // namespace quoll::tests
