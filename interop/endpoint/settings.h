// What both roles configure by test case, from the library's own parts: transport, TLS, certificates, logs.
#pragma once

#include <deque>
#include <expected>
#include <memory>
#include <string>

#include "interop/endpoint/environment.h"
#include "interop/endpoint/test_case.h"
#include "quic/connection/config.h"
#include "quic/endpoint/config.h"
#include "tls/config.h"
#include "web/clock.h"
#include "web/connection_log.h"
#include "web/key_log_file.h"

namespace quoll::interop {

/// HTTP/0.9 over QUIC: a stream with "GET /path\r\n" for each request, answered by the file's bytes alone.
inline constexpr const char* kHqProtocol = "hq-interop";

quic::TransportConfig transport_for(TestCase test_case, const Environment& environment);
tls::Preferences preferences_for(TestCase test_case);

/// A client's: verifies against ca.pem, but only tells of what it finds, since the runner asks for no more.
std::shared_ptr<tls::ClientConfig> client_tls(TestCase test_case, const Environment& environment, tls::KeyLog* key_log);
/// cert.pem and priv.key. The error is a line for a person.
[[nodiscard]] std::expected<tls::Identities, std::string> server_identities(const Environment& environment);

/// Where the runner wants its key log and qlogs. Outlives the endpoints that use it.
class Logs {
 public:
  /// Of so many connections a trace is kept, and a file open.
  static constexpr size_t kTracedConnectionsMax = 500;

  [[nodiscard]] static std::expected<std::unique_ptr<Logs>, std::string> open(const Environment& environment);

  tls::KeyLog* key_log() { return key_log_.get(); }
  /// For EndpointConfig::trace; null when no qlog is wanted.
  std::function<TraceSink<quic::TraceEvent>*(quic::Role, const quic::ConnectionId&)> traces();
  const std::string& qlog_directory() const { return qlog_directory_; }
  web::WallClock& clock() { return clock_; }

 private:
  std::unique_ptr<web::KeyLogFile> key_log_;
  std::string qlog_directory_;
  web::WallClock clock_;
  std::deque<web::ConnectionLog> traces_;
};

/// One line on stderr.
void say(const std::string& text);

}  // namespace quoll::interop
