// A whole Endpoint behind re-sealed packets: the input is a program of what a peer, the network, the clock and the
// application do. The peer is the tests' puppet (tests/quic/connection/puppet.h): a real TLS handshake, then any frames
// in any packet, sealed with the right keys or nearly so.
//
// After every step things hold that do so whatever the peer does: the invariants of all parts; one instant needs few
// outputs, and no timer stands still; each packet that leaves can be read by the strictest reader, and none of its
// numbers comes back; an address that is not validated gets at most three times what it sent (RFC 9000 §8.1); datagrams
// with Initial packets are of full size (§14.1); who closes says nothing but that (§10.2.1); Closed is the last event.
// And when nobody speaks any more, everything ends.
//
// The first bytes choose the configuration, then come steps: an operation, and what it needs.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "fuzz/tls_identity.h"
#include "qlog/log.h"
#include "qlog/qlog_sink.h"
#include "quic/endpoint/endpoint.h"
#include "tests/quic/connection/puppet.h"

namespace quoll::fuzz {

using quic::tests::Data;

/// Numbers and bytes from the input; zeros once it is used up.
class Choices {
 public:
  explicit Choices(Bytes input) : rest_(input) {}
  bool done() const { return rest_.empty(); }

  uint8_t byte() {
    if (rest_.empty()) return 0;
    const uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  bool flag() { return (byte() & 1) != 0; }
  uint16_t word() {
    const uint8_t high = byte();
    return static_cast<uint16_t>(high << 8 | byte());
  }
  uint64_t below(uint64_t bound) { return (bound <= 256 ? byte() : word()) % bound; }
  /// Mostly small, sometimes of a size where limits lie.
  uint64_t number() {
    const uint8_t value = byte();
    if (value < 0xf0) return value;
    if (value < 0xfc) return uint64_t{byte()} << (value - 0xf0);
    return (uint64_t{1} << 62) - 1 - byte();
  }
  /// A length, and so many bytes, as far as there are.
  Data data() {
    const size_t wanted = byte();  // before the rest is measured
    const size_t size = std::min(wanted, rest_.size());
    Data out(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(size));
    rest_ = rest_.subspan(size);
    return out;
  }

 private:
  Bytes rest_;
};

class ConnectionScript {
 public:
  ConnectionScript(quic::Role under_test, Bytes input);
  ~ConnectionScript();
  void run();

 private:
  using Puppet = quic::tests::Puppet;

  /// Of the puppet; the endpoint has two.
  struct Remote {
    SocketAddress address;
    uint64_t sent_to = 0, received_from = 0;
    bool validated = false;
  };
  struct NoOutput final : qlog::Output {
    bool write(std::string_view) override { return true; }
  };
  struct Trace {
    Trace(qlog::Output& output, quic::Role role) : log(output, {.role = role}), sink(log, role) {}
    qlog::Log log;
    qlog::QlogSink sink;
  };

  static const quic::ResumptionState& resumption();
  static const tls::ClientTicket& ticket();

  // Set up, by features.
  bool has(uint16_t feature) const { return (features_ & feature) != 0; }
  quic::TransportConfig transport();
  quic::EndpointConfig endpoint_config();
  Puppet::Options puppet_options();
  void start();

  // Steps.
  void step();
  void send(quic::tests::PuppetPacket packet);
  void send(const Data& frames) { send(quic::tests::PuppetPacket{.frames = frames}); }
  void send_chosen_packet();
  Data chosen_frame();
  Data stream_frame();
  Data connection_id_frame();
  Data true_ack(quic::Space space);
  void answer_challenges();
  void change_puppet();
  void send_unprotected();
  void send_stateless_reset();
  void replay();
  void flush(size_t segment_size);
  void use_streams();
  void use_connection();
  void use_endpoint();
  quic::StreamId chosen_stream();

  // The world.
  Path path() const { return {.local = locals_[local_], .remote = remotes_[remote_].address}; }
  quic::Connection* connection() { return handle_ ? endpoint_->find(*handle_) : nullptr; }
  void deliver(Bytes datagram, size_t segment_size = 0);
  void deliver_answers(int rounds);
  /// Outputs, until there are none, and timers that are due.
  void settle();
  void drain();
  void take(const Transmit& transmit);
  void check_packet(const quic::tests::SeenPacket& packet);
  void on_event(const quic::EndpointEvent& event);
  void advance(Duration time);
  void finish();

  quic::Role under_test_;
  Choices in_;
  tests::SeededRng rng_{3};
  uint16_t features_ = 0;
  NoOutput no_output_;
  std::vector<std::unique_ptr<Trace>> traces_;
  std::unique_ptr<Puppet> puppet_;
  std::unique_ptr<quic::Endpoint> endpoint_;
  Instant now_ = Instant::from_nanoseconds(1'000'000'000);
  std::array<SocketAddress, 2> locals_;
  std::array<Remote, 4> remotes_;
  size_t local_ = 0, remote_ = 0;

  // The endpoint, as far as it is known from without.
  std::optional<quic::ConnectionHandle> handle_;
  std::vector<quic::ConnectionHandle> closed_;
  bool was_closed_ = false;  // handle_, before the last outputs
  std::vector<quic::StreamId> streams_;
  size_t packets_checked_ = 0;
  std::set<quic::PacketNumber> numbers_;  // of 1-RTT packets
  std::optional<quic::ResumptionState> resumption_;
  uint64_t outputs_ = 0;  // ever

  // What the puppet is at.
  bool answers_by_itself_ = false;
  size_t socket_room_ = SIZE_MAX;  // transmits that the socket takes
  Data held_;                      // sealed, not delivered
  size_t held_first_ = 0;          // size of the first packet in it
  std::vector<Data> delivered_;    // the last ones
  uint64_t next_sequence_ = 1;
  size_t challenges_seen_ = 0;  // packets that were looked at
};

}  // namespace quoll::fuzz
