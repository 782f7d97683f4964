// A client's and a server's Streams that talk through a pipe which loses, reorders and delays packets, driven by choices
// (random ones, or a fuzzer's), and followed by a model: what was written where, who gave up what. Whatever the two say to
// the application must agree with the model; between all steps their invariants hold. Failures abort.
#pragma once

#include <map>
#include <vector>

#include "tests/quic/stream/support.h"

namespace quoll::tests {

/// `Choices` has below(n): a number in [0, n).
template <class Choices>
class StreamsModel {
 public:
  StreamsModel(Choices& choices, const quic::StreamLimits& limits)
      : choices_(choices), sides_{Side(quic::Role::client, limits), Side(quic::Role::server, limits)}, limits_(limits) {
    for (Side& side : sides_) side.streams.set_peer_parameters(parameters_of(limits));
  }

  void step() {
    Side& side = sides_[choices_.below(2)];
    now_ += Duration::microseconds(static_cast<int64_t>(choices_.below(20'000)));
    switch (choices_.below(16)) {
      case 0:
        open(side);
        break;
      case 1:
      case 2:
      case 3:
        write(side);
        break;
      case 4:
      case 5:
        read(side);
        break;
      case 6:
        end(side);
        break;
      case 7:
        poll(side);
        break;
      case 8:
      case 9:
      case 10:
        send(side);
        break;
      case 11:
      case 12:
      case 13:
        deliver_one(side, other(side));
        break;
      case 14:
        lose_one(side);
        break;
      case 15:
        disturb(side);
        break;
    }
    check();
  }

  /// Ends all streams over a pipe that loses nothing any more: all that was promised arrives, all is forgotten.
  void finish() {
    for (Side& side : sides_) {
      while (!side.sent.empty()) lose_one(side);
      while (!side.late.empty()) acknowledge_late(side);
    }
    for (bool more = true; more;) {
      more = false;
      for (Side& side : sides_) {
        for (auto& [id, part] : side.out) finish_stream(side, id, part);
        more |= poll(side);
        for (auto& [id, part] : side.in) more |= read_stream(side, id, part, SIZE_MAX);
        more |= send(side);
        while (!side.sent.empty()) deliver_one(side, other(side));
      }
      check();
    }
    for (Side& side : sides_) {
      QUOLL_CHECK(!side.streams.has_open_streams());
      QUOLL_CHECK(!side.streams.wants_to_send());
      for (const auto& [id, part] : side.in) {
        const Out out = part_of(other(side).out, id);
        if (!part.stopped && !out.reset) QUOLL_CHECK(part.fin && part.read == out.written);
      }
    }
  }

  uint64_t bytes_read() const { return sides_[0].streams.statistics().bytes_read; }

 private:
  struct Out {
    uint64_t written = 0;
    bool finished = false;
    bool reset = false;  // by us
    bool stopped = false;
    bool delivered = false;
  };
  struct In {
    uint64_t read = 0;
    bool fin = false;
    bool reset = false;
    bool stopped = false;  // by us

    bool is_over() const { return fin || reset || stopped; }
  };
  struct Side {
    Side(quic::Role r, const quic::StreamLimits& limits) : role(r), streams(r, limits) {}
    quic::Role role;
    quic::Streams streams;
    std::map<uint64_t, Out> out;
    std::map<uint64_t, In> in;
    std::vector<StreamPacket> sent;                     // on their way
    std::vector<std::vector<quic::FrameToken>> late{};  // declared lost, and acknowledged later
  };

  static uint8_t byte_at(quic::Role writer, uint64_t id, uint64_t offset) {
    return static_cast<uint8_t>(id * 31 + offset * 7 + (offset >> 8) + (writer == quic::Role::client ? 0 : 100));
  }
  /// An untouched part when that side has none yet.
  template <class Map>
  static typename Map::mapped_type part_of(const Map& map, uint64_t id) {
    const auto found = map.find(id);
    return found == map.end() ? typename Map::mapped_type() : found->second;
  }
  Side& other(Side& side) { return &side == &sides_[0] ? sides_[1] : sides_[0]; }

  /// One of a map's parts; null when there are none.
  template <class Map>
  typename Map::value_type* pick(Map& map) {
    if (map.empty()) return nullptr;
    auto it = map.begin();
    // Often one of the newest: old ones are mostly over.
    const uint64_t size = map.size();
    std::advance(
        it, static_cast<ptrdiff_t>(choices_.below(4) == 0 ? choices_.below(size)
                                                          : size - 1 - choices_.below(std::min<uint64_t>(size, 6))));
    return &*it;
  }

  void open(Side& side) {
    const bool unidirectional = choices_.below(2) == 1;
    const auto id = side.streams.open(unidirectional);
    if (!id) return;
    QUOLL_CHECK(side.out.try_emplace(id->value()).second);
    if (!unidirectional) side.in.try_emplace(id->value());
    if (choices_.below(2) == 0) {
      const quic::StreamPriority priority{.urgency = static_cast<uint8_t>(choices_.below(8)),
                                          .incremental = choices_.below(2) == 1};
      QUOLL_CHECK(side.streams.set_priority(*id, priority).has_value());
    }
  }

  void write(Side& side) {
    auto* entry = pick(side.out);
    if (!entry) return;
    auto& [id, part] = *entry;
    std::vector<uint8_t> data(choices_.below(4) == 0 ? choices_.below(20'000) : choices_.below(300));
    for (size_t i = 0; i < data.size(); i++) data[i] = byte_at(side.role, id, part.written + i);
    Slice slice = Slice::copy_of(data);
    const bool copies = choices_.below(2) == 0;
    const auto taken =
        copies ? side.streams.write(quic::StreamId(id), Bytes(data)) : side.streams.write(quic::StreamId(id), slice);
    if (part.finished || part.reset) {
      QUOLL_CHECK(!taken);
    } else if (taken) {
      part.written += *taken;
      if (!copies) QUOLL_CHECK(slice.size() == data.size() - *taken);
    } else {
      QUOLL_CHECK(part_of(other(side).in, id).stopped);
    }
  }

  void read(Side& side) {
    auto* entry = pick(side.in);
    if (entry) read_stream(side, entry->first, entry->second, 1 + choices_.below(3000));
  }

  /// True when something came.
  bool read_stream(Side& side, uint64_t id, In& part, size_t max) {
    const auto chunk = side.streams.read(quic::StreamId(id), max);
    const Out out = part_of(other(side).out, id);
    if (!chunk) {
      if (chunk.error().domain == ErrorDomain::application) {
        QUOLL_CHECK(!part.is_over() && out.reset && chunk.error().code == id + 1);
        part.reset = true;
      } else {
        QUOLL_CHECK(part.is_over());
      }
      return false;
    }
    QUOLL_CHECK(!part.is_over());
    if (!*chunk) return false;
    const Bytes bytes = (*chunk)->data.bytes();
    QUOLL_CHECK(bytes.size() <= max);
    for (const uint8_t byte : bytes) QUOLL_CHECK(byte == byte_at(other(side).role, id, part.read++));
    QUOLL_CHECK(part.read <= out.written);
    if ((*chunk)->fin) {
      QUOLL_CHECK(out.finished && part.read == out.written);
      part.fin = true;
    }
    return true;
  }

  /// finish, reset or stop.
  void end(Side& side) {
    const uint64_t way = choices_.below(6);
    if (way == 5) {
      auto* entry = pick(side.in);
      if (!entry) return;
      auto& [id, part] = *entry;
      if (side.streams.stop(quic::StreamId(id), quic::ApplicationErrorCode{id + 2})) {
        QUOLL_CHECK(!part.fin);
        part.stopped = true;
      } else {
        QUOLL_CHECK(part.is_over());
      }
      return;
    }
    auto* entry = pick(side.out);
    if (!entry) return;
    auto& [id, part] = *entry;
    if (way < 4) return finish_stream(side, id, part);
    const auto state = side.streams.send_state(quic::StreamId(id));
    const bool done = !state || *state == quic::SendStream::State::data_recvd;
    if (side.streams.reset(quic::StreamId(id), quic::ApplicationErrorCode{id + 1}) && !done && !part.stopped) {
      part.reset = true;
    }
  }

  void finish_stream(Side& side, uint64_t id, Out& part) {
    if (part.finished || part.reset) return;
    if (side.streams.finish(quic::StreamId(id))) {
      part.finished = true;
    } else {
      QUOLL_CHECK(part.stopped);
    }
  }

  bool poll(Side& side) {
    bool any = false;
    while (const auto event = side.streams.poll_event()) {
      std::visit([&](const auto& e) { on_event(side, e); }, *event);
      any = true;
    }
    return any;
  }
  void on_event(Side& side, quic::StreamOpened event) {
    const uint64_t id = event.stream_id.value();
    QUOLL_CHECK(side.in.try_emplace(id).second);
    if (!event.stream_id.is_unidirectional()) side.out.try_emplace(id);
  }
  void on_event(Side& side, quic::StreamReadable event) { QUOLL_CHECK(!side.in.at(event.stream_id.value()).is_over()); }
  void on_event(Side& side, quic::StreamWritable event) {
    const Out& part = side.out.at(event.stream_id.value());
    QUOLL_CHECK(!part.finished && !part.reset);
  }
  void on_event(Side& side, quic::StreamDelivered event) {
    Out& part = side.out.at(event.stream_id.value());
    QUOLL_CHECK(part.finished && !part.delivered);
    part.delivered = true;
  }
  void on_event(Side& side, quic::StreamStopped event) {
    const uint64_t id = event.stream_id.value();
    QUOLL_CHECK(part_of(other(side).in, id).stopped && static_cast<uint64_t>(event.error) == id + 2);
    QUOLL_CHECK(!side.out.at(id).stopped);
    side.out.at(id).stopped = true;
  }
  void on_event(Side& side, quic::StreamReset event) {
    const uint64_t id = event.stream_id.value();
    In& part = side.in.at(id);
    QUOLL_CHECK(!part.is_over() && part_of(other(side).out, id).reset && static_cast<uint64_t>(event.error) == id + 1);
    part.reset = true;
  }
  void on_event(Side&, quic::StreamsAvailable) {}

  bool send(Side& side) {
    const bool wanted = side.streams.wants_to_send();
    const size_t room = choices_.below(4) == 0 ? 30 + choices_.below(200) : 1200;
    StreamPacket packet = write_packet(side.streams, room);
    QUOLL_CHECK(wanted == !packet.bytes.empty());
    if (!packet.bytes.empty()) side.sent.push_back(std::move(packet));
    return wanted;
  }

  StreamPacket take_packet(Side& side) {
    const size_t index = choices_.below(side.sent.size());
    StreamPacket packet = std::move(side.sent[index]);
    side.sent.erase(side.sent.begin() + static_cast<ptrdiff_t>(index));
    return packet;
  }
  void deliver_one(Side& from, Side& to) {
    if (from.sent.empty()) return;
    const StreamPacket packet = take_packet(from);
    QUOLL_CHECK(deliver(to.streams, packet, now_).has_value());  // both keep to all limits
    if (to.streams.take_refusal()) return lose(from.streams, packet);
    if (choices_.below(16) == 15) {  // loss was declared too early
      lose(from.streams, packet);
      from.late.push_back(packet.tokens);
    } else {
      acknowledge(from.streams, packet);
    }
  }
  void lose_one(Side& side) {
    if (!side.sent.empty()) lose(side.streams, take_packet(side));
  }
  void acknowledge_late(Side& side) {
    for (const quic::FrameToken& token : side.late.back()) side.streams.on_acked(token);
    side.late.pop_back();
  }
  void disturb(Side& side) {
    switch (choices_.below(3)) {
      case 0:
        side.streams.trim();
        break;
      case 1:
        if (!side.late.empty()) acknowledge_late(side);
        break;
      case 2:
        side.streams.set_smoothed_rtt(Duration::milliseconds(static_cast<int64_t>(choices_.below(200))));
        break;
    }
  }

  void check() {
    for (Side& side : sides_) {
      side.streams.check_invariants();
      QUOLL_CHECK(side.streams.statistics().open <=
                  limits_.max_own_streams + limits_.max_bidirectional_streams + limits_.max_unidirectional_streams);
    }
  }

  Choices& choices_;
  Side sides_[2];
  quic::StreamLimits limits_;
  Instant now_;
};

}  // namespace quoll::tests
