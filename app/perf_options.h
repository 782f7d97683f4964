// The command lines of `quoll perf serve` and `quoll perf get`, understood.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/options.h"
#include "app/perf.h"
#include "app/sending_options.h"
#include "app/serve_options.h"
#include "base/time.h"
#include "http/url.h"
#include "quic/connection/config.h"
#include "tls/codepoints.h"

namespace quoll::app {

/// What both sides set of the transport.
struct PerfTransport {
  SendingOptions sending{};
  std::optional<uint64_t> window{};  // bytes: the largest receive window of a stream; empty: the library's

  quic::TransportConfig config() const;
};

struct PerfServeOptions {
  std::vector<SocketAddress> listen{};
  std::vector<CertificateFiles> certificates{};  // empty: one is made
  size_t workers = 1;
  PerfTransport transport{};
  bool cold = false;
};

struct PerfGetOptions {
  static constexpr uint64_t kConnectionsMax = 100'000, kStreamsMax = 10'000, kRequestsMax = 1'000'000'000'000;

  PerfWork work = PerfWork::transfers;
  http::Url url;
  bool foreign = false;  // --h3: the URL is asked for as it is, and the server for nothing else
  size_t connections = 1;
  size_t streams = 1;
  uint64_t requests = 1;
  std::optional<Duration> time{};  // instead of a number of requests
  uint64_t size = 0;               // bytes of each answer, or of each request with `upload`
  bool upload = false;
  bool resume = false, early_data = false;
  bool cold = false;
  bool json = false;
  bool ipv4 = true, ipv6 = true;
  std::vector<std::string> authorities{};  // empty: whoever is there
  std::optional<tls::CipherSuite> cipher{};
  PerfTransport transport{};

  /// The path of the requests.
  std::string path() const;
};

extern const Usage kPerfServeUsage, kPerfGetUsage;

// What is wrong, in a line for a person; or an empty text.
std::string read_perf_serve_options(const Arguments& arguments, PerfServeOptions& options);
std::string read_perf_get_options(const Arguments& arguments, PerfGetOptions& options);

}  // namespace quoll::app
