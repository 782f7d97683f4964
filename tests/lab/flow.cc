#include "tests/lab/flow.h"

#include <algorithm>

namespace quoll::lab {
namespace {

/// Receive windows begin as users have them, and may grow to more than any path here holds.
constexpr uint64_t kWindowMax = uint64_t{1} << 32;
/// What streams are made of, again and again.
constexpr std::array<uint8_t, 1 << 18> kText{};
constexpr uint16_t kFirstServerPort = 20'000;

SocketAddress client_address(uint16_t number) {
  return {.ip = IpAddress::v4({10, 0, 0, 1}), .port = static_cast<uint16_t>(10'000 + number)};
}
SocketAddress server_address(uint16_t number) {
  return {.ip = IpAddress::v4({198, 51, 100, 1}), .port = static_cast<uint16_t>(kFirstServerPort + number)};
}

template <class Kind>
const Kind* event_of(const quic::EndpointEvent& event) {
  const auto* of_connection = std::get_if<quic::Event>(&event.event);
  return of_connection ? std::get_if<Kind>(of_connection) : nullptr;
}

}  // namespace

Flow::Flow(sim::World& world, const Setting& setting)
    : world_(world),
      setting_(setting),
      tls_(sim::make_tls_configs({})),
      path_{client_address(setting.number), server_address(setting.number)},
      client_(world, sim::Direction::to_server, {},
              {.seed = 2 * setting.seed, .gather_for = setting.gather, .check_every = 0}),
      server_(world, sim::Direction::to_client, server_config(),
              {.seed = 2 * setting.seed + 1, .gather_for = setting.gather, .check_every = 0}) {}

quic::TransportConfig Flow::transport() const {
  quic::TransportConfig config;
  config.streams.max_stream_window = config.streams.max_connection_window = config.streams.send_buffer_max = kWindowMax;
  config.streams.max_unidirectional_streams = 1'000;
  // Enough to keep the sender busy from one lump of ACKs to the next, and soon over when no more is written.
  const uint64_t of_lump = setting_.rate.bytes_in(Duration::milliseconds(100));
  config.streams.unsent_max = std::clamp<uint64_t>(of_lump, quic::kStreamUnsentMin, 4 << 20);
  // However bad the path: what is looked at is its controller.
  config.handshake_timeout = Duration::seconds(60);
  config.max_idle_timeout = Duration::seconds(120);
  config.congestion = setting_.controller;
  config.stall_pings = 20;  // as web::Client has it
  return config;
}

quic::EndpointConfig Flow::server_config() const {
  auto config = std::make_shared<quic::ServerConfig>();
  config->tls = tls_.server;
  config->transport = transport();
  quic::EndpointConfig endpoint;
  endpoint.server = std::move(config);
  endpoint.retry = quic::RetryPolicy::never;
  return endpoint;
}

size_t Flow::number_of(const sim::Datagram& datagram) { return datagram.destination.port - kFirstServerPort; }

void Flow::start() {
  auto config = std::make_shared<quic::ClientConfig>();
  config->tls = tls_.client;
  config->transport = transport();
  facts_.started = world_.now();
  const auto handle =
      client_.endpoint().connect(world_.now(), std::move(config), path_, {.server_name = "sim.example"});
  if (!handle) return world_.fail("connect() was refused");
  handle_ = *handle;
  client_.pump();
}

const quic::Statistics& Flow::statistics() {
  if (const quic::Connection* connection = client_.endpoint().find(handle_)) statistics_ = connection->statistics();
  return statistics_;
}

uint64_t Flow::arrived() {
  const quic::Connection* connection = server_.endpoint().find(server_handle_);
  if (connection) arrived_ = connection->statistics().streams.bytes_received;
  return arrived_;
}

Instant Flow::start_of_stream(uint32_t index) const {
  return facts_.started + static_cast<int64_t>(index) * setting_.plan.traffic.apart;
}

// --- The sender

void Flow::Sender::on_event(Instant now, const quic::EndpointEvent& event) {
  if (event_of<quic::Connected>(event)) {
    flow_.facts_.connected = now;
    is_connected_ = true;
    open_due(now);
  } else if (const auto* writable = event_of<quic::StreamWritable>(event)) {
    for (Stream& stream : streams_) {
      if (stream.is_open && stream.id == writable->stream_id) write(stream);
    }
  } else if (event_of<quic::Closed>(event)) {
    flow_.facts_.closed = true;
  }
}

Instant Flow::Sender::next_timeout() const {
  if (!is_connected_) return Instant::never();
  const Traffic& traffic = flow_.setting_.plan.traffic;
  if (planned_ < traffic.streams) return flow_.start_of_stream(static_cast<uint32_t>(planned_));
  return traffic.is_bulk() && !is_ended_ ? flow_.setting_.last_write : Instant::never();
}

void Flow::Sender::on_timeout(Instant now) {
  open_due(now);
  if (now < flow_.setting_.last_write || is_ended_) return;
  is_ended_ = true;
  for (Stream& stream : streams_) {
    stream.left = 0;
    write(stream);
  }
}

void Flow::Sender::open_due(Instant now) {
  const Traffic& traffic = flow_.setting_.plan.traffic;
  quic::Connection* connection = flow_.client_.endpoint().find(flow_.handle_);
  if (!connection) return;
  for (; planned_ < traffic.streams; planned_++) {
    const Instant start = flow_.start_of_stream(static_cast<uint32_t>(planned_));
    if (start > now) return;
    const std::optional<quic::StreamId> id = connection->streams().open(true);
    if (!id) return flow_.world_.fail("a stream was refused");
    streams_.push_back({.start = start, .id = *id, .left = traffic.bytes, .is_open = true});
    write(streams_.back());
  }
}

void Flow::Sender::write(Stream& stream) {
  quic::Connection* connection = flow_.client_.endpoint().find(flow_.handle_);
  if (!connection || stream.is_finished) return;
  while (stream.left > 0) {
    Slice piece = Slice::of_static(Bytes(kText).first(std::min<uint64_t>(stream.left, kText.size())));
    const size_t offered = piece.size();
    const Result<size_t> taken = connection->streams().write(stream.id, piece);
    if (!taken) return flow_.world_.fail("write() failed");
    flow_.facts_.sent += *taken;
    if (stream.left != Traffic::kEndless) stream.left -= *taken;
    if (*taken < offered) return;
  }
  stream.is_finished = true;
  if (!connection->streams().finish(stream.id)) flow_.world_.fail("finish() failed");
}

// --- The receiver

void Flow::Receiver::on_event(Instant now, const quic::EndpointEvent& event) {
  flow_.server_handle_ = event.connection;
  if (const auto* opened = event_of<quic::StreamOpened>(event)) read(now, event.connection, opened->stream_id);
  if (const auto* readable = event_of<quic::StreamReadable>(event)) read(now, event.connection, readable->stream_id);
  if (event_of<quic::Closed>(event)) flow_.facts_.closed = true;
}

void Flow::Receiver::read(Instant now, quic::ConnectionHandle handle, quic::StreamId id) {
  quic::Connection* connection = flow_.server_.endpoint().find(handle);
  while (connection) {
    const Result<std::optional<quic::Chunk>> chunk = connection->streams().read(id);
    if (!chunk || !*chunk) return;
    flow_.facts_.delivered += (*chunk)->data.size();
    if (!(*chunk)->fin) continue;
    flow_.facts_.stream_times.push_back(now - flow_.start_of_stream(static_cast<uint32_t>(id.index())));
    if (++ended_ == flow_.setting_.plan.traffic.streams) flow_.facts_.done = now;
    return;
  }
}

}  // namespace quoll::lab
