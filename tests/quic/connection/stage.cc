#include "tests/quic/connection/stage.h"

#include <cstdlib>

namespace quoll::quic::tests {
namespace {

constexpr int kRoundsMax = 100;

}  // namespace

SocketAddress address_of(const char* text) {
  const auto address = SocketAddress::parse(text);
  if (!address) std::abort();
  return *address;
}

Stage::Stage(Role under_test, uint64_t seed) : rng(seed), authority(rng), under_test_(under_test) {
  path = {.local = address_of("192.0.2.1:443"), .remote = address_of("198.51.100.7:50000")};
  transport.pacing = false;
  transport.grease = transport.grease_quic_bit = false;
  transport.skip_packet_number_every = 0;
  transport.mtu.enabled = false;
  transport.versions = {Version::v1};
  endpoint_config.wall_clock = [](Instant at) { return tls::tests::kNow + (at - Instant()); };
  endpoint_config.retry = RetryPolicy::never;

  tls_client.application_protocols = tls_server.application_protocols = {"h3"};
  // Hellos of one packet each.
  tls_client.preferences.groups = tls_server.preferences.groups = {tls::NamedGroup::x25519};
  tls_client.grease = tls_server.grease = false;
  tls_client.trust = authority.trust();
  tls_server.identities = {authority.issue()};

  options.role = other(under_test);
  options.seed = seed;
  options.parameters = {.max_idle_timeout = 30'000,
                        .initial_max_data = 1 << 20,
                        .initial_max_stream_data_bidi_local = 1 << 18,
                        .initial_max_stream_data_bidi_remote = 1 << 18,
                        .initial_max_stream_data_uni = 1 << 18,
                        .initial_max_streams_bidi = 100,
                        .initial_max_streams_uni = 100,
                        .active_connection_id_limit = 4};
}
Stage::~Stage() = default;

void Stage::start() {
  options.tls_client = std::make_shared<const tls::ClientConfig>(tls_client);
  options.tls_server = std::make_shared<const tls::ServerConfig>(tls_server);
  puppet = std::make_unique<Puppet>(options);
  if (under_test_ == Role::server) {
    server.tls = options.tls_server;
    server.transport = transport;
    endpoint_config.server = std::make_shared<const ServerConfig>(server);
  }
  endpoint = std::make_unique<Endpoint>(endpoint_config, crypto::best(), rng);
  if (under_test_ == Role::server) {
    puppet->start();
  } else {
    client.tls = options.tls_client;
    client.transport = transport;
    const auto connecting =
        endpoint->connect(now, std::make_shared<const ClientConfig>(client), path,
                          {.server_name = "example.com", .resumption = resumption, .early_data = early_data});
    if (!connecting) std::abort();
    handle = *connecting;
  }
}

bool Stage::handshake() {
  start();
  run();
  return puppet->is_complete() && connection() && connection()->is_confirmed();
}

void Stage::run() {
  for (int round = 0; round < kRoundsMax; round++) {
    drain();
    const std::vector<Data> out = puppet->take_datagrams();
    if (out.empty()) return;
    pass(kDelay);
    for (const Data& datagram : out) deliver(datagram);
  }
}

void Stage::answer() {
  for (const Data& datagram : puppet->take_datagrams()) deliver(datagram);
}

void Stage::pass(Duration time) {
  const Instant end = now + time;
  for (int i = 0; endpoint->next_timeout() <= end && i < 10'000; i++) {
    now = std::max(now, endpoint->next_timeout());
    endpoint->on_timeout(now);
    drain();
  }
  now = end;
}

void Stage::advance(Duration time) {
  const Instant end = now + time;
  while (now < end) {
    const Instant next = std::min(end, std::max(now, endpoint->next_timeout()));
    pass(next - now);
    run();
  }
}

void Stage::drain() {
  std::vector<uint8_t> scratch(65'536);
  while (const std::optional<Transmit> transmit = endpoint->poll_transmit(now, scratch)) {
    const size_t segment = transmit->segment_size == 0 ? transmit->bytes.size() : transmit->segment_size;
    for (Bytes rest = transmit->bytes; !rest.empty(); rest = rest.subspan(std::min(segment, rest.size()))) {
      puppet->receive(now, transmit->path, transmit->ecn, rest.first(std::min(segment, rest.size())));
    }
  }
  while (std::optional<EndpointEvent> event = endpoint->poll_event()) {
    handle = event->connection;
    events.push_back(std::move(*event));
  }
  endpoint->check_invariants();
}

void Stage::deliver(Bytes datagram, const Path& on, Ecn ecn) {
  Received received{.path = on, .ecn = ecn, .data = Buffer::allocate(datagram.size())};
  copy_bytes(received.data.bytes().data(), datagram);
  endpoint->receive(now, std::move(received));
  drain();
}

PacketNumber Stage::send(PuppetPacket packet) { return send(std::move(packet), path); }

PacketNumber Stage::send(PuppetPacket packet, const Path& on, Ecn ecn) {
  if (packet.type == PacketType::initial && packet.size == 0) packet.size = puppet->initial_size;
  const PacketNumber number = packet.number.value_or(puppet->next_number(space_of(packet.type)));
  deliver(puppet->seal(packet), on, ecn);
  return number;
}

void Stage::give_ids(uint8_t count) {
  for (uint8_t i = 1; i <= count; i++) {
    StatelessResetToken token;
    token.fill(i);
    send_frames(
        NewConnectionIdFrame{.sequence_number = i, .connection_id = id_of("spare", i), .stateless_reset_token = token});
  }
  advance(Duration::milliseconds(300));
}

void Stage::change_destination() {
  const std::vector<CollectedFrame> issued = all(FrameType::new_connection_id);
  if (ids_used_ >= issued.size()) std::abort();
  const CollectedFrame& next = issued[ids_used_++];
  puppet->remote = ConnectionId(Bytes(next.bytes).first(next.numbers[2]));
}

const CollectedFrame* Stage::find(FrameType type, size_t since) const {
  for (size_t i = since; i < puppet->packets().size(); i++) {
    if (const CollectedFrame* frame = puppet->packets()[i].find(type)) return frame;
  }
  return nullptr;
}

std::vector<CollectedFrame> Stage::all(FrameType type, size_t since) const {
  std::vector<CollectedFrame> found;
  for (size_t i = since; i < puppet->packets().size(); i++) {
    for (const CollectedFrame& frame : puppet->packets()[i].frames) {
      if (frame.type == type) found.push_back(frame);
    }
  }
  return found;
}

const CollectedFrame* Stage::close() const {
  const CollectedFrame* application = find(FrameType::connection_close_application);
  return application ? application : find(FrameType::connection_close);
}

bool Stage::closed_with(TransportError code) const {
  const CollectedFrame* frame = find(FrameType::connection_close);
  return frame && frame->numbers[0] == static_cast<uint64_t>(code);
}

}  // namespace quoll::quic::tests
