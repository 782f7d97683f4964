// Distinguished names: when two are equal (RFC 5280 §7.1), subtrees, and their text (RFC 4514).
#include "tls/x509/name.h"

#include <string>

#include "tests/support/random.h"
#include "tests/tls/x509/der_builder.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using namespace quoll::tests;
using namespace std::string_view_literals;
using crypto::DerTag;

Buffer name_of(DerTag tag, std::string_view value) { return sequence({rdn(oid::kOrganizationName, text(tag, value))}); }
Buffer utf8(std::string_view value) { return name_of(DerTag::utf8_string, value); }

/// names_equal() in both directions, and the canonical forms must say the same.
bool equal(const Buffer& a, const Buffer& b) {
  const bool result = names_equal(a, b);
  CHECK(result == names_equal(b, a));
  CHECK(result == (canonical_name(a) == canonical_name(b)));
  return result;
}

TEST_SUITE("x509 names") {
  // RFC 5280 §7.1
  TEST_CASE("case of ASCII letters and insignificant spaces make no difference") {
    CHECK(equal(utf8("Example CA"), utf8("eXAMPLE cA")));
    CHECK(equal(utf8("Example CA"), utf8("  Example \t\n  CA ")));
    CHECK_FALSE(equal(utf8("Example CA"), utf8("ExampleCA")));
    CHECK_FALSE(equal(utf8("Example CA"), utf8("Example CB")));
    CHECK(equal(utf8(""), utf8("   ")));
    CHECK_FALSE(equal(utf8(""), utf8("a")));
    CHECK_FALSE(equal(utf8("a\0b"sv), utf8("a")));
  }

  TEST_CASE("the type of a string makes no difference") {
    const std::string_view bmp = "\0C\0a\0f\0\xe9"sv, universal = "\0\0\0C\0\0\0a\0\0\0f\0\0\0\xe9"sv;
    CHECK(equal(utf8("caf\xc3\xa9"), name_of(DerTag::bmp_string, bmp)));
    CHECK(equal(utf8("caf\xc3\xa9"), name_of(DerTag::universal_string, universal)));
    CHECK(equal(utf8("caf\xc3\xa9"), name_of(DerTag::teletex_string, "Caf\xe9")));
    for (const DerTag tag : {DerTag::printable_string, DerTag::ia5_string, DerTag::visible_string}) {
      CHECK(equal(utf8("Example"), name_of(tag, "EXAMPLE")));
    }
    CHECK(equal(utf8("\xf0\x9f\x98\x9c"), name_of(DerTag::universal_string, "\0\x01\xf6\x1c"sv)));
  }

  TEST_CASE("what is no string, or not of its type, is compared as bytes") {
    const Buffer number = sequence({rdn(oid::kOrganizationName, integer(65))});
    CHECK(equal(number, number));
    CHECK_FALSE(equal(number, utf8("A")));
    CHECK_FALSE(equal(name_of(DerTag::octet_string, "A"), name_of(DerTag::octet_string, "a")));
    const std::string_view not_utf8[] = {"\xff"sv,
                                         "\xc3"sv,
                                         "\xc0\x80"sv,
                                         "\xe0\x80\x80"sv,
                                         "\x80"sv,
                                         "\xed\xa0\x80"sv,
                                         "\xf4\x90\x80\x80"sv,
                                         "\xf8\x88\x80\x80\x80"sv,
                                         "\xc3\x28"sv,
                                         "\xf0\x80\x80\x80"sv};
    for (const std::string_view bytes : not_utf8) {
      std::string lower("a"), upper("A");
      lower += bytes;
      upper += bytes;
      CHECK(equal(utf8(lower), utf8(lower)));
      CHECK_FALSE(equal(utf8(lower), utf8(upper)));
    }
    CHECK_FALSE(equal(name_of(DerTag::ia5_string, "a\xe9"), name_of(DerTag::ia5_string, "A\xe9")));
    CHECK_FALSE(equal(name_of(DerTag::bmp_string, "\0a\0"sv), name_of(DerTag::bmp_string, "\0A\0"sv)));
    CHECK_FALSE(equal(name_of(DerTag::bmp_string, "\0a\xd8\0"sv), name_of(DerTag::bmp_string, "\0A\xd8\0"sv)));
    CHECK_FALSE(equal(name_of(DerTag::universal_string, "\0\x11\0\0\0\0\0a"sv),
                      name_of(DerTag::universal_string, "\0\x11\0\0\0\0\0A"sv)));
  }

  TEST_CASE("types, number and order of RDNs count") {
    const Buffer a = rdn(oid::kOrganizationName, text(DerTag::utf8_string, "A"));
    const Buffer b = rdn(oid::kCommonName, text(DerTag::utf8_string, "B"));
    const Buffer other_type = rdn(oid::kOrganizationalUnitName, text(DerTag::utf8_string, "A"));
    CHECK(equal(sequence({a, b}), sequence({a, b})));
    CHECK_FALSE(equal(sequence({a, b}), sequence({b, a})));
    CHECK_FALSE(equal(sequence({a, b}), sequence({a})));
    CHECK_FALSE(equal(sequence({a}), sequence({other_type})));
    CHECK_FALSE(equal(sequence({a, a}), sequence({a})));
    CHECK_FALSE(equal(sequence({a}), sequence({})));
    CHECK(equal(sequence({}), sequence({})));
  }

  TEST_CASE("the attributes of one RDN are a set") {
    const Buffer a = sequence({object_identifier(oid::kOrganizationName), text(DerTag::utf8_string, "A")});
    const Buffer b = sequence({object_identifier(oid::kCommonName), text(DerTag::utf8_string, "B")});
    const Buffer lower_b = sequence({object_identifier(oid::kCommonName), text(DerTag::printable_string, "b")});
    CHECK(equal(sequence({set({a, b})}), sequence({set({lower_b, a})})));
    CHECK_FALSE(equal(sequence({set({a, b})}), sequence({set({a}), set({b})})));
    CHECK_FALSE(equal(sequence({set({a, b})}), sequence({set({a, a})})));
    CHECK_FALSE(equal(sequence({set({a, b})}), sequence({set({a, b, b})})));
  }

  // RFC 5280 §7.1
  TEST_CASE("a name lies in a subtree when its first RDNs are the base's") {
    const Buffer a = rdn(oid::kOrganizationName, text(DerTag::utf8_string, "A"));
    const Buffer lower_a = rdn(oid::kOrganizationName, text(DerTag::printable_string, "a"));
    const Buffer b = rdn(oid::kCommonName, text(DerTag::utf8_string, "B"));
    CHECK(name_within(sequence({a, b}), sequence({lower_a})));
    CHECK(name_within(sequence({a}), sequence({lower_a})));
    CHECK(name_within(sequence({a, b}), sequence({})));
    CHECK(name_within(sequence({}), sequence({})));
    CHECK_FALSE(name_within(sequence({a}), sequence({a, b})));
    CHECK_FALSE(name_within(sequence({b, a}), sequence({a})));
    CHECK_FALSE(name_within(utf8("AB"), utf8("A")));
    CHECK_FALSE(name_within(Buffer{0x30}, sequence({})));
    CHECK_FALSE(name_within(Buffer{0x30}, Buffer{0x30}));
  }

  TEST_CASE("what is no Name equals only itself") {
    const Buffer value = text(DerTag::utf8_string, "A");
    const Buffer attribute = sequence({object_identifier(oid::kCommonName), value});
    const Buffer refused[] = {
        {},
        {0x30},
        set({}),
        join({sequence({}), null()}),
        sequence({set({})}),                                                               // an RDN of nothing
        sequence({attribute}),                                                             // no SET
        sequence({set({sequence({object_identifier(oid::kCommonName)})})}),                // no value
        sequence({set({sequence({value, value})})}),                                       // no type
        sequence({set({sequence({object_identifier(oid::kCommonName), value, value})})}),  // two values
        sequence({set({sequence({object_identifier(Buffer{0x80, 0x01}), value})})}),       // a type that is no OID
        sequence({set({attribute}), {0x31}}),
        sequence({set({attribute, {0x30}})}),
    };
    for (const Buffer& name : refused) {
      CHECK_FALSE(name_is_well_formed(name));
      CHECK_FALSE(name_is_empty(name));
      CHECK(equal(name, name));
      CHECK_FALSE(equal(name, sequence({})));
      CHECK_FALSE(equal(name, sequence({set({attribute})})));
      CHECK(name_text(name) == "(not a name)");
    }
    CHECK(name_is_well_formed(sequence({set({attribute})})));
  }

  TEST_CASE("only a Name without attributes is empty") {
    CHECK(name_is_empty(sequence({})));
    CHECK(name_is_well_formed(sequence({})));
    CHECK_FALSE(name_is_empty(utf8("")));
  }

  TEST_CASE("the text has the attributes in the order of the certificate") {
    const Buffer c = sequence({object_identifier(oid::kCountryName), text(DerTag::printable_string, "NZ")});
    const Buffer o =
        sequence({object_identifier(oid::kOrganizationName), text(DerTag::utf8_string, "Kiw\xc3\xad Ltd")});
    const Buffer cn = sequence({object_identifier(oid::kCommonName), text(DerTag::bmp_string, "\0A\0B"sv)});
    CHECK(name_text(sequence({set({c}), set({o, cn})})) == "C=NZ, O=Kiw\xc3\xad Ltd+CN=AB");
    CHECK(name_text(sequence({})).empty());
    CHECK(name_text(sequence({rdn(oid::kEcPublicKey, text(DerTag::utf8_string, "x"))})) == "1.2.840.10045.2.1=x");
    CHECK(name_text(sequence({rdn(oid::kCommonName, integer(7))})) == "CN=#020107");
    CHECK(name_text(name_of(DerTag::utf8_string, "\xff")) == "O=#0c01ff");
  }

  // RFC 4514 §2.4
  TEST_CASE("the text escapes what would be misread") {
    CHECK(name_text(utf8("a,b+c\"d\\e<f>g;h")) == "O=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h");
    CHECK(name_text(utf8("#a#")) == "O=\\#a#");
    CHECK(name_text(utf8(" a b ")) == "O=\\ a b\\ ");
    CHECK(name_text(utf8(" ")) == "O=\\ ");
    CHECK(name_text(utf8("a\0\x1b[2J\x7f\n"sv)) == "O=a\\00\\1b[2J\\7f\\0a");
    CHECK(name_text(utf8("\xc2\x9b")) == "O=\\c2\\9b");  // a control character above ASCII
    CHECK(name_text(utf8("a\xe2\x80\xae"
                         "b")) ==
          "O=a\\e2\\80\\ae"
          "b");  // turns the direction of text
    CHECK(name_text(utf8("\xf0\x9f\x98\x9c")) == "O=\xf0\x9f\x98\x9c");
  }

  TEST_CASE("canonical forms agree with equality on names made of few pieces") {
    SeededRng rng(test_seed(0x6e616d65));
    const auto random_name = [&] {
      static constexpr DerTag kTags[] = {DerTag::utf8_string, DerTag::printable_string, DerTag::octet_string};
      static constexpr std::string_view kValues[] = {"a", "A", "a ", "b"};
      Buffer contents;
      for (uint8_t count = rng.bytes(1)[0] % 3; count > 0; count--) {
        Buffer attributes;
        for (int more = 1 + rng.bytes(1)[0] % 2; more > 0; more--) {
          const Buffer draw = rng.bytes(3);
          attributes = join(
              {attributes, sequence({object_identifier(draw[0] % 2 != 0 ? Bytes(oid::kCommonName) : Bytes(oid::kTitle)),
                                     text(kTags[draw[1] % 3], kValues[draw[2] % 4])})});
        }
        contents = join({contents, set({attributes})});
      }
      return sequence({contents});
    };
    int equal_count = 0, within_count = 0;
    for (int i = 0; i < 20'000; i++) {
      const Buffer a = random_name(), b = random_name();
      const bool same = equal(a, b);
      equal_count += same ? 1 : 0;
      const bool within = name_within(a, b);
      within_count += within ? 1 : 0;
      CHECK(same == (within && name_within(b, a)));
      const auto form = canonical_name(a), base = canonical_name(b);
      CHECK(within == (form.size() >= base.size() && std::equal(base.begin(), base.end(), form.begin())));
    }
    CHECK(equal_count > 500);
    CHECK(within_count > equal_count);
  }
}

}  // namespace
}  // namespace quoll::x509
