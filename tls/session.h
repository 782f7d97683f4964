// Session: one TLS 1.3 handshake and what remains of it, without packets, records, sockets or clocks.
//
// Feed it handshake bytes per level with receive(), then poll() until it is empty. Outputs come in the order in which
// they must be acted upon: keys before the bytes that need them.
//
// The levels are those of RFC 9001 §4: initial (no protection), early_data (0-RTT), handshake, application. QUIC carries
// each in its own packet number space; over a stream (Mode::stream) the record layer (tls/record_layer.h) maps them to
// the keys in use. Bytes of one level must come in order; how they are cut does not matter.
//
// When receive() gives an error, the session has failed: the Error is the alert to send (tls/alert.h), and every later
// call gives the same one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "base/unix_time.h"
#include "crypto/hash.h"
#include "tls/certificate_verify.h"
#include "tls/config.h"
#include "tls/level.h"

namespace quoll::tls {

/// Handshake bytes to send at a level.
struct Send {
  Level level;
  std::vector<uint8_t> bytes;
};

/// A traffic secret; packet or record keys are derived from it (RFC 9001 §5.1, RFC 8446 §7.3).
struct TrafficSecret {
  Level level;
  Direction direction;
  CipherSuite cipher_suite;
  crypto::Digest secret;
};

/// QUIC: the peer's transport parameters, encoded. Not yet authenticated (RFC 9001 §8.2): they may be used, but count
/// only when the handshake completes. A server's first output: it goes on when its own are known.
struct PeerTransportParameters {
  std::vector<uint8_t> encoded;
};

/// The fate of 0-RTT. Client: comes only if it was offered; after `accepted == false` the data must be sent again.
/// Server: comes only if it was offered; read keys for it follow if it was accepted.
struct EarlyDataDecision {
  bool accepted;
};

/// The handshake is complete (RFC 9001 §4.1.1): the peer's Finished was right. Session::negotiated() is final.
/// A server has its application write keys before that: what it sends with them goes to a client that has not proved yet
/// who it is (RFC 8446 §2).
struct HandshakeComplete {};

/// Client: the server gave a ticket.
struct TicketReceived {
  ClientTicket ticket;
};

using Output =
    std::variant<Send, TrafficSecret, PeerTransportParameters, EarlyDataDecision, HandshakeComplete, TicketReceived>;

/// What the handshake settled. Final with HandshakeComplete; before, members fill in as they are known.
struct Negotiated {
  CipherSuite cipher_suite{};
  std::optional<NamedGroup> group;
  std::string application_protocol;  // empty: none
  std::string server_name;           // client: the name that it asked for; server: the SNI it got; empty: none
  bool resumed = false;              // by ticket or external PSK
  bool hello_retry = false;
  bool early_data = false;  // 0-RTT was accepted
  std::optional<SignatureScheme> peer_signature_scheme;
  /// Empty when the peer did not authenticate with certificates in this handshake. A resumed server session has the leaf
  /// that the ticket carried. Session::confirm() frees them, but for a client's leaf, by which a server knows whom
  /// it serves.
  std::vector<x509::Certificate> peer_certificates;
  std::vector<uint8_t> peer_ocsp_response;  // freed by Session::confirm()
};

class Session {
 public:
  /// Starts: the first outputs are the ClientHello and, if early data is offered, its secret. A usage error for a
  /// configuration that cannot work (no suite, no group, no protocol over QUIC). `rng` must outlive the session.
  [[nodiscard]] static Result<Session> client(std::shared_ptr<const ClientConfig> config, ClientOptions options,
                                              Rng& rng, UnixTime now);
  [[nodiscard]] static Result<Session> server(std::shared_ptr<const ServerConfig> config, ServerOptions options,
                                              Rng& rng);

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Bytes that arrived at `level`, in order. An alert when they are wrong.
  [[nodiscard]] Result<void> receive(Level level, Bytes bytes, UnixTime now);

  /// Server over QUIC: gives our transport parameters when ServerOptions did not; after PeerTransportParameters. The
  /// handshake goes on from here, so an error may be an alert, as from receive(). A usage error when nobody waits for
  /// them or they take more than kTransportParametersSizeMax bytes; the session is as it was then.
  [[nodiscard]] Result<void> set_transport_parameters(std::vector<uint8_t> encoded, UnixTime now);

  /// Server: the context that this session's tickets carry, instead of that of ServerOptions, which the client's own
  /// ticket must have all the same. For what is negotiated after the session was made, such as the version of QUIC (RFC
  /// 9369 §5). A usage error on a client, once tickets were issued, and above ServerTicket::kResumptionContextSizeMax.
  [[nodiscard]] Result<void> set_resumption_context(std::vector<uint8_t> context);

  /// The next thing to do; empty when there is nothing.
  std::optional<Output> poll();

  Side side() const;
  bool is_complete() const;
  const Negotiated& negotiated() const;

  /// RFC 8446 §7.5. A usage error before the application secrets are known (server: from its Finished on; client: from
  /// completion on), or for lengths that HKDF cannot give.
  [[nodiscard]] Result<void> export_keying_material(std::string_view label, Bytes context, MutBytes out) const;
  /// The same from the early exporter secret, while 0-RTT is offered or was accepted.
  [[nodiscard]] Result<void> export_early_keying_material(std::string_view label, Bytes context, MutBytes out) const;

  /// Server, complete: sends one more ticket. A usage error where the configuration has no ticket keys, and on a client.
  [[nodiscard]] Result<void> send_ticket(UnixTime now);

  /// Streams, complete: new write keys, announced by a KeyUpdate; with `request_peer`, the peer is to do the same. A
  /// usage error over QUIC (RFC 9001 §6).
  [[nodiscard]] Result<void> update_keys(bool request_peer);

  /// Frees what only the handshake needed; call it when the handshake is confirmed (RFC 9001 §4.1.2). What remains is
  /// under 1 KiB: exporter and resumption secrets, and on streams the traffic secrets; and at a server the leaf of a
  /// client that showed a certificate (at most x509::kCertificateSizeMax bytes, and what parsing made of them).
  void confirm();
  /// Gives back the memory that the last messages took; for times when none are due.
  void trim();

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::tls
