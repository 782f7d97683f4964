// Datagrams of strangers to a whole Endpoint: a server without connections, a server in a handshake, or a client in one.
// None of them is sealed for the occasion; but the fields that anybody on the path can see are put right if the input
// wants, so that datagrams reach connections and Initial packets of others' corpora open.
//
// Whatever comes, no address gets more than three times what it sent, answers are bounded, and in the end all is over.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/reader.h"
#include "fuzz/tls_identity.h"
#include "quic/endpoint/endpoint.h"

using namespace quoll;
using namespace quoll::quic;

namespace {

using fuzz::kNow;
using Datagram = std::vector<uint8_t>;

/// Bits of the first byte.
enum Feature : uint8_t {
  kClient = 1 << 0,
  kHandshaking = 1 << 1,  // a server's: a real client has begun
  kRetry = 1 << 2,
  kZeroLengthId = 1 << 3,
  kAskBeforeAccept = 1 << 4,
  kOneDatagram = 1 << 5,  // all that follows is one
  kPutDestination = 1 << 6,
  kPutVersion = 1 << 7,
};

constexpr size_t kDatagramsMax = 24;
constexpr size_t kOutputsMax = 300;  // at one instant
constexpr int kTimersMax = 300;

const Path& path_of_server() {
  static const Path path{.local = *SocketAddress::parse("192.0.2.1:443"),
                         .remote = *SocketAddress::parse("198.51.100.7:50000")};
  return path;
}
Path reversed(const Path& path) { return {.local = path.remote, .remote = path.local}; }

TransportConfig transport() {
  TransportConfig config;
  config.grease = config.grease_quic_bit = false;
  return config;
}

std::shared_ptr<const ServerConfig> server_config() {
  static const auto made = [] {
    auto tls = std::make_shared<tls::ServerConfig>();
    tls->preferences.groups = {tls::NamedGroup::x25519};
    tls->application_protocols = {"h3"};
    tls->identities = {fuzz::identity()};
    auto config = std::make_shared<ServerConfig>();
    config->tls = std::move(tls);
    config->transport = transport();
    return std::shared_ptr<const ServerConfig>(std::move(config));
  }();
  return made;
}

std::shared_ptr<const ClientConfig> client_config() {
  static const auto made = [] {
    auto tls = std::make_shared<tls::ClientConfig>();
    tls->preferences.groups = {tls::NamedGroup::x25519};
    tls->key_shares = 1;
    tls->application_protocols = {"h3"};
    tls->verification = tls::PeerVerification::none;
    auto config = std::make_shared<ClientConfig>();
    config->tls = std::move(tls);
    config->transport = transport();
    return std::shared_ptr<const ClientConfig>(std::move(config));
  }();
  return made;
}

class Stage {
 public:
  explicit Stage(uint8_t features)
      : features_(features), path_(features & kClient ? reversed(path_of_server()) : path_of_server()) {
    EndpointConfig config;
    if (features & kZeroLengthId) config.connection_ids = std::make_shared<RandomConnectionIds>(0);
    config.retry = features & kRetry ? RetryPolicy::always : RetryPolicy::never;
    config.ask_before_accept = (features & kAskBeforeAccept) != 0;
    config.wall_clock = [](Instant at) { return kNow + (at - Instant()); };
    config.max_connections = 8;
    config.max_offered = 3;
    if (!(features & kClient)) config.server = server_config();
    endpoint_.emplace(std::move(config), crypto::best(), rng_);
    if (features & kClient) {
      const auto connection = endpoint_->connect(now_, client_config(), path_, {.server_name = "example.com"});
      QUOLL_CHECK(connection.has_value());
    }
    settle();
    if ((features & (kClient | kHandshaking)) == kHandshaking) {
      for (const Datagram& datagram : first_flight()) deliver(datagram);
    }
  }

