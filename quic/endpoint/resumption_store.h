// ResumptionStore: what a client keeps of servers between connections, in memory: TLS tickets with the transport
// parameters that go with them, and tokens of NEW_TOKEN frames, by server name.
//
// Each is given out once, since either used twice lets an observer link connections (RFC 8446 appendix C.4, RFC 9000
// §8.1.3), the newest first. A ticket and a token are given out together only when they are of one version: neither is
// good for another one (RFC 9369 §5). Bounded: of a server the oldest go first; of servers, the one that gave something
// longest ago. As for tls::ClientTicketStore: a store for each trust store, and a new one when that gets stricter.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unix_time.h"
#include "quic/connection/config.h"

namespace quoll::quic {

class ResumptionStore {
 public:
  struct Limits {
    size_t servers = 256;
    size_t tickets_per_server = 4;
    size_t tokens_per_server = 4;
    /// A larger token is not kept: it would take the place of the ClientHello in the first datagrams.
    size_t token_size = 512;
  };

  ResumptionStore() = default;
  explicit ResumptionStore(Limits limits) : limits_(limits) {}
  ResumptionStore(const ResumptionStore&) = delete;
  ResumptionStore& operator=(const ResumptionStore&) = delete;

  /// Of ResumptionReceived. Names are told apart as they are written.
  void put(std::string_view server_name, ResumptionState state);
  /// What the next connection to the server should use, removed from the store; empty when there is nothing. A ticket
  /// that is not usable any more is dropped on the way.
  std::optional<ResumptionState> take(std::string_view server_name, UnixTime now);
  size_t servers() const { return by_server_.size(); }
  /// Of all servers, the one that gave something longest ago first: for who saves the store.
  std::vector<std::string> names() const;

 private:
  struct Server;
  using Servers = std::map<std::string, Server, std::less<>>;
  struct Token {
    Version version = Version::v1;
    std::vector<uint8_t> bytes;
  };
  struct Server {
    std::deque<ResumptionState> tickets;           // without tokens, newest last
    std::deque<Token> tokens;                      // newest last
    std::list<Servers::iterator>::iterator place;  // in order_
  };
  void remove(Servers::iterator server);

  Limits limits_;
  Servers by_server_;
  std::list<Servers::iterator> order_;  // least recently filled first
};

}  // namespace quoll::quic
