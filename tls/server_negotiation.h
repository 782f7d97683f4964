// What a server chooses from a ClientHello (RFC 8446 §4.1.1, §4.2, §9.2; RFC 9001 §8): pure functions of the message and
// the configuration. No state, no output, nothing random; each error is the alert to send.
//
// The server's preferences decide, with two exceptions. A client that lists ChaCha20-Poly1305 first says that it has no
// fast AES, and gets it. And a group for which the client has sent a share wins over a preferred one for which it has
// not: a round trip is worth more than the order of groups that are all good enough to be configured. So a
// HelloRetryRequest is sent only when no share is of use, and the client is told of a better group afterwards.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tls/config.h"
#include "tls/messages.h"

namespace quoll::tls {

/// Characters of a server name that is looked at: DNS has no longer ones (RFC 1035 §2.3.4).
inline constexpr size_t kServerNameSizeMax = 255;

/// Whether a server can work with this configuration at all; a usage error when not.
[[nodiscard]] Result<void> check_server_config(const ServerConfig& config, Mode mode);

/// Whether the message is one of TLS 1.3, whole and consistent. What the configuration says plays no part.
[[nodiscard]] Result<void> check_client_hello(const ClientHello& hello, Mode mode);

/// The name of server_name in lower case and without a dot at its end, so that equal names are equal strings; empty when
/// none was sent. unrecognized_name for one that is no host's name, or, with strict_server_name, that no identity has.
[[nodiscard]] Result<std::string> requested_server_name(const ClientHello& hello, const ServerConfig& config);

/// Empty when there is no common suite. With `hash`, only suites of that hash count.
std::optional<CipherSuite> choose_cipher_suite(const crypto::Provider& provider, CodeList<CipherSuite> offered,
                                               std::span<const CipherSuite> preferred,
                                               std::optional<crypto::HashId> hash = {});

struct GroupChoice {
  NamedGroup group{};
  bool has_share = false;          // without one, a HelloRetryRequest asks for it
  bool client_has_better = false;  // the client supports a group that we prefer, but sent no share of it
};
/// handshake_failure when there is no common group.
[[nodiscard]] Result<GroupChoice> choose_group(const ClientHello& hello, std::span<const NamedGroup> preferred);

/// The protocol (RFC 7301 §3.2); empty over a stream when the client or we have none. no_application_protocol otherwise.
[[nodiscard]] Result<std::string> choose_application_protocol(const ClientHello& hello,
                                                              std::span<const std::string> preferred, Mode mode);

/// The identity and scheme to authenticate with. missing_extension without signature_algorithms, handshake_failure when
/// no identity (with strict_server_name: none of that name) can sign so that the client accepts it.
[[nodiscard]] Result<ChosenIdentity> choose_server_identity(const ClientHello& hello, const ServerConfig& config,
                                                            std::string_view server_name);

/// The policy for clients that ask for this name.
const ClientPolicy& client_policy_for(const ServerConfig& config, std::string_view server_name);

/// Whether the client takes part in the one PSK mode that we do, psk_dhe_ke: the other has no forward secrecy.
bool accepts_psk_dhe_ke(const ClientHello& hello);

}  // namespace quoll::tls
