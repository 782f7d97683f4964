// Flow: one connection through the laboratory's network: a client that sends streams as planned, a server that reads them,
// each a whole endpoint with TLS, packet protection, loss recovery and pacer, and what becomes of it.
#pragma once

#include <memory>

#include "tests/lab/scenario.h"
#include "tests/sim/host.h"
#include "tests/sim/identities.h"

namespace quoll::lab {

/// What is known of a flow when it is over.
struct FlowFacts {
  Instant started = Instant::never();
  Instant connected = Instant::never();
  Instant done = Instant::never();          // the receiver had the last byte of all streams
  bool closed = false;                      // the connection ended by itself
  uint64_t sent = 0;                        // bytes that the application gave
  uint64_t delivered = 0;                   // bytes that the receiver's application read
  std::vector<Duration> stream_times = {};  // from a stream's start to its end at the receiver
};

class Flow {
 public:
  struct Setting {
    CongestionAlgorithm controller = CongestionAlgorithm::cubic;
    FlowPlan plan;
    Instant last_write = Instant::never();  // a bulk stream ends here
    Bandwidth rate;                         // of the narrowest link, for the buffers
    Duration gather;
    uint64_t seed = 1;
    uint16_t number = 0;
  };
  Flow(sim::World& world, const Setting& setting);
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  sim::Host& client() { return client_; }
  sim::Host& server() { return server_; }
  void attach(sim::Host::Send to_server, sim::Host::Send to_client) {
    client_.attach(std::move(to_server), &sender_);
    server_.attach(std::move(to_client), &receiver_);
  }
  /// Whose datagram it is that goes to a server.
  static size_t number_of(const sim::Datagram& datagram);
  /// At the instant of its start.
  void start();

  const Setting& setting() const { return setting_; }
  const FlowFacts& facts() const { return facts_; }
  bool is_done() const { return !facts_.done.is_never() || facts_.closed; }
  /// The sender's; those it had last when the connection is gone.
  const quic::Statistics& statistics();
  /// Bytes that have arrived at the receiver, in order or not, each once.
  uint64_t arrived();

 private:
  struct Stream {
    Instant start;
    quic::StreamId id{};
    uint64_t left = 0;
    bool is_open = false;
    bool is_finished = false;
  };

  class Sender final : public sim::Application {
   public:
    explicit Sender(Flow& flow) : flow_(flow) {}
    void on_event(Instant now, const quic::EndpointEvent& event) override;
    Instant next_timeout() const override;
    void on_timeout(Instant now) override;

   private:
    void open_due(Instant now);
    void write(Stream& stream);

    Flow& flow_;
    std::vector<Stream> streams_;
    size_t planned_ = 0;
    bool is_connected_ = false;
    bool is_ended_ = false;
  };

  class Receiver final : public sim::Application {
   public:
    explicit Receiver(Flow& flow) : flow_(flow) {}
    void on_event(Instant now, const quic::EndpointEvent& event) override;
    Instant next_timeout() const override { return Instant::never(); }
    void on_timeout(Instant) override {}

   private:
    void read(Instant now, quic::ConnectionHandle handle, quic::StreamId id);

    Flow& flow_;
    uint32_t ended_ = 0;
  };

  Instant start_of_stream(uint32_t index) const;
  quic::TransportConfig transport() const;
  quic::EndpointConfig server_config() const;

  sim::World& world_;
  Setting setting_;
  sim::TlsConfigs tls_;
  Path path_;
  sim::Host client_, server_;
  Sender sender_{*this};
  Receiver receiver_{*this};
  quic::ConnectionHandle handle_;
  quic::ConnectionHandle server_handle_;
  uint64_t arrived_ = 0;
  FlowFacts facts_;
  quic::Statistics statistics_;
};

}  // namespace quoll::lab
