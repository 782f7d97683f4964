// Sums of statistics: of the sockets of a worker, of the workers of a server.
#pragma once

#include "web/server.h"

namespace quoll::web {

inline void add(udp::SocketStatistics& sum, const udp::SocketStatistics& one) {
  sum.datagrams_sent += one.datagrams_sent;
  sum.datagrams_received += one.datagrams_received;
  sum.trains_sent += one.trains_sent;
  sum.trains_received += one.trains_received;
  sum.send_calls += one.send_calls;
  sum.receive_calls += one.receive_calls;
  sum.send_errors += one.send_errors;
  sum.truncated += one.truncated;
  sum.too_big += one.too_big;
}

inline void add(quic::EndpointStatistics& sum, const quic::EndpointStatistics& one) {
  sum.datagrams_received += one.datagrams_received;
  sum.datagrams_dropped += one.datagrams_dropped;
  sum.unroutable += one.unroutable;
  sum.too_small_initials += one.too_small_initials;
  sum.invalid_tokens += one.invalid_tokens;
  sum.retries_sent += one.retries_sent;
  sum.version_negotiations_sent += one.version_negotiations_sent;
  sum.stateless_resets_sent += one.stateless_resets_sent;
  sum.stateless_resets_received += one.stateless_resets_received;
  sum.refused += one.refused;
  sum.answers_suppressed += one.answers_suppressed;
  sum.accepted += one.accepted;
  sum.connected += one.connected;
}

inline void add(ServerStatistics& sum, const ServerStatistics& one) {
  add(sum.endpoint, one.endpoint);
  add(sum.socket, one.socket);
  sum.connections += one.connections;
  sum.requests += one.requests;
  sum.exchanges += one.exchanges;
}

}  // namespace quoll::web
