// Certificates: what a well-formed one gives, and for each rule of RFC 5280 §4.1 one that breaks it.
#include "tls/x509/certificate.h"

#include <string>

#include "tests/tls/x509/certificate_samples.h"
#include "tests/tls/x509/der_builder.h"
#include "tls/x509/der_values.h"
#include "tls/x509/failure.h"
#include "tls/x509/name.h"
#include "tls/x509/public_key.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using namespace quoll::tests;
using crypto::DerTag;

std::string reason_of(const Buffer& der) {
  const Result<Certificate> certificate = Certificate::parse(der);
  if (certificate) return "";
  CHECK(certificate.error().domain == ErrorDomain::certificate);
  CHECK(certificate.error().code == static_cast<uint64_t>(Failure::malformed));
  return certificate.error().reason;
}

/// Why the certificate is refused in which `change` was made.
template <class Change>
std::string reason_with(Change change) {
  CertificateFields fields;
  change(fields);
  return reason_of(fields.build());
}

Certificate parsed(const CertificateFields& fields) { return std::move(Certificate::parse(fields.build()).value()); }

TEST_SUITE("x509 certificates") {
  TEST_CASE("a certificate gives its fields") {
    const CertificateFields fields;
    const Certificate certificate = parsed(fields);
    CHECK(certificate.version == 3);
    CHECK(to_buffer(certificate.serial_number) == Buffer{1});
    CHECK(to_buffer(certificate.signature_algorithm) == fields.outer_algorithm);
    CHECK(to_buffer(certificate.signature) == Buffer(64, 0xa5));
    CHECK(to_buffer(certificate.issuer) == fields.issuer);
    CHECK(to_buffer(certificate.subject) == fields.subject);
    CHECK(to_buffer(certificate.subject_public_key_info) == fields.key);
    CHECK(time_text(certificate.not_before) == "2025-01-01 00:00:00 UTC");
    CHECK(time_text(certificate.not_after) == "2050-01-01 00:00:00 UTC");
    CHECK(certificate.is_ca());
    CHECK_FALSE(certificate.is_self_issued());
    CHECK_FALSE(certificate.has_unknown_critical_extension);
    CHECK(to_buffer(certificate.der()) == fields.build());
    const Bytes tbs = certificate.tbs;
    CHECK(tbs.data() == certificate.der().data() + 3);  // behind a header of three bytes
  }

  TEST_CASE("a certificate owns its bytes, also after it moved, and clones to the same") {
    Buffer der = CertificateFields().build();
    Certificate first = std::move(Certificate::parse(der).value());
    std::ranges::fill(der, uint8_t{0});
    const Certificate copy = first.clone();
    const Certificate moved = std::move(first);
    for (const Certificate* certificate : {&copy, &moved}) {
      CHECK(name_text(certificate->subject) == "CN=Subject");
      CHECK(certificate->subject.data() > certificate->der().data());
      CHECK(certificate->subject.data() < certificate->der().data() + certificate->der().size());
    }
    CHECK(copy.der().data() != moved.der().data());
    CHECK(to_buffer(copy.der()) == to_buffer(moved.der()));
  }

  TEST_CASE("a chain of the public web is read, and verifies link by link") {
    const Certificate root = std::move(Certificate::parse(unhex(kRootSample)).value());
    const Certificate intermediate = std::move(Certificate::parse(unhex(kIntermediateSample)).value());
    const Certificate leaf = std::move(Certificate::parse(unhex(kLeafSample)).value());
    CHECK(root.is_self_issued());
    CHECK_FALSE(leaf.is_self_issued());
    CHECK(name_text(root.subject) == "C=US, O=Google Trust Services LLC, CN=GTS Root R4");
    for (const auto& [subject, issuer] :
         {std::pair(&root, &root), std::pair(&intermediate, &root), std::pair(&leaf, &intermediate)}) {
      CHECK(issuer->is_ca());
      CHECK(issuer->may(KeyUsage::key_cert_sign));
      CHECK(names_equal(subject->issuer, issuer->subject));
      CHECK(subject->has_conforming_serial_number());
      CHECK_FALSE(subject->has_unknown_critical_extension);
      if (subject->authority_key_identifier) {
        CHECK(to_buffer(subject->authority_key_identifier->key_identifier.value()) ==
              to_buffer(issuer->subject_key_identifier.value()));
      }
      const PublicKey key = std::move(PublicKey::parse(crypto::best(), issuer->subject_public_key_info).value());
      const SignatureAlgorithm algorithm = parse_signature_algorithm(subject->signature_algorithm).value();
      CHECK(key.verify(algorithm, subject->tbs, subject->signature));
      CHECK_FALSE(key.verify(algorithm, subject->tbs.first(subject->tbs.size() - 1), subject->signature));
    }
    CHECK_FALSE(leaf.is_ca());
    CHECK(leaf.may(KeyUsage::digital_signature));
    CHECK_FALSE(leaf.may(KeyUsage::key_cert_sign));
    CHECK(intermediate.basic_constraints->path_length == 0);
    REQUIRE(leaf.subject_alt_names);
    CHECK(as_text((*leaf.subject_alt_names)[0].value) == "cloudflare.com");
    REQUIRE(leaf.extended_key_usage);
    CHECK(oid::is((*leaf.extended_key_usage)[0], oid::kServerAuth));
  }

  TEST_CASE("a certificate is one element and nothing else") {
    const Buffer der = CertificateFields().build();
    CHECK(reason_of({}) == "not exactly one DER sequence");
    CHECK(reason_of(join({der, {0x00}})) == "not exactly one DER sequence");
    for (size_t size = 0; size < der.size(); size++) {
      CHECK(reason_of(Buffer(der.begin(), der.begin() + static_cast<ptrdiff_t>(size))) ==
            "not exactly one DER sequence");
    }
    CHECK(reason_with([](auto& f) { f.after_signature = null(); }) == "bad signature field");
    CHECK(reason_of(sequence({null()})) == "bad signed part");
    CHECK(reason_of(sequence({sequence({})})) == "bad signature algorithm");
  }

  TEST_CASE("a certificate above the limit is refused before it is read") {
    const auto size_and_failure = [](size_t padding) {
      CertificateFields fields;
      fields.signature = bits(Buffer(padding, 0));
      const Buffer der = fields.build();
      const Result<Certificate> certificate = Certificate::parse(der);
      return std::pair(der.size(), certificate ? std::nullopt : std::optional(certificate.error().code));
    };
    const size_t overhead = size_and_failure(60'000).first - 60'000;
    CHECK(size_and_failure(kCertificateSizeMax - overhead) ==
          std::pair(kCertificateSizeMax, std::optional<uint64_t>()));
    const auto [size, failure] = size_and_failure(kCertificateSizeMax - overhead + 1);
    CHECK(failure == static_cast<uint64_t>(Failure::limit));
    CHECK(size > kCertificateSizeMax);
  }

  // RFC 5280 §4.1.2.1
  TEST_CASE("the version is 2 or 3 by number, or 1 by absence") {
    CertificateFields v1;
    v1.version = v1.extensions = {};
    CHECK(parsed(v1).version == 1);
    CHECK(parsed(v1).extensions.empty());
    CertificateFields v2 = v1;
    v2.version = context(0, true, integer(1));
    CHECK(parsed(v2).version == 2);
    for (const Buffer& version : {integer(0), integer(3), Buffer{0x02, 0x01, 0xff}, Buffer{0x02, 0x02, 0x00, 0x02},
                                  Buffer{}, null(), join({integer(2), integer(2)})}) {
      CHECK(reason_with([&](auto& f) { f.version = context(0, true, version); }) == "bad version");
    }
  }

  // RFC 5280 §4.1.2.8, §4.1.2.9
  TEST_CASE("unique identifiers want version 2, extensions version 3") {
    const Buffer unique_ids = join({context(1, false, Buffer{0, 1}), context(2, false, Buffer{3, 8})});
    CertificateFields v2;
    v2.version = context(0, true, integer(1));
    CHECK(reason_of(v2.build()) == "extensions in a certificate below version 3");
    v2.extensions = {};
    v2.unique_ids = unique_ids;
    CHECK(reason_of(v2.build()).empty());
    v2.version = {};
    CHECK(reason_of(v2.build()) == "unique identifiers in a certificate of version 1");
    CHECK(reason_with([](auto& f) { f.version = {}; }) == "extensions in a certificate below version 3");
    CHECK(reason_with([&](auto& f) { f.unique_ids = unique_ids; }).empty());
    CHECK(reason_with([](auto& f) { f.unique_ids = context(1, false, {}); }) == "bad unique identifier");
    CHECK(reason_with([](auto& f) { f.unique_ids = context(2, false, Buffer{8, 0}); }) == "bad unique identifier");
    CHECK(reason_with([](auto& f) { f.after_extensions = null(); }) == "superfluous fields in a certificate");
    CHECK(reason_with([](auto& f) {
            std::swap(f.unique_ids, f.extensions), f.extensions = context(1, false, Buffer{0});
          }) == "superfluous fields in a certificate");
  }

  // RFC 5280 §4.1.2.2: users must bear with serial numbers that CAs must not make
  TEST_CASE("any serial number is read, and tells whether it conforms") {
    const auto conforms = [](const Buffer& contents) {
      CertificateFields fields;
      fields.serial_number = element(DerTag::integer, contents);
      const Certificate certificate = parsed(fields);
      CHECK(to_buffer(certificate.serial_number) == contents);
      return certificate.has_conforming_serial_number();
    };
    CHECK(conforms({0x01}));
    CHECK(conforms({0x00, 0x80}));
    CHECK(conforms(Buffer(20, 0x7f)));
    CHECK_FALSE(conforms(Buffer(21, 0x7f)));
    CHECK_FALSE(conforms({0x00}));
    CHECK_FALSE(conforms({0x80}));
    for (const Buffer& refused :
         {Buffer{0x02, 0x00}, Buffer{0x02, 0x02, 0x00, 0x01}, Buffer{0x02, 0x02, 0xff, 0xff}, null()}) {
      CHECK(reason_with([&](auto& f) { f.serial_number = refused; }) == "bad serial number");
    }
  }

  // RFC 5280 §4.1.1.2
  TEST_CASE("the signature algorithm is the same inside and outside") {
    const Buffer other = sequence({object_identifier(oid::kEcdsaWithSha384)});
    const Buffer with_null = sequence({object_identifier(oid::kEcdsaWithSha256), null()});
    for (const Buffer& algorithm : {other, with_null}) {
      CHECK(reason_with([&](auto& f) { f.outer_algorithm = algorithm; }) ==
            "signature algorithms inside and outside differ");
      CHECK(reason_with([&](auto& f) { f.inner_algorithm = algorithm; }) ==
            "signature algorithms inside and outside differ");
    }
    CHECK(reason_with([](auto& f) { f.inner_algorithm = null(); }) == "bad signature algorithm");
    CHECK(reason_with([](auto& f) { f.outer_algorithm = sequence({null()}); }) == "bad signature algorithm");
  }

  TEST_CASE("names and validity are checked") {
    const Buffer time = text(DerTag::utc_time, "250101000000Z"), not_a_name = sequence({set({})});
    CHECK(reason_with([&](auto& f) { f.issuer = not_a_name; }) == "bad issuer");
    CHECK(reason_with([&](auto& f) { f.subject = not_a_name; }) == "bad subject");
    CHECK(reason_with([](auto& f) { f.issuer = f.subject = sequence({}); }).empty());  // left to the path
    for (const Buffer& validity : {sequence({}), sequence({time}), sequence({time, time, time}),
                                   sequence({time, text(DerTag::utc_time, "2501010000Z")}), null()}) {
      CHECK(reason_with([&](auto& f) { f.validity = validity; }) == "bad validity");
    }
  }

  TEST_CASE("equal names make a certificate self-issued, whatever their spelling") {
    CertificateFields fields;
    fields.issuer = sequence({rdn(oid::kCommonName, text(DerTag::printable_string, " SUBJECT"))});
    CHECK(parsed(fields).is_self_issued());
  }

  TEST_CASE("the public key has an algorithm and bits") {
    const Buffer algorithm = sequence({object_identifier(oid::kEd25519)});
    for (const Buffer& key : {sequence({}), sequence({algorithm}), sequence({algorithm, octets(Buffer(32))}),
                              sequence({algorithm, bits(Buffer(32)), null()}), sequence({bits(Buffer(32))}), null()}) {
      CHECK(reason_with([&](auto& f) { f.key = key; }) == "bad public key info");
    }
    const Buffer unknown = sequence({sequence({object_identifier(oid::kSha1)}), bits({})});
    CHECK(reason_with([&](auto& f) { f.key = unknown; }).empty());
  }

  TEST_CASE("the signature is whole bytes") {
    for (const Buffer& signature : {Buffer{0x03, 0x00}, Buffer{0x03, 0x02, 0x01, 0x00}, octets(Buffer(64)), null()}) {
      CHECK(reason_with([&](auto& f) { f.signature = signature; }) == "bad signature field");
    }
  }
}

}  // namespace
}  // namespace quoll::x509
