#include "tls/session.h"

#include "base/check.h"
#include "base/shrink.h"
#include "tls/cipher_suite.h"
#include "tls/client_handshake.h"
#include "tls/handshake.h"
#include "tls/message_assembler.h"
#include "tls/server_handshake.h"

namespace quoll::tls {

struct Session::State {
  State(const crypto::Provider& provider, Mode mode, Rng& rng, KeyLog* key_log)
      : context{.provider = provider, .mode = mode, .rng = rng, .key_log = key_log} {}

  Side side() const { return server_config ? Side::server : Side::client; }

  HandshakeContext context;
  std::shared_ptr<const ClientConfig> client_config;  // one of the two is set
  std::shared_ptr<const ServerConfig> server_config;

  // While the handshake runs.
  std::unique_ptr<Handshake> handshake;
  ServerHandshake* server_handshake = nullptr;  // the same, on a server
  MessageAssembler assembler;

  // After it.
  std::optional<Established> established;
  std::vector<uint8_t>
      resumption_context;  // server: new tickets carry it; the handshake has what offered ones must have
  std::vector<uint8_t> early_data_context;  // server: tickets carry it
  uint64_t tickets_issued = 0;              // server
  size_t tickets_taken = 0;                 // client

  std::optional<Error> failure;

  std::unexpected<Error> misplaced(const char* reason) const;
  Result<void> receive(Level level, Bytes bytes, UnixTime now);
  Result<void> on_message(Level level, const HandshakeMessage& message, bool last, UnixTime now);
  Result<void> on_post_handshake(const HandshakeMessage& message, bool last, UnixTime now);
  Result<void> on_new_session_ticket(Bytes body, UnixTime now);
  Result<void> on_key_update(Bytes body, bool last);
  void update_traffic_secret(Direction direction);
  Result<void> send_tickets(size_t count, UnixTime now);
  Result<void> finish_handshake(UnixTime now);
  std::optional<Level> due() const { return handshake ? handshake->due() : std::optional(Level::application); }
  size_t body_size_max(Level level) const;

