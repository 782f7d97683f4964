#include "tests/tls/puppet.h"

#include "base/check.h"
#include "tls/cipher_suite.h"
#include "tls/key_schedule.h"
#include "tls/transcript.h"

namespace quoll::tls::tests {
namespace {

/// What both puppets do: deliver to the session, collect from it, keep the transcript of what was really sent.
class Puppet {
 public:
  Puppet(Session& session, Rng& rng, UnixTime now) : session_(session), rng_(rng), now_(now) {}

 protected:
  /// Takes everything that the session puts out; handshake bytes are cut into messages.
  void collect() {
    while (auto output = session_.poll()) {
      if (const Send* send = std::get_if<Send>(&*output)) {
        received_.insert(received_.end(), send->bytes.begin(), send->bytes.end());
      }
      outcome_.outputs.push_back(std::move(*output));
    }
    outcome_.complete = session_.is_complete();
  }

  /// The next message that the session sent; empty bytes if there is none.
  std::vector<uint8_t> next_received() {
    if (received_.size() < kHandshakeHeaderSize) return {};
    const size_t size = kHandshakeHeaderSize + (size_t{received_[1]} << 16 | size_t{received_[2]} << 8 | received_[3]);
    if (received_.size() < size) return {};
    const auto end = received_.begin() + static_cast<ptrdiff_t>(size);
    std::vector<uint8_t> message(received_.begin(), end);
    received_.erase(received_.begin(), end);
    return message;
  }

  template <class WriteFunction>
  PuppetMessage written(Level level, WriteFunction write) {
    PuppetMessage message{level, {}};
    append_message(message.bytes, write);
    return message;
  }

  /// Rewrites, adds to the transcript, delivers. False when the session failed.
  bool deliver(const Rewrite& rewrite, PuppetMessage message) {
    std::vector<PuppetMessage> messages;
    messages.push_back(std::move(message));
    if (rewrite) rewrite(messages);
    for (const PuppetMessage& each : messages) {
      transcript_.add(each.bytes);
      if (!receive(each)) return false;
    }
    return true;
  }

  bool receive(const PuppetMessage& message) {
    const auto result = session_.receive(message.level, message.bytes, now_);
    if (!result) {
      outcome_.reason = result.error().reason;
      if (result.error().domain == ErrorDomain::tls) outcome_.alert = static_cast<Alert>(result.error().code);
      if (result.error().domain == ErrorDomain::transport) outcome_.alert = kQuicProtocolViolation;
    }
    collect();
    return result.has_value();
  }

  const crypto::HashAlgorithm& hash() const { return hash_of(provider_, suite_); }

  bool deliver_certificate(Side side, const Identity* identity, Bytes context, CodeList<SignatureScheme> schemes,
                           const std::function<void(std::vector<CertificateEntry>&, Bytes&)>& tweak,
                           const std::function<void(CertificateVerify&)>& tweak_verify, const Rewrite& rewrite) {
    std::vector<CertificateEntry> entries;
    if (identity) {
      for (const auto& der : identity->chain()) entries.push_back({.certificate = der, .ocsp_response = {}});
    }
    if (tweak) tweak(entries, context);
    if (!deliver(rewrite, written(Level::handshake, [&](auto& sink) { write_certificate(sink, context, entries); }))) {
      return false;
    }
    if (!identity) return true;
    const auto scheme = identity->choose_scheme(schemes);
    QUOLL_CHECK(scheme.has_value());
    uint8_t content[kCertificateVerifyContentSizeMax];
    const size_t size = certificate_verify_content(side, transcript_.digest(), content);
    std::vector<uint8_t> signature(identity->key().signature_size_max());
    const auto signed_size = identity->key().sign(*handshake_algorithm(*scheme, identity->key().type()), rng_,
                                                  Bytes(content, size), signature);
    QUOLL_CHECK(signed_size.has_value());
    CertificateVerify verify{*scheme, Bytes(signature).first(*signed_size)};
    if (tweak_verify) tweak_verify(verify);
    return deliver(rewrite, written(Level::handshake, [&](auto& sink) { write_certificate_verify(sink, verify); }));
  }

  bool deliver_finished(const Digest& base_key, const Rewrite& rewrite) {
    const Digest mac = finished_mac(hash(), base_key, transcript_.digest());
    return deliver(rewrite, written(Level::handshake, [&](auto& sink) { write_finished(sink, mac); }));
  }

