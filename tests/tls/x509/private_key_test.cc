// Private keys in every form that they come in; signatures that the public half verifies; and what is refused.
#include <algorithm>
#include <string>

#include "base/hex.h"
#include "crypto/der.h"
#include "tests/support/random.h"
#include "tests/tls/x509/key_samples.h"
#include "tls/x509/failure.h"
#include "tls/x509/pem.h"
#include "tls/x509/private_key.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using crypto::der_context_tag;
using crypto::DerTag;
using crypto::DerWriter;
using Buffer = std::vector<uint8_t>;

constexpr SignatureAlgorithm kAllAlgorithms[] = {
    SignatureAlgorithm::rsa_pkcs1_sha256, SignatureAlgorithm::rsa_pkcs1_sha384, SignatureAlgorithm::rsa_pkcs1_sha512,
    SignatureAlgorithm::rsa_pss_sha256,   SignatureAlgorithm::rsa_pss_sha384,   SignatureAlgorithm::rsa_pss_sha512,
    SignatureAlgorithm::ecdsa_sha256,     SignatureAlgorithm::ecdsa_sha384,     SignatureAlgorithm::ecdsa_sha512,
    SignatureAlgorithm::ed25519,
};

Buffer der_of(std::string_view pem) {
  auto blocks = parse_pem(pem);
  REQUIRE(blocks);
  return blocks->back().contents;
}

PrivateKey key_of(std::string_view pem) {
  auto key = PrivateKey::parse_pem(crypto::best(), pem);
  REQUIRE(key);
  return std::move(*key);
}

bool refused(const Result<PrivateKey>& key, Failure failure) {
  return !key && key.error().domain == ErrorDomain::certificate && key.error().code == static_cast<uint64_t>(failure);
}
bool refused(Bytes der, Failure failure) { return refused(PrivateKey::parse_der(crypto::best(), der), failure); }

/// What an ECPrivateKey may hold, and an odd one holds.
struct Sec1 {
  uint64_t version = 1;
  Buffer scalar = {};
  std::optional<Buffer> curve = {};       // contents of an OBJECT IDENTIFIER
  std::optional<Buffer> public_key = {};  // a point
  bool trailing = false;

  Buffer der() const {
    Buffer room(512);
    DerWriter writer(room);
    const auto version_octet = static_cast<uint8_t>(version);
    const size_t sequence = writer.open(DerTag::sequence);
    writer.write_unsigned_integer(Bytes(&version_octet, 1));
    writer.write(DerTag::octet_string, scalar);
    if (curve) {
      const size_t tagged = writer.open(der_context_tag(0, true));
      writer.write(DerTag::object_identifier, *curve);
      writer.close(tagged);
    }
    if (public_key) {
      const size_t tagged = writer.open(der_context_tag(1, true));
      writer.write_bit_string_bytes(*public_key);
      writer.close(tagged);
    }
    if (trailing) writer.write(DerTag::null, {});
    writer.close(sequence);
    const Bytes written = writer.finish().value();
    return {written.begin(), written.end()};
  }
};

