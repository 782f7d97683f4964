#include "tls/server_handshake.h"

#include <array>

#include "base/check.h"
#include "base/shrink.h"
#include "tls/cipher_suite.h"
#include "tls/key_exchange.h"
#include "tls/peer_verification.h"
#include "tls/retried_client_hello.h"
#include "tls/server_flight.h"
#include "tls/server_negotiation.h"
#include "tls/server_resumption.h"

namespace quoll::tls {
namespace {

constexpr size_t kCookieSize = 32;

/// RFC 8446 appendix A.2, with one state more: over QUIC our transport parameters may depend on the client's.
enum class State : uint8_t {
  wait_client_hello,
  wait_retried_client_hello,
  wait_transport_parameters,
  wait_end_of_early_data,
  wait_certificate,
  wait_certificate_verify,
  wait_finished,
  connected,
};

class ServerMachine final : public ServerHandshake {
 public:
  ServerMachine(HandshakeContext& context, std::shared_ptr<const ServerConfig> config, ServerOptions options)
      : context_(context),
        config_(std::move(config)),
        resumption_context_(std::move(options.resumption_context)),
        early_data_context_(std::move(options.early_data_context)) {
    if (!options.transport_parameters.empty()) transport_parameters_ = std::move(options.transport_parameters);
  }

  std::optional<Level> due() const override;
  Result<void> on_message(const HandshakeMessage& message, UnixTime now) override;
  std::optional<Established>& established() override { return established_; }
  Result<void> set_transport_parameters(std::vector<uint8_t> encoded, UnixTime now) override;

 private:
  // One function per state.
  Result<void> on_client_hello(const HandshakeMessage& message, UnixTime now);
  Result<void> on_retried_client_hello(const HandshakeMessage& message, UnixTime now);
  Result<void> on_end_of_early_data(const HandshakeMessage& message);
  Result<void> on_certificate(const HandshakeMessage& message, UnixTime now);
  Result<void> on_certificate_verify(const HandshakeMessage& message);
  Result<void> on_finished(const HandshakeMessage& message, UnixTime now);

  // The steps that a ClientHello leads through.
  Result<void> choose(const ClientHello& hello, UnixTime now);
  void request_retry(const HandshakeMessage& message);
  Result<void> accept(const ClientHello& hello, const HandshakeMessage& message, UnixTime now);
  Result<void> check_psk(const ClientHello& hello, const HandshakeMessage& message, UnixTime now);
  void put_peer_transport_parameters(const ClientHello& hello);
  void fill_negotiated();

  // The flight.
  Result<void> send_flight();
  void start_early_data();
  Result<void> send_hello();
  Result<void> send_authentication();
  void finish_flight();

  void put_secret(Level level, Direction direction, const Digest& secret) {
    context_.out.put(TrafficSecret{level, direction, parameters_.cipher_suite, secret});
  }
  void log(std::string_view label, const Digest& secret) {
    log_secret(context_.key_log, label, parameters_.client_random, secret);
  }
  const crypto::HashAlgorithm& hash() const { return hash_of(context_.provider, parameters_.cipher_suite); }
  ServerFlight flight() { return ServerFlight(context_, *config_, transcript_); }

  HandshakeContext& context_;
  std::shared_ptr<const ServerConfig> config_;
  std::vector<uint8_t> resumption_context_;  // that offered tickets must have
  std::vector<uint8_t> early_data_context_;
  std::optional<std::vector<uint8_t>> transport_parameters_;  // ours, once known
  bool has_put_peer_transport_parameters_ = false;

