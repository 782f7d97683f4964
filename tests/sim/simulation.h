// Simulation: one scenario from its options to its outcome. A client's host and a server's, a network of elements between
// them, conversations on the connections, and a referee that knows both sides and says whether what came of it had to.
#pragma once

#include <array>
#include <map>
#include <string>

#include "tests/sim/amplification.h"
#include "tests/sim/attackers.h"
#include "tests/sim/conversation.h"
#include "tests/sim/identities.h"
#include "tests/sim/middlebox.h"

namespace quoll::sim {

struct Outcome {
  std::string failure;  // empty: all went as it must
  Features features;
  Instant virtual_end;
  uint64_t steps = 0;
  bool passed() const { return failure.empty(); }
};

/// For scenarios with names: elements beside those of the options, and a look inside.
struct Extras {
  std::function<void(Link& to_server, Link& to_client)> add_elements;
  /// Called at the end, with the sides of each connection that was made; the server's may be null.
  std::function<void(Conversation& client, Conversation* server)> inspect;
  /// What a client's Closed may say besides what the options explain.
  std::function<bool(const quic::Closed&)> also_accept;
};

/// `log`: where the journal goes when the scenario fails; empty: nowhere.
Outcome run(const ScenarioOptions& options, const std::string& log = {}, const Extras& extras = {});

inline const SocketAddress kServerAddress{.ip = IpAddress::v4({198, 51, 100, 1}), .port = 4433};
inline const SocketAddress kPreferredAddress{.ip = IpAddress::v4({198, 51, 100, 2}), .port = 4434};
inline const SocketAddress kClientAddress{.ip = IpAddress::v4({10, 0, 0, 1}), .port = 4000};

class Simulation {
 public:
  Simulation(const ScenarioOptions& options, const Extras& extras);
  Outcome run();
  World& world() { return world_; }

 private:
  static constexpr uint64_t kStepsMax = 3'000'000;
  static constexpr Duration kTimeMax = Duration::seconds(1'500);

  struct ClientSide final : Application {
    explicit ClientSide(Simulation& owner) : simulation(owner) {}
    void on_event(Instant now, const quic::EndpointEvent& event) override;
    Instant next_timeout() const override;
    void on_timeout(Instant now) override;
    Simulation& simulation;
  };
  struct ServerSide final : Application {
    explicit ServerSide(Simulation& owner) : simulation(owner) {}
    void on_event(Instant now, const quic::EndpointEvent& event) override;
    Instant next_timeout() const override;
    void on_timeout(Instant now) override;
    Simulation& simulation;
  };
  /// A connection of the client, and who it turned out to be at the server.
  struct Pair {
    std::unique_ptr<Conversation> client;
    Conversation* server = nullptr;
    std::array<uint8_t, 16> exported{};
    bool ending_begun = false;
    bool replaced = false;  // the next connection was started
  };
  struct Decision {
    Instant when;
    quic::ConnectionHandle offer;
  };

  quic::TransportConfig transport(quic::Role role) const;
  std::shared_ptr<const quic::ClientConfig> client_config() const;
  std::shared_ptr<const quic::ServerConfig> server_config() const;
  quic::EndpointConfig client_endpoint() const;
  quic::EndpointConfig server_endpoint() const;
  Host::Options host_options(quic::Role role) const;
  void build_network();
  void add_common_elements(Link& link, const LinkOptions& options, uint64_t seed);
  void schedule_hazards();
  void tell_too_big(Host& host, const Datagram& datagram, uint16_t mtu);
  void forge_too_big(int times);

  void connect_next();
  void plan_ending(Pair& pair);
  void pair_up(Instant now, Conversation& server);
  void decide(Instant now, const Decision& decision);
  void restart_server();
  void abort(Pair& pair, quic::Role who);
  bool is_last(const Pair& pair) const { return pair.client->index() + 1 == options_.connections; }
  Ending ending_of(const Pair& pair) const { return is_last(pair) ? options_.ending : Ending::client_closes; }
  void referee();
  bool is_over();
  std::string describe_unfinished();
  void collect_features();

  const ScenarioOptions options_;
  const Extras& extras_;
  World world_;
  Features features_;
  TlsConfigs tls_;
  std::shared_ptr<Nat> nat_;
  Corruption* corruptions_[2] = {};
  Bottleneck* bottlenecks_[2] = {};
  Replayer* replayers_[2] = {};
  Forger* forgers_[2] = {};
  Blackhole* blackholes_[2] = {};
  MtuLimit* mtus_[2] = {};
  AmplificationMonitor amplification_;

  Host client_;
  Host server_;
  Link to_server_;
  Link to_client_;
  ClientSide client_side_;
  ServerSide server_side_;
  std::vector<Pair> pairs_;
  std::vector<std::unique_ptr<Conversation>> server_conversations_;
  std::vector<Decision> decisions_;
  std::optional<quic::ResumptionState> resumption_;
  uint32_t started_ = 0;
  Instant all_closed_ = Instant::never();
  bool restarted_ = false;
  Instant restarted_at_ = Instant::never();

  friend class Judge;
};

}  // namespace quoll::sim
