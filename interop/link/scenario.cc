#include "interop/link/scenario.h"

namespace quoll::link {
namespace {

std::unique_ptr<ErrorModel> make_one(const Scenario& scenario, const Scenario::Towards& towards, Rng& rng) {
  const RandomChoice choice(towards.rate, towards.burst_max, rng);
  switch (scenario.kind) {
    case Scenario::Kind::simple_p2p:
    case Scenario::Kind::rebind:
      return nullptr;
    case Scenario::Kind::drop_rate:
      return std::make_unique<DropRate>(choice);
    case Scenario::Kind::corrupt_rate:
      return std::make_unique<CorruptRate>(choice, rng);
    case Scenario::Kind::droplist:
      return std::make_unique<DropList>(towards.drops);
    case Scenario::Kind::blackhole:
      return std::make_unique<Blackhole>(scenario.on, scenario.off, scenario.repeat);
  }
  return nullptr;
}

}  // namespace

std::string_view name_of(Scenario::Kind kind) {
  switch (kind) {
    case Scenario::Kind::simple_p2p:
      return "simple-p2p";
    case Scenario::Kind::drop_rate:
      return "drop-rate";
    case Scenario::Kind::corrupt_rate:
      return "corrupt-rate";
    case Scenario::Kind::droplist:
      return "droplist";
    case Scenario::Kind::blackhole:
      return "blackhole";
    case Scenario::Kind::rebind:
      return "rebind";
  }
  return "";
}

ErrorModels make_error_models(const Scenario& scenario, Rng& to_server, Rng& to_client) {
  ErrorModels models;
  if (scenario.kind == Scenario::Kind::rebind) {
    const auto nat = std::make_shared<Nat>(scenario.nat, to_server);
    models.to_server = std::make_unique<NatDirection>(nat, true);
    models.to_client = std::make_unique<NatDirection>(nat, false);
    models.nat = nat;
    return models;
  }
  if (scenario.directions != Scenario::Directions::to_client)
    models.to_server = make_one(scenario, scenario.to_server, to_server);
  if (scenario.directions != Scenario::Directions::to_server)
    models.to_client = make_one(scenario, scenario.to_client, to_client);
  return models;
}

}  // namespace quoll::link
