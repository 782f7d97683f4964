// A Connection that does what a test says, in place of the real one: the endpoint is tested alone. It takes every
// datagram for good unless it begins a connection with "garbage" in it, and remembers what it got.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "quic/connection/connection.h"

namespace quoll::tests {

/// What a test reads and writes of one connection. The newest is last in Scripts::all().
struct Script {
  quic::Role role = quic::Role::client;
  quic::Connection::ServerStart server{};
  std::string server_name;
  quic::ConnectionContext context;
  Path path;

  // What it got.
  std::vector<size_t> batches;                  // datagrams of each call of receive()
  std::vector<std::vector<uint8_t>> datagrams;  // all of them
  int timeouts = 0;
  int stateless_resets = 0;
  bool close_called = false;

  // What it gives.
  std::deque<quic::Event> events;
  std::deque<quic::RouteChange> changes;
  std::vector<quic::StatelessResetToken> reset_tokens;
  int datagrams_to_send = 0;
  Instant timeout = Instant::never();
  quic::ConnectionId id;  // its first own one
  bool established = false;
  bool closed = false;
  bool drained = false;
  bool alive = true;  // until the endpoint forgets it

  void add_id(const quic::ConnectionId& added) {
    changes.push_back({.kind = quic::RouteChange::Kind::add_id, .id = added});
  }
  void remove_id(const quic::ConnectionId& gone) {
    changes.push_back({.kind = quic::RouteChange::Kind::remove_id, .id = gone});
  }
};

/// The scripts of all connections of a test, in the order in which they began. Cleared by its constructor.
class Scripts {
 public:
  Scripts();
  static std::deque<Script>& all();
  /// The next connection cannot begin.
  static bool& fail_next();
};

}  // namespace quoll::tests
