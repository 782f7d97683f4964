#include "app/perf_options.h"

#include <algorithm>
#include <thread>

#include "app/get_options.h"
#include "app/perf.h"

namespace quoll::app {
namespace {

constexpr uint64_t kWindowMin = 64 * 1024, kWindowMax = uint64_t{4} << 30;
constexpr uint64_t kTransferDefault = uint64_t{1} << 30;  // bytes
constexpr uint64_t kHandshakesDefault = 1000;
constexpr uint64_t kWorkersMax = 256;
constexpr std::string_view kDefaultUrl = "https://localhost:4433/";
constexpr std::string_view kDefaultListen = "localhost:4433";
constexpr IpAddress kAny6 = IpAddress::v6({});

constexpr Option kServeOptions[] = {
    {"listen", 'l', "ADDR:PORT", "where; may be repeated (default: localhost:4433)"},
    {"cert", 0, "FILE", "the certificate chain (default: one is made)"},
    {"key", 0, "FILE", "its private key"},
    {"workers", 'w', "N", "threads; 0: one a processor (default: 1)"},
    kCongestionOption,
    kInitialWindowOption,
    {"window", 0, "SIZE", "the largest receive window of a stream"},
    {"cold", 0, "", "send from memory that no cache holds"},
};

constexpr Option kGetOptions[] = {
    {"connections", 'c', "N", "connections at a time (default: 1)"},
    {"streams", 'm', "N", "requests at a time on each (default: 1)"},
    {"requests", 'n', "N", "requests in all (default: one for each stream)"},
    {"time", 't', "SECONDS", "instead of -n: as many as there is time for"},
    {"size", 's', "SIZE", "bytes of each answer (default: 1G)"},
    {"upload", 'u', "", "send these bytes instead of asking for them"},
    {"handshakes", 0, "", "each request on a new connection (of 1 byte, 1000)"},
    {"resume", 0, "", "with --handshakes: by tickets of former connections"},
    {"0rtt", 0, "", "with --resume: and requests go in the first flight"},
    {"idle", 0, "", "open the connections and ask for their memory"},
    {"h3", 0, "URL", "load this URL, of any server"},
    {"json", 0, "", "print the figures as JSON"},
    {"cacert", 0, "FILE", "trust these authorities (default: anybody)"},
    {"cipher", 0, "NAME", "aes128, aes256 or chacha20, and no other"},
    kCongestionOption,
    kInitialWindowOption,
    {"window", 0, "SIZE", "the largest receive window of a stream"},
    {"cold", 0, "", "with --upload: from memory that no cache holds"},
    {"ipv4", '4', "", "IPv4 alone"},
    {"ipv6", '6', "", "IPv6 alone"},
};

std::string read_transport(const Arguments& arguments, PerfTransport& transport) {
  if (std::string wrong = read_sending_options(arguments, transport.sending); !wrong.empty()) return wrong;
  if (const auto text = arguments.value("window")) {
    transport.window = parse_size(*text);
    if (!transport.window || *transport.window < kWindowMin || *transport.window > kWindowMax)
      return "--window wants 64k to 4G bytes, not " + std::string(*text);
  }
  return {};
}

std::string read_url(const Arguments& arguments, PerfGetOptions& options) {
  const auto foreign = arguments.value("h3");
  options.foreign = foreign.has_value();
  if (foreign && !arguments.operands().empty()) return "--h3 names the URL: there is no other one";
  std::string_view text = foreign.value_or(kDefaultUrl);
  if (!arguments.operands().empty()) text = arguments.operands()[0];
  auto url = http::Url::parse(text);
  if (!url) return std::string(text) + ": " + url.error().reason;
  if (url->scheme != "https") return std::string(text) + ": HTTP/3 is for https URLs";
  options.url = std::move(*url);
  return {};
}

std::string read_counts(const Arguments& arguments, PerfGetOptions& options) {
  uint64_t connections = 1, streams = 1;
  struct Count {
    const char* name;
    uint64_t* value;
    uint64_t largest;
  };
  const Count counts[] = {{"connections", &connections, PerfGetOptions::kConnectionsMax},
                          {"streams", &streams, PerfGetOptions::kStreamsMax},
                          {"requests", &options.requests, PerfGetOptions::kRequestsMax}};
  for (const Count& each : counts) {
    const auto text = arguments.value(each.name);
    if (!text) continue;
    const auto count = parse_number(*text, each.largest);
    if (!count || *count == 0)
      return std::string("--") + each.name + " wants a number from 1 to " + std::to_string(each.largest) + ", not " +
             std::string(*text);
    *each.value = *count;
  }
  options.connections = static_cast<size_t>(connections);
  options.streams = static_cast<size_t>(streams);
  if (!arguments.has("requests")) {
    options.requests = options.work == PerfWork::handshakes ? kHandshakesDefault : connections * streams;
  }
  if (const auto text = arguments.value("time")) {
    options.time = parse_seconds(*text);
    if (!options.time) return "--time wants seconds, not " + std::string(*text);
    if (arguments.has("requests")) return "--time and --requests are two ways to say when it ends: one will do";
    options.requests = PerfGetOptions::kRequestsMax;
  }
  return {};
}

std::string read_size(const Arguments& arguments, PerfGetOptions& options) {
  options.size = options.work == PerfWork::transfers ? kTransferDefault : 1;
  const auto text = arguments.value("size");
  if (!text) return {};
  const auto size = parse_size(*text);
  if (!size || *size > kPerfBodyMax) return "--size wants bytes, 4T at most, not " + std::string(*text);
  options.size = *size;
  return {};
}

std::string read_work(const Arguments& arguments, PerfGetOptions& options) {
  options.upload = arguments.has("upload");
  options.resume = arguments.has("resume");
  options.early_data = arguments.has("0rtt");
  options.cold = arguments.has("cold");
  if (arguments.has("handshakes")) options.work = PerfWork::handshakes;
  if (arguments.has("idle")) {
    if (options.work == PerfWork::handshakes) return "--handshakes and --idle do not go together";
    options.work = PerfWork::idle;
    for (const char* const other : {"streams", "requests", "time", "upload"}) {
      if (arguments.has(other)) return std::string("--") + other + " and --idle do not go together";
    }
  }
  if (options.work == PerfWork::handshakes && arguments.has("streams"))
    return "--handshakes has one request on each connection: --streams means nothing";
  if (options.resume && options.work != PerfWork::handshakes) return "--resume wants --handshakes";
  if (options.early_data && !options.resume) return "--0rtt wants --resume";
  if (options.early_data && options.upload) return "--0rtt is for requests without a body";
  if (options.cold && !options.upload) return "--cold wants --upload; what is downloaded is the server's";
  return {};
}

std::string read_rest(const Arguments& arguments, PerfGetOptions& options) {
  options.json = arguments.has("json");
  if (arguments.has("ipv4") && arguments.has("ipv6")) return "--ipv4 and --ipv6 leave nothing";
  options.ipv4 = !arguments.has("ipv6");
  options.ipv6 = !arguments.has("ipv4");
  for (const std::string_view file : arguments.values("cacert")) options.authorities.emplace_back(file);
  if (const auto text = arguments.value("cipher")) {
    options.cipher = parse_cipher(*text);
    if (!options.cipher) return "--cipher is aes128, aes256 or chacha20, not " + std::string(*text);
  }
  return read_transport(arguments, options.transport);
}

}  // namespace

const Usage kPerfServeUsage = {
    .command = "quoll perf serve",
    .operands = "",
    .summary =
        "Serves HTTP/3 to be measured: GET /N is answered with N bytes, and the content of POST is swallowed.\n"
        "Prints `listening on https://...` when it is ready.",
    .options = kServeOptions};

const Usage kPerfGetUsage = {
    .command = "quoll perf get",
    .operands = "[URL]",
    .summary =
        "Loads `quoll perf serve` at the URL (default: https://localhost:4433/), or any server with --h3, "
        "and tells throughput, requests per second, latencies, processor time and memory.",
    .options = kGetOptions,
    .operands_max = 1};

quic::TransportConfig PerfTransport::config() const {
  quic::TransportConfig config;
  sending.apply(config);
  if (window) {
    quic::StreamLimits& limits = config.streams;
    limits.max_stream_window = *window;
    limits.max_connection_window = *window + *window / 2;
    limits.initial_stream_window = std::min(limits.initial_stream_window, limits.max_stream_window);
    limits.initial_connection_window = std::min(limits.initial_connection_window, limits.max_connection_window);
  }
  return config;
}

std::string PerfGetOptions::path() const {
  return foreign || upload ? url.request_target() : "/" + std::to_string(size);
}

std::string read_perf_serve_options(const Arguments& arguments, PerfServeOptions& options) {
  auto listen = arguments.values("listen");
  if (listen.empty()) listen.push_back(kDefaultListen);
  for (const std::string_view text : listen) {
    const std::vector<SocketAddress> addresses = parse_listen(text, {kAny6});
    if (addresses.empty())
      return "--listen wants ADDR:PORT such as 0.0.0.0:4433 or [::1]:4433, not " + std::string(text);
    options.listen.insert(options.listen.end(), addresses.begin(), addresses.end());
  }
  const auto chain = arguments.value("cert"), key = arguments.value("key");
  if (chain.has_value() != key.has_value()) return "--cert and --key belong together";
  if (chain) options.certificates.push_back({std::string(*chain), std::string(*key)});
  if (const auto text = arguments.value("workers")) {
    const auto count = parse_number(*text, kWorkersMax);
    if (!count) return "--workers wants a number up to " + std::to_string(kWorkersMax) + ", not " + std::string(*text);
    options.workers = *count == 0 ? std::max<size_t>(std::thread::hardware_concurrency(), 1) : *count;
  }
  options.cold = arguments.has("cold");
  return read_transport(arguments, options.transport);
}

std::string read_perf_get_options(const Arguments& arguments, PerfGetOptions& options) {
  for (const auto read : {read_work, read_url, read_counts, read_size, read_rest}) {
    if (std::string wrong = read(arguments, options); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace quoll::app
