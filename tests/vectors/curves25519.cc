// X25519 (Wycheproof xdh_comp) and Ed25519 (Wycheproof eddsa_verify, and known answers of signing).
#include <algorithm>

#include "crypto/provider.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

/// Every implementation of a family that the processor runs, of both catalogues.
template <class T>
std::vector<const T*> runnable(std::span<const T* const> crypto::Catalogue::* family) {
  std::vector<const T*> found;
  for (const crypto::Catalogue* catalogue : {&crypto::portable_catalogue(), &crypto::native_catalogue()}) {
    for (const T* entry : catalogue->*family) {
      if (entry->runs_on(crypto::cpu::features(), crypto::cpu::cap())) found.push_back(entry);
    }
  }
  return found;
}

std::vector<const crypto::Group*> x25519s() {
  std::vector<const crypto::Group*> groups = runnable(&crypto::Catalogue::groups);
  std::erase_if(groups, [](const crypto::Group* group) { return group->id != crypto::GroupId::x25519; });
  return groups;
}

std::string label(const json& test, const crypto::Implementation& implementation) {
  const char* id = test.contains("tcId") ? "tcId" : "id";
  return "case " + test.at(id).dump() + " (" + std::string(implementation.implementation) + ")";
}

bool is_zero(const std::vector<uint8_t>& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

/// Points on the twist, and values of p and above, must give the stated value, although Wycheproof calls them
/// acceptable. An all-zero result must be refused.
void run_xdh(const json& file, Report& report) {
  for (const json& group : file.at("testGroups")) {
    const bool known = group.at("curve") == "curve25519";
    if (!known) report.check(false, "a group on " + group.at("curve").dump());
    if (!known) continue;
    for (const json& test : group.at("tests")) {
      const auto peer = bytes_of(test, "public"), key = bytes_of(test, "private"), expected = bytes_of(test, "shared");
      const bool refused = test.at("result") == "invalid" || is_zero(expected);
      for (const crypto::Group* x25519 : x25519s()) {
        std::vector<uint8_t> shared(32);
        const bool agreed = crypto::agree(*x25519, key, peer, shared).has_value();
        report.check(refused ? !agreed && is_zero(shared) : agreed && shared == expected, label(test, *x25519));
      }
    }
  }
}

void run_eddsa_verify(const json& file, Report& report) {
  for (const json& group : file.at("testGroups")) {
    const json& key = group.at("publicKey");
    const bool known = key.at("curve") == "edwards25519";
    if (!known) report.check(false, "a group on " + key.at("curve").dump());
    if (!known) continue;
    const auto public_key = bytes_of(key, "pk");
    for (const json& test : group.at("tests")) {
      const auto message = bytes_of(test, "msg"), signature = bytes_of(test, "sig");
      for (const crypto::Ed25519* ed25519 : runnable(&crypto::Catalogue::ed25519s)) {
        const bool verified =
            crypto::ed25519_verify(*ed25519, *crypto::best().sha512, public_key, message, signature).has_value();
        const bool wanted = test.at("result") == "valid";
        report.check(test.at("result") == "acceptable" || verified == wanted, label(test, *ed25519));
      }
    }
  }
}

void run_ed25519_sign(const json& file, Report& report) {
  const crypto::HashAlgorithm& sha512 = *crypto::best().sha512;
  for (const json& test : file.at("cases")) {
    const auto seed = bytes_of(test, "secret"), expected_key = bytes_of(test, "public");
    const auto message = bytes_of(test, "msg"), expected = bytes_of(test, "sig");
    for (const crypto::Ed25519* ed25519 : runnable(&crypto::Catalogue::ed25519s)) {
      std::vector<uint8_t> public_key(32), signature(64);
      const bool derived = crypto::ed25519_public_key(*ed25519, sha512, seed, public_key).has_value();
      report.check(derived && public_key == expected_key, label(test, *ed25519) + " public key");
      const bool made = crypto::ed25519_sign(*ed25519, sha512, seed, expected_key, message, signature).has_value();
      report.check(made && signature == expected, label(test, *ed25519) + " signature");
      report.check(crypto::ed25519_verify(*ed25519, sha512, expected_key, message, expected).has_value(),
                   label(test, *ed25519) + " verification");
    }
  }
}

bool cases_have(const json& file, std::initializer_list<const char*> members) {
  if (!file.is_object() || !file.contains("cases") || !file["cases"].is_array() || file["cases"].empty()) return false;
  const json& first = file["cases"].front();
  return std::all_of(members.begin(), members.end(), [&](const char* member) { return first.contains(member); });
}

}  // namespace

Handler curves25519_handler(const json& file) {
  if (!file.is_object()) return nullptr;
  const std::string schema = file.value("schema", "");
  if (schema.starts_with("xdh_comp_schema")) return run_xdh;
  if (schema.starts_with("eddsa_verify_schema")) return run_eddsa_verify;
  if (cases_have(file, {"secret", "public", "msg", "sig"})) return run_ed25519_sign;
  return nullptr;
}

}  // namespace quoll::vectors
