// Identities of certificates against expected names: RFC 9525 §6.3 and §6.4.
#include <string>

#include "base/address.h"
#include "tests/tls/x509/der_builder.h"
#include "tls/x509/certificate.h"
#include "tls/x509/failure.h"
#include "tls/x509/host_name.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using tests::Buffer;

/// A certificate with these alternative names (texts of addresses become iPAddress), and the common name "cn.example".
Certificate with_names(std::initializer_list<std::string_view> names) {
  Buffer list;
  for (const std::string_view name : names) {
    const auto address = IpAddress::parse(name);
    const Buffer entry =
        address ? tests::context(7, false, address->octets()) : tests::context(2, false, as_bytes(name));
    list.insert(list.end(), entry.begin(), entry.end());
  }
  tests::CertificateFields fields;
  fields.subject = tests::common_name("cn.example");
  fields.extensions = tests::context(
      3, true, tests::sequence({tests::extension(oid::kSubjectAltName, false, tests::sequence({list}))}));
  return std::move(Certificate::parse(fields.build()).value());
}

bool carries(std::initializer_list<std::string_view> names, std::string_view host) {
  const auto verified = verify_host(with_names(names), host);
  if (!verified) CHECK(verified.error().code == static_cast<uint64_t>(Failure::name_mismatch));
  return verified.has_value();
}

TEST_SUITE("host_name") {
  TEST_CASE("RFC 9525 §6.3: DNS names are compared label by label without regard to case") {
    CHECK(carries({"example.com"}, "example.com"));
    CHECK(carries({"WWW.Example.com"}, "www.eXample.COM"));
    CHECK(carries({"other.example", "example.com"}, "example.com"));
    CHECK(carries({"localhost"}, "localhost"));
    CHECK(carries({"foo_bar.example.com"}, "foo_bar.example.com"));
    CHECK(carries({"xn--628h.example.com"}, "XN--628H.example.com"));
    CHECK_FALSE(carries({"example.com"}, "www.example.com"));
    CHECK_FALSE(carries({"www.example.com"}, "example.com"));
    CHECK_FALSE(carries({"example.com"}, "example.co"));
    CHECK_FALSE(carries({"example.com"}, "xexample.com"));
  }

  TEST_CASE("a final dot of the expected name is ignored, one of the presented name makes it invalid") {
    CHECK(carries({"example.com"}, "example.com."));
    CHECK(carries({"*.example.com"}, "www.example.com."));
    CHECK_FALSE(carries({"example.com"}, "example.com.."));
    CHECK_FALSE(carries({"example.com."}, "example.com."));
    CHECK_FALSE(carries({"example.com."}, "example.com"));
  }

  TEST_CASE("RFC 9525 §6.3: a wildcard is the whole left-most label and stands for one label") {
    CHECK(carries({"*.example.com"}, "www.example.com"));
    CHECK(carries({"*.EXAMPLE.com"}, "WWW.example.com"));
    CHECK(carries({"*.example.com"}, "xn--628h.example.com"));
    CHECK_FALSE(carries({"*.example.com"}, "example.com"));
    CHECK_FALSE(carries({"*.example.com"}, ".example.com"));
    CHECK_FALSE(carries({"*.example.com"}, "a.b.example.com"));
    CHECK_FALSE(carries({"*.example.com"}, "www.example.org"));
    CHECK_FALSE(carries({"w*.example.com"}, "www.example.com"));
    CHECK_FALSE(carries({"*w.example.com"}, "www.example.com"));
    CHECK_FALSE(carries({"www.*.com"}, "www.example.com"));
    CHECK_FALSE(carries({"*.*.com"}, "www.example.com"));
    CHECK_FALSE(carries({"**.example.com"}, "www.example.com"));
    CHECK_FALSE(carries({"*"}, "localhost"));
    CHECK_FALSE(carries({"*."}, "localhost"));
  }

  TEST_CASE("a wildcard does not stand for the names of a top-level domain") {
    CHECK_FALSE(carries({"*.com"}, "example.com"));
    CHECK_FALSE(carries({"*.localhost"}, "www.localhost"));
  }

  TEST_CASE("the expected name is no pattern") {
    CHECK_FALSE(carries({"*.example.com"}, "*.example.com"));
    CHECK_FALSE(carries({"www.example.com"}, "*.example.com"));
  }

  TEST_CASE("RFC 9525 §6.4: addresses are compared with iPAddress alone, octet for octet") {
    CHECK(carries({"192.0.2.1"}, "192.0.2.1"));
    CHECK(carries({"2001:db8::1"}, "2001:DB8:0::0:1"));
    CHECK_FALSE(carries({"192.0.2.1"}, "192.0.2.2"));
    CHECK_FALSE(carries({"192.0.2.1"}, "::ffff:192.0.2.1"));
    CHECK_FALSE(carries({"192.0.2.1"}, "192.0.2.1."));
    CHECK_FALSE(carries({"192.0.2.1"}, "192.0.2.01"));
    CHECK_FALSE(carries({"example.com"}, "192.0.2.1"));
    CHECK_FALSE(carries({"*.0.2.1"}, "192.0.2.1"));
  }

  TEST_CASE("a DNS name that could be read as an address matches nothing") {
    CHECK_FALSE(carries({"1.2.3.4.5"}, "1.2.3.4.5"));
    CHECK_FALSE(carries({"0x7f000001"}, "0x7f000001"));
    CHECK_FALSE(carries({"127.0.0.0x1"}, "127.0.0.0x1"));
    CHECK_FALSE(carries({"2130706433"}, "2130706433"));
    CHECK(carries({"1.example"}, "1.example"));
    CHECK(carries({"example.0xg"}, "example.0xg"));
  }

  TEST_CASE("names that are no host's are not compared") {
    for (const std::string_view name : {"", ".", "..", "a..b", ".a", "-a.example", "a-.example", "a b.example",
                                        "a\\b.example", "exam@ple.com", "example.com:443", "[::1]"}) {
      INFO(name);
      CHECK_FALSE(carries({name, "x.example"}, name));
      CHECK_FALSE(is_host_name(name));
    }
    CHECK_FALSE(carries({"example.com"}, "ex\xc3\xa4mple.com"));
    CHECK_FALSE(carries({"example.com"}, std::string_view("example.com\0", 12)));
    CHECK_FALSE(carries({std::string_view("example.com\0.evil.example", 25)}, "example.com"));
  }

  TEST_CASE("labels have up to 63 characters, names up to 253") {
    const std::string label(63, 'a');
    CHECK(carries({label + ".example"}, label + ".example"));
    CHECK_FALSE(carries({label + "a.example"}, label + "a.example"));
    const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'b');
    REQUIRE(longest.size() == kDnsNameSizeMax);
    CHECK(carries({longest}, longest));
    CHECK(carries({longest}, longest + '.'));
    CHECK_FALSE(carries({longest + 'b'}, longest + 'b'));
  }

  TEST_CASE("the common name is never an identity") {
    CHECK_FALSE(carries({"other.example"}, "cn.example"));
    tests::CertificateFields fields;
    fields.subject = tests::common_name("cn.example");
    const Certificate without = std::move(Certificate::parse(fields.build()).value());
    CHECK_FALSE(verify_host(without, "cn.example"));
  }
}

}  // namespace
}  // namespace quoll::x509