const Buffer kP256Oid = {0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, kP384Oid = {0x2b, 0x81, 0x04, 0, 0x22};
const Buffer kP256Algorithm = *from_hex("301306072a8648ce3d020106082a8648ce3d030107");
const Buffer kEd25519Algorithm = *from_hex("300506032b6570");

struct Pkcs8 {
  uint64_t version = 0;
  Buffer algorithm = {}, private_key = {};
  bool attributes = false;
  std::optional<Buffer> public_key = {};
  bool trailing = false;

  Buffer der() const {
    Buffer room(1024);
    DerWriter writer(room);
    const auto version_octet = static_cast<uint8_t>(version);
    const size_t sequence = writer.open(DerTag::sequence);
    writer.write_unsigned_integer(Bytes(&version_octet, 1));
    writer.write_element(algorithm);
    writer.write(DerTag::octet_string, private_key);
    if (attributes) writer.write(der_context_tag(0, true), Buffer{0x30, 0x00});
    if (public_key) {
      Buffer bits = *public_key;
      bits.insert(bits.begin(), 0);
      writer.write(der_context_tag(1, false), bits);
    }
    if (trailing) writer.write(DerTag::null, {});
    writer.close(sequence);
    const Bytes written = writer.finish().value();
    return {written.begin(), written.end()};
  }
};

/// The scalar 1, whose public key is the generator.
Buffer one(size_t size) {
  Buffer scalar(size);
  scalar.back() = 1;
  return scalar;
}
const Buffer kP256Generator = *from_hex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");

void check_signs(const PrivateKey& key) {
  tests::SeededRng rng(tests::test_seed(7));
  const auto public_key = PublicKey::parse(crypto::best(), key.public_key_info());
  REQUIRE(public_key);
  CHECK(public_key->type() == key.type());
  const Buffer message = rng.bytes(200);
  Buffer other = message;
  other[17] ^= 1;
  for (const SignatureAlgorithm algorithm : kAllAlgorithms) {
    INFO("algorithm " << static_cast<int>(algorithm));
    Buffer signature(kSignatureSizeMax);
    const auto size = key.sign(algorithm, rng, message, signature);
    CHECK(size.has_value() == key.supports(algorithm));
    if (!size) {
      CHECK(size.error().code == static_cast<uint64_t>(Failure::unsupported));
      continue;
    }
    CHECK(*size <= key.signature_size_max());
    signature.resize(*size);
    CHECK(public_key->verify(algorithm, message, signature));
    CHECK_FALSE(public_key->verify(algorithm, other, signature));
    Buffer short_room(key.signature_size_max() - 1);
    const auto no_room = key.sign(algorithm, rng, message, short_room);
    REQUIRE_FALSE(no_room);
    CHECK(no_room.error().domain == ErrorDomain::usage);
  }
  CHECK(key.supports(key.preferred_algorithm()));
}

size_t algorithms_of(const PrivateKey& key) {
  return static_cast<size_t>(std::ranges::count_if(kAllAlgorithms, [&](auto a) { return key.supports(a); }));
}

TEST_SUITE("private_key") {
  TEST_CASE("keys in all forms are read, and sign what their public halves verify") {
    struct Sample {
      const char* pem;
      KeyType type;
      size_t algorithms;
    };
    const Sample samples[] = {
        {tests::kSec1P256, KeyType::ecdsa_p256, 3},  {tests::kPkcs8P256, KeyType::ecdsa_p256, 3},
        {tests::kSec1P384, KeyType::ecdsa_p384, 3},  {tests::kPkcs8P384, KeyType::ecdsa_p384, 3},
        {tests::kPkcs1Rsa, KeyType::rsa, 6},         {tests::kPkcs8Rsa, KeyType::rsa, 6},
        {tests::kPkcs8Pss, KeyType::rsa_pss, 3},     {tests::kPkcs8PssSha384, KeyType::rsa_pss, 1},
        {tests::kPkcs8Ed25519, KeyType::ed25519, 1},
    };
    for (const Sample& sample : samples) {
      INFO(sample.pem);
      const PrivateKey key = key_of(sample.pem);
      CHECK(key.type() == sample.type);
      CHECK(algorithms_of(key) == sample.algorithms);
      check_signs(key);
    }
  }

  TEST_CASE("what is written as PKCS#8 is what OpenSSL wrote") {
    for (const char* pem : {tests::kPkcs8P256, tests::kPkcs8P384, tests::kPkcs8Rsa, tests::kPkcs8Pss,
                            tests::kPkcs8PssSha384, tests::kPkcs8Ed25519}) {
      CHECK(write_pem("PRIVATE KEY", key_of(pem).to_pkcs8()) == pem);
    }
    CHECK(key_of(tests::kSec1P256).to_pkcs8() == der_of(tests::kPkcs8P256));
    CHECK(key_of(tests::kSec1P384).to_pkcs8() == der_of(tests::kPkcs8P384));
    CHECK(key_of(tests::kPkcs1Rsa).to_pkcs8() == der_of(tests::kPkcs8Rsa));
  }

  TEST_CASE("the examples of RFC 8410 §7 and §10.1") {
    const PrivateKey plain = key_of(
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n");
    const PrivateKey with_attributes_and_public_key = key_of(
        "-----BEGIN PRIVATE KEY-----\n"
        "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n"
        "Z9w7lshQhqowtrbLDFw4rXAxZuE=\n"
        "-----END PRIVATE KEY-----\n");
    const std::string_view info = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    CHECK(base64_encode(plain.public_key_info()) == info);
    CHECK(base64_encode(with_attributes_and_public_key.public_key_info()) == info);
  }

  TEST_CASE("keys that are generated differ, work, and are read back") {
    tests::SeededRng rng(tests::test_seed(2));
    for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::ed25519}) {
      const auto first = PrivateKey::generate(crypto::best(), type, rng);
      const auto second = PrivateKey::generate(crypto::best(), type, rng);
      REQUIRE(first);
      REQUIRE(second);
      CHECK(first->type() == type);
      CHECK(first->to_pkcs8() != second->to_pkcs8());
      check_signs(*first);
      const auto again = PrivateKey::parse_der(crypto::portable(), first->to_pkcs8());
      REQUIRE(again);
      CHECK(std::ranges::equal(again->public_key_info(), first->public_key_info()));
      check_signs(*again);
    }
    for (const KeyType type : {KeyType::rsa, KeyType::rsa_pss}) {
      CHECK(refused(PrivateKey::generate(crypto::best(), type, rng), Failure::unsupported));
    }
  }

  TEST_CASE("an ECPrivateKey may lack the curve or the public key, when the other is there") {
    CHECK(PrivateKey::parse_der(crypto::best(), Sec1{.scalar = one(32), .curve = kP256Oid}.der()));
    CHECK(PrivateKey::parse_der(crypto::best(), Sec1{.scalar = one(48), .curve = kP384Oid}.der()));
    CHECK(PrivateKey::parse_der(crypto::best(), Sec1{.scalar = one(32), .public_key = kP256Generator}.der()));
    CHECK(refused(Sec1{.scalar = one(32)}.der(), Failure::unsupported));
    const Pkcs8 bare{.algorithm = kP256Algorithm, .private_key = Sec1{.scalar = one(32)}.der()};
    CHECK(PrivateKey::parse_der(crypto::best(), bare.der()));
  }

  TEST_CASE("a scalar has the size of its curve; zeros at its start may be missing") {
    CHECK(PrivateKey::parse_der(crypto::best(), Sec1{.scalar = one(31), .curve = kP256Oid}.der()));
    CHECK(PrivateKey::parse_der(crypto::best(), Sec1{.scalar = one(1), .curve = kP256Oid}.der()));
    CHECK(refused(Sec1{.scalar = {}, .curve = kP256Oid}.der(), Failure::malformed));
    CHECK(refused(Sec1{.scalar = one(33), .curve = kP256Oid}.der(), Failure::malformed));
    CHECK(refused(Sec1{.scalar = one(49), .curve = kP384Oid}.der(), Failure::malformed));
  }

  TEST_CASE("a scalar of zero, the order or above is refused") {
    const Bytes order = crypto::best().ecdsa_p256->order;
    Buffer below(order.begin(), order.end());
    below.back()--;
    CHECK(PrivateKey::parse_der(crypto::best(), Sec1{.scalar = below, .curve = kP256Oid}.der()));
    const Bytes order384 = crypto::best().ecdsa_p384->order;
    CHECK(refused(Sec1{.scalar = Buffer(32), .curve = kP256Oid}.der(), Failure::weak));
    CHECK(refused(Sec1{.scalar = {order.begin(), order.end()}, .curve = kP256Oid}.der(), Failure::weak));
    CHECK(refused(Sec1{.scalar = Buffer(32, 0xff), .curve = kP256Oid}.der(), Failure::weak));
    CHECK(refused(Sec1{.scalar = Buffer(48), .curve = kP384Oid}.der(), Failure::weak));
    CHECK(refused(Sec1{.scalar = {order384.begin(), order384.end()}, .curve = kP384Oid}.der(), Failure::weak));
  }

  TEST_CASE("a public key that comes along is the private key's own, compressed or not") {
    Buffer compressed(kP256Generator.begin(), kP256Generator.begin() + 33);
    compressed[0] = static_cast<uint8_t>(2 | (kP256Generator.back() & 1));
    Buffer wrong_sign = compressed;
    wrong_sign[0] ^= 1;
    Buffer changed = kP256Generator;
    changed[40] ^= 1;
    Buffer hybrid = kP256Generator;
    hybrid[0] = 7;
    const auto inner = [](const Buffer& point) {
      return Sec1{.scalar = one(32), .curve = kP256Oid, .public_key = point}.der();
    };
    const auto outer = [](const Buffer& point) {
      return Pkcs8{
          .version = 1, .algorithm = kP256Algorithm, .private_key = Sec1{.scalar = one(32)}.der(), .public_key = point}
          .der();
    };
    for (const Buffer& right : {kP256Generator, compressed}) {
      CHECK(PrivateKey::parse_der(crypto::best(), inner(right)));
      CHECK(PrivateKey::parse_der(crypto::best(), outer(right)));
    }
    for (const Buffer& wrong : {changed, wrong_sign, hybrid, Buffer{}, Buffer{4}, Buffer{0}}) {
      CHECK(refused(inner(wrong), Failure::malformed));
      CHECK(refused(outer(wrong), Failure::malformed));
    }
    const Buffer seed(34, 0x20);  // OCTET STRING of 32 octets
    Buffer curve_private_key = seed;
    curve_private_key[0] = 0x04;
    CHECK(refused(
        Pkcs8{.version = 1, .algorithm = kEd25519Algorithm, .private_key = curve_private_key, .public_key = Buffer(32)}
            .der(),
        Failure::malformed));
  }

  TEST_CASE("an RSA key in PKCS#8 of version 2 has its own public key") {
    const PrivateKey key = key_of(tests::kPkcs1Rsa);
    crypto::DerReader info(key.public_key_info());
    crypto::DerReader sequence = info.enter(DerTag::sequence);
    const Bytes algorithm = sequence.read_element().value();
    const Bytes point = sequence.read_bit_string_bytes().value();
    Buffer room(2048);
    const auto with = [&](Bytes public_key) {
      DerWriter writer(room);
      const uint8_t version = 1;
      Buffer bits(public_key.begin(), public_key.end());
      bits.insert(bits.begin(), 0);
      const size_t opened = writer.open(DerTag::sequence);
      writer.write_unsigned_integer(Bytes(&version, 1));
      writer.write_element(algorithm);
      writer.write(DerTag::octet_string, der_of(tests::kPkcs1Rsa));
      writer.write(der_context_tag(1, false), bits);
      writer.close(opened);
      return writer.finish().value();
    };
    CHECK(PrivateKey::parse_der(crypto::best(), with(point)));
    Buffer changed(point.begin(), point.end());
    changed[20] ^= 1;
    CHECK(refused(with(changed), Failure::malformed));
  }

  TEST_CASE("what is not one of the three forms is malformed") {
    const Buffer sec1 = Sec1{.scalar = one(32), .curve = kP256Oid}.der();
    const Pkcs8 good{.algorithm = kP256Algorithm, .private_key = sec1};
    CHECK(PrivateKey::parse_der(crypto::best(), good.der()));

    Pkcs8 attributes = good;
    attributes.attributes = true;
    CHECK(PrivateKey::parse_der(crypto::best(), attributes.der()));
    Pkcs8 early = good;  // RFC 5958 §2: a public key makes it version 2
    early.public_key = kP256Generator;
    CHECK(refused(early.der(), Failure::malformed));
    Pkcs8 late = good;
    late.version = 2;
    CHECK(refused(late.der(), Failure::unsupported));
    Pkcs8 trailing = good;
    trailing.trailing = true;
    CHECK(refused(trailing.der(), Failure::malformed));

    CHECK(refused(Buffer{}, Failure::malformed));
    CHECK(refused(Buffer{0x30, 0x00}, Failure::malformed));
    CHECK(refused(Buffer{0x30, 0x03, 0x02, 0x01, 0x00}, Failure::malformed));
    CHECK(refused(Buffer{0x30, 0x05, 0x02, 0x01, 0x00, 0x05, 0x00}, Failure::malformed));
    CHECK(refused(Sec1{.version = 0, .scalar = one(32), .curve = kP256Oid}.der(), Failure::malformed));
    CHECK(refused(Sec1{.scalar = one(32), .curve = kP256Oid, .trailing = true}.der(), Failure::malformed));
    CHECK(refused(Pkcs8{.algorithm = kEd25519Algorithm, .private_key = Buffer(32)}.der(), Failure::malformed));
    for (const char* pem : {tests::kSec1P256, tests::kPkcs8P256, tests::kPkcs1Rsa, tests::kPkcs8Rsa, tests::kPkcs8Pss,
                            tests::kPkcs8Ed25519}) {
      const Buffer der = der_of(pem);
      for (size_t size = 0; size < der.size(); size += 1 + size / 40) {
        CHECK(refused(Bytes(der).first(size), Failure::malformed));
      }
      Buffer longer = der;
      longer.push_back(0);
      CHECK(refused(longer, Failure::malformed));
    }
  }

  TEST_CASE("the curve within and the curve around must be one") {
    CHECK(refused(
        Pkcs8{.algorithm = kP256Algorithm, .private_key = Sec1{.scalar = one(48), .curve = kP384Oid}.der()}.der(),
        Failure::malformed));
  }

  TEST_CASE("other kinds of keys are unsupported, and encrypted ones say so") {
    CHECK(refused(PrivateKey::parse_pem(crypto::best(), tests::kSec1Secp256k1), Failure::unsupported));
    CHECK(refused(Pkcs8{.algorithm = *from_hex("300506032b656e"), .private_key = Buffer(34)}.der(),
                  Failure::unsupported));
    const auto encrypted = PrivateKey::parse_pem(crypto::best(), tests::kEncryptedPkcs8);
    CHECK(refused(encrypted, Failure::unsupported));
    CHECK(std::string(encrypted.error().reason).find("encrypted") != std::string::npos);
    CHECK(refused(der_of(tests::kEncryptedPkcs8), Failure::unsupported));
    const auto headers = PrivateKey::parse_pem(crypto::best(), tests::kEncryptedSec1);
    CHECK(refused(headers, Failure::unsupported));
    CHECK(std::string(headers.error().reason).find("encrypted") != std::string::npos);
  }

  TEST_CASE("RSA components that do not fit each other are refused") {
    Buffer der = der_of(tests::kPkcs1Rsa);
    der[der.size() - 5] ^= 1;  // within the coefficient
    CHECK(refused(der, Failure::weak));
  }

  TEST_CASE("RSA keys of other sizes than 2048 to 4096 bits are refused") {
    const auto of_size = [](size_t modulus_size) {
      Buffer room(8192), modulus(modulus_size, 0xff);
      DerWriter writer(room);
      const size_t sequence = writer.open(DerTag::sequence);
      writer.write_unsigned_integer({});
      writer.write_unsigned_integer(modulus);
      for (int i = 0; i < 7; i++) writer.write_unsigned_integer(Buffer{3});
      writer.close(sequence);
      const Bytes written = writer.finish().value();
      return Buffer(written.begin(), written.end());
    };
    CHECK(refused(of_size(128), Failure::weak));
    CHECK(refused(of_size(255), Failure::weak));
    CHECK(refused(of_size(513), Failure::unsupported));
    CHECK(refused(of_size(1024), Failure::unsupported));
  }

  TEST_CASE("in PEM, blocks that are no private key are skipped") {
    CHECK(refused(PrivateKey::parse_pem(crypto::best(), ""), Failure::malformed));
    CHECK(refused(PrivateKey::parse_pem(crypto::best(), write_pem("CERTIFICATE", Buffer{1})), Failure::malformed));
    const std::string text = write_pem("CERTIFICATE", Buffer{1}) + tests::kPkcs8Ed25519 + tests::kPkcs8P256;
    CHECK(key_of(text).type() == KeyType::ed25519);
  }

  TEST_CASE("a moved key works, and the one that it replaces is gone") {
    PrivateKey key = key_of(tests::kPkcs8P256);
    key = key_of(tests::kPkcs8Ed25519);
    const PrivateKey moved = std::move(key);
    CHECK(moved.type() == KeyType::ed25519);
    check_signs(moved);
  }
}

}  // namespace
}  // namespace quoll::x509