  void receive(Datagram datagram, uint8_t how) {
    if (how & 1) path_.remote.port = static_cast<uint16_t>(50'000 + how % 4);
    put_right(datagram);
    deliver(datagram);
    now_ += Duration::milliseconds(how >> 2);
    settle();
  }

  void finish() {
    for (int timers = 0; !endpoint_->next_timeout().is_never(); timers++) {
      QUOLL_CHECK(timers < kTimersMax);
      now_ = std::max(now_, endpoint_->next_timeout());
      settle();
    }
    QUOLL_CHECK(endpoint_->connections() == 0);
  }

 private:
  /// Of a client that nobody disturbs; always the same.
  static const std::vector<Datagram>& first_flight() {
    static const std::vector<Datagram> made = [] {
      Stage client(kClient);
      return client.sent_;
    }();
    return made;
  }

  void put_right(Datagram& datagram) const {
    if (datagram.empty()) return;
    const bool is_long = (datagram[0] & 0x80) != 0;
    if ((features_ & kPutVersion) && is_long && datagram.size() >= 5) {
      store_be(datagram.data() + 1, static_cast<uint32_t>(Version::v1));
    }
    if (!(features_ & kPutDestination) || !id_) return;
    const size_t place = is_long ? 6 : 1;
    if (datagram.size() < place + id_->size() || (is_long && datagram[5] != id_->size())) return;
    copy_bytes(datagram.data() + place, id_->bytes());
  }

  void deliver(const Datagram& datagram) {
    Received received{.path = path_, .data = Buffer::allocate(datagram.size())};
    copy_bytes(received.data.bytes().data(), datagram);
    balance_[path_.remote.port] += 3 * static_cast<int64_t>(datagram.size());
    endpoint_->receive(now_, std::move(received));
    settle();
  }

  void settle() {
    for (size_t count = 0;; count++) {
      QUOLL_CHECK(count < kOutputsMax);
      drain();
      if (endpoint_->next_timeout() > now_) break;
      endpoint_->on_timeout(now_);
    }
    endpoint_->check_invariants();
  }

  void drain() {
    static std::vector<uint8_t> scratch(65'536);
    size_t count = 0;
    while (const std::optional<Transmit> transmit = endpoint_->poll_transmit(now_, scratch)) {
      QUOLL_CHECK(++count < kOutputsMax);
      take(*transmit);
    }
    while (const std::optional<EndpointEvent> event = endpoint_->poll_event()) {
      QUOLL_CHECK(++count < kOutputsMax);
      if (!std::holds_alternative<Offered>(event->event)) continue;
      // One of three is accepted.
      const uint64_t choice = offers_++ % 3;
      if (choice == 0) (void)endpoint_->accept(now_, event->connection);
      if (choice == 1) (void)endpoint_->retry(now_, event->connection);
    }
  }

  void take(const Transmit& transmit) {
    QUOLL_CHECK(!transmit.bytes.empty() && transmit.segment_size < transmit.bytes.size());
    // RFC 9000 §8.1: a handshake packet of the client's would validate it, but nobody here has the keys.
    int64_t& balance = balance_[transmit.path.remote.port];
    balance -= static_cast<int64_t>(transmit.bytes.size());
    if (!(features_ & kClient)) QUOLL_CHECK(balance >= 0);
    sent_.emplace_back(transmit.bytes.begin(), transmit.bytes.end());
    // Our id, as a long header shows it.
    const auto header = parse_invariant_header(transmit.bytes, 0);
    if (header && header->long_header && header->version != Version::negotiation && !header->source.empty()) {
      id_ = ConnectionId(header->source);
    }
  }

  uint8_t features_;
  tests::SeededRng rng_{4};
  Instant now_ = Instant::from_nanoseconds(1'000'000'000);
  Path path_;
  std::optional<Endpoint> endpoint_;
  std::map<uint16_t, int64_t> balance_;  // by the peer's port
  std::vector<Datagram> sent_;
  std::optional<ConnectionId> id_;
  uint64_t offers_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader input(Bytes(data, size));
  const uint8_t features = input.u8();
  Stage stage(features);
  for (size_t count = 0; count < kDatagramsMax && input.remaining() != 0; count++) {
    const uint8_t how = features & kOneDatagram ? 0 : input.u8();
    const size_t wanted = features & kOneDatagram ? input.remaining() : input.u16();
    const Bytes bytes = input.bytes(std::min(wanted, input.remaining()));
    Datagram datagram(bytes.begin(), bytes.end());
    if (how & 2) datagram.resize(std::max<size_t>(datagram.size(), 1200));
    stage.receive(std::move(datagram), how);
  }
  stage.finish();
  return 0;
}
