// TLS configurations for simulations: one cheap identity for all, made once; chains as long as a scenario wants.
#pragma once

#include <memory>

#include "tests/sim/options.h"
#include "tls/config.h"

namespace quoll::sim {

/// Refuses 0-RTT when told so; otherwise each ClientHello is admitted once.
class SwitchedAntiReplay final : public tls::AntiReplay {
 public:
  explicit SwitchedAntiReplay(Rng& rng);
  bool admit(Bytes unique, UnixTime now) override { return !refuse && inner_.admit(unique, now); }
  Duration window() const override { return inner_.window(); }

  bool refuse = false;

 private:
  tls::StrikeRegister inner_;
};

struct TlsConfigs {
  std::shared_ptr<const tls::ClientConfig> client;
  std::shared_ptr<const tls::ServerConfig> server;
  std::shared_ptr<SwitchedAntiReplay> anti_replay;
};
TlsConfigs make_tls_configs(const ScenarioOptions& options);

}  // namespace quoll::sim
