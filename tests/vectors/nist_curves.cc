// P-256 and P-384: ECDH and ECDSA (Wycheproof), base-point multiples and RFC 6979 signatures (known answers).
#include <algorithm>
#include <stdexcept>

#include "crypto/ecdsa.h"
#include "crypto/provider.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

using crypto::Ecdsa;
using crypto::EcdsaId;
using crypto::Group;
using crypto::GroupId;
using crypto::HashAlgorithm;

using Buffer = std::vector<uint8_t>;

struct Curve {
  GroupId group;
  EcdsaId ecdsa;
};

Curve curve_named(const std::string& name) {
  if (name == "secp256r1" || name == "P-256") return {GroupId::p256, EcdsaId::p256};
  if (name == "secp384r1" || name == "P-384") return {GroupId::p384, EcdsaId::p384};
  throw std::runtime_error("curve " + name);
}

const HashAlgorithm& hash_named(const std::string& name) {
  const crypto::Provider& provider = crypto::best();
  const struct {
    std::string_view name;
    const HashAlgorithm* algorithm;
  } hashes[] = {
      {"SHA-256", provider.sha256},    {"SHA256", provider.sha256},     {"SHA-384", provider.sha384},
      {"SHA384", provider.sha384},     {"SHA-512", provider.sha512},    {"SHA512", provider.sha512},
      {"SHA3-256", provider.sha3_256}, {"SHA3-512", provider.sha3_512},
  };
  for (const auto& hash : hashes) {
    if (hash.name == name && hash.algorithm) return *hash.algorithm;
  }
  throw std::runtime_error("hash " + name);
}

/// Every runnable implementation of one curve, of Group or of Ecdsa.
template <class T, class Id>
std::vector<const T*> implementations(std::span<const T* const> crypto::Catalogue::* family, Id id) {
  std::vector<const T*> found;
  for (const crypto::Catalogue* catalogue : {&crypto::native_catalogue(), &crypto::portable_catalogue()}) {
    for (const T* entry : catalogue->*family) {
      if (entry->id == id && entry->runs_on(crypto::cpu::features(), crypto::cpu::cap())) found.push_back(entry);
    }
  }
  return found;
}

std::vector<const Group*> groups(const Curve& curve) {
  return implementations(&crypto::Catalogue::groups, curve.group);
}

std::vector<const Ecdsa*> ecdsas(const Curve& curve) {
  return implementations(&crypto::Catalogue::ecdsas, curve.ecdsa);
}

std::string name_of(const json& test, std::string_view implementation) {
  const char* id = test.contains("tcId") ? "tcId" : "id";
  return test.at(id).dump() + " " + test.value("comment", "") + " (" + std::string(implementation) + ")";
}

/// A private key of Wycheproof: the contents of a DER INTEGER, so perhaps with a leading zero, perhaps short.
Buffer scalar_of(Buffer integer, size_t size) {
  while (integer.size() > size && integer[0] == 0) integer.erase(integer.begin());
  if (integer.size() < size) integer.insert(integer.begin(), size - integer.size(), 0);
  return integer;
}

void run_ecdh(const json& file, Report& report) {
  for (const json& group : file.at("testGroups")) {
    const Curve curve = curve_named(group.at("curve"));
    for (const json& test : group.at("tests")) {
      const std::string& result = test.at("result").get_ref<const std::string&>();
      for (const Group* implementation : groups(curve)) {
        const Buffer private_key = scalar_of(bytes_of(test, "private"), implementation->private_key_size);
        const Buffer public_key = bytes_of(test, "public");
        Buffer shared(implementation->shared_secret_size);
        const bool agreed = private_key.size() == implementation->private_key_size &&
                            public_key.size() == implementation->public_key_size &&
                            implementation->agree(private_key.data(), public_key.data(), shared.data());
        // What is merely acceptable is a compressed point: TLS 1.3 has none (RFC 8446 §4.2.8.2), so we refuse it.
        const bool passed = result == "valid"     ? agreed && shared == bytes_of(test, "shared")
                            : result == "invalid" ? !agreed
                                                  : !agreed || shared == bytes_of(test, "shared");
        report.check(passed, name_of(test, implementation->implementation));
      }
    }
  }
}

