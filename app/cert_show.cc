// quoll cert show: what certificates contain, for people or as JSON.
#include <cstdio>

#include "app/cert.h"
#include "app/commands.h"
#include "app/json.h"
#include "base/address.h"
#include "base/hex.h"
#include "crypto/provider.h"
#include "tls/x509/der_values.h"
#include "tls/x509/name.h"
#include "tls/x509/oids.h"
#include "tls/x509/public_key.h"

namespace quoll::app {
namespace {

using x509::Certificate;
using x509::GeneralName;

constexpr Option kOptions[] = {{"json", 0, "", "print a JSON array with an object for each certificate"}};

constexpr Usage kUsage = {
    .command = "quoll cert show",
    .operands = "FILE",
    .summary = "Says what each certificate of a PEM file, or the one of a DER file, contains (- is standard input).",
    .options = kOptions,
    .operands_min = 1,
    .operands_max = 1};

std::string key_type_text(x509::KeyType type) {
  switch (type) {
    case x509::KeyType::rsa:
      return "RSA";
    case x509::KeyType::rsa_pss:
      return "RSA-PSS";
    case x509::KeyType::ecdsa_p256:
      return "P-256";
    case x509::KeyType::ecdsa_p384:
      return "P-384";
    case x509::KeyType::ed25519:
      return "Ed25519";
  }
  return {};
}

std::string algorithm_text(x509::SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case x509::SignatureAlgorithm::rsa_pkcs1_sha256:
      return "RSA PKCS#1 with SHA-256";
    case x509::SignatureAlgorithm::rsa_pkcs1_sha384:
      return "RSA PKCS#1 with SHA-384";
    case x509::SignatureAlgorithm::rsa_pkcs1_sha512:
      return "RSA PKCS#1 with SHA-512";
    case x509::SignatureAlgorithm::rsa_pss_sha256:
      return "RSA-PSS with SHA-256";
    case x509::SignatureAlgorithm::rsa_pss_sha384:
      return "RSA-PSS with SHA-384";
    case x509::SignatureAlgorithm::rsa_pss_sha512:
      return "RSA-PSS with SHA-512";
    case x509::SignatureAlgorithm::ecdsa_sha256:
      return "ECDSA with SHA-256";
    case x509::SignatureAlgorithm::ecdsa_sha384:
      return "ECDSA with SHA-384";
    case x509::SignatureAlgorithm::ecdsa_sha512:
      return "ECDSA with SHA-512";
    case x509::SignatureAlgorithm::ed25519:
      return "Ed25519";
  }
  return {};
}

/// The object identifier of an AlgorithmIdentifier, for those that have no name here.
std::string algorithm_oid(Bytes element) {
  crypto::DerReader reader(element);
  const auto algorithm = x509::read_algorithm_identifier(reader);
  return algorithm ? x509::oid_text(algorithm->oid) : "malformed";
}

std::string signature_text(const Certificate& certificate) {
  const auto algorithm = x509::parse_signature_algorithm(certificate.signature_algorithm);
  return algorithm ? algorithm_text(*algorithm) : algorithm_oid(certificate.signature_algorithm);
}

struct KeyText {
  std::string type;
  std::optional<size_t> bits;
};
KeyText key_text(const Certificate& certificate) {
  const auto key = x509::PublicKey::parse(crypto::best(), certificate.subject_public_key_info);
  if (key) return {key_type_text(key->type()), key->bits()};
  crypto::DerReader reader(certificate.subject_public_key_info);
  const auto algorithm = reader.enter(crypto::DerTag::sequence).read_element();
  return {algorithm_oid(algorithm.value_or(Bytes())) + " (" + key.error().reason + ")", std::nullopt};
}

struct UsageName {
  x509::KeyUsage usage;
  const char* name;
};
constexpr UsageName kUsageNames[] = {
    {x509::KeyUsage::digital_signature, "digitalSignature"},
    {x509::KeyUsage::content_commitment, "contentCommitment"},
    {x509::KeyUsage::key_encipherment, "keyEncipherment"},
    {x509::KeyUsage::data_encipherment, "dataEncipherment"},
    {x509::KeyUsage::key_agreement, "keyAgreement"},
    {x509::KeyUsage::key_cert_sign, "keyCertSign"},
    {x509::KeyUsage::crl_sign, "cRLSign"},
    {x509::KeyUsage::encipher_only, "encipherOnly"},
    {x509::KeyUsage::decipher_only, "decipherOnly"},
};

std::vector<std::string> key_usage_names(const Certificate& certificate) {
  std::vector<std::string> names;
  for (const UsageName& entry : kUsageNames) {
    if (certificate.key_usage && certificate.may(entry.usage)) names.push_back(entry.name);
  }
  return names;
}

std::vector<std::string> extended_key_usage_names(const Certificate& certificate) {
  struct Known {
    Bytes oid;
    const char* name;
  };
  static const Known known[] = {
      {x509::oid::kServerAuth, "serverAuth"},     {x509::oid::kClientAuth, "clientAuth"},
      {x509::oid::kCodeSigning, "codeSigning"},   {x509::oid::kEmailProtection, "emailProtection"},
      {x509::oid::kTimeStamping, "timeStamping"}, {x509::oid::kOcspSigning, "OCSPSigning"},
      {x509::oid::kAnyExtendedKeyUsage, "any"},
  };
  std::vector<std::string> names;
  if (!certificate.extended_key_usage) return names;
  for (const Bytes oid : *certificate.extended_key_usage) {
    std::string name = x509::oid_text(oid);
    for (const Known& entry : known) {
      if (x509::oid::is(oid, entry.oid)) name = entry.name;
    }
    names.push_back(name);
  }
  return names;
}

IpAddress address_of(Bytes octets) {
  if (octets.size() == 4) return IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
  std::array<uint8_t, 16> all{};
  copy_bytes(all.data(), octets);
  return IpAddress::v6(all);
}

/// An address, or an address with a mask (name constraints), which is contiguous.
std::string ip_text(Bytes value) {
  if (value.size() == 4 || value.size() == 16) return address_of(value).to_string();
  if (value.size() != 8 && value.size() != 32) return to_hex(value);
  size_t prefix = 0;
  for (const uint8_t byte : value.subspan(value.size() / 2)) prefix += static_cast<size_t>(std::popcount(byte));
  return address_of(value.first(value.size() / 2)).to_string() + "/" + std::to_string(prefix);
}

/// "dns:example.com"
std::string general_name_text(const GeneralName& name) {
  switch (name.kind) {
    case GeneralName::Kind::email:
      return "email:" + printable(name.value);
    case GeneralName::Kind::dns:
      return "dns:" + printable(name.value);
    case GeneralName::Kind::uri:
      return "uri:" + printable(name.value);
    case GeneralName::Kind::ip:
      return "ip:" + ip_text(name.value);
    case GeneralName::Kind::directory:
      return "directory:" + x509::name_text(name.value);
    case GeneralName::Kind::registered_id:
      return "oid:" + x509::oid_text(name.value);
    case GeneralName::Kind::other:
      return "other:" + to_hex(name.value);
    case GeneralName::Kind::x400:
      return "x400:" + to_hex(name.value);
    case GeneralName::Kind::edi:
      return "edi:" + to_hex(name.value);
  }
  return {};
}

std::vector<std::string> names_texts(const std::vector<GeneralName>& names) {
  std::vector<std::string> texts;
  for (const GeneralName& name : names) texts.push_back(general_name_text(name));
  return texts;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    if (!all.empty()) all += ", ";
    all += text;
  }
  return all;
}

