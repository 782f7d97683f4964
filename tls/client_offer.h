// ClientOffer: what a client's ClientHello offers, and keeps until the server has chosen: random, lists, key shares,
// PSKs with their binders (RFC 8446 §4.1.2, §4.2), GREASE (RFC 8701).
//
// It writes the first ClientHello and, amended after a HelloRetryRequest, the second one: the same but for what §4.1.2
// lets change. It lives from the start of the handshake to the ServerHello; keys are wiped with it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tls/config.h"
#include "tls/key_exchange.h"
#include "tls/key_schedule.h"
#include "tls/messages.h"
#include "tls/transcript.h"

namespace quoll::tls {

class ClientOffer {
 public:
  /// `config` outlives the offer. A usage error for a configuration or options that cannot work. A ticket that does not
  /// fit (too old, another name, no suite with its hash) is left out.
  [[nodiscard]] static Result<ClientOffer> make(const ClientConfig& config, ClientOptions options, Rng& rng,
                                                UnixTime now);

  /// The ClientHello, header included, with binders over what `transcript` holds and this message. A usage error when it
  /// takes more than kClientHelloSizeMax bytes.
  [[nodiscard]] Result<std::vector<uint8_t>> write(const Transcript& transcript, UnixTime now) const;

  /// Changes the offer as a HelloRetryRequest demands, whose suite is already known to be offered: one share of the
  /// group that it names, its cookie, no early data, no PSK with another hash. Alerts for one that asks for nothing, or
  /// for what it must not.
  [[nodiscard]] Result<void> amend(const ServerHello& retry, Rng& rng);

  const Random& random() const { return random_; }
  Bytes session_id() const { return Bytes(session_id_).first(session_id_size_); }
  /// The name that was asked for, without a trailing dot: a DNS name or the text of an IP address.
  const std::string& host() const { return host_; }
  /// Whether the name is sent: it is a DNS name (RFC 6066 §3).
  bool sends_server_name() const { return sends_server_name_; }
  bool has_suite(CipherSuite suite) const;
  const KeyExchange& keys() const { return *keys_; }

  struct Psk {
    PskKind kind{};
    Bytes identity;
    uint32_t obfuscated_ticket_age = 0;
    Bytes key;
    const crypto::HashAlgorithm* hash = nullptr;
  };
  /// In the order in which they are offered. Views into the offer.
  std::vector<Psk> psks(UnixTime now) const;

  /// Early data is offered: with the first PSK, which is the ticket's.
  bool offers_early_data() const { return early_data_; }
  const std::optional<ClientTicket>& ticket() const { return ticket_; }

 private:
  explicit ClientOffer(const ClientConfig& config) : config_(&config) {}

  Result<void> take_name(std::string name);
  Result<void> take_protocols();
  Result<void> take_psks(ClientOptions& options, UnixTime now);
  void draw_grease(Rng& rng);
  Result<void> make_shares(std::span<const NamedGroup> groups, Rng& rng, bool with_grease);
  bool ticket_fits(const ClientTicket& ticket, UnixTime now) const;
  bool ticket_allows_early_data(const ClientTicket& ticket) const;
  bool has_suite_with(const crypto::HashAlgorithm& hash) const;
  void fill(ClientHello& hello) const;

  const ClientConfig* config_;
  Random random_{};
  std::array<uint8_t, 32> session_id_{};
  size_t session_id_size_ = 0;
  std::string host_;
  bool sends_server_name_ = false;
  std::vector<uint8_t> transport_parameters_;

  // Lists as they stand on the wire.
  std::vector<uint8_t> suites_, groups_, schemes_, certificate_schemes_, versions_, protocols_, shares_;
  std::vector<uint8_t> cookie_;

  std::optional<KeyExchange> keys_;
  std::optional<ClientTicket> ticket_;
  std::vector<ExternalPsk> external_psks_;
  bool early_data_ = false;

  struct Grease {
    uint16_t suite, group, version, first_extension, last_extension;
  };
  std::optional<Grease> grease_;
};

}  // namespace quoll::tls
