// Stateless tickets (RFC 8446 §4.6.1, RFC 5077's idea): the server's state, sealed under ticket keys.
//
// TicketKeys is the ring of keys: one seals, several open. Two ways to have one:
//   - ratcheted: from one secret; the key of each period is a one-way function of the one before, and older ones than the
//     window are forgotten, so that a stolen process memory does not open old tickets. Workers and fleets that start
//     from the same secret and origin walk the same sequence without talking to each other.
//   - from a list of secrets, such as the lines of a file that an operator rotates: the first seals, all open.
// Thread-safe: workers share one ring, so that a ticket of one is opened by all.
//
// Each ticket is sealed under an AES-256-GCM key and nonce of its own, which HKDF-SHA-256 makes of the ring's key and a
// random salt; so no number of tickets under one ring key brings a nonce back.
#pragma once

#include <memory>
#include <optional>
#include <span>
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

/// What a server must know to resume. Names are of at most 255 bytes; the limits of the rest keep a sealed ticket below
/// kSealedTicketSizeMax.
struct ServerTicket {
  static constexpr size_t kResumptionContextSizeMax = 16;
  static constexpr size_t kEarlyDataContextSizeMax = 1'024;
  static constexpr size_t kClientCertificateSizeMax = 4'096;

  CipherSuite cipher_suite{};
  crypto::Digest psk;
  UnixTime issued;
  UnixTime authenticated;  // of the full handshake that all this goes back to: resumption does not refresh it
  uint32_t lifetime_seconds = 0;
  uint32_t age_add = 0;
  uint32_t max_early_data_size = 0;
  std::string server_name;                  // empty: the client sent none
  std::string application_protocol;         // empty: none was negotiated
  std::vector<uint8_t> resumption_context;  // opaque: a session resumes only where the server's own is equal
  std::vector<uint8_t> early_data_context;  // opaque: 0-RTT is accepted only where the server's own is equal
  std::vector<uint8_t> client_certificate;  // DER leaf of a client that authenticated, or empty

  /// The caller wipes it. Empty when a field is over its limit, a time is outside of years 0 to 9999, or the PSK has not
  /// the size of the suite's hash.
  std::vector<uint8_t> encode() const;
  /// crypto::Failure::malformed unless `encoded` is exactly what encode() gives for some ticket.
  [[nodiscard]] static Result<ServerTicket> decode(Bytes encoded);

  friend bool operator==(const ServerTicket&, const ServerTicket&) = default;
};

/// Of a sealed ticket, bytes: both names, the three limited fields, and less than 256 for the rest.
inline constexpr size_t kSealedTicketSizeMax = 2 * 255 + ServerTicket::kResumptionContextSizeMax +
                                               ServerTicket::kEarlyDataContextSizeMax +
                                               ServerTicket::kClientCertificateSizeMax + 256;

class TicketKeys {
 public:
  static constexpr size_t kSecretSize = 32;
  using Secret = crypto::Secret<kSecretSize>;

  struct Ratchet {
    UnixTime origin;                                // when the secret's first period began
    Duration period = Duration::seconds(6 * 3600);  // one second to a year; outside of that, the nearer of them
    size_t periods_open = 29;  // that still open tickets, the current one included; 1 to kPeriodsOpenMax, likewise
  };
  static constexpr size_t kPeriodsOpenMax = 1'024;
  /// How many periods a ring moves on at once, when it is made long after its origin or the clock jumps: a second or so
  /// of hashing. While more would be due, the ring stays as it is and neither seals nor opens.
  static constexpr uint64_t kCatchUpPeriodsMax = uint64_t{1} << 20;

  /// The ring never turns back: it follows the latest time that it was given. A clock that is set back finds the periods
  /// that are still open, and seals under the one that it names or, before these, under the oldest of them. Tickets of
  /// the period after the current one are opened as well, for a peer whose clock is ahead. A time before the origin
  /// belongs to the first period.
  static std::shared_ptr<TicketKeys> ratcheted(const crypto::Provider& provider, const Secret& secret,
                                               const Ratchet& ratchet);
  /// A usage error: no secret, or more than kSecretsMax.
  [[nodiscard]] static Result<std::shared_ptr<TicketKeys>> from_secrets(const crypto::Provider& provider,
                                                                        std::span<const Secret> secrets);
  /// A text of one secret a line, 64 hexadecimal digits; empty lines and lines that start with # are skipped,
  /// blanks at both ends of a line too. A usage error for anything else, and as from_secrets().
  [[nodiscard]] static Result<std::shared_ptr<TicketKeys>> from_text(const crypto::Provider& provider,
                                                                     std::string_view text);
  static constexpr size_t kSecretsMax = 64;

  /// The ticket: key name, salt, ciphertext, tag. Empty when the ticket cannot be encoded or the ring cannot follow the
  /// time: then none is sent.
  std::vector<uint8_t> seal(const ServerTicket& ticket, Rng& rng, UnixTime now);
  /// Empty when no key of the ring opens it: a full handshake follows, and nothing is to be told apart from outside.
  /// Whether the ticket's lifetime is over is the caller's business.
  std::optional<ServerTicket> open(Bytes sealed, UnixTime now);

  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

 private:
  struct State;
  explicit TicketKeys(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::tls
