// What stands behind a quoll_endpoint: the transport's endpoint, the sessions of its HTTP/3 connections, and the memory of the
// event that was told last.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "capi/endpoint_config.h"
#include "capi/h3_connection.h"
#include "capi/status.h"
#include "capi/values.h"
#include "quic/endpoint/endpoint.h"
#include "web/clock.h"
#include "web/thread_rng.h"

struct quoll_endpoint {
  explicit quoll_endpoint(quoll::capi::EndpointSetup given);
  ~quoll_endpoint();

  /// The session of a connection; null when there is none (any more), or it has told its end.
  quoll::capi::H3Connection* find_h3(quoll_connection connection);
  quoll::capi::H3Connection& add_h3(quoll::quic::ConnectionHandle handle, quoll::h3::Role role,
                                    const quoll::h3::SessionOptions& options);
  /// The session, to be used now: it may have events afterwards.
  quoll::h3::Session& use(quoll::capi::H3Connection& session, quoll::quic::Connection& connection);
  /// Takes the transport's events out of it. True: there is something to poll.
  bool has_events();
  /// The next event, for the caller's memory; false when there is none.
  bool next_event(quoll_event& out);

  quoll::capi::EndpointSetup setup;
  quoll::web::ThreadRng rng;
  quoll::web::WallClock clock;

  // Sessions of HTTP/3, by the connection's name; those that may have events.
  std::unordered_map<quoll_connection, std::unique_ptr<quoll::capi::H3Connection>> sessions;
  std::deque<quoll::capi::H3Connection*> used;
  std::deque<quoll::quic::EndpointEvent> waiting;

  // Memory that the last event, or the last quoll_connection_get_info(), points to.
  quoll::http::FieldSection event_section;
  std::vector<quoll_field> event_fields;
  std::string event_text;
  std::vector<uint8_t> event_data;
  std::string info_protocol, info_server_name, info_cipher_suite;

  std::unique_ptr<quoll::quic::Endpoint> endpoint;  // the last, so the first to go

 private:
  void note_used(quoll::capi::H3Connection& session);
  bool next_of_session(quoll_event& out);
  bool take_ticket(quoll::capi::H3Connection& session, quoll_event& out);
  bool translate(const quoll::quic::EndpointEvent& event, quoll_event& out);
  bool translate_h3(quoll::quic::ConnectionHandle handle, const quoll::quic::Event& event, quoll_event& out);
  void tell_closed(const quoll::quic::Closed& closed, quoll_event& out);
  void tell_resumption(const quoll::quic::ResumptionState& state, quoll_event& out);
  void tell_fields(quoll::http::FieldSection fields, quoll_event& out);

  friend struct QuicEventTeller;
  friend struct H3EventTeller;
};

namespace quoll::capi {

/// Calls `function(connection)` for a connection of the endpoint, or says that it is gone.
template <class Function>
int with_connection(quoll_endpoint* endpoint, quoll_connection connection, Function function) {
  if (!endpoint) return invalid("no endpoint");
  quic::Connection* found = endpoint->endpoint->find(handle_of(connection));
  return found ? function(*found) : fail(QUOLL_E_GONE, "no such connection (any more)");
}

/// The same with its session, on an endpoint of HTTP/3.
template <class Function>
int with_session(quoll_endpoint* endpoint, quoll_connection connection, Function function) {
  return with_connection(endpoint, connection, [&](quic::Connection& found) {
    if (!endpoint->setup.http3) return fail(QUOLL_E_STATE, "the endpoint does not speak HTTP/3");
    H3Connection* session = endpoint->find_h3(connection);
    if (!session) return fail(QUOLL_E_GONE, "the connection is over");
    if (!session->usable) return fail(QUOLL_E_STATE, "the connection is not established yet");
    return function(endpoint->use(*session, found));
  });
}

}  // namespace quoll::capi
