// A server session with a real client, whose bytes the input cuts, changes, drops and adds to. Two things are demanded:
// where nothing was changed the handshake completes, and where it completes nothing was changed.
#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "base/check.h"
#include "base/reader.h"
#include "fuzz/tls_identity.h"
#include "tests/support/random.h"
#include "tls/session.h"

using namespace quoll;
using namespace quoll::tls;

namespace {

using Buffer = std::vector<uint8_t>;

using fuzz::identity;
using fuzz::kNow;

/// Bits of the first byte.
enum Feature : uint8_t {
  kStream = 1 << 0,
  kHelloRetry = 1 << 1,
  kCookie = 1 << 2,
  kLateParameters = 1 << 3,
  kAskForCertificate = 1 << 4,
  kRequireCertificate = 1 << 5,
  kClientHasCertificate = 1 << 6,
  kResume = 1 << 7,  // with early data
};

/// Admits everything: a run leaves nothing behind for the next one.
class NoMemory final : public AntiReplay {
 public:
  bool admit(Bytes, UnixTime) override { return true; }
  Duration window() const override { return Duration::seconds(10); }
};

const std::shared_ptr<TicketKeys>& ticket_keys() {
  static const TicketKeys::Secret secret;
  static const std::shared_ptr<TicketKeys> made = TicketKeys::from_secrets(crypto::best(), {&secret, 1}).value();
  return made;
}

std::shared_ptr<const ServerConfig> server_config(uint8_t features) {
  auto config = std::make_shared<ServerConfig>();
  config->mode = features & kStream ? Mode::stream : Mode::quic;
  config->preferences.groups = {NamedGroup::x25519};
  config->application_protocols = {"h3"};
  config->identities = {identity()};
  config->hello_retry_cookie = features & kCookie;
  config->ticket_keys = ticket_keys();
  config->anti_replay = std::make_shared<NoMemory>();
  config->client_policy.verifier = [](const PeerCertificates&) -> Result<void> { return {}; };
  if (features & kAskForCertificate) config->client_policy.authentication = ClientAuthentication::optional;
  if (features & kRequireCertificate) config->client_policy.authentication = ClientAuthentication::required;
  return config;
}

std::shared_ptr<const ClientConfig> client_config(uint8_t features) {
  auto config = std::make_shared<ClientConfig>();
  config->mode = features & kStream ? Mode::stream : Mode::quic;
  config->preferences.groups = {NamedGroup::x25519};
  config->key_shares = features & kHelloRetry ? 0 : 1;
  config->application_protocols = {"h3"};
  config->verification = PeerVerification::none;
  if (features & kClientHasCertificate) config->identities = {identity()};
  return config;
}

/// A client and a server; what the client sends waits until the input says what becomes of it.
class Exchange {
 public:
  Exchange(uint8_t features, std::optional<ClientTicket> ticket)
      : features_(features), client_(make_client(std::move(ticket))), server_(make_server()) {
    drain();
  }

  bool is_waiting() const { return !waiting_.empty(); }
  bool is_complete() const { return server_.is_complete(); }
  const std::vector<ClientTicket>& tickets() const { return tickets_; }

  /// The next bytes of the client, to be changed.
  Buffer& next() { return waiting_.front().bytes; }

  /// Delivers them, cut in two.
  void deliver(size_t cut) {
    const Send send = std::move(waiting_.front());
    waiting_.pop_front();
    const size_t first = std::min(cut, send.bytes.size());
    give(send.level, Bytes(send.bytes).first(first));
    give(send.level, Bytes(send.bytes).subspan(first));
  }

  void give(Level level, Bytes bytes) {
    const bool was_complete = server_.is_complete();
    Buffer& delivered = delivered_[static_cast<size_t>(level)];
    delivered.insert(delivered.end(), bytes.begin(), bytes.end());
    const Result<void> taken = server_.receive(level, bytes, kNow);
    if (failure_) {  // a failed session stays as it failed
      QUOLL_CHECK(!taken && taken.error().code == failure_->code);
      return;
    }
    if (!taken) {
      // An alert, or RFC 9001's PROTOCOL_VIOLATION.
      QUOLL_CHECK(taken.error().domain == ErrorDomain::tls || taken.error().domain == ErrorDomain::transport);
      failure_ = taken.error();
    }
    if (!was_complete && server_.is_complete()) check_delivered();
    drain();
  }

