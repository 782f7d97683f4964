// What `quoll serve` was asked for on its command line.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/access_log.h"
#include "app/options.h"
#include "app/sending_options.h"
#include "base/address.h"
#include "base/time.h"

namespace quoll::app {

struct CertificateFiles {
  std::string chain, key;
};

struct ServeOptions {
  std::vector<SocketAddress> listen;
  /// Nobody said where to listen: the two loopback addresses, and one of them is enough.
  bool listen_by_default = false;
  std::optional<std::string> root;  // empty: the demo site
  bool listing = false;
  std::string cache_control;
  std::vector<CertificateFiles> certificates;  // empty: one is made
  size_t workers = 1;
  bool retry = false;
  bool early_data = true;
  SendingOptions sending;
  bool kernel_paces = false;  // SO_TXTIME
  Duration drain = Duration::seconds(10);
  std::optional<std::string> access_log, key_log, qlog_directory;
  LogFormat log_format = LogFormat::common;
  std::optional<SocketAddress> metrics;
};

extern const Usage kServeUsage;

/// What is wrong, in a line for a person; or an empty text.
std::string read_serve_options(const Arguments& arguments, ServeOptions& options);

/// "ADDR:PORT", "[ADDR]:PORT", "localhost:PORT" (both loopback addresses), ":PORT" and "PORT" (any address). Empty: none of
/// these. `any`: what stands for an address that is not given.
std::vector<SocketAddress> parse_listen(std::string_view text, const std::vector<IpAddress>& any);

}  // namespace quoll::app