void print_line(std::string_view label, std::string_view text) {
  if (text.empty()) return;
  std::printf("%-19.*s %.*s\n", static_cast<int>(label.size()), label.data(), static_cast<int>(text.size()),
              text.data());
}

std::string constraints_text(const Certificate& certificate) {
  if (!certificate.is_ca()) return "no authority";
  const auto& length = certificate.basic_constraints->path_length;
  return length ? "authority, path length " + std::to_string(*length) : "authority";
}

std::string fingerprint(const Certificate& certificate) {
  return colon_hex(crypto::hash(*crypto::best().sha256, certificate.der()));
}

std::string subject_text(Bytes name) { return x509::name_is_empty(name) ? "(none)" : x509::name_text(name); }

void print_text(const Certificate& certificate) {
  const KeyText key = key_text(certificate);
  print_line("subject:", subject_text(certificate.subject));
  print_line("issuer:", subject_text(certificate.issuer));
  print_line("version:", std::to_string(certificate.version));
  print_line("serial number:", colon_hex(certificate.serial_number));
  print_line("not before:", x509::time_text(certificate.not_before));
  print_line("not after:", x509::time_text(certificate.not_after));
  print_line("key:", key.bits ? key.type + ", " + std::to_string(*key.bits) + " bits" : key.type);
  if (certificate.subject_alt_names) print_line("names:", joined(names_texts(*certificate.subject_alt_names)));
  print_line("key usage:", joined(key_usage_names(certificate)));
  print_line("extended key usage:", joined(extended_key_usage_names(certificate)));
  print_line("constraints:", constraints_text(certificate));
  if (const auto& constraints = certificate.name_constraints) {
    print_line("permitted names:", joined(names_texts(constraints->permitted)));
    print_line("excluded names:", joined(names_texts(constraints->excluded)));
  }
  if (certificate.has_unknown_critical_extension) print_line("attention:", "a critical extension that is not known");
  print_line("signature:", signature_text(certificate));
  print_line("SHA-256:", fingerprint(certificate));
  print_line("pin:", pin_text(certificate));
}

