// Scenario: what the link does to packets, in the words of the quic-network-simulator, as values.
#pragma once

#include <memory>
#include <set>
#include <string_view>

#include "interop/link/error_model.h"
#include "interop/link/nat.h"
#include "interop/link/wire.h"

namespace quoll::link {

struct Scenario {
  enum class Kind : uint8_t { simple_p2p, drop_rate, corrupt_rate, droplist, blackhole, rebind };
  enum class Directions : uint8_t { both, to_server, to_client };
  /// What differs between the two directions.
  struct Towards {
    uint32_t rate = 0;  // of RandomChoice
    size_t burst_max = RandomChoice::kUnlimited;
    std::set<uint64_t> drops;
  };

  Kind kind = Kind::simple_p2p;
  /// The runner's usual link.
  WireConfig wire = {.rate = Bandwidth::bits_per_second(10'000'000), .delay = Duration::milliseconds(15), .queue = 25};
  Towards to_server, to_client;
  Duration on, off;  // blackhole
  uint64_t repeat = 1;
  Directions directions = Directions::both;
  NatConfig nat;
};

std::string_view name_of(Scenario::Kind kind);

/// One for each direction; none where packets are only carried.
struct ErrorModels {
  std::unique_ptr<ErrorModel> to_server, to_client;
  std::shared_ptr<const Nat> nat;  // whose directions they are, if there is one
};
/// `to_server` and `to_client` draw for their directions, `to_server` also for what both share; they outlive the models.
ErrorModels make_error_models(const Scenario& scenario, Rng& to_server, Rng& to_client);

}  // namespace quoll::link
