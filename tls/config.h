// What a client and a server are configured with: constant, shared by their connections. What differs from connection
// to connection stands in ClientOptions and ServerOptions.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/provider.h"
#include "tls/anti_replay.h"
#include "tls/client_ticket.h"
#include "tls/identity.h"
#include "tls/key_log.h"
#include "tls/server_ticket.h"
#include "tls/x509/trust_store.h"
#include "tls/x509/verify.h"

namespace quoll::tls {

/// Whom the handshake serves. quic: RFC 9001 (transport parameters and ALPN required; no KeyUpdate, EndOfEarlyData or
/// compatibility mode). stream: records over TCP (RFC 8446 §5).
enum class Mode : uint8_t { quic, stream };

// Limits on what a peer can make us hold (bytes), with room above what exists: a ClientHello with two post-quantum shares
// has 3 KiB, a chain of post-quantum certificates 30 KiB.
inline constexpr size_t kClientHelloSizeMax = 16 * 1024;
inline constexpr size_t kHandshakeMessageSizeMax = 128 * 1024;    // a Certificate message
inline constexpr size_t kPostHandshakeMessageSizeMax = 8 * 1024;  // from a client: a KeyUpdate at most
inline constexpr size_t kNewSessionTicketSizeMax = 64 * 1024;     // some servers put whole client chains into tickets
inline constexpr size_t kTicketSizeMax = 8 * 1024;                // a larger ticket is not kept: a ClientHello holds it
inline constexpr size_t kTransportParametersSizeMax = 16 * 1024;  // ours; the peer's are bounded by its messages
inline constexpr size_t kParametersRememberedMax = 1024;          // a server's, for tickets; 150 bytes are usual
inline constexpr size_t kPeerCertificatesMax = 16;
inline constexpr size_t kPskIdentitiesTriedMax = 4;  // each costs an attempt to open a ticket
inline constexpr size_t kTicketsKeptMax = 8;         // NewSessionTickets that a client takes from one connection

/// A key agreed on outside of TLS (RFC 8446 §4.2.11).
struct ExternalPsk {
  std::vector<uint8_t> identity;
  crypto::Digest key;
  crypto::HashId hash = crypto::HashId::sha256;  // RFC 8446 §4.2.11: SHA-256 if nothing else was agreed
};

/// The peer's certificates as they came: leaf first, parsed.
struct PeerCertificates {
  std::span<const x509::Certificate> chain;
  Bytes ocsp_response;           // stapled to the leaf, or empty; passed through, not judged
  std::string_view server_name;  // client: the name that was asked for; server: empty
  UnixTime now;
};
/// Replaces the built-in verification. An error of ErrorDomain::certificate becomes the alert that fits it.
using PeerVerifier = std::function<Result<void>(const PeerCertificates&)>;

enum class PeerVerification : uint8_t {
  chain,        // a path to an anchor, the name, and a pin if there are any
  pinned_leaf,  // only that the leaf's key is pinned: a self-signed server that the user knows
  none,         // the signature of the handshake alone: whoever is there (a user's -k)
};

struct Preferences {
  std::vector<CipherSuite> cipher_suites = {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
                                            CipherSuite::chacha20_poly1305_sha256};
  std::vector<NamedGroup> groups = {NamedGroup::x25519_mlkem768, NamedGroup::x25519, NamedGroup::secp256r1,
                                    NamedGroup::secp384r1};
  /// Signatures accepted in a CertificateVerify, preferred first; empty: default_signature_schemes(). Certificates may be
  /// signed with these and with PKCS#1.
  std::vector<SignatureScheme> signature_schemes;
};

struct ClientConfig {
  const crypto::Provider* provider = &crypto::best();
  Mode mode = Mode::quic;
  Preferences preferences;
  /// How many of preferences.groups, from the first on, get a key share in the first ClientHello; 0 makes every server
  /// send a HelloRetryRequest.
  size_t key_shares = 2;
  std::vector<std::string> application_protocols;  // preferred first; QUIC wants at least one

  PeerVerification verification = PeerVerification::chain;
  std::shared_ptr<const x509::TrustStore> trust;  // for `chain`
  std::vector<x509::SpkiPin> pins;
  PeerVerifier verifier;  // if set, instead of all the above

