// Public keys and signature algorithms: OpenSSL's signatures verify, and each departure from the RFCs is refused by name.
#include "tls/x509/public_key.h"

#include "tests/tls/x509/der_builder.h"
#include "tests/tls/x509/public_key_samples.h"
#include "tls/x509/failure.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using namespace quoll::tests;
using crypto::DerTag;
using enum SignatureAlgorithm;

constexpr SignatureAlgorithm kAll[] = {rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512, rsa_pss_sha256,
                                       rsa_pss_sha384,   rsa_pss_sha512,   ecdsa_sha256,     ecdsa_sha384,
                                       ecdsa_sha512,     ed25519};

/// The failure of a result; empty when there is none.
template <class T>
std::optional<Failure> failure_of(const Result<T>& result) {
  if (result) return std::nullopt;
  CHECK(result.error().domain == ErrorDomain::certificate);
  return static_cast<Failure>(result.error().code);
}

std::optional<Failure> key_failure(const Buffer& spki) { return failure_of(PublicKey::parse(crypto::best(), spki)); }
std::optional<Failure> algorithm_failure(const Buffer& identifier) {
  return failure_of(parse_signature_algorithm(identifier));
}

PublicKey key_of(const Buffer& spki) { return std::move(PublicKey::parse(crypto::best(), spki).value()); }

Buffer key_info(const Buffer& algorithm, Bytes key) { return sequence({algorithm, bits(key)}); }
Buffer rsa_algorithm() { return sequence({object_identifier(oid::kRsaEncryption), null()}); }

/// An RSAPublicKey with a modulus of `bits` bits, odd and otherwise without sense.
Buffer rsa_key(size_t bit_count, std::initializer_list<uint8_t> exponent = {1, 0, 1}) {
  Buffer modulus((bit_count + 7) / 8, 0xd5);
  modulus[0] = static_cast<uint8_t>(1 << (bit_count - 1) % 8);
  Buffer room(modulus.size() + 32);
  crypto::DerWriter writer(room);
  const size_t opened = writer.open(DerTag::sequence);
  writer.write_unsigned_integer(modulus);
  writer.write_unsigned_integer(Buffer(exponent));
  writer.close(opened);
  return to_buffer(writer.finish().value());
}

/// The bits of a sample's key.
Buffer point_of(const char* spki, size_t size) {
  const Buffer whole = unhex(spki);
  return {whole.end() - static_cast<ptrdiff_t>(size), whole.end()};
}

Buffer named_curve(Bytes curve) { return sequence({object_identifier(oid::kEcPublicKey), object_identifier(curve)}); }

struct PssFields {
  Buffer hash = context(0, true, sequence({object_identifier(oid::kSha256), null()}));
  Buffer mask = mask_of(sequence({object_identifier(oid::kSha256), null()}));
  Buffer salt = context(2, true, integer(32));
  Buffer trailer;

  static Buffer mask_of(const Buffer& hash_algorithm, Bytes generator = oid::kMgf1) {
    return context(1, true, sequence({object_identifier(generator), hash_algorithm}));
  }
  Buffer parameters() const { return sequence({hash, mask, salt, trailer}); }
  Buffer identifier() const { return sequence({object_identifier(oid::kRsassaPss), parameters()}); }
};

Buffer pss_key_info(const Buffer& parameters) {
  return key_info(sequence({object_identifier(oid::kRsassaPss), parameters}), rsa_key(2048));
}

