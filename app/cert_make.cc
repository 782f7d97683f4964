// quoll cert make: a key and a certificate for it.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "app/cert.h"
#include "app/commands.h"
#include "base/address.h"
#include "crypto/ct.h"
#include "os/system_rng.h"
#include "os/write_file.h"
#include "tls/x509/certificate_maker.h"
#include "tls/x509/der_values.h"
#include "tls/x509/failure.h"
#include "tls/x509/host_name.h"
#include "tls/x509/name.h"
#include "tls/x509/pem.h"

namespace quoll::app {
namespace {

using x509::Certificate;
using x509::KeyType;
using x509::PrivateKey;

constexpr uint64_t kDaysMax = 36'500;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kClockSkew = 300;  // seconds that a reader's clock may be behind ours
constexpr size_t kCommonNameSizeMax = 64;
constexpr unsigned kKeyMode = 0600, kCertificateMode = 0644;
constexpr std::string_view kDefaultHosts[] = {"localhost", "127.0.0.1", "::1"};

struct KeyTypeName {
  std::string_view name;
  KeyType type;
};
constexpr KeyTypeName kKeyTypes[] = {
    {"p256", KeyType::ecdsa_p256}, {"p384", KeyType::ecdsa_p384}, {"ed25519", KeyType::ed25519}};

constexpr Option kOptions[] = {
    {"host", 0, "NAME", "a DNS name or IP address; may be repeated (default: localhost, 127.0.0.1 and ::1)"},
    {"cn", 0, "NAME", "the common name (default: the first host)"},
    {"days", 0, "N",
     "days of validity (default: 90); browsers take up to 398,\nand up to 14 where a page pins the certificate's hash"},
    {"key-type", 0, "TYPE", "p256, p384 or ed25519 (default: p256, which all browsers take)"},
    {"key", 0, "KEY.pem", "use this key instead of a new one"},
    {"ca", 0, "", "make an authority's certificate"},
    {"client", 0, "", "make a client's certificate"},
    {"issuer", 0, "CERT.pem",
     "the authority that issues the certificate, and the chain\nthat leads to it (default: self-signed)"},
    {"issuer-key", 0, "KEY.pem", "the authority's key"},
    {"out", 'o', "CERT.pem",
     "where the certificate goes, followed by the authorities\nbetween it and the root (default: cert.pem)"},
    {"key-out", 0, "KEY.pem", "where the new key goes, readable by its owner alone (default: key.pem)"},
    {"force", 'f', "", "overwrite a key that is there"},
};

constexpr Usage kUsage = {"quoll cert make", "", "Makes a private key, and a certificate for it.", kOptions};

/// What the command line asks for.
struct Plan {
  x509::CertificateRequest request;
  KeyType key_type = KeyType::ecdsa_p256;
  std::optional<std::string> existing_key, issuer, issuer_key;
  std::string out, key_out;
  bool force = false;
};

/// A conflict between options, or an empty text.
std::string conflict(const Arguments& arguments) {
  if (arguments.has("issuer") != arguments.has("issuer-key")) return "--issuer and --issuer-key belong together";
  for (const char* other : {"key-type", "key-out", "force"}) {
    if (arguments.has("key") && arguments.has(other))
      return std::string("--key and --") + other + " exclude each other";
  }
  for (const char* other : {"client", "host"}) {
    if (arguments.has("ca") && arguments.has(other)) return std::string("--ca and --") + other + " exclude each other";
  }
  return {};
}

/// Whether two paths lead to one file, which need not be there yet.
bool same_file(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  return fs::path(a).lexically_normal() == fs::path(b).lexically_normal() || fs::equivalent(a, b, ignored);
}

/// The certificate replaces what is there: that must not be a file that the command reads, or the new key.
std::string overwritten(const Plan& plan) {
  struct Other {
    const char* option;
    std::optional<std::string> path;
  };
  const Other others[] = {
      {"--key", plan.existing_key},
      {"--issuer", plan.issuer},
      {"--issuer-key", plan.issuer_key},
      {"--key-out", plan.existing_key ? std::nullopt : std::optional(plan.key_out)},
  };
  for (const Other& other : others) {
    if (other.path && same_file(plan.out, *other.path)) return plan.out + " cannot be both --out and " + other.option;
  }
  return {};
}

std::vector<std::string> hosts_of(const Arguments& arguments) {
  const std::vector<std::string_view> given = arguments.values("host");
  if (!given.empty()) return {given.begin(), given.end()};
  if (arguments.has("ca") || arguments.has("client")) return {};
  return {std::begin(kDefaultHosts), std::end(kDefaultHosts)};
}

std::string common_name_of(const Arguments& arguments, const std::vector<std::string>& hosts) {
  if (const auto given = arguments.value("cn")) return std::string(*given);
  if (arguments.has("ca")) return "Quoll authority";
  if (hosts.empty()) return "client";
  return hosts[0].size() <= kCommonNameSizeMax ? hosts[0] : std::string();
}

/// Fills the plan; what is wrong, or an empty text.
std::string make_plan(const Arguments& arguments, Plan& plan) {
  if (std::string wrong = conflict(arguments); !wrong.empty()) return wrong;
  const auto text = [&](std::string_view name) {
    return arguments.value(name).transform([](std::string_view value) { return std::string(value); });
  };
  const auto days = parse_number(arguments.value("days").value_or("90"), kDaysMax);
  if (!days || *days == 0) return "--days wants a number from 1 to " + std::to_string(kDaysMax);
  const std::string_view type_name = arguments.value("key-type").value_or(kKeyTypes[0].name);
  const auto type = std::ranges::find(kKeyTypes, type_name, &KeyTypeName::name);
  if (type == std::end(kKeyTypes)) return "--key-type is p256, p384 or ed25519, not " + std::string(type_name);

  x509::CertificateRequest& request = plan.request;
  request.names = hosts_of(arguments);
  for (const std::string& name : request.names) {
    if (!x509::is_presented_name(name) && !IpAddress::parse(name))
      return "--host is a DNS name or an IP address, not " + name;
  }
  request.common_name = common_name_of(arguments, request.names);
  request.not_before = UnixTime::from_seconds(now().as_seconds() - kClockSkew);
  // RFC 5280 §4.1.2.5: both ends belong to the validity.
  request.not_after =
      UnixTime::from_seconds(request.not_before.as_seconds() + static_cast<int64_t>(*days) * kSecondsPerDay - 1);
  request.is_ca = arguments.has("ca");
  request.server_auth = !arguments.has("client");
  request.client_auth = arguments.has("client");
  plan.key_type = type->type;
  plan.existing_key = text("key");
  plan.issuer = text("issuer");
  plan.issuer_key = text("issuer-key");
  plan.out = text("out").value_or("cert.pem");
  plan.key_out = text("key-out").value_or("key.pem");
  plan.force = arguments.has("force");
  return overwritten(plan);
}

/// The authority and its key; nothing when the certificate is to be self-signed.
struct Issuer {
  std::vector<Certificate> chain;  // its own certificate, and what leads to the root
  std::optional<PrivateKey> key;

