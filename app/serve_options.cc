#include "app/serve_options.h"

#include <algorithm>
#include <thread>

#include "app/options.h"

namespace quoll::app {
namespace {

constexpr uint16_t kDefaultPort = 4433;
constexpr uint64_t kWorkersMax = 256;
constexpr uint64_t kDrainSecondsMax = 24 * 3600;

constexpr IpAddress kLoopback4 = IpAddress::v4({127, 0, 0, 1});
constexpr IpAddress kLoopback6 = IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
constexpr IpAddress kAny6 = IpAddress::v6({});

constexpr Option kOptions[] = {
    {"listen", 'l', "ADDR:PORT", "where; may be repeated (default: localhost:4433)"},
    {"root", 'r', "DIR", "the folder to serve (default: a demo site)"},
    {"listing", 0, "", "show what folders without an index.html hold"},
    {"cache-control", 0, "VALUE", "send this Cache-Control with files"},
    {"cert", 0, "FILE", "the certificate chain (default: one is made)"},
    {"key", 0, "FILE", "its private key; repeat both for more names"},
    {"workers", 'w', "N", "threads; 0: one a processor (default: 1)"},
    {"retry", 0, "", "let every client prove its address first"},
    {"no-0rtt", 0, "", "take no early data"},
    kCongestionOption,
    rare(kInitialWindowOption),
    rare({"txtime", 0, "", "let the kernel pace (wants the fq queueing discipline)"}),
    {"drain", 0, "SECONDS", "the time that open requests get at the end (10)"},
    {"access-log", 0, "FILE", "append a line for each request; - is stdout"},
    {"log-format", 0, "FORMAT", "common or json (default: common)"},
    {"metrics", 0, "[ADDR:]PORT", "answer Prometheus there (ADDR: 127.0.0.1)"},
    {"keylog", 0, "FILE", "append TLS secrets, for Wireshark ($SSLKEYLOGFILE)"},
    {"qlog", 0, "DIR", "write a qlog of each connection ($QLOGDIR)"},
};

std::string read_listen(const Arguments& arguments, ServeOptions& options) {
  for (const std::string_view text : arguments.values("listen")) {
    const std::vector<SocketAddress> addresses = parse_listen(text, {kAny6});
    if (addresses.empty())
      return "--listen wants ADDR:PORT such as 0.0.0.0:4433 or [::1]:4433, not " + std::string(text);
    options.listen.insert(options.listen.end(), addresses.begin(), addresses.end());
  }
  if (options.listen.empty()) {
    options.listen = {{kLoopback4, kDefaultPort}, {kLoopback6, kDefaultPort}};
    options.listen_by_default = true;
  }
  if (const auto text = arguments.value("metrics")) {
    const std::vector<SocketAddress> addresses = parse_listen(*text, {kLoopback4});
    if (addresses.empty()) return "--metrics wants ADDR:PORT or PORT, not " + std::string(*text);
    options.metrics = addresses.front();
  }
  return {};
}

std::string read_certificates_options(const Arguments& arguments, ServeOptions& options) {
  const auto chains = arguments.values("cert"), keys = arguments.values("key");
  if (chains.size() != keys.size()) return "--cert and --key belong together";
  for (size_t i = 0; i < chains.size(); i++)
    options.certificates.push_back({std::string(chains[i]), std::string(keys[i])});
  return {};
}

std::string read_numbers(const Arguments& arguments, ServeOptions& options) {
  if (const auto text = arguments.value("workers")) {
    const auto count = parse_number(*text, kWorkersMax);
    if (!count) return "--workers wants a number up to " + std::to_string(kWorkersMax) + ", not " + std::string(*text);
    options.workers = *count == 0 ? std::max<size_t>(std::thread::hardware_concurrency(), 1) : *count;
  }
  if (const auto text = arguments.value("drain")) {
    const auto seconds = parse_number(*text, kDrainSecondsMax);
    if (!seconds) return "--drain wants seconds, not " + std::string(*text);
    options.drain = Duration::seconds(static_cast<int64_t>(*seconds));
  }
  return {};
}

std::string read_names(const Arguments& arguments, ServeOptions& options) {
  if (std::string wrong = read_sending_options(arguments, options.sending); !wrong.empty()) return wrong;
  if (const auto text = arguments.value("log-format")) {
    if (*text != "common" && *text != "json") return "--log-format is common or json, not " + std::string(*text);
    options.log_format = *text == "json" ? LogFormat::json : LogFormat::common;
  }
  if (const auto text = arguments.value("cache-control")) {
    for (const char c : *text) {
      if (c < 0x20 || c > 0x7e) return "--cache-control wants a field value of printable characters";
    }
    options.cache_control = *text;
  }
  return {};
}

}  // namespace

const Usage kServeUsage = {.command = "quoll serve",
                           .operands = "",
                           .summary =
                               "Serves files over HTTP/3. Prints `listening on https://...` when it is ready.\n"
                               "SIGTERM and SIGINT let open requests end. SIGHUP reads certificates anew.",
                           .options = kOptions};

std::vector<SocketAddress> parse_listen(std::string_view text, const std::vector<IpAddress>& any) {
  if (const auto address = SocketAddress::parse(text)) return {*address};
  const size_t colon = text.rfind(':');
  const std::string_view host = colon == std::string_view::npos ? "" : text.substr(0, colon);
  const auto port = parse_number(colon == std::string_view::npos ? text : text.substr(colon + 1), UINT16_MAX);
  if (!port) return {};
  std::vector<SocketAddress> addresses;
  const auto add = [&](const IpAddress& ip) { addresses.push_back({.ip = ip, .port = static_cast<uint16_t>(*port)}); };
  if (host == "localhost") {
    add(kLoopback4);
    add(kLoopback6);
  } else if (host.empty() || host == "*") {
    for (const IpAddress& ip : any) add(ip);
  }
  return addresses;
}

std::string read_serve_options(const Arguments& arguments, ServeOptions& options) {
  for (const auto read : {read_listen, read_certificates_options, read_numbers, read_names}) {
    if (std::string wrong = read(arguments, options); !wrong.empty()) return wrong;
  }
  if (const auto root = arguments.value("root")) options.root = std::string(*root);
  if (options.root && options.root->empty()) return "--root wants a folder";
  if (!options.root) {
    for (const char* const other : {"listing", "cache-control"}) {
      if (arguments.has(other)) return std::string("--") + other + " wants --root";
    }
  }
  if (arguments.has("log-format") && !arguments.has("access-log")) return "--log-format wants --access-log";
  options.listing = arguments.has("listing");
  options.retry = arguments.has("retry");
  options.early_data = !arguments.has("no-0rtt");
  options.kernel_paces = arguments.has("txtime");
  if (const auto path = arguments.value("access-log")) options.access_log = std::string(*path);
  options.key_log = option_or_environment(arguments.value("keylog"), "SSLKEYLOGFILE");
  options.qlog_directory = option_or_environment(arguments.value("qlog"), "QLOGDIR");
  return {};
}

}  // namespace quoll::app