void run_ecdsa_verify(const json& file, Report& report) {
  for (const json& group : file.at("testGroups")) {
    const json& key = group.contains("publicKey") ? group.at("publicKey") : group.at("key");
    const Curve curve = curve_named(key.at("curve"));
    const HashAlgorithm& hash = hash_named(group.at("sha"));
    const Buffer public_key = bytes_of(key, "uncompressed");
    for (const json& test : group.at("tests")) {
      const crypto::Digest digest = crypto::hash(hash, bytes_of(test, "msg"));
      for (const Ecdsa* implementation : ecdsas(curve)) {
        const bool verified =
            crypto::ecdsa_verify(*implementation, public_key, digest, bytes_of(test, "sig")).has_value();
        const std::string& result = test.at("result").get_ref<const std::string&>();
        report.check(result == "acceptable" || verified == (result == "valid"),
                     name_of(test, implementation->implementation));
      }
    }
  }
}

void run_base_multiples(const json& file, Report& report) {
  for (const json& test : file.at("cases")) {
    const Buffer scalar = bytes_of(test, "scalar");
    const Buffer point = bytes_of(test, "point");
    const Curve curve = curve_named(test.at("curve"));
    for (const Group* implementation : groups(curve)) {
      Buffer ours(implementation->public_key_size);
      const bool derived =
          scalar.size() == implementation->private_key_size && implementation->public_key(scalar.data(), ours.data());
      report.check(derived && ours == point, name_of(test, implementation->implementation));
    }
    for (const Ecdsa* implementation : ecdsas(curve)) {
      Buffer ours(implementation->public_key_size);
      const bool derived =
          scalar.size() == implementation->scalar_size && implementation->public_key(scalar.data(), ours.data());
      report.check(derived && ours == point, name_of(test, implementation->implementation) + " ECDSA");
    }
  }
}

void run_rfc6979(const json& file, Report& report) {
  for (const json& test : file.at("cases")) {
    const HashAlgorithm& hash = hash_named(test.at("hash"));
    const Buffer private_key = bytes_of(test, "private");
    const Buffer public_key = bytes_of(test, "public");
    const Buffer expected = bytes_of(test, "der");
    const crypto::Digest digest = crypto::hash(hash, bytes_of(test, "msg"));
    for (const Ecdsa* implementation : ecdsas(curve_named(test.at("curve")))) {
      const std::string name = name_of(test, implementation->implementation);
      Buffer derived(implementation->public_key_size);
      report.check(private_key.size() == implementation->scalar_size &&
                       implementation->public_key(private_key.data(), derived.data()) && derived == public_key,
                   name + " public key");
      Buffer signature(crypto::kEcdsaSignatureSizeMax);
      const Result<size_t> size = crypto::ecdsa_sign(*implementation, hash, private_key, digest, signature);
      signature.resize(size.value_or(0));
      report.check(signature == expected, name + " signature");
      report.check(crypto::ecdsa_verify(*implementation, public_key, digest, expected).has_value(), name + " verify");
    }
  }
}

bool has_members(const json& object, std::initializer_list<const char*> members) {
  return std::all_of(members.begin(), members.end(), [&](const char* member) { return object.contains(member); });
}

}  // namespace

Handler nist_curves_handler(const json& file) {
  const std::string schema = file.value("schema", "");
  if (schema.starts_with("ecdh_ecpoint_test_schema")) return run_ecdh;
  if (schema.starts_with("ecdsa_verify_schema")) return run_ecdsa_verify;
  if (file.contains("cases") && file.at("cases").is_array() && !file.at("cases").empty()) {
    const json& first = file.at("cases").front();
    if (has_members(first, {"curve", "scalar", "point"})) return run_base_multiples;
    if (has_members(first, {"curve", "hash", "private", "der"})) return run_rfc6979;
  }
  return nullptr;
}

}  // namespace quoll::vectors