 private:
  Session make_client(std::optional<ClientTicket> ticket) {
    ClientOptions options;
    options.server_name = "example.com";
    options.early_data = ticket.has_value();
    options.ticket = std::move(ticket);
    if (!(features_ & kStream)) options.transport_parameters = {1, 2, 3};
    return Session::client(client_config(features_), std::move(options), rng_, kNow).value();
  }

  Session make_server() {
    ServerOptions options;
    if (!(features_ & (kStream | kLateParameters))) options.transport_parameters = {4, 5, 6};
    return Session::server(server_config(features_), std::move(options), rng_).value();
  }

  /// Polls both sides until they are quiet.
  void drain() {
    bool moved = true;
    while (moved) {
      moved = false;
      while (std::optional<Output> output = server_.poll()) {
        moved = true;
        if (const Send* send = std::get_if<Send>(&*output)) {
          (void)client_.receive(send->level, send->bytes, kNow);
        } else if (std::holds_alternative<PeerTransportParameters>(*output) && (features_ & kLateParameters)) {
          if (const auto given = server_.set_transport_parameters({4, 5, 6}, kNow); !given) failure_ = given.error();
        }
      }
      while (std::optional<Output> output = client_.poll()) {
        moved = true;
        if (Send* send = std::get_if<Send>(&*output)) {
          Buffer& sent = sent_[static_cast<size_t>(send->level)];
          sent.insert(sent.end(), send->bytes.begin(), send->bytes.end());
          waiting_.push_back(std::move(*send));
        } else if (auto* received = std::get_if<TicketReceived>(&*output)) {
          tickets_.push_back(std::move(received->ticket));
        }
      }
    }
  }

  /// RFC 8446 appendix E.1: both sides have the same view of the handshake.
  void check_delivered() {
    for (const Level level : {Level::initial, Level::early_data, Level::handshake}) {
      QUOLL_CHECK(delivered_[static_cast<size_t>(level)] == sent_[static_cast<size_t>(level)]);
    }
  }

  uint8_t features_;
  tests::SeededRng rng_{2};
  Session client_, server_;
  std::deque<Send> waiting_;
  std::array<Buffer, kLevelCount> sent_, delivered_;
  std::vector<ClientTicket> tickets_;
  std::optional<Error> failure_;
};

/// A ticket of a handshake that nobody changes.
const ClientTicket& ticket(bool stream) {
  static const auto make = [](uint8_t features) {
    Exchange exchange(features, {});
    while (exchange.is_waiting()) exchange.deliver(0);
    QUOLL_CHECK(!exchange.tickets().empty());
    return exchange.tickets().front();
  };
  static const ClientTicket of_quic = make(0), of_stream = make(kStream);
  return stream ? of_stream : of_quic;
}

/// One step of the input's program; true when it left the client's bytes as they were.
bool step(Exchange& exchange, Reader& input) {
  const uint8_t what = input.u8() % 8;
  if (what == 7) {  // bytes of the input's own
    const Level level{static_cast<uint8_t>(input.u8() % kLevelCount)};
    const Bytes bytes = input.prefixed_u8().rest();
    exchange.give(level, bytes);
    return bytes.empty();
  }
  if (!exchange.is_waiting()) return true;
  Buffer& bytes = exchange.next();
  const uint16_t position = input.u16();
  if (what == 4 && !bytes.empty()) {
    const uint8_t mask = input.u8();
    bytes[position % bytes.size()] ^= mask;
    return mask == 0;
  }
  if (what == 5 && position < bytes.size()) {
    bytes.resize(position);
    return false;
  }
  if (what == 6) {
    const Bytes more = input.prefixed_u8().rest();
    bytes.insert(bytes.begin() + position % static_cast<int>(bytes.size() + 1), more.begin(), more.end());
    return more.empty();
  }
  exchange.deliver(position);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader input(Bytes(data, size));
  const uint8_t features = input.u8();
  Exchange exchange(features, features & kResume ? std::optional(ticket(features & kStream)) : std::nullopt);
  bool untouched = true;
  for (int steps = 0; steps < 64 && input.remaining() != 0; steps++) untouched &= step(exchange, input);
  while (exchange.is_waiting()) exchange.deliver(SIZE_MAX);
  const bool lacks_certificate = (features & kRequireCertificate) && !(features & kClientHasCertificate);
  if (untouched) QUOLL_CHECK(exchange.is_complete() == !lacks_certificate);
  return 0;
}
