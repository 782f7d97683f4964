// ClientContext: what the parts of a client share: configuration, endpoint, sockets, clock, and what is due at the end of
// the turn. Callbacks of listeners only note things here, so that nothing is destroyed below its caller.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "quic/endpoint/endpoint.h"
#include "udp/loop.h"
#include "udp/socket.h"
#include "web/client.h"
#include "web/clock.h"
#include "web/connection_log.h"
#include "web/thread_rng.h"

namespace quoll::web {

class ClientConnection;
class ClientOrigin;
class ClientTransfer;

/// A qlog that waits for its connection to leave the endpoint.
struct ClosingLog {
  quic::ConnectionHandle handle;
  std::unique_ptr<ConnectionLog> log;
};

struct ClientContext {
  explicit ClientContext(udp::Loop waiting) : loop(std::move(waiting)) {}

  ClientOptions options;
  std::shared_ptr<const quic::ClientConfig> config;
  ThreadRng rng;
  Instant now;
  WallClock clock;
  quic::ResumptionStore store;
  udp::Loop loop;
  std::vector<udp::Socket> sockets;        // one of a family, made when an address of it is tried
  std::unique_ptr<ConnectionLog> new_log;  // of the connection that is being made
  std::vector<ClosingLog> closing_logs;
  std::unique_ptr<quic::Endpoint> endpoint;

  std::vector<ClientConnection*> used;   // whose events are to be taken
  std::vector<ClientTransfer*> over;     // whose listener is to hear of the end
  std::vector<ClientConnection*> table;  // by the handle's index; null: none

  /// The socket for addresses of that family.
  [[nodiscard]] Result<udp::Socket*> socket_for(IpAddress::Family family);
  ClientConnection* find(quic::ConnectionHandle handle);
};

}  // namespace quoll::web
