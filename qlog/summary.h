// Summary: what a whole log says of its connection, added up from the events of the namespace quic: packets, bytes, losses,
// round-trip times, the window, how it ended. Values that a log does not have stay empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "qlog/log_reader.h"

namespace quoll::qlog {

struct Summary {
  uint64_t events = 0;
  double first_time = 0, last_time = 0;  // milliseconds

  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;
  uint64_t packets_lost = 0;
  uint64_t packets_dropped = 0;
  uint64_t bytes_sent = 0;  // of packets
  uint64_t bytes_received = 0;

  std::optional<double> min_rtt, smoothed_rtt, latest_rtt;  // milliseconds, as told last
  std::optional<uint64_t> congestion_window, congestion_window_max;
  std::string version;  // as a hexstring
  std::string alpn;
  std::string closed;  // who, why and with which code; empty: the log does not tell

  void add(const ReadEvent& event);

 private:
  void add_metrics(const JsonValue& data);
  void add_closed(const JsonValue& data);
};

}  // namespace quoll::qlog
