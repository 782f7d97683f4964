// The set of trust anchors: found by name whatever its spelling, each once.
#include "tests/tls/x509/authorities.h"
#include "tls/x509/failure.h"
#include "tls/x509/pem.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using tests::Authorities;
using tests::Party;

TEST_SUITE("trust_store") {
  TEST_CASE("anchors are found by their subject, all that have it") {
    Authorities make(11);
    const Party one = make.root("One"), again = make.root("One"), two = make.root("Two");
    const TrustStore store = tests::store_of(one.certificate, again.certificate, two.certificate);
    CHECK(store.size() == 3);
    CHECK(store.find(one.certificate.subject).size() == 2);
    REQUIRE(store.find(two.certificate.subject).size() == 1);
    CHECK(std::ranges::equal(store.find(two.certificate.subject)[0]->der(), two.certificate.der()));
    CHECK(store.find(make.root("Three").certificate.subject).empty());
    CHECK(store.find({}).empty());
  }

  TEST_CASE("a name is found in another spelling of the same") {
    Authorities make(12);
    const TrustStore store = tests::store_of(make.root("One Authority").certificate);
    const auto upper = tests::sequence(
        {tests::rdn(oid::kCommonName, tests::text(crypto::DerTag::printable_string, "ONE  authority"))});
    CHECK(store.find(upper).size() == 1);
  }

  TEST_CASE("the same certificate is added once, and contains() knows exactly those that were added") {
    Authorities make(13);
    const Party one = make.root(), other = make.root();
    TrustStore store;
    CHECK_FALSE(store.contains(one.certificate.der()));
    store.add(one.certificate.clone());
    store.add(one.certificate.clone());
    CHECK(store.size() == 1);
    CHECK(store.find(one.certificate.subject).size() == 1);
    CHECK(store.contains(one.certificate.der()));
    CHECK_FALSE(store.contains(other.certificate.der()));
    CHECK_FALSE(store.contains({}));
  }

  TEST_CASE("a moved store keeps its anchors") {
    Authorities make(14);
    const Party one = make.root();
    TrustStore first = tests::store_of(one.certificate);
    const TrustStore second = std::move(first);
    CHECK(second.contains(one.certificate.der()));
    CHECK(second.find(one.certificate.subject).size() == 1);
  }

  TEST_CASE("PEM text: certificates are added, others skipped, and none at all is an error") {
    Authorities make(15);
    const Party one = make.root("One"), two = make.root("Two");
    const std::string key = write_pem("PUBLIC KEY", one.certificate.subject_public_key_info);
    const std::string odd = write_pem("CERTIFICATE", one.certificate.tbs);
    const std::string good = write_pem("CERTIFICATE", one.certificate.der());
    const std::string more = write_pem("CERTIFICATE", two.certificate.der());
    TrustStore store;
    const auto loaded = store.add_pem("Roots\n" + good + key + odd + more + good);
    REQUIRE(loaded);
    CHECK(loaded->added == 2);
    CHECK(loaded->skipped == 1);
    CHECK(store.size() == 2);
    CHECK(store.add_pem(good)->added == 0);
    for (const std::string& none : {std::string(), key, odd}) {
      const auto refused = store.add_pem(none);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == static_cast<uint64_t>(Failure::no_certificate));
    }
    CHECK_FALSE(store.add_pem("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"));
  }
}

}  // namespace
}  // namespace quoll::x509
