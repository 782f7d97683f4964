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

PathData path_data(uint64_t seed) {
  PathData data{};
  store_be(data.data(), seed);
  return data;
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
  config.congestion = has(kPacing) ? CongestionAlgorithm::new_reno : CongestionAlgorithm::cubic;
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
    CHECK(script.resumption_ && script.resumption_->ticket);
    return *script.resumption_;
  }();
  return made;
}

const tls::ClientTicket& ConnectionScript::ticket() {
  static const tls::ClientTicket made = [] {
    static constexpr uint8_t kFeatures[] = {0x00, kHandshakeFirst | kAnswers};
    ConnectionScript script(Role::server, kFeatures);
    script.run();
    CHECK(!script.puppet_->tickets().empty());
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

/// Seals what can be sealed, and delivers it.
void ConnectionScript::send(PuppetPacket packet) {
  if (!puppet_->can_seal(packet.type)) return;
  // A sample for header protection must be there; apart from that, packets without frames are possible.
  if (packet.number_size + packet.frames.size() < 4) packet.frames.resize(4 - packet.number_size);
  if (packet.type == PacketType::initial && packet.size == 0) packet.size = 1200;
  const bool proves_address = packet.type == PacketType::handshake && !packet.forged;
  const Data sealed = puppet_->seal(packet);
  if (held_.empty()) held_first_ = sealed.size();
  held_ = held_ + sealed;
  if (proves_address) remotes_[remote_].validated = true;
  if (held_.size() > 4096 || in_.byte() < 0xe0) flush(0);
}

void ConnectionScript::flush(size_t segment_size) {
  if (held_.empty()) return;
  deliver(std::exchange(held_, {}), segment_size);
  held_first_ = 0;
}

void ConnectionScript::send_chosen_packet() {
  static constexpr std::array kTypes = {PacketType::initial, PacketType::zero_rtt, PacketType::handshake,
                                        PacketType::one_rtt};
  PuppetPacket packet{.type = kTypes[in_.below(4)], .number_size = 1 + in_.below(4)};
  const uint16_t oddities = in_.word();
  const PacketNumber next = puppet_->next_number(space_of(packet.type));
  if (oddities & 1) packet.number = next + in_.number() % 100'000;
  if (oddities & 2) packet.number = next - std::min<PacketNumber>(next, in_.byte());
  if (oddities & 4) packet.destination = ConnectionId(Bytes(in_.data()).first(0));
  if (oddities & 8) packet.source = quic::tests::id_of("other");
  if (oddities & 16) packet.version = in_.flag() ? Version::v1 : Version::v2;
  if (oddities & 32) packet.token = in_.data();
  if (oddities & 64) packet.generation = puppet_->generation() + in_.below(3);
  if (oddities & 128) packet.key_phase = in_.flag();
  if (oddities & 256) packet.flip = in_.byte();
  if (oddities & 512) packet.forged = true;
  if (oddities & 1024) packet.size = 1 + in_.below(1500);
  if (oddities & 2048) packet.destination = puppet_->original_destination();
  // The reserved bits and, in short headers, the key phase: the size of the number stays true.
  const uint8_t may_flip = has_long_header(packet.type) ? 0x0c : 0x1c;
  packet.flip &= may_flip;
  switch (in_.below(4)) {
    case 0:
      packet.frames = in_.data();
      break;
    case 1:
      packet.frames = true_ack(space_of(packet.type));
      break;
    case 2:
      packet.frames = chosen_frame();
      break;
    case 3: {
      const Data bytes = in_.data();
      packet.frames = frames(CryptoFrame{.offset = in_.number() % 100'000, .data = bytes});
      break;
    }
  }
  send(std::move(packet));
}

/// An ACK of packets that the endpoint did send; nearly all of them, if the input wants.
Data ConnectionScript::true_ack(Space space) {
  const uint8_t skip = in_.byte();
  const bool lies = skip >= 0xf8;
  IntervalSet set(kAckRangesMax, IntervalSet::WhenFull::forget_lowest);
  size_t index = 0;
  for (const SeenPacket& packet : puppet_->packets()) {
    if (space_of(packet.type) != space || (packet.type == PacketType::zero_rtt)) continue;
    if (skip % 8 == 0 || ++index % (1 + skip % 8) != 0) (void)set.insert(packet.number);
  }
  if (lies) (void)set.insert(in_.number());
  if (set.empty()) return frames(PingFrame{});
  AckFields fields{.ack_delay = in_.number() % 20'000};
  if (in_.flag()) fields.ecn = EcnCounts{.ect0 = in_.number() % 1000, .ect1 = in_.below(2), .ce = in_.below(4)};
  Counter counter;
  write_ack(counter, set, fields, set.size());
  Data out(counter.size());
  Writer writer(out);
  write_ack(writer, set, fields, set.size());
  return out;
}

StreamId ConnectionScript::chosen_stream() {
  if (!streams_.empty() && in_.flag()) return streams_[in_.below(streams_.size())];
  return StreamId(in_.number() % 1000);
}

Data ConnectionScript::stream_frame() {
  const StreamId id = chosen_stream();
  const uint64_t offset = in_.number() % (uint64_t{1} << 61);
  const Data bytes(in_.below(700));
  return frames(StreamFrame{.stream_id = id, .offset = offset, .data = bytes, .fin = in_.below(4) == 0});
}

Data ConnectionScript::connection_id_frame() {
  if (in_.below(4) == 0) return frames(RetireConnectionIdFrame{.sequence_number = in_.number()});
  const bool repeats = in_.below(8) == 0;
  const uint64_t sequence = repeats ? in_.below(next_sequence_ + 1) : next_sequence_++;
  const uint64_t retire = std::min<uint64_t>(sequence, in_.below(4) == 0 ? in_.below(next_sequence_) : 0);
  StatelessResetToken token{};
  token[0] = static_cast<uint8_t>(sequence);
  token[1] = 1;
  return frames(NewConnectionIdFrame{.sequence_number = sequence,
                                     .retire_prior_to = retire,
                                     .connection_id = quic::tests::id_of("more", static_cast<uint8_t>(sequence)),
                                     .stateless_reset_token = token});
}

Data ConnectionScript::chosen_frame() {
  switch (in_.below(20)) {
    case 0:
      return frames(PingFrame{});
    case 1:
      return frames(ResetStreamFrame{
          .stream_id = chosen_stream(), .application_error_code = in_.number(), .final_size = in_.number()});
    case 2:
      return frames(StopSendingFrame{.stream_id = chosen_stream(), .application_error_code = in_.number()});
    case 3: {
      const Data bytes = in_.data();
      return frames(CryptoFrame{.offset = in_.number() % (kVarintMax - UINT8_MAX), .data = bytes});
    }
    case 4: {
      const Data token = in_.data();
      return token.empty() ? Data() : frames(NewTokenFrame{.token = token});
    }
    case 5:
      return stream_frame();
    case 6:
      return frames(MaxDataFrame{.maximum_data = in_.number()});
    case 7:
      return frames(MaxStreamDataFrame{.stream_id = chosen_stream(), .maximum_stream_data = in_.number()});
    case 8:
      return frames(MaxStreamsFrame{.unidirectional = in_.flag(), .maximum_streams = in_.number() % kStreamCountMax});
    case 9:
      return frames(DataBlockedFrame{.maximum_data = in_.number()});
    case 10:
      return frames(StreamDataBlockedFrame{.stream_id = chosen_stream(), .maximum_stream_data = in_.number()});
    case 11:
      return frames(StreamsBlockedFrame{.unidirectional = in_.flag(), .maximum_streams = in_.below(300)});
    case 12:
    case 13:
      return connection_id_frame();
    case 14:
      return frames(PathChallengeFrame{.data = path_data(in_.byte())});
    case 15:
      return frames(PathResponseFrame{.data = path_data(in_.byte())});
    case 16: {
      const Data reason = in_.data();
      const bool application = in_.flag();
      return frames(ConnectionCloseFrame{.application = application,
                                         .error_code = in_.number(),
                                         .frame_type = application ? 0 : in_.number(),
                                         .reason_phrase = reason});
    }
    case 17:
      return frames(HandshakeDoneFrame{});
    case 18: {
      const Data bytes(in_.below(1100));
      return frames(DatagramFrame{.data = bytes});
    }
    default:
      return Data(1 + in_.byte());  // PADDING
  }
}

void ConnectionScript::answer_challenges() {
  // The newest ones: who answers says that he is where the challenge went.
  Data all;
  for (; challenges_seen_ < puppet_->packets().size(); challenges_seen_++) {
    for (const CollectedFrame& frame : puppet_->packets()[challenges_seen_].frames) {
      if (frame.type != FrameType::path_challenge || all.size() > 100) continue;
      PathData data{};
      copy_bytes(data.data(), Bytes(frame.bytes).first(std::min(frame.bytes.size(), data.size())));
      all = all + frames(PathResponseFrame{.data = data});
    }
  }
  if (all.empty()) return;
  for (Remote& remote : remotes_) remote.validated = true;
  send(PuppetPacket{.frames = all, .size = 1200});
}

void ConnectionScript::change_puppet() {
  switch (in_.below(8)) {
    case 0:
      return puppet_->update_keys();
    case 1: {
      const Space space{static_cast<uint8_t>(in_.below(kSpaceCount))};
      return puppet_->set_next_number(space, puppet_->next_number(space) + in_.number() % 1'000'000);
    }
    case 2:
      puppet_->acknowledges = in_.flag();
      return;
    case 3:
      answers_by_itself_ = in_.flag();
      return;
    case 4: {
      const Data bytes = in_.data();
      return puppet_->say(tls::Level{static_cast<uint8_t>(in_.below(4))}, bytes);
    }
    case 5:
      puppet_->sends_done = in_.flag();
      return;
    case 6:
      puppet_->crypto_chunk = 1 + in_.byte();
      return;
    case 7: {  // other ids that the endpoint has given
      std::vector<ConnectionId> ids;
      for (const SeenPacket& packet : puppet_->packets()) {
        const CollectedFrame* frame = packet.find(FrameType::new_connection_id);
        if (frame && frame->bytes.size() > kStatelessResetTokenSize) {
          ids.emplace_back(Bytes(frame->bytes).first(frame->bytes.size() - kStatelessResetTokenSize));
        }
      }
      if (!ids.empty()) puppet_->remote = ids[in_.below(ids.size())];
      return;
    }
  }
}

void ConnectionScript::send_unprotected() {
  switch (in_.below(4)) {
    case 0:
      return deliver(in_.data());
    case 1:
      return send_stateless_reset();
    case 2: {
      if (puppet_->role() == Role::client || puppet_->original_destination().empty()) return;
      const Data token = Data{1} + in_.data();
      return deliver(puppet_->retry(token, quic::tests::id_of("retry"), in_.flag()));
    }
    case 3:
      if (puppet_->role() == Role::client || puppet_->original_destination().empty()) return;
      switch (in_.below(3)) {
        case 0:
          return deliver(puppet_->version_negotiation({Version::v1, Version::v2}));
        case 1:
          return deliver(puppet_->version_negotiation({Version::v2}));
        default:
          return deliver(puppet_->version_negotiation({Version{0x1a2a3a4a}}));
      }
  }
}

void ConnectionScript::send_stateless_reset() {
  // With a token that the puppet has given, or nearly.
  Data reset(5 + in_.below(40), 0x55);
  StatelessResetToken token{};
  token[0] = in_.byte();
  token[1] = 1;
  reset.insert(reset.end(), token.begin(), token.end());
  deliver(reset);
}

/// A datagram once more, of either side, with a byte changed.
void ConnectionScript::replay() {
  const auto& back = puppet_->datagrams();
  const uint8_t which = in_.byte();
  Data datagram;
  if (which % 2 == 0 && !delivered_.empty()) datagram = delivered_[which / 2 % delivered_.size()];
  if (which % 2 == 1 && !back.empty()) datagram = back[back.size() - 1 - which / 2 % back.size()].bytes;
  if (datagram.empty()) return;
  const size_t place = in_.word();
  datagram[place % datagram.size()] ^= in_.byte();
  if (in_.below(8) == 0) datagram.resize(place % datagram.size());
  deliver(datagram);
}

void ConnectionScript::use_streams() {
  Connection* connection = this->connection();
  const uint64_t what = in_.below(8);
  if (!connection) return;
  Streams& streams = connection->streams();
  const StreamId id = what == 0 ? StreamId(0) : chosen_stream();
  switch (what) {
    case 0:
      if (const auto opened = streams.open(in_.flag())) streams_.push_back(*opened);
      break;
    case 1:
    case 2:
      (void)streams.write(id, Bytes(Data(in_.below(6000))));
      break;
    case 3:
    case 4:
      (void)streams.read(id, 1 + in_.below(3000));
      break;
    case 5:
      (void)streams.finish(id);
      break;
    case 6:
      (void)streams.reset(id, ApplicationErrorCode{in_.byte()});
      break;
    case 7:
      (void)streams.stop(id, ApplicationErrorCode{in_.byte()});
      break;
  }
  settle();
}

void ConnectionScript::use_connection() {
  Connection* connection = this->connection();
  const uint64_t what = in_.below(9);
  if (!connection) return;
  switch (what) {
    case 0:
      (void)connection->send_datagram(Slice::copy_of(Data(in_.below(1400))));
      break;
    case 1:
      while (connection->receive_datagram()) {
      }
      break;
    case 2:
      if (in_.below(4) == 0) connection->close(now_, ApplicationErrorCode{in_.byte()}, "the script says so");
      break;
    case 3:
      (void)connection->migrate(now_, locals_[in_.below(2)]);
      break;
    case 4:
      (void)connection->update_keys(now_);
      break;
    case 5:
      connection->ping();
      break;
    case 6: {
      const auto& sent = puppet_->datagrams();
      const Data quoted = sent.empty() ? Data() : sent[sent.size() - 1 - in_.byte() % sent.size()].bytes;
      connection->on_icmp_too_big(now_, path(), in_.word(), Bytes(quoted).first(std::min<size_t>(quoted.size(), 40)));
      break;
    }
    case 7: {
      std::array<uint8_t, 32> key{};
      (void)connection->export_keying_material("label", {}, key);
      break;
    }
    case 8: {
      const Statistics statistics = connection->statistics();
      CHECK(statistics.packets_lost <= statistics.packets_sent);
      break;
    }
  }
  settle();
}

void ConnectionScript::use_endpoint() {
  switch (in_.below(4)) {
    case 0:  // the socket is full, or empty again
      socket_room_ = in_.flag() ? SIZE_MAX : in_.below(4);
      break;
    case 1:
      if (handle_) (void)endpoint_->accept(now_, *handle_);
      break;
    case 2:
      if (handle_) (void)(in_.flag() ? endpoint_->retry(now_, *handle_) : endpoint_->refuse(now_, *handle_));
      break;
    case 3:
      if (in_.below(16) == 0) endpoint_->close(now_, ApplicationErrorCode{7}, "all over");
      break;
  }
  settle();
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
    CHECK(timers < kIdleTimersMax);
    endpoint_->on_timeout(now_);
  }
  endpoint_->check_invariants();
}

void ConnectionScript::drain() {
  was_closed_ = handle_ && std::ranges::find(closed_, *handle_) != closed_.end();
  static std::vector<uint8_t> scratch(65'536);
  for (size_t count = 0; socket_room_ > 0; count++) {
    CHECK(count < kTransmitsMax);
    const std::optional<Transmit> transmit = endpoint_->poll_transmit(now_, scratch);
    if (!transmit) break;
    if (socket_room_ != SIZE_MAX) socket_room_--;
    take(*transmit);
  }
  for (size_t count = 0;; count++) {
    CHECK(count < kEventsMax);
    const std::optional<EndpointEvent> event = endpoint_->poll_event();
    if (!event) break;
    on_event(*event);
  }
}

void ConnectionScript::take(const Transmit& transmit) {
  outputs_++;
  CHECK(!transmit.bytes.empty());
  CHECK(transmit.segment_size < transmit.bytes.size());
  const auto remote = std::ranges::find(remotes_, transmit.path.remote, &Remote::address);
  CHECK(remote != remotes_.end());
  remote->sent_to += transmit.bytes.size();
  if (under_test_ == Role::server && !remote->validated) CHECK(remote->sent_to <= 3 * remote->received_from);
  const size_t segment = transmit.segment_size == 0 ? transmit.bytes.size() : transmit.segment_size;
  for (Bytes rest = transmit.bytes; !rest.empty(); rest = rest.subspan(std::min(segment, rest.size()))) {
    puppet_->receive(now_, transmit.path, transmit.ecn, rest.first(std::min(segment, rest.size())));
  }
  for (; packets_checked_ < puppet_->packets().size(); packets_checked_++) {
    check_packet(puppet_->packets()[packets_checked_]);
  }
}

void ConnectionScript::check_packet(const SeenPacket& packet) {
  CHECK(!packet.breaks_rules);
  if (packet.type == PacketType::initial && (under_test_ == Role::client || packet.is_ack_eliciting())) {
    CHECK(puppet_->datagrams()[packet.datagram].bytes.size() >= 1200);
  }
  if (packet.type != PacketType::one_rtt) return;
  CHECK(numbers_.insert(packet.number).second);
  // The puppet may have kept it since before; and it may be of another connection, when the first one is over.
  const bool is_new = packet.datagram + 1 == puppet_->datagrams().size() && endpoint_->statistics().accepted <= 1;
  if (!was_closed_ || !is_new) return;
  CHECK(packet.has(FrameType::connection_close) || packet.has(FrameType::connection_close_application));
}

void ConnectionScript::on_event(const EndpointEvent& event) {
  outputs_++;
  CHECK(std::ranges::find(closed_, event.connection) == closed_.end());
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
    CHECK(idle < kIdleTimersMax);
  }
  now_ = std::max(now_, end);
  if (socket_room_ != SIZE_MAX) endpoint_->on_timeout(now_);
}

/// Nobody speaks any more: all connections end by themselves.
void ConnectionScript::finish() {
  socket_room_ = SIZE_MAX;
  settle();
  for (int timers = 0; !endpoint_->next_timeout().is_never(); timers++) {
    CHECK(timers < 10 * kTimersMax);
    advance(endpoint_->next_timeout() - now_);
  }
  CHECK(endpoint_->connections() == 0);
}

}  // namespace quoll::fuzz
