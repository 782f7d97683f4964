#include "tests/tls/peer/arguments.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/hex.h"
#include "os/file.h"
#include "tls/cipher_suite.h"

namespace quoll::tls::peer {
namespace {

constexpr size_t kFileSizeMax = 16 * 1024 * 1024;

template <class Code>
struct Name {
  std::string_view name;
  Code code;
};

constexpr Name<NamedGroup> kGroups[] = {{"x25519mlkem768", NamedGroup::x25519_mlkem768},
                                        {"x25519", NamedGroup::x25519},
                                        {"secp256r1", NamedGroup::secp256r1},
                                        {"secp384r1", NamedGroup::secp384r1}};

constexpr Name<SignatureScheme> kSchemes[] = {{"ecdsa_secp256r1_sha256", SignatureScheme::ecdsa_secp256r1_sha256},
                                              {"ecdsa_secp384r1_sha384", SignatureScheme::ecdsa_secp384r1_sha384},
                                              {"ed25519", SignatureScheme::ed25519},
                                              {"rsa_pss_rsae_sha256", SignatureScheme::rsa_pss_rsae_sha256},
                                              {"rsa_pss_rsae_sha384", SignatureScheme::rsa_pss_rsae_sha384},
                                              {"rsa_pss_rsae_sha512", SignatureScheme::rsa_pss_rsae_sha512},
                                              {"rsa_pss_pss_sha256", SignatureScheme::rsa_pss_pss_sha256},
                                              {"rsa_pss_pss_sha384", SignatureScheme::rsa_pss_pss_sha384},
                                              {"rsa_pss_pss_sha512", SignatureScheme::rsa_pss_pss_sha512}};

template <class Code, size_t N>
std::string name_in(const Name<Code> (&names)[N], Code code) {
  for (const auto& entry : names) {
    if (entry.code == code) return std::string(entry.name);
  }
  return "unknown";
}

template <class Code, size_t N>
std::vector<Code> codes(const Name<Code> (&names)[N], const std::vector<std::string>& list) {
  std::vector<Code> result;
  for (const std::string& wanted : list) {
    const auto* found = std::ranges::find(names, wanted, &Name<Code>::name);
    if (found == std::end(names)) usage_failure("unknown name " + wanted);
    result.push_back(found->code);
  }
  return result;
}

std::vector<CipherSuite> suites(const std::vector<std::string>& list) {
  std::vector<CipherSuite> result;
  for (const std::string& wanted : list) {
    const size_t before = result.size();
    for (const CipherSuite suite : Preferences().cipher_suites) {
      if (name_of(suite) == wanted) result.push_back(suite);
    }
    if (result.size() == before) usage_failure("unknown suite " + wanted);
  }
  return result;
}

}  // namespace

void usage_failure(const std::string& message) {
  std::fprintf(stderr, "tls_peer: %s\n", message.c_str());
  std::exit(2);
}

Arguments::Arguments(int argc, char** argv, const std::set<std::string_view>& valued,
                     const std::set<std::string_view>& flags) {
  for (int i = 0; i < argc; i++) {
    const std::string name = argv[i];
    if (flags.contains(name)) {
      values_[name].emplace_back();
    } else if (valued.contains(name) && i + 1 < argc) {
      values_[name].emplace_back(argv[++i]);
    } else {
      usage_failure("unknown option, or one without its value: " + name);
    }
  }
}

std::string Arguments::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second.back();
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  std::vector<std::string> parts;
  std::string rest = text(name);
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    parts.push_back(rest.substr(0, comma));
    rest = comma == std::string::npos ? std::string() : rest.substr(comma + 1);
  }
  return parts;
}

uint64_t Arguments::number(std::string_view name, uint64_t otherwise) const {
  return has(name) ? std::strtoull(text(name).c_str(), nullptr, 10) : otherwise;
}

std::vector<uint8_t> Arguments::hex(std::string_view name) const {
  auto bytes = from_hex(text(name));
  if (!bytes) usage_failure("not hexadecimal: " + std::string(name));
  return std::move(*bytes);
}

Preferences Arguments::preferences() const {
  Preferences preferences;
  if (has("--suites")) preferences.cipher_suites = suites(list("--suites"));
  if (has("--groups")) preferences.groups = codes(kGroups, list("--groups"));
  if (has("--signatures")) preferences.signature_schemes = codes(kSchemes, list("--signatures"));
  return preferences;
}

std::optional<ExternalPsk> Arguments::external_psk() const {
  if (!has("--psk")) return std::nullopt;
  const std::vector<uint8_t> key = hex("--psk");
  if (key.size() > crypto::kDigestSizeMax) usage_failure("the PSK is too long");
  const std::string identity = text("--psk-identity");
  ExternalPsk psk{.identity = {identity.begin(), identity.end()}, .key = crypto::Digest(key.size())};
  copy_bytes(psk.key.data(), key);
  return psk;
}

std::string name_of_group(NamedGroup group) { return name_in(kGroups, group); }
std::string name_of_scheme(SignatureScheme scheme) { return name_in(kSchemes, scheme); }

std::string file_text(const std::string& path) {
  const auto contents = os::read_file(path.c_str(), kFileSizeMax);
  if (!contents) usage_failure(path + ": " + contents.error().reason);
  return std::string(as_text(*contents));
}

std::shared_ptr<const x509::TrustStore> trust_from(const std::string& path) {
  auto trust = std::make_shared<x509::TrustStore>();
  if (const auto loaded = trust->add_pem(file_text(path)); !loaded) usage_failure(path + ": " + loaded.error().reason);
  return trust;
}

Identities identities_from(const Arguments& arguments) {
  const std::vector<std::string> chains = arguments.all("--cert"), keys = arguments.all("--key");
  if (chains.size() != keys.size()) usage_failure("each --cert wants its --key");
  std::vector<uint8_t> ocsp;
  if (arguments.has("--ocsp")) {
    const std::string text = file_text(arguments.text("--ocsp"));
    ocsp.assign(text.begin(), text.end());
  }
  Identities identities;
  for (size_t i = 0; i < chains.size(); i++) {
    auto identity = Identity::from_pem(crypto::best(), file_text(chains[i]), file_text(keys[i]), ocsp);
    if (!identity) usage_failure(chains[i] + ": " + identity.error().reason);
    identities.push_back(std::make_shared<const Identity>(std::move(*identity)));
  }
  return identities;
}

}  // namespace quoll::tls::peer
