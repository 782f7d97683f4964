// Paths from a leaf to an anchor: what is found, what is refused, which fault is told, and that the search ends.
#include "tls/x509/verify.h"
#include "tests/tls/x509/authorities.h"
#include "tls/x509/failure.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using tests::Authorities;
using tests::authority_request;
using tests::chain_of;
using tests::leaf_request;
using tests::options_for;
using tests::Party;
using tests::store_of;

constexpr std::string_view kHost = "www.example.com";

Result<Path> verify(const std::vector<Certificate>& chain, const TrustStore& store,
                    const VerifyOptions& options = options_for(kHost)) {
  return verify_chain(crypto::best(), chain, store, options);
}

/// The failure, or nothing.
std::optional<Failure> failure(const std::vector<Certificate>& chain, const TrustStore& store,
                               const VerifyOptions& options = options_for(kHost)) {
  const auto path = verify(chain, store, options);
  if (path) return std::nullopt;
  CHECK(path.error().domain == ErrorDomain::certificate);
  CHECK(path.error().reason[0] != 0);
  return static_cast<Failure>(path.error().code);
}

VerifyOptions at(int64_t seconds, int64_t milliseconds = 0) {
  VerifyOptions options = options_for(kHost);
  options.now = UnixTime::from_milliseconds(seconds * 1'000 + milliseconds);
  return options;
}

VerifyOptions with_profile(Profile profile) {
  VerifyOptions options = options_for(kHost);
  options.profile = profile;
  return options;
}

constexpr Profile kProfiles[] = {Profile::rfc5280, Profile::rfc5280_strict, Profile::web_pki};

/// A root, an authority and a leaf for kHost.
struct Ordinary {
  explicit Ordinary(Authorities& make)
      : root(make.root()),
        authority(make.authority("Authority", root)),
        leaf(make.leaf(std::string(kHost), authority)) {}
  Party root, authority, leaf;
};

/// Levels of several keys under one name each; every key of a level certifies every key of the next.
struct Lattice {
  Lattice(Authorities& make, size_t levels, size_t keys) {
    std::vector<Party> above;
    for (size_t k = 0; k < keys; k++) above.push_back(make.make(authority_request("Level 0")));
    for (const Party& root : above) roots.add(root.certificate.clone());
    for (size_t level = 1; level <= levels; level++) {
      const CertificateRequest request = authority_request(std::string("Level ").append(std::to_string(level)));
      std::vector<Party> below;
      for (size_t k = 0; k < keys; k++) {
        PrivateKey key = make.key();
        for (const Party& issuer : above) chain.push_back(make.certify(request, key, &issuer));
        below.push_back({std::move(key), chain.back().clone()});
      }
      above = std::move(below);
    }
    chain.insert(chain.begin(), make.leaf(std::string(kHost), above[0]).certificate.clone());
  }
  std::vector<Certificate> chain;
  TrustStore roots;
};

TEST_SUITE("verify") {
  TEST_CASE("a path is leaf, authority, anchor, under every profile") {
    Authorities make(31);
    const Ordinary o(make);
    const auto chain = chain_of(o.leaf.certificate, o.authority.certificate);
    const TrustStore store = store_of(o.root.certificate);
    for (const Profile profile : kProfiles) {
      const auto path = verify(chain, store, with_profile(profile));
      REQUIRE(path);
      REQUIRE(path->certificates.size() == 3);
      CHECK(path->certificates[0] == &chain[0]);
      CHECK(path->certificates[1] == &chain[1]);
      CHECK(store.contains(path->certificates[2]->der()));
    }
  }

  TEST_CASE("order, repetition and strangers among the intermediates do not matter") {
    Authorities make(32);
    const Ordinary o(make);
    const Party middle = make.authority("Middle", o.authority);
    const Party leaf = make.leaf(std::string(kHost), middle);
    const Ordinary other(make);
    const TrustStore store = store_of(o.root.certificate, other.authority.certificate);
    const auto chain = chain_of(leaf.certificate, other.root.certificate, o.root.certificate, o.authority.certificate,
                                other.leaf.certificate, leaf.certificate, o.authority.certificate, middle.certificate);
    const auto path = verify(chain, store);
    REQUIRE(path);
    CHECK(path->certificates.size() == 4);
  }

  TEST_CASE("an anchor need not be self-signed, and the path ends at the first one") {
    Authorities make(33);
    const Ordinary o(make);
    const auto chain = chain_of(o.leaf.certificate, o.authority.certificate, o.root.certificate);
    CHECK(verify(chain, store_of(o.authority.certificate))->certificates.size() == 2);
    CHECK(verify(chain, store_of(o.authority.certificate, o.root.certificate))->certificates.size() == 2);
  }

  TEST_CASE("without an anchor there is no path, and the reason tells a self-signed certificate") {
    Authorities make(34);
    const Ordinary o(make), stranger(make);
    CHECK(failure({}, store_of(o.root.certificate)) == Failure::no_certificate);
    CHECK(failure(chain_of(o.leaf.certificate), store_of(o.root.certificate)) == Failure::unknown_issuer);
    CHECK(failure(chain_of(o.leaf.certificate, o.authority.certificate, o.root.certificate), TrustStore()) ==
          Failure::unknown_issuer);
    const Party alone = make.make(leaf_request(std::string(kHost)));
    const auto refused = verify(chain_of(alone.certificate), store_of(o.root.certificate));
    REQUIRE_FALSE(refused);
    CHECK(std::string_view(refused.error().reason).contains("self-signed"));
    // An anchor of the right name with another key.
    CHECK(failure(chain_of(o.leaf.certificate, o.authority.certificate), store_of(stranger.root.certificate)) ==
          Failure::bad_signature);
  }

  TEST_CASE("a self-signed leaf is accepted if exactly it is trusted") {
    Authorities make(35);
    const PrivateKey key = make.key();
    const Certificate leaf = make.certify(leaf_request(std::string(kHost)), key);
    const Certificate twin = make.certify(leaf_request(std::string(kHost)), make.key());
    for (const Profile profile : kProfiles) {
      const auto path = verify(chain_of(leaf), store_of(twin, leaf), with_profile(profile));
      REQUIRE(path);
      CHECK(path->certificates.size() == 1);
      CHECK(failure(chain_of(leaf), store_of(twin), with_profile(profile)).has_value());
    }
    CHECK(failure(chain_of(leaf), store_of(leaf), options_for("other.example")) == Failure::name_mismatch);
    CHECK(failure(chain_of(leaf), store_of(leaf), at(tests::kYear2026 - 1)) == Failure::not_yet_valid);

    CertificateRequest as_authority = leaf_request(std::string(kHost));
    as_authority.is_ca = true;
    as_authority.key_usage = 0;
    const Certificate both = make.certify(as_authority, key);
    CHECK_FALSE(failure(chain_of(both), store_of(both)));
    CHECK(failure(chain_of(both), store_of(both), with_profile(Profile::web_pki)) == Failure::wrong_usage);
  }

  TEST_CASE("a leaf in the store that another signed is no anchor for itself") {
    Authorities make(36);
    const Ordinary o(make);
    CHECK(failure(chain_of(o.leaf.certificate), store_of(o.leaf.certificate)) == Failure::unknown_issuer);
    // Nor one that is self-issued but signed by another key of the name.
    const Party same_name = make.make(authority_request(std::string(kHost)));
    const Party leaf = make.make(leaf_request(std::string(kHost)), &same_name);
    CHECK(failure(chain_of(leaf.certificate), store_of(leaf.certificate)) == Failure::bad_signature);
    CHECK_FALSE(failure(chain_of(leaf.certificate), store_of(leaf.certificate, same_name.certificate)));
  }

  TEST_CASE("RFC 5280 §4.1.2.5: validity is inclusive at both ends and counts whole seconds") {
    Authorities make(37);
    const Ordinary o(make);
    const auto chain = chain_of(o.leaf.certificate, o.authority.certificate);
    const TrustStore store = store_of(o.root.certificate);
    const int64_t begin = tests::kYear2026, end = tests::kYear2026 + 365 * tests::kDay;
    CHECK(failure(chain, store, at(begin - 1, 999)) == Failure::not_yet_valid);
    CHECK_FALSE(failure(chain, store, at(begin)));
    CHECK_FALSE(failure(chain, store, at(end)));
    CHECK_FALSE(failure(chain, store, at(end, 999)));
    CHECK(failure(chain, store, at(end + 1)) == Failure::expired);
  }

  TEST_CASE("every certificate must be valid: leaf, authority, and the anchor if its constraints count") {
    Authorities make(38);
    const int64_t later = tests::kYear2026 + 200 * tests::kDay;
    CertificateRequest shorter = authority_request("Root");
    shorter.not_after = UnixTime::from_seconds(later);
    const Party root = make.make(shorter);
    const Party authority = make.authority("Authority", root);
    const Party leaf = make.leaf(std::string(kHost), authority);
    const auto chain = chain_of(leaf.certificate, authority.certificate);
    CHECK_FALSE(failure(chain, store_of(root.certificate), at(later)));
    CHECK(failure(chain, store_of(root.certificate), at(later + 1)) == Failure::expired);
    VerifyOptions ignoring = at(later + 1);
    ignoring.anchor_constraints = false;
    CHECK_FALSE(failure(chain, store_of(root.certificate), ignoring));

    const Party good_root = make.root();
    shorter.common_name = "Authority";
    const Party old_authority = make.make(shorter, &good_root);
    const Party below = make.leaf(std::string(kHost), old_authority);
    CHECK(failure(chain_of(below.certificate, old_authority.certificate), store_of(good_root.certificate),
                  at(later + 1)) == Failure::expired);
  }

  TEST_CASE("a renewed authority is taken where the old certificate has expired, whatever their order") {
    Authorities make(39);
    const Party root = make.root();
    const Party authority = make.authority("Authority", root);
    CertificateRequest old_request = authority_request("Authority");
    old_request.not_after = UnixTime::from_seconds(tests::kYear2026 + 10);
    const Certificate expired = make.certify(old_request, authority.key, &root);
    const Party leaf = make.leaf(std::string(kHost), authority);
    const TrustStore store = store_of(root.certificate);
    CHECK_FALSE(failure(chain_of(leaf.certificate, expired, authority.certificate), store));
    CHECK_FALSE(failure(chain_of(leaf.certificate, authority.certificate, expired), store));
    CHECK(failure(chain_of(leaf.certificate, expired), store) == Failure::expired);
  }

  TEST_CASE("only authorities issue") {
    Authorities make(40);
    const Party root = make.root();
    const Party end = make.leaf("end.example", root);
    const Party below = make.leaf(std::string(kHost), end);
    CHECK(failure(chain_of(below.certificate, end.certificate), store_of(root.certificate)) == Failure::not_a_ca);
    CHECK(failure(chain_of(below.certificate), store_of(end.certificate)) == Failure::not_a_ca);

    CertificateRequest without_signing = authority_request("Authority");
    without_signing.key_usage = static_cast<uint16_t>(KeyUsage::digital_signature);
    const Party cannot_sign = make.make(without_signing, &root);
    const Party leaf = make.leaf(std::string(kHost), cannot_sign);
    CHECK(failure(chain_of(leaf.certificate, cannot_sign.certificate), store_of(root.certificate)) ==
          Failure::not_a_ca);

    VerifyOptions ignoring = options_for(kHost);
    ignoring.anchor_constraints = false;
    CHECK_FALSE(failure(chain_of(below.certificate), store_of(end.certificate), ignoring));
  }

  TEST_CASE("an old root that cannot say that it is one is an anchor by being trusted, and never in the middle") {
    Authorities make(41);
    CertificateRequest request = authority_request("Root");
    request.version = 1;
    const Party old = make.make(request);
    const Party leaf = make.leaf(std::string(kHost), old);
    CHECK_FALSE(failure(chain_of(leaf.certificate), store_of(old.certificate)));
    CHECK(failure(chain_of(leaf.certificate), store_of(old.certificate), with_profile(Profile::rfc5280_strict)));
    const Party root = make.root("Other");
    const Party middle = make.make(request, &root);
    const Party below = make.leaf(std::string(kHost), middle);
    CHECK(failure(chain_of(below.certificate, middle.certificate), store_of(root.certificate)) == Failure::not_a_ca);
  }

  TEST_CASE("RFC 5280 §4.2.1.9: path lengths count authorities below that are not self-issued") {
    Authorities make(42);
    CertificateRequest request = authority_request("Root");
    request.path_length = 1;
    const Party root = make.make(request);
    const Party one = make.authority("One", root);
    const Party two = make.authority("Two", one);
    const Party leaf1 = make.leaf(std::string(kHost), one), leaf2 = make.leaf(std::string(kHost), two);
    const TrustStore store = store_of(root.certificate);
    CHECK_FALSE(failure(chain_of(leaf1.certificate, one.certificate), store));
    CHECK(failure(chain_of(leaf2.certificate, two.certificate, one.certificate), store) == Failure::path_too_long);
    const Party self_issued = make.make(authority_request("One"), &one);
    const Party leaf3 = make.leaf(std::string(kHost), self_issued);
    CHECK_FALSE(failure(chain_of(leaf3.certificate, self_issued.certificate, one.certificate), store));
  }

  TEST_CASE("depth_max counts intermediates that are not self-issued") {
    Authorities make(43);
    const Ordinary o(make);
    const Party leaf = make.leaf(std::string(kHost), o.root);
    const TrustStore store = store_of(o.root.certificate);
    VerifyOptions options = options_for(kHost);
    options.depth_max = 0;
    CHECK_FALSE(failure(chain_of(leaf.certificate), store, options));
    CHECK(failure(chain_of(o.leaf.certificate, o.authority.certificate), store, options) == Failure::path_too_long);
    options.depth_max = 1;
    CHECK_FALSE(failure(chain_of(o.leaf.certificate, o.authority.certificate), store, options));
    const Party renewed = make.make(authority_request("Authority"), &o.authority);
    const Party below = make.leaf(std::string(kHost), renewed);
    CHECK_FALSE(failure(chain_of(below.certificate, renewed.certificate, o.authority.certificate), store, options));
  }

  TEST_CASE("extended key usage restricts a leaf and what an authority may issue for") {
    Authorities make(44);
    const Party root = make.root();
    const auto usage = [](Bytes oid) {
      return tests::extension(oid::kExtendedKeyUsage, false, tests::sequence({tests::object_identifier(oid)}));
    };
    CertificateRequest for_clients = authority_request("Clients");
    for_clients.extra_extensions = {usage(oid::kClientAuth)};
    CertificateRequest for_any = authority_request("Any");
    for_any.extra_extensions = {usage(oid::kAnyExtendedKeyUsage)};
    CertificateRequest request = leaf_request(std::string(kHost));
    request.client_auth = true;
    const TrustStore store = store_of(root.certificate);
    for (const auto& [authority_for, server_ok] : {std::pair(for_clients, false), std::pair(for_any, true)}) {
      const Party authority = make.make(authority_for, &root);
      const Party leaf = make.make(request, &authority);
      const auto chain = chain_of(leaf.certificate, authority.certificate);
      VerifyOptions options = options_for(kHost);
      CHECK(failure(chain, store, options) ==
            (server_ok ? std::nullopt : std::optional<Failure>(Failure::wrong_usage)));
      options.purpose = Purpose::client;
      CHECK_FALSE(failure(chain, store, options));
      options.purpose = Purpose::any;
      CHECK_FALSE(failure(chain, store, options));
    }
    VerifyOptions as_client = options_for(kHost);
    as_client.purpose = Purpose::client;
    const Party server = make.leaf(std::string(kHost), root);
    CHECK(failure(chain_of(server.certificate), store, as_client) == Failure::wrong_usage);
    request.server_auth = request.client_auth = false;
    const Party any = make.make(request, &root);
    CHECK_FALSE(failure(chain_of(any.certificate), store));
    CHECK_FALSE(failure(chain_of(any.certificate), store, as_client));
    CHECK(failure(chain_of(any.certificate), store, with_profile(Profile::web_pki)) == Failure::wrong_usage);
  }

  TEST_CASE("RFC 8446 §4.4.2.2: a leaf with a keyUsage must be allowed to sign, unless the caller says otherwise") {
    Authorities make(45);
    const Party root = make.root();
    CertificateRequest request = leaf_request(std::string(kHost));
    request.key_usage = static_cast<uint16_t>(KeyUsage::key_agreement);
    const Party leaf = make.make(request, &root);
    CHECK(failure(chain_of(leaf.certificate), store_of(root.certificate)) == Failure::wrong_usage);
    VerifyOptions options = options_for(kHost);
    options.key_usage = 0;
    CHECK_FALSE(failure(chain_of(leaf.certificate), store_of(root.certificate), options));
    request.key_usage = 0;
    const Party without = make.make(request, &root);
    CHECK_FALSE(failure(chain_of(without.certificate), store_of(root.certificate)));
  }

  TEST_CASE("critical extensions that are not understood are refused in a path, and do no harm beside it") {
    Authorities make(46);
    const Ordinary o(make);
    const uint8_t unknown[] = {0x2a, 0x03, 0x04};
    const auto odd = [&](CertificateRequest request, bool critical) {
      request.extra_extensions = {tests::extension(unknown, critical, tests::null())};
      return request;
    };
    const TrustStore store = store_of(o.root.certificate);
    const Party leaf = make.make(odd(leaf_request(std::string(kHost)), true), &o.root);
    CHECK(failure(chain_of(leaf.certificate), store) == Failure::critical_extension);
    const Party noncritical = make.make(odd(leaf_request(std::string(kHost)), false), &o.root);
    CHECK_FALSE(failure(chain_of(noncritical.certificate), store));

    const Party authority = make.make(odd(authority_request("Authority"), true), &o.root);
    const Party below = make.leaf(std::string(kHost), authority);
    CHECK(failure(chain_of(below.certificate, authority.certificate), store) == Failure::critical_extension);
    CHECK_FALSE(failure(chain_of(o.leaf.certificate, authority.certificate, o.authority.certificate), store));

    const Party root = make.make(odd(authority_request("Root"), true));
    const Party direct = make.leaf(std::string(kHost), root);
    CHECK(failure(chain_of(direct.certificate), store_of(root.certificate)) == Failure::critical_extension);
    CHECK_FALSE(
        failure(chain_of(o.leaf.certificate, o.authority.certificate), store_of(root.certificate, o.root.certificate)));
  }

  TEST_CASE("name constraints of authorities and anchors hold, and another path is tried where one breaks them") {
    Authorities make(47);
    CertificateRequest narrow = authority_request("Root");
    narrow.permitted_names = {"example.org"};
    const Party narrow_root = make.make(narrow), wide_root = make.root("Wide");
    const Party authority = make.authority("Authority", wide_root);
    const Certificate under_narrow = make.certify(authority_request("Authority"), authority.key, &narrow_root);
    const Certificate leaf = make.leaf(std::string(kHost), authority).certificate.clone();
    CHECK(failure(chain_of(leaf, under_narrow), store_of(narrow_root.certificate)) == Failure::name_constraint);
    CHECK_FALSE(failure(chain_of(leaf, under_narrow, authority.certificate),
                        store_of(narrow_root.certificate, wide_root.certificate)));
    VerifyOptions ignoring = options_for(kHost);
    ignoring.anchor_constraints = false;
    CHECK_FALSE(failure(chain_of(leaf, under_narrow), store_of(narrow_root.certificate), ignoring));
  }

  TEST_CASE("the fault of the path that came furthest is told") {
    Authorities make(48);
    const Ordinary o(make), stranger(make);
    // An authority of the right name and another key leads nowhere; the right one ends at an unknown root.
    const auto refused =
        verify(chain_of(o.leaf.certificate, stranger.authority.certificate, o.authority.certificate), TrustStore());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == static_cast<uint64_t>(Failure::unknown_issuer));
    CHECK(failure(chain_of(o.leaf.certificate, stranger.authority.certificate), store_of(o.root.certificate)) ==
          Failure::bad_signature);
  }

  TEST_CASE("pins: one key of the path must be among them") {
    Authorities make(49);
    const Ordinary o(make), other(make);
    const auto chain = chain_of(o.leaf.certificate, o.authority.certificate);
    const TrustStore store = store_of(o.root.certificate);
    const SpkiPin stranger = spki_pin(crypto::best(), other.root.certificate);
    for (const Party* party : {&o.leaf, &o.authority, &o.root}) {
      const SpkiPin pins[] = {stranger, spki_pin(crypto::best(), party->certificate)};
      VerifyOptions options = options_for(kHost);
      options.pins = pins;
      CHECK_FALSE(failure(chain, store, options));
      options.pins = std::span(pins).first(1);
      CHECK(failure(chain, store, options) == Failure::pin_mismatch);
    }
  }

  TEST_CASE("policies: where an authority requires one, one must be valid for the whole path") {
    Authorities make(50);
    const Party root = make.root();
    const uint8_t a[] = {0x2a, 0x01}, b[] = {0x2a, 0x02};
    const auto policies = [](std::initializer_list<Bytes> oids) {
      tests::Buffer list;
      for (const Bytes oid : oids) list = tests::join({list, tests::sequence({tests::object_identifier(oid)})});
      return tests::extension(oid::kCertificatePolicies, false, tests::sequence({list}));
    };
    const uint8_t zero[] = {0};
    const auto require_explicit =
        tests::extension(oid::kPolicyConstraints, true, tests::sequence({tests::context(0, false, zero)}));
    const auto a_to_b = tests::extension(
        oid::kPolicyMappings, true,
        tests::sequence({tests::sequence({tests::object_identifier(a), tests::object_identifier(b)})}));
    const auto inhibit_any = tests::extension(oid::kInhibitAnyPolicy, true, tests::integer(0));
    using Extensions = std::vector<tests::Buffer>;
    const auto check = [&](Extensions of_authority, Extensions of_leaf) {
      CertificateRequest request = authority_request("Authority");
      request.extra_extensions = std::move(of_authority);
      const Party authority = make.make(request, &root);
      request = leaf_request(std::string(kHost));
      request.extra_extensions = std::move(of_leaf);
      const Party leaf = make.make(request, &authority);
      return failure(chain_of(leaf.certificate, authority.certificate), store_of(root.certificate));
    };
    CHECK_FALSE(check({policies({a})}, {policies({b})}));  // nothing is demanded
    CHECK_FALSE(check({policies({a}), require_explicit}, {policies({a, b})}));
    CHECK(check({policies({a}), require_explicit}, {policies({b})}) == Failure::policy);
    CHECK(check({policies({a}), require_explicit}, {}) == Failure::policy);
    CHECK(check({require_explicit}, {policies({a})}) == Failure::policy);
    CHECK_FALSE(check({policies({a}), a_to_b, require_explicit}, {policies({b})}));
    CHECK(check({policies({a}), a_to_b, require_explicit}, {policies({a})}) == Failure::policy);
    CHECK_FALSE(check({policies({oid::kAnyPolicy}), require_explicit}, {policies({b})}));
    CHECK_FALSE(check({policies({oid::kAnyPolicy}), a_to_b, require_explicit}, {policies({b})}));
    CHECK_FALSE(check({policies({a}), require_explicit}, {policies({oid::kAnyPolicy})}));
    CHECK(check({policies({a}), require_explicit, inhibit_any}, {policies({oid::kAnyPolicy})}) == Failure::policy);
    CHECK(check({policies({a})}, {policies({b}), require_explicit}) == Failure::policy);
  }

  TEST_CASE("a thousand ways through one name and key end at once, and so do distinct authorities with one key") {
    Authorities make(51);
    const Party root = make.root(), unknown = make.root("Unknown");
    std::vector<Certificate> same = chain_of(make.leaf(std::string(kHost), unknown).certificate);
    while (same.size() < kPeerCertificatesMax) same.push_back(make.certify(authority_request("Unknown"), unknown.key));
    CHECK(failure(same, store_of(root.certificate)) == Failure::unknown_issuer);
    same.push_back(same.back().clone());
    CHECK(failure(same, store_of(root.certificate)) == Failure::limit);
  }

  TEST_CASE("a graph with more paths than can be walked ends at the limit") {
    Authorities make(52);
    const Lattice lattice(make, 7, 3);
    REQUIRE(lattice.chain.size() == kPeerCertificatesMax);
    const Party root = make.root();
    VerifyOptions options = options_for(kHost);
    CHECK(failure(lattice.chain, store_of(root.certificate), options) == Failure::limit);
    options.signature_checks_max = 10'000;
    CHECK(failure(lattice.chain, store_of(root.certificate), options).has_value());
    options.signature_checks_max = 0;
    CHECK(failure(lattice.chain, store_of(root.certificate), options) == Failure::limit);
  }

  TEST_CASE("whole paths that are refused are tried up to a limit") {
    Authorities make(56);
    const SpkiPin nobody[] = {SpkiPin()};
    VerifyOptions options = options_for(kHost);
    options.signature_checks_max = 10'000;
    options.pins = nobody;
    const Lattice few(make, 2, 3), many(make, 5, 3);
    CHECK(failure(few.chain, few.roots, options) == Failure::pin_mismatch);
    CHECK(failure(many.chain, many.roots, options) == Failure::limit);
    options.pins = {};
    CHECK_FALSE(failure(many.chain, many.roots, options));
  }

  TEST_CASE("weak and unknown keys of a leaf are refused before anything is asked of its issuer") {
    Authorities make(53);
    const Party root = make.root();
    tests::CertificateFields fields;
    const uint8_t dsa[] = {0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01};
    fields.key = tests::sequence({tests::sequence({tests::object_identifier(dsa)}), tests::bits(tests::Buffer(32))});
    VerifyOptions options = options_for("");
    const auto leaf = Certificate::parse(fields.build());
    REQUIRE(leaf);
    CHECK(failure(chain_of(*leaf), store_of(root.certificate), options) == Failure::unsupported);
  }

  TEST_CASE("the strict profile demands what RFC 5280 demands of authorities") {
    Authorities make(54);
    const Party root = make.root();
    const TrustStore store = store_of(root.certificate);
    const auto check = [&](const CertificateRequest& request, Profile profile) {
      const Party leaf = make.make(request, &root);
      return failure(chain_of(leaf.certificate), store, with_profile(profile));
    };
    CertificateRequest without_identifiers = leaf_request(std::string(kHost));
    without_identifiers.with_key_identifiers = false;
    CertificateRequest signs = leaf_request(std::string(kHost));
    signs.key_usage =
        static_cast<uint16_t>(KeyUsage::digital_signature) | static_cast<uint16_t>(KeyUsage::key_cert_sign);
    CertificateRequest access = leaf_request(std::string(kHost));
    access.extra_extensions = {tests::extension(oid::kAuthorityInfoAccess, false, tests::sequence({}))};
    for (const CertificateRequest& request : {without_identifiers, signs, access}) {
      CHECK_FALSE(check(request, Profile::rfc5280));
      CHECK(check(request, Profile::rfc5280_strict));
      CHECK(check(request, Profile::web_pki));
    }
  }

  TEST_CASE("the Web PKI's profile: common names are copies, no authority is a leaf, no Ed25519") {
    Authorities make(55);
    const Party root = make.root();
    const TrustStore store = store_of(root.certificate);
    const auto check = [&](std::string common_name, std::vector<std::string> names) {
      CertificateRequest request = leaf_request(std::move(common_name));
      request.names = std::move(names);
      const Party leaf = make.make(request, &root);
      VerifyOptions options = with_profile(Profile::web_pki);
      options.host = request.names[0] == "*.example.com" ? kHost : std::string_view(request.names[0]);
      CHECK_FALSE(failure(chain_of(leaf.certificate), store, options_for(options.host)));
      return !failure(chain_of(leaf.certificate), store, options);
    };
    CHECK(check("www.example.com", {"www.example.com"}));
    CHECK(check("www.example.com", {"a.example", "www.example.com"}));
    CHECK(check("192.0.2.1", {"192.0.2.1"}));
    CHECK(check("2001:db8::1", {"2001:db8::1"}));
    CHECK(check("example.com", {"*.example.com"}));
    CHECK_FALSE(check("WWW.example.com", {"www.example.com"}));
    CHECK_FALSE(check("other.example", {"www.example.com"}));
    CHECK_FALSE(check("2001:DB8::1", {"2001:db8::1"}));
    CHECK_FALSE(check("2001:db8:0::1", {"2001:db8::1"}));

    const Party ed25519 = make.make(leaf_request(std::string(kHost)), &root, KeyType::ed25519);
    CHECK_FALSE(failure(chain_of(ed25519.certificate), store));
    CHECK(failure(chain_of(ed25519.certificate), store, with_profile(Profile::web_pki)) == Failure::unsupported);
    CertificateRequest authority = leaf_request(std::string(kHost));
    authority.is_ca = true;
    authority.key_usage = static_cast<uint16_t>(KeyUsage::digital_signature);
    const Party as_leaf = make.make(authority, &root);
    CHECK_FALSE(failure(chain_of(as_leaf.certificate), store));
    CHECK(failure(chain_of(as_leaf.certificate), store, with_profile(Profile::web_pki)) == Failure::wrong_usage);
  }
}

}  // namespace
}  // namespace quoll::x509
