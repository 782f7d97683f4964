// The NSS key log format (draft-ietf-tls-keylogfile): how a user lets tshark read a capture. Only where he asked for it.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace quoll::tls {

class KeyLog {
 public:
  virtual ~KeyLog() = default;
  /// One line without its newline, such as "CLIENT_TRAFFIC_SECRET_0 <client random> <secret>".
  virtual void line(std::string_view text) = 0;
};

/// Labels of draft-ietf-tls-keylogfile §2.1.
inline constexpr std::string_view kClientEarlyTrafficSecret = "CLIENT_EARLY_TRAFFIC_SECRET";
inline constexpr std::string_view kEarlyExporterSecret = "EARLY_EXPORTER_SECRET";
inline constexpr std::string_view kClientHandshakeTrafficSecret = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
inline constexpr std::string_view kServerHandshakeTrafficSecret = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
inline constexpr std::string_view kClientTrafficSecret0 = "CLIENT_TRAFFIC_SECRET_0";
inline constexpr std::string_view kServerTrafficSecret0 = "SERVER_TRAFFIC_SECRET_0";
inline constexpr std::string_view kExporterSecret = "EXPORTER_SECRET";

/// Writes a line if there is a log; nothing otherwise. The line's memory is wiped.
void log_secret(KeyLog* log, std::string_view label, Bytes client_random, Bytes secret);

}  // namespace quoll::tls