void add_json(Json& json, const Certificate& certificate) {
  const KeyText key = key_text(certificate);
  json.begin_object();
  json.member("subject", x509::name_text(certificate.subject));
  json.member("issuer", x509::name_text(certificate.issuer));
  json.member("version", certificate.version);
  json.member("serial_number", to_hex(certificate.serial_number));
  json.member("not_before", rfc3339_text(certificate.not_before));
  json.member("not_after", rfc3339_text(certificate.not_after));
  json.member("key_type", key.type);
  if (key.bits) json.member("key_bits", *key.bits);
  if (certificate.subject_alt_names) json.member("names", names_texts(*certificate.subject_alt_names));
  if (certificate.key_usage) json.member("key_usage", key_usage_names(certificate));
  if (certificate.extended_key_usage) json.member("extended_key_usage", extended_key_usage_names(certificate));
  json.member("is_ca", certificate.is_ca());
  if (certificate.is_ca() && certificate.basic_constraints->path_length) {
    json.member("path_length", *certificate.basic_constraints->path_length);
  }
  if (const auto& constraints = certificate.name_constraints) {
    json.member("permitted_names", names_texts(constraints->permitted));
    json.member("excluded_names", names_texts(constraints->excluded));
  }
  json.member("has_unknown_critical_extension", certificate.has_unknown_critical_extension);
  json.member("signature_algorithm", signature_text(certificate));
  json.member("sha256", to_hex(crypto::hash(*crypto::best().sha256, certificate.der())));
  json.member("pin", pin_text(certificate));
  json.end_object();
}

}  // namespace

int cert_show(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kUsage, arguments);
  if (!parsed) return parsed.error();
  const std::string_view path = parsed->operands()[0];
  const auto certificates = read_certificates(path);
  if (!certificates) return failed(kUsage, path, certificates.error());
  if (parsed->has("json")) {
    Json json;
    json.begin_array();
    for (const Certificate& certificate : *certificates) add_json(json, certificate);
    json.end_array();
    std::printf("%s\n", json.text().c_str());
    return 0;
  }
  for (size_t i = 0; i < certificates->size(); i++) {
    if (i != 0) std::printf("\n");
    print_text((*certificates)[i]);
  }
  return 0;
}

}  // namespace quoll::app
