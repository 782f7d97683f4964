#include <algorithm>
#include <array>
#include <utility>

#include "tls/client_identity.h"
#include "tls/client_machine.h"
#include "tls/key_log.h"
#include "tls/peer_verification.h"

namespace quoll::tls {
namespace {

/// External PSKs have no certificate that could expire.
constexpr UnixTime kForever = UnixTime::from_seconds(253'402'300'799);  // the end of the year 9999

bool is_among(Bytes name, const std::vector<std::string>& protocols) {
  return std::ranges::find(protocols, as_text(name)) != protocols.end();
}

}  // namespace

Result<void> ClientHandshake::on_encrypted_extensions(const HandshakeMessage& message) {
  if (Result<void> expected = expect(message, HandshakeType::encrypted_extensions); !expected) return expected;
  const Result<EncryptedExtensions> extensions = parse_encrypted_extensions(message.body);
  if (!extensions) return std::unexpected(extensions.error());
  if (Result<void> checked = check_extensions(*extensions); !checked) return checked;
  if (Result<void> checked = check_protocol(extensions->application_protocol); !checked) return checked;
  if (Result<void> checked = check_early_data(*extensions); !checked) return checked;
  transcript_.add(message.whole);

  if (extensions->application_protocol) {
    context_.negotiated.application_protocol = as_text(*extensions->application_protocol);
  }
  if (extensions->quic_transport_parameters) {
    const Bytes parameters = *extensions->quic_transport_parameters;
    peer_transport_parameters_.assign(parameters.begin(), parameters.end());
    context_.out.put(PeerTransportParameters{peer_transport_parameters_});
  }
  if (early_data_ == EarlyData::offered) decide_early_data(extensions->early_data);
  // RFC 8446 §4.4.2: with a PSK there are no certificates.
  state_ = chosen_psk_ ? State::finished : State::certificate_or_request;
  return {};
}

Result<void> ClientHandshake::check_extensions(const EncryptedExtensions& extensions) const {
  // RFC 8446 §4.2: answers to what was not asked.
  if (extensions.has_unknown_extension || (extensions.server_name && !sent_server_name_)) {
    return abort_with(Alert::unsupported_extension, "EncryptedExtensions with an extension that was not offered");
  }
  // RFC 9001 §8.2: required over QUIC, forbidden elsewhere.
  const bool is_quic = context_.mode == Mode::quic;
  if (is_quic && !extensions.quic_transport_parameters) {
    return abort_with(Alert::missing_extension, "the server has no transport parameters");
  }
  if (!is_quic && extensions.quic_transport_parameters) {
    return abort_with(Alert::unsupported_extension, "transport parameters without QUIC");
  }
  return {};
}

Result<void> ClientHandshake::check_protocol(std::optional<Bytes> protocol) const {
  if (!protocol) {
    // RFC 9001 §8.1: over QUIC a protocol must be negotiated.
    if (context_.mode == Mode::stream) return {};
    return abort_with(Alert::no_application_protocol, "the server chose no application protocol");
  }
  if (config_->application_protocols.empty()) {
    return abort_with(Alert::unsupported_extension, "an application protocol, but none was offered");
  }
  // RFC 7301 §3.1: one of those that the client offered.
  if (!is_among(*protocol, config_->application_protocols)) {
    return abort_with(Alert::illegal_parameter, "an application protocol that was not offered");
  }
  return {};
}

Result<void> ClientHandshake::check_early_data(const EncryptedExtensions& extensions) const {
  if (!extensions.early_data) return {};
  switch (early_data_) {
    case EarlyData::rejected:
      // RFC 8446 §4.2.11: accepted early data means the first PSK; §4.1.2: a second ClientHello has not offered it.
      if (!retry_suite_) return abort_with(Alert::illegal_parameter, "early data accepted without its PSK");
      [[fallthrough]];
    case EarlyData::none:
      return abort_with(Alert::unsupported_extension, "early data accepted, but none was offered");
    case EarlyData::offered:
    case EarlyData::accepted:
      break;
  }
  // RFC 8446 §4.2.10: suite and protocol are those of the ticket.
  const Bytes protocol = extensions.application_protocol.value_or(Bytes());
  if (context_.negotiated.cipher_suite != early_suite_ || as_text(protocol) != early_protocol_) {
    return abort_with(Alert::illegal_parameter, "early data accepted with other parameters than the ticket's");
  }
  return {};
}

void ClientHandshake::decide_early_data(bool accepted) {
  if (accepted) {
    early_data_ = EarlyData::accepted;
    context_.negotiated.early_data = true;
    context_.out.put(EarlyDataDecision{true});
    return;  // a stream's handshake keys follow EndOfEarlyData
  }
  reject_early_data();
  if (context_.mode == Mode::stream) put_secret(Level::handshake, Direction::write, client_handshake_traffic_);
}

Result<void> ClientHandshake::on_certificate_request(const HandshakeMessage& message) {
  const Result<CertificateRequest> request = parse_certificate_request(message.body);
  if (!request) return std::unexpected(request.error());
  // RFC 8446 §4.3.2: a context is for requests after the handshake; signature_algorithms must come.
  if (!request->context.empty()) return abort_with(Alert::illegal_parameter, "a context in a handshake's request");
  if (!request->signature_algorithms) {
    return abort_with(Alert::missing_extension, "a CertificateRequest without signature_algorithms");
  }
  transcript_.add(message.whole);
  const ClientIdentity chosen = choose_client_identity(config_->identities, *request);
  request_ = Request{.identity = chosen.identity, .scheme = chosen.scheme, .wants_ocsp = request->status_request};
  state_ = State::certificate;
  return {};
}

Result<void> ClientHandshake::on_certificate(const HandshakeMessage& message, UnixTime now) {
  if (Result<void> expected = expect(message, HandshakeType::certificate); !expected) return expected;
  const Result<CertificateMessage> certificate = parse_certificate(message.body);
  if (!certificate) return std::unexpected(certificate.error());
  // RFC 8446 §4.4.2: a server's has no context; §4.4.2.4: and is not empty.
  if (!certificate->context.empty()) return abort_with(Alert::illegal_parameter, "a context in a server's Certificate");
  if (certificate->count == 0) return abort_with(Alert::decode_error, "the server has no certificate");
  Result<PeerChain> chain = parse_peer_chain(*certificate, config_->request_ocsp);
  if (!chain) return std::unexpected(chain.error());

  const PeerPolicy policy{.verification = config_->verification,
                          .trust = config_->trust.get(),
                          .pins = config_->pins,
                          .verifier = &config_->verifier,
                          .purpose = x509::Purpose::server};
  const PeerCertificates peer{.chain = chain->certificates,
                              .ocsp_response = chain->ocsp_response,
                              .server_name = context_.negotiated.server_name,
                              .now = now};
  if (Result<void> verified = verify_peer(context_.provider, policy, peer); !verified) return verified;
  transcript_.add(message.whole);
  authenticated_until_ = chain->certificates.front().not_after;
  context_.negotiated.peer_certificates = std::move(chain->certificates);
  context_.negotiated.peer_ocsp_response = std::move(chain->ocsp_response);
  state_ = State::certificate_verify;
  return {};
}

Result<void> ClientHandshake::on_certificate_verify(const HandshakeMessage& message) {
  if (Result<void> expected = expect(message, HandshakeType::certificate_verify); !expected) return expected;
  const Result<CertificateVerify> verify = parse_certificate_verify(message.body);
  if (!verify) return std::unexpected(verify.error());
  const Digest signed_hash = transcript_.digest();
  Result<void> checked =
      check_certificate_verify(context_.provider, context_.negotiated.peer_certificates.front(), *verify,
                               accepted_schemes(config_->preferences), {.signer = Side::server, .hash = signed_hash});
  if (!checked) return checked;
  transcript_.add(message.whole);
  context_.negotiated.peer_signature_scheme = verify->scheme;
  state_ = State::finished;
  return {};
}

Result<void> ClientHandshake::on_finished(const HandshakeMessage& message) {
  if (Result<void> expected = expect(message, HandshakeType::finished); !expected) return expected;
  const Digest expected_mac = finished_mac(hash(), server_handshake_traffic_, transcript_.digest());
  // RFC 8446 §4.4.4: of the hash's size, and correct.
  if (message.body.size() != expected_mac.size()) return abort_with(Alert::decode_error, "a Finished of a wrong size");
  if (!crypto::ct::equal(message.body, expected_mac)) {
    return abort_with(Alert::decrypt_error, "the server's Finished is wrong");
  }
  transcript_.add(message.whole);
  const Digest server_finished_hash = transcript_.digest();
  if (Result<void> sent = send_flight(); !sent) return sent;
  finish(server_finished_hash);
  return {};
}

Result<void> ClientHandshake::send_flight() {
  // RFC 8446 §4.5: EndOfEarlyData ends accepted early data, under its keys; RFC 9001 §8.3: not over QUIC.
  if (context_.mode == Mode::stream && early_data_ == EarlyData::accepted) {
    send(Level::early_data, [](auto& sink) { write_end_of_early_data(sink); });
    put_secret(Level::handshake, Direction::write, client_handshake_traffic_);
  }
  if (request_) {
    if (Result<void> sent = send_certificate(); !sent) return sent;
  }
  send_finished();
  return {};
}

Result<void> ClientHandshake::send_certificate() {
  // RFC 8446 §4.4.2: who is asked and has nothing suitable sends an empty Certificate, and then no CertificateVerify.
  std::vector<CertificateEntry> entries;
  const Identity* identity = request_->identity.get();
  if (identity) {
    entries.resize(identity->chain().size());
    for (size_t i = 0; i < entries.size(); i++) entries[i].certificate = identity->chain()[i];
    if (request_->wants_ocsp && !identity->ocsp_response().empty()) {
      entries.front().ocsp_response = identity->ocsp_response();
    }
  }
  send(Level::handshake, [&](auto& sink) { write_certificate(sink, {}, entries); });
  if (!identity) return {};

  std::array<uint8_t, x509::kSignatureSizeMax> signature;
  const Digest signed_hash = transcript_.digest();
  const Result<size_t> size = sign_certificate_verify(*identity, request_->scheme, context_.rng,
                                                      {.signer = Side::client, .hash = signed_hash}, signature);
  if (!size) return std::unexpected(size.error());
  const CertificateVerify verify{.scheme = request_->scheme, .signature = Bytes(signature).first(*size)};
  send(Level::handshake, [&](auto& sink) { write_certificate_verify(sink, verify); });
  return {};
}

void ClientHandshake::send_finished() {
  const Digest mac = finished_mac(hash(), client_handshake_traffic_, transcript_.digest());
  send(Level::handshake, [&](auto& sink) { write_finished(sink, mac); });
}

void ClientHandshake::finish(const Digest& server_finished_hash) {
  schedule_->enter_master();
  const Digest client_traffic = schedule_->client_application_traffic(server_finished_hash);
  const Digest server_traffic = schedule_->server_application_traffic(server_finished_hash);
  Established established;
  established.cipher_suite = context_.negotiated.cipher_suite;
  established.exporter_master = schedule_->exporter_master(server_finished_hash);
  established.resumption_master = schedule_->resumption_master(transcript_.digest());
  log(kClientTrafficSecret0, client_traffic);
  log(kServerTrafficSecret0, server_traffic);
  log(kExporterSecret, established.exporter_master);
  if (context_.mode == Mode::stream) {
    established.client_application_traffic = client_traffic;
    established.server_application_traffic = server_traffic;
  }
  const bool by_external_psk = chosen_psk_ && !resumes_ticket_;
  established.authenticated_until = by_external_psk ? kForever : authenticated_until_;
  // What a server says too much of is not held for as long as the connection lasts; its tickets then allow no 0-RTT.
  if (peer_transport_parameters_.size() <= kParametersRememberedMax) {
    established.peer_transport_parameters = std::move(peer_transport_parameters_);
  }

  put_secret(Level::application, Direction::read, server_traffic);
  put_secret(Level::application, Direction::write, client_traffic);
  context_.exporter_master = established.exporter_master;
  context_.out.put(HandshakeComplete{});
  established_ = std::move(established);
  state_ = State::done;
}

}  // namespace quoll::tls
