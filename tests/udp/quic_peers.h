// A QUIC client and server in two threads on real sockets, for tests: the client sends a number of bytes on a stream,
// the server answers each stream with how many it got, and whether they were the right ones.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/tls_identity.h"
#include "quic/endpoint/endpoint.h"
#include "tests/udp/loopback.h"
#include "udp/run.h"

namespace quoll::tests {

inline constexpr size_t kPeriod = 8191;  // bytes after which what is sent begins again

inline Bytes payload_at(uint64_t offset, size_t size) {
  static const std::vector<uint8_t> repeated = [] {
    std::vector<uint8_t> bytes(kPeriod + 256 * 1024);
    for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>((i % kPeriod) * 131 >> 3);
    return bytes;
  }();
  return Bytes(repeated).subspan(offset % kPeriod, std::min<size_t>(size, 256 * 1024));
}

inline quic::EndpointConfig endpoint_config() {
  quic::EndpointConfig config;
  config.wall_clock = [](Instant) { return fuzz::kNow; };
  return config;
}

inline std::shared_ptr<const quic::ServerConfig> server_config(quic::TransportConfig transport = {}) {
  auto tls = std::make_shared<tls::ServerConfig>();
  tls->application_protocols = {"test"};
  tls->identities = {fuzz::identity()};
  auto config = std::make_shared<quic::ServerConfig>();
  config->tls = tls;
  config->transport = transport;
  return config;
}

inline std::shared_ptr<const quic::ClientConfig> client_config(quic::TransportConfig transport = {}) {
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {"test"};
  tls->verification = tls::PeerVerification::none;
  tls->preferences.groups = {tls::NamedGroup::x25519};
  auto config = std::make_shared<quic::ClientConfig>();
  config->tls = tls;
  config->transport = transport;
  return config;
}

/// Answers each stream with "BYTES right" or "BYTES wrong", until `connections` have ended or stop() was called.
class CountingServer {
 public:
  CountingServer(quic::Endpoint& endpoint, size_t connections) : endpoint_(endpoint), connections_(connections) {}

  void on_event(Instant, quic::EndpointEvent& event) {
    const auto* inner = std::get_if<quic::Event>(&event.event);
    if (!inner) return;
    if (const auto* readable = std::get_if<quic::StreamReadable>(inner)) read(event.connection, readable->stream_id);
    if (const auto* migrated = std::get_if<quic::Migrated>(inner)) paths.push_back(migrated->path);
    if (std::get_if<quic::Connected>(inner)) connected++;
    if (std::get_if<quic::Closed>(inner)) closed_++;
  }
  bool is_done() const { return closed_ >= connections_ || stopped_; }
  void stop() { stopped_ = true; }  // from any thread, with Loop::wake()

  std::vector<Path> paths;
  std::atomic<size_t> connected = 0;

 private:
  void read(quic::ConnectionHandle handle, quic::StreamId id) {
    quic::Streams& streams = endpoint_.find(handle)->streams();
    while (true) {
      const auto chunk = streams.read(id);
      if (!chunk || !*chunk) return;
      for (Bytes rest = (*chunk)->data.bytes(); !rest.empty();) {
        const Bytes wanted = payload_at(received_, rest.size());
        right_ = right_ && std::equal(wanted.begin(), wanted.end(), rest.begin());
        received_ += wanted.size();
        rest = rest.subspan(wanted.size());
      }
      if (!(*chunk)->fin) continue;
      (void)streams.write(id, as_bytes(std::to_string(received_) + (right_ ? " right" : " wrong")));
      (void)streams.finish(id);
      received_ = 0;
      return;
    }
  }

  quic::Endpoint& endpoint_;
  size_t connections_;
  size_t closed_ = 0;
  std::atomic<bool> stopped_ = false;
  uint64_t received_ = 0;
  bool right_ = true;
};

/// Sends `size` bytes on a stream, keeps the answer, and closes. `halfway` is called when half was written; it has
/// to migrate, and the other half waits until that is done.
class CountedClient {
 public:
  CountedClient(quic::Endpoint& endpoint, quic::ConnectionHandle connection, uint64_t size)
      : endpoint_(endpoint), connection_(connection), size_(size) {}

  void on_event(Instant now, quic::EndpointEvent& event) {
    const auto* inner = std::get_if<quic::Event>(&event.event);
    if (!inner) return;
    if (std::get_if<quic::Connected>(inner)) stream_ = streams().open(false).value();
    if (const auto* readable = std::get_if<quic::StreamReadable>(inner)) read(now, readable->stream_id);
    if (std::get_if<quic::Migrated>(inner)) {
      migrated = true;
      is_migrating_ = false;
    }
    if (std::get_if<quic::Closed>(inner)) done_ = true;
    if (stream_ && !done_) write(now);
  }
  bool is_done() const { return done_; }

  std::string answer;
  bool migrated = false;
  std::function<void(Instant, quic::Connection&)> halfway;

 private:
  quic::Streams& streams() { return endpoint_.find(connection_)->streams(); }

  void write(Instant now) {
    const uint64_t end = halfway || is_migrating_ ? size_ / 2 : size_;  // the rest is for the new path
    while (sent_ < end) {
      Slice piece = Slice::of_static(payload_at(sent_, static_cast<size_t>(std::min<uint64_t>(end - sent_, 1 << 18))));
      const auto written = streams().write(*stream_, piece);
      if (!written || *written == 0) break;
      sent_ += *written;
      if (sent_ == size_) (void)streams().finish(*stream_);
    }
    if (halfway && sent_ >= size_ / 2 && endpoint_.find(connection_)->is_confirmed()) {
      is_migrating_ = true;
      std::exchange(halfway, nullptr)(now, *endpoint_.find(connection_));
    }
  }
  void read(Instant now, quic::StreamId id) {
    while (true) {
      const auto chunk = streams().read(id);
      if (!chunk || !*chunk) return;
      answer += as_text((*chunk)->data.bytes());
      if ((*chunk)->fin) return endpoint_.find(connection_)->close(now, quic::ApplicationErrorCode{0}, "");
    }
  }

  quic::Endpoint& endpoint_;
  quic::ConnectionHandle connection_;
  uint64_t size_;
  uint64_t sent_ = 0;
  std::optional<quic::StreamId> stream_;
  bool done_ = false;
  bool is_migrating_ = false;
};

}  // namespace quoll::tests
