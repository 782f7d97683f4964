#include "tls/client_handshake.h"

#include <utility>

#include "tls/cipher_suite.h"
#include "tls/client_machine.h"
#include "tls/key_log.h"

namespace quoll::tls {

Result<std::unique_ptr<Handshake>> start_client_handshake(HandshakeContext& context,
                                                          std::shared_ptr<const ClientConfig> config,
                                                          ClientOptions options, UnixTime now) {
  Result<ClientOffer> offer = ClientOffer::make(*config, std::move(options), context.rng, now);
  if (!offer) return std::unexpected(offer.error());
  auto handshake = std::make_unique<ClientHandshake>(context, std::move(config), std::move(*offer));
  if (Result<void> started = handshake->start(now); !started) return std::unexpected(started.error());
  return handshake;
}

ClientHandshake::ClientHandshake(HandshakeContext& context, std::shared_ptr<const ClientConfig> config,
                                 ClientOffer offer)
    : context_(context), config_(std::move(config)), random_(offer.random()), offer_(std::move(offer)) {
  sent_server_name_ = offer_->sends_server_name();
  context_.negotiated.server_name = offer_->host();
}

Result<void> ClientHandshake::start(UnixTime now) {
  const Result<std::vector<uint8_t>> hello = offer_->write(transcript_, now);
  if (!hello) return std::unexpected(hello.error());
  send(Level::initial, [&](auto& sink) { sink.bytes(*hello); });
  if (!offer_->offers_early_data()) return {};

  const ClientTicket& ticket = *offer_->ticket();
  early_data_ = EarlyData::offered;
  early_suite_ = ticket.cipher_suite;
  early_protocol_ = ticket.application_protocol;
  const crypto::HashAlgorithm& ticket_hash = hash_of(context_.provider, early_suite_);
  const KeySchedule schedule(ticket_hash, ticket.psk);
  const Digest hello_hash = transcript_.digest_with(ticket_hash, {});
  const Digest traffic = schedule.client_early_traffic(hello_hash);
  const Digest exporter = schedule.early_exporter_master(hello_hash);
  log(kClientEarlyTrafficSecret, traffic);
  log(kEarlyExporterSecret, exporter);
  context_.early_exporter = {.cipher_suite = early_suite_, .master = exporter};
  context_.out.put(TrafficSecret{Level::early_data, Direction::write, early_suite_, traffic});
  return {};
}

std::optional<Level> ClientHandshake::due() const {
  switch (state_) {
    case State::server_hello:
      return Level::initial;
    case State::encrypted_extensions:
    case State::certificate_or_request:
    case State::certificate:
    case State::certificate_verify:
    case State::finished:
      return Level::handshake;
    case State::done:
      break;
  }
  return Level::application;
}

Result<void> ClientHandshake::on_message(const HandshakeMessage& message, UnixTime now) {
  switch (state_) {
    case State::server_hello:
      return on_server_hello(message, now);
    case State::encrypted_extensions:
      return on_encrypted_extensions(message);
    case State::certificate_or_request:
      if (message.type == HandshakeType::certificate_request) return on_certificate_request(message);
      return on_certificate(message, now);
    case State::certificate:
      return on_certificate(message, now);
    case State::certificate_verify:
      return on_certificate_verify(message);
    case State::finished:
      return on_finished(message);
    case State::done:
      break;
  }
  return abort_with(Alert::unexpected_message, "a handshake message after the handshake");
}

}  // namespace quoll::tls
