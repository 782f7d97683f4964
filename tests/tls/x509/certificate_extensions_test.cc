// The extensions of certificates (RFC 5280 §4.2): what each gives, and for each rule one that breaks it.
#include <string>

#include "tests/tls/x509/der_builder.h"
#include "tls/x509/certificate.h"
#include "tls/x509/failure.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using namespace quoll::tests;
using crypto::DerTag;
using Kind = GeneralName::Kind;

constexpr uint8_t kUnknown[] = {0x2a, 3, 4};

Certificate with(std::initializer_list<Buffer> extensions) {
  return std::move(Certificate::parse(CertificateFields::with_extensions(extensions).build()).value());
}
Certificate with(Bytes oid, const Buffer& value, bool critical = false) {
  return with({extension(oid, critical, value)});
}

std::string reason_of(const Buffer& extensions) {
  CertificateFields fields;
  fields.extensions = extensions;
  const Result<Certificate> certificate = Certificate::parse(fields.build());
  return certificate ? "" : certificate.error().reason;
}
std::string reason_with(Bytes oid, const Buffer& value, bool critical = false) {
  return reason_of(context(3, true, sequence({extension(oid, critical, value)})));
}

Buffer dns(std::string_view name) { return context(2, false, as_bytes(name)); }
/// GeneralSubtrees with implicit tag.
Buffer subtrees(uint8_t number, std::initializer_list<Buffer> bases) {
  Buffer contents;
  for (const Buffer& base : bases) contents = join({contents, sequence({base})});
  return context(number, true, contents);
}