  const Certificate* certificate() const { return chain.empty() ? nullptr : &chain[0]; }
};

/// Whether the authority may issue what is asked for; if not, why.
std::string_view objection(const Certificate& issuer, const PrivateKey& key, const x509::CertificateRequest& request) {
  if (!issuer.is_ca() || !issuer.may(x509::KeyUsage::key_cert_sign)) return "not the certificate of an authority";
  if (request.is_ca && issuer.basic_constraints->path_length == 0) return "may not issue to other authorities";
  if (!std::ranges::equal(issuer.subject_public_key_info, key.public_key_info()))
    return "has another key than --issuer-key";
  return {};
}

/// Empty after an error, which has been printed.
std::optional<Issuer> load_issuer(const Plan& plan) {
  Issuer issuer;
  if (!plan.issuer) return issuer;
  auto chain = read_certificates(*plan.issuer);
  if (!chain) return failed(kUsage, *plan.issuer, chain.error()), std::nullopt;
  auto key = read_private_key(*plan.issuer_key);
  if (!key) return failed(kUsage, *plan.issuer_key, key.error()), std::nullopt;
  const std::string_view why = objection((*chain)[0], *key, plan.request);
  if (!why.empty()) return failed(kUsage, *plan.issuer, why), std::nullopt;
  issuer.chain = std::move(*chain);
  issuer.key = std::move(*key);
  return issuer;
}

/// The certificate, and the authorities between it and the root: what a server sends.
std::string chain_pem(Bytes certificate, const Issuer& issuer) {
  std::string text = x509::write_pem("CERTIFICATE", certificate);
  for (const Certificate& link : issuer.chain) {
    if (!link.is_self_issued()) text += x509::write_pem("CERTIFICATE", link.der());
  }
  return text;
}

/// An exit code.
int write_key(const Plan& plan, const PrivateKey& key) {
  std::vector<uint8_t> der = key.to_pkcs8();
  std::string text = x509::write_pem("PRIVATE KEY", der);
  const auto existing = plan.force ? os::Existing::replace : os::Existing::keep;
  const Result<void> written = os::write_file(plan.key_out.c_str(), as_bytes(text), kKeyMode, existing);
  crypto::ct::wipe(der.data(), der.size());
  crypto::ct::wipe(text.data(), text.size());
  if (written) return 0;
  const bool is_there = written.error().domain == ErrorDomain::system && written.error().code == EEXIST;
  if (is_there) return failed(kUsage, plan.key_out, "is there already; --force overwrites it, --key uses it");
  return failed(kUsage, plan.key_out, written.error());
}

int make(const Plan& plan) {
  Rng& rng = os::thread_rng();
  const std::optional<Issuer> issuer = load_issuer(plan);
  if (!issuer) return kFailed;
  const auto key = plan.existing_key ? read_private_key(*plan.existing_key)
                                     : PrivateKey::generate(crypto::best(), plan.key_type, rng);
  if (!key) return failed(kUsage, plan.existing_key.value_or("the new key"), key.error());
  const PrivateKey& issuer_key = issuer->key ? *issuer->key : *key;
  const auto der = x509::make_certificate(plan.request, key->public_key_info(), issuer->certificate(), issuer_key, rng);
  if (!der) return failed(kUsage, "the certificate", der.error());
  const auto certificate = Certificate::parse(*der);
  if (!certificate) return failed(kUsage, "the certificate", certificate.error());

  if (!plan.existing_key) {
    if (const int code = write_key(plan, *key); code != 0) return code;
  }
  const std::string text = chain_pem(*der, *issuer);
  const auto written = os::write_file(plan.out.c_str(), as_bytes(text), kCertificateMode, os::Existing::replace);
  if (!written) return failed(kUsage, plan.out, written.error());

  std::printf("certificate: %s (%s, until %s)\n", plan.out.c_str(), x509::name_text(certificate->subject).c_str(),
              x509::time_text(certificate->not_after).c_str());
  std::printf("key: %s\n", plan.existing_key.value_or(plan.key_out).c_str());
  std::printf("pin: %s\n", pin_text(*certificate).c_str());
  return 0;
}

}  // namespace

int cert_make(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kUsage, arguments);
  if (!parsed) return parsed.error();
  Plan plan;
  if (const std::string wrong = make_plan(*parsed, plan); !wrong.empty()) return wrong_usage(kUsage, wrong);
  return make(plan);
}

}  // namespace quoll::app