  Identities identities;  // for servers that ask for a certificate; the first that can sign is sent
  /// Whether a server has to prove who it is.
  bool verifies_server() const { return verifier || verification != PeerVerification::none; }

  bool request_ocsp = true;
  bool grease = true;  // RFC 8701
  KeyLog* key_log = nullptr;
};

struct ClientOptions {
  /// A DNS name, or the text of an IP address (which is not sent, RFC 6066 §3, but is verified). Empty: no name, which
  /// PeerVerification::chain takes only together with pins.
  std::string server_name;
  std::vector<uint8_t> transport_parameters;  // QUIC: ours, encoded
  std::optional<ClientTicket> ticket;         // to resume; used up
  bool early_data = false;                    // offer 0-RTT if the ticket allows it
  std::vector<ExternalPsk> external_psks;     // offered after the ticket
};

enum class ClientAuthentication : uint8_t { none, optional, required };

/// Whether a server asks a client for a certificate, and whom it trusts.
struct ClientPolicy {
  ClientAuthentication authentication = ClientAuthentication::none;
  std::shared_ptr<const x509::TrustStore> trust;
  PeerVerifier verifier;             // if set, instead of verification against `trust`
  bool announce_authorities = true;  // certificate_authorities: the subjects of `trust`, when they fit 8 KiB
};

struct ServerConfig {
  const crypto::Provider* provider = &crypto::best();
  Mode mode = Mode::quic;
  Preferences preferences;                         // the server's order decides
  Identities identities;                           // the first is for clients that name none of them
  bool strict_server_name = false;                 // refuse a name that no identity carries (unrecognized_name)
  std::vector<std::string> application_protocols;  // the server's order decides; QUIC wants at least one

  ClientPolicy client_policy;
  /// By server name, instead of client_policy: exact names, neither wildcards nor a dot at the end. The name is the one
  /// that the client asks TLS for; that it asks the application for the same one is the application's to check
  /// (Session::negotiated(), RFC 9110 §7.4).
  std::vector<std::pair<std::string, ClientPolicy>> client_policies;

  /// Null: no resumption. A ticket is good for its server name at every configuration with the same keys, and a client's
  /// certificate in it counts as verified: so only configurations whose client policies trust the same authorities for
  /// the same names may share keys. Change them when a policy's trust is narrowed.
  std::shared_ptr<TicketKeys> ticket_keys;
  size_t tickets = 2;                                // sent when the handshake completes
  uint32_t ticket_lifetime_seconds = 2 * 24 * 3600;  // at most kTicketLifetimeMax
  /// 0-RTT: null refuses it; the register decides who comes for the first time.
  std::shared_ptr<AntiReplay> anti_replay;
  uint32_t max_early_data_size = 16'384;  // bytes, streams only; QUIC announces 0xffffffff (RFC 9001 §4.6.1)

  /// The PSK of an identity that is no ticket of ours; null, or one with an empty key: unknown.
  std::function<const ExternalPsk*(Bytes identity)> find_external_psk;
  bool hello_retry_cookie = false;  // send a cookie in HelloRetryRequests, and want it back
  bool grease = true;               // in CertificateRequest and NewSessionTicket
  KeyLog* key_log = nullptr;
};

struct ServerOptions {
  /// QUIC: ours, encoded. They may depend on the client's: then leave this empty, and call
  /// Session::set_transport_parameters() when the session has given the client's.
  std::vector<uint8_t> transport_parameters;
  /// What a session is bound to beside its server name, such as the version of QUIC (RFC 9369 §5); at most
  /// ServerTicket::kResumptionContextSizeMax bytes. Goes into tickets, unless Session::set_resumption_context() changes
  /// it for them; a ticket that has another one is not resumed, and a full handshake follows.
  std::vector<uint8_t> resumption_context;
  /// What 0-RTT data depends on: transport parameters and application settings that a client would remember. Goes into
  /// tickets; early data is accepted only when it is the same as then.
  std::vector<uint8_t> early_data_context;
};

}  // namespace quoll::tls
