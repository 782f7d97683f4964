// A client session against a server that is played here, message by message: the input says which messages are sent as
// they should be, which are changed, and what comes between. Signature and Finished are made over what was really sent,
// so that a change is judged for itself and not by the MAC. Demanded: an untouched handshake completes; one that
// completes has settled on what was offered; a failed session stays as it failed.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/reader.h"
#include "fuzz/tls_identity.h"
#include "tests/support/random.h"
#include "tls/cipher_suite.h"
#include "tls/key_exchange.h"
#include "tls/key_schedule.h"
#include "tls/peer_verification.h"
#include "tls/session.h"
#include "tls/transcript.h"

using namespace quoll;
using namespace quoll::tls;

namespace {

using Buffer = std::vector<uint8_t>;

using fuzz::identity;
using fuzz::kNow;
constexpr uint8_t kParameters[] = {1, 2, 3};

/// Bits of the first byte.
enum Feature : uint8_t {
  kStream = 1 << 0,
  kRetry = 1 << 1,        // the client sends no share
  kTicket = 1 << 2,       // the client resumes, with early data
  kAcceptEarly = 1 << 3,  // the server takes it
  kRequest = 1 << 4,      // the server asks for a certificate
  kIdentity = 1 << 5,     // the client has one
  kLongHash = 1 << 6,     // SHA-384
  kNoOcsp = 1 << 7,
};

CipherSuite suite_of(uint8_t features) {
  return features & kLongHash ? CipherSuite::aes_256_gcm_sha384 : CipherSuite::aes_128_gcm_sha256;
}

ClientTicket make_ticket(uint8_t features) {
  ClientTicket ticket;
  ticket.server_name = "example.com";
  ticket.application_protocol = "h3";
  ticket.cipher_suite = suite_of(features);
  ticket.server_verified = true;
  ticket.psk = Digest(features & kLongHash ? 48 : 32);
  ticket.ticket = {1, 2, 3};
  ticket.lifetime_seconds = 3'600;
  ticket.max_early_data_size = 0xffffffff;
  ticket.received = kNow;
  ticket.authenticated_until = kNow + Duration::seconds(3'600);
  return ticket;
}

Session make_client(uint8_t features, Rng& rng) {
  auto config = std::make_shared<ClientConfig>();
  config->mode = features & kStream ? Mode::stream : Mode::quic;
  config->preferences.groups = {NamedGroup::x25519, NamedGroup::secp256r1};
  config->key_shares = features & kRetry ? 0 : 1;
  config->application_protocols = {"h3", "hq"};
  config->verification = PeerVerification::none;
  config->request_ocsp = !(features & kNoOcsp);
  if (features & kIdentity) config->identities = {identity()};
  ClientOptions options;
  options.server_name = "example.com";
  if (features & kTicket) options.ticket = make_ticket(features);
  options.early_data = true;
  if (!(features & kStream)) options.transport_parameters.assign(std::begin(kParameters), std::end(kParameters));
  return Session::client(std::move(config), std::move(options), rng, kNow).value();
}

class Exchange {
 public:
  Exchange(uint8_t features, Reader input)
      : features_(features), input_(input), client_(make_client(features, rng_)), suite_(suite_of(features)) {
    drain();
  }

  void run() {
    if (!send_hellos()) {
      QUOLL_CHECK(!untouched_);
      return;
    }
    send_flight();
    send_tickets();
    if (untouched_) QUOLL_CHECK(client_.is_complete() && !failure_);
    if (client_.is_complete()) check_outcome();
  }

 private:
  const crypto::HashAlgorithm& hash() const { return hash_of(crypto::best(), suite_); }
  bool resumes() const { return features_ & kTicket; }
  bool accepts_early() const { return resumes() && (features_ & kAcceptEarly) && !(features_ & kRetry); }

  /// Parses the client's latest hello into hello_; false when there is none.
  bool take_hello() {
    Buffer& sent = sent_[static_cast<size_t>(Level::initial)];
    if (sent.empty()) return false;
    hello_bytes_ = std::exchange(sent, {});
    transcript_.add(hello_bytes_);
    hello_ = parse_client_hello(Bytes(hello_bytes_).subspan(kHandshakeHeaderSize)).value();
    return true;
  }

  ServerHello hello_answer() const {
    ServerHello answer;
    answer.legacy_session_id_echo = hello_.legacy_session_id;
    answer.cipher_suite = suite_;
    answer.supported_version = kTls13;
    return answer;
  }

  bool send_hellos() {
    if (!take_hello()) return false;
    transcript_.choose(hash());
    if (features_ & kRetry) {
      transcript_.replace_with_message_hash();
      ServerHello retry = hello_answer();
      retry.random = kHelloRetryRequestRandom;
      retry.selected_group = NamedGroup::x25519;
      send(Level::initial, [&](auto& sink) { write_server_hello(sink, retry); });
      if (!take_hello()) return false;
    }
    const std::optional<Bytes> client_share = hello_.key_shares->find(NamedGroup::x25519);
    if (!client_share) return false;  // a changed HelloRetryRequest asked for another group
    std::array<uint8_t, 32> share;
    const auto shared = answer(crypto::best(), rng_, NamedGroup::x25519, *client_share, share);
    QUOLL_CHECK(shared.has_value());
    ServerHello hello = hello_answer();
    hello.key_share = KeyShareEntry{.group = NamedGroup::x25519, .key_exchange = share};
    if (resumes()) hello.pre_shared_key = uint16_t{0};
    const Digest psk = resumes() ? make_ticket(features_).psk : Digest();
    schedule_.emplace(hash(), psk);
    schedule_->enter_handshake(*shared);
    send(Level::initial, [&](auto& sink) { write_server_hello(sink, hello); });
    traffic_ = schedule_->server_handshake_traffic(transcript_.digest());
    return true;
  }

  void send_flight() {
    EncryptedExtensions extensions;
    extensions.server_name = true;
    extensions.application_protocol = as_bytes("h3");
    extensions.early_data = accepts_early();
    if (!(features_ & kStream)) extensions.quic_transport_parameters = Bytes(kParameters);
    send(Level::handshake, [&](auto& sink) { write_encrypted_extensions(sink, extensions); });
    if (!resumes()) send_certificates();
    const Digest mac = finished_mac(hash(), traffic_, transcript_.digest());
    send(Level::handshake, [&](auto& sink) { write_finished(sink, mac); });
  }

  void send_certificates() {
    if (features_ & kRequest) {
      static constexpr uint8_t kSchemes[] = {0x08, 0x07, 0x04, 0x03};
      CertificateRequest request;
      request.signature_algorithms = CodeList<SignatureScheme>(kSchemes);
      request.status_request = true;
      send(Level::handshake, [&](auto& sink) { write_certificate_request(sink, request); });
    }
    CertificateEntry entry;
    entry.certificate = identity()->chain()[0];
    if (!(features_ & kNoOcsp)) entry.ocsp_response = Bytes(kParameters);
    send(Level::handshake, [&](auto& sink) { write_certificate(sink, {}, {&entry, 1}); });
    std::array<uint8_t, x509::kSignatureSizeMax> signature;
    const Digest signed_hash = transcript_.digest();
    const auto size = sign_certificate_verify(*identity(), SignatureScheme::ed25519, rng_,
                                              {.signer = Side::server, .hash = signed_hash}, signature);
    QUOLL_CHECK(size.has_value());
    const CertificateVerify verify{.scheme = SignatureScheme::ed25519, .signature = Bytes(signature).first(*size)};
    send(Level::handshake, [&](auto& sink) { write_certificate_verify(sink, verify); });
  }

  void send_tickets() {
    NewSessionTicket ticket;
    ticket.lifetime_seconds = 3'600;
    ticket.nonce = kParameters;
    ticket.ticket = kParameters;
    ticket.max_early_data_size = 0xffffffff;
    for (int i = 0; i < 2; i++) {
      send(Level::application, [&](auto& sink) { write_new_session_ticket(sink, ticket); });
    }
  }

  /// Sends a message as the input's next step says.
  template <class WriteFunction>
  void send(Level level, WriteFunction write) {
    Buffer message;
    append_message(message, write);
    const uint8_t what = input_.u8() % 8;
    if (what >= 4) change(what, message);
    if (level != Level::application) transcript_.add(message);
    const size_t cut = std::min<size_t>(what % 4 == 1 ? input_.u16() : message.size(), message.size());
    give(level, Bytes(message).first(cut));
    give(level, Bytes(message).subspan(cut));
  }

  void change(uint8_t what, Buffer& message) {
    const Buffer before = message;
    const size_t position = input_.u16() % message.size();
    if (what == 4) {
      message[position] ^= input_.u8();
    } else if (what == 5) {
      message.resize(std::max(position, kHandshakeHeaderSize));
    } else {
      const Bytes more = input_.prefixed_u8().rest();
      message.insert(message.begin() + static_cast<ptrdiff_t>(position), more.begin(), more.end());
    }
    if (what != 4 && what != 7) set_length(message);
    untouched_ &= message == before;
  }

  static void set_length(Buffer& message) {
    const size_t size = message.size() - kHandshakeHeaderSize;
    message[1] = static_cast<uint8_t>(size >> 16);
    message[2] = static_cast<uint8_t>(size >> 8);
    message[3] = static_cast<uint8_t>(size);
  }

  void give(Level level, Bytes bytes) {
    if (bytes.empty()) return;
    const Result<void> taken = client_.receive(level, bytes, kNow);
    if (failure_) {
      QUOLL_CHECK(!taken && taken.error().code == failure_->code);
    } else if (!taken) {
      // An alert, or RFC 9001's PROTOCOL_VIOLATION.
      QUOLL_CHECK(taken.error().domain == ErrorDomain::tls || taken.error().domain == ErrorDomain::transport);
      failure_ = taken.error();
    }
    drain();
  }

  void drain() {
    while (std::optional<Output> output = client_.poll()) {
      if (const Send* send = std::get_if<Send>(&*output)) {
        Buffer& sent = sent_[static_cast<size_t>(send->level)];
        sent.insert(sent.end(), send->bytes.begin(), send->bytes.end());
      }
    }
  }

  void check_outcome() const {
    const Negotiated& negotiated = client_.negotiated();
    QUOLL_CHECK(is_supported(negotiated.cipher_suite));
    QUOLL_CHECK(negotiated.group.has_value());
    QUOLL_CHECK(negotiated.resumed == negotiated.peer_certificates.empty());
    QUOLL_CHECK(negotiated.resumed || negotiated.peer_signature_scheme.has_value());
    QUOLL_CHECK(!negotiated.early_data || (negotiated.resumed && !negotiated.hello_retry));
    const std::string& protocol = negotiated.application_protocol;
    QUOLL_CHECK(protocol == "h3" || protocol == "hq" || (protocol.empty() && (features_ & kStream)));
  }

  uint8_t features_;
  Reader input_;
  tests::SeededRng rng_{2};
  Session client_;
  CipherSuite suite_;
  std::array<Buffer, kLevelCount> sent_;
  Buffer hello_bytes_;
  ClientHello hello_;
  Transcript transcript_;
  std::optional<KeySchedule> schedule_;
  Digest traffic_;
  bool untouched_ = true;
  std::optional<Error> failure_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader input(Bytes(data, size));
  const uint8_t features = input.u8();
  Exchange(features, Reader(input.rest())).run();
  return 0;
}
