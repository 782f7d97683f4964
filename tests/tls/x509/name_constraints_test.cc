// Name constraints: each kind of name, and which certificates of a path they concern (RFC 5280 §4.2.1.10, §6.1.3).
#include <string>

#include "tests/tls/x509/der_builder.h"
#include "tls/x509/failure.h"
#include "tls/x509/name_constraints.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using tests::Buffer;
using tests::context;
using tests::join;

Buffer email(std::string_view text) { return context(1, false, as_bytes(text)); }
Buffer dns(std::string_view text) { return context(2, false, as_bytes(text)); }
Buffer uri(std::string_view text) { return context(6, false, as_bytes(text)); }
Buffer ip(const Buffer& octets) { return context(7, false, octets); }
Buffer directory(const Buffer& name) { return context(4, true, name); }
/// otherName of the type 1.3.6.1.5.5.7.8.N with a UTF8String.
Buffer other(uint8_t last_arc) {
  const uint8_t type[] = {0x2b, 6, 1, 5, 5, 7, 8, last_arc};
  const Buffer value = context(0, true, tests::text(crypto::DerTag::utf8_string, "user@example.com"));
  return context(0, true, join({tests::object_identifier(type), value}));
}

struct Constrained {
  std::vector<Buffer> permitted = {}, excluded = {};
};

Certificate authority(const Constrained& constraints, std::string_view subject = "Authority",
                      std::string_view issuer = "Root") {
  const auto subtrees = [](uint8_t number, const std::vector<Buffer>& bases) {
    Buffer list;
    for (const Buffer& base : bases) list = join({list, tests::sequence({base})});
    return list.empty() ? Buffer() : context(number, true, list);
  };
  auto fields = tests::CertificateFields::with_extensions(
      {tests::extension(oid::kNameConstraints, true,
                        tests::sequence({subtrees(0, constraints.permitted), subtrees(1, constraints.excluded)}))});
  fields.subject = tests::common_name(subject);
  fields.issuer = tests::common_name(issuer);
  return std::move(Certificate::parse(fields.build()).value());
}

Certificate leaf(const std::vector<Buffer>& names, const Buffer& subject = tests::common_name("leaf"),
                 const Buffer& issuer = tests::common_name("Authority")) {
  Buffer list;
  for (const Buffer& name : names) list = join({list, name});
  auto fields = tests::CertificateFields::with_extensions(
      {list.empty() ? tests::extension(oid::kKeyUsage, true, Buffer{0x03, 0x02, 0x07, 0x80})
                    : tests::extension(oid::kSubjectAltName, false, tests::sequence({list}))});
  fields.subject = subject;
  fields.issuer = issuer;
  return std::move(Certificate::parse(fields.build()).value());
}

/// What the checker says of a leaf with this name below such an authority: nothing, or the failure.
std::optional<Failure> failure(const Certificate& below, const Certificate& above,
                               LeadingDot leading_dot = LeadingDot::refused, size_t budget = 1'000) {
  const Certificate* path[] = {&below, &above};
  NameConstraintChecker checker(budget);
  const auto checked = checker.check(path, 2, leading_dot);
  if (checked) return std::nullopt;
  CHECK(checked.error().domain == ErrorDomain::certificate);
  return static_cast<Failure>(checked.error().code);
}

bool permits(const Buffer& base, const Buffer& name) {
  const auto result = failure(leaf({name}), authority({.permitted = {base}}));
  if (result) CHECK(*result == Failure::name_constraint);
  return !result;
}
bool excludes(const Buffer& base, const Buffer& name) {
  const auto result = failure(leaf({name}), authority({.excluded = {base}}));
  if (result) CHECK(*result == Failure::name_constraint);
  return result.has_value();
}

