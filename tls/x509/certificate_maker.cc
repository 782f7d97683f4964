#include "tls/x509/certificate_maker.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "base/address.h"
#include "crypto/der.h"
#include "tls/x509/algorithm_identifier.h"
#include "tls/x509/build_der.h"
#include "tls/x509/der_values.h"
#include "tls/x509/directory_string.h"
#include "tls/x509/failure.h"
#include "tls/x509/host_name.h"
#include "tls/x509/oids.h"

namespace quoll::x509 {
namespace {

using crypto::der_context_tag;
using crypto::DerReader;
using crypto::DerTag;
using crypto::DerWriter;

constexpr size_t kCommonNameCharactersMax = 64;  // RFC 5280 appendix A.1: ub-common-name
constexpr size_t kKeyIdentifierSize = 20;
constexpr size_t kSerialNumberSize = 16;

constexpr uint16_t operator|(KeyUsage a, KeyUsage b) {
  return static_cast<uint16_t>(static_cast<uint16_t>(a) | static_cast<uint16_t>(b));
}

/// An element whose contents are what `write` writes.
template <class Write>
void nested(DerWriter& writer, DerTag tag, const Write& write) {
  const size_t opened = writer.open(tag);
  write();
  writer.close(opened);
}

void write_boolean(DerWriter& writer, bool value) {
  const uint8_t octet = value ? 0xff : 0x00;
  writer.write(DerTag::boolean, Bytes(&octet, 1));
}

void write_small_integer(DerWriter& writer, uint64_t value) {
  uint8_t bytes[8];
  store_be(bytes, value);
  writer.write_unsigned_integer(bytes);
}

/// A named bit list: bits from the left, without the zeros at the end (X.690 §11.2.2).
void write_bits(DerWriter& writer, uint16_t bits) {
  uint8_t contents[3] = {};
  size_t size = 1;
  for (size_t bit = 0; bit < 16; bit++) {
    if ((bits >> bit & 1) == 0) continue;
    contents[1 + bit / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
    size = 2 + bit / 8;
  }
  if (size > 1) contents[0] = static_cast<uint8_t>(std::countr_zero(contents[size - 1]));
  writer.write(DerTag::bit_string, Bytes(contents, size));
}

template <class Write>
void write_extension(DerWriter& writer, Bytes oid, bool critical, const Write& write) {
  nested(writer, DerTag::sequence, [&] {
    writer.write(DerTag::object_identifier, oid);
    if (critical) write_boolean(writer, true);  // X.690 §11.5: not written when it is the default
    nested(writer, DerTag::octet_string, write);
  });
}

void write_common_name(DerWriter& writer, std::string_view common_name) {
  nested(writer, DerTag::sequence, [&] {
    if (common_name.empty()) return;
    nested(writer, DerTag::set, [&] {
      nested(writer, DerTag::sequence, [&] {
        writer.write(DerTag::object_identifier, oid::kCommonName);
        writer.write(DerTag::utf8_string, as_bytes(common_name));
      });
    });
  });
}

/// "20261121053743"; empty for a year without four digits.
std::string time_digits(UnixTime time) {
  std::string text = time_text(time);
  std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
  if (text.size() != 14 || time < UnixTime::from_seconds(-62'167'219'200)) return {};
  return text;
}

/// RFC 5280 §4.1.2.5: UTCTime for the years 1950 to 2049, GeneralizedTime for others.
void write_time(DerWriter& writer, std::string_view digits) {
  const bool short_form = digits >= "1950" && digits < "2050";
  const std::string text = std::string(short_form ? digits.substr(2) : digits) + 'Z';
  writer.write(short_form ? DerTag::utc_time : DerTag::generalized_time, as_bytes(text));
}

/// A GeneralName that is ready to be written.
struct EncodedName {
  DerTag tag;
  std::vector<uint8_t> contents;
};

EncodedName encoded(GeneralName::Kind kind, Bytes contents) {
  return {der_context_tag(static_cast<uint8_t>(kind), false), {contents.begin(), contents.end()}};
}

std::optional<EncodedName> encode_name(std::string_view name) {
  if (const auto address = IpAddress::parse(name)) {
    if (address->scope() != 0) return std::nullopt;
    return encoded(GeneralName::Kind::ip, address->octets());
  }
  if (!is_presented_name(name)) return std::nullopt;
  return encoded(GeneralName::Kind::dns, as_bytes(name));
}

/// RFC 5280 §4.2.1.10: a domain, or an address and its mask.
std::optional<EncodedName> encode_constraint(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    if (!is_host_name(text)) return std::nullopt;
    return encoded(GeneralName::Kind::dns, as_bytes(text));
  }
  const auto address = IpAddress::parse(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  size_t prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (!address || address->scope() != 0 || error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  const Bytes octets = address->octets();
  if (prefix > 8 * octets.size()) return std::nullopt;
  std::vector<uint8_t> range(2 * octets.size());
  for (size_t bit = 0; bit < prefix; bit++) range[octets.size() + bit / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
  for (size_t i = 0; i < octets.size(); i++) range[i] = octets[i] & range[octets.size() + i];
  return encoded(GeneralName::Kind::ip, range);
}

Result<std::vector<EncodedName>> encode_all(const std::vector<std::string>& names,
                                            std::optional<EncodedName> (*encode)(std::string_view)) {
  std::vector<EncodedName> all;
  for (const std::string& name : names) {
    std::optional<EncodedName> one = encode(name);
    if (!one) return refuse(Failure::malformed, "a name that is neither a DNS name nor an IP address");
    all.push_back(std::move(*one));
  }
  return all;
}

using KeyIdentifier = std::array<uint8_t, kKeyIdentifierSize>;

/// RFC 7093 §2 method 1: the first 160 bits of the SHA-256 of the BIT STRING's contents.
std::optional<KeyIdentifier> key_identifier(const crypto::Provider& provider, Bytes subject_public_key_info) {
  DerReader reader(subject_public_key_info);
  DerReader sequence = reader.enter(DerTag::sequence);
  (void)sequence.read(DerTag::sequence);
  const std::optional<Bytes> key = sequence.read_bit_string_bytes();
  if (!reader.finished() || !sequence.finished()) return std::nullopt;
  const crypto::Digest digest = crypto::hash(*provider.sha256, *key);
  KeyIdentifier identifier;
  std::copy_n(digest.data(), identifier.size(), identifier.data());
  return identifier;
}

bool is_common_name(std::string_view text) {
  size_t characters = 0;
  for (; !text.empty(); characters++) {
    if (!take_code_point(text)) return false;
  }
  return characters <= kCommonNameCharactersMax;
}

/// All that is in the signed part, decided before the first byte is written.
class Draft {
 public:
  Draft(const CertificateRequest& request, Bytes subject_key, const Certificate* issuer, SignatureAlgorithm algorithm)
      : request_(request), subject_key_(subject_key), issuer_(issuer), algorithm_(algorithm) {}

  /// Tests and encodes what the request asks for.
  Result<void> prepare(const PrivateKey& issuer_key, Rng& rng);

  void write(DerWriter& writer) const;

 private:
  void write_validity(DerWriter& writer) const;
  void write_extensions(DerWriter& writer) const;
  void write_usages(DerWriter& writer) const;
  void write_names(DerWriter& writer) const;
  void write_constraints(DerWriter& writer) const;
  void write_key_identifiers(DerWriter& writer) const;

  const CertificateRequest& request_;
  Bytes subject_key_;
  const Certificate* issuer_;
  SignatureAlgorithm algorithm_;
  std::array<uint8_t, kSerialNumberSize> serial_number_;
  std::string not_before_, not_after_;  // digits
  std::vector<EncodedName> names_, permitted_, excluded_;
  KeyIdentifier subject_identifier_;
  std::vector<uint8_t> authority_identifier_;
};

Result<void> Draft::prepare(const PrivateKey& issuer_key, Rng& rng) {
  if (!is_common_name(request_.common_name)) {
    return refuse(Failure::malformed, "a common name that is not UTF-8, or longer than 64 characters");
  }
  not_before_ = time_digits(request_.not_before);
  not_after_ = time_digits(request_.not_after);
  if (not_before_.empty() || not_after_.empty()) {
    return refuse(Failure::malformed, "a time that X.509 cannot express");
  }
  auto names = encode_all(request_.names, encode_name);
  auto permitted = encode_all(request_.permitted_names, encode_constraint);
  auto excluded = encode_all(request_.excluded_names, encode_constraint);
  for (const auto* list : {&names, &permitted, &excluded}) {
    if (!*list) return std::unexpected(list->error());
  }
  names_ = std::move(*names), permitted_ = std::move(*permitted), excluded_ = std::move(*excluded);

  const auto own = key_identifier(issuer_key.provider(), subject_key_);
  if (!own) return refuse(Failure::malformed, "the subject's key is no SubjectPublicKeyInfo");
  subject_identifier_ = *own;
  // RFC 5280 §4.2.1.1: the authority's identifier is the subject's in the issuer's certificate.
  const Bytes authority = issuer_ && issuer_->subject_key_identifier ? *issuer_->subject_key_identifier : Bytes();
  authority_identifier_.assign(authority.begin(), authority.end());
  if (authority.empty()) {
    const auto computed = key_identifier(issuer_key.provider(), issuer_key.public_key_info());
    authority_identifier_.assign(computed->begin(), computed->end());
  }
  // RFC 5280 §4.1.2.2: positive and at most 20 octets; a set bit keeps the first octet from being zero.
  rng.fill(serial_number_);
  serial_number_[0] = static_cast<uint8_t>((serial_number_[0] & 0x7f) | 0x40);
  return {};
}

void Draft::write(DerWriter& writer) const {
  nested(writer, DerTag::sequence, [&] {
    if (request_.version > 1) {
      nested(writer, der_context_tag(0, true), [&] { write_small_integer(writer, request_.version - uint64_t{1}); });
    }
    writer.write_unsigned_integer(serial_number_);
    writer.write_element(signature_algorithm_identifier(algorithm_));
    if (issuer_) {
      writer.write_element(issuer_->subject);
    } else {
      write_common_name(writer, request_.common_name);
    }
    write_validity(writer);
    write_common_name(writer, request_.common_name);
    writer.write_element(subject_key_);
    if (request_.version < 3) return;
    nested(writer, der_context_tag(3, true), [&] { write_extensions(writer); });
  });
}

void Draft::write_validity(DerWriter& writer) const {
  nested(writer, DerTag::sequence, [&] {
    write_time(writer, not_before_);
    write_time(writer, not_after_);
  });
}

void Draft::write_extensions(DerWriter& writer) const {
  nested(writer, DerTag::sequence, [&] {
    if (request_.with_basic_constraints) {
      write_extension(writer, oid::kBasicConstraints, true, [&] {
        nested(writer, DerTag::sequence, [&] {
          if (!request_.is_ca) return;
          write_boolean(writer, true);
          if (request_.path_length) write_small_integer(writer, *request_.path_length);
        });
      });
    }
    write_usages(writer);
    write_names(writer);
    write_constraints(writer);
    if (request_.with_key_identifiers) write_key_identifiers(writer);
    for (const std::vector<uint8_t>& extension : request_.extra_extensions) writer.write_element(extension);
  });
}

void Draft::write_usages(DerWriter& writer) const {
  const uint16_t usual = request_.is_ca ? KeyUsage::key_cert_sign | KeyUsage::crl_sign
                                        : static_cast<uint16_t>(KeyUsage::digital_signature);
  const uint16_t usage = request_.key_usage.value_or(usual);
  if (usage != 0) write_extension(writer, oid::kKeyUsage, true, [&] { write_bits(writer, usage); });
  if (request_.is_ca || (!request_.server_auth && !request_.client_auth)) return;
  write_extension(writer, oid::kExtendedKeyUsage, false, [&] {
    nested(writer, DerTag::sequence, [&] {
      if (request_.server_auth) writer.write(DerTag::object_identifier, oid::kServerAuth);
      if (request_.client_auth) writer.write(DerTag::object_identifier, oid::kClientAuth);
    });
  });
}

void Draft::write_names(DerWriter& writer) const {
  if (names_.empty()) return;
  // RFC 5280 §4.2.1.6: critical when the names are all that tells the subject.
  write_extension(writer, oid::kSubjectAltName, request_.common_name.empty(), [&] {
    nested(writer, DerTag::sequence, [&] {
      for (const EncodedName& name : names_) writer.write(name.tag, name.contents);
    });
  });
}

void Draft::write_constraints(DerWriter& writer) const {
  if (permitted_.empty() && excluded_.empty()) return;
  const auto write_subtrees = [&](uint8_t tag, const std::vector<EncodedName>& bases) {
    if (bases.empty()) return;
    nested(writer, der_context_tag(tag, true), [&] {
      for (const EncodedName& base : bases) {
        nested(writer, DerTag::sequence, [&] { writer.write(base.tag, base.contents); });
      }
    });
  };
  write_extension(writer, oid::kNameConstraints, true, [&] {  // RFC 5280 §4.2.1.10: must be critical
    nested(writer, DerTag::sequence, [&] {
      write_subtrees(0, permitted_);
      write_subtrees(1, excluded_);
    });
  });
}

void Draft::write_key_identifiers(DerWriter& writer) const {
  write_extension(writer, oid::kSubjectKeyIdentifier, false,
                  [&] { writer.write(DerTag::octet_string, subject_identifier_); });
  write_extension(writer, oid::kAuthorityKeyIdentifier, false, [&] {
    nested(writer, DerTag::sequence, [&] { writer.write(der_context_tag(0, false), authority_identifier_); });
  });
}

}  // namespace

Result<std::vector<uint8_t>> make_certificate(const CertificateRequest& request, Bytes subject_key,
                                              const Certificate* issuer, const PrivateKey& issuer_key, Rng& rng) {
  if (!std::ranges::equal(issuer ? issuer->subject_public_key_info : subject_key, issuer_key.public_key_info())) {
    return usage_error("the issuer's key is not that of its certificate");
  }
  const SignatureAlgorithm algorithm = request.algorithm.value_or(issuer_key.preferred_algorithm());
  Draft draft(request, subject_key, issuer, algorithm);
  if (auto prepared = draft.prepare(issuer_key, rng); !prepared) return std::unexpected(prepared.error());
  const std::vector<uint8_t> tbs = build_der([&](DerWriter& writer) { draft.write(writer); });

  std::array<uint8_t, kSignatureSizeMax> signature;
  const auto size = issuer_key.sign(algorithm, rng, tbs, signature);
  if (!size) return std::unexpected(size.error());
  return build_der([&](DerWriter& writer) {
    nested(writer, DerTag::sequence, [&] {
      writer.write_element(tbs);
      writer.write_element(signature_algorithm_identifier(algorithm));
      writer.write_bit_string_bytes(Bytes(signature).first(*size));
    });
  });
}

}  // namespace quoll::x509
