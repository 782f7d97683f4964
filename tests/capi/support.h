// Two endpoints of the C interface that talk to each other in memory, under a clock that goes as it is told.
#pragma once

#include <quoll/quoll.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace quoll::tests {

template <class T>
T sized() {
  T value{};
  value.struct_size = sizeof value;
  return value;
}

inline quoll_address address(uint8_t last, uint16_t port) {
  quoll_address out{};
  out.ip[0] = 192, out.ip[2] = 2, out.ip[3] = last;
  out.port = port;
  out.family = QUOLL_FAMILY_IPV4;
  return out;
}

/// An event with what it points to.
struct Event : quoll_event {
  std::vector<std::pair<std::string, std::string>> lines;
  std::string bytes, reason;

  explicit Event(const quoll_event& event)
      : quoll_event(event), bytes(reinterpret_cast<const char*>(event.data), event.data_size) {
    reason = event.text;
    for (size_t i = 0; i < event.field_count; i++) {
      const quoll_field& field = event.fields[i];
      lines.emplace_back(std::string(field.name, field.name_size), std::string(field.value, field.value_size));
    }
  }
  std::string field(std::string_view name) const {
    for (const auto& [key, value] : lines) {
      if (key == name) return value;
    }
    return {};
  }
};

class Side {
 public:
  Side(const quoll_endpoint_config& config, quoll_address where) : address_(where) {
    QUOLL_CHECK(quoll_endpoint_new(&config, &endpoint) == QUOLL_OK);
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  ~Side() { quoll_endpoint_free(endpoint); }

  void poll() {
    auto event = sized<quoll_event>();
    while (quoll_endpoint_poll_event(endpoint, &event) == 1) {
      if (event.kind == QUOLL_EVENT_CONNECTED) connection = event.connection;
      events.emplace_back(event);
    }
  }
  /// The first event of a kind that was told so far; null: none.
  const Event* find(int kind) const {
    const auto at = std::ranges::find(events, kind, [](const Event& event) { return event.kind; });
    return at == events.end() ? nullptr : &*at;
  }
  size_t count(int kind) const {
    return static_cast<size_t>(std::ranges::count(events, kind, [](const Event& event) { return event.kind; }));
  }
  /// All that can be read of a stream now.
  std::string read(uint64_t stream) {
    std::string text;
    char piece[1000];
    size_t size = 0;
    int end = 0;
    while (end == 0 &&
           (status = quoll_stream_read(endpoint, connection, stream, piece, sizeof piece, &size, &end)) == 0) {
      text.append(piece, size);
    }
    ended = end != 0;
    return text;
  }
  size_t write(uint64_t stream, std::string_view text, quoll_release release = nullptr, void* context = nullptr) {
    size_t written = 0;
    status = quoll_stream_write(endpoint, connection, stream, text.data(), text.size(), release, context, &written);
    return written;
  }
  int finish(uint64_t stream) { return quoll_stream_finish(endpoint, connection, stream); }
  const quoll_address& where() const { return address_; }

  quoll_endpoint* endpoint = nullptr;
  quoll_connection connection = 0;
  std::vector<Event> events;
  int status = 0;
  bool ended = false;

 private:
  quoll_address address_;
};

class Identity {
 public:
  Identity() { QUOLL_CHECK(quoll_identity_self_signed("localhost", 10, pin, &identity) == QUOLL_OK); }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  ~Identity() { quoll_identity_free(identity); }

  quoll_identity* identity = nullptr;
  uint8_t pin[32];
};

inline const char* const kProtocols[] = {"test"};

inline quoll_endpoint_config client_config(const Identity& identity, bool http3) {
  auto config = sized<quoll_endpoint_config>();
  config.http3 = http3;
  if (!http3) config.protocols = kProtocols, config.protocol_count = 1;
  config.verify = QUOLL_VERIFY_PIN;
  config.pins = identity.pin;
  config.pin_count = 1;
  config.datagrams = 1;
  return config;
}
inline quoll_endpoint_config server_config(const Identity& identity, bool http3) {
  quoll_endpoint_config config = client_config(identity, http3);
  config.verify = QUOLL_VERIFY_CHAIN;
  config.pins = nullptr;
  config.pin_count = 0;
  config.identity = identity.identity;
  config.accept_early_data = 1;
  return config;
}

class Pair {
 public:
  explicit Pair(bool http3) : Pair(http3, Identity()) {}
  Pair(bool http3, const Identity& identity) : Pair(client_config(identity, http3), server_config(identity, http3)) {}
  Pair(const quoll_endpoint_config& of_client, const quoll_endpoint_config& of_server)
      : client(of_client, address(1, 1000)), server(of_server, address(2, 443)) {}

  quoll_connect_options options() const {
    auto connect = sized<quoll_connect_options>();
    connect.server_name = "localhost";
    connect.remote = server.where();
    return connect;
  }
  int connect(const quoll_connect_options& connect) {
    return quoll_endpoint_connect(client.endpoint, now, &connect, &client.connection);
  }
  void establish() {
    QUOLL_CHECK(connect(options()) == QUOLL_OK);
    run();
    QUOLL_CHECK(client.find(QUOLL_EVENT_CONNECTED) && server.find(QUOLL_EVENT_CONNECTED));
  }
  /// Until nobody has anything to send, nor a timer within 50 ms.
  void run() {
    for (size_t turns = 0; turns < 100'000; turns++) {
      client.poll();
      server.poll();
      const bool there = carry(client, server);
      const bool back = carry(server, client);
      if (there || back) continue;
      const uint64_t next =
          std::min(quoll_endpoint_next_timeout(client.endpoint), quoll_endpoint_next_timeout(server.endpoint));
      if (next > now + 50'000'000) return;
      now = std::max(now, next);
      QUOLL_CHECK(quoll_endpoint_on_timeout(client.endpoint, now) == QUOLL_OK);
      QUOLL_CHECK(quoll_endpoint_on_timeout(server.endpoint, now) == QUOLL_OK);
    }
    QUOLL_CHECK(false);
  }
  void wait(uint64_t nanoseconds) {
    now += nanoseconds;
    QUOLL_CHECK(quoll_endpoint_on_timeout(client.endpoint, now) == QUOLL_OK);
    QUOLL_CHECK(quoll_endpoint_on_timeout(server.endpoint, now) == QUOLL_OK);
    run();
  }

  uint64_t now = 1'000'000'000;
  Side client, server;
  size_t packets = 0;

 private:
  bool carry(Side& from, Side& to) {
    std::vector<uint8_t> memory(QUOLL_TRANSMIT_SIZE_MAX);
    auto packet = sized<quoll_packet>();
    bool moved = false;
    while (quoll_endpoint_poll_transmit(from.endpoint, now, memory.data(), memory.size(), &packet) == 1) {
      packets++;
      moved = true;
      const quoll_address sent_from = packet.local.family == QUOLL_FAMILY_NONE ? from.where() : packet.local;
      packet.local = packet.remote;
      packet.remote = sent_from;
      QUOLL_CHECK(quoll_endpoint_receive(to.endpoint, now, &packet) == QUOLL_OK);
    }
    return moved;
  }
};

}  // namespace quoll::tests
