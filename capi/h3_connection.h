// H3Connection: the HTTP/3 session of one connection of an endpoint, and what it still has to tell.
#pragma once

#include <optional>
#include <vector>

#include "h3/over_quic.h"
#include "quic/endpoint/endpoint.h"

namespace quoll::capi {

/// Tickets that wait for the server's SETTINGS, which are kept with them (RFC 9114 §7.2.4.2).
inline constexpr size_t kTicketsWaitingMax = 8;

struct H3Connection {
  H3Connection(quic::ConnectionHandle of, h3::Role role, const h3::SessionOptions& options, Rng& rng)
      : handle(of), over_quic(role, options, rng), is_server(role == h3::Role::server) {}

  quic::ConnectionHandle handle;
  h3::OverQuic over_quic;
  bool is_server;
  bool usable = false;  // streams may be opened: established, or in 0-RTT
  bool established = false;
  bool noted = false;  // in Sessions::used_
  std::vector<quic::ResumptionState> tickets;
  std::optional<quic::Closed> closed;  // to be told when the session has told all
};

}  // namespace quoll::capi
