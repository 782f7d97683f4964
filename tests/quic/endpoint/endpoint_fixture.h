// An Endpoint under test: datagrams in, what it sends and tells out.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "crypto/provider.h"
#include "quic/endpoint/endpoint.h"
#include "tests/quic/endpoint/support.h"

namespace quoll::tests {

class EndpointFixture {
 public:
  using Configure = std::function<void(quic::EndpointConfig&)>;

  struct Sent {
    Path path;
    std::vector<uint8_t> bytes;
  };

  /// A server that accepts by itself, unless `configure` says otherwise.
  explicit EndpointFixture(Configure configure = {}) {
    quic::EndpointConfig config;
    config.server = std::make_shared<quic::ServerConfig>();
    config.wall_clock = wall_clock;
    if (configure) configure(config);
    endpoint_ = std::make_unique<quic::Endpoint>(std::move(config), crypto::best(), rng_);
  }

  quic::Endpoint& endpoint() { return *endpoint_; }

  void receive(const std::vector<uint8_t>& datagram, std::string_view remote = "198.51.100.1:1000") {
    endpoint_->receive(now, received(path_from(remote), datagram));
  }
  void receive_train(const std::vector<uint8_t>& train, uint16_t segment_size) {
    endpoint_->receive(now, received(path, train, segment_size));
  }
  std::vector<Sent> transmits() {
    std::vector<Sent> out;
    std::vector<uint8_t> scratch(1500);
    while (const auto transmit = endpoint_->poll_transmit(now, scratch)) {
      out.push_back({transmit->path, {transmit->bytes.begin(), transmit->bytes.end()}});
    }
    return out;
  }
  /// Without those of the connections that a scripted one sends to begin with.
  std::vector<Sent> transmits_after_first() {
    auto out = transmits();
    std::erase_if(out, [](const Sent& sent) { return sent.bytes.size() == 100 && sent.bytes[0] == 0x55; });
    return out;
  }
  std::vector<quic::EndpointEvent> events() {
    std::vector<quic::EndpointEvent> out;
    while (auto event = endpoint_->poll_event()) {
      handles_.push_back(event->connection);
      out.push_back(std::move(*event));
    }
    return out;
  }
  void settle() { (void)endpoint_->next_timeout(); }
  void check() const { endpoint_->check_invariants(); }

  /// The only connection of the endpoint.
  quic::ConnectionHandle handle_of_only() { return {.index = 0, .generation = 1}; }
  /// As if the application had used every connection among the first ones.
  void touch_all() {
    for (uint32_t index = 0; index < 64; index++) {
      for (uint32_t generation = 1; generation < 8; generation += 2) {
        (void)endpoint_->find({.index = index, .generation = generation});
      }
    }
  }

  Instant now = at_ms(0);
  Path path = path_from("198.51.100.1:1000");

 private:
  SeededRng rng_{42};
  std::unique_ptr<quic::Endpoint> endpoint_;
  std::vector<quic::ConnectionHandle> handles_;
};

}  // namespace quoll::tests
