// A peer that can be made to misbehave: it plays an honest handshake with the product's own codec and key schedule, and
// a script may change any message before it is sent, replace its bytes, leave it out or put others in. Whatever is
// sent is what counts in the puppet's transcript, so the only fault is the one that the script makes.
//
// There are no packets and no records: a puppet hands messages to a tls::Session at a level and reads its outputs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tls/alert.h"
#include "tls/handshake.h"
#include "tls/identity.h"
#include "tls/key_exchange.h"
#include "tls/session.h"

namespace quoll::tls::tests {

/// A message that a puppet is about to send: `bytes` are whole, header included.
struct PuppetMessage {
  Level level;
  std::vector<uint8_t> bytes;
  HandshakeType type() const { return static_cast<HandshakeType>(bytes.at(0)); }
};

/// How the session under test came out of it.
/// What stands for quic_protocol_violation() among alerts: a number that is none.
inline constexpr Alert kQuicProtocolViolation{200};

struct Outcome {
  std::optional<Alert> alert;  // that the session gave, if it failed
  std::string reason;
  bool complete = false;
  std::vector<Output> outputs;  // all that the session put out, in order
};

using Extras = std::vector<RawExtension>;
template <class Message>
using Tweak = std::function<void(Message&, Extras&)>;
/// Changes the messages of a flight after they were written: `at` is the one just written, the last of those to send.
using Rewrite = std::function<void(std::vector<PuppetMessage>& messages)>;

struct ServerScript {
  bool retry = false;  // send a HelloRetryRequest first
  bool request_certificate = false;
  std::optional<NamedGroup> group;  // to use; otherwise the first that has a share
  std::optional<ExternalPsk> psk;   // select the client's first PSK, which is this one; no certificates then
  Tweak<ServerHello> hello_retry_request, server_hello;
  Tweak<EncryptedExtensions> encrypted_extensions;
  Tweak<CertificateRequest> certificate_request;
  std::function<void(std::vector<CertificateEntry>&, Bytes& context)> certificate;
  std::function<void(CertificateVerify&)> certificate_verify;
  /// After each message was written, with all its bytes; may change it, drop it, or add others before or behind.
  Rewrite rewrite;
  std::vector<PuppetMessage> after;  // sent when the handshake is complete
};

struct ClientScript {
  std::vector<NamedGroup> shares = {NamedGroup::x25519};
  Tweak<ClientHello> client_hello;         // the first
  Tweak<ClientHello> second_client_hello;  // after a HelloRetryRequest
  std::optional<ExternalPsk> psk;          // offered, with a right binder
  std::function<void(std::vector<uint8_t>& binder)> binder;
  const Identity* identity = nullptr;  // answers a CertificateRequest; null: an empty Certificate
  std::function<void(std::vector<CertificateEntry>&, Bytes& context)> certificate;
  std::function<void(CertificateVerify&)> certificate_verify;
  Rewrite rewrite;
  std::vector<PuppetMessage> after;
};

/// Plays a server for a client session that was just made.
Outcome play_server(Session& client, const Identity& identity, const ServerScript& script, Mode mode, Rng& rng,
                    UnixTime now);

/// Plays a client for a server session that was just made.
Outcome play_client(Session& server, const ClientScript& script, Mode mode, Rng& rng, UnixTime now);

/// A whole message of any type.
std::vector<uint8_t> raw_message(HandshakeType type, Bytes body);

}  // namespace quoll::tls::tests