TEST_SUITE("x509 public keys") {
  TEST_CASE("signatures made by OpenSSL verify under every provider, and no altered one does") {
    for (const crypto::Provider& provider : crypto::all()) {
      for (const SignatureSample& sample : kSignatureSamples) {
        CAPTURE(provider.name);
        CAPTURE(static_cast<int>(sample.algorithm));
        const Result<PublicKey> key = PublicKey::parse(provider, unhex(sample.key_info));
        REQUIRE(key);
        CHECK(parse_signature_algorithm(unhex(sample.algorithm_identifier)) == sample.algorithm);
        CHECK(key->supports(sample.algorithm));
        Buffer signature = unhex(sample.signature);
        CHECK(key->verify(sample.algorithm, as_bytes("quoll"), signature));
        CHECK(failure_of(key->verify(sample.algorithm, as_bytes("quolL"), signature)) == Failure::bad_signature);
        CHECK(failure_of(key->verify(sample.algorithm, as_bytes("quoll"), {})) == Failure::bad_signature);
        signature.back() ^= 1;
        CHECK(failure_of(key->verify(sample.algorithm, as_bytes("quoll"), signature)) == Failure::bad_signature);
      }
    }
  }

  TEST_CASE("a signature verifies with its own algorithm only") {
    for (const SignatureSample& sample : kSignatureSamples) {
      const PublicKey key = key_of(unhex(sample.key_info));
      for (const SignatureAlgorithm algorithm : kAll) {
        const Result<void> verified = key.verify(algorithm, as_bytes("quoll"), unhex(sample.signature));
        CHECK(verified.has_value() == (algorithm == sample.algorithm));
        if (!verified) CHECK(failure_of(verified) == Failure::bad_signature);
      }
    }
  }

  TEST_CASE("keys tell their type and size") {
    struct Expected {
      const char* spki;
      KeyType type;
      size_t bits;
    };
    for (const Expected& expected : {Expected{kRsaKeyInfo, KeyType::rsa, 2048},
                                     {kP256KeyInfo, KeyType::ecdsa_p256, 256},
                                     {kP384KeyInfo, KeyType::ecdsa_p384, 384},
                                     {kEd25519KeyInfo, KeyType::ed25519, 256}}) {
      const PublicKey key = key_of(unhex(expected.spki));
      CHECK(key.type() == expected.type);
      CHECK(key.bits() == expected.bits);
    }
    CHECK(key_of(key_info(rsa_algorithm(), rsa_key(3071))).bits() == 3071);
  }

  // RFC 4055 §1.2, §3.3
  TEST_CASE("an RSA-PSS key makes PSS signatures only, of its one hash if it has parameters") {
    const PublicKey any = key_of(pss_key_info({}));
    CHECK(any.type() == KeyType::rsa_pss);
    const PublicKey restricted = key_of(pss_key_info(PssFields().parameters()));
    CHECK(restricted.type() == KeyType::rsa_pss);
    for (const SignatureAlgorithm algorithm : kAll) {
      const bool is_pss = algorithm == rsa_pss_sha256 || algorithm == rsa_pss_sha384 || algorithm == rsa_pss_sha512;
      CHECK(any.supports(algorithm) == is_pss);
      CHECK(restricted.supports(algorithm) == (algorithm == rsa_pss_sha256));
    }
  }

  TEST_CASE("an RSA-PSS key verifies what the same RSA key signed, within its restriction") {
    const Buffer rsa = unhex(kRsaKeyInfo);
    crypto::DerReader outer(rsa);
    crypto::DerReader spki = outer.enter(DerTag::sequence);
    CHECK(spki.read_element());
    const Buffer key = to_buffer(spki.read_bit_string_bytes().value());
    for (const Buffer& parameters : {Buffer(), PssFields().parameters()}) {
      const PublicKey pss = key_of(key_info(sequence({object_identifier(oid::kRsassaPss), parameters}), key));
      for (const SignatureSample& sample : kSignatureSamples) {
        const bool expected =
            sample.algorithm == rsa_pss_sha256 ||
            (parameters.empty() && (sample.algorithm == rsa_pss_sha384 || sample.algorithm == rsa_pss_sha512));
        CHECK(pss.verify(sample.algorithm, as_bytes("quoll"), unhex(sample.signature)).has_value() == expected);
      }
    }
  }

  // RFC 4055 §3.3: a key's salt length is the least that signatures may have
  TEST_CASE("the salt that an RSA-PSS key asks for may be shorter than the hash, not longer") {
    PssFields fields;
    for (const Buffer& salt : {Buffer(), context(2, true, integer(0)), context(2, true, integer(32))}) {
      fields.salt = salt;
      CHECK_FALSE(key_failure(pss_key_info(fields.parameters())));
    }
    fields.salt = context(2, true, integer(33));
    CHECK(key_failure(pss_key_info(fields.parameters())) == Failure::unsupported);
    CHECK(key_failure(pss_key_info(null())) == Failure::malformed);
    CHECK(key_failure(pss_key_info(sequence({}))) == Failure::weak);
  }

  TEST_CASE("RSA keys of bad sizes, exponents and encodings are refused") {
    CHECK_FALSE(key_failure(key_info(rsa_algorithm(), rsa_key(2048))));
    CHECK_FALSE(key_failure(key_info(rsa_algorithm(), rsa_key(4096))));
    CHECK(key_failure(key_info(rsa_algorithm(), rsa_key(2047))) == Failure::weak);
    CHECK(key_failure(key_info(rsa_algorithm(), rsa_key(1024))) == Failure::weak);
    CHECK(key_failure(key_info(rsa_algorithm(), rsa_key(4097))) == Failure::unsupported);
    CHECK(key_failure(key_info(rsa_algorithm(), rsa_key(2048, {1}))) == Failure::weak);
    CHECK(key_failure(key_info(rsa_algorithm(), rsa_key(2048, {1, 0, 0}))) == Failure::weak);
    CHECK(key_failure(key_info(rsa_algorithm(), {})) == Failure::malformed);
    CHECK(key_failure(key_info(rsa_algorithm(), join({rsa_key(2048), null()}))) == Failure::malformed);
    CHECK(key_failure(key_info(rsa_algorithm(), sequence({integer(3)}))) == Failure::malformed);
    CHECK(key_failure(key_info(rsa_algorithm(), sequence({Buffer{0x02, 0x01, 0x80}, integer(3)}))) ==
          Failure::malformed);  // negative
  }

  // RFC 4055 §1.2
  TEST_CASE("the parameters of an RSA key are NULL") {
    const Buffer absent = sequence({object_identifier(oid::kRsaEncryption)});
    const Buffer number = sequence({object_identifier(oid::kRsaEncryption), integer(0)});
    CHECK(key_failure(key_info(absent, rsa_key(2048))) == Failure::malformed);
    CHECK(key_failure(key_info(number, rsa_key(2048))) == Failure::malformed);
  }

  // RFC 5480 §2.1.1, §2.2
  TEST_CASE("elliptic-curve keys are uncompressed points of a named curve") {
    const Buffer p256 = point_of(kP256KeyInfo, 65), p384 = point_of(kP384KeyInfo, 97);
    CHECK(key_info(named_curve(oid::kP256), p256) == unhex(kP256KeyInfo));
    CHECK(key_info(named_curve(oid::kP384), p384) == unhex(kP384KeyInfo));
    CHECK(key_failure(key_info(named_curve(oid::kP384), p256)) == Failure::malformed);
    CHECK(key_failure(key_info(named_curve(oid::kP256), p384)) == Failure::malformed);
    CHECK(key_failure(key_info(named_curve(oid::kP256), {})) == Failure::malformed);
    CHECK(key_failure(key_info(named_curve(oid::kP256), Buffer{0})) == Failure::malformed);  // the point at infinity

    Buffer compressed(p256.begin(), p256.begin() + 33);
    for (const uint8_t form : {uint8_t{2}, uint8_t{3}}) {
      compressed[0] = form;
      CHECK(key_failure(key_info(named_curve(oid::kP256), compressed)) == Failure::unsupported);
    }
    Buffer hybrid = p256;
    hybrid[0] = 0x06;
    CHECK(key_failure(key_info(named_curve(oid::kP256), hybrid)) == Failure::malformed);
    for (const Buffer& point : {p256, p384}) {
      Buffer off_curve = point;
      off_curve.back() ^= 1;
      CHECK(key_failure(key_info(named_curve(point.size() == 65 ? Bytes(oid::kP256) : Bytes(oid::kP384)), off_curve)) ==
            Failure::weak);
    }

    CHECK(key_failure(key_info(named_curve(Buffer{0x2b, 0x81, 0x04, 0x00, 0x23}), p256)) == Failure::unsupported);
    const auto with_parameters = [&](const Buffer& parameters) {
      return key_failure(key_info(sequence({object_identifier(oid::kEcPublicKey), parameters}), p256));
    };
    CHECK(with_parameters({}) == Failure::malformed);
    CHECK(with_parameters(null()) == Failure::unsupported);        // implicitCurve
    CHECK(with_parameters(sequence({})) == Failure::unsupported);  // specifiedCurve
    CHECK(with_parameters(integer(1)) == Failure::malformed);
  }

  // RFC 8410 §3
  TEST_CASE("an Ed25519 key is 32 bytes without parameters") {
    const Buffer algorithm = sequence({object_identifier(oid::kEd25519)});
    const Buffer with_null = sequence({object_identifier(oid::kEd25519), null()});
    CHECK_FALSE(key_failure(key_info(algorithm, Buffer(32, 1))));
    CHECK(key_failure(key_info(algorithm, Buffer(31, 1))) == Failure::malformed);
    CHECK(key_failure(key_info(algorithm, Buffer(33, 1))) == Failure::malformed);
    CHECK(key_failure(key_info(with_null, Buffer(32, 1))) == Failure::malformed);
  }

  TEST_CASE("what is no SubjectPublicKeyInfo, or of another algorithm, is refused") {
    const Buffer good = unhex(kEd25519KeyInfo);
    CHECK(key_failure({}) == Failure::malformed);
    CHECK(key_failure(join({good, null()})) == Failure::malformed);
    CHECK(key_failure(sequence({bits(Buffer(32))})) == Failure::malformed);
    CHECK(key_failure(sequence({sequence({object_identifier(oid::kEd25519)})})) == Failure::malformed);
    CHECK(key_failure(sequence({sequence({object_identifier(oid::kEd25519)}), bits(Buffer(32)), null()})) ==
          Failure::malformed);
    Buffer unused_bit = good;
    unused_bit[11] = 1;  // of the BIT STRING
    unused_bit.back() &= 0xfe;
    CHECK(key_failure(unused_bit) == Failure::malformed);
    const Buffer dsa{0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01};
    CHECK(key_failure(key_info(sequence({object_identifier(dsa)}), Buffer(32))) == Failure::unsupported);
  }
}