TEST_SUITE("name_constraints") {
  TEST_CASE("a DNS constraint concerns the name and all below it") {
    CHECK(permits(dns("example.com"), dns("example.com")));
    CHECK(permits(dns("example.com"), dns("a.b.EXAMPLE.com")));
    CHECK(permits(dns(""), dns("anything.example")));
    CHECK_FALSE(permits(dns("example.com"), dns("notexample.com")));
    CHECK_FALSE(permits(dns("example.com"), dns("example.com.evil.example")));
    CHECK_FALSE(permits(dns("www.example.com"), dns("example.com")));
    CHECK(excludes(dns("example.com"), dns("www.Example.com")));
    CHECK(excludes(dns("example.com"), dns("example.com")));
    CHECK(excludes(dns(""), dns("anything.example")));
    CHECK_FALSE(excludes(dns("example.com"), dns("example.org")));
    CHECK_FALSE(excludes(dns("www.example.com"), dns("example.com")));
  }

  TEST_CASE("a wildcard is permitted if all of its names are, and excluded if one of them is") {
    CHECK(permits(dns("example.com"), dns("*.example.com")));
    CHECK(permits(dns("example.com"), dns("*.www.example.com")));
    CHECK_FALSE(permits(dns("foo.example.com"), dns("*.example.com")));
    CHECK(excludes(dns("foo.example.com"), dns("*.example.com")));
    CHECK(excludes(dns("FOO.example.com"), dns("*.Example.com")));
    CHECK(excludes(dns("example.com"), dns("*.example.com")));
    CHECK_FALSE(excludes(dns("a.foo.example.com"), dns("*.example.com")));
    CHECK_FALSE(excludes(dns("foo.example.org"), dns("*.example.com")));
  }

  TEST_CASE("a DNS constraint with a leading dot is refused, or means all that is below") {
    const Certificate below = leaf({dns("www.example.com")}), at = leaf({dns("example.com")});
    const Certificate permitting = authority({.permitted = {dns(".example.com")}});
    const Certificate excluding = authority({.excluded = {dns(".example.com")}});
    CHECK(failure(below, permitting) == Failure::malformed);
    CHECK_FALSE(failure(below, permitting, LeadingDot::means_below));
    CHECK(failure(at, permitting, LeadingDot::means_below) == Failure::name_constraint);
    CHECK(failure(below, excluding, LeadingDot::means_below) == Failure::name_constraint);
    CHECK_FALSE(failure(at, excluding, LeadingDot::means_below));
    CHECK(failure(leaf({dns("*.example.com")}), excluding, LeadingDot::means_below) == Failure::name_constraint);
  }

  TEST_CASE("addresses are compared under the mask, and the families are one kind of name") {
    const Buffer net{192, 0, 2, 0, 255, 255, 255, 0};
    CHECK(permits(ip(net), ip({192, 0, 2, 77})));
    CHECK_FALSE(permits(ip(net), ip({192, 0, 3, 77})));
    CHECK(excludes(ip(net), ip({192, 0, 2, 1})));
    CHECK_FALSE(excludes(ip(net), ip({193, 0, 2, 1})));
    CHECK(permits(ip({10, 1, 2, 3, 255, 0, 0, 0}), ip({10, 9, 9, 9})));  // bits behind the mask do not count
    Buffer address(16), loopback(32);
    address[15] = 1;
    loopback[15] = 1;
    std::fill(loopback.begin() + 16, loopback.end(), uint8_t{255});
    CHECK(permits(ip(loopback), ip(address)));
    CHECK_FALSE(permits(ip(net), ip(address)));
    CHECK_FALSE(excludes(ip(net), ip(address)));
    address[0] = 0x20;
    CHECK_FALSE(permits(ip(loopback), ip(address)));
  }

  TEST_CASE("a mailbox constraint is a mailbox, a host, or all hosts below a domain") {
    CHECK(permits(email("user@example.com"), email("user@EXAMPLE.com")));
    CHECK_FALSE(permits(email("user@example.com"), email("User@example.com")));
    CHECK(permits(email("example.com"), email("anyone@example.com")));
    CHECK_FALSE(permits(email("example.com"), email("anyone@mail.example.com")));
    CHECK(permits(email(".example.com"), email("anyone@mail.example.com")));
    CHECK_FALSE(permits(email(".example.com"), email("anyone@example.com")));
    CHECK(permits(email("*@example.com"), email("*@example.com")));
    CHECK_FALSE(permits(email("*@example.com"), email("a@example.com")));
    CHECK(excludes(email("example.com"), email("a@example.com")));
    CHECK_FALSE(excludes(email("example.com"), email("a@example.org")));
  }

  TEST_CASE("a URI constraint is a host or all hosts below a domain") {
    CHECK(permits(uri("example.com"), uri("https://example.com/path?x#y")));
    CHECK(permits(uri("example.com"), uri("https://user@Example.com:8443")));
    CHECK_FALSE(permits(uri("example.com"), uri("https://www.example.com/")));
    CHECK(permits(uri(".example.com"), uri("https://www.example.com/")));
    CHECK_FALSE(permits(uri(".example.com"), uri("https://example.com/")));
    CHECK_FALSE(permits(uri("example.com"), uri("https://evil.example/@example.com")));
    CHECK(excludes(uri("example.com"), uri("https://example.com")));
    // RFC 5280 §4.2.1.10: without a host that is a name the certificate is refused, whatever the constraint.
    for (const char* text : {"urn:example:1", "https://192.0.2.1/", "https://[::1]/", "https:///path", "example.com"}) {
      CHECK_FALSE(permits(uri("example.com"), uri(text)));
      CHECK(excludes(uri("example.org"), uri(text)));
    }
  }

  TEST_CASE("a directory constraint concerns the subject and directory names, by their first RDNs") {
    const Buffer organization =
        tests::rdn(oid::kOrganizationName, tests::text(crypto::DerTag::utf8_string, "Example  Inc"));
    const Buffer unit = tests::rdn(oid::kOrganizationalUnitName, tests::text(crypto::DerTag::printable_string, "U"));
    const Buffer same =
        tests::rdn(oid::kOrganizationName, tests::text(crypto::DerTag::printable_string, "EXAMPLE INC"));
    const Certificate permitting = authority({.permitted = {directory(tests::sequence({organization}))}});
    const Certificate excluding = authority({.excluded = {directory(tests::sequence({organization}))}});
    CHECK_FALSE(failure(leaf({dns("a.example")}, tests::sequence({same, unit})), permitting));
    CHECK(failure(leaf({dns("a.example")}, tests::sequence({unit, same})), permitting) == Failure::name_constraint);
    CHECK(failure(leaf({dns("a.example")}, tests::sequence({same, unit})), excluding) == Failure::name_constraint);
    CHECK_FALSE(failure(leaf({dns("a.example")}), excluding));
    CHECK_FALSE(failure(leaf({dns("a.example")}, tests::sequence({})), permitting));
    // Both the subject and the alternative names must be permitted.
    CHECK_FALSE(failure(leaf({directory(tests::sequence({same}))}, tests::sequence({same})), permitting));
    CHECK(failure(leaf({directory(tests::sequence({unit}))}, tests::sequence({same})), permitting) ==
          Failure::name_constraint);
    CHECK(failure(leaf({directory(tests::sequence({same}))}, tests::sequence({unit})), permitting) ==
          Failure::name_constraint);
  }

  TEST_CASE("e-mail addresses in the subject count when there are no alternative names") {
    const Buffer subject =
        tests::sequence({tests::rdn(oid::kEmailAddress, tests::text(crypto::DerTag::ia5_string, "a@example.com"))});
    CHECK(failure(leaf({}, subject), authority({.excluded = {email("example.com")}})) == Failure::name_constraint);
    CHECK_FALSE(failure(leaf({}, subject), authority({.permitted = {email("example.com")}})));
    CHECK_FALSE(failure(leaf({dns("a.example")}, subject), authority({.excluded = {email("example.com")}})));
  }

  TEST_CASE("the common name is no DNS name") {
    CHECK_FALSE(failure(leaf({}, tests::common_name("example.com")), authority({.excluded = {dns("example.com")}})));
    CHECK_FALSE(failure(leaf({}, tests::common_name("example.org")), authority({.permitted = {dns("example.com")}})));
  }

  TEST_CASE("constraints on one kind of name leave the others alone") {
    CHECK(permits(dns("example.com"), email("a@example.org")));
    CHECK(permits(ip({192, 0, 2, 0, 255, 255, 255, 0}), dns("example.com")));
    CHECK_FALSE(excludes(ip({192, 0, 2, 0, 255, 255, 255, 0}), dns("example.com")));
    CHECK(permits(other(1), dns("example.com")));
  }

  TEST_CASE("names that cannot be compared are refused where a constraint concerns them, and only there") {
    CHECK(excludes(other(1), other(1)));
    CHECK(excludes(other(1), other(2)));
    CHECK_FALSE(permits(other(1), other(1)));
    CHECK(permits(dns("example.com"), other(1)));
    CHECK_FALSE(permits(email("example.com"), other(9)));  // RFC 9598: a mailbox of another form
    CHECK_FALSE(excludes(dns("example.com"), other(9)));
    for (const char* text : {".example.com", "a..example.com", "*", "*.com", "f*.example.com", "example.com.", ""}) {
      INFO(text);
      CHECK_FALSE(permits(dns("example.com"), dns(text)));
      CHECK(excludes(dns("example.org"), dns(text)));
      CHECK_FALSE(excludes(email("example.org"), dns(text)));
    }
    for (const char* text :
         {"a@b@example.com", "@example.com", "a@", "example.com", "a b@example.com", "\"a\"@example.com"}) {
      INFO(text);
      CHECK_FALSE(permits(email("example.com"), email(text)));
      CHECK(excludes(email("example.org"), email(text)));
    }
  }

  TEST_CASE("constraints that mean nothing are refused, whatever the names") {
    const Certificate below = leaf({ip({192, 0, 2, 1})});
    for (const Buffer& base : {dns("*.example.com"), dns("a b"), dns("example.com."), email("a@b@c.example"),
                               email("*.example.com"), uri("https://example.com"), uri("")}) {
      CHECK(failure(below, authority({.permitted = {base}})) == Failure::malformed);
      CHECK(failure(below, authority({.excluded = {base}})) == Failure::malformed);
    }
  }

  TEST_CASE("exclusion wins over permission") {
    const Certificate above = authority({.permitted = {dns("example.com")}, .excluded = {dns("bad.example.com")}});
    CHECK_FALSE(failure(leaf({dns("good.example.com")}), above));
    CHECK(failure(leaf({dns("good.example.com"), dns("www.bad.example.com")}), above) == Failure::name_constraint);
  }

  TEST_CASE("each authority constrains all below it but self-issued intermediates, and the anchor if it counts") {
    const Certificate bottom = leaf({dns("foo.example.com")}, tests::common_name("leaf"), tests::common_name("Low"));
    const Certificate low = authority({.permitted = {dns("foo.example.com")}}, "Low", "High");
    const Certificate high = authority({.permitted = {dns("example.com"), dns("example.org")}}, "High", "Root");
    const Certificate narrow = authority({.permitted = {dns("bar.example.com")}}, "High", "Root");
    const auto check = [](std::vector<const Certificate*> path, size_t constraining) {
      return NameConstraintChecker(100).check(path, constraining, LeadingDot::refused).has_value();
    };
    CHECK(check({&bottom, &low, &high}, 3));
    CHECK_FALSE(check({&bottom, &low, &narrow}, 3));  // a wider constraint below widens nothing
    CHECK(check({&bottom, &low, &narrow}, 2));

    const Certificate named = leaf({dns("other.example")}, tests::common_name("Root"), tests::common_name("Root"));
    CHECK(check({&bottom, &named, &high}, 3));     // self-issued in the middle
    CHECK_FALSE(check({&named, &low, &high}, 3));  // self-issued at the end
    const Certificate issued = leaf({dns("other.example")}, tests::common_name("Low"), tests::common_name("High"));
    CHECK_FALSE(check({&bottom, &issued, &high}, 3));
  }

  TEST_CASE("comparisons are counted, over all calls, and end at the limit") {
    std::vector<Buffer> names, bases;
    for (int i = 0; i < 20; i++) {
      names.push_back(dns(std::string("a").append(std::to_string(i)).append(".example")));
      bases.push_back(dns(std::string("b").append(std::to_string(i)).append(".example")));
    }
    const Certificate below = leaf(names), above = authority({.excluded = bases});
    const size_t needed = 20 * 20 + 20 + 21;  // comparisons, constraints, names and the subject
    CHECK_FALSE(failure(below, above, LeadingDot::refused, needed));
    CHECK(failure(below, above, LeadingDot::refused, needed - 1) == Failure::limit);
    CHECK(failure(below, above, LeadingDot::refused, 5) == Failure::limit);
    NameConstraintChecker checker(needed * 2 - 1);
    const Certificate* path[] = {&below, &above};
    CHECK(checker.check(path, 2, LeadingDot::refused));
    CHECK(checker.comparisons_left() == needed - 1);
    CHECK_FALSE(checker.check(path, 2, LeadingDot::refused));
  }
}

}  // namespace
}  // namespace quoll::x509
