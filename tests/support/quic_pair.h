// Two endpoints in memory, a client's and a server's, on one virtual clock: datagrams take a fixed time, none is lost
// unless a test's filter says so. For what needs a real connection and no network; tests/sim has the networks.
#pragma once

#include <cstdlib>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/buffer_pool.h"
#include "base/ring.h"
#include "fuzz/tls_identity.h"
#include "quic/endpoint/endpoint.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

namespace quoll::tests {

struct QuicPairOptions {
  uint64_t seed = 1;
  Duration one_way_delay = Duration::milliseconds(10);
  quic::TransportConfig client;
  quic::TransportConfig server;
};

class QuicPair {
 public:
  struct Datagram {
    Instant arrival;
    Transmit transmit;
    Buffer data;
    bool to_server = false;
  };

  explicit QuicPair(QuicPairOptions options = {})
      : delay_(options.one_way_delay), rng_(options.seed), pool_(64 * 1024, 4096) {
    auto client_tls = std::make_shared<tls::ClientConfig>();
    client_tls->application_protocols = {"test"};
    client_tls->verification = tls::PeerVerification::none;
    client_tls->preferences.groups = {tls::NamedGroup::x25519};
    auto server_tls = std::make_shared<tls::ServerConfig>();
    server_tls->application_protocols = {"test"};
    server_tls->identities = {fuzz::identity()};
    client_config_ = std::make_shared<quic::ClientConfig>();
    client_config_->tls = client_tls;
    client_config_->transport = options.client;
    auto server_config = std::make_shared<quic::ServerConfig>();
    server_config->tls = server_tls;
    server_config->transport = options.server;
    quic::EndpointConfig config;
    config.wall_clock = [](Instant at) { return fuzz::kNow + (at - Instant()); };
    client.emplace(config, crypto::best(), rng_);
    config.server = server_config;
    server.emplace(config, crypto::best(), rng_);
  }

  /// A connection that is confirmed at both ends.
  void connect() {
    const auto handle = charge(
        false, [&] { return client->connect(now, client_config_, client_path_, {.server_name = "example.com"}); });
    if (!handle) std::abort();
    client_handle = *handle;
    run_until([this] { return client_connection().is_confirmed(); });
  }

  quic::Connection& client_connection() { return *client->find(client_handle); }
  quic::Connection& server_connection() { return *server->find(server_handle); }

  /// Lets time pass until `done` holds, or nothing more happens, or `limit` is over. Whether it holds.
  bool run_until(const std::function<bool()>& done, Duration limit = Duration::seconds(60)) {
    const Instant end = now + limit;
    for (;;) {
      flush();
      if (done()) return true;
      Instant next = std::min(client->next_timeout(), server->next_timeout());
      if (!wire_.empty()) next = std::min(next, wire_.front().arrival);
      if (next > end) break;
      now = std::max(now, next);
      deliver();
      charge(false, [&] {
        if (client->next_timeout() <= now) client->on_timeout(now);
      });
      charge(true, [&] {
        if (server->next_timeout() <= now) server->on_timeout(now);
      });
    }
    now = end;
    return done();
  }
  void run_for(Duration time) {
    (void)run_until([] { return false; }, time);
  }

  /// Does what makes one side hold more or less memory: what changes is counted as held by that side.
  template <class Work>
  std::invoke_result_t<Work> charge(bool server_side, Work work) {
    struct Account {
      int64_t& held;
      size_t before = heap_bytes();
      ~Account() { held += static_cast<int64_t>(heap_bytes()) - static_cast<int64_t>(before); }
    } account{held[server_side]};
    return work();
  }

  /// Bytes of the heap that the client's and the server's endpoint hold.
  int64_t held[2] = {};
  std::optional<quic::Endpoint> client;
  std::optional<quic::Endpoint> server;
  quic::ConnectionHandle client_handle;
  quic::ConnectionHandle server_handle;
  Instant now = Instant::from_nanoseconds(1'000'000'000);
  /// Sees each event of either side.
  std::function<void(bool of_server, quic::EndpointEvent&)> on_event;
  /// False: the datagram is lost. It may change the bytes.
  std::function<bool(Datagram&)> filter;
  uint64_t datagrams = 0;

 private:
  void flush() {
    send(*client, true);
    send(*server, false);
    poll(*client, false);
    poll(*server, true);
    send(*client, true);
    send(*server, false);
  }

  void send(quic::Endpoint& from, bool to_server) {
    const auto next = [&] { return charge(!to_server, [&] { return from.poll_transmit(now, scratch_); }); };
    while (const std::optional<Transmit> transmit = next()) {
      std::optional<Buffer> buffer = pool_.take();
      if (!buffer) std::abort();
      buffer->truncate(transmit->bytes.size());
      copy_bytes(buffer->bytes().data(), transmit->bytes);
      Datagram datagram{
          .arrival = now + delay_, .transmit = *transmit, .data = std::move(*buffer), .to_server = to_server};
      datagrams++;
      if (!filter || filter(datagram)) (void)wire_.emplace(std::move(datagram));
    }
  }

  void deliver() {
    while (!wire_.empty() && wire_.front().arrival <= now) {
      Datagram datagram = std::move(wire_.front());
      wire_.pop();
      const Path sent = datagram.transmit.path;
      Received received{.path = {.local = sent.remote, .remote = sent.local},
                        .ecn = datagram.transmit.ecn,
                        .data = std::move(datagram.data),
                        .segment_size = datagram.transmit.segment_size};
      const bool of_server = datagram.to_server;
      charge(of_server, [&] { (of_server ? *server : *client).receive(now, std::move(received)); });
    }
  }

  void poll(quic::Endpoint& of, bool of_server) {
    charge(of_server, [&] {
      while (std::optional<quic::EndpointEvent> event = of.poll_event()) {
        if (of_server) server_handle = event->connection;
        if (on_event) on_event(of_server, *event);
      }
    });
  }

  Duration delay_;
  SeededRng rng_;
  BufferPool pool_;
  std::shared_ptr<quic::ClientConfig> client_config_;
  Path client_path_{*SocketAddress::parse("192.0.2.1:5000"), *SocketAddress::parse("192.0.2.2:443")};
  Ring<Datagram> wire_{65536};
  std::vector<uint8_t> scratch_ = std::vector<uint8_t>(65'535);
};

}  // namespace quoll::tests
