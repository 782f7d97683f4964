#include "tls/client_offer.h"

#include <algorithm>
#include <utility>

#include "base/address.h"
#include "tls/alert.h"
#include "tls/cipher_suite.h"
#include "tls/peer_verification.h"

namespace quoll::tls {
namespace {

constexpr size_t kHostNameSizeMax = 253;  // RFC 1035 §2.3.4, as text
constexpr uint32_t kQuicEarlyDataSize = 0xffffffff;
/// RFC 8446 §4.2.9: the only mode that we use. Always sent: without it a server gives no tickets.
constexpr uint8_t kPskModes[] = {static_cast<uint8_t>(PskKeyExchangeMode::psk_dhe_ke)};
constexpr uint8_t kNoCompression[] = {0};
constexpr uint8_t kGreaseContents[] = {0};

template <class Code>
void append_code(std::vector<uint8_t>& list, Code code) {
  const auto value = static_cast<uint16_t>(code);
  list.push_back(static_cast<uint8_t>(value >> 8));
  list.push_back(static_cast<uint8_t>(value));
}

template <class Code>
void append_codes(std::vector<uint8_t>& list, std::span<const Code> codes) {
  for (const Code code : codes) append_code(list, code);
}

uint16_t draw_grease_value(Rng& rng) { return static_cast<uint16_t>(0x0a0a + 0x1010 * rng.below(16)); }

/// Not empty, every entry supported, none twice.
template <class Code>
bool is_workable(const std::vector<Code>& codes) {
  for (size_t i = 0; i < codes.size(); i++) {
    if (!is_supported(codes[i])) return false;
    if (std::find(codes.begin(), codes.begin() + static_cast<ptrdiff_t>(i), codes[i]) !=
        codes.begin() + static_cast<ptrdiff_t>(i)) {
      return false;
    }
  }
  return !codes.empty();
}

/// `name` without a trailing dot.
Result<void> check_verification(const ClientConfig& config, const ClientOptions& options, std::string_view name) {
  if (config.verifier) return {};
  // Without a name any server with a certificate of a known authority would do. With external PSKs too: it is the server
  // that chooses between them and a certificate.
  if (config.verification == PeerVerification::chain && name.empty() && config.pins.empty() && config.trust) {
    return usage_error("a chain is to be verified, but for no name and no pin");
  }
  if (!options.external_psks.empty()) return {};
  if (config.verification == PeerVerification::chain && !config.trust) {
    return usage_error("servers are to be verified, but no trust anchors are configured");
  }
  if (config.verification == PeerVerification::pinned_leaf && config.pins.empty()) {
    return usage_error("the server's key is to be pinned, but no pin is configured");
  }
  return {};
}

Result<void> check_configuration(const ClientConfig& config, const ClientOptions& options) {
  if (!is_workable(config.preferences.cipher_suites)) return usage_error("no cipher suites, or one that is unknown");
  if (!is_workable(config.preferences.groups)) return usage_error("no groups, or one that is unknown");
  if (config.mode == Mode::quic && config.application_protocols.empty()) {
    return usage_error("QUIC wants an application protocol");
  }
  if (config.mode == Mode::stream && !options.transport_parameters.empty()) {
    return usage_error("transport parameters are for QUIC");
  }
  return {};
}

bool is_host_name_octet(char c) { return c > ' ' && c < 0x7f; }

/// SHA-256 and SHA-384 are those of the cipher suites; null for others.
const crypto::HashAlgorithm* hash_by_id(const crypto::Provider& provider, crypto::HashId id) {
  switch (id) {
    case crypto::HashId::sha256:
      return provider.sha256;
    case crypto::HashId::sha384:
      return provider.sha384;
    default:
      return nullptr;
  }
}

}  // namespace

Result<ClientOffer> ClientOffer::make(const ClientConfig& config, ClientOptions options, Rng& rng, UnixTime now) {
  if (Result<void> checked = check_configuration(config, options); !checked) return std::unexpected(checked.error());
  ClientOffer offer(config);
  rng.fill(offer.random_);
  if (config.mode == Mode::stream) {
    // RFC 8446 §4.1.2, D.4: compatibility mode wants an unpredictable session ID; RFC 9001 §8.4: QUIC none.
    rng.fill(offer.session_id_);
    offer.session_id_size_ = offer.session_id_.size();
  }
  if (config.grease) offer.draw_grease(rng);
  offer.transport_parameters_ = std::move(options.transport_parameters);

  if (offer.grease_) append_code(offer.suites_, offer.grease_->suite);
  append_codes<CipherSuite>(offer.suites_, config.preferences.cipher_suites);
  if (offer.grease_) append_code(offer.groups_, offer.grease_->group);
  append_codes<NamedGroup>(offer.groups_, config.preferences.groups);
  if (offer.grease_) append_code(offer.versions_, offer.grease_->version);
  append_code(offer.versions_, kTls13);
  append_codes(offer.schemes_, accepted_schemes(config.preferences));
  append_codes<SignatureScheme>(offer.certificate_schemes_, certificate_schemes(config.preferences));

  if (Result<void> name = offer.take_name(std::move(options.server_name)); !name) return std::unexpected(name.error());
  if (Result<void> checked = check_verification(config, options, offer.host_); !checked) {
    return std::unexpected(checked.error());
  }
  if (Result<void> protocols = offer.take_protocols(); !protocols) return std::unexpected(protocols.error());
  if (Result<void> psks = offer.take_psks(options, now); !psks) return std::unexpected(psks.error());

  const std::span<const NamedGroup> groups = config.preferences.groups;
  if (Result<void> shares = offer.make_shares(groups.first(std::min(config.key_shares, groups.size())), rng, true);
      !shares) {
    return std::unexpected(shares.error());
  }
  return offer;
}

void ClientOffer::draw_grease(Rng& rng) {
  // RFC 8701 §3.1. The two extensions must differ: a type may come only once.
  grease_ = Grease{.suite = draw_grease_value(rng),
                   .group = draw_grease_value(rng),
                   .version = draw_grease_value(rng),
                   .first_extension = draw_grease_value(rng),
                   .last_extension = draw_grease_value(rng)};
  if (grease_->first_extension == grease_->last_extension) grease_->last_extension ^= 0x1010;
}

Result<void> ClientOffer::take_name(std::string name) {
  // RFC 6066 §3: a host name is sent without a trailing dot, and an IP address not at all.
  if (!name.empty() && name.back() == '.') name.pop_back();
  if (name.size() > kHostNameSizeMax || !std::ranges::all_of(name, is_host_name_octet)) {
    return usage_error("the server's name is neither a host name nor an IP address");
  }
  sends_server_name_ = !name.empty() && !IpAddress::parse(name);
  host_ = std::move(name);
  return {};
}

Result<void> ClientOffer::take_protocols() {
  for (const std::string& name : config_->application_protocols) {
    if (name.empty() || name.size() > 255) return usage_error("an application protocol's name has 1 to 255 bytes");
    protocols_.push_back(static_cast<uint8_t>(name.size()));
    protocols_.insert(protocols_.end(), name.begin(), name.end());
  }
  return {};
}

bool ClientOffer::has_suite(CipherSuite suite) const {
  return std::ranges::find(config_->preferences.cipher_suites, suite) != config_->preferences.cipher_suites.end();
}

bool ClientOffer::has_suite_with(const crypto::HashAlgorithm& hash) const {
  return std::ranges::any_of(config_->preferences.cipher_suites,
                             [&](CipherSuite suite) { return hash_of(*config_->provider, suite).id == hash.id; });
}

bool ClientOffer::ticket_fits(const ClientTicket& ticket, UnixTime now) const {
  // RFC 8446 §4.6.1: the same name, within its lifetime, and only with a suite of the same hash.
  if (config_->verifies_server() && !ticket.server_verified) return false;
  return ticket.server_name == host_ && ticket.is_usable(now) && is_supported(ticket.cipher_suite) &&
         has_suite_with(hash_of(*config_->provider, ticket.cipher_suite)) && !ticket.ticket.empty() &&
         ticket.ticket.size() <= kTicketSizeMax &&
         ticket.psk.size() == hash_of(*config_->provider, ticket.cipher_suite).digest_size;
}

bool ClientOffer::ticket_allows_early_data(const ClientTicket& ticket) const {
  // RFC 8446 §4.2.10: suite and protocol of early data are the ticket's, so both must be possible again.
  const std::vector<std::string>& protocols = config_->application_protocols;
  const bool protocol_offered = ticket.application_protocol.empty()
                                    ? protocols.empty()
                                    : std::ranges::find(protocols, ticket.application_protocol) != protocols.end();
  const bool size_fits =
      config_->mode == Mode::quic ? ticket.max_early_data_size == kQuicEarlyDataSize : ticket.max_early_data_size > 0;
  return protocol_offered && size_fits && has_suite(ticket.cipher_suite);
}

Result<void> ClientOffer::take_psks(ClientOptions& options, UnixTime now) {
  if (options.ticket && ticket_fits(*options.ticket, now)) {
    ticket_ = std::move(options.ticket);
    early_data_ = options.early_data && ticket_allows_early_data(*ticket_);
  }
  for (const ExternalPsk& psk : options.external_psks) {
    const crypto::HashAlgorithm* hash = hash_by_id(*config_->provider, psk.hash);
    if (!hash || !has_suite_with(*hash)) return usage_error("no cipher suite has the hash of an external PSK");
    if (psk.identity.empty() || psk.identity.size() > kClientHelloSizeMax || psk.key.size() == 0) {
      return usage_error("an external PSK wants an identity and a key");
    }
  }
  external_psks_ = std::move(options.external_psks);
  return {};
}

std::vector<ClientOffer::Psk> ClientOffer::psks(UnixTime now) const {
  std::vector<Psk> psks;
  if (ticket_) {
    psks.push_back({.kind = PskKind::resumption,
                    .identity = ticket_->ticket,
                    .obfuscated_ticket_age = ticket_->obfuscated_age(now),
                    .key = ticket_->psk,
                    .hash = &hash_of(*config_->provider, ticket_->cipher_suite)});
  }
  for (const ExternalPsk& psk : external_psks_) {
    // RFC 8446 §4.2.11: external PSKs have an age of 0.
    psks.push_back({.kind = PskKind::external,
                    .identity = psk.identity,
                    .obfuscated_ticket_age = 0,
                    .key = psk.key,
                    .hash = hash_by_id(*config_->provider, psk.hash)});
  }
  return psks;
}

Result<void> ClientOffer::make_shares(std::span<const NamedGroup> groups, Rng& rng, bool with_grease) {
  shares_.clear();
  if (with_grease && grease_) {
    // RFC 8701 §3.1; in the order of supported_groups (RFC 8446 §4.2.8), so first.
    append_code(shares_, grease_->group);
    append_code(shares_, uint16_t{1});
    shares_.push_back(0);
  }
  Result<KeyExchange> keys = KeyExchange::offer(*config_->provider, rng, groups, shares_);
  if (!keys) return std::unexpected(keys.error());
  keys_ = std::move(*keys);
  return {};
}

Result<void> ClientOffer::amend(const ServerHello& retry, Rng& rng) {
  // RFC 8446 §4.1.4: a HelloRetryRequest must change something.
  if (!retry.selected_group && !retry.cookie) {
    return abort_with(Alert::illegal_parameter, "a HelloRetryRequest that asks for nothing");
  }
  if (retry.selected_group) {
    // RFC 8446 §4.2.8: a group that we offered, and have not sent a share for.
    const std::vector<NamedGroup>& groups = config_->preferences.groups;
    if (std::ranges::find(groups, *retry.selected_group) == groups.end()) {
      return abort_with(Alert::illegal_parameter, "a HelloRetryRequest for a group that was not offered");
    }
    if (keys_->offered(*retry.selected_group)) {
      return abort_with(Alert::illegal_parameter, "a HelloRetryRequest for a share that was sent");
    }
    const NamedGroup group[] = {*retry.selected_group};
    if (Result<void> shares = make_shares(group, rng, false); !shares) return shares;
  }
  if (retry.cookie) {
    // What we must echo has to fit a ClientHello.
    if (retry.cookie->size() > kClientHelloSizeMax / 2) {
      return abort_with(Alert::illegal_parameter, "a cookie that is too long to echo");
    }
    cookie_.assign(retry.cookie->begin(), retry.cookie->end());
  }
  // RFC 8446 §4.1.2: no early data in a second ClientHello; §4.1.4: no PSK with another hash than the suite's.
  early_data_ = false;
  const crypto::HashId hash = hash_of(*config_->provider, retry.cipher_suite).id;
  if (ticket_ && hash_of(*config_->provider, ticket_->cipher_suite).id != hash) ticket_.reset();
  std::erase_if(external_psks_, [hash](const ExternalPsk& psk) { return psk.hash != hash; });
  return {};
}

void ClientOffer::fill(ClientHello& hello) const {
  hello.random = random_;
  hello.legacy_session_id = session_id();
  hello.cipher_suites = CodeList<CipherSuite>(suites_);
  hello.legacy_compression_methods = kNoCompression;
  if (sends_server_name_) hello.server_name = as_bytes(host_);
  hello.status_request = config_->request_ocsp;
  hello.supported_groups = CodeList<NamedGroup>(groups_);
  hello.signature_algorithms = CodeList<SignatureScheme>(schemes_);
  if (certificate_schemes_ != schemes_) {
    hello.signature_algorithms_cert = CodeList<SignatureScheme>(certificate_schemes_);
  }
  if (!protocols_.empty()) hello.application_protocols = ProtocolNameList(protocols_);
  hello.supported_versions = CodeList<uint16_t>(versions_);
  if (!cookie_.empty()) hello.cookie = cookie_;
  hello.psk_key_exchange_modes = kPskModes;
  hello.early_data = early_data_;
  hello.key_shares = KeyShareList(shares_);
  if (config_->mode == Mode::quic) hello.quic_transport_parameters = transport_parameters_;
}

Result<std::vector<uint8_t>> ClientOffer::write(const Transcript& transcript, UnixTime now) const {
  ClientHello hello;
  fill(hello);
  const RawExtension grease[] = {
      {.type = static_cast<ExtensionType>(grease_ ? grease_->first_extension : 0), .data = {}},
      {.type = static_cast<ExtensionType>(grease_ ? grease_->last_extension : 0), .data = kGreaseContents}};
  const std::span<const RawExtension> extra = std::span(grease).first(grease_ ? std::size(grease) : 0);

  // RFC 8446 §4.2.11.2: the binders cover all that stands before them, so first they are zeros of the right sizes.
  const std::vector<Psk> offered = psks(now);
  std::vector<uint8_t> identities, binders;
  for (const Psk& psk : offered) {
    append_code(identities, static_cast<uint16_t>(psk.identity.size()));
    identities.insert(identities.end(), psk.identity.begin(), psk.identity.end());
    append_code(identities, static_cast<uint16_t>(psk.obfuscated_ticket_age >> 16));
    append_code(identities, static_cast<uint16_t>(psk.obfuscated_ticket_age));
    binders.push_back(static_cast<uint8_t>(psk.hash->digest_size));
    binders.resize(binders.size() + psk.hash->digest_size);
  }
  if (!offered.empty()) {
    hello.pre_shared_key = PskOffer{.identities = identities, .binders = binders, .count = offered.size()};
  }

  Counter counter;
  write_client_hello(counter, hello, extra);
  if (!counter.ok() || counter.size() > kClientHelloSizeMax) return usage_error("the ClientHello would be too large");
  std::vector<uint8_t> whole;
  append_message(whole, [&](auto& sink) { write_client_hello(sink, hello, extra); });
  if (offered.empty()) return whole;

  const MutBytes tail = MutBytes(whole).last(binders.size());
  const Bytes truncated = Bytes(whole).first(whole.size() - binders.size() - 2);
  size_t at = 0;
  for (const Psk& psk : offered) {
    const Digest hash = transcript.digest_with(*psk.hash, truncated);
    const Digest binder = finished_mac(*psk.hash, KeySchedule(*psk.hash, psk.key).binder_key(psk.kind), hash);
    copy_bytes(tail.data() + at + 1, binder);
    at += 1 + binder.size();
  }
  return whole;
}

}  // namespace quoll::tls
