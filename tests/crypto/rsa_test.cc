// RSA: known answers, and everything that must be refused: keys, encodings, signatures.
#include "crypto/rsa.h"

#include <string>

#include "crypto/bignum.h"
#include "crypto/der.h"
#include "crypto/failure.h"
#include "crypto/rsa_encoding.h"
#include "tests/crypto/rsa_kernels.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::crypto;
using quoll::tests::all_rsa_kernels;
using quoll::tests::SeededRng;
using quoll::tests::test_seed;
using ByteString = std::vector<uint8_t>;

namespace {

/// Known answers for a key of 2048 bits; the PSS signatures have random salts.
const char* const kPrivateKey =
    "308204a20201000282010100dd77f53e636189d602bf36c40de3b6aebfc86bb53cdab395e2720ef5bff0375074e6a70367c8ca8d9991ac2f"
    "9a5e6136e6b4d8bfe679ca9e54d1f7576a963f2f06b7c23655bd3f0cbe5c8dfd2226a187f26a8415b914b6bc9f793cf8818a0db14511d57b"
    "772816688cc60eff3b53ff05bb1c32691a3ac72705bb09a83c140e6b95ba14d6c31a8fa2acefa4bf62b1ae984c1035333a412d1e25336436"
    "303e44892aec09885c49d83d1df13722d3ce6c1a93aa2c9a049f00be95755ceb9d5a9927b1055b71d542147295b69548860430df1f20d276"
    "75abe139fe633d75167162c475f16ea1103388de150660002934f772a86c87a14886080fefd09d5edadb770b020301000102820100566feb"
    "c95a4b66db1ebe5797245ea45dc6df67de582e7999fdc40b7fb1d685184350048e4932ee8f5e8922fd7f4fe7bc6045e434ddb4da367a9f6a"
    "5c756ec7a1488b6ee2fb0abe317098ba183a7c7e5e0b68b43db03b5be8f98afd977623961d827a27eaa4c28220731518245898fb7756a476"
    "2e5c3ce59e9ed775b8f21dd7d43e8309dac4b23affca2e81fc356bde7a908d079f7800b6bcd183e8a482376c8fec9100420e49f9624dcfa0"
    "ec50ab6fc5d89a6c9e8aa53f4c917823237489bea8e4fe41416c0a843c8dfc109c9f53cb737be3983ed15ed98697f8c80ec5304f4ad272cb"
    "308f4a6fcfbccbc8840816f5872128e4d7e165632af42357b2d76bbf8102818100faa14cbd9ab0c7271e0dc2a0cc0564f37755d3f00319c8"
    "153900aa284dbd89229f21598db1be863b428a799ef39d5df2a7d64645626ae89df50007447ae641ed01272a9a8670b4630476d358db34f1"
    "140466a0be54b380cb6db62b13311dfbf901ce5e0dfd08c0a7195c7849b3c95fc6e734b7d364345db80f0614cea7fcd38102818100e236b5"
    "463ec6ea15ee545cdd8b7ce24488e88e95ec744e8e3f41714b40b2989b9d45ad6e73f54480cd3c2fed4221a0bf08cb5af6c1d2790a6a5b18"
    "b21caebf70bc607f6b96e626606c4e8c8cab70e08cf42c957d29c1844336b8c5765873a0f8e78860e2280f4870d3583931692f62bede7284"
    "191297168bb56448c20264a08b0281805774f3c771f45ffa597569c61c8b8157a7fbce320192fc8bd351550f2d5987420a8f63a59b31a5bb"
    "8613b62eee49aa9fe34b55481ef8b9656d39ee4f4a279137b7e047f0961b3c071566b5875b2ed5352bf7f7fd92a6f4b987f63a7fbef2fc9b"
    "3eb31984fe1810c9fe829302fcf6b7323c39dc2faad6cf214c34ce0bf2f8b9810281801ef8d896f68f6b8b77272bd3d57e52c8896a35e387"
    "0d61980e471a88f021c3cd429a40a5a7d0c401529854038b13699bde4b6177f98fa4aced64ed9bad5babb076ca4b87e2903e5ee35559df04"
    "b61eb88dd1f0e1c32ed0ba172af33641e40afd294e3ddd99188695940a374271a16046bbd4380beac4aefc8fe85c21dc0c050302818069fc"
    "227e4eeb98725e7c1e21c8814ccff3839acd4cdeb51ac5b24bffd2ec98a98b37bff292e03ec9e4f0728ac07ad3bb1e26a63ac564267dc934"
    "da777476648abaab5840a516fb122bd724c4428211fc416cff72e367b8acdf364f5f22f4353658d79b58d5eaaf653960284b78a7219526ff"
    "a211187fea99520a3e48ccd1de34";

struct KnownAnswer {
  HashId hash;
  bool pss;
  const char* message;
  const char* signature;
};

const KnownAnswer kKnownAnswers[] = {
    {HashId::sha256, true,
     "47a240550ffa13131da81bb07caf3e17bccf2c77f37fa5123fc0cbfb2af8022bc2ee3d6138b62f6ac17b98f9d828a9a405d7dd97fc2a9c34"
     "ebf283d9472571f86b23d352dca1aca4355c5336e737205bb795a7202010f965789f26f0d8674cc905f84c22",
     "1b37f7638bd5388ee386c3d8bb36de24c46ad379c875e11e83e6bec74186cfd712ad4f26350e3c9b6250dffc6bf51fc264c4a721e26aba97"
     "afaa734b77262f5aaacfb26c3fd570f139a73da7dce1c600e3519abd66e0d54e64b0d61234538e4a4db283711a272f4db3012212f2e9dd33"
     "09c699c36f381026dde20dc1fd844a329250a79a5b501decbc38d66b873087e9f54608f161214ac5fc76bbba0287175e80a14f5a0bb7c4a5"
     "360cca3c2a25d15ecb4f9efca9ab752ed603e8c9c008b711ba921117c046dd2e5553c0616547506668e2a6a73ab1d4fd33420e1db966f2eb"
     "14496e3fd7c724ab5184d9c21aaa22c53ddefe5a89984585c1b1c63a803f71f4"},
    {HashId::sha256, false,
     "47a240550ffa13131da81bb07caf3e17bccf2c77f37fa5123fc0cbfb2af8022bc2ee3d6138b62f6ac17b98f9d828a9a405d7dd97fc2a9c34"
     "ebf283d9472571f86b23d352dca1aca4355c5336e737205bb795a7202010f965789f26f0d8674cc905f84c22",
     "c5010434438008a94919740f2313ce8f2a7e5a4c3f4007fe10463246833f9b3fb18d68e477c266cba7d57d689881430803b20ce333a8f424"
     "97d11456874c2e05c6a64e9318ec432db4978224aa05bef7bf7848b3cb272fa3ddbfd189e6aaaa595bb5564abce08b012cf122de58045ac4"
     "f7ad3984d8a601db908d7f525e437def08422007450f74fe8f59898388deff39553ed54bf6a695e96ced8d86e5972d4b713a075865dbcd02"
     "5b4578d8f9fb09420a3ad73b114204d546b00a8c964a187310968e7bfbe9972bf9b6a2724f7e0cc182efcebd115e3aeddeb9dca97e35f153"
     "030f30d253089ac1d3a412f12fd1d8c70cf550431d49b6ecebdceab26d9b1018"},
    {HashId::sha384, true,
     "fcbdebb5ecfd4e9cd8b6bbd163f13ef898e068d646206d132e6b4ce46bf7df22b29a10eeb41e93117760e431123e74fd96f247b393ae096b"
     "63d3a7710735d86f4b49da1e8a895b7dcfe0ef8af60450ba8db528cd17887fe15f58369804f6d1fa98d231f5",
     "976de894fb16d99f9a4d9f4edb082f68995e868951c2e574193c88f59dab2e150faa1b82f743c6679a12ff7de55fba42fa725ddee943cec8"
     "df4685ffd3eb02d8209166bc6fdb736710984b523ab091c1bbc872cb9284bf02965f789da96eaf4491acc949afaac8e3c0a74e349a8a3ce6"
     "b344aa17c9bfe46599a627377ad534cb18de33c42af00c9d8797b4e40d29e5a2698c119811755cd29ae1581c7e80c40257406d6616474017"
     "9831710edfa5647ab7c67a1b7657472cc18fb761d5c24db7062f84a0ae10593c90a2463b13787ebf10573b7e34573c8d5ddbdbf2c5d62e97"
     "499fa865c874c6c19948d723a94aed05861ec27606d274646bde5c728c44496e"},
    {HashId::sha384, false,
     "fcbdebb5ecfd4e9cd8b6bbd163f13ef898e068d646206d132e6b4ce46bf7df22b29a10eeb41e93117760e431123e74fd96f247b393ae096b"
     "63d3a7710735d86f4b49da1e8a895b7dcfe0ef8af60450ba8db528cd17887fe15f58369804f6d1fa98d231f5",
     "520cfcfdce2fd844205250bd74693740a85af93c6a63efef03e027069f21c18023a0cbfec31b575228cfcafd18466a801208fc1f6cd1d8ed"
     "243d5e540fa89ecdf547683d4ccf8737867d94c9380a51cb4c84d57ccb7470fda875ec5d3f46566ebb2e71545d1b9b80263c9e74d8d0a9ad"
     "3cb347b3bd761a74efc0d76e68a019cb80a5a6870a621b516289d3e7cf45c666eab57ba246e1f1547e604c19204daf4413ab9bfbca0a98af"
     "938ce55a32fdbdfbb39d87936a1133e700ece6f8596f4dc42ea35aade619416c775cd9e41178708f2d4f1057f06d8912f3f64214dacb2105"
     "26704f99e5470fa31770442f56ce8f909b509fd5e2ce27d99d8b07d677ca0bc9"},
    {HashId::sha512, true,
     "6201c2f19fdb33783a3563307de8a07fe4b986d2c8e679d121f1be3a1fb6df8e2ed79a9349f6ad4dcfa8dc909c32d40128f96c46ced4f438"
     "ea895f2f068fcf63819e80e58a8728373f58413f945fde747646dccb52a8d991c9a3b714badaafaaf885e4eb",
     "8b31c259d8976a70fd11d305eabe69fcfd459e49ea020d2d9caa6b2e230202937e7819d3a2c44fe089894be864c0e40e92c2899a3c7bb09a"
     "891f171f4e05e6f49aae135ba7f3c08f04426456325b254a9e3bd377fd003a63880acea3892716859373c3add01cc030b398e7cf3e925546"
     "ada4d9fd66e3d4900ac9855b8dcecd9846735e801bfebc724dbad092212ce26274a78b689b738cace7033a5e1eba8080f520abc2dbb025db"
     "1b6c9bbd6825caf44ed710a0e921fba65c9a832963e6d399c197500a15deeaef1d790103513918222e03c903e67d3bf2250da75a4784f0d4"
     "beec1fe6485b30a995f27430decbf661a743e609d0fc8928037d57b9059ae680"},
    {HashId::sha512, false,
     "6201c2f19fdb33783a3563307de8a07fe4b986d2c8e679d121f1be3a1fb6df8e2ed79a9349f6ad4dcfa8dc909c32d40128f96c46ced4f438"
     "ea895f2f068fcf63819e80e58a8728373f58413f945fde747646dccb52a8d991c9a3b714badaafaaf885e4eb",
     "b82f2c2c63375e7eadb8510f34063d836267b2fc3f55cdc29a5232e36089faa20bda7c8d2667dda9ea2a61ff23556d46c3b461f8cbc3ce54"
     "a525f9e7128c6c27b87ca86fb7fa8265af52a6f50f02990a2f6800eaca7ad2266aaa282e76a8d2e325fe0bfd8791155d96eb208cfb9da9dc"
     "33e46481ee9687424aab679b9ff3d8624bbd0acfa4eadba79cd6af1cc3b803789c5c907ceb403dd6d17a1fa2a378ddab5923bbe37d51dab4"
     "f218a9d5b87978a8e12ca0b1e88420c17c9a870fa8d3add191e9644c4850a9393f0df00b25576a25dba3d8b8b90bf9626c8bb041f3d9350f"
     "a2889c2d17008af1986d5321260c62aeea17c0f45dc18ef31b28bb49f0358f60"},
};

ByteString unhex(std::string_view hex) {
  ByteString bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

const HashAlgorithm& hash_of(HashId id) {
  return id == HashId::sha256 ? *best().sha256 : id == HashId::sha384 ? *best().sha384 : *best().sha512;
}

bool is(const Error& error, Failure failure) {
  return error.domain == ErrorDomain::crypto && error.code == static_cast<uint64_t>(failure);
}

/// The integers of kPrivateKey in the order of RSAPrivateKey, to be changed and put together again.
struct Integers {
  ByteString n, e, d, p, q, dp, dq, q_inverse;

  static Integers known() {
    const ByteString der = unhex(kPrivateKey);
    DerReader reader(der);
    DerReader sequence = reader.enter(DerTag::sequence);
    sequence.read_small_integer();
    Integers integers;
    for (ByteString* integer : integers.all()) {
      const Bytes bytes = *sequence.read_unsigned_integer();
      integer->assign(bytes.begin(), bytes.end());
    }
    return integers;
  }

  std::array<ByteString*, 8> all() { return {&n, &e, &d, &p, &q, &dp, &dq, &q_inverse}; }

  Result<RsaPrivateKey> key(const Rsa& rsa = *best().rsa) const {
    return RsaPrivateKey::create(rsa, {n, e, d, p, q, dp, dq, q_inverse});
  }

  ByteString der(uint64_t version = 0) {
    ByteString memory(4096);
    DerWriter writer(memory);
    const size_t sequence = writer.open(DerTag::sequence);
    uint8_t version_bytes[8];
    store_be(version_bytes, version);
    writer.write_unsigned_integer(version_bytes);
    for (const ByteString* integer : all()) writer.write_unsigned_integer(*integer);
    writer.close(sequence);
    const Bytes written = *writer.finish();
    return {written.begin(), written.end()};
  }
};

RsaPrivateKey known_key(const Rsa& rsa = *best().rsa) {
  auto key = RsaPrivateKey::parse(rsa, unhex(kPrivateKey));
  REQUIRE(key.has_value());
  return std::move(*key);
}

/// m^d mod n for any message representative: a signature of whatever encoding a test makes up, with the slow
/// arithmetic.
ByteString raw_signature(const ByteString& encoded) {
  const Integers integers = Integers::known();
  const size_t limbs = 32;
  std::vector<uint64_t> n(limbs), d(limbs), base(limbs), result(limbs), product(2 * limbs), zero(limbs);
  bignum::from_bytes(n, integers.n);
  bignum::from_bytes(d, integers.d);
  bignum::from_bytes(base, encoded);
  MontgomeryModulus modulus;
  modulus.limbs = limbs;
  std::copy(n.begin(), n.end(), modulus.value);
  modulus.prepare(*best().rsa);
  std::copy_n(modulus.one, limbs, result.begin());
  std::vector<uint64_t> montgomery_base(limbs);
  best().rsa->montgomery_multiply(montgomery_base.data(), base.data(), modulus.square, modulus);
  for (size_t bit = 2048; bit-- > 0;) {
    best().rsa->montgomery_square(result.data(), result.data(), modulus);
    if ((d[bit / 64] >> (bit % 64)) & 1) {
      best().rsa->montgomery_multiply(result.data(), result.data(), montgomery_base.data(), modulus);
    }
  }
  std::vector<uint64_t> unit(limbs);
  unit[0] = 1;
  best().rsa->montgomery_multiply(result.data(), result.data(), unit.data(), modulus);
  ByteString signature(encoded.size());
  bignum::to_bytes(signature, result);
  return signature;
}

}  // namespace

TEST_CASE("Known RSA signatures verify, and PKCS#1 signatures are reproduced") {
  for (const Rsa* rsa : all_rsa_kernels()) {
    const RsaPrivateKey key = known_key(*rsa);
    SeededRng rng(test_seed(1));
    for (const KnownAnswer& known : kKnownAnswers) {
      INFO(rsa->implementation);
      const HashAlgorithm& algorithm = hash_of(known.hash);
      const Digest digest = hash(algorithm, unhex(known.message));
      const ByteString signature = unhex(known.signature);
      ByteString made(256);
      if (known.pss) {
        CHECK(key.public_key().verify_pss(algorithm, digest, signature));
        REQUIRE(key.sign_pss(algorithm, rng, digest, made));
        CHECK(made != signature);
        CHECK(key.public_key().verify_pss(algorithm, digest, made));
        CHECK_FALSE(key.public_key().verify_pkcs1(algorithm, digest, signature));
      } else {
        CHECK(key.public_key().verify_pkcs1(algorithm, digest, signature));
        REQUIRE(key.sign_pkcs1(algorithm, rng, digest, made));
        CHECK(made == signature);
        CHECK_FALSE(key.public_key().verify_pss(algorithm, digest, signature));
      }
    }
  }
}

TEST_CASE("PKCS#1 signatures stay the same while the blinding is squared and renewed") {
  const RsaPrivateKey key = known_key();
  SeededRng rng(test_seed(2));
  const KnownAnswer& known = kKnownAnswers[1];
  const Digest digest = hash(hash_of(known.hash), unhex(known.message));
  for (int i = 0; i < 150; i++) {
    ByteString made(256);
    REQUIRE(key.sign_pkcs1(hash_of(known.hash), rng, digest, made));
    CHECK(made == unhex(known.signature));
  }
}

TEST_CASE("A signature is refused when any bit of it, its length or its digest changes") {
  const RsaPrivateKey key = known_key();
  const RsaPublicKey& public_key = key.public_key();
  SeededRng rng(test_seed(3));
  for (const KnownAnswer& known : kKnownAnswers) {
    const HashAlgorithm& algorithm = hash_of(known.hash);
    const Digest digest = hash(algorithm, unhex(known.message));
    const auto verify = [&](Bytes digest_bytes, Bytes signature) {
      return known.pss ? public_key.verify_pss(algorithm, digest_bytes, signature)
                       : public_key.verify_pkcs1(algorithm, digest_bytes, signature);
    };
    const ByteString signature = unhex(known.signature);
    for (size_t bit = rng.below(97); bit < 8 * signature.size(); bit += 97) {
      ByteString changed = signature;
      changed[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
      const auto refused = verify(digest, changed);
      REQUIRE_FALSE(refused);
      CHECK(is(refused.error(), Failure::authentication));
    }
    ByteString other(digest.bytes().begin(), digest.bytes().end());
    other.back() ^= 1;
    CHECK_FALSE(verify(other, signature));
    CHECK_FALSE(verify(digest.bytes().first(digest.size() - 1), signature));
    CHECK_FALSE(verify({}, signature));

    ByteString longer = signature;
    longer.push_back(0);
    CHECK_FALSE(verify(digest, longer));
    longer = signature;
    longer.insert(longer.begin(), 0);
    CHECK_FALSE(verify(digest, longer));
    CHECK_FALSE(verify(digest, Bytes(signature).first(255)));
    CHECK_FALSE(verify(digest, Bytes(signature).subspan(1)));
    CHECK_FALSE(verify(digest, {}));
    CHECK_FALSE(verify(digest, ByteString(256)));
    CHECK_FALSE(verify(digest, ByteString(256, 0xff)));
  }
}

TEST_CASE("A signature of n or above is refused, though it is the right one modulo n") {
  // RFC 8017 §5.2.2 step 1.
  const Integers integers = Integers::known();
  const RsaPrivateKey key = known_key();
  SeededRng rng(test_seed(4));
  const HashAlgorithm& sha256 = *best().sha256;
  // n + s has 256 bytes only when s is below 2^2048 - n: signatures are made until one is.
  for (int tries = 0; tries < 100; tries++) {
    const ByteString digest = rng.bytes(32);
    ByteString signature(256), raised(256);
    REQUIRE(key.sign_pss(sha256, rng, digest, signature));
    uint64_t s[32], n[32], sum[32];
    bignum::from_bytes(s, signature);
    bignum::from_bytes(n, integers.n);
    if (bignum::add(sum, s, n, 32) != 0) continue;
    bignum::to_bytes(raised, sum);
    CHECK(key.public_key().verify_pss(sha256, digest, signature));
    CHECK_FALSE(key.public_key().verify_pss(sha256, digest, raised));
    return;
  }
  FAIL("no signature was small enough");
}

TEST_CASE("PKCS#1 encodings that differ in any byte are refused") {
  const RsaPrivateKey key = known_key();
  const HashAlgorithm& sha256 = *best().sha256;
  const Digest digest = hash(sha256, as_bytes("message"));
  ByteString encoded(256);
  REQUIRE(encode_pkcs1(sha256, digest, encoded));
  CHECK(key.public_key().verify_pkcs1(sha256, digest, raw_signature(encoded)));
  // The first bytes, the padding's, the separator, all of DigestInfo.
  std::vector<size_t> positions{1, 2, 3, 100, 203};
  for (size_t i = 204; i < 256; i++) positions.push_back(i);
  for (const size_t i : positions) {
    INFO("byte " << i);
    ByteString changed = encoded;
    changed[i] ^= 0x01;
    CHECK_FALSE(key.public_key().verify_pkcs1(sha256, digest, raw_signature(changed)));
  }

  // The hash's parameters left out, and shorter padding with rubbish behind the digest.
  ByteString info(encoded.begin() + 205, encoded.end());
  ByteString without_null = info;
  without_null.erase(without_null.begin() + 15, without_null.begin() + 17);
  without_null[1] -= 2;
  without_null[3] -= 2;
  ByteString changed(256 - without_null.size() - 1, 0xff);
  changed[0] = 0, changed[1] = 1;
  changed.push_back(0);
  changed.insert(changed.end(), without_null.begin(), without_null.end());
  REQUIRE(changed.size() == 256);
  CHECK_FALSE(key.public_key().verify_pkcs1(sha256, digest, raw_signature(changed)));

  changed.assign({0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0});
  changed.insert(changed.end(), info.begin(), info.end());
  changed.resize(256);
  CHECK_FALSE(key.public_key().verify_pkcs1(sha256, digest, raw_signature(changed)));
}

TEST_CASE("PSS encodings that differ in any byte are refused") {
  // RFC 8017 §9.1.2.
  SeededRng rng(test_seed(5));
  const HashAlgorithm& sha256 = *best().sha256;
  for (const size_t bits : {2047, 2048, 2049, 2055, 4095}) {
    const size_t size = (bits + 7) / 8;
    const ByteString digest = rng.bytes(32), salt = rng.bytes(32);
    ByteString encoded(size);
    REQUIRE(encode_pss(sha256, digest, salt, bits, encoded));
    ByteString copy = encoded;
    CHECK(verify_pss_encoding(sha256, digest, bits, copy));
    for (size_t bit = 0; bit < 8 * size; bit += bit < 16 || bit > 8 * size - 300 ? 1 : 37) {
      INFO("bit " << bit << " of " << bits);
      copy = encoded;
      copy[bit / 8] ^= static_cast<uint8_t>(0x80 >> (bit % 8));
      CHECK_FALSE(verify_pss_encoding(sha256, digest, bits, copy));
    }
    ByteString other = digest;
    other[0] ^= 1;
    copy = encoded;
    CHECK_FALSE(verify_pss_encoding(sha256, other, bits, copy));
  }
}

TEST_CASE("PSS encodings with a salt of another length are refused") {
  const RsaPrivateKey key = known_key();
  const HashAlgorithm& sha256 = *best().sha256;
  const Digest digest = hash(sha256, as_bytes("message"));
  const size_t db_size = 256 - 32 - 1;
  for (const size_t salt_size : {0, 20, 31, 32, 33, 64}) {
    INFO("salt of " << salt_size);
    const ByteString salt(salt_size, 0x5a);
    const Digest h = Hash(sha256).update(ByteString(8)).update(digest).update(salt).digest();
    ByteString encoded(256);
    encoded[db_size - salt_size - 1] = 1;
    std::copy(salt.begin(), salt.end(), encoded.begin() + static_cast<long>(db_size - salt_size));
    for (size_t i = 0; i < db_size; i++) {
      const ByteString counter{0, 0, 0, static_cast<uint8_t>(i / 32)};
      encoded[i] ^= Hash(sha256).update(h).update(counter).digest().data()[i % 32];
    }
    encoded[0] &= 0x7f;
    copy_bytes(encoded.data() + db_size, h);
    encoded[255] = 0xbc;
    CHECK(key.public_key().verify_pss(sha256, digest, raw_signature(encoded)).has_value() == (salt_size == 32));
  }
}

TEST_CASE("Weak and malformed RSA public keys are refused") {
  const Rsa& rsa = *best().rsa;
  const Integers known = Integers::known();
  const auto refusal = [&](const ByteString& n, const ByteString& e) {
    const auto key = RsaPublicKey::create(rsa, n, e);
    REQUIRE_FALSE(key);
    return static_cast<Failure>(key.error().code);
  };
  const ByteString e{1, 0, 1};
  CHECK(RsaPublicKey::create(rsa, known.n, e));
  ByteString changed = known.n;
  changed.insert(changed.begin(), 0);
  CHECK(RsaPublicKey::create(rsa, changed, ByteString{0, 1, 0, 1}));
  changed.insert(changed.begin(), 0);
  CHECK(refusal(changed, e) == Failure::malformed);
  CHECK(refusal({}, e) == Failure::malformed);
  CHECK(refusal({0}, e) == Failure::malformed);
  CHECK(refusal(known.n, {}) == Failure::malformed);
  CHECK(refusal(known.n, {0}) == Failure::malformed);
  CHECK(refusal(known.n, {0, 0, 3}) == Failure::malformed);

  changed = known.n;
  changed.back() &= 0xfe;
  CHECK(refusal(changed, e) == Failure::weak_key);  // even
  for (const ByteString& weak :
       {ByteString{1}, {2}, {4}, {1, 0, 0}, {2, 0, 0, 0, 1}, {1, 0, 0, 0, 0, 0, 0, 0, 1}, known.n}) {
    CHECK(refusal(known.n, weak) == Failure::weak_key);
  }
  CHECK(RsaPublicKey::create(rsa, known.n, ByteString{3}));
  CHECK(RsaPublicKey::create(rsa, known.n, ByteString{1, 0xff, 0xff, 0xff, 0xff}));  // 33 bits

  const auto modulus_of_bits = [](size_t bits) {
    ByteString n((bits + 7) / 8, 0x55);
    n[0] = static_cast<uint8_t>(1 << ((bits - 1) % 8));
    return n;
  };
  for (const size_t bits : {8, 512, 1024, 2040, 2047, 4097, 4104, 8192}) {
    INFO(bits);
    CHECK(refusal(modulus_of_bits(bits), e) == Failure::weak_key);
  }
  for (const size_t bits : {2048, 2049, 2055, 2056, 3000, 4095, 4096}) {
    const auto key = RsaPublicKey::create(rsa, modulus_of_bits(bits), e);
    REQUIRE(key);
    CHECK(key->modulus_bits() == bits);
    CHECK(key->modulus_size() == (bits + 7) / 8);
  }
}

TEST_CASE("RSA private keys whose components do not belong together are refused") {
  REQUIRE(Integers::known().key());
  for (size_t i = 0; i < 8; i++) {
    INFO("component " << i);
    for (const size_t bit : {0, 1, 7, 20, 300, 1000}) {
      Integers changed = Integers::known();
      ByteString& integer = *changed.all()[i];
      if (bit / 8 >= integer.size()) continue;
      integer[integer.size() - 1 - bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
      const auto key = changed.key();
      REQUIRE_FALSE(key);
      CHECK(is(key.error(), Failure::weak_key));
    }
    Integers changed = Integers::known();
    changed.all()[i]->clear();
    CHECK_FALSE(changed.key());
    changed.all()[i]->assign(600, 0x77);
    CHECK_FALSE(changed.key());
  }

  // The primes exchanged without their exponents; the trivial factors of n; exponents that are right but not reduced.
  Integers changed = Integers::known();
  std::swap(changed.p, changed.q);
  CHECK_FALSE(changed.key());
  changed = Integers::known();
  changed.p = changed.n;
  changed.q = {1};
  CHECK_FALSE(changed.key());
  changed = Integers::known();
  uint64_t dp[17], p[17];
  bignum::from_bytes(dp, changed.dp);
  bignum::from_bytes(p, changed.p);
  p[0] -= 1;
  bignum::add(dp, dp, p, 17);
  changed.dp.resize(129);
  bignum::to_bytes(changed.dp, dp);
  CHECK_FALSE(changed.key());
  if (changed.dp[0] == 0) {
    changed.dp.erase(changed.dp.begin());
    CHECK_FALSE(changed.key());
  }
}

TEST_CASE("An RSAPrivateKey is parsed strictly") {
  const Rsa& rsa = *best().rsa;
  Integers known = Integers::known();
  const ByteString der = unhex(kPrivateKey);
  CHECK(known.der() == der);
  const auto refusal = [&](const ByteString& bytes) {
    const auto key = RsaPrivateKey::parse(rsa, bytes);
    REQUIRE_FALSE(key);
    return static_cast<Failure>(key.error().code);
  };
  CHECK(refusal(known.der(1)) == Failure::malformed);  // more than two primes
  CHECK(refusal({}) == Failure::malformed);
  ByteString changed = der;
  changed.push_back(0);
  CHECK(refusal(changed) == Failure::malformed);
  changed = der;
  changed.pop_back();
  CHECK(refusal(changed) == Failure::malformed);
  changed = der;
  changed[0] = 0x31;
  CHECK(refusal(changed) == Failure::malformed);
  known.n = {3, 1};
  CHECK(refusal(known.der()) == Failure::weak_key);
}

TEST_CASE("Signing refuses buffers and digests of other sizes, and hashes that RSA does not use") {
  const RsaPrivateKey key = known_key();
  SeededRng rng(test_seed(6));
  const HashAlgorithm& sha256 = *best().sha256;
  const ByteString digest(32);
  for (const size_t size : {0, 255, 257}) {
    ByteString signature(size);
    CHECK(is(key.sign_pss(sha256, rng, digest, signature).error(), Failure::length));
    CHECK(is(key.sign_pkcs1(sha256, rng, digest, signature).error(), Failure::length));
  }
  ByteString signature(256);
  for (const size_t size : {0, 31, 33, 64}) {
    CHECK(is(key.sign_pss(sha256, rng, ByteString(size), signature).error(), Failure::length));
    CHECK(is(key.sign_pkcs1(sha256, rng, ByteString(size), signature).error(), Failure::length));
  }
  HashAlgorithm sha3 = sha256;
  sha3.id = HashId::sha3_256;
  CHECK(is(key.sign_pss(sha3, rng, digest, signature).error(), Failure::length));
  CHECK(is(key.sign_pkcs1(sha3, rng, digest, signature).error(), Failure::length));
  CHECK(is(key.public_key().verify_pss(sha3, digest, signature).error(), Failure::authentication));
  CHECK(is(key.public_key().verify_pkcs1(sha3, digest, signature).error(), Failure::authentication));
  CHECK(signature == ByteString(256));
}

namespace {

/// Kernels that err in one half of the exponentiation.
void faulty_exponentiate(const RsaHalf (&halves)[2]) {
  best().rsa->exponentiate(halves);
  halves[1].result[3] ^= 1;
}

}  // namespace

TEST_CASE("A fault in one half of the private operation does not leave as a signature") {
  Rsa faulty = *best().rsa;
  faulty.exponentiate = faulty_exponentiate;
  const RsaPrivateKey key = known_key(faulty);
  SeededRng rng(test_seed(7));
  ByteString signature(256);
  CHECK_FALSE(key.sign_pkcs1(*best().sha256, rng, ByteString(32), signature));
  CHECK_FALSE(key.sign_pss(*best().sha256, rng, ByteString(32), signature));
  CHECK(signature == ByteString(256));
}