TEST_SUITE("x509 extensions") {
  TEST_CASE("the list of extensions has one or more of their one form") {
    CHECK(reason_of(context(3, true, {})) == "bad extensions");
    CHECK(reason_of(context(3, true, sequence({}))) == "bad extensions");
    CHECK(reason_of(context(3, true, join({sequence({extension(kUnknown, false, {})}), null()}))) == "bad extensions");
    const auto with_extension = [](const Buffer& bytes) { return reason_of(context(3, true, sequence({bytes}))); };
    CHECK(with_extension(extension(kUnknown, false, {})).empty());
    CHECK(with_extension(null()) == "bad extension");
    CHECK(with_extension(sequence({object_identifier(kUnknown)})) == "bad extension");
    CHECK(with_extension(sequence({octets({})})) == "bad extension");
    CHECK(with_extension(sequence({object_identifier(kUnknown), octets({}), null()})) == "bad extension");
    CHECK(with_extension(sequence({object_identifier(kUnknown), null(), octets({})})) == "bad extension");
    // X.690 §11.5: a default is not encoded
    CHECK(with_extension(sequence({object_identifier(kUnknown), boolean(false), octets({})})) == "bad extension");
    CHECK(with_extension(sequence({object_identifier(kUnknown), {0x01, 0x01, 0x01}, octets({})})) == "bad extension");
  }

  // RFC 5280 §4.2
  TEST_CASE("no extension appears twice, known or unknown") {
    const Buffer usage = extension(oid::kKeyUsage, true, {0x03, 0x02, 0x05, 0xa0});
    const Buffer unknown = extension(kUnknown, false, {});
    CHECK(reason_of(context(3, true, sequence({usage, unknown, usage}))) == "an extension appears twice");
    CHECK(reason_of(context(3, true, sequence({unknown, usage, unknown}))) == "an extension appears twice");
    CHECK(reason_of(context(3, true, sequence({usage, unknown}))).empty());
  }

  TEST_CASE("extensions are counted up to a limit") {
    const auto with_count = [](size_t count) {
      Buffer list;
      for (size_t i = 0; i < count; i++)
        list = join({list, extension(Buffer{0x2a, static_cast<uint8_t>(i)}, false, {})});
      CertificateFields fields;
      fields.extensions = context(3, true, sequence({list}));
      return Certificate::parse(fields.build());
    };
    CHECK(with_count(kExtensionCountMax));
    const Result<Certificate> refused = with_count(kExtensionCountMax + 1);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == static_cast<uint64_t>(Failure::limit));
  }

  TEST_CASE("unknown extensions matter if they are critical") {
    CHECK_FALSE(with(kUnknown, {}, false).has_unknown_critical_extension);
    CHECK(with(kUnknown, {}, true).has_unknown_critical_extension);
    for (const Bytes unprocessed : {Bytes(oid::kAuthorityInfoAccess), Bytes(oid::kCrlDistributionPoints),
                                    Bytes(oid::kSignedCertificateTimestamps)}) {
      CHECK_FALSE(with(unprocessed, {}, false).has_unknown_critical_extension);
      CHECK(with(unprocessed, {}, true).has_unknown_critical_extension);
    }
  }

  TEST_CASE("critical Application Policies are borne beside an extKeyUsage only") {
    const Buffer policies = extension(oid::kMicrosoftApplicationPolicies, true, {});
    const Buffer usage = extension(oid::kExtendedKeyUsage, false, sequence({object_identifier(oid::kServerAuth)}));
    CHECK(with({policies}).has_unknown_critical_extension);
    CHECK_FALSE(with({policies, usage}).has_unknown_critical_extension);
    CHECK_FALSE(with({usage, policies}).has_unknown_critical_extension);
    CHECK_FALSE(with(oid::kMicrosoftApplicationPolicies, {}, false).has_unknown_critical_extension);
  }

  // RFC 5280 §4.2.1.9
  TEST_CASE("basicConstraints") {
    const Bytes id = oid::kBasicConstraints;
    const Certificate ca = with(id, sequence({boolean(true), integer(3)}), true);
    REQUIRE(ca.basic_constraints);
    CHECK(ca.is_ca());
    CHECK(ca.basic_constraints->path_length == 3);
    CHECK(ca.basic_constraints->critical);
    CHECK_FALSE(with(id, sequence({boolean(true)})).basic_constraints->path_length);
    CHECK_FALSE(with(id, sequence({})).is_ca());
    CHECK_FALSE(with(id, sequence({boolean(false)})).is_ca());
    CHECK_FALSE(with(id, sequence({})).basic_constraints->critical);
    CHECK_FALSE(with(kUnknown, {}).basic_constraints);
    for (const Buffer& refused :
         {Buffer(), sequence({{0x01, 0x01, 0x01}}), sequence({boolean(true), {0x02, 0x01, 0xff}}),
          sequence({boolean(true), null()}), sequence({boolean(true), integer(0), integer(0)}),
          join({sequence({}), null()}), sequence({boolean(true), element(DerTag::integer, Buffer(9, 0x7f))})}) {
      CHECK(reason_with(id, refused) == "bad basicConstraints");
    }
  }

  // RFC 5280 §4.2.1.3
  TEST_CASE("keyUsage") {
    const Certificate certificate = with(oid::kKeyUsage, {0x03, 0x03, 0x07, 0x86, 0x80});
    CHECK(certificate.key_usage == 0b1'0110'0001);
    CHECK(certificate.may(KeyUsage::digital_signature));
    CHECK(certificate.may(KeyUsage::key_cert_sign));
    CHECK(certificate.may(KeyUsage::crl_sign));
    CHECK(certificate.may(KeyUsage::decipher_only));
    CHECK_FALSE(certificate.may(KeyUsage::key_agreement));
    CHECK(with(kUnknown, {}).may(KeyUsage::key_agreement));
    for (const Buffer& refused :
         {Buffer(), Buffer{0x03, 0x01, 0x00}, Buffer{0x03, 0x02, 0x00, 0x00}, Buffer{0x03, 0x03, 0x00, 0x00, 0x01},
          Buffer{0x03, 0x02, 0x01, 0x01}, Buffer{0x03, 0x02, 0x07, 0x80, 0x00}}) {
      CHECK(reason_with(oid::kKeyUsage, refused) == "bad keyUsage");
    }
  }

  // RFC 5280 §4.2.1.12
  TEST_CASE("extKeyUsage") {
    const Certificate certificate =
        with(oid::kExtendedKeyUsage, sequence({object_identifier(oid::kServerAuth), object_identifier(kUnknown)}));
    REQUIRE(certificate.extended_key_usage);
    REQUIRE(certificate.extended_key_usage->size() == 2);
    CHECK(oid::is((*certificate.extended_key_usage)[0], oid::kServerAuth));
    CHECK(oid::is((*certificate.extended_key_usage)[1], kUnknown));
    for (const Buffer& refused : {Buffer(), sequence({}), sequence({null()}), object_identifier(oid::kServerAuth),
                                  join({sequence({object_identifier(kUnknown)}), null()})}) {
      CHECK(reason_with(oid::kExtendedKeyUsage, refused) == "bad extKeyUsage");
    }
  }

  // RFC 5280 §4.2.1.6
  TEST_CASE("subjectAltName has names of nine kinds") {
    const Buffer other = join({object_identifier(kUnknown), context(0, true, null())});
    const Buffer value =
        sequence({context(0, true, other), context(1, false, as_bytes("a@b")), dns("*.example"), context(3, true, {}),
                  context(4, true, common_name("x")), context(5, true, {}), context(6, false, as_bytes("https://a")),
                  context(7, false, Buffer{192, 0, 2, 1}), context(7, false, Buffer(16)), context(8, false, kUnknown)});
    const Certificate certificate = with(oid::kSubjectAltName, value, true);
    CHECK(certificate.subject_alt_names_critical);
    REQUIRE(certificate.subject_alt_names);
    const std::vector<GeneralName>& names = *certificate.subject_alt_names;
    const Kind kinds[] = {Kind::other, Kind::email, Kind::dns, Kind::x400, Kind::directory,
                          Kind::edi,   Kind::uri,   Kind::ip,  Kind::ip,   Kind::registered_id};
    REQUIRE(names.size() == std::size(kinds));
    for (size_t i = 0; i < names.size(); i++) CHECK(names[i].kind == kinds[i]);
    CHECK(as_text(names[2].value) == "*.example");
    CHECK(to_buffer(names[4].value) == common_name("x"));
    CHECK_FALSE(with(oid::kSubjectAltName, sequence({dns("a")})).subject_alt_names_critical);
  }

  TEST_CASE("names that their kind does not allow are refused") {
    CHECK(reason_with(oid::kSubjectAltName, Buffer{}) == "bad subjectAltName");
    CHECK(reason_with(oid::kSubjectAltName, to_buffer(as_bytes("example.com"))) == "bad subjectAltName");
    CHECK(reason_with(oid::kSubjectAltName, join({sequence({dns("a")}), null()})) == "bad subjectAltName");
    for (const Buffer& name :
         {Buffer(), null(), context(9, false, {}), context(2, true, {}), context(4, false, common_name("x")),
          dns("\xf0\x9f\x98\x9c.example"), context(1, false, Buffer{0x80}), context(6, false, Buffer{0xff}),
          context(7, false, Buffer(5)), context(7, false, Buffer(8)), context(7, false, {}), context(4, true, null()),
          context(4, true, {}), context(8, false, {}), context(0, true, {}),
          context(0, true, object_identifier(kUnknown)),
          context(0, true, join({object_identifier(kUnknown), null()}))}) {
      CHECK(reason_with(oid::kSubjectAltName, sequence({name})) == "bad subjectAltName");
    }
  }

  // RFC 5280 §4.2.1.10
  TEST_CASE("nameConstraints") {
    const Buffer network = context(7, false, Buffer{192, 0, 2, 0, 255, 255, 254, 0});
    const Certificate certificate = with(
        oid::kNameConstraints,
        sequence({subtrees(0, {dns("example.com"), network}), subtrees(1, {context(7, false, Buffer(32))})}), true);
    REQUIRE(certificate.name_constraints);
    CHECK(certificate.name_constraints->critical);
    REQUIRE(certificate.name_constraints->permitted.size() == 2);
    CHECK(certificate.name_constraints->permitted[1].kind == Kind::ip);
    CHECK(certificate.name_constraints->excluded.size() == 1);
    CHECK(with(oid::kNameConstraints, sequence({subtrees(1, {dns("")})})).name_constraints->permitted.empty());

    const Buffer base = dns("a");
    for (const Buffer& refused :
         {Buffer(), sequence({}), sequence({null(), null()}), sequence({context(0, true, {}), context(1, true, {})}),
          sequence({context(0, true, {}), subtrees(1, {base})}), sequence({subtrees(1, {base}), subtrees(0, {base})}),
          sequence({subtrees(0, {base}), null()}), sequence({context(0, true, base)}),
          sequence({context(0, true, sequence({base, context(0, false, Buffer{0})}))}),       // minimum
          sequence({context(0, true, sequence({base, context(1, false, Buffer{1})}))}),       // maximum
          sequence({subtrees(0, {context(7, false, Buffer(4))})}),                            // no mask
          sequence({subtrees(0, {context(7, false, Buffer{10, 0, 0, 0, 255, 0, 255, 0})})}),  // not contiguous
          sequence({subtrees(0, {context(7, false, Buffer{10, 0, 0, 0, 253, 0, 0, 0})})})}) {
      CHECK(reason_with(oid::kNameConstraints, refused) == "bad nameConstraints");
    }
  }

  // RFC 5280 §4.2.1.1, §4.2.1.2
  TEST_CASE("key identifiers") {
    const Certificate subject = with(oid::kSubjectKeyIdentifier, octets(Buffer{1, 2}), true);
    CHECK(to_buffer(subject.subject_key_identifier.value()) == Buffer{1, 2});
    CHECK(subject.subject_key_identifier_critical);
    CHECK(reason_with(oid::kSubjectKeyIdentifier, null()) == "bad subjectKeyIdentifier");
    CHECK(reason_with(oid::kSubjectKeyIdentifier, join({octets({}), null()})) == "bad subjectKeyIdentifier");

    const Bytes id = oid::kAuthorityKeyIdentifier;
    const Buffer key = context(0, false, Buffer{3}), issuer = context(1, true, dns("a"));
    const Buffer serial = context(2, false, Buffer{4});
    const Certificate all = with(id, sequence({key, issuer, serial}), true);
    REQUIRE(all.authority_key_identifier);
    CHECK(to_buffer(all.authority_key_identifier->key_identifier.value()) == Buffer{3});
    CHECK(all.authority_key_identifier->has_issuer_and_serial);
    CHECK(all.authority_key_identifier->critical);
    const Certificate none = with(id, sequence({}));
    REQUIRE(none.authority_key_identifier);
    CHECK_FALSE(none.authority_key_identifier->key_identifier);
    CHECK_FALSE(none.authority_key_identifier->has_issuer_and_serial);
    CHECK_FALSE(none.authority_key_identifier->critical);
    for (const Buffer& refused : {Buffer(), sequence({key, issuer}), sequence({key, serial}),
                                  sequence({issuer, key, serial}), sequence({context(1, true, {}), serial}),
                                  sequence({issuer, context(2, false, {})}), sequence({key, null()})}) {
      CHECK(reason_with(id, refused) == "bad authorityKeyIdentifier");
    }
  }

  // RFC 5280 §4.2.1.4
  TEST_CASE("certificatePolicies") {
    const Bytes id = oid::kCertificatePolicies;
    const auto qualified = [](Bytes qualifier) {
      return sequence({object_identifier(kUnknown),
                       sequence({sequence({object_identifier(qualifier), text(DerTag::ia5_string, "x")})})});
    };
    const Buffer any = sequence({object_identifier(oid::kAnyPolicy)});
    const Certificate certificate = with(id, sequence({any, qualified(oid::kPolicyQualifierCps)}), true);
    REQUIRE(certificate.certificate_policies);
    REQUIRE(certificate.certificate_policies->size() == 2);
    CHECK(oid::is((*certificate.certificate_policies)[0], oid::kAnyPolicy));
    CHECK(certificate.certificate_policies_critical);
    CHECK_FALSE(certificate.has_unknown_critical_extension);
    // A qualifier that is not understood is a critical extension that is not understood.
    CHECK(with(id, sequence({qualified(kUnknown)}), true).has_unknown_critical_extension);
    CHECK_FALSE(with(id, sequence({qualified(kUnknown)}), false).has_unknown_critical_extension);
    for (const Buffer& refused :
         {Buffer(), sequence({}), sequence({any, sequence({object_identifier(kUnknown)}), any}),
          sequence({sequence({})}), sequence({sequence({object_identifier(kUnknown), sequence({})})}),
          sequence({sequence({object_identifier(kUnknown), null()})}),
          sequence({sequence({object_identifier(kUnknown), sequence({sequence({object_identifier(kUnknown)})})})}),
          sequence({sequence({object_identifier(kUnknown), sequence({null()})})}), join({sequence({any}), null()})}) {
      CHECK(reason_with(id, refused) == "bad certificatePolicies");
    }
  }

  // RFC 5280 §4.2.1.5, §4.2.1.11, §4.2.1.14
  TEST_CASE("policyMappings, policyConstraints and inhibitAnyPolicy") {
    const Buffer mapping = sequence({object_identifier(kUnknown), object_identifier(oid::kAnyPolicy)});
    const Certificate mapped = with(oid::kPolicyMappings, sequence({mapping}));
    REQUIRE(mapped.policy_mappings);
    CHECK(oid::is((*mapped.policy_mappings)[0].issuer_policy, kUnknown));
    CHECK(oid::is((*mapped.policy_mappings)[0].subject_policy, oid::kAnyPolicy));
    for (const Buffer& refused : {Buffer(), sequence({}), sequence({sequence({object_identifier(kUnknown)})}),
                                  sequence({sequence({mapping, mapping})}), sequence({join({mapping, null()})})}) {
      CHECK(reason_with(oid::kPolicyMappings, refused) == "bad policyMappings");
    }

    const Buffer explicit_policy = context(0, false, Buffer{2}), mapping_limit = context(1, false, Buffer{0, 0x80});
    const Certificate constrained = with(oid::kPolicyConstraints, sequence({explicit_policy, mapping_limit}), true);
    REQUIRE(constrained.policy_constraints);
    CHECK(constrained.policy_constraints->require_explicit_policy == 2);
    CHECK(constrained.policy_constraints->inhibit_policy_mapping == 128);
    CHECK(constrained.policy_constraints->critical);
    const Certificate half = with(oid::kPolicyConstraints, sequence({mapping_limit}));
    CHECK_FALSE(half.policy_constraints->require_explicit_policy);
    CHECK_FALSE(half.policy_constraints->critical);
    for (const Buffer& refused :
         {Buffer(), sequence({}), sequence({context(0, false, {})}), sequence({context(0, false, Buffer{0xff})}),
          sequence({context(0, false, Buffer{0, 1})}), sequence({context(0, false, Buffer(9, 0x7f))}),
          sequence({mapping_limit, explicit_policy}), sequence({explicit_policy, null()})}) {
      CHECK(reason_with(oid::kPolicyConstraints, refused) == "bad policyConstraints");
    }

    CHECK(with(oid::kInhibitAnyPolicy, integer(5), true).inhibit_any_policy == 5);
    CHECK(with(oid::kInhibitAnyPolicy, integer(5), true).inhibit_any_policy_critical);
    for (const Buffer& refused : {Buffer(), Buffer{0x02, 0x01, 0xff}, join({integer(1), null()}), null()}) {
      CHECK(reason_with(oid::kInhibitAnyPolicy, refused) == "bad inhibitAnyPolicy");
    }
  }

  // RFC 7633 §4.1
  TEST_CASE("a TLS feature of 5 asks for a stapled response") {
    CHECK(with(oid::kTlsFeature, sequence({integer(5)})).must_staple());
    const Certificate other = with(oid::kTlsFeature, sequence({integer(17)}), true);
    CHECK_FALSE(other.must_staple());
    CHECK(other.tls_features == std::vector<uint16_t>{17});
    CHECK_FALSE(other.has_unknown_critical_extension);
    CHECK_FALSE(with(kUnknown, {}).must_staple());
    for (const Buffer& refused : {Buffer(), integer(5), sequence({null()}), sequence({{0x02, 0x03, 0x01, 0x00, 0x00}}),
                                  join({sequence({}), null()})}) {
      CHECK(reason_with(oid::kTlsFeature, refused) == "bad TLS feature");
    }
  }
}

}  // namespace
}  // namespace quoll::x509