  Outcome deliver_after(const std::vector<PuppetMessage>& messages) {
    for (const PuppetMessage& message : messages) {
      if (!receive(message)) break;
    }
    return std::move(outcome_);
  }

  const crypto::Provider& provider_ = crypto::best();
  Session& session_;
  Rng& rng_;
  UnixTime now_;
  Transcript transcript_;
  CipherSuite suite_{};
  std::vector<uint8_t> received_;
  Outcome outcome_;
};

class PuppetServer : Puppet {
 public:
  PuppetServer(Session& client, const Identity& identity, const ServerScript& script, Mode mode, Rng& rng, UnixTime now)
      : Puppet(client, rng, now), identity_(identity), script_(script), mode_(mode) {}

  Outcome play() {
    collect();
    read_client_hello();
    if (script_.retry && !retry()) return std::move(outcome_);
    if (!send_server_hello() || !send_flight()) return std::move(outcome_);
    return deliver_after(script_.after);
  }

 private:
  void read_client_hello() {
    hello_bytes_ = next_received();
    QUOLL_CHECK(!hello_bytes_.empty());
    const auto hello = parse_client_hello(Bytes(hello_bytes_).subspan(kHandshakeHeaderSize));
    QUOLL_CHECK(hello.has_value());
    hello_ = *hello;
    for (size_t i = 0; i < hello_.cipher_suites.size() && !is_supported(suite_); i++) suite_ = hello_.cipher_suites[i];
    if (script_.psk) suite_ = CipherSuite::aes_128_gcm_sha256;
  }

  bool retry() {
    transcript_.add(hello_bytes_);
    transcript_.choose(hash());
    transcript_.replace_with_message_hash();
    ServerHello request{.random = kHelloRetryRequestRandom,
                        .legacy_session_id_echo = hello_.legacy_session_id,
                        .cipher_suite = suite_,
                        .supported_version = kTls13,
                        .key_share = {},
                        .selected_group = unshared_group(),
                        .pre_shared_key = {},
                        .cookie = {},
                        .extensions = {}};
    Extras extras;
    if (script_.hello_retry_request) script_.hello_retry_request(request, extras);
    if (!deliver(script_.rewrite,
                 written(Level::initial, [&](auto& sink) { write_server_hello(sink, request, extras); }))) {
      return false;
    }
    read_client_hello();
    return true;
  }

  std::optional<NamedGroup> unshared_group() const {
    for (size_t i = 0; i < hello_.supported_groups->size(); i++) {
      const NamedGroup group = (*hello_.supported_groups)[i];
      if (is_supported(group) && !hello_.key_shares->find(group)) return group;
    }
    return {};
  }

  NamedGroup group() const {
    if (script_.group) return *script_.group;
    KeyShareList shares = *hello_.key_shares;
    while (auto share = shares.next()) {
      if (is_supported(share->group)) return share->group;
    }
    QUOLL_CHECK(false);
    return {};
  }

  bool send_server_hello() {
    transcript_.add(hello_bytes_);
    transcript_.choose(hash());
    std::vector<uint8_t> share(server_share_size(group()));
    const auto secret = answer(provider_, rng_, group(), hello_.key_shares->find(group()).value(), share);
    QUOLL_CHECK(secret.has_value());
    ServerHello hello{.random = {},
                      .legacy_session_id_echo = hello_.legacy_session_id,
                      .cipher_suite = suite_,
                      .supported_version = kTls13,
                      .key_share = KeyShareEntry{group(), share},
                      .selected_group = {},
                      .pre_shared_key = {},
                      .cookie = {},
                      .extensions = {}};
    rng_.fill(hello.random);
    if (script_.psk) hello.pre_shared_key = uint16_t{0};
    Extras extras;
    if (script_.server_hello) script_.server_hello(hello, extras);
    if (!deliver(script_.rewrite,
                 written(Level::initial, [&](auto& sink) { write_server_hello(sink, hello, extras); }))) {
      return false;
    }
    schedule_.emplace(hash(), script_.psk ? script_.psk->key.bytes() : Bytes());
    schedule_->enter_handshake(*secret);
    base_key_ = schedule_->server_handshake_traffic(transcript_.digest());
    return true;
  }

