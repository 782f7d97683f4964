// Link: carries packets between two TUN devices, over a wire and an error model for each direction; one thread, one loop.
//
// Packets have the times at which the kernel got them, and leave the model at times that follow from these alone: a loop that
// is woken late delivers late, which it counts, but loses none of the link's rate and makes no burst of a smooth flow.
// Deliveries of both directions happen in the order of their times, and so do a capture's packets. It never spins.
//
// A capture shows a packet on the sender's side when its transmission begins (so not at all when the queue had no room), and on
// the receiver's side when it has passed the error model, as captures of ns-3's point-to-point devices do.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "interop/link/pcap_writer.h"
#include "interop/link/scenario.h"
#include "interop/link/seeded_rng.h"
#include "interop/link/statistics.h"
#include "interop/link/tun_device.h"

namespace quoll::link {

/// One end of the link.
struct Side {
  TunDevice device;
  std::unique_ptr<PcapWriter> pcap;  // may be null
};

/// The monotonic clock.
Instant monotonic_now();

class Link {
 public:
  Link(const Scenario& scenario, uint64_t seed, Side client, Side server);

  /// Until now packets were only carried: from here on they are judged, captured and counted.
  void begin();
  /// Carries packets until `signal_fd` is readable.
  [[nodiscard]] Result<void> run(int signal_fd);
  /// What has been counted so far.
  Statistics statistics() const;
  /// Writes the rest of the captures. False when one of them could not be written.
  bool close_captures();

 private:
  struct Seen {
    Instant at;
    size_t order;  // among those with the same time
    std::vector<uint8_t> packet;

    std::pair<Instant, size_t> key() const { return {at, order}; }
  };
  struct End {
    Side side;
    std::vector<Seen> seen;  // and not yet captured, in no order
  };
  struct Direction {
    Direction(const Scenario& scenario, uint64_t seed, uint32_t stream, End& sender, End& receiver)
        : rng(seed, stream), wire(scenario.wire, rng), from(sender), to(receiver) {}

    SeededRng rng;
    Wire wire;
    std::unique_ptr<ErrorModel> model;  // may be null
    DirectionStatistics counts;
    Instant last_offer;
    Instant last_came;  // not later: an offer waits for what captures hold already
    End& from;
    End& to;
  };

  /// Whether a packet came after begin(). What is under way then is the last that is only carried.
  bool is_counted(const Wire::InFlight& flight) const { return begun_ && flight.offered >= begun_at_; }
  Result<bool> take(Direction& direction);
  void start_due(Direction& direction, Instant now);
  void deliver_due(Instant now);
  void deliver(Direction& direction, Wire::InFlight flight);
  void see(End& end, Instant at, Bytes packet);
  /// Captures what was seen, up to a time for which nothing more can come.
  void settle(End& end, Instant complete_to);
  Result<void> turn();
  Instant next_deadline() const;

  End client_, server_;
  Direction to_server_, to_client_;
  std::shared_ptr<const Nat> nat_;  // may be null
  Statistics statistics_;
  Duration wall_offset_;  // from the monotonic clock to the wall's
  bool begun_ = false;
  Instant begun_at_;
  Instant settled_to_;  // the captures are complete up to then
  Instant handed_over_at_;
};

}  // namespace quoll::link
