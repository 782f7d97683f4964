// quoll cert verify: whether a chain leads to an authority that is trusted, and if not, why.
#include <sys/stat.h>

#include <cstdio>
#include <string>

#include "app/cert.h"
#include "app/commands.h"
#include "os/trust.h"
#include "tls/x509/failure.h"
#include "tls/x509/name.h"
#include "tls/x509/pem.h"
#include "tls/x509/verify.h"

namespace quoll::app {
namespace {

using x509::Certificate;

constexpr Option kOptions[] = {
    {"ca", 0, "FILE",
     "authorities to trust, in a PEM or DER file or in a folder of\nsuch; may be repeated (default: the system's)"},
    {"host", 0, "NAME", "the DNS name or IP address that the certificate must carry (default: none is checked)"},
    {"time", 0, "TIME",
     "when it must be valid: 2026-11-21T12:00:00Z, 2026-11-21, or\nseconds since 1970 (default: now)"},
    {"purpose", 0, "WHAT", "server, client or any (default: server)"},
    {"profile", 0, "NAME",
     "rfc5280, strict or web: how much is demanded of authorities\n(default: strict; those that connect ask for "
     "rfc5280)"},
    {"pin", 0, "PIN",
     "base64 SHA-256 of a key (`quoll cert show` prints it) of which\nthe path must have one; may be repeated"},
    {"untrusted", 0, "FILE", "further certificates that the path may use; may be repeated"},
};

constexpr Usage kUsage = {
    .command = "quoll cert verify",
    .operands = "CHAIN.pem",
    .summary =
        "Verifies the first certificate of a file (- is standard input); those that follow may serve as "
        "intermediates. Prints the subjects of the path, or on stderr why there is none (exit code 1).",
    .options = kOptions,
    .operands_min = 1,
    .operands_max = 1};

template <class T>
struct Named {
  std::string_view name;
  T value;
};
constexpr Named<x509::Purpose> kPurposes[] = {
    {"server", x509::Purpose::server}, {"client", x509::Purpose::client}, {"any", x509::Purpose::any}};
constexpr Named<x509::Profile> kProfiles[] = {
    {"rfc5280", x509::Profile::rfc5280}, {"strict", x509::Profile::rfc5280_strict}, {"web", x509::Profile::web_pki}};

/// Replaces `value` by the one that the option names; false when it names none.
template <class T, size_t kCount>
bool choose(const Arguments& arguments, std::string_view option, const Named<T> (&all)[kCount], T& value) {
  const auto name = arguments.value(option);
  if (!name) return true;
  for (const Named<T>& one : all) {
    if (one.name != *name) continue;
    value = one.value;
    return true;
  }
  return false;
}

/// "mlc4jG...", or as curl writes it: "sha256//mlc4jG...".
std::optional<x509::SpkiPin> parse_pin(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256//";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  const auto bytes = x509::base64_decode(text);
  x509::SpkiPin pin;
  if (!bytes || bytes->size() != pin.size()) return std::nullopt;
  copy_bytes(pin.data(), *bytes);
  return pin;
}

struct Question {
  x509::VerifyOptions options;  // its pins are ours
  std::vector<x509::SpkiPin> pins;
};

/// Fills the question; what is wrong, or an empty text.
std::string make_question(const Arguments& arguments, Question& question) {
  x509::VerifyOptions& options = question.options;
  options.host = arguments.value("host").value_or("");
  if (arguments.has("host") && options.host.empty()) return "--host wants a name";
  const auto time = arguments.value("time");
  const auto parsed_time = time ? parse_time(*time) : now();
  if (!parsed_time)
    return "--time wants 2026-11-21T12:00:00Z, 2026-11-21 or seconds since 1970, not " + std::string(*time);
  options.now = *parsed_time;
  // A verdict on a chain is for those who made it: they hear of what other software may refuse.
  options.profile = x509::Profile::rfc5280_strict;
  if (!choose(arguments, "purpose", kPurposes, options.purpose)) {
    return "--purpose is server, client or any, not " + std::string(*arguments.value("purpose"));
  }
  // TLS servers and clients sign; a certificate for any purpose need not.
  if (options.purpose == x509::Purpose::any) options.key_usage = 0;
  if (!choose(arguments, "profile", kProfiles, options.profile)) {
    return "--profile is rfc5280, strict or web, not " + std::string(*arguments.value("profile"));
  }
  for (const std::string_view text : arguments.values("pin")) {
    const auto pin = parse_pin(text);
    if (!pin) return "--pin wants the base64 of 32 bytes, not " + std::string(text);
    question.pins.push_back(*pin);
  }
  options.pins = question.pins;
  return {};
}

bool is_folder(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// A bundle, a folder of such, or a DER file.
Result<void> load_authorities(std::string_view path, x509::TrustStore& anchors) {
  const std::string name(path);
  const auto loaded =
      is_folder(name) ? os::load_trust_directory(anchors, name.c_str()) : os::load_trust_file(anchors, name.c_str());
  if (loaded) return {};
  if (loaded.error().domain != ErrorDomain::certificate || is_folder(name)) return std::unexpected(loaded.error());
  auto certificates = read_certificates(path);
  if (!certificates) return std::unexpected(certificates.error());
  for (Certificate& certificate : *certificates) anchors.add(std::move(certificate));
  return {};
}

/// 0, or an exit code after an error that has been printed.
int load_anchors(const Arguments& arguments, x509::TrustStore& anchors) {
  if (!arguments.has("ca")) {
    const auto loaded = os::load_system_trust(anchors);
    return loaded ? 0 : failed(kUsage, "the system's authorities", loaded.error());
  }
  for (const std::string_view path : arguments.values("ca")) {
    if (const auto loaded = load_authorities(path, anchors); !loaded) return failed(kUsage, path, loaded.error());
  }
  return 0;
}

/// What the peer would have sent, and what stands beside it.
int load_chain(const Arguments& arguments, std::vector<Certificate>& chain) {
  std::vector<std::string_view> paths = arguments.values("untrusted");
  paths.insert(paths.begin(), arguments.operands()[0]);
  for (const std::string_view path : paths) {
    auto certificates = read_certificates(path);
    if (!certificates) return failed(kUsage, path, certificates.error());
    for (Certificate& certificate : *certificates) chain.push_back(std::move(certificate));
  }
  return 0;
}

/// What to say of a refusal. When nobody chose the profile, what any verifier would say comes first; and where nothing
/// but the profile stands in the way, it says so.
std::string refusal_text(const Arguments& arguments, std::span<const Certificate> chain,
                         const x509::TrustStore& anchors, const Question& question, const Error& error) {
  if (arguments.has("profile")) return error_text(error);
  x509::VerifyOptions lax = question.options;
  lax.profile = x509::Profile::rfc5280;
  const auto path = x509::verify_chain(crypto::best(), chain, anchors, lax);
  return path ? error_text(error) + " (--profile rfc5280 lets it pass)" : error_text(path.error());
}

void print_path(const x509::Path& path) {
  for (const Certificate* certificate : path.certificates) {
    const bool unnamed = x509::name_is_empty(certificate->subject);
    std::printf("%s\n", unnamed ? "(no subject)" : x509::name_text(certificate->subject).c_str());
  }
}

}  // namespace

int cert_verify(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kUsage, arguments);
  if (!parsed) return parsed.error();
  Question question;
  if (const std::string wrong = make_question(*parsed, question); !wrong.empty()) return wrong_usage(kUsage, wrong);
  x509::TrustStore anchors;
  std::vector<Certificate> chain;
  if (const int code = load_chain(*parsed, chain); code != 0) return code;
  if (const int code = load_anchors(*parsed, anchors); code != 0) return code;
  const auto path = x509::verify_chain(crypto::best(), chain, anchors, question.options);
  if (!path) {
    return failed(kUsage, parsed->operands()[0], refusal_text(*parsed, chain, anchors, question, path.error()));
  }
  print_path(*path);
  return 0;
}

}  // namespace quoll::app
