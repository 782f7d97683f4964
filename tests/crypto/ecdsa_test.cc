// ECDSA: RFC 6979's vectors, what verification refuses, and the wrapping of keys and encodings.
#include "crypto/ecdsa.h"

#include "crypto/der.h"
#include "crypto/failure.h"
#include "tests/crypto/nist_support.h"

namespace quoll::crypto::tests {
namespace {

struct Vector {
  const HashAlgorithm* Provider::* hash;
  std::string_view message;
  std::string_view r, s;
};

struct Key {
  EcdsaId id;
  std::string_view private_key, public_x, public_y, order;
  std::span<const Vector> vectors;
};

// RFC 6979 §A.2.5 and §A.2.6, the hash functions that we have.
constexpr Vector kP256Vectors[] = {
    {&Provider::sha256, "sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {&Provider::sha384, "sample", "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719",
     "4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954"},
    {&Provider::sha512, "sample", "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00",
     "2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe"},
    {&Provider::sha256, "test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
     "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"},
    {&Provider::sha384, "test", "83910e8b48bb0c74244ebdf7f07a1c5413d61472bd941ef3920e623fbccebeb6",
     "8ddbec54cf8cd5874883841d712142a56a8d0f218f5003cb0296b6b509619f2c"},
    {&Provider::sha512, "test", "461d93f31b6540894788fd206c07cfa0cc35f46fa3c91816fff1040ad1581a04",
     "39af9f15de0db8d97e72719c74820d304ce5226e32dedae67519e840d1194e55"},
};
constexpr Vector kP384Vectors[] = {
    {&Provider::sha256, "sample",
     "21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd",
     "f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0"},
    {&Provider::sha384, "sample",
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
     "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"},
    {&Provider::sha512, "sample",
     "ed0959d5880ab2d869ae7f6c2915c6d60f96507f9cb3e047c0046861da4a799cfe30f35cc900056d7c99cd7882433709",
     "512c8cceee3890a84058ce1e22dbc2198f42323ce8aca9135329f03c068e5112dc7cc3ef3446defceb01a45c2667fdd5"},
    {&Provider::sha256, "test",
     "6d6defac9ab64dabafe36c6bf510352a4cc27001263638e5b16d9bb51d451559f918eedaf2293be5b475cc8f0188636b",
     "2d46f3becbcc523d5f1a1256bf0c9b024d879ba9e838144c8ba6baeb4b53b47d51ab373f9845c0514eefb14024787265"},
    {&Provider::sha384, "test",
     "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db",
     "ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5"},
    {&Provider::sha512, "test",
     "a0d5d090c9980faf3c2ce57b7ae951d31977dd11c775d314af55f76c676447d06fb6495cd21b4b6e340fc236584fb277",
     "976984e59b4c77b0e8e4460dca3d9f20e07b9bb1f63beefaf576f6b2e8b224634a2092cd3792e0159ad9cee37659c736"},
};
constexpr Key kKeys[] = {
    {EcdsaId::p256, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", kP256Vectors},
    {EcdsaId::p384, "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
     "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13",
     "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
     "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", kP384Vectors},
};

Buffer public_key_of(const Key& key) { return unhex("04" + std::string(key.public_x) + std::string(key.public_y)); }

Buffer der_of(const Buffer& r, const Buffer& s) {
  Buffer storage(256);
  DerWriter writer(storage);
  const size_t sequence = writer.open(DerTag::sequence);
  writer.write_unsigned_integer(r);
  writer.write_unsigned_integer(s);
  writer.close(sequence);
  storage.resize(writer.finish().value().size());
  return storage;
}

Failure failure_of(const Result<void>& result) {
  REQUIRE_FALSE(result.has_value());
  REQUIRE(result.error().domain == ErrorDomain::crypto);
  return static_cast<Failure>(result.error().code);
}

/// Runs `check(key, implementation)` for both curves and all implementations.
template <class Check>
void for_each_implementation(Check check) {
  for (const Key& key : kKeys) {
    for (const Ecdsa* ecdsa : runnable(&Catalogue::ecdsas, key.id)) {
      INFO(ecdsa->name << " " << ecdsa->implementation);
      check(key, *ecdsa);
    }
  }
}

TEST_SUITE("ecdsa") {
  TEST_CASE("RFC 6979: signatures are those of the appendix, for every hash on every curve") {
    for_each_implementation([](const Key& key, const Ecdsa& ecdsa) {
      const Buffer private_key = unhex(key.private_key);
      Buffer derived(ecdsa.public_key_size);
      REQUIRE(ecdsa.public_key(private_key.data(), derived.data()));
      CHECK(derived == public_key_of(key));
      for (const Vector& vector : key.vectors) {
        const HashAlgorithm& algorithm = *(best().*vector.hash);
        INFO(algorithm.name << " " << vector.message);
        const Digest digest = hash(algorithm, as_bytes(vector.message));
        Buffer signature(kEcdsaSignatureSizeMax);
        const Result<size_t> size = ecdsa_sign(ecdsa, algorithm, private_key, digest, signature);
        REQUIRE(size.has_value());
        signature.resize(*size);
        CHECK(signature == der_of(unhex(vector.r), unhex(vector.s)));
        CHECK(ecdsa_verify(ecdsa, derived, digest, signature).has_value());
      }
    });
  }

  TEST_CASE("a changed digest, signature or key does not verify") {
    for_each_implementation([](const Key& key, const Ecdsa& ecdsa) {
      const Vector& vector = key.vectors[0];
      Buffer digest(32, 0);
      copy_bytes(digest.data(), hash(*best().sha256, as_bytes(vector.message)));
      const Buffer signature = der_of(unhex(vector.r), unhex(vector.s));
      REQUIRE(ecdsa_verify(ecdsa, public_key_of(key), digest, signature).has_value());
      for (const size_t position : {0, 15, 31}) {
        Buffer other = digest;
        other[position] ^= 0x10;
        CHECK(failure_of(ecdsa_verify(ecdsa, public_key_of(key), other, signature)) == Failure::authentication);
        Buffer r = unhex(vector.r), s = unhex(vector.s);
        r[position] ^= 0x10;
        s[position] ^= 0x10;
        CHECK(failure_of(ecdsa_verify(ecdsa, public_key_of(key), digest, der_of(r, unhex(vector.s)))) ==
              Failure::authentication);
        CHECK(failure_of(ecdsa_verify(ecdsa, public_key_of(key), digest, der_of(unhex(vector.r), s))) ==
              Failure::authentication);
      }
      Buffer negated = public_key_of(key);
      negated[1] ^= 1;
      CHECK(failure_of(ecdsa_verify(ecdsa, negated, digest, signature)) == Failure::point);
      CHECK(failure_of(ecdsa_verify(ecdsa, Bytes(negated).first(negated.size() - 1), digest, signature)) ==
            Failure::point);
    });
  }

  TEST_CASE("signatures with r or s of zero, of the order or above are refused") {
    for_each_implementation([](const Key& key, const Ecdsa& ecdsa) {
      const Buffer digest(32, 1), good = unhex(key.vectors[0].r), order = unhex(key.order);
      Buffer above = order;
      above.back()++;
      Buffer longer(order.size() + 1, 0);
      longer[0] = 1;
      for (const Buffer& bad : {number(0, order.size()), order, above, Buffer(order.size(), 0xff), longer}) {
        CHECK(failure_of(ecdsa_verify(ecdsa, public_key_of(key), digest, der_of(bad, good))) == Failure::malformed);
        CHECK(failure_of(ecdsa_verify(ecdsa, public_key_of(key), digest, der_of(good, bad))) == Failure::malformed);
        if (bad.size() != order.size()) continue;
        Buffer raw = bad;  // the raw function looks for itself
        raw.insert(raw.end(), good.begin(), good.end());
        CHECK_FALSE(ecdsa.verify(public_key_of(key).data(), good.data(), raw.data()));
      }
    });
  }

  TEST_CASE("encodings that are not canonical DER are refused") {
    for_each_implementation([](const Key& key, const Ecdsa& ecdsa) {
      const Vector& vector = key.vectors[0];
      const Digest digest = hash(*best().sha256, as_bytes(vector.message));
      const Buffer good = der_of(unhex(vector.r), unhex(vector.s));
      REQUIRE(ecdsa_verify(ecdsa, public_key_of(key), digest, good).has_value());
      const auto refused = [&](const Buffer& bad) {
        CHECK(failure_of(ecdsa_verify(ecdsa, public_key_of(key), digest, bad)) == Failure::malformed);
      };
      for (size_t size = 0; size < good.size(); size++)
        refused(Buffer(good.begin(), good.begin() + static_cast<int>(size)));
      Buffer trailing = good;
      trailing.push_back(0);
      refused(trailing);
      trailing[1]++;  // inside of the sequence
      refused(trailing);
      Buffer long_length = good;
      long_length.insert(long_length.begin() + 1, 0x81);
      refused(long_length);
      Buffer padded = good;
      padded.insert(padded.begin() + 4, 0);
      padded[1]++;
      padded[3]++;
      if (good[4] < 0x80) refused(padded);
      Buffer negative = good;
      negative[4] |= 0x80;
      refused(negative);
      for (const size_t tag_at : {0, 2}) {
        Buffer wrong_tag = good;
        wrong_tag[tag_at] ^= 1;
        refused(wrong_tag);
      }
    });
  }

  TEST_CASE("private keys of zero, of the order and above, or of a wrong size do not sign") {
    for_each_implementation([](const Key& key, const Ecdsa& ecdsa) {
      const Buffer digest(32, 1), order = unhex(key.order), nonce = number(5, order.size());
      Buffer signature(kEcdsaSignatureSizeMax), raw(2 * order.size());
      for (const Buffer& bad : {number(0, order.size()), order, Buffer(order.size(), 0xff)}) {
        const Result<size_t> result = ecdsa_sign(ecdsa, *best().sha256, bad, digest, signature);
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().code == static_cast<uint64_t>(Failure::weak_key));
        Buffer out(ecdsa.public_key_size);
        CHECK_FALSE(ecdsa.public_key(bad.data(), out.data()));
        CHECK_FALSE(ecdsa.sign(nonce.data(), bad.data(), nonce.data(), raw.data()));  // as a nonce
      }
      CHECK_FALSE(ecdsa_sign(ecdsa, *best().sha256, Bytes(order).first(order.size() - 1), digest, signature));
      CHECK_FALSE(ecdsa_sign(ecdsa, *best().sha256, nonce, digest, MutBytes(signature).first(8)));
    });
  }

  TEST_CASE("a digest is taken modulo the order, whatever its length") {
    for_each_implementation([](const Key& key, const Ecdsa& ecdsa) {
      const Buffer private_key = unhex(key.private_key);
      // Of all ones (above the order), zero, empty, a byte, and longer than the order.
      for (const Buffer& digest :
           {Buffer(48, 0xff), Buffer(32, 0xff), Buffer(32, 0), Buffer(), Buffer(1, 0x80), Buffer(64, 0xa5)}) {
        INFO("digest of " << digest.size());
        Buffer signature(kEcdsaSignatureSizeMax);
        const Result<size_t> size = ecdsa_sign(ecdsa, *best().sha384, private_key, digest, signature);
        REQUIRE(size.has_value());
        signature.resize(*size);
        CHECK(ecdsa_verify(ecdsa, public_key_of(key), digest, signature).has_value());
        Buffer extended = digest;  // what is beyond the order's bits does not count
        extended.resize(ecdsa.scalar_size, 0);
        const bool same = digest.size() >= ecdsa.scalar_size || digest == Buffer(digest.size(), 0);
        CHECK(ecdsa_verify(ecdsa, public_key_of(key), extended, signature).has_value() == same);
      }
    });
  }

  TEST_CASE("implementations make the same signatures and verify one another's") {
    const uint64_t seed = quoll::tests::test_seed(0xecd5a);
    INFO("seed " << seed);
    quoll::tests::SeededRng rng(seed);
    for (const Key& key : kKeys) {
      const std::vector<const Ecdsa*> all = runnable(&Catalogue::ecdsas, key.id);
      for (int i = 0; i < 8; i++) {
        Buffer private_key = rng.bytes(all[0]->scalar_size), nonce = rng.bytes(all[0]->scalar_size);
        private_key[0] &= 0x7f;
        nonce[0] &= 0x7f;
        const Buffer digest = rng.bytes(all[0]->scalar_size);
        Buffer first(2 * all[0]->scalar_size), public_key(all[0]->public_key_size);
        REQUIRE(all.back()->sign(private_key.data(), nonce.data(), digest.data(), first.data()));
        REQUIRE(all.back()->public_key(private_key.data(), public_key.data()));
        for (const Ecdsa* ecdsa : all) {
          INFO(ecdsa->name << " " << ecdsa->implementation);
          Buffer signature(first.size());
          REQUIRE(ecdsa->sign(private_key.data(), nonce.data(), digest.data(), signature.data()));
          REQUIRE(signature == first);
          REQUIRE(ecdsa->verify(public_key.data(), digest.data(), signature.data()));
        }
      }
    }
  }
}

}  // namespace
}  // namespace quoll::crypto::tests
