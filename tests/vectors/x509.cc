// Certificate chains in the format of x509-limbo (https://x509-limbo.com, schema version 1): accepted or refused as
// expected, but for what docs/x509.md declares to be different by policy.
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "crypto/provider.h"
#include "tests/vectors/families.h"
#include "tls/x509/pem.h"
#include "tls/x509/verify.h"

namespace quoll::vectors {
namespace {

/// What a case demands that we do not give, by its feature: schema version 1 lets such cases be skipped. They run all
/// the same; only a case whose result is not the expected one is reported so.
struct Difference {
  std::string_view feature;
  const char* reason;
};
constexpr Difference kDifferences[] = {
    {"has-crl", "revocation lists are not read"},
    {"pedantic-public-suffix-wildcard", "the Public Suffix List is not consulted"},
    {"denial-of-service", "constraints on URIs are applied, and comparisons of names have a smaller budget"},
};

/// The first part of an id names the rules that the case was written for. Those of no profile in particular, and those
/// of other collections, are for the default.
x509::Profile profile_of(std::string_view id) {
  const std::string_view rules = id.substr(0, id.find("::"));
  if (rules == "webpki" || rules == "online") return x509::Profile::web_pki;
  if (rules == "rfc5280") return x509::Profile::rfc5280_strict;
  return x509::Profile::rfc5280;
}

bool lists(const json& test, const char* member, std::string_view value) {
  if (!test.contains(member)) return false;
  for (const json& entry : test.at(member)) {
    if (entry.get<std::string>() == value) return true;
  }
  return false;
}

x509::Purpose purpose_of(const json& test) {
  if (lists(test, "extended_key_usage", "serverAuth")) return x509::Purpose::server;
  if (lists(test, "extended_key_usage", "clientAuth")) return x509::Purpose::client;
  return x509::Purpose::any;  // the schema: the list constrains; an empty one does not
}

uint16_t key_usage_of(const json& test) {
  constexpr const char* kNames[] = {"digitalSignature", "contentCommitment", "keyEncipherment",
                                    "dataEncipherment", "keyAgreement",      "keyCertSign",
                                    "cRLSign",          "encipherOnly",      "decipherOnly"};
  uint16_t bits = 0;
  for (size_t bit = 0; bit < std::size(kNames); bit++) {
    if (lists(test, "key_usage", kNames[bit])) bits = static_cast<uint16_t>(bits | 1u << bit);
  }
  return bits;
}

/// "2024-04-01T00:00:00.005000+00:00" or "...Z"; null is the present.
UnixTime time_of(const json& test) {
  using namespace std::chrono;
  if (!test.contains("validation_time") || test.at("validation_time").is_null()) {
    return UnixTime::from_milliseconds(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  }
  const auto text = test.at("validation_time").get<std::string>();
  int year = 0, day_hour = 0, minute = 0, second = 0, size = 0;
  unsigned month = 0, day_of_month = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d%n", &year, &month, &day_of_month, &day_hour, &minute, &second,
                  &size) != 6) {
    throw std::invalid_argument("no time: " + text);
  }
  std::string rest = text.substr(static_cast<size_t>(size));
  int64_t milliseconds_part = 0;
  if (rest.starts_with('.')) {
    const size_t end = rest.find_first_not_of("0123456789", 1);
    milliseconds_part = std::stoll((rest.substr(1, end - 1) + "000").substr(0, 3));
    rest = end == std::string::npos ? "" : rest.substr(end);
  }
  if (rest != "Z" && rest != "+00:00") throw std::invalid_argument("no time in UTC: " + text);
  const sys_days days = std::chrono::year(year) / month / day_of_month;
  const int64_t seconds = days.time_since_epoch().count() * int64_t{86'400} + day_hour * 3'600 + minute * 60 + second;
  return UnixTime::from_milliseconds(seconds * 1'000 + milliseconds_part);
}

Result<x509::Certificate> certificate_of(const json& pem) {
  const auto blocks = x509::parse_pem(pem.get_ref<const std::string&>());
  if (!blocks) return std::unexpected(blocks.error());
  if (blocks->size() != 1) return x509::refuse(x509::Failure::malformed, "not one certificate");
  return x509::Certificate::parse(blocks->front().contents);
}

x509::TrustStore anchors_of(const json& test) {
  x509::TrustStore anchors;
  for (const json& pem : test.at("trusted_certs")) {
    if (auto certificate = certificate_of(pem)) anchors.add(std::move(*certificate));
  }
  return anchors;
}

Result<x509::Path> verify(const json& test, const x509::TrustStore& anchors) {
  std::vector<x509::Certificate> chain;
  auto leaf = certificate_of(test.at("peer_certificate"));
  if (!leaf) return std::unexpected(leaf.error());
  chain.push_back(std::move(*leaf));
  for (const json& pem : test.at("untrusted_intermediates")) {
    if (auto certificate = certificate_of(pem)) chain.push_back(std::move(*certificate));
  }
  x509::VerifyOptions options;
  options.purpose = purpose_of(test);
  options.profile = profile_of(test.at("id").get<std::string>());
  options.now = time_of(test);
  options.key_usage = key_usage_of(test);
  options.anchor_constraints = !lists(test, "features", "trust-anchor-constraints-ignored");
  std::string host;
  if (test.contains("expected_peer_name") && test.at("expected_peer_name").is_object()) {
    if (test.at("expected_peer_name").at("kind") != "RFC822") host = test.at("expected_peer_name").at("value");
  }
  options.host = host;
  if (test.contains("max_chain_depth") && test.at("max_chain_depth").is_number()) {
    options.depth_max = test.at("max_chain_depth").get<size_t>();
  }
  const auto path = x509::verify_chain(crypto::best(), chain, anchors, options);
  if (!path) return std::unexpected(path.error());
  return x509::Path();  // the certificates end here
}

/// Why the result may be another than the expected one; null when it must not.
const char* difference_of(const json& test, const Result<x509::Path>& result) {
  // Other verifiers took some of these in their time.
  const bool weak = !result && result.error().domain == ErrorDomain::certificate &&
                    result.error().code == static_cast<uint64_t>(x509::Failure::weak);
  if (weak) return "SHA-1 signatures and RSA keys below 2048 bits are refused";
  for (const Difference& difference : kDifferences) {
    if (lists(test, "features", difference.feature)) return difference.reason;
  }
  return nullptr;
}

void run_limbo(const json& file, Report& report) {
  for (const json& test : file.at("testcases")) {
    const auto expected = test.at("expected_result").get<std::string>();
    if (expected != "SUCCESS" && expected != "FAILURE") throw std::invalid_argument("no result " + expected);
    const x509::TrustStore anchors = anchors_of(test);
    const auto result = verify(test, anchors);
    const bool as_expected = result.has_value() == (expected == "SUCCESS");
    const auto id = test.at("id").get<std::string>();
    if (const char* reason = difference_of(test, result); reason && !as_expected) {
      report.differ(id, reason);
      continue;
    }
    report.check(
        as_expected,
        id + " (" + (result ? std::string("accepted") : std::string("refused: ") + result.error().reason) + ")");
  }
}

}  // namespace

Handler x509_handler(const json& file) {
  if (!file.contains("testcases") || !file.at("testcases").is_array() || file.at("testcases").empty()) return nullptr;
  const json& first = file.at("testcases").front();
  return first.is_object() && first.contains("peer_certificate") && first.contains("trusted_certs") ? run_limbo
                                                                                                    : nullptr;
}

}  // namespace quoll::vectors
