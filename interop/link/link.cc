#include "interop/link/link.h"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

namespace quoll::link {
namespace {

// Packets read from a device before deliveries get their turn.
constexpr int kReadsPerTurn = 64;
// The kernel hands over nothing larger than the MTU, since the device takes no trains.
constexpr size_t kReadSize = 65'536;
constexpr Duration kHandOverInterval = Duration::milliseconds(500);

Instant read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return Instant::from_nanoseconds(int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
}

/// Waits until one of them is readable, or the deadline has passed.
void wait(std::span<pollfd> descriptors, Instant deadline) {
  timespec timeout{};
  if (!deadline.is_never()) {
    const int64_t left = std::max<int64_t>((deadline - monotonic_now()).as_nanoseconds(), 0);
    timeout.tv_sec = static_cast<time_t>(left / 1'000'000'000);
    timeout.tv_nsec = static_cast<long>(left % 1'000'000'000);
  }
  if (::ppoll(descriptors.data(), descriptors.size(), deadline.is_never() ? nullptr : &timeout, nullptr) < 0) {
    for (pollfd& descriptor : descriptors) descriptor.revents = 0;  // a signal that nobody waits for
  }
}

}  // namespace

Instant monotonic_now() { return read_clock(CLOCK_MONOTONIC); }

Link::Link(const Scenario& scenario, uint64_t seed, Side client, Side server)
    : client_{.side = std::move(client), .seen = {}},
      server_{.side = std::move(server), .seen = {}},
      to_server_(scenario, seed, 0, client_, server_),
      to_client_(scenario, seed, 1, server_, client_),
      wall_offset_(read_clock(CLOCK_REALTIME) - monotonic_now()) {
  ErrorModels models = make_error_models(scenario, to_server_.rng, to_client_.rng);
  to_server_.model = std::move(models.to_server);
  to_client_.model = std::move(models.to_client);
  nat_ = std::move(models.nat);
  statistics_.scenario = name_of(scenario.kind);
  statistics_.seed = seed;
  statistics_.kernel_stamps = client_.side.device.has_stamps() && server_.side.device.has_stamps();
}

void Link::begin() {
  begun_ = true;
  begun_at_ = monotonic_now();
  for (Direction* direction : {&to_server_, &to_client_}) {
    start_due(*direction, begun_at_);
    direction->wire.begin_steps(begun_at_);
    direction->counts = {};
  }
  statistics_.lateness = {};
}

Result<void> Link::run(int signal_fd) {
  for (;;) {
    pollfd descriptors[] = {{.fd = client_.side.device.fd(), .events = POLLIN, .revents = 0},
                            {.fd = server_.side.device.fd(), .events = POLLIN, .revents = 0},
                            {.fd = signal_fd, .events = POLLIN, .revents = 0}};
    wait(descriptors, next_deadline());
    if (const Result<void> turned = turn(); !turned) return turned;
    if (descriptors[2].revents != 0) return {};
  }
}

Statistics Link::statistics() const {
  Statistics all = statistics_;
  all.began = begun_ ? begun_at_ + wall_offset_ : Instant();
  all.duration = begun_ ? monotonic_now() - begun_at_ : Duration();
  all.to_server = to_server_.counts;
  all.to_client = to_client_.counts;
  all.rebinds = nat_ ? nat_->rebinds() : 0;
  return all;
}

bool Link::close_captures() {
  bool good = true;
  for (End* end : {&client_, &server_}) {
    if (!end->side.pcap) continue;
    settle(*end, Instant::never());
    good &= end->side.pcap->close();
    end->side.pcap.reset();
  }
  return good;
}

Instant Link::next_deadline() const {
  const Instant arrival = std::min(to_server_.wire.next_arrival(), to_client_.wire.next_arrival());
  return std::min(arrival, handed_over_at_ + kHandOverInterval);
}

/// Reads what has come and delivers what is due, until there is neither.
Result<void> Link::turn() {
  Instant complete_to;
  for (bool more = true; more;) {
    more = false;
    complete_to = monotonic_now();
    for (Direction* direction : {&to_server_, &to_client_}) {
      const Result<bool> full = take(*direction);
      if (!full) return std::unexpected(full.error());
      more |= *full;
    }
    deliver_due(monotonic_now());
  }
  settle(client_, complete_to);
  settle(server_, complete_to);
  settled_to_ = complete_to;
  const Instant now = monotonic_now();
  if (now < handed_over_at_ + kHandOverInterval) return {};
  handed_over_at_ = now;
  for (End* end : {&client_, &server_}) {
    if (end->side.pcap) end->side.pcap->hand_over();
  }
  return {};
}

/// Whether there may be more than was read.
Result<bool> Link::take(Direction& direction) {
  uint8_t buffer[kReadSize];
  for (int i = 0; i < kReadsPerTurn; i++) {
    const Result<size_t> size = direction.from.side.device.read(buffer);
    if (!size) return std::unexpected(size.error());
    if (*size == 0) return false;
    // A packet may get its stamp just before it can be read; for the captures it comes after what they hold.
    const Instant came = monotonic_now() - direction.from.side.device.age_of(Bytes(buffer, *size));
    const Instant now = std::max({came, direction.last_offer, settled_to_});
    direction.last_offer = now;
    start_due(direction, now);
    direction.counts.offered.add(*size);
    direction.last_came = std::max(came, direction.last_came);
    direction.counts.bursts.add(direction.last_came, *size);
    switch (direction.wire.offer(std::vector<uint8_t>(buffer, buffer + *size), now)) {
      case Wire::Offered::queued:
        break;
      case Wire::Offered::marked:
        direction.counts.marked++;
        break;
      case Wire::Offered::dropped:
        direction.counts.dropped_queue.add(*size);
        break;
    }
    start_due(direction, now);
    direction.counts.queue_longest = std::max(direction.counts.queue_longest, direction.wire.waiting());
  }
  return true;
}

void Link::start_due(Direction& direction, Instant now) {
  while (const Wire::InFlight* flight = direction.wire.start(now)) {
    if (!is_counted(*flight)) continue;
    direction.counts.queueing.add(flight->started - flight->offered);
    see(direction.from, flight->started, flight->packet);
  }
}

void Link::deliver_due(Instant now) {
  start_due(to_server_, now);
  start_due(to_client_, now);
  for (;;) {
    const bool server_first = to_server_.wire.next_arrival() <= to_client_.wire.next_arrival();
    Direction& direction = server_first ? to_server_ : to_client_;
    std::optional<Wire::InFlight> flight = direction.wire.arrive(now);
    if (!flight) return;
    deliver(direction, std::move(*flight));
  }
}

void Link::deliver(Direction& direction, Wire::InFlight flight) {
  if (!is_counted(flight)) {
    (void)direction.to.side.device.write(flight.packet);
    return;
  }
  const size_t size = flight.packet.size();
  if (direction.model) {
    switch (direction.model->judge(flight.packet, flight.due - begun_at_)) {
      case Fate::delivered:
        break;
      case Fate::corrupted:
        direction.counts.corrupted++;
        break;
      case Fate::dropped:
        direction.counts.dropped_scenario.add(size);
        return;
    }
  }
  see(direction.to, flight.due, flight.packet);
  const bool taken = direction.to.side.device.write(flight.packet);
  (taken ? direction.counts.delivered : direction.counts.dropped_device).add(size);
  statistics_.lateness.add(monotonic_now() - flight.due);
}

void Link::see(End& end, Instant at, Bytes packet) {
  if (end.side.pcap) end.seen.push_back({.at = at, .order = end.seen.size(), .packet = {packet.begin(), packet.end()}});
}

void Link::settle(End& end, Instant complete_to) {
  if (end.seen.empty()) return;
  std::sort(end.seen.begin(), end.seen.end(), [](const Seen& a, const Seen& b) { return a.key() < b.key(); });
  auto seen = end.seen.begin();
  for (; seen != end.seen.end() && seen->at <= complete_to; seen++)
    end.side.pcap->add(seen->at + wall_offset_, seen->packet);
  end.seen.erase(end.seen.begin(), seen);
  for (size_t i = 0; i < end.seen.size(); i++) end.seen[i].order = i;
}

}  // namespace quoll::link
