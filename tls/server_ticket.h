// Stateless tickets (RFC 8446 §4.6.1, RFC 5077's idea): the server's state, sealed under ticket keys.
//
// TicketKeys is the ring of keys: one seals, several open. Two ways to have one:
//   - ratcheted: from one secret; the key of each period is a one-way function of the one before, and older ones than the
//     window are forgotten, so that a stolen process memory does not open old tickets. Workers and fleets that start
//     from the same secret and origin walk the same sequence without talking to each other.
//   - from a list of secrets, such as the lines of a file that an operator rotates: the first seals, all open.
// Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "base/unix_time.h"
#include "crypto/ct.h"
#include "crypto/provider.h"
#include "tls/codepoints.h"

namespace quoll::tls {

/// What a server must know to resume.
struct ServerTicket {
  CipherSuite cipher_suite{};
  crypto::Digest psk;
  UnixTime issued;
  UnixTime authenticated;  // of the full handshake that all this goes back to: resumption does not refresh it
  uint32_t lifetime_seconds = 0;
  uint32_t age_add = 0;
  uint32_t max_early_data_size = 0;
  std::string server_name;                  // empty: the client sent none
  std::string application_protocol;         // empty: none was negotiated
  std::vector<uint8_t> early_data_context;  // opaque: 0-RTT is accepted only where the server's own is equal
  std::vector<uint8_t> client_certificate;  // DER leaf of a client that authenticated, or empty

  std::vector<uint8_t> encode() const;  // the caller wipes it
  [[nodiscard]] static Result<ServerTicket> decode(Bytes encoded);
};

class TicketKeys {
 public:
  static constexpr size_t kSecretSize = 32;
  using Secret = crypto::Secret<kSecretSize>;

  struct Ratchet {
    UnixTime origin;  // when the secret's first period began
    Duration period = Duration::seconds(6 * 3600);
    size_t periods_open = 29;  // that still open tickets, the current one included
  };
  static std::shared_ptr<TicketKeys> ratcheted(const crypto::Provider& provider, const Secret& secret,
                                               const Ratchet& ratchet);
  /// Failure: no secret, or more than kSecretsMax.
  [[nodiscard]] static Result<std::shared_ptr<TicketKeys>> from_secrets(const crypto::Provider& provider,
                                                                        std::span<const Secret> secrets);
  /// A text of one secret a line, 64 hexadecimal digits; empty lines and lines that start with # are skipped.
  [[nodiscard]] static Result<std::shared_ptr<TicketKeys>> from_text(const crypto::Provider& provider,
                                                                     std::string_view text);
  static constexpr size_t kSecretsMax = 64;

  /// The ticket: key name, salt, ciphertext, tag.
  std::vector<uint8_t> seal(const ServerTicket& ticket, Rng& rng, UnixTime now);
  /// Empty when no key of the ring opens it: a full handshake follows, and nothing is to be told apart from outside.
  std::optional<ServerTicket> open(Bytes sealed, UnixTime now);

  ~TicketKeys();

 private:
  struct State;
  explicit TicketKeys(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::tls
