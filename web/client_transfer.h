// ClientTransfer: the ClientExchange of one request, on its way from Client::send() to Listener::on_end(): waiting at its
// origin, open on a connection's stream, perhaps waiting again, over.
#pragma once

#include <optional>

#include "quic/endpoint/connection_handle.h"
#include "web/body_pump.h"
#include "web/client.h"
#include "web/client_context.h"

namespace quoll::web {

class ClientTransfer final : public ClientExchange {
 public:
  enum class Phase : uint8_t { waiting, open, over };

  /// Times a request goes again by itself at most, whatever servers say.
  static constexpr int kAgainMax = 4;

  ClientTransfer(ClientContext& context, ClientRequest request, Listener& listener);
  ClientTransfer(const ClientTransfer&) = delete;
  ClientTransfer& operator=(const ClientTransfer&) = delete;

  std::optional<Slice> read(size_t max) override;
  const Facts& facts() const override { return facts_; }
  const http::Url& url() const override { return request_.url; }
  const quic::Connection* connection() const override;
  void cancel() override;
  void write(Slice& data) override;
  void finish() override;
  std::optional<size_t> max_datagram_size() const override;
  bool send_datagram(Bytes payload) override;
  std::optional<Slice> receive_datagram() override;

  // The client's.

  Phase phase() const { return phase_; }
  const ClientRequest& request() const { return request_; }
  Timings& timings() { return facts_.timings; }
  uint64_t stream() const { return stream_; }
  /// The head of its response has come.
  bool is_answered() const { return response_begun_; }
  /// May go in 0-RTT now.
  bool may_be_early() const { return request_.early_data && !no_early_data_; }
  /// The handshake of its connection is complete, or was.
  bool is_connected() const { return facts_.timings.connected.has_value(); }
  void note_connected(const ClientConnection& connection);

  /// Waits there from now on.
  void wait_at(ClientOrigin& origin);
  /// Sends the request on a connection. False: the server allows no more streams now, or is going away.
  bool open(ClientConnection& connection);
  /// Takes it from its connection, to wait for another one. False: it cannot go again.
  bool requeue();
  /// Ends it; the listener hears of it at the end of the turn. Without effect when it is over.
  void end(std::optional<Failure> failure);
  /// The end of the turn.
  void tell_end() { listener_.on_end(*this, failure_); }
  /// Its connection is over, with this to say.
  void on_connection_over(const Failure& failure, bool worth_a_retry);
  /// The time that it was given is over.
  void on_deadline(Instant now);
  Instant deadline() const;

  // Events of the session.
  void take_information(unsigned status, const http::FieldSection& fields);
  void take_response(unsigned status, const http::FieldSection& fields, bool has_body);
  void take_readable();
  void take_trailers(const http::FieldSection& fields);
  void take_writable();
  void take_aborted(uint64_t code, bool by_peer);
  void take_stopped();
  void take_datagram();
  void take_closed();

 private:
  h3::Session* session() const;
  http::FieldSection head() const;
  void pump();
  void settle();
  bool is_idempotent() const;

  ClientContext& context_;
  ClientRequest request_;
  Listener& listener_;
  Facts facts_;
  Phase phase_ = Phase::waiting;
  ClientOrigin* origin_ = nullptr;          // null: it has not begun
  ClientConnection* connection_ = nullptr;  // while it is open
  quic::ConnectionHandle handle_;           // of its last connection
  uint64_t stream_ = 0;
  BodyPump pump_;
  std::optional<Failure> failure_;
  bool no_early_data_ = false;
  bool sent_early_ = false;
  int again_ = 0;                // times that it was requeued
  bool retried_ = false;         // for want of anything better: once is enough
  bool sending_over_ = false;    // nothing more of the request is to be sent
  bool response_begun_ = false;  // the listener knows of it
  bool response_complete_ = false;
};

}  // namespace quoll::web