TEST_SUITE("x509 signature algorithms") {
  // RFC 4055 §5
  TEST_CASE("PKCS#1 algorithms have NULL parameters or none") {
    const std::pair<Bytes, SignatureAlgorithm> known[] = {{oid::kSha256WithRsa, rsa_pkcs1_sha256},
                                                          {oid::kSha384WithRsa, rsa_pkcs1_sha384},
                                                          {oid::kSha512WithRsa, rsa_pkcs1_sha512}};
    for (const auto& [oid, algorithm] : known) {
      CHECK(parse_signature_algorithm(sequence({object_identifier(oid), null()})) == algorithm);
      CHECK(parse_signature_algorithm(sequence({object_identifier(oid)})) == algorithm);
      CHECK(algorithm_failure(sequence({object_identifier(oid), integer(0)})) == Failure::malformed);
    }
  }

  // RFC 5758 §3.2, RFC 8410 §3
  TEST_CASE("ECDSA and Ed25519 have no parameters") {
    const std::pair<Bytes, SignatureAlgorithm> known[] = {{oid::kEcdsaWithSha256, ecdsa_sha256},
                                                          {oid::kEcdsaWithSha384, ecdsa_sha384},
                                                          {oid::kEcdsaWithSha512, ecdsa_sha512},
                                                          {oid::kEd25519, ed25519}};
    for (const auto& [oid, algorithm] : known) {
      CHECK(parse_signature_algorithm(sequence({object_identifier(oid)})) == algorithm);
      CHECK(algorithm_failure(sequence({object_identifier(oid), null()})) == Failure::malformed);
    }
  }

  TEST_CASE("broken hashes are weak, others unsupported") {
    for (const Bytes weak : {Bytes(oid::kMd2WithRsa), Bytes(oid::kMd5WithRsa), Bytes(oid::kSha1WithRsa)}) {
      CHECK(algorithm_failure(sequence({object_identifier(weak), null()})) == Failure::weak);
    }
    CHECK(algorithm_failure(sequence({object_identifier(oid::kEcdsaWithSha1)})) == Failure::weak);
    const Buffer sha224_with_rsa{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14};
    CHECK(algorithm_failure(sequence({object_identifier(sha224_with_rsa), null()})) == Failure::unsupported);
    CHECK(algorithm_failure(sequence({object_identifier(oid::kRsaEncryption), null()})) == Failure::unsupported);
  }

  TEST_CASE("what is no AlgorithmIdentifier is malformed") {
    const Buffer good = sequence({object_identifier(oid::kEd25519)});
    for (const Buffer& refused : {Buffer(), Buffer{0x30}, sequence({}), join({good, null()}), null()}) {
      CHECK(algorithm_failure(refused) == Failure::malformed);
    }
  }

  // RFC 4055 §3.1
  TEST_CASE("PSS takes one hash for message and MGF1, and a salt of its length") {
    struct Hash {
      Bytes oid;
      uint8_t size;
      SignatureAlgorithm algorithm;
    };
    for (const Hash& hash : {Hash{oid::kSha256, 32, rsa_pss_sha256},
                             {oid::kSha384, 48, rsa_pss_sha384},
                             {oid::kSha512, 64, rsa_pss_sha512}}) {
      const Buffer with_null = sequence({object_identifier(hash.oid), null()});
      const Buffer without = sequence({object_identifier(hash.oid)});
      PssFields fields{.hash = context(0, true, with_null),
                       .mask = PssFields::mask_of(without),
                       .salt = context(2, true, integer(hash.size)),
                       .trailer = {}};
      CHECK(parse_signature_algorithm(fields.identifier()) == hash.algorithm);
      fields.hash = context(0, true, without);
      fields.mask = PssFields::mask_of(with_null);
      fields.trailer = context(3, true, integer(1));
      CHECK(parse_signature_algorithm(fields.identifier()) == hash.algorithm);
      fields.salt = context(2, true, integer(static_cast<uint8_t>(hash.size - 1)));
      CHECK(algorithm_failure(fields.identifier()) == Failure::unsupported);
      fields.salt = {};
      CHECK(algorithm_failure(fields.identifier()) == Failure::unsupported);  // 20 by default
    }
  }

  TEST_CASE("PSS with SHA-1, by name or by default, is weak") {
    CHECK(algorithm_failure(sequence({object_identifier(oid::kRsassaPss), sequence({})})) == Failure::weak);
    PssFields fields;
    fields.hash = context(0, true, sequence({object_identifier(oid::kSha1), null()}));
    CHECK(algorithm_failure(fields.identifier()) == Failure::weak);
  }

  TEST_CASE("other hashes, masks and trailers of PSS are unsupported") {
    const auto failure_with = [](auto change) {
      PssFields fields;
      change(fields);
      return algorithm_failure(fields.identifier());
    };
    CHECK_FALSE(failure_with([](PssFields&) {}));
    CHECK(failure_with([](PssFields& f) { f.mask = {}; }) == Failure::unsupported);  // MGF1 with SHA-1
    CHECK(failure_with([](PssFields& f) {
            f.mask = PssFields::mask_of(sequence({object_identifier(oid::kSha384)}));
          }) == Failure::unsupported);
    CHECK(failure_with([](PssFields& f) {
            f.mask = PssFields::mask_of(sequence({object_identifier(oid::kSha256)}), oid::kSha256);
          }) == Failure::unsupported);
    CHECK(failure_with([](PssFields& f) { f.trailer = context(3, true, integer(2)); }) == Failure::unsupported);
    CHECK(failure_with([](PssFields& f) {
            const Buffer sha224 = sequence({object_identifier(Buffer{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4})});
            f.hash = context(0, true, sha224);
            f.mask = PssFields::mask_of(sha224);
          }) == Failure::unsupported);
  }

  TEST_CASE("PSS parameters that are not their structure are malformed") {
    const auto failure_with = [](auto change) {
      PssFields fields;
      change(fields);
      return algorithm_failure(fields.identifier());
    };
    CHECK(algorithm_failure(sequence({object_identifier(oid::kRsassaPss)})) == Failure::malformed);
    CHECK(algorithm_failure(sequence({object_identifier(oid::kRsassaPss), null()})) == Failure::malformed);
    CHECK(failure_with([](PssFields& f) { f.hash = context(0, true, {}); }) == Failure::malformed);
    CHECK(failure_with([](PssFields& f) {
            f.hash = context(0, true, sequence({object_identifier(oid::kSha256), integer(0)}));
          }) == Failure::malformed);
    CHECK(failure_with([](PssFields& f) { f.mask = context(1, true, {}); }) == Failure::malformed);
    CHECK(failure_with([](PssFields& f) { f.mask = PssFields::mask_of({}); }) == Failure::malformed);
    CHECK(failure_with([](PssFields& f) {
            f.mask = PssFields::mask_of(sequence({object_identifier(oid::kSha256), integer(0)}));
          }) == Failure::malformed);
    CHECK(failure_with([](PssFields& f) { f.salt = context(2, true, null()); }) == Failure::malformed);
    CHECK(failure_with([](PssFields& f) { f.salt = context(2, true, Buffer{0x02, 0x01, 0xff}); }) ==
          Failure::malformed);
    CHECK(failure_with([](PssFields& f) { f.salt = context(2, true, join({integer(32), null()})); }) ==
          Failure::malformed);
    CHECK(failure_with([](PssFields& f) { f.trailer = null(); }) == Failure::malformed);
    CHECK(failure_with([](PssFields& f) { std::swap(f.hash, f.salt); }) == Failure::malformed);  // out of order
  }
}

}  // namespace
}  // namespace quoll::x509