  State state_ = State::wait_client_hello;
  ServerParameters parameters_;
  Transcript transcript_;
  std::optional<KeySchedule> schedule_;
  std::vector<uint8_t> first_hello_;  // its body, after a HelloRetryRequest
  std::vector<uint8_t> cookie_;       // empty: none was sent
  Digest server_handshake_traffic_, client_handshake_traffic_;
  Digest server_application_traffic_, client_application_traffic_;
  PeerChain client_chain_;  // verified, until the client has proved that it has the key
  std::optional<Established> established_;
};

std::optional<Level> ServerMachine::due() const {
  switch (state_) {
    case State::wait_client_hello:
    case State::wait_retried_client_hello:
      return Level::initial;
    case State::wait_end_of_early_data:
      return Level::early_data;
    case State::wait_certificate:
    case State::wait_certificate_verify:
    case State::wait_finished:
      return Level::handshake;
    case State::wait_transport_parameters:
    case State::connected:
      return {};
  }
  return {};
}

Result<void> ServerMachine::on_message(const HandshakeMessage& message, UnixTime now) {
  switch (state_) {
    case State::wait_client_hello:
      return on_client_hello(message, now);
    case State::wait_retried_client_hello:
      return on_retried_client_hello(message, now);
    case State::wait_end_of_early_data:
      return on_end_of_early_data(message);
    case State::wait_certificate:
      return on_certificate(message, now);
    case State::wait_certificate_verify:
      return on_certificate_verify(message);
    case State::wait_finished:
      return on_finished(message, now);
    case State::wait_transport_parameters:
    case State::connected:
      break;
  }
  return abort_with(Alert::unexpected_message, "no handshake message is due");
}

Result<void> ServerMachine::set_transport_parameters(std::vector<uint8_t> encoded, UnixTime) {
  if (!has_put_peer_transport_parameters_ || transport_parameters_) {
    return usage_error("nobody waits for transport parameters");
  }
  if (encoded.size() > kTransportParametersSizeMax) return usage_error("transport parameters that are too large");
  transport_parameters_ = std::move(encoded);
  return state_ == State::wait_transport_parameters ? send_flight() : Result<void>();
}

Result<void> ServerMachine::on_client_hello(const HandshakeMessage& message, UnixTime now) {
  if (const auto due = expect(message, HandshakeType::client_hello); !due) return due;
  const Result<ClientHello> hello = parse_client_hello(message.body);
  if (!hello) return std::unexpected(hello.error());
  if (const auto good = check_client_hello(*hello, context_.mode); !good) return good;
  // RFC 8446 §4.2.2: cookies answer a HelloRetryRequest.
  if (hello->cookie) return abort_with(Alert::illegal_parameter, "a cookie in the first ClientHello");
  if (const auto chosen = choose(*hello, now); !chosen) return chosen;
  put_peer_transport_parameters(*hello);
  if (parameters_.group.has_share) return accept(*hello, message, now);
  request_retry(message);
  return {};
}

Result<void> ServerMachine::on_retried_client_hello(const HandshakeMessage& message, UnixTime now) {
  if (const auto due = expect(message, HandshakeType::client_hello); !due) return due;
  const Result<ClientHello> first = parse_client_hello(first_hello_);
  const Result<ClientHello> second = parse_client_hello(message.body);
  if (!second) return std::unexpected(second.error());
  QUOLL_CHECK(first.has_value());
  if (const auto good = check_client_hello(*second, context_.mode); !good) return good;
  const RetryRequest request{.group = parameters_.group.group, .cookie = cookie_};
  if (const auto good = check_retried_client_hello(*first, *second, request); !good) return good;
  if (const auto chosen = choose(*second, now); !chosen) return chosen;
  return accept(*second, message, now);
}

/// What the messages and the configuration settle, before anything is computed or sent.
Result<void> ServerMachine::choose(const ClientHello& hello, UnixTime now) {
  const bool is_retried = state_ == State::wait_retried_client_hello;
  const std::optional<CipherSuite> suite =
      is_retried ? parameters_.cipher_suite
                 : choose_cipher_suite(context_.provider, hello.cipher_suites, config_->preferences.cipher_suites);
  // RFC 8446 §4.1.1: no overlap of suites.
  if (!suite) return abort_with(Alert::handshake_failure, "no common cipher suite");
  Result<std::string> server_name = requested_server_name(hello, *config_);
  if (!server_name) return std::unexpected(server_name.error());
  Result<std::string> protocol = choose_application_protocol(hello, config_->application_protocols, context_.mode);
  if (!protocol) return std::unexpected(protocol.error());
  const Result<GroupChoice> group = choose_group(hello, config_->preferences.groups);
  if (!group) return std::unexpected(group.error());

  const ClientPolicy& policy = client_policy_for(*config_, *server_name);
  std::optional<ServerPsk> psk = find_psk({.provider = context_.provider,
                                           .config = *config_,
                                           .hello = hello,
                                           .server_name = *server_name,
                                           .policy = policy,
                                           .resumption_context = resumption_context_,
                                           .cipher_suite = *suite,
                                           .is_retried = is_retried},
                                          now);
  ChosenIdentity identity;
  if (!psk) {
    const Result<ChosenIdentity> chosen = choose_server_identity(hello, *config_, *server_name);
    if (!chosen) return std::unexpected(chosen.error());
    identity = *chosen;
  }
  const Bytes share = hello.key_shares->find(group->group).value_or(Bytes());
  parameters_ = {.client_random = hello.random,
                 .session_id = {hello.legacy_session_id.begin(), hello.legacy_session_id.end()},
                 .cipher_suite = psk ? psk->cipher_suite : *suite,
                 .group = *group,
                 .client_share = {share.begin(), share.end()},
                 .psk = std::move(psk),
                 .identity = identity,
                 .server_name = std::move(*server_name),
                 .application_protocol = std::move(*protocol),
                 .client_policy = &policy,
                 .wants_ocsp_response = hello.status_request,
                 .early_data_offered = hello.early_data,
                 .early_data_accepted = false,
                 .takes_tickets = accepts_psk_dhe_ke(hello)};
  return {};
}

void ServerMachine::put_peer_transport_parameters(const ClientHello& hello) {
  if (context_.mode != Mode::quic) return;
  const Bytes encoded = *hello.quic_transport_parameters;
  context_.out.put(PeerTransportParameters{{encoded.begin(), encoded.end()}});
  has_put_peer_transport_parameters_ = true;
}

void ServerMachine::request_retry(const HandshakeMessage& message) {
  // RFC 8446 §4.2.10: no early data together with a HelloRetryRequest.
  if (parameters_.early_data_offered) context_.out.put(EarlyDataDecision{false});
  transcript_.add(message.whole);
  transcript_.choose(hash());
  transcript_.replace_with_message_hash();
  if (config_->hello_retry_cookie) {
    cookie_.resize(kCookieSize);
    context_.rng.fill(cookie_);
  }
  flight().send_hello_retry_request(parameters_, cookie_);
  first_hello_.assign(message.body.begin(), message.body.end());
  context_.negotiated.hello_retry = true;
  state_ = State::wait_retried_client_hello;
}

/// The ClientHello has all that is needed.
Result<void> ServerMachine::accept(const ClientHello& hello, const HandshakeMessage& message, UnixTime now) {
  schedule_.emplace(hash(), parameters_.psk ? Bytes(parameters_.psk->key) : Bytes());
  if (parameters_.psk) {
    if (const auto good = check_psk(hello, message, now); !good) return good;
  }
  transcript_.add(message.whole);
  transcript_.choose(hash());
  release(first_hello_);
  fill_negotiated();
  if (context_.mode == Mode::quic && !transport_parameters_) {
    state_ = State::wait_transport_parameters;
    return {};
  }
  return send_flight();
}

Result<void> ServerMachine::check_psk(const ClientHello& hello, const HandshakeMessage& message, UnixTime now) {
  const ServerPsk& psk = *parameters_.psk;
  const PskOffer& offer = *hello.pre_shared_key;
  // RFC 8446 §4.2.11.2: all of the message before the list of binders, with its header.
  const Bytes truncated = message.whole.first(kHandshakeHeaderSize + offer.binders_offset);
  const Digest truncated_hash = transcript_.digest_with(hash(), truncated);
  if (const auto good = check_binder(*schedule_, psk.kind, truncated_hash, offer.binder(psk.index)); !good) return good;
  parameters_.early_data_accepted = accept_early_data({.config = *config_,
                                                       .mode = context_.mode,
                                                       .hello = hello,
                                                       .psk = psk,
                                                       .cipher_suite = parameters_.cipher_suite,
                                                       .application_protocol = parameters_.application_protocol,
                                                       .early_data_context = early_data_context_},
                                                      now);
  return {};
}

/// Before the flight: who gives our transport parameters may go by it.
void ServerMachine::fill_negotiated() {
  Negotiated& negotiated = context_.negotiated;
  negotiated.cipher_suite = parameters_.cipher_suite;
  negotiated.group = parameters_.group.group;
  negotiated.application_protocol = parameters_.application_protocol;
  negotiated.server_name = parameters_.server_name;
  negotiated.resumed = parameters_.psk.has_value();
  negotiated.early_data = parameters_.early_data_accepted;
  if (parameters_.psk && parameters_.psk->client_certificate) {
    negotiated.peer_certificates.push_back(std::move(*parameters_.psk->client_certificate));
  }
}

Result<void> ServerMachine::send_flight() {
  start_early_data();
  if (const auto sent = send_hello(); !sent) return sent;
  flight().send_encrypted_extensions(parameters_, transport_parameters_ ? Bytes(*transport_parameters_) : Bytes());
  if (!parameters_.psk) {
    if (const auto sent = send_authentication(); !sent) return sent;
  }
  finish_flight();
  return {};
}

void ServerMachine::start_early_data() {
  if (!parameters_.early_data_offered) return;
  const bool accepted = parameters_.early_data_accepted;
  context_.out.put(EarlyDataDecision{accepted});
  if (!accepted) return;
  const Digest client_hello_hash = transcript_.digest();
  const Digest secret = schedule_->client_early_traffic(client_hello_hash);
  const Digest exporter = schedule_->early_exporter_master(client_hello_hash);
  log(kClientEarlyTrafficSecret, secret);
  log(kEarlyExporterSecret, exporter);
  context_.early_exporter = {.cipher_suite = parameters_.cipher_suite, .master = exporter};
  put_secret(Level::early_data, Direction::read, secret);
}

/// ServerHello, and the secrets that it leads to.
Result<void> ServerMachine::send_hello() {
  const NamedGroup group = parameters_.group.group;
  std::array<uint8_t, kKeyShareSizeMax> room;
  const MutBytes server_share = MutBytes(room).first(server_share_size(group));
  const Result<SharedSecret> shared =
      answer(context_.provider, context_.rng, group, parameters_.client_share, server_share);
  if (!shared) return std::unexpected(shared.error());
  flight().send_server_hello(parameters_, server_share);

  schedule_->enter_handshake(*shared);
  const Digest hello_hash = transcript_.digest();
  client_handshake_traffic_ = schedule_->client_handshake_traffic(hello_hash);
  server_handshake_traffic_ = schedule_->server_handshake_traffic(hello_hash);
  log(kClientHandshakeTrafficSecret, client_handshake_traffic_);
  log(kServerHandshakeTrafficSecret, server_handshake_traffic_);
  put_secret(Level::handshake, Direction::write, server_handshake_traffic_);
  // RFC 8446 §4.5: over a stream, the client's handshake keys follow EndOfEarlyData. RFC 9001 §8.3: QUIC has none.
  if (context_.mode == Mode::quic || !parameters_.early_data_accepted) {
    put_secret(Level::handshake, Direction::read, client_handshake_traffic_);
  }
  return {};
}

Result<void> ServerMachine::send_authentication() {
  if (parameters_.requests_certificate()) flight().send_certificate_request(parameters_);
  flight().send_certificate(parameters_);
  return flight().send_certificate_verify(parameters_);
}

/// Our Finished, and what it makes known: we may send, and export, from here on.
void ServerMachine::finish_flight() {
  flight().send_finished(hash(), server_handshake_traffic_);
  schedule_->enter_master();
  const Digest server_finished_hash = transcript_.digest();
  client_application_traffic_ = schedule_->client_application_traffic(server_finished_hash);
  server_application_traffic_ = schedule_->server_application_traffic(server_finished_hash);
  context_.exporter_master = schedule_->exporter_master(server_finished_hash);
  log(kClientTrafficSecret0, client_application_traffic_);
  log(kServerTrafficSecret0, server_application_traffic_);
  log(kExporterSecret, *context_.exporter_master);
  put_secret(Level::application, Direction::write, server_application_traffic_);
  if (context_.mode == Mode::stream && parameters_.early_data_accepted) {
    state_ = State::wait_end_of_early_data;
  } else {
    state_ = parameters_.requests_certificate() ? State::wait_certificate : State::wait_finished;
  }
}

Result<void> ServerMachine::on_end_of_early_data(const HandshakeMessage& message) {
  if (const auto due = expect(message, HandshakeType::end_of_early_data); !due) return due;
  if (!message.body.empty()) return abort_with(Alert::decode_error, "EndOfEarlyData is not empty");
  transcript_.add(message.whole);
  put_secret(Level::handshake, Direction::read, client_handshake_traffic_);
  state_ = State::wait_finished;  // early data comes with a PSK, and that without a CertificateRequest
  return {};
}

Result<void> ServerMachine::on_certificate(const HandshakeMessage& message, UnixTime now) {
  if (const auto due = expect(message, HandshakeType::certificate); !due) return due;
  const Result<CertificateMessage> certificate = parse_certificate(message.body);
  if (!certificate) return std::unexpected(certificate.error());
  // RFC 8446 §4.4.2: the context is that of the CertificateRequest.
  if (!certificate->context.empty()) {
    return abort_with(Alert::illegal_parameter, "a Certificate for another CertificateRequest");
  }
  Result<PeerChain> chain = parse_peer_chain(*certificate, false);
  if (!chain) return std::unexpected(chain.error());
  const ClientPolicy& policy = *parameters_.client_policy;
  transcript_.add(message.whole);
  if (chain->certificates.empty()) {
    // RFC 8446 §4.4.2.4: whether it goes on without is the server's choice.
    if (policy.authentication == ClientAuthentication::required) {
      return abort_with(Alert::certificate_required, "the client has no certificate");
    }
    state_ = State::wait_finished;
    return {};
  }
  const PeerPolicy rules{.verification = PeerVerification::chain,
                         .trust = policy.trust.get(),
                         .pins = {},
                         .verifier = &policy.verifier,
                         .purpose = x509::Purpose::client};
  const PeerCertificates peer{.chain = chain->certificates, .ocsp_response = {}, .server_name = {}, .now = now};
  if (const auto trusted = verify_peer(context_.provider, rules, peer); !trusted) return trusted;
  client_chain_ = std::move(*chain);
  state_ = State::wait_certificate_verify;
  return {};
}

Result<void> ServerMachine::on_certificate_verify(const HandshakeMessage& message) {
  if (const auto due = expect(message, HandshakeType::certificate_verify); !due) return due;
  const Result<CertificateVerify> verify = parse_certificate_verify(message.body);
  if (!verify) return std::unexpected(verify.error());
  const Digest hash = transcript_.digest();
  const auto good =
      check_certificate_verify(context_.provider, client_chain_.certificates.front(), *verify,
                               accepted_schemes(config_->preferences), {.signer = Side::client, .hash = hash});
  if (!good) return good;
  transcript_.add(message.whole);
  context_.negotiated.peer_signature_scheme = verify->scheme;
  context_.negotiated.peer_certificates = std::move(client_chain_.certificates);
  state_ = State::wait_finished;
  return {};
}

Result<void> ServerMachine::on_finished(const HandshakeMessage& message, UnixTime now) {
  if (const auto due = expect(message, HandshakeType::finished); !due) return due;
  const Digest expected = finished_mac(hash(), client_handshake_traffic_, transcript_.digest());
  if (message.body.size() != expected.size()) return abort_with(Alert::decode_error, "Finished has another size");
  // RFC 8446 §4.4.4: verify_data that does not verify.
  if (!crypto::ct::equal(expected, message.body)) {
    return abort_with(Alert::decrypt_error, "the client's Finished is wrong");
  }
  transcript_.add(message.whole);
  put_secret(Level::application, Direction::read, client_application_traffic_);
  context_.out.put(HandshakeComplete{});

  const bool by_ticket = parameters_.psk && parameters_.psk->ticket;
  Established& established = established_.emplace();
  established.cipher_suite = parameters_.cipher_suite;
  established.exporter_master = *context_.exporter_master;
  established.resumption_master = schedule_->resumption_master(transcript_.digest());
  if (context_.mode == Mode::stream) {
    established.client_application_traffic = client_application_traffic_;
    established.server_application_traffic = server_application_traffic_;
  }
  established.authenticated = by_ticket ? parameters_.psk->ticket->authenticated : now;
  established.takes_tickets = parameters_.takes_tickets;
  state_ = State::connected;
  return {};
}

}  // namespace

Result<std::unique_ptr<ServerHandshake>> start_server_handshake(HandshakeContext& context,
                                                                std::shared_ptr<const ServerConfig> config,
                                                                ServerOptions options) {
  if (!config) return usage_error("no configuration");
  if (const auto good = check_server_config(*config, context.mode); !good) return std::unexpected(good.error());
  if (context.mode == Mode::stream && !options.transport_parameters.empty()) {
    return usage_error("transport parameters are for QUIC");
  }
  if (options.transport_parameters.size() > kTransportParametersSizeMax) {
    return usage_error("transport parameters that are too large");
  }
  if (options.resumption_context.size() > ServerTicket::kResumptionContextSizeMax) {
    return usage_error("resumption_context is too large for tickets");
  }
  if (options.early_data_context.size() > ServerTicket::kEarlyDataContextSizeMax) {
    return usage_error("early_data_context is too large for tickets");
  }
  return std::make_unique<ServerMachine>(context, std::move(config), std::move(options));
}

}  // namespace quoll::tls