  /// Remembers a failure, so that the session stays failed.
  Result<void> keep(Result<void> result) {
    if (!result) failure = result.error();
    return result;
  }
};

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::client(std::shared_ptr<const ClientConfig> config, ClientOptions options, Rng& rng,
                                UnixTime now) {
  if (!config || !config->provider) return usage_error("no configuration, or one without a provider");
  auto state = std::make_unique<State>(*config->provider, config->mode, rng, config->key_log);
  state->client_config = config;
  auto handshake = start_client_handshake(state->context, std::move(config), std::move(options), now);
  if (!handshake) return std::unexpected(handshake.error());
  state->handshake = std::move(*handshake);
  return Session(std::move(state));
}

Result<Session> Session::server(std::shared_ptr<const ServerConfig> config, ServerOptions options, Rng& rng) {
  if (!config || !config->provider) return usage_error("no configuration, or one without a provider");
  auto state = std::make_unique<State>(*config->provider, config->mode, rng, config->key_log);
  state->server_config = config;
  state->resumption_context = options.resumption_context;
  state->early_data_context = options.early_data_context;
  auto handshake = start_server_handshake(state->context, std::move(config), std::move(options));
  if (!handshake) return std::unexpected(handshake.error());
  state->server_handshake = handshake->get();
  state->handshake = std::move(*handshake);
  return Session(std::move(state));
}

Result<void> Session::receive(Level level, Bytes bytes, UnixTime now) {
  if (state_->failure) return std::unexpected(*state_->failure);
  return state_->keep(state_->receive(level, bytes, now));
}

Result<void> Session::set_transport_parameters(std::vector<uint8_t> encoded, UnixTime now) {
  if (state_->failure) return std::unexpected(*state_->failure);
  if (!state_->server_handshake) return usage_error("only a server in its handshake waits for transport parameters");
  auto result = state_->server_handshake->set_transport_parameters(std::move(encoded), now);
  if (!result && result.error().domain == ErrorDomain::usage) return result;  // the caller's mistake, not the peer's
  return state_->keep(std::move(result));
}

Result<void> Session::set_resumption_context(std::vector<uint8_t> context) {
  if (state_->failure) return std::unexpected(*state_->failure);
  if (!state_->server_config) return usage_error("only a server makes tickets");
  if (state_->tickets_issued != 0) return usage_error("tickets were issued already");
  if (context.size() > ServerTicket::kResumptionContextSizeMax) {
    return usage_error("resumption_context is too large for tickets");
  }
  state_->resumption_context = std::move(context);
  return {};
}

std::optional<Output> Session::poll() { return state_->context.out.poll(); }

Side Session::side() const { return state_->side(); }
bool Session::is_complete() const { return state_->established.has_value(); }
const Negotiated& Session::negotiated() const { return state_->context.negotiated; }

size_t Session::State::body_size_max(Level level) const {
  switch (level) {
    case Level::initial:
      return kClientHelloSizeMax;
    case Level::early_data:
      return 0;  // EndOfEarlyData
    case Level::handshake:
      return kHandshakeMessageSizeMax;
    case Level::application:
      return client_config ? kNewSessionTicketSizeMax : kPostHandshakeMessageSizeMax;
  }
  return 0;
}

/// Bytes where the levels allow none: RFC 9001 §4.1.3 has its own error for it.
std::unexpected<Error> Session::State::misplaced(const char* reason) const {
  return context.mode == Mode::quic ? quic_protocol_violation(reason) : abort_with(Alert::unexpected_message, reason);
}

Result<void> Session::State::receive(Level level, Bytes bytes, UnixTime now) {
  while (!bytes.empty()) {
    if (due() != level) return misplaced("handshake bytes at a level where none are due");
    auto message = assembler.next(bytes, body_size_max(level));
    if (!message) return std::unexpected(message.error());
    if (!*message) return {};
    if (auto result = on_message(level, **message, bytes.empty(), now); !result) return result;
  }
  return {};
}

/// `last`: nothing follows the message in what arrived with it.
Result<void> Session::State::on_message(Level level, const HandshakeMessage& message, bool last, UnixTime now) {
  if (!handshake) return on_post_handshake(message, last, now);
  if (auto result = handshake->on_message(message, now); !result) return result;
  // RFC 8446 §5.1: messages do not span key changes, so the last one before a change ends what its level carries.
  if (handshake->due() != level && !last) {
    return misplaced("handshake bytes follow a message that changes keys");
  }
  return handshake->established() ? finish_handshake(now) : Result<void>();
}

Result<void> Session::State::finish_handshake(UnixTime now) {
  established = std::move(*handshake->established());
  context.exporter_master = established->exporter_master;
  server_handshake = nullptr;
  handshake.reset();
  assembler.reset();
  return server_config && server_config->ticket_keys ? send_tickets(server_config->tickets, now) : Result<void>();
}

Result<void> Session::State::on_post_handshake(const HandshakeMessage& message, bool last, UnixTime now) {
  if (message.type == HandshakeType::new_session_ticket && client_config) {
    return on_new_session_ticket(message.body, now);
  }
  // RFC 9001 §6: a KeyUpdate over QUIC is unexpected_message.
  if (message.type == HandshakeType::key_update && context.mode == Mode::stream) {
    return on_key_update(message.body, last);
  }
  // RFC 9001 §4.4: a client that is asked for a certificate after the handshake.
  if (message.type == HandshakeType::certificate_request && client_config)
    return misplaced("a CertificateRequest after the handshake");
  return abort_with(Alert::unexpected_message, "a message that does not come after the handshake");
}

Result<void> Session::State::on_new_session_ticket(Bytes body, UnixTime now) {
  const TicketContext ticket_context{.provider = context.provider,
                                     .mode = context.mode,
                                     .established = *established,
                                     .server_name = context.negotiated.server_name,
                                     .application_protocol = context.negotiated.application_protocol,
                                     .authenticated_until = established->authenticated_until,
                                     .transport_parameters = established->peer_transport_parameters,
                                     .server_verified = client_config->verifies_server()};
  auto ticket = accept_ticket(ticket_context, body, now);
  if (!ticket) return std::unexpected(ticket.error());
  if (*ticket && tickets_taken < kTicketsKeptMax) {
    tickets_taken++;
    context.out.put(TicketReceived{std::move(**ticket)});
  }
  return {};
}

Result<void> Session::State::on_key_update(Bytes body, bool last) {
  const auto requested = parse_key_update(body);
  if (!requested) return std::unexpected(requested.error());
  if (!last) return abort_with(Alert::unexpected_message, "handshake bytes follow a KeyUpdate");
  update_traffic_secret(Direction::read);
  if (*requested) {
    // RFC 8446 §4.6.3: the answer goes out before the next application data, and does not ask back.
    context.out.message(Level::application, [](auto& sink) { write_key_update(sink, false); });
    update_traffic_secret(Direction::write);
  }
  return {};
}

void Session::State::update_traffic_secret(Direction direction) {
  const bool of_client = (side() == Side::client) == (direction == Direction::write);
  Digest& secret = of_client ? established->client_application_traffic : established->server_application_traffic;
  secret = next_traffic_secret(hash_of(context.provider, established->cipher_suite), secret);
  context.out.put(TrafficSecret{Level::application, direction, established->cipher_suite, secret});
}

Result<void> Session::State::send_tickets(size_t count, UnixTime now) {
  for (size_t i = 0; i < count; i++) {
    const auto& certificates = context.negotiated.peer_certificates;
    const TicketIssue issue{.config = *server_config,
                            .established = *established,
                            .server_name = context.negotiated.server_name,
                            .application_protocol = context.negotiated.application_protocol,
                            .resumption_context = resumption_context,
                            .early_data_context = early_data_context,
                            .client_certificate = certificates.empty() ? Bytes() : certificates[0].der(),
                            .authenticated = established->authenticated,
                            .number = tickets_issued++};
    if (auto result = issue_ticket(issue, context.rng, context.out, now); !result) return result;
  }
  return {};
}

Result<void> Session::export_keying_material(std::string_view label, Bytes keying_context, MutBytes out) const {
  const HandshakeContext& context = state_->context;
  if (!context.exporter_master) return usage_error("the exporter secret is not known yet");
  return tls::export_keying_material(hash_of(context.provider, context.negotiated.cipher_suite),
                                     *context.exporter_master, label, keying_context, out);
}

Result<void> Session::export_early_keying_material(std::string_view label, Bytes keying_context, MutBytes out) const {
  const HandshakeContext& context = state_->context;
  if (!context.early_exporter) return usage_error("there is no early exporter secret");
  return tls::export_keying_material(hash_of(context.provider, context.early_exporter->cipher_suite),
                                     context.early_exporter->master, label, keying_context, out);
}

Result<void> Session::send_ticket(UnixTime now) {
  if (state_->failure) return std::unexpected(*state_->failure);
  if (!state_->server_config || !state_->server_config->ticket_keys) return usage_error("no keys to make tickets with");
  if (!state_->established) return usage_error("tickets follow the handshake");
  return state_->keep(state_->send_tickets(1, now));
}

Result<void> Session::update_keys(bool request_peer) {
  if (state_->failure) return std::unexpected(*state_->failure);
  if (state_->context.mode == Mode::quic) return usage_error("QUIC updates keys by itself");
  if (!state_->established) return usage_error("keys are updated after the handshake");
  state_->context.out.message(Level::application, [request_peer](auto& sink) { write_key_update(sink, request_peer); });
  state_->update_traffic_secret(Direction::write);
  return {};
}

void Session::confirm() {
  if (!state_->established) return;
  // A server's application decides by who its client is for as long as the connection lasts; a client chose its server by
  // name, and is done with the certificate.
  std::vector<x509::Certificate> leaf;
  auto& chain = state_->context.negotiated.peer_certificates;
  if (state_->server_config && !chain.empty()) leaf.push_back(std::move(chain.front()));
  chain.swap(leaf);
  quoll::release(state_->context.negotiated.peer_ocsp_response);
  state_->context.early_exporter.reset();
  trim();
}

void Session::trim() {
  // A ticket may have come in part: HANDSHAKE_DONE waits for nobody.
  if (!state_->assembler.is_within_message()) state_->assembler.reset();
  if (state_->context.out.empty()) state_->context.out.shrink();
}

}  // namespace quoll::tls
