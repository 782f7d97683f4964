// Environment: what the quic-interop-runner tells an endpoint, all of it in environment variables and mounted folders.
//
// ROLE, TESTCASE, REQUESTS (a client's URLs, with blanks between them), SSLKEYLOGFILE, QLOGDIR, CLIENT_PARAMS and
// SERVER_PARAMS. Beyond the runner's contract, for who has no container: WWW, DOWNLOADS, CERTS (folders, instead of /www,
// /downloads, /certs) and PORT (a server's, instead of 443).
//
// The parameters are words of the form NAME=VALUE; there is one so far: cc= with the name of a congestion controller.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/url.h"
#include "quic/congestion/make_controller.h"
#include "quic/wire/types.h"

namespace quoll::interop {

struct Environment {
  quic::Role role = quic::Role::client;
  std::string test_case;
  std::vector<http::Url> requests;  // of https, not empty for a client
  std::string key_log;              // empty: none
  std::string qlog_directory;       // empty: none
  std::string www, downloads, certificates;
  uint16_t port = 443;
  quic::CongestionAlgorithm congestion = quic::CongestionAlgorithm::bbr3;

  /// The value of a variable; empty when it is not set.
  using Variables = std::function<std::optional<std::string>(const char* name)>;
  /// The error is a line for a person.
  [[nodiscard]] static std::expected<Environment, std::string> read(const Variables& variables);
};

/// The name of the file that a URL asks for: the last segment of its path. Empty when that names none.
std::string file_name_of(const http::Url& url);

}  // namespace quoll::interop
