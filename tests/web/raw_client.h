// An HTTP/3 client without manners, on the session alone: it can stop in the midst of things, and use of the session what
// web::Client does not.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "h3/over_quic.h"
#include "tests/web/fixture.h"
#include "udp/run.h"

namespace quoll::tests {

class RawClient {
 public:
  explicit RawClient(const SocketAddress& server, h3::SessionOptions options = {}, quic::TransportConfig transport = {})
      : socket_(udp::Socket::bind(*SocketAddress::parse("127.0.0.1:0")).value()),
        endpoint_(config(), crypto::best(), os::thread_rng()),
        over_quic_(h3::Role::client, options, os::thread_rng()) {
    auto tls = trusting(test_identity());
    tls->application_protocols = {"h3"};
    auto client = std::make_shared<quic::ClientConfig>();
    client->tls = tls;
    client->transport = transport;
    h3::prepare(client->transport, options);
    handle_ = endpoint_
                  .connect(udp::now(), client, {.local = socket_.local_address(), .remote = server},
                           {.server_name = "localhost"})
                  .value();
  }

  /// Works until `done`, or the connection is over; false when that takes too long.
  bool run_until(std::function<bool()> done) {
    done_ = std::move(done);
    deadline_ = udp::now() + Duration::seconds(5);
    return udp::run(endpoint_, socket_, *this).has_value() && done_();
  }
  /// The session; null when the connection is over.
  h3::Session* session() {
    quic::Connection* connection = endpoint_.find(handle_);
    return connection && !closed ? &over_quic_.use(*connection) : nullptr;
  }
  bool connect() {
    return run_until([this] { return established && settings; });
  }
  uint64_t get(std::string_view path) {
    return **session()->request(
        {{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", path}}, true);
  }

  // What happened.
  bool established = false;
  bool settings = false;
  std::optional<quic::Closed> closed;
  std::vector<h3::Event> events;
  /// Instead of keeping events.
  std::function<void(h3::Event&)> on_h3_event;

  template <class Event>
  std::optional<Event> find() const {
    for (const h3::Event& event : events) {
      if (const auto* found = std::get_if<Event>(&event)) return *found;
    }
    return {};
  }

  // udp::run's.
  void on_event(Instant, quic::EndpointEvent& event) {
    const auto& news = std::get<quic::Event>(event.event);
    if (std::holds_alternative<quic::Connected>(news)) established = true;
    if (const auto* end = std::get_if<quic::Closed>(&news)) closed = *end;
    if (quic::Connection* connection = endpoint_.find(handle_)) over_quic_.on_event(*connection, news);
    poll();
  }
  void on_turn(Instant) { poll(); }
  Instant next_timeout() const { return deadline_; }
  bool is_done() const { return closed || done_() || udp::now() >= deadline_; }

 private:
  static quic::EndpointConfig config() {
    quic::EndpointConfig config;
    config.wall_clock = [](Instant) { return system_time(); };
    return config;
  }
  void poll() {
    while (std::optional<h3::Event> event = over_quic_.poll_event()) {
      if (std::holds_alternative<h3::SettingsReceived>(*event)) settings = true;
      if (on_h3_event) on_h3_event(*event);
      events.push_back(std::move(*event));
    }
  }

  udp::Socket socket_;
  quic::Endpoint endpoint_;
  h3::OverQuic over_quic_;
  quic::ConnectionHandle handle_;
  std::function<bool()> done_;
  Instant deadline_;
};

}  // namespace quoll::tests
