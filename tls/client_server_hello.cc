#include <utility>

#include "tls/cipher_suite.h"
#include "tls/client_machine.h"
#include "tls/key_log.h"

namespace quoll::tls {
namespace {

/// RFC 8446 §4.1.3: what a server that knows TLS 1.3 writes at the end of its random when it negotiates less.
bool is_downgrade_sentinel(const Random& random) {
  constexpr uint8_t kDowngrade[] = {'D', 'O', 'W', 'N', 'G', 'R', 'D'};
  const Bytes end = Bytes(random).last(8);
  return std::equal(std::begin(kDowngrade), std::end(kDowngrade), end.begin()) && end.back() <= 1;
}

Result<void> check_version(const ServerHello& hello, bool after_retry) {
  if (!hello.supported_version) {
    // RFC 8446 §4.1.4: after a HelloRetryRequest the version must not change; nor may that one lack it.
    if (after_retry) return abort_with(Alert::illegal_parameter, "another version than in the HelloRetryRequest");
    if (hello.is_hello_retry_request()) {
      return abort_with(Alert::missing_extension, "a HelloRetryRequest without supported_versions");
    }
    // RFC 8446 §4.1.3: a sentinel tells that somebody made the server believe that we know no TLS 1.3.
    if (is_downgrade_sentinel(hello.random)) return abort_with(Alert::illegal_parameter, "a downgrade to TLS 1.2");
    return abort_with(Alert::protocol_version, "the server does not speak TLS 1.3");
  }
  // RFC 8446 §4.2.1: a version that was not offered, older ones included.
  if (*hello.supported_version != kTls13) return abort_with(Alert::illegal_parameter, "a version that was not offered");
  // RFC 9846 §4.2.3: a TLS 1.3 ServerHello has the number of TLS 1.2 here.
  if (hello.legacy_version != kLegacyVersion) return abort_with(Alert::protocol_version, "a wrong legacy_version");
  return {};
}

/// What RFC 8446 §4.1.3 and §4.1.4 want of ServerHello and HelloRetryRequest alike.
Result<void> check_answer(const ServerHello& hello, const ClientOffer& offer, std::optional<CipherSuite> retry_suite) {
  if (Result<void> version = check_version(hello, retry_suite.has_value()); !version) return version;
  const Bytes echo = hello.legacy_session_id_echo;
  const Bytes session_id = offer.session_id();
  if (!std::equal(echo.begin(), echo.end(), session_id.begin(), session_id.end())) {
    return abort_with(Alert::illegal_parameter, "legacy_session_id_echo is not what was sent");
  }
  if (!offer.has_suite(hello.cipher_suite)) {
    return abort_with(Alert::illegal_parameter, "a cipher suite that was not offered");
  }
  // RFC 8446 §4.1.4: the suite of a HelloRetryRequest stays.
  if (retry_suite && *retry_suite != hello.cipher_suite) {
    return abort_with(Alert::illegal_parameter, "another cipher suite than in the HelloRetryRequest");
  }
  if (hello.legacy_compression_method != 0) return abort_with(Alert::illegal_parameter, "a compression method");
  // RFC 8446 §4.2: an answer to what was not asked; GREASE that comes back is among these.
  if (hello.has_unknown_extension) {
    return abort_with(Alert::unsupported_extension, "a ServerHello with an extension that was not offered");
  }
  return {};
}

Result<void> check_key_share(const ServerHello& hello) {
  if (!hello.key_share) {
    // RFC 8446 §4.2.11: with psk_dhe_ke, which alone we offer, a share belongs to a PSK; §9.2: and without one anyway.
    return hello.pre_shared_key ? abort_with(Alert::illegal_parameter, "a PSK without a key share")
                                : abort_with(Alert::missing_extension, "a ServerHello without a key share");
  }
  return {};
}

}  // namespace

Result<void> ClientHandshake::on_server_hello(const HandshakeMessage& message, UnixTime now) {
  if (Result<void> expected = expect(message, HandshakeType::server_hello); !expected) return expected;
  const Result<ServerHello> hello = parse_server_hello(message.body);
  if (!hello) return std::unexpected(hello.error());
  // RFC 8446 §4.1.4: one HelloRetryRequest and no more.
  if (hello->is_hello_retry_request() && retry_suite_) {
    return abort_with(Alert::unexpected_message, "a second HelloRetryRequest");
  }
  if (Result<void> checked = check_answer(*hello, *offer_, retry_suite_); !checked) return checked;
  if (hello->is_hello_retry_request()) return on_hello_retry_request(*hello, message, now);

  if (Result<void> chosen = choose_psk(*hello); !chosen) return chosen;
  if (Result<void> checked = check_key_share(*hello); !checked) return checked;
  // RFC 8446 §4.2.8: the group is one that a share was sent for; after a HelloRetryRequest, the one which it named.
  const Result<SharedSecret> shared = offer_->keys().agree(hello->key_share->group, hello->key_share->key_exchange);
  if (!shared) return std::unexpected(shared.error());

  transcript_.choose(hash_of(context_.provider, hello->cipher_suite));
  transcript_.add(message.whole);
  enter_handshake(*hello, *shared);
  offer_.reset();
  state_ = State::encrypted_extensions;
  return {};
}

Result<void> ClientHandshake::on_hello_retry_request(const ServerHello& retry, const HandshakeMessage& message,
                                                     UnixTime now) {
  if (Result<void> amended = offer_->amend(retry, context_.rng); !amended) return amended;
  retry_suite_ = retry.cipher_suite;
  context_.negotiated.hello_retry = true;
  transcript_.choose(hash_of(context_.provider, retry.cipher_suite));
  transcript_.replace_with_message_hash();
  transcript_.add(message.whole);

  const Result<std::vector<uint8_t>> hello = offer_->write(transcript_, now);
  if (!hello) return abort_with(Alert::illegal_parameter, "a HelloRetryRequest whose answer is too large");
  // RFC 8446 §4.2.10: a HelloRetryRequest rejects early data.
  reject_early_data();
  send(Level::initial, [&](auto& sink) { sink.bytes(*hello); });
  return {};
}

Result<void> ClientHandshake::choose_psk(const ServerHello& hello) {
  if (!hello.pre_shared_key) {
    schedule_.emplace(hash_of(context_.provider, hello.cipher_suite), Bytes());
    return {};
  }
  const std::vector<ClientOffer::Psk> psks = offer_->psks({});
  if (psks.empty()) return abort_with(Alert::unsupported_extension, "a PSK was chosen, but none was offered");
  // RFC 8446 §4.2.11: one of those offered, and a suite with its hash.
  if (*hello.pre_shared_key >= psks.size()) return abort_with(Alert::illegal_parameter, "a PSK that was not offered");
  const ClientOffer::Psk& psk = psks[*hello.pre_shared_key];
  const crypto::HashAlgorithm& suite_hash = hash_of(context_.provider, hello.cipher_suite);
  if (psk.hash->id != suite_hash.id)
    return abort_with(Alert::illegal_parameter, "a PSK of another hash than the suite's");
  schedule_.emplace(suite_hash, psk.key);
  chosen_psk_ = *hello.pre_shared_key;
  resumes_ticket_ = psk.kind == PskKind::resumption;
  if (resumes_ticket_) authenticated_until_ = offer_->ticket()->authenticated_until;
  return {};
}

void ClientHandshake::enter_handshake(const ServerHello& hello, Bytes shared_secret) {
  context_.negotiated.cipher_suite = hello.cipher_suite;
  context_.negotiated.group = hello.key_share->group;
  context_.negotiated.resumed = chosen_psk_.has_value();

  schedule_->enter_handshake(shared_secret);
  const Digest hello_hash = transcript_.digest();
  client_handshake_traffic_ = schedule_->client_handshake_traffic(hello_hash);
  server_handshake_traffic_ = schedule_->server_handshake_traffic(hello_hash);
  log(kClientHandshakeTrafficSecret, client_handshake_traffic_);
  log(kServerHandshakeTrafficSecret, server_handshake_traffic_);

  // Early data stands and falls with the first PSK; whether it stands, EncryptedExtensions will tell.
  if (!is_first_psk_chosen()) reject_early_data();
  put_secret(Level::handshake, Direction::read, server_handshake_traffic_);
  // A stream has one writer, and it may still be busy with early data. QUIC's levels do not mind each other.
  if (context_.mode == Mode::quic || early_data_ != EarlyData::offered) {
    put_secret(Level::handshake, Direction::write, client_handshake_traffic_);
  }
}

void ClientHandshake::reject_early_data() {
  if (early_data_ != EarlyData::offered) return;
  early_data_ = EarlyData::rejected;
  context_.early_exporter.reset();
  context_.out.put(EarlyDataDecision{false});
}

}  // namespace quoll::tls
