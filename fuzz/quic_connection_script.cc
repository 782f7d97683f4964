#include "fuzz/quic_connection_script.h"

#include "tls/anti_replay.h"
#include "tls/server_ticket.h"

namespace quoll::fuzz {
namespace {

using namespace quoll::quic;
using quic::tests::frames;
using quic::tests::operator+;
using quic::tests::PuppetPacket;
using quic::tests::SeenPacket;
using quoll::tests::CollectedFrame;

constexpr int kStepsMax = 150;
constexpr size_t kDeliveredMax = 8;
/// Nothing that one datagram asks for, and no window that a puppet opens, takes more sends at one instant.
constexpr size_t kTransmitsMax = 2000;
constexpr size_t kEventsMax = 4000;
/// Timers in a row of which nobody notices anything.
constexpr size_t kIdleTimersMax = 100;
constexpr int kTimersMax = 400;  // that one advance() waits for
constexpr Duration kDelay = Duration::milliseconds(10);

/// Bits of the first two bytes.
enum Feature : uint16_t {
  kHandshakeFirst = 1 << 0,
  kQlog = 1 << 1,
  kRetry = 1 << 2,
  kSmallLimits = 1 << 3,
  kPacing = 1 << 4,
  kGreaseAndProbes = 1 << 5,
  kDatagrams = 1 << 6,
  kAnswers = 1 << 7,
  kVersion2 = 1 << 8,
  kZeroLengthId = 1 << 9,
  kPuppetZeroLengthId = 1 << 10,
  kPreferredAddress = 1 << 11,
  kKeepAlive = 1 << 12,
  kAskBeforeAccept = 1 << 13,
  kResume = 1 << 14,
  kPuppetSmallLimits = 1 << 15,
};

SocketAddress address(const char* text) { return *SocketAddress::parse(text); }

/// Admits everything: a run leaves nothing behind for the next one.
class NoMemory final : public tls::AntiReplay {
 public:
  bool admit(Bytes, UnixTime) override { return true; }
  Duration window() const override { return Duration::seconds(10); }
};

const std::shared_ptr<const tls::ServerConfig>& tls_server() {
  static const auto made = [] {
    static const tls::TicketKeys::Secret secret;
    auto config = std::make_shared<tls::ServerConfig>();
    config->preferences.groups = {tls::NamedGroup::x25519};
    config->application_protocols = {"h3"};
    config->identities = {identity()};
    config->grease = false;
    config->tickets = 1;
    config->ticket_keys = tls::TicketKeys::from_secrets(crypto::best(), {&secret, 1}).value();
    config->anti_replay = std::make_shared<NoMemory>();
    return std::shared_ptr<const tls::ServerConfig>(std::move(config));
  }();
  return made;
}

const std::shared_ptr<const tls::ClientConfig>& tls_client() {
  static const auto made = [] {
    auto config = std::make_shared<tls::ClientConfig>();
    config->preferences.groups = {tls::NamedGroup::x25519};
    config->key_shares = 1;
    config->application_protocols = {"h3"};
    config->verification = tls::PeerVerification::none;
    config->grease = false;
    return std::shared_ptr<const tls::ClientConfig>(std::move(config));
  }();
  return made;
}

}  // namespace

ConnectionScript::ConnectionScript(Role under_test, Bytes input) : under_test_(under_test), in_(input) {
  locals_ = {address("192.0.2.1:443"), address("192.0.2.2:444")};
  remotes_[0].address = address("198.51.100.7:50000");
  remotes_[1].address = address("198.51.100.7:50001");
  remotes_[2].address = address("203.0.113.9:50000");
  remotes_[3].address = address("[2001:db8::7]:50000");
}
ConnectionScript::~ConnectionScript() = default;

void ConnectionScript::run() {
  features_ = in_.word();
  start();
  for (int steps = 0; steps < kStepsMax && !in_.done(); steps++) {
    step();
    if (answers_by_itself_) deliver_answers(4);
  }
  finish();
}

// Set up.

TransportConfig ConnectionScript::transport() {
  TransportConfig config;
  if (has(kSmallLimits)) {
    config.streams = {.initial_stream_window = 300,
                      .max_stream_window = 1200,
                      .initial_connection_window = 500,
                      .max_connection_window = 2000,
                      .max_bidirectional_streams = 3,
                      .max_unidirectional_streams = 2,
                      .send_buffer_max = 3000,
                      .max_own_streams = 4};
    config.datagrams = {.send_bytes_max = 3000, .receive_bytes_max = 2000, .count_max = 8};
  }
  config.max_datagram_frame_size = has(kDatagrams) ? 1000 : 0;
  config.pacing = has(kPacing);
  config.grease = config.grease_quic_bit = config.mtu.enabled = config.spin_bit = has(kGreaseAndProbes);
  config.skip_packet_number_every = has(kGreaseAndProbes) ? 20 : 0;
  using enum CongestionAlgorithm;
  config.congestion = std::array{cubic, bbr3, bbr2, new_reno}[has(kPacing) + 2 * has(kGreaseAndProbes)];
  if (has(kKeepAlive)) config.keep_alive = Duration::seconds(5);
  config.ack_eliciting_threshold = has(kDatagrams) ? 2 : 1;
  if (has(kVersion2)) config.versions = {Version::v2, Version::v1};
  return config;
}

EndpointConfig ConnectionScript::endpoint_config() {
  EndpointConfig config;
  if (has(kZeroLengthId)) config.connection_ids = std::make_shared<RandomConnectionIds>(0);
  config.retry = has(kRetry) ? RetryPolicy::always : RetryPolicy::never;
  config.ask_before_accept = has(kAskBeforeAccept);
  config.wall_clock = [](Instant at) { return kNow + (at - Instant()); };
  config.max_connections = 4;
  config.max_offered = 2;
  if (has(kQlog)) {
    config.trace = [this](Role role, const ConnectionId&) -> TraceSink<TraceEvent>* {
      return &traces_.emplace_back(std::make_unique<Trace>(no_output_, role))->sink;
    };
  }
  if (under_test_ == Role::client) return config;
  auto server = std::make_shared<ServerConfig>();
  server->tls = tls_server();
  server->transport = transport();
  if (has(kPreferredAddress)) server->preferred_ipv4 = locals_[1];
  config.server = std::move(server);
  return config;
}

ConnectionScript::Puppet::Options ConnectionScript::puppet_options() {
  Puppet::Options options;
  options.role = other(under_test_);
  options.seed = 5;
  options.tls_client = tls_client();
  options.tls_server = tls_server();
  if (has(kResume) && options.role == Role::client) options.ticket = ticket();
  options.early_data = has(kResume);
  if (has(kPuppetZeroLengthId)) options.id = ConnectionId();
  if (under_test_ == Role::client && has(kVersion2)) options.negotiate = Version::v2;
  const bool small = has(kPuppetSmallLimits);
  options.parameters = {.max_idle_timeout = small ? 0U : 20'000U,
                        .initial_max_data = small ? 900U : 1U << 20,
                        .initial_max_stream_data_bidi_local = small ? 300U : 1U << 18,
                        .initial_max_stream_data_bidi_remote = small ? 300U : 1U << 18,
                        .initial_max_stream_data_uni = small ? 0U : 1U << 18,
                        .initial_max_streams_bidi = small ? 2U : 100U,
                        .initial_max_streams_uni = small ? 0U : 100U,
                        .active_connection_id_limit = small ? 2U : 5U};
  if (has(kDatagrams)) options.parameters.max_datagram_frame_size = small ? 100 : 65'535;
  if (has(kGreaseAndProbes)) options.parameters.grease_quic_bit = true;
  if (has(kPreferredAddress) && under_test_ == Role::client) {
    options.parameters.preferred_address = PreferredAddress{.ipv4 = remotes_[2].address,
                                                            .ipv6 = remotes_[3].address,
                                                            .connection_id = quic::tests::id_of("prefer"),
                                                            .stateless_reset_token = {1}};
  }
  return options;
}

/// What a client has after a handshake that nobody disturbs.
const ResumptionState& ConnectionScript::resumption() {
  static const ResumptionState made = [] {
    static constexpr uint8_t kFeatures[] = {0x00, kHandshakeFirst | kAnswers};
    ConnectionScript script(Role::client, kFeatures);
    script.run();
    QUOLL_CHECK(script.resumption_ && script.resumption_->ticket);
    return *script.resumption_;
  }();
  return made;
}

const tls::ClientTicket& ConnectionScript::ticket() {
  static const tls::ClientTicket made = [] {
    static constexpr uint8_t kFeatures[] = {0x00, kHandshakeFirst | kAnswers};
    ConnectionScript script(Role::server, kFeatures);
    script.run();
    QUOLL_CHECK(!script.puppet_->tickets().empty());
    return script.puppet_->tickets().front();
  }();
  return made;
}

void ConnectionScript::start() {
  puppet_ = std::make_unique<Puppet>(puppet_options());
  endpoint_ = std::make_unique<Endpoint>(endpoint_config(), crypto::best(), rng_);
  answers_by_itself_ = has(kAnswers);
  if (under_test_ == Role::server) {
    puppet_->start();
  } else {
    auto config = std::make_shared<ClientConfig>();
    config->tls = tls_client();
    config->transport = transport();
    if (has(kVersion2)) config->original_version = Version::v1;
    Endpoint::ConnectOptions options{.server_name = "example.com", .early_data = has(kResume)};
    if (has(kResume)) options.resumption = resumption();
    handle_ = endpoint_->connect(now_, std::move(config), path(), std::move(options)).value();
  }
  settle();
  if (has(kHandshakeFirst)) deliver_answers(12);
}

// Steps.

void ConnectionScript::step() {
  switch (in_.below(24)) {
    case 0:
      return send(in_.data());
    case 1:
      return send_chosen_packet();
    case 2:
    case 3:
    case 4: {
      Data all;
      for (uint64_t more = 1 + in_.below(3); more > 0; more--) all = all + chosen_frame();
      return send(all);
    }
    case 5:
      return send(true_ack(Space::application));
    case 6:
      return send(stream_frame());
    case 7:
      return send(connection_id_frame());
    case 8:
      return answer_challenges();
    case 9:
      return deliver_answers(1);
    case 10:
      return change_puppet();
    case 11:
      return send_unprotected();
    case 12:
      return replay();
    case 13:
      return flush(in_.flag() ? held_first_ : in_.below(1500));
    case 14:
    case 15:
    case 16:
      return use_streams();
    case 17:
      return use_connection();
    case 18:
      return use_endpoint();
    case 19:
      return advance(Duration::milliseconds(static_cast<int64_t>(in_.byte())));
    case 20:
      return advance(Duration::microseconds(int64_t{1} << in_.below(26)));
    case 21:  // the next timer
      if (!endpoint_->next_timeout().is_never()) advance(endpoint_->next_timeout() - now_);
      return;
    case 22:
      remote_ = in_.below(remotes_.size());
      local_ = in_.below(8) == 0 ? 1 : 0;
      return;
    case 23:
      return deliver_answers(static_cast<int>(in_.below(8)));
  }
}

// The world.

void ConnectionScript::deliver(Bytes datagram, size_t segment_size) {
  Received received{.path = path(),
                    .ecn = Ecn{static_cast<uint8_t>(in_.below(4))},
                    .data = Buffer::allocate(datagram.size()),
                    .segment_size = static_cast<uint16_t>(segment_size)};
  copy_bytes(received.data.bytes().data(), datagram);
  remotes_[remote_].received_from += datagram.size();
  if (delivered_.size() == kDeliveredMax) delivered_.erase(delivered_.begin());
  delivered_.emplace_back(datagram.begin(), datagram.end());
  endpoint_->receive(now_, std::move(received));
  settle();
}

void ConnectionScript::deliver_answers(int rounds) {
  for (int round = 0; round < rounds; round++) {
    const bool retried = !puppet_->retries().empty();
    const bool had_handshake_keys = puppet_->can_seal(PacketType::handshake);
    const std::vector<Data> out = puppet_->take_datagrams();
    if (out.empty()) return;
    if (retried || had_handshake_keys) remotes_[remote_].validated = true;
    advance(kDelay);
    for (const Data& datagram : out) deliver(datagram);
  }
}

void ConnectionScript::settle() {
  for (size_t timers = 0;; timers++) {
    drain();
    if (endpoint_->next_timeout() > now_ || socket_room_ != SIZE_MAX) break;
    QUOLL_CHECK(timers < kIdleTimersMax);
    endpoint_->on_timeout(now_);
  }
  endpoint_->check_invariants();
}

void ConnectionScript::drain() {
  was_closed_ = handle_ && std::ranges::find(closed_, *handle_) != closed_.end();
  static std::vector<uint8_t> scratch(65'536);
  for (size_t count = 0; socket_room_ > 0; count++) {
    QUOLL_CHECK(count < kTransmitsMax);
    const std::optional<Transmit> transmit = endpoint_->poll_transmit(now_, scratch);
    if (!transmit) break;
    if (socket_room_ != SIZE_MAX) socket_room_--;
    take(*transmit);
  }
  for (size_t count = 0;; count++) {
    QUOLL_CHECK(count < kEventsMax);
    const std::optional<EndpointEvent> event = endpoint_->poll_event();
    if (!event) break;
    on_event(*event);
  }
}

void ConnectionScript::take(const Transmit& transmit) {
  outputs_++;
  QUOLL_CHECK(!transmit.bytes.empty());
  QUOLL_CHECK(transmit.segment_size < transmit.bytes.size());
  const auto remote = std::ranges::find(remotes_, transmit.path.remote, &Remote::address);
  QUOLL_CHECK(remote != remotes_.end());
  remote->sent_to += transmit.bytes.size();
  if (under_test_ == Role::server && !remote->validated) QUOLL_CHECK(remote->sent_to <= 3 * remote->received_from);
  const size_t segment = transmit.segment_size == 0 ? transmit.bytes.size() : transmit.segment_size;
  for (Bytes rest = transmit.bytes; !rest.empty(); rest = rest.subspan(std::min(segment, rest.size()))) {
    puppet_->receive(now_, transmit.path, transmit.ecn, rest.first(std::min(segment, rest.size())));
  }
  for (; packets_checked_ < puppet_->packets().size(); packets_checked_++) {
    check_packet(puppet_->packets()[packets_checked_]);
  }
}

void ConnectionScript::check_packet(const SeenPacket& packet) {
  QUOLL_CHECK(!packet.breaks_rules);
  if (packet.type == PacketType::initial && (under_test_ == Role::client || packet.is_ack_eliciting())) {
    QUOLL_CHECK(puppet_->datagrams()[packet.datagram].bytes.size() >= 1200);
  }
  if (packet.type != PacketType::one_rtt) return;
  QUOLL_CHECK(numbers_.insert(packet.number).second);
  // The puppet may have kept it since before; and it may be of another connection, when the first one is over.
  const bool is_new = packet.datagram + 1 == puppet_->datagrams().size() && endpoint_->statistics().accepted <= 1;
  if (!was_closed_ || !is_new) return;
  QUOLL_CHECK(packet.has(FrameType::connection_close) || packet.has(FrameType::connection_close_application));
}

void ConnectionScript::on_event(const EndpointEvent& event) {
  outputs_++;
  QUOLL_CHECK(std::ranges::find(closed_, event.connection) == closed_.end());
  if (!handle_) handle_ = event.connection;
  const Event* news = std::get_if<Event>(&event.event);
  if (!news) return;
  if (std::holds_alternative<Closed>(*news)) closed_.push_back(event.connection);
  if (const auto* received = std::get_if<ResumptionReceived>(news)) {
    // With the token, or the ticket, whichever comes last.
    if (received->state.ticket) resumption_ = received->state;
  }
  if (const auto* opened = std::get_if<StreamOpened>(news); opened && event.connection == handle_) {
    streams_.push_back(opened->stream_id);
  }
}

void ConnectionScript::advance(Duration time) {
  const Instant end = now_ + time;
  size_t idle = 0;
  for (int timers = 0; endpoint_->next_timeout() <= end; timers++) {
    if (timers == kTimersMax) return;
    now_ = std::max(now_, endpoint_->next_timeout());
    const uint64_t before = outputs_;
    endpoint_->on_timeout(now_);
    settle();
    if (socket_room_ != SIZE_MAX) break;
    idle = outputs_ == before ? idle + 1 : 0;
    QUOLL_CHECK(idle < kIdleTimersMax);
  }
  now_ = std::max(now_, end);
  if (socket_room_ != SIZE_MAX) endpoint_->on_timeout(now_);
}

/// Nobody speaks any more: all connections end by themselves.
void ConnectionScript::finish() {
  socket_room_ = SIZE_MAX;
  settle();
  for (int timers = 0; !endpoint_->next_timeout().is_never(); timers++) {
    QUOLL_CHECK(timers < 10 * kTimersMax);
    advance(endpoint_->next_timeout() - now_);
  }
  QUOLL_CHECK(endpoint_->connections() == 0);
}

}  // namespace quoll::fuzz
