// An attack: a Stage whose puppet is the attacker. It counts what each blow costs the endpoint: the heap that it holds,
// what it sends, how many datagrams that takes. The puppet's own books are not counted. Nothing here measures time.
#pragma once

#include <cstdint>
#include <utility>

#include "quic/recovery/sent_packets.h"
#include "tests/quic/connection/stage.h"
#include "tests/support/heap.h"

namespace quoll::quic::tests {

class Attack : public Stage {
 public:
  using Stage::Stage;

  /// What the endpoint sends reaches the puppet, which acknowledges when asked to by answer().
  bool puppet_hears = true;

  // Since the last mark().
  int64_t heap = 0;       // bytes that the endpoint holds more
  uint64_t blows = 0;     // datagrams that were sent at it
  uint64_t bytes_in = 0;  // in these
  uint64_t datagrams_out = 0;
  uint64_t bytes_out = 0;
  uint64_t largest_burst = 0;  // datagrams sent for one blow

  void mark() {
    heap = 0;
    blows = bytes_in = datagrams_out = bytes_out = largest_burst = 0;
  }

  /// A datagram at the endpoint, which then says what it has to say.
  void hit(Bytes datagram) { hit(datagram, path); }
  void hit(Bytes datagram, const Path& on, Ecn ecn = Ecn::not_ect) {
    blows++;
    bytes_in += datagram.size();
    count([&] {
      Received received{.path = on, .ecn = ecn, .data = Buffer::allocate(datagram.size())};
      copy_bytes(received.data.bytes().data(), datagram);
      endpoint->receive(now, std::move(received));
    });
    collect();
  }
  PacketNumber hit_with(PuppetPacket packet) { return hit_with(std::move(packet), path); }
  PacketNumber hit_with(PuppetPacket packet, const Path& on, Ecn ecn = Ecn::not_ect) {
    const PacketNumber number = packet.number.value_or(puppet->next_number(space_of(packet.type)));
    hit(puppet->seal(packet), on, ecn);
    return number;
  }
  template <class... Frames>
  PacketNumber hit_frames(const Frames&... all) {
    return hit_with({.frames = frames(all...)});
  }
  /// Time passes, with the endpoint's timers, and no word of the puppet.
  void wait(Duration time) {
    const Instant end = now + time;
    for (int i = 0; i < 100'000; i++) {
      Instant next;
      count([&] { next = endpoint->next_timeout(); });  // which also forgets connections
      if (next > end) break;
      now = std::max(now, next);
      count([&] { endpoint->on_timeout(now); });
      collect();
    }
    now = end;
  }
  /// The puppet's acknowledgments, and whatever else goes by itself.
  void reply() {
    for (const Data& datagram : puppet->take_datagrams()) hit(datagram);
  }

 private:
  template <class Call>
  void count(Call call) {
    const size_t before = quoll::tests::heap_bytes();
    call();
    heap += static_cast<int64_t>(quoll::tests::heap_bytes()) - static_cast<int64_t>(before);
  }

  void collect() {
    uint64_t burst = 0;
    for (bool more = true; more;) {
      std::optional<Transmit> transmit;
      count([&] { transmit = endpoint->poll_transmit(now, scratch_); });
      more = transmit.has_value();
      if (!more) break;
      const size_t segment = transmit->segment_size == 0 ? transmit->bytes.size() : transmit->segment_size;
      bytes_out += transmit->bytes.size();
      for (Bytes rest = transmit->bytes; !rest.empty(); rest = rest.subspan(std::min(segment, rest.size()))) {
        burst++;
        if (puppet_hears) {
          puppet->receive(now, transmit->path, transmit->ecn, rest.first(std::min(segment, rest.size())));
        }
      }
    }
    datagrams_out += burst;
    largest_burst = std::max(largest_burst, burst);
    if (polls_events) {
      for (bool more = true; more;) {
        std::optional<EndpointEvent> event;
        count([&] { event = endpoint->poll_event(); });
        more = event.has_value();
        if (!more) break;
        handle = event->connection;
        const Event* inner = std::get_if<Event>(&event->event);
        if (!inner || std::holds_alternative<Closed>(*inner)) events.push_back(*event);
        if (inner && on_event) count([&] { on_event(*inner); });
        count([&] { event.reset(); });
      }
    }
    endpoint->check_invariants();
  }

 public:
  /// The application takes events; what it does with them.
  bool polls_events = true;
  std::function<void(const Event&)> on_event;

  const Closed* closed() const { return event<Closed>(); }
  bool is_open() { return connection() && !connection()->is_closed(); }

 private:
  std::vector<uint8_t> scratch_ = std::vector<uint8_t>(65'535);
};

/// An address of its own for each number.
inline SocketAddress stranger(uint32_t number) {
  const std::string text = "10." + std::to_string(number >> 16 & 0xff) + "." + std::to_string(number >> 8 & 0xff) +
                           "." + std::to_string(number & 0xff) + ":" + std::to_string(1024 + number % 60'000);
  return address_of(text.c_str());
}

inline constexpr Role kBothRoles[] = {Role::client, Role::server};

/// What a peer that never acknowledges makes an endpoint remember of its packets (quic/recovery/sent_packets.h), when
/// time passes.
inline constexpr int64_t kUnansweredMemory = 2 * kUnansweredPacketsMax * sizeof(SentPackets::Entry) + 16 * 1024;

/// One that took memory for a moment may keep that much: capacities, arenas of the allocator.
inline constexpr int64_t kSome = 4 * 1024;

}  // namespace quoll::quic::tests
