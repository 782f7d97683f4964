// Client: HTTP/3 requests to any number of servers, over one connection for each, driven by run().
//
// One thread. Requests are begun with send(), wait for their connection and for streams, and report to a Listener. It
// resolves names with the system's resolver, which blocks: while it asks, run() does nothing else, and requests that are
// under way to other servers stand still (their connections survive a few seconds of that, but not an idle timeout). Who
// cannot have that resolves names elsewhere and gives them by ClientOptions::resolve. It tries the addresses of a server one
// after the other (RFC 8305, in its simplest form), and keeps tickets and tokens for the next connection in a
// quic::ResumptionStore, by the authority of the URL ("example.com", "example.com:4433"), that its owner may fill and save.
//
// Requests go again by themselves where nothing can have come of the first try: after 425 (RFC 8470 §5.2), below a
// server's GOAWAY or with H3_REQUEST_REJECTED (RFC 9114 §4.1.1, §5.2), and, if they are idempotent, once when a kept
// connection turns out to be dead. A body that was begun must be one that can rewind().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/net.h"
#include "h3/session.h"
#include "http/field_section.h"
#include "http/url.h"
#include "quic/connection/connection.h"
#include "quic/endpoint/resumption_store.h"
#include "tls/config.h"
#include "udp/socket.h"
#include "web/body_source.h"

namespace quoll::web {

/// Where a request fails.
enum class FailureKind : uint8_t {
  resolve,     // no address for the name
  connect,     // nobody answers, or the path is gone
  tls,         // the handshake failed: certificate, name, versions
  connection,  // the connection ended with an error after the handshake
  stream,      // the server reset the stream, or its message was malformed
  timeout,     // over the time that the request was given
  body,        // our body could not be read
  cancelled,   // cancel()
};
struct Failure {
  FailureKind kind = FailureKind::connect;
  uint64_t code = 0;         // alert, transport error, HTTP/3 error, by kind
  bool application = false;  // whose code it is
  std::string text = {};     // for a person, one line
};

/// What a person wants to know of a request (curl's -w).
struct Timings {
  Instant begin;
  std::optional<Instant> resolved, connected /* handshake complete */, sent /* request */, first_byte, end;
};
struct Facts {
  Timings timings;
  SocketAddress local, remote;
  bool connection_reused = false;
  bool resumed = false;
  bool early_data = false;  // the request went in 0-RTT, and that was accepted
  uint64_t body_received = 0, body_sent = 0, header_size = 0;
};

class ClientExchange;
/// Told what happens to a request, in this order. It may call the exchange's functions and the client's send().
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_information(ClientExchange&, unsigned /*status*/, const http::FieldSection&) {}
  virtual void on_response(ClientExchange&, unsigned status, const http::FieldSection& fields) = 0;
  /// Bytes of the body, or its end: call exchange.read() until it is empty, now or later. This is told again only after
  /// read() has come back empty; what is not read keeps the server waiting, and the end is seen by reading.
  /// By itself it takes the body and drops it.
  virtual void on_readable(ClientExchange& exchange);
  virtual void on_trailers(ClientExchange&, const http::FieldSection&) {}
  /// There is room again for write().
  virtual void on_writable(ClientExchange&) {}
  virtual void on_datagram(ClientExchange&) {}
  /// The last call. `failure` is empty when the response came whole.
  virtual void on_end(ClientExchange&, const std::optional<Failure>& failure) = 0;
};

class ClientExchange {
 public:
  virtual ~ClientExchange() = default;
  virtual std::optional<Slice> read(size_t max = SIZE_MAX) = 0;
  virtual const Facts& facts() const = 0;
  virtual const http::Url& url() const = 0;
  /// Null before the handshake is complete and after the connection's end.
  virtual const quic::Connection* connection() const = 0;
  virtual void cancel() = 0;

  // Of requests that are ClientRequest::streaming.

  /// Takes what there is room for and leaves the rest in `data`; Listener::on_writable() is called when there is room.
  virtual void write(Slice& data) = 0;
  virtual void finish() = 0;

  // HTTP datagrams (RFC 9297), once the response is there.

  virtual std::optional<size_t> max_datagram_size() const = 0;
  virtual bool send_datagram(Bytes payload) = 0;
  virtual std::optional<Slice> receive_datagram() = 0;
};

inline void Listener::on_readable(ClientExchange& exchange) {
  while (exchange.read()) continue;
}

struct ClientRequest {
  std::string method = "GET";
  http::Url url;                   // of https: another one fails (RFC 9114 §3.1.2)
  http::FieldSection fields = {};  // without pseudo-header fields
  std::unique_ptr<BodySource> body = {};
  /// Instead of `body`: the request stays open for write() and finish(). Such a request never goes again by itself.
  bool streaming = false;
  std::string protocol = {};  // of an extended CONNECT (RFC 9220)
  http::Priority priority = {};
  /// May go in 0-RTT (RFC 8470 §4: safe methods alone should). A 425 answer makes it go again after the handshake.
  bool early_data = false;
  std::optional<Duration> time_limit = {};     // of the whole
  std::optional<Duration> connect_limit = {};  // until the handshake is complete
};

struct ClientOptions {
  std::shared_ptr<const tls::ClientConfig> tls;  // ALPN is set to h3
  /// h3::prepare() is applied to it. Without a keep_alive, one is sent while requests wait for an answer.
  quic::TransportConfig transport = {};
  std::optional<quic::Version> original_version = {};
  h3::SessionOptions session = {};
  udp::SocketOptions socket = {};
  std::string qlog_directory = {};  // empty: no qlog
  /// Another host and port to go to for those of a URL; names and certificates stay those of the URL (curl's
  /// --connect-to). Empty: the URL's own.
  std::function<std::optional<std::pair<std::string, uint16_t>>(const std::string& host, uint16_t port)> connect_to =
      {};
  /// Addresses for a host (curl's --resolve); empty: the system's resolver is asked, and blocks.
  std::function<std::vector<IpAddress>(const std::string& host, uint16_t port)> resolve = {};
  bool ipv4 = true, ipv6 = true;
  /// close() waits for tickets that may be on their way: a probe timeout, 250 ms at most.
  bool wait_for_tickets = true;
  size_t exchanges_max = 100;  // at a time on one connection; further ones wait
  /// How long connections are kept open without a request, while run() works.
  Duration idle = Duration::seconds(5);
};

class Client {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Client>> create(ClientOptions options);
  ~Client();

  /// The listener outlives the exchange. The exchange lives until on_end().
  ClientExchange& send(ClientRequest request, Listener& listener);
  /// Works until every exchange is over, or stop().
  void run();
  /// From any thread, and from signal handlers: exchanges end as cancelled.
  void stop();
  /// Closes the connections in order, and waits for what the peers still have to hear and tell (tickets), a little while.
  void close();

  quic::ResumptionStore& resumption();
  /// Whatever tells a program news in a running transfer: called about once in so long while run() works.
  void on_tick(Duration every, std::function<void(Instant)> callback);

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::web
