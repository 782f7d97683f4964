// Session: one end of an HTTP/3 connection, client or server (RFC 9114), with QPACK (RFC 9204), priorities (RFC 9218),
// extended CONNECT (RFC 9220) and HTTP datagrams (RFC 9297). It knows no QUIC: a Transport carries its bytes.
//
// Its functions are of three kinds. The application's: requests, responses, bodies, push, the end. Inputs, of what the
// transport tells. And poll_event(), to be polled until it is empty after either. Bodies have backpressure both ways:
// write_body() takes what there is room for, and of a body no more is read from the transport before read_body() asks than
// the piece that its head came in.
//
// Calls that come too late, since the exchange or the connection ended meanwhile, are usage errors or do nothing; events say
// what happened. What a peer can make a session hold is bounded: h3/limits.h.
#pragma once

#include <memory>
#include <optional>

#include "base/rng.h"
#include "h3/error.h"
#include "h3/event.h"
#include "h3/settings.h"
#include "h3/transport.h"
#include "qpack/decoder.h"
#include "qpack/encoder.h"

namespace quoll::h3 {

struct SessionOptions {
  /// What we take of QPACK's dynamic table, and the limit on field sections; announced in SETTINGS.
  qpack::Decoder::Options decoder;
  qpack::Encoder::Options encoder;
  bool enable_connect_protocol = true;  // server: extended CONNECT is welcome
  bool datagrams = true;                // HTTP datagrams are welcome
  /// Client: pushes that the server may begin; 0: none.
  uint64_t pushes_max = 0;
  /// Reserved settings, frames and stream types, so that peers stay tolerant (RFC 9114 §7.2.8).
  bool grease = true;
  /// Datagrams that wait for the application, in all; further ones are dropped.
  size_t datagrams_waiting_max = 256;
  /// Client: the server's settings of the connection that a 0-RTT ticket is from (RFC 9114 §7.2.4.2).
  std::optional<Settings> remembered = {};
};

struct SessionStatistics {
  uint64_t requests = 0;
  uint64_t messages_malformed = 0;
  uint64_t pushes = 0;
  uint64_t unknown_frames = 0;
  uint64_t unknown_streams = 0;
  uint64_t datagrams_dropped = 0;
};

class Session {
 public:
  /// `transport` and `rng` outlive the session.
  Session(Role role, const SessionOptions& options, Transport& transport, Rng& rng);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Streams may be opened: our control stream with SETTINGS goes out. For 0-RTT, before the handshake is complete.
  void start();

  // The application's. Errors are usage errors, unless another is named.

  /// Client: a request; `end`: without a body. Gives its stream; empty when the peer allows no more now (RequestsAvailable
  /// follows) or is going away. :method, :scheme, :authority, :path come first in `fields`. An Error for a section that is
  /// malformed (RFC 9114 §4.3.1) or larger than the peer takes.
  [[nodiscard]] Result<std::optional<uint64_t>> request(const http::FieldSection& fields, bool end,
                                                        http::Priority priority = {});
  /// Server: a 1xx response.
  [[nodiscard]] Result<void> inform(uint64_t stream, unsigned status, const http::FieldSection& fields);
  /// Server: the final response. `fields` without :status.
  [[nodiscard]] Result<void> respond(uint64_t stream, unsigned status, const http::FieldSection& fields, bool end);
  /// A part of our body: takes what there is room for from the front of `data` without a copy; BodyWritable follows when
  /// some was left. A content-length that the head announced is kept (an Error beyond it).
  [[nodiscard]] Result<void> write_body(uint64_t stream, Slice& data);
  /// The end of our message, with trailers or without.
  [[nodiscard]] Result<void> finish(uint64_t stream, const http::FieldSection& trailers = {});
  /// The next bytes of the peer's body; empty: nothing now, or the message was aborted (an event says so). With `fin`, the
  /// message is over and was well-formed. To be called until it is empty, or `fin`.
  [[nodiscard]] Result<std::optional<Chunk>> read_body(uint64_t stream, size_t max = SIZE_MAX);
  /// Gives our message up (RESET_STREAM), and the peer's too (STOP_SENDING): RFC 9114 §4.1.1.
  void abort(uint64_t stream, ErrorCode code);
  /// STOP_SENDING alone: the rest of the peer's message is not wanted.
  void stop_reading(uint64_t stream, ErrorCode code);
  /// The same for a server that has answered: what is under way is checked and dropped, and the client is stopped, with
  /// H3_NO_ERROR, only where it goes on: beyond kDiscardedMax bytes, or when it has the whole response.
  void discard(uint64_t stream);
  /// Client: PRIORITY_UPDATE. Server: what we rather do than what the client wants.
  void set_priority(uint64_t stream, http::Priority priority);
  /// Server: promises on `stream` to push the response to `request`, and opens its stream, on which respond(), write_body()
  /// and finish() work. Empty when the client takes none now.
  [[nodiscard]] Result<std::optional<uint64_t>> push(uint64_t stream, const http::FieldSection& request);
  /// Client: CANCEL_PUSH, and no more of its stream.
  void cancel_push(uint64_t push_id);

  /// The largest payload of send_datagram() on that stream; empty: the peer takes no datagrams. CONNECT requests alone have
  /// them, extended or not: on others a datagram ends the request (RFC 9297 §2).
  std::optional<size_t> max_datagram_size(uint64_t stream) const;
  /// False: dropped for want of room.
  [[nodiscard]] Result<bool> send_datagram(uint64_t stream, Bytes payload);
  std::optional<Slice> receive_datagram(uint64_t stream);

  /// GOAWAY: no new requests (pushes) are taken; those that came are served. A server should call it twice, a round trip
  /// apart: `final` false, then true (RFC 9114 §5.2).
  void shutdown(bool final);
  /// CONNECTION_CLOSE.
  void close(ErrorCode code, std::string_view reason);
  /// Requests that are not over.
  size_t open_exchanges() const;
  /// Client: the peer has sent GOAWAY, or we have closed: no further request.
  bool is_going_away() const;
  /// The peer's; empty before they came.
  const std::optional<Settings>& peer_settings() const;
  const SessionStatistics& statistics() const;

  // Inputs.

  void on_opened(uint64_t stream);
  void on_readable(uint64_t stream);
  void on_writable(uint64_t stream);
  void on_reset(uint64_t stream, uint64_t code);
  void on_stopped(uint64_t stream, uint64_t code);
  /// All that we wrote on it, and its end, arrived.
  void on_delivered(uint64_t stream);
  void on_streams_available(bool unidirectional);
  void on_datagram(Slice data);
  /// Client: 0-RTT was refused. What was sent stands (the transport sends it again); the remembered settings do not.
  void on_early_data_rejected();
  /// The connection is over, for whatever reason: exchanges end with ExchangeClosed.
  void on_closed();

  std::optional<Event> poll_event();
  void check_invariants() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quoll::h3