  bool send_flight() {
    EncryptedExtensions extensions;
    if (hello_.application_protocols)
      extensions.application_protocol = ProtocolNameList(*hello_.application_protocols).next();
    static constexpr uint8_t kParameters[] = {0x01, 0x01, 0x05};
    if (mode_ == Mode::quic) extensions.quic_transport_parameters = Bytes(kParameters);
    Extras extras;
    if (script_.encrypted_extensions) script_.encrypted_extensions(extensions, extras);
    if (!deliver(script_.rewrite, written(Level::handshake,
                                          [&](auto& sink) { write_encrypted_extensions(sink, extensions, extras); }))) {
      return false;
    }
    if (script_.request_certificate && !send_certificate_request()) return false;
    if (!script_.psk && !deliver_certificate(Side::server, &identity_, {}, *hello_.signature_algorithms,
                                             script_.certificate, script_.certificate_verify, script_.rewrite)) {
      return false;
    }
    return deliver_finished(base_key_, script_.rewrite);
  }

  bool send_certificate_request() {
    CertificateRequest request;
    request.signature_algorithms = hello_.signature_algorithms;
    Extras extras;
    if (script_.certificate_request) script_.certificate_request(request, extras);
    return deliver(script_.rewrite,
                   written(Level::handshake, [&](auto& sink) { write_certificate_request(sink, request, extras); }));
  }

  const Identity& identity_;
  const ServerScript& script_;
  Mode mode_;
  std::vector<uint8_t> hello_bytes_;
  ClientHello hello_;
  std::optional<KeySchedule> schedule_;
  Digest base_key_;
};

class PuppetClient : Puppet {
 public:
  PuppetClient(Session& server, const ClientScript& script, Mode mode, Rng& rng, UnixTime now)
      : Puppet(server, rng, now), script_(script), mode_(mode) {}

  Outcome play() {
    rng_.fill(random_);
    if (mode_ == Mode::stream) session_id_.assign(32, 0x5a);
    if (!send_client_hello(script_.shares, script_.client_hello, {})) return std::move(outcome_);
    auto hello = next_received();
    if (hello.empty()) return std::move(outcome_);
    auto parsed = parse_server_hello(Bytes(hello).subspan(kHandshakeHeaderSize));
    QUOLL_CHECK(parsed.has_value());
    suite_ = parsed->cipher_suite;
    if (parsed->is_hello_retry_request()) {
      transcript_.choose(hash());
      transcript_.replace_with_message_hash();
      transcript_.add(hello);
      const std::vector<uint8_t> cookie(parsed->cookie.value_or(Bytes()).begin(),
                                        parsed->cookie.value_or(Bytes()).end());
      std::vector<NamedGroup> groups;
      if (parsed->selected_group) groups.push_back(*parsed->selected_group);
      if (!send_client_hello(groups, script_.second_client_hello, cookie)) return std::move(outcome_);
      hello = next_received();
      if (hello.empty()) return std::move(outcome_);
      parsed = parse_server_hello(Bytes(hello).subspan(kHandshakeHeaderSize));
      QUOLL_CHECK(parsed.has_value());
    }
    if (!finish(*parsed, hello)) return std::move(outcome_);
    return deliver_after(script_.after);
  }

 private:
  bool send_client_hello(std::span<const NamedGroup> groups, const Tweak<ClientHello>& tweak, Bytes cookie) {
    std::vector<uint8_t> shares;
    auto keys = KeyExchange::offer(provider_, rng_, groups, shares);
    QUOLL_CHECK(keys.has_value());
    keys_ = std::move(*keys);
    static constexpr uint8_t kSuites[] = {0x13, 0x01, 0x13, 0x02, 0x13, 0x03};
    static constexpr uint8_t kGroups[] = {0x11, 0xec, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18};
    static constexpr uint8_t kSchemes[] = {0x04, 0x03, 0x05, 0x03, 0x08, 0x07, 0x08, 0x04, 0x08, 0x05, 0x08, 0x06};
    static constexpr uint8_t kVersions[] = {0x03, 0x04};
    static constexpr uint8_t kNullCompression[] = {0};
    static constexpr uint8_t kModes[] = {1};
    static constexpr uint8_t kProtocols[] = {2, 'h', '3'};
    static constexpr uint8_t kParameters[] = {0x01, 0x01, 0x05};
    static constexpr std::string_view kName = "example.com";
    ClientHello hello;
    hello.random = random_;
    hello.legacy_session_id = session_id_;
    hello.cipher_suites = CodeList<CipherSuite>(kSuites);
    hello.legacy_compression_methods = kNullCompression;
    hello.server_name = as_bytes(kName);
    hello.supported_groups = CodeList<NamedGroup>(kGroups);
    hello.signature_algorithms = CodeList<SignatureScheme>(kSchemes);
    hello.application_protocols = ProtocolNameList(kProtocols);
    hello.supported_versions = CodeList<uint16_t>(kVersions);
    if (!cookie.empty()) hello.cookie = cookie;
    hello.psk_key_exchange_modes = Bytes(kModes);
    hello.key_shares = KeyShareList(shares);
    if (mode_ == Mode::quic) hello.quic_transport_parameters = Bytes(kParameters);
    if (script_.psk) offer_psk(hello);
    Extras extras;
    if (tweak) tweak(hello, extras);
    PuppetMessage message = written(Level::initial, [&](auto& sink) { write_client_hello(sink, hello, extras); });
    if (hello.pre_shared_key) bind_psk(message.bytes);
    return deliver(script_.rewrite, std::move(message));
  }

