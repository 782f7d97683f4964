// OverQuic: a Session over a quic::Connection: the one place that knows both.
//
// The owner of the endpoint gives it each event of its connection; it feeds the session and gives back what the
// application has to know itself. The connection is lent for the time of a call, since an Endpoint's pointers do not
// outlive its next call.
#pragma once

#include "h3/session.h"
#include "quic/connection/connection.h"

namespace quoll::h3 {

class OverQuic {
 public:
  OverQuic(Role role, const SessionOptions& options, Rng& rng);
  ~OverQuic();

  /// The session, with `connection` below it until the next call; to be asked for anew for each use.
  Session& use(quic::Connection& connection);
  /// An event of the connection. Streams, datagrams and the end go to the session.
  void on_event(quic::Connection& connection, const quic::Event& event);
  /// The connection is gone: only poll_event() is left.
  void on_gone();
  /// Of the session; it does not touch the connection.
  std::optional<Event> poll_event();

 private:
  class Below;
  std::unique_ptr<Below> below_;
  std::unique_ptr<Session> session_;
};

/// Transport parameters that HTTP/3 wants (RFC 9114 §6.1, §6.2): three unidirectional streams for the peer at least, and
/// datagrams.
void prepare(quic::TransportConfig& transport, const SessionOptions& options);

/// What early data depends on (quic::ServerConfig::early_data_context): the settings that a client would remember (RFC 9114
/// §7.2.4.2). With others, 0-RTT is refused.
std::vector<uint8_t> early_data_context(const SessionOptions& options);

/// "h3", the ALPN name.
inline constexpr std::string_view kProtocol = "h3";

}  // namespace quoll::h3
