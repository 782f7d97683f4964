// Exchange: one request and its response on a server, for a handler to work with.
//
// It lives from the call of the handler until on_end() was called; a handler that goes on later keeps the pointer until
// then. Everything happens on the worker's thread that called the handler. Bodies have backpressure both ways.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/net.h"
#include "base/slice.h"
#include "h3/error.h"
#include "http/field_section.h"
#include "quic/connection/connection.h"
#include "web/body_source.h"

namespace quoll::web {

/// How an exchange ended.
struct Outcome {
  bool complete = false;    // the whole response arrived at the peer
  uint64_t code = 0;        // of the reset or of the connection's end otherwise
  uint64_t bytes_sent = 0;  // of the response's body
  unsigned status = 0;      // that was sent; 0: none
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  // The request.
  virtual std::string_view method() const = 0;
  virtual std::string_view scheme() const = 0;
  virtual std::string_view authority() const = 0;
  virtual std::string_view path() const = 0;              // :path, with its query
  virtual std::string_view connect_protocol() const = 0;  // :protocol of an extended CONNECT (RFC 9220)
  virtual const http::FieldSection& fields() const = 0;   // pseudo-header fields included
  virtual SocketAddress peer() const = 0;
  /// What carries it: the client's certificate, round-trip times, the version. To be used before the handler or callback
  /// returns; null when the connection is over.
  virtual const quic::Connection* connection() const = 0;
  /// It may be a replay (RFC 8470 §3): it came in 0-RTT, and the handshake is not complete yet; or in that of a client of the
  /// intermediary that sent it, which the handshake here changes nothing about (§5.1).
  virtual bool is_early() const = 0;

  /// The next bytes of the request's body; empty: nothing now.
  virtual std::optional<Slice> read(size_t max = SIZE_MAX) = 0;
  /// The body, and its trailers if there are any, came whole and were read.
  virtual bool is_request_complete() const = 0;
  virtual const http::FieldSection& trailers() const = 0;
  /// Called when read() may give something, and when the request is complete.
  virtual void on_readable(std::function<void()> callback) = 0;

  // The response.
  virtual void inform(unsigned status, const http::FieldSection& fields = {}) = 0;
  /// The head. Then write() and finish().
  virtual void respond(unsigned status, const http::FieldSection& fields = {}) = 0;
  /// Takes what there is room for and leaves the rest in `data`; on_writable()'s callback is called when there is room again.
  virtual void write(Slice& data) = 0;
  virtual void on_writable(std::function<void()> callback) = 0;
  virtual void finish(const http::FieldSection& trailers = {}) = 0;
  /// The whole response: head, body and end. The body is asked for bytes as there is room.
  virtual void send(unsigned status, const http::FieldSection& fields, std::unique_ptr<BodySource> body) = 0;
  void send(unsigned status, const http::FieldSection& fields, std::string_view text);
  void send(unsigned status);
  /// Gives the exchange up.
  virtual void abort(h3::ErrorCode code) = 0;
  /// A promise to push the response to `request` (RFC 9114 §4.6); null when the client takes none.
  virtual Exchange* push(const http::FieldSection& request) = 0;

  virtual std::optional<size_t> max_datagram_size() const = 0;
  virtual bool send_datagram(Bytes payload) = 0;
  virtual std::optional<Slice> receive_datagram() = 0;
  virtual void on_datagram(std::function<void()> callback) = 0;

  /// The last call for this exchange, for whatever reason it ends.
  virtual void on_end(std::function<void(const Outcome&)> callback) = 0;
};

/// Called for each request. The workers of a server call it at the same time.
using Handler = std::function<void(Exchange&)>;

}  // namespace quoll::web