  void offer_psk(ClientHello& hello) {
    psk_identity_ = {static_cast<uint8_t>(script_.psk->identity.size() >> 8),
                     static_cast<uint8_t>(script_.psk->identity.size())};
    psk_identity_.insert(psk_identity_.end(), script_.psk->identity.begin(), script_.psk->identity.end());
    psk_identity_.insert(psk_identity_.end(), 4, 0);
    psk_binder_.assign(1 + 32, 0);
    psk_binder_[0] = 32;
    hello.pre_shared_key = PskOffer{.identities = psk_identity_, .binders = psk_binder_, .count = 1};
  }

  /// The binder is the last 32 bytes; what comes before its list is what it covers.
  void bind_psk(std::vector<uint8_t>& message) {
    const crypto::HashAlgorithm& sha256 = *provider_.sha256;
    const size_t covered = message.size() - (2 + 1 + 32);
    const KeySchedule early(sha256, script_.psk->key);
    const Digest mac = finished_mac(sha256, early.binder_key(PskKind::external),
                                    transcript_.digest_with(sha256, Bytes(message).first(covered)));
    std::vector<uint8_t> binder(mac.bytes().begin(), mac.bytes().end());
    if (script_.binder) script_.binder(binder);
    QUOLL_CHECK(binder.size() == 32);
    std::copy(binder.begin(), binder.end(), message.end() - 32);
  }

  bool finish(const ServerHello& hello, Bytes hello_bytes) {
    transcript_.choose(hash());
    transcript_.add(hello_bytes);
    const auto secret = keys_->agree(hello.key_share->group, hello.key_share->key_exchange);
    QUOLL_CHECK(secret.has_value());
    KeySchedule schedule(hash(), script_.psk && hello.pre_shared_key ? script_.psk->key.bytes() : Bytes());
    schedule.enter_handshake(*secret);
    const Digest base_key = schedule.client_handshake_traffic(transcript_.digest());
    bool requested = false;
    for (auto message = next_received(); !message.empty(); message = next_received()) {
      requested |= message[0] == static_cast<uint8_t>(HandshakeType::certificate_request);
      transcript_.add(message);
      if (message[0] == static_cast<uint8_t>(HandshakeType::finished)) break;
    }
    static constexpr uint8_t kSchemes[] = {0x04, 0x03, 0x05, 0x03, 0x08, 0x07, 0x08, 0x04, 0x08, 0x05, 0x08, 0x06};
    if (requested && !deliver_certificate(Side::client, script_.identity, {}, CodeList<SignatureScheme>(kSchemes),
                                          script_.certificate, script_.certificate_verify, script_.rewrite)) {
      return false;
    }
    return deliver_finished(base_key, script_.rewrite);
  }

  const ClientScript& script_;
  Mode mode_;
  Random random_{};
  std::vector<uint8_t> session_id_, psk_identity_, psk_binder_;
  std::optional<KeyExchange> keys_;
};

}  // namespace

Outcome play_server(Session& client, const Identity& identity, const ServerScript& script, Mode mode, Rng& rng,
                    UnixTime now) {
  return PuppetServer(client, identity, script, mode, rng, now).play();
}

Outcome play_client(Session& server, const ClientScript& script, Mode mode, Rng& rng, UnixTime now) {
  return PuppetClient(server, script, mode, rng, now).play();
}

std::vector<uint8_t> raw_message(HandshakeType type, Bytes body) {
  std::vector<uint8_t> message = {static_cast<uint8_t>(type), static_cast<uint8_t>(body.size() >> 16),
                                  static_cast<uint8_t>(body.size() >> 8), static_cast<uint8_t>(body.size())};
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

}  // namespace quoll::tls::tests
