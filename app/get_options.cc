#include "app/get_options.h"

#include <algorithm>

#include "app/commands.h"
#include "app/get_data.h"
#include "app/text.h"
#include "base/bytes.h"
#include "base/version.h"
#include "http/characters.h"
#include "tls/x509/pem.h"

namespace quoll::app {
namespace {

constexpr bool kRare = true;

constexpr Option kOptions[] = {
    {"output", 'o', "FILE", "write the body there (default: standard output)"},
    {"remote-name", 'O', "", "write it to a file named as the URL's path ends"},
    {"output-dir", 0, "DIR", "put files there; without -o, implies -O"},
    {"insecure", 'k', "", "do not verify who the server is"},
    {"cacert", 0, "FILE", "trust these authorities, not the system's"},
    {"head", 'I', "", "HEAD: print the response's head"},
    {"location", 'L', "", "follow redirects"},
    {"verbose", 'v', "", "tell on stderr what happens"},
    {"silent", 's', "", "no progress bar and no messages"},
    {"fail", 'f', "", "exit code 22 and no body from status 400 on"},
    {"header", 'H', "LINE", "'NAME: VALUE': a field; 'NAME:' removes one"},
    {"request", 'X', "METHOD", "the request's method"},
    {"data", 'd', "DATA|@FILE", "POST this; several are joined by &"},
    {"upload-file", 'T', "FILE", "PUT this; - is standard input"},
    {"parallel", 'Z', "", "all URLs at a time"},
    {"continue-at", 'C', "OFFSET", "go on with a partial file; - is where it ends"},
    {"write-out", 'w', "FORMAT", "print in the end: '%{http_code} %{time_total}'"},
    {"session", 0, "FILE", "keep what resumes connections there"},

    {"0rtt", 0, "", "send requests that are safe in the first flight (wants --session)", kRare},
    {"pin", 0, "PIN",
     "the server's key: base64 of the SHA-256 of its SPKI, as `quoll cert show` prints it; may be repeated", kRare},
    {"keylog", 0, "FILE", "append the connections' secrets, for Wireshark (default: $SSLKEYLOGFILE)", kRare},
    {"qlog", 0, "DIR", "write a qlog file for each connection (default: $QLOGDIR)", kRare},
    {"quic-version", 0, "v1|v2", "this version of QUIC and no other", kRare},
    rare(kCongestionOption),
    rare(kInitialWindowOption),
    {"cipher", 0, "NAME", "aes128, aes256 or chacha20, and no other", kRare},
    {"resolve", 0, "HOST:PORT:ADDR[,ADDR]", "addresses for a host; * is any", kRare},
    {"connect-to", 0, "HOST1:PORT1:HOST2:PORT2", "go to HOST2 where the URL says HOST1", kRare},
    {"ipv4", '4', "", "IPv4 alone", kRare},
    {"ipv6", '6', "", "IPv6 alone", kRare},
    {"connect-timeout", 0, "SECONDS", "for the handshake, name lookup included", kRare},
    {"max-time", 'm', "SECONDS", "for each URL, redirects included", kRare},
    {"max-redirs", 0, "N", "redirects to follow at most (default: 50)", kRare},
    {"parallel-max", 0, "N", "requests at a time with -Z (default: 50)", kRare},
    {"show-error", 'S', "", "messages in spite of -s", kRare},
    {"fail-with-body", 0, "", "as --fail, but the body is written", kRare},
    {"fail-early", 0, "", "no further URL after one that fails", kRare},
    {"include", 'i', "", "the response's head before the body", kRare},
    {"dump-header", 'D', "FILE", "the heads of responses go there", kRare},
    {"create-dirs", 0, "", "make the folders of -o and --output-dir", kRare},
    {"remote-header-name", 'J', "", "with -O: the name that the server gives the file", kRare},
    {"remote-time", 'R', "", "the file gets the time of its Last-Modified", kRare},
    {"no-progress-meter", 0, "", "no progress bar", kRare},
    {"range", 'r', "RANGE", "these bytes alone: 0-499, 500-, -500", kRare},
    {"max-filesize", 0, "BYTES", "no body larger than this; k, M, G may follow", kRare},
    {"data-raw", 0, "DATA", "as -d, but @ means nothing", kRare},
    {"data-binary", 0, "DATA|@FILE", "as -d, but the file goes as it is", kRare},
    {"data-urlencode", 0, "[NAME=]TEXT|[NAME]@FILE", "as -d, percent-encoded", kRare},
    {"form", 'F', "NAME=CONTENT|@FILE|<FILE", "POST this as a part of a form; may be repeated", kRare},
    {"form-string", 0, "NAME=CONTENT", "as -F, but @, < and ; mean nothing", kRare},
    {"json", 0, "DATA|@FILE", "as --data-binary, as application/json", kRare},
    {"get", 'G', "", "what -d gives goes into the URL's query, by GET", kRare},
    {"url", 0, "URL", "one more URL", kRare},
    {"cookie", 'b', "NAME=VALUE", "the Cookie field; several are joined", kRare},
    {"retry", 0, "N", "try again, so many times, what may pass by itself", kRare},
    {"retry-delay", 0, "SECONDS", "wait so long before each try (default: 1, 2, 4, ...)", kRare},
    {"retry-max-time", 0, "SECONDS", "no further try after so long", kRare},
    {"retry-all-errors", 0, "", "try again whatever went wrong on the way", kRare},
    {"retry-connrefused", 0, "", "accepted: that is tried again anyway", kRare},
    {"compressed", 0, "", "ask for bodies without a coding: none is decoded here", kRare},
    {"user", 'u', "USER:PASSWORD", "basic authentication", kRare},
    {"user-agent", 'A', "TEXT", "the User-Agent field; empty: none", kRare},
    {"referer", 'e', "URL", "the Referer field", kRare},
    {"globoff", 'g', "", "accepted: URLs have no patterns here", kRare},
    {"no-buffer", 'N', "", "accepted: what comes is written at once", kRare},
    {"progress-bar", '#', "", "accepted: the progress bar is one", kRare},
    {"proto", 0, "LIST", "accepted: nothing but https is spoken here", kRare},
    {"tlsv1.2", 0, "", "accepted: QUIC has TLS 1.3", kRare},
    {"tlsv1.3", 0, "", "accepted: QUIC has TLS 1.3", kRare},
    {"http3", 0, "", "accepted: there is nothing else here", kRare},
    {"http3-only", 0, "", "accepted: there is nothing else here", kRare},
};

constexpr Usage kUsage = {.command = "quoll get",
                          .operands = "URL...",
                          .summary = "Transfers URLs by HTTP/3, with curl's habits and exit codes.",
                          .options = kOptions,
                          .operands_max = 100'000};

/// Takes the part before the next ':' off the front; a ':' within brackets does not count. Brackets are dropped.
std::optional<std::string_view> take_part(std::string_view& text) {
  const size_t from = text.starts_with('[') ? text.find(']') : 0;
  if (from == std::string_view::npos) return {};
  const size_t end = text.find(':', from);
  if (end == std::string_view::npos) return {};
  std::string_view part = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (part.starts_with('[')) {
    if (!part.ends_with(']')) return {};
    part = part.substr(1, part.size() - 2);
  }
  return part;
}

std::string_view without_brackets(std::string_view text) {
  return text.starts_with('[') && text.ends_with(']') ? text.substr(1, text.size() - 2) : text;
}

/// A port; empty text is none, which is fine.
bool parse_port(std::string_view text, std::optional<uint16_t>& port) {
  if (text.empty()) return true;
  const auto number = parse_number(text, UINT16_MAX);
  if (number) port = static_cast<uint16_t>(*number);
  return number && *number != 0;
}

struct Suite {
  std::string_view name, tls_name;
  tls::CipherSuite suite;
};
constexpr Suite kSuites[] = {
    {"aes128", "TLS_AES_128_GCM_SHA256", tls::CipherSuite::aes_128_gcm_sha256},
    {"aes256", "TLS_AES_256_GCM_SHA384", tls::CipherSuite::aes_256_gcm_sha384},
    {"chacha20", "TLS_CHACHA20_POLY1305_SHA256", tls::CipherSuite::chacha20_poly1305_sha256},
};

/// Fills GetOptions from the arguments; each function gives what is wrong, or an empty text.
class Reader {
 public:
  Reader(const Arguments& arguments, GetOptions& options) : arguments_(arguments), options_(options) {}

  std::string run() {
    take_flags();
    take_texts();
    take_targets();
    for (const auto step : {&Reader::take_numbers, &Reader::take_rules, &Reader::take_choices, &Reader::check}) {
      if (std::string wrong = (this->*step)(); !wrong.empty()) return wrong;
    }
    return {};
  }

 private:
  void take_flags() {
    const std::pair<const char*, bool*> flags[] = {
        {"create-dirs", &options_.create_dirs}, {"head", &options_.head},
        {"location", &options_.follow},         {"fail", &options_.fail},
        {"fail-early", &options_.fail_early},   {"fail-with-body", &options_.fail_with_body},
        {"silent", &options_.silent},           {"show-error", &options_.show_error},
        {"verbose", &options_.verbose},         {"include", &options_.include},
        {"parallel", &options_.parallel},       {"insecure", &options_.insecure},
        {"0rtt", &options_.early_data},         {"get", &options_.data_in_query},
        {"compressed", &options_.compressed},   {"retry-all-errors", &options_.retry.all_errors},
        {"remote-time", &options_.remote_time}, {"remote-header-name", &options_.remote_header_name}};
    for (const auto& [name, flag] : flags) *flag = arguments_.has(name);
    options_.progress = !options_.silent && !arguments_.has("no-progress-meter");
    if (arguments_.has("ipv4") != arguments_.has("ipv6")) {
      options_.ipv4 = arguments_.has("ipv4");
      options_.ipv6 = arguments_.has("ipv6");
    }
  }

  void take_texts() {
    const std::pair<const char*, std::string*> texts[] = {
        {"output-dir", &options_.output_dir},   {"request", &options_.method},      {"user-agent", &options_.agent},
        {"referer", &options_.referer},         {"user", &options_.user},           {"range", &options_.range},
        {"dump-header", &options_.dump_header}, {"write-out", &options_.write_out}, {"session", &options_.session_file},
        {"keylog", &options_.key_log},          {"qlog", &options_.qlog_directory}};
    for (const auto& [name, text] : texts) *text = std::string(arguments_.value(name).value_or(*text));
    for (const std::string_view field : arguments_.values("header")) options_.fields.emplace_back(field);
    for (const std::string_view file : arguments_.values("cacert")) options_.authorities.emplace_back(file);
    if (const auto file = arguments_.value("upload-file")) options_.upload = std::string(*file);
    for (const std::string_view url : arguments_.operands()) options_.urls.emplace_back(url);
    for (const std::string_view url : arguments_.values("url")) options_.urls.emplace_back(url);
    for (const std::string_view pair : arguments_.values("cookie")) {
      if (!options_.cookie.empty()) options_.cookie += "; ";
      options_.cookie += pair;
    }
  }

  /// The n-th of -o and -O is for the n-th URL. Beyond curl, -O goes on for the URLs that are left.
  void take_targets() {
    for (const Arguments::Given& given : arguments_.given()) {
      if (given.option->name == "remote-name") options_.targets.push_back({Target::Kind::remote_name, {}});
      if (given.option->name != "output") continue;
      if (given.value == "-") {
        options_.targets.push_back({});
      } else {
        options_.targets.push_back({Target::Kind::file, std::string(given.value)});
      }
    }
    options_.remote_names = arguments_.has("remote-name") || (arguments_.has("output-dir") && options_.targets.empty());
  }

  std::string take_numbers() {
    if (const auto text = arguments_.value("max-redirs")) {
      const auto number = parse_number(*text, 100'000);
      if (!number) return "--max-redirs wants a number, not " + std::string(*text);
      options_.redirects_max = static_cast<size_t>(*number);
    }
    if (const auto text = arguments_.value("parallel-max")) {
      const auto number = parse_number(*text, kParallelMax);
      if (!number || *number == 0) return "--parallel-max wants a number from 1 to 300, not " + std::string(*text);
      options_.parallel_max = static_cast<size_t>(*number);
    }
    if (const auto text = arguments_.value("continue-at")) {
      options_.continues = true;
      if (*text != "-") options_.continue_at = parse_number(*text, INT64_MAX);
      if (*text != "-" && !options_.continue_at) return "-C wants a number of bytes, or -, not " + std::string(*text);
    }
    if (const auto text = arguments_.value("retry")) {
      const auto number = parse_number(*text, kRetriesMax);
      if (!number) return "--retry wants a number, not " + std::string(*text);
      options_.retry.count = static_cast<size_t>(*number);
    }
    if (const auto text = arguments_.value("max-filesize")) {
      options_.size_max = parse_size(*text);
      if (!options_.size_max) return "--max-filesize wants a number of bytes, not " + std::string(*text);
    }
    return take_durations();
  }

  /// curl: 0 is no limit.
  std::string take_durations() {
    const std::pair<const char*, std::optional<Duration>*> limits[] = {{"max-time", &options_.time_limit},
                                                                       {"connect-timeout", &options_.connect_limit},
                                                                       {"retry-delay", &options_.retry.delay},
                                                                       {"retry-max-time", &options_.retry.time_limit}};
    for (const auto& [name, limit] : limits) {
      const auto text = arguments_.value(name);
      if (!text || *text == "0") continue;
      *limit = parse_seconds(*text);
      if (!*limit) return "--" + std::string(name) + " wants seconds, not " + std::string(*text);
    }
    return {};
  }

  std::string take_rules() {
    for (const std::string_view text : arguments_.values("resolve")) {
      auto rule = parse_resolve_rule(text);
      if (!rule) return "--resolve wants HOST:PORT:ADDRESS, not " + std::string(text);
      options_.resolve.push_back(std::move(*rule));
    }
    for (const std::string_view text : arguments_.values("connect-to")) {
      auto rule = parse_connect_rule(text);
      if (!rule) return "--connect-to wants HOST1:PORT1:HOST2:PORT2, not " + std::string(text);
      options_.connect_to.push_back(std::move(*rule));
    }
    for (const std::string_view text : arguments_.values("pin")) {
      const auto pin = parse_spki_pin(text);
      if (!pin) return "--pin wants the base64 of 32 bytes, not " + std::string(text);
      options_.pins.push_back(*pin);
    }
    return {};
  }

  std::string take_choices() {
    if (const auto text = arguments_.value("quic-version")) {
      if (*text != "v1" && *text != "v2") return "--quic-version is v1 or v2, not " + std::string(*text);
      options_.version = *text == "v1" ? quic::Version::v1 : quic::Version::v2;
    }
    if (std::string wrong = read_sending_options(arguments_, options_.sending); !wrong.empty()) return wrong;
    if (const auto text = arguments_.value("cipher")) {
      options_.cipher = parse_cipher(*text);
      if (!options_.cipher) return "--cipher is aes128, aes256 or chacha20, not " + std::string(*text);
    }
    return {};
  }

  /// What does not go together.
  std::string check() {
    const auto method = arguments_.value("request");
    if (method && !http::is_token(*method)) return "-X wants a method, not '" + std::string(*method) + "'";
    for (const Target& target : options_.targets) {
      if (target.kind == Target::Kind::file && target.path.empty()) return "-o wants a file's name";
    }
    if (options_.urls.empty()) return "URL... is missing";
    const bool has_data =
        std::ranges::any_of(arguments_.given(), [](const auto& each) { return is_data(*each.option); });
    if (options_.data_in_query && !has_data) return "-G wants -d, whose data it puts into the URL";
    if (options_.data_in_query && options_.upload) return "-G and -T exclude each other";
    const bool sends_data = has_data && !options_.data_in_query;
    const bool has_form = arguments_.has("form") || arguments_.has("form-string");
    if (options_.data_in_query && has_form) return "-G and -F exclude each other";
    if (int{sends_data} + int{has_form} + int{options_.upload.has_value()} + int{options_.head} > 1)
      return "of -d, -F, -T and -I only one can be";
    if (options_.remote_header_name && !options_.remote_names) return "-J wants -O";
    if (options_.remote_header_name && options_.continues) return "-C and -J exclude each other";
    if (options_.continues && !options_.range.empty()) return "-C and -r exclude each other";
    if (options_.continues && (sends_data || has_form || options_.upload)) return "-C is for downloads";
    if (options_.range.find_first_not_of("0123456789-,") != std::string::npos)
      return "-r wants bytes such as 0-499, 500- or -500, not " + options_.range;
    if (options_.retry.count == 0) {
      for (const char* const other : {"retry-delay", "retry-max-time", "retry-all-errors"}) {
        if (arguments_.has(other)) return "--" + std::string(other) + " wants --retry N";
      }
    }
    for (const std::string_view part : arguments_.values("form")) {
      if (!parse_form_part(part)) return "-F wants NAME=CONTENT or NAME=@FILE, not " + std::string(part);
    }
    for (const std::string_view part : arguments_.values("form-string")) {
      if (part.find('=') == std::string_view::npos || part.starts_with('='))
        return "--form-string wants NAME=CONTENT, not " + std::string(part);
    }
    for (const std::string_view pair : arguments_.values("cookie")) {
      if (pair.find('=') == std::string_view::npos)
        return "-b wants NAME=VALUE, not " + std::string(pair) + ": files of cookies are not read";
    }
    if (options_.early_data && options_.session_file.empty())
      return "--0rtt wants --session FILE, which keeps what it needs between two runs";
    if (!options_.user.empty() && options_.user.find(':') == std::string::npos) return "-u wants USER:PASSWORD";
    if (options_.urls.size() < options_.targets.size()) return "there are more -o and -O than URLs";
    return {};
  }

  const Arguments& arguments_;
  GetOptions& options_;
};

}  // namespace

std::expected<GetOptions, int> GetOptions::parse(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kUsage, arguments);
  if (!parsed) return std::unexpected(parsed.error());
  GetOptions options;
  options.agent = std::string("quoll/") + kVersion;
  if (const std::string wrong = Reader(*parsed, options).run(); !wrong.empty())
    return std::unexpected(wrong_usage(kUsage, wrong));
  if (const int code = read_data(*parsed, options); code != 0) return std::unexpected(code);
  if (const int code = read_form(*parsed, options); code != 0) return std::unexpected(code);
  if (options.write_out.starts_with('@')) {
    auto text = read_named_file(std::string_view(options.write_out).substr(1));
    if (!text) return std::unexpected(text.error());
    options.write_out = std::move(*text);
  }
  return options;
}

const Usage& get_usage() { return kUsage; }

std::optional<ResolveRule> parse_resolve_rule(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);  // curl: an entry that ages, which none does here
  const auto host = take_part(text);
  const auto port = host ? take_part(text) : std::nullopt;
  if (!port || host->empty()) return {};
  ResolveRule rule{.host = lower_case(*host)};
  std::optional<uint16_t> number;
  if (!parse_port(*port, number) || !number) return {};
  rule.port = *number;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const auto address = IpAddress::parse(without_brackets(text.substr(0, end)));
    if (!address) return {};
    rule.addresses.push_back(*address);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (rule.addresses.empty()) return {};
  return rule;
}

std::optional<ConnectRule> parse_connect_rule(std::string_view text) {
  const auto from_host = take_part(text);
  const auto from_port = from_host ? take_part(text) : std::nullopt;
  const auto to_host = from_port ? take_part(text) : std::nullopt;
  if (!to_host) return {};
  ConnectRule rule{.from_host = lower_case(*from_host), .to_host = lower_case(*to_host)};
  if (!parse_port(*from_port, rule.from_port) || !parse_port(text, rule.to_port)) return {};
  return rule;
}

std::optional<Duration> parse_seconds(std::string_view text) {
  const size_t dot = std::min(text.find('.'), text.size());
  std::string_view fraction = text.substr(std::min(dot + 1, text.size()));
  constexpr uint64_t kSecondsMax = 1'000'000'000;
  uint64_t seconds = 0;
  if (dot != 0) {
    const auto number = parse_number(text.substr(0, dot), kSecondsMax);
    if (!number) return {};
    seconds = *number;
  }
  if (dot < text.size() && fraction.empty()) return {};
  uint64_t nanoseconds = 0, unit = 100'000'000;
  for (const char c : fraction) {
    if (c < '0' || c > '9') return {};
    nanoseconds += static_cast<uint64_t>(c - '0') * unit;
    unit /= 10;
  }
  const Duration sum =
      Duration::seconds(static_cast<int64_t>(seconds)) + Duration::nanoseconds(static_cast<int64_t>(nanoseconds));
  if (sum.is_zero()) return {};
  return sum;
}

std::optional<tls::CipherSuite> parse_cipher(std::string_view text) {
  for (const Suite& each : kSuites) {
    if (text == each.name || text == each.tls_name) return each.suite;
  }
  return {};
}

std::optional<uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "kmgt";
  unsigned shift = 0;
  if (const size_t unit = text.empty() ? std::string_view::npos : kUnits.find(http::to_lower(text.back()));
      unit != std::string_view::npos) {
    shift = 10 * (static_cast<unsigned>(unit) + 1);
    text.remove_suffix(1);
  }
  const auto number = parse_number(text, UINT64_MAX >> shift);
  if (!number) return {};
  return *number << shift;
}

std::optional<x509::SpkiPin> parse_spki_pin(std::string_view text) {
  for (const std::string_view prefix : {"sha256//", "sha256/"}) {
    if (!text.starts_with(prefix)) continue;
    text.remove_prefix(prefix.size());
    break;
  }
  const auto bytes = x509::base64_decode(text);
  x509::SpkiPin pin;
  if (!bytes || bytes->size() != pin.size()) return {};
  copy_bytes(pin.data(), *bytes);
  return pin;
}

}  // namespace quoll::app
