#include "tests/sim/host.h"

#include <algorithm>

namespace quoll::sim {
namespace {

std::array<uint8_t, crypto::Drbg::kSeedSize> drbg_seed(uint64_t seed) {
  std::array<uint8_t, crypto::Drbg::kSeedSize> bytes{};
  tests::SeededRng(seed).fill(bytes);
  return bytes;
}

}  // namespace

Host::Host(World& world, Direction towards, quic::EndpointConfig config, const Options& options)
    : world_(world),
      towards_(towards),
      options_(options),
      rng_(drbg_seed(options.seed)),
      dice_(options.seed + 1),
      scratch_(options.scratch_size) {
  start(std::move(config));
}

void Host::start(quic::EndpointConfig config) {
  config.wall_clock = [](Instant now) { return kSimulationEpoch + (now - Instant()); };
  endpoint_ = std::make_unique<quic::Endpoint>(std::move(config), crypto::best(), rng_);
}

void Host::restart(quic::EndpointConfig config) {
  world_.journal.note(world_.now(), "the host restarts");
  inbox_.clear();
  watch_.clear();
  start(std::move(config));
  pump();
}

void Host::deliver(Datagram datagram) {
  world_.journal.datagram(world_.now(), reverse(towards_), "arrives", datagram);
  // An answer to a copy of a first Initial packet is sent by no connection.
  const std::string name = packet_name(datagram.bytes);
  const bool is_of_connection = name != "Version Negotiation" && !name.starts_with("Retry");
  if (datagram.origin == Origin::sent && datagram.intact && is_of_connection) {
    world_.journal.count_delivery(world_.now(), reverse(towards_));
  }
  inbox_.push_back(std::move(datagram));
  if (receiving_) return;
  receiving_ = true;
  world_.scheduler.after(options_.gather ? options_.gather_for : Duration(), [this] { receive_all(); });
}

/// Datagrams of one path, mark and size one after the other become a train, as GRO makes them.
void Host::receive_all() {
  receiving_ = false;
  std::vector<Datagram> arrived = std::move(inbox_);
  inbox_.clear();
  for (size_t first = 0; first < arrived.size();) {
    const Datagram& head = arrived[first];
    const size_t segment = head.bytes.size();
    size_t end = first + 1, total = segment;
    while (options_.gather && segment > 0 && end < arrived.size() && end - first < 64) {
      const Datagram& next = arrived[end];
      const bool fits = next.source == head.source && next.destination == head.destination && next.ecn == head.ecn &&
                        arrived[end - 1].bytes.size() == segment && next.bytes.size() <= segment &&
                        !next.bytes.empty() && total + next.bytes.size() <= 65'535;
      if (!fits) break;
      total += next.bytes.size();
      end++;
    }
    Received received{.path = {.local = head.destination, .remote = head.source},
                      .ecn = head.ecn,
                      .data = Buffer::allocate(total),
                      .segment_size = static_cast<uint16_t>(end - first > 1 ? segment : 0)};
    size_t offset = 0;
    for (size_t i = first; i < end; i++) {
      copy_bytes(received.data.bytes().data() + offset, Bytes(arrived[i].bytes));
      offset += arrived[i].bytes.size();
    }
    if (end - first > 1) counters_.trains_received++;
    first = end;
    endpoint_->receive(world_.now(), std::move(received));
    if (dice_.below(4) != 0) pump();  // a socket loop may drain the socket first, or not
  }
  pump();
}

void Host::pump() {
  if (pumping_) {
    again_ = true;
    return;
  }
  pumping_ = true;
  do {
    again_ = false;
    check();
    const bool transmit_first = dice_.below(2) == 0;
    if (transmit_first) transmit_all();
    if (events_all()) again_ = true;
    if (transmit_all()) again_ = true;
  } while (again_ && !world_.verdict.failed());
  pumping_ = false;
  check();
  set_timer();
}

void Host::check() {
  if (options_.check_every > 0 && dice_.below(options_.check_every) == 0) endpoint_->check_invariants();
}

bool Host::events_all() {
  bool any = false;
  while (!world_.verdict.failed()) {
    const std::optional<quic::EndpointEvent> event = endpoint_->poll_event();
    if (!event) break;
    any = true;
    watch_.add(event->connection);
    if (application_) application_->on_event(world_.now(), *event);
  }
  return any;
}

bool Host::transmit_all() {
  if (transmit_instant_ != world_.now()) {
    transmit_instant_ = world_.now();
    transmits_ = 0;
  }
  bool any = false;
  watch_.before(world_.now(), *endpoint_);
  while (const std::optional<Transmit> train = endpoint_->poll_transmit(world_.now(), scratch_)) {
    any = true;
    if (std::string wrong = watch_.after(*train, *endpoint_); !wrong.empty()) world_.fail(std::move(wrong));
    send_train(*train);
    if (++transmits_ > kTransmitsMax) {
      world_.fail("poll_transmit() does not come to an end");
      break;
    }
  }
  return any;
}

void Host::send_train(const Transmit& train) {
  if (train.bytes.empty()) return world_.fail("a train without a byte");
  if (train.bytes.data() < scratch_.data() ||
      train.bytes.data() + train.bytes.size() > scratch_.data() + scratch_.size()) {
    return world_.fail("a train outside of the memory that was lent for it");
  }
  const size_t segment = train.segment_size > 0 ? train.segment_size : train.bytes.size();
  if (train.bytes.size() > segment) counters_.trains_sent++;
  if (train.departure > world_.now()) counters_.held_for_departure++;
  // A queueing discipline that obeys departures keeps the order of what leaves.
  last_departure_ = std::max({last_departure_, train.departure, world_.now()});
  for (size_t offset = 0; offset < train.bytes.size(); offset += segment) {
    const Bytes part = train.bytes.subspan(offset, std::min(segment, train.bytes.size() - offset));
    Datagram datagram{.source = train.path.local,
                      .destination = train.path.remote,
                      .ecn = train.ecn,
                      .bytes = {part.begin(), part.end()},
                      .id = next_id_++,
                      .sent = last_departure_,
                      .original_source = train.path.local};
    counters_.datagrams_sent++;
    if (last_departure_ <= world_.now()) {
      send_datagram(std::move(datagram));
    } else {
      world_.scheduler.at(last_departure_,
                          [this, held = std::move(datagram)]() mutable { send_datagram(std::move(held)); });
    }
  }
}

void Host::send_datagram(Datagram datagram) {
  if (datagram.bytes.size() > options_.datagram_max) return world_.fail("a datagram larger than was configured");
  // RFC 9000 §14.1
  const bool is_initial = packet_name(datagram.bytes).starts_with("Initial");
  if (is_initial && towards_ == Direction::to_server && datagram.bytes.size() < quic::kBaseMtu) {
    return world_.fail("a client's datagram with an Initial packet is not expanded");
  }
  world_.journal.datagram(world_.now(), towards_, "leaves", datagram);
  send_(std::move(datagram));
}

void Host::set_timer() {
  const Instant due =
      std::min(endpoint_->next_timeout(), application_ ? application_->next_timeout() : Instant::never());
  if (due.is_never() || due >= armed_) return;  // an earlier wake-up looks again
  armed_ = std::max(due, world_.now());
  world_.scheduler.at(armed_, [this, at = armed_] { on_wake(at); });
}

void Host::on_wake(Instant armed) {
  if (armed != armed_) return;  // another one was set after it
  armed_ = Instant::never();
  const Instant now = world_.now();
  if (endpoint_->next_timeout() <= now) {
    endpoint_->on_timeout(now);
    repeated_timeouts_ = last_timeout_ == now ? repeated_timeouts_ + 1 : 0;
    last_timeout_ = now;
    if (repeated_timeouts_ > kRepeatedTimeoutsMax) return world_.fail("next_timeout() stays in the past: a busy loop");
  }
  pump();  // news first: the application acts on what it knows
  if (application_ && application_->next_timeout() <= now) {
    application_->on_timeout(now);
    pump();
  }
}

}  // namespace quoll::sim
