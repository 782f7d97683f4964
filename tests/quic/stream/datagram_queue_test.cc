#include "quic/stream/datagram_queue.h"

#include <vector>

#include "base/buffer_pool.h"
#include "tests/quic/stream/built_packet.h"
#include "tests/support/heap.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

std::vector<uint8_t> filled(size_t size, uint8_t value = 7) { return std::vector<uint8_t>(size, value); }

bool is_violation(const Result<void>& result) {
  return !result && result.error().domain == ErrorDomain::transport &&
         result.error().code == static_cast<uint64_t>(TransportError::protocol_violation);
}

bool is_usage_error(const Result<bool>& result) { return !result && result.error().domain == ErrorDomain::usage; }

/// A frame without a length, and the datagram that brings it.
struct Arrival {
  explicit Arrival(Bytes data) : Arrival(Buffer::allocate(data.size()), data) {}
  Arrival(Buffer memory, Bytes data) : buffer(std::move(memory)) {
    copy_bytes(buffer.bytes().data(), data);
    frame = {.data = buffer.bytes().first(data.size()), .frame_size = data.size() + 1};
  }
  Buffer buffer;
  DatagramFrame frame;
};

Result<void> arrive(DatagramQueue& queue, const std::vector<uint8_t>& data) {
  const Arrival arrival(data);
  return queue.on_frame(arrival.frame, arrival.buffer);
}

/// Application memory that says when it is let go.
struct Watched {
  Slice slice() {
    released = false;
    return Slice::of_application(memory, [](void* context) { static_cast<Watched*>(context)->released = true; }, this);
  }
  std::vector<uint8_t> memory = filled(300);
  bool released = false;
};

}  // namespace

TEST_SUITE("quic datagrams") {
  TEST_CASE("datagrams go out whole, in order, as many as fit (RFC 9221 §5)") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(65535);
    for (uint8_t i = 0; i < 5; i++) CHECK(queue.send(Slice::copy_of(filled(500, i))).value());
    CHECK(queue.wants_to_send());
    tests::BuiltTrain train;
    uint8_t next = 0;
    while (queue.wants_to_send()) {
      tests::BuiltPacket packet(train, 1200);
      queue.write_frames(packet.builder, 1200);
      const auto frames = packet.frames();
      CHECK_EQ(frames.size(), next < 4 ? 2 : 1);
      for (const auto& frame : frames) CHECK_EQ(frame.bytes, filled(500, next++));
      for (const FrameToken& token : packet.take_tokens()) {
        CHECK_EQ(token.kind, FrameToken::Kind::datagram);
        CHECK_EQ(token.size, 500);
      }
    }
    CHECK_EQ(next, 5);
    CHECK_EQ(queue.statistics().sent, 5);
    queue.on_sealed();
  }

  TEST_CASE("nothing is sent to a peer that announced nothing (RFC 9221 §3)") {
    DatagramQueue queue({}, 65535);
    CHECK_FALSE(queue.max_size(1200));
    CHECK(is_usage_error(queue.send(Slice::copy_of(filled(10)))));
    CHECK(is_usage_error(queue.send({})));
    CHECK_FALSE(queue.wants_to_send());
  }

  TEST_CASE("no frame is larger than the peer's max_datagram_frame_size (RFC 9221 §3)") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(101);
    CHECK_EQ(queue.max_size(1200), 100);
    CHECK_EQ(queue.max_size(60), 59);
    CHECK(is_usage_error(queue.send(Slice::copy_of(filled(101)))));
    tests::BuiltTrain train;
    for (const size_t size : {size_t{98}, size_t{99}, size_t{100}}) {
      REQUIRE(queue.send(Slice::copy_of(filled(size))).value());
      tests::BuiltPacket packet(train, 1200);
      queue.write_frames(packet.builder, 1200);
      const auto frames = packet.frames();
      CHECK_EQ(frames.back().bytes, filled(size));
      const size_t padding = frames.size() == 1 ? 0 : frames[0].numbers.at(0);
      CHECK(packet.builder.size() - padding <= 101);
    }
  }

  TEST_CASE("a datagram of max_size() goes into an empty packet, whatever its size (RFC 9221 §5)") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(65535);
    for (size_t room = 1; room < 1500; room++) {
      const size_t size = queue.max_size(room).value();
      for (size_t less = 0; less <= std::min<size_t>(size, 4); less++) {
        REQUIRE(queue.send(Slice::copy_of(filled(size - less))).value());
        tests::BuiltTrain train;
        tests::BuiltPacket packet(train, room);
        queue.write_frames(packet.builder, room);
        const auto frames = packet.frames();
        REQUIRE_FALSE(frames.empty());
        REQUIRE_EQ(frames.back().type, FrameType::datagram);
        REQUIRE_EQ(frames.back().bytes, filled(size - less));
        REQUIRE_FALSE(queue.wants_to_send());
      }
    }
    CHECK_FALSE(queue.max_size(0));
    CHECK_EQ(queue.statistics().dropped_on_send, 0);
  }

  TEST_CASE("what fits into no packet is dropped and counted, what fits not into this one waits (RFC 9221 §5)") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(65535);
    REQUIRE(queue.send(Slice::copy_of(filled(1300, 1))).value());
    REQUIRE(queue.send(Slice::copy_of(filled(700, 2))).value());
    REQUIRE(queue.send(Slice::copy_of(filled(700, 3))).value());
    tests::BuiltTrain train;
    tests::BuiltPacket packet(train, 1200);
    queue.write_frames(packet.builder, 1200);
    CHECK_EQ(queue.statistics().dropped_on_send, 1);
    REQUIRE_EQ(packet.frames().size(), 1);
    CHECK_EQ(packet.frames()[0].bytes, filled(700, 2));
    CHECK(queue.wants_to_send());
    tests::BuiltPacket second(train, 1200);
    queue.write_frames(second.builder, 1200);
    CHECK_EQ(second.frames().at(0).bytes, filled(700, 3));
    CHECK_EQ(queue.statistics().sent, 2);
    CHECK_FALSE(queue.wants_to_send());
  }

  TEST_CASE("a peer that takes less than it promised before gets no more than that (RFC 9221 §3)") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(1000);
    REQUIRE(queue.send(Slice::copy_of(filled(900))).value());
    queue.set_peer_max_frame_size(500);
    tests::BuiltTrain train;
    tests::BuiltPacket packet(train, 1200);
    queue.write_frames(packet.builder, 1200);
    CHECK(packet.builder.empty());
    CHECK_EQ(queue.statistics().dropped_on_send, 1);
  }

  TEST_CASE("empty datagrams are datagrams (RFC 9221 §4)") {
    DatagramQueue queue({}, 100);
    queue.set_peer_max_frame_size(1);
    CHECK_EQ(queue.max_size(1200), 0);
    REQUIRE(queue.send({}).value());
    tests::BuiltTrain train;
    tests::BuiltPacket packet(train, 1200);
    queue.write_frames(packet.builder, 1200);
    REQUIRE_FALSE(packet.builder.empty());
    CHECK_EQ(packet.frames().back().type, FrameType::datagram);
    CHECK(packet.frames().back().bytes.empty());
    REQUIRE(arrive(queue, {}));
    REQUIRE(arrive(queue, {}));
    CHECK(queue.take_news());
    CHECK(queue.receive()->empty());
    CHECK(queue.receive());
    CHECK_FALSE(queue.receive());
  }

  TEST_CASE("a full queue to the peer refuses, by bytes and by number") {
    DatagramQueue queue({.send_bytes_max = 1000, .count_max = 3}, 0);
    queue.set_peer_max_frame_size(65535);
    CHECK(is_usage_error(queue.send(Slice::copy_of(filled(1001)))));
    CHECK(queue.send(Slice::copy_of(filled(600))).value());
    CHECK_FALSE(queue.send(Slice::copy_of(filled(401))).value());
    CHECK(queue.send(Slice::copy_of(filled(400))).value());
    CHECK(queue.send({}).value());
    CHECK_FALSE(queue.send({}).value());
    tests::BuiltTrain train;
    tests::BuiltPacket packet(train, 1200);
    queue.write_frames(packet.builder, 1200);
    CHECK_FALSE(queue.wants_to_send());
    queue.on_sealed();
    CHECK(queue.send(Slice::copy_of(filled(1000))).value());
  }

  TEST_CASE("DATAGRAM frames that were not announced close with PROTOCOL_VIOLATION (RFC 9221 §3)") {
    DatagramQueue queue({}, 0);
    CHECK(is_violation(arrive(queue, filled(10))));
    CHECK_FALSE(queue.take_news());
  }

  TEST_CASE("DATAGRAM frames larger than announced close with PROTOCOL_VIOLATION (RFC 9221 §3)") {
    DatagramQueue queue({}, 100);
    CHECK(arrive(queue, filled(99)));
    CHECK(is_violation(arrive(queue, filled(100))));
    Arrival with_length(filled(98));
    with_length.frame.frame_size = 1 + 2 + 98;
    CHECK(is_violation(queue.on_frame(with_length.frame, with_length.buffer)));
    CHECK_EQ(queue.statistics().received, 1);
  }

  TEST_CASE("datagrams reach the application in order, and the oldest go when it is slow (RFC 9221 §5, §5.3)") {
    DatagramQueue queue({.receive_bytes_max = 1000, .count_max = 4}, 65535);
    for (uint8_t i = 0; i < 6; i++) CHECK(arrive(queue, filled(10, i)));
    CHECK_EQ(queue.statistics().dropped_on_receive, 2);
    for (uint8_t i = 2; i < 5; i++) CHECK_EQ(queue.receive()->bytes()[0], i);
    CHECK(arrive(queue, filled(990, 6)));
    CHECK_EQ(queue.statistics().dropped_on_receive, 2);
    CHECK(arrive(queue, filled(1000, 7)));
    CHECK_EQ(queue.statistics().dropped_on_receive, 4);
    CHECK(arrive(queue, filled(1001, 8)));
    CHECK_EQ(queue.statistics().dropped_on_receive, 5);
    CHECK_EQ(queue.receive()->bytes()[0], 7);
    CHECK_FALSE(queue.receive());
    CHECK(queue.take_news());
    CHECK_FALSE(queue.take_news());
    CHECK_EQ(queue.statistics().received, 9);
  }

  TEST_CASE("what a packet is gathered from lives until the train is sealed") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(65535);
    Watched first, second;
    tests::BuiltTrain train;
    REQUIRE(queue.send(first.slice()).value());
    tests::BuiltPacket packet(train, 400);
    queue.write_frames(packet.builder, 400);
    REQUIRE(queue.send(second.slice()).value());
    tests::BuiltPacket following(train, 400);  // of the same train
    queue.write_frames(following.builder, 400);
    CHECK_FALSE(queue.wants_to_send());
    CHECK_FALSE(first.released);
    CHECK_FALSE(second.released);
    SUBCASE("as the connection says") {
      queue.on_sealed();
      CHECK(first.released);
      CHECK(second.released);
    }
    SUBCASE("as a new train shows") {
      train.gaps.clear();
      tests::BuiltPacket next(train, 400);
      queue.write_frames(next.builder, 400);
      CHECK(first.released);
      CHECK(second.released);
    }
  }

  TEST_CASE("a train keeps no more datagrams than the queue may") {
    DatagramQueue queue({.count_max = 3}, 0);
    queue.set_peer_max_frame_size(65535);
    tests::BuiltTrain train;
    const auto send = [&] {
      for (int i = 0; i < 2; i++) REQUIRE(queue.send(Slice::copy_of(filled(200))).value());
      tests::BuiltPacket packet(train, 1200);
      queue.write_frames(packet.builder, 1200);
      return packet.frames().size();
    };
    CHECK_EQ(send(), 2);
    CHECK_EQ(send(), 1);
    CHECK(queue.wants_to_send());
    queue.on_sealed();
    train.gaps.clear();
    CHECK_EQ(send(), 3);
  }

  TEST_CASE("without a place for its token a datagram waits") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(65535);
    REQUIRE(queue.send(Slice::copy_of(filled(300))).value());
    tests::BuiltTrain train;
    while (train.tokens.push({})) {
    }
    tests::BuiltPacket packet(train, 1200);
    queue.write_frames(packet.builder, 1200);
    CHECK(packet.builder.empty());
    CHECK(queue.wants_to_send());
    CHECK_EQ(queue.statistics().sent, 0);
  }

  TEST_CASE("the fates of datagrams are counted, and none is sent again (RFC 9221 §5.2)") {
    DatagramQueue queue({}, 0);
    queue.set_peer_max_frame_size(65535);
    REQUIRE(queue.send(Slice::copy_of(filled(300))).value());
    REQUIRE(queue.send(Slice::copy_of(filled(300))).value());
    tests::BuiltTrain train;
    tests::BuiltPacket packet(train, 1200);
    queue.write_frames(packet.builder, 1200);
    CHECK(packet.builder.traits().ack_eliciting);
    const std::vector<FrameToken> tokens = packet.take_tokens();
    REQUIRE_EQ(tokens.size(), 2);
    queue.on_acked(tokens[0]);
    queue.on_lost(tokens[1]);
    CHECK_EQ(queue.statistics().acked, 1);
    CHECK_EQ(queue.statistics().lost, 1);
    CHECK_FALSE(queue.wants_to_send());
  }

  TEST_CASE("received datagrams are held where they are in full trains, and copied out of empty ones") {
    BufferPool pool(65536, 4096);
    DatagramQueue queue({}, 65535);
    {
      const Buffer train = pool.take().value();
      for (size_t at = 0; at + 1300 < train.size(); at += 1300) {
        REQUIRE(queue.on_frame({.data = train.bytes().subspan(at, 1200), .frame_size = 1201}, train));
      }
      CHECK_EQ(queue.receive()->data(), train.bytes().data());
    }
    while (queue.receive()) {
    }
    CHECK_EQ(pool.statistics().in_use, 0);
    for (int i = 0; i < 1000; i++) {
      const Buffer train = pool.take().value();
      REQUIRE(queue.on_frame({.data = train.bytes().subspan(10, 20), .frame_size = 21}, train));
    }
    CHECK(pool.statistics().in_use <= 3);
    size_t count = 0;
    while (const auto data = queue.receive()) count += data->size() == 20 ? 1 : 0;
    CHECK_EQ(count, 1000);
    CHECK_EQ(pool.statistics().in_use, 0);
  }

  TEST_CASE("datagrams one by one, and trains of them, allocate nothing once warm") {
    BufferPool pool(65536, 4);
    DatagramQueue queue({}, 65535);
    queue.set_peer_max_frame_size(65535);
    const std::vector<uint8_t> memory(1000);
    tests::BuiltTrain train;
    std::vector<uint8_t> room(1200);
    const auto round = [&] {
      const Buffer datagram = pool.take().value();
      REQUIRE(queue.on_frame({.data = datagram.bytes().first(1200), .frame_size = 1201}, datagram));
      REQUIRE(queue.receive());
      REQUIRE(queue.send(Slice::of_static(memory)).value());
      PacketBuilder builder(PacketType::one_rtt, room, train.tokens, train.gaps, true);
      queue.write_frames(builder, 1200);
      REQUIRE_EQ(builder.gaps_count(), 1);
      train.gaps.clear();
      train.tokens.release_below(train.tokens.take().end());
      queue.on_sealed();
    };
    round();
    const size_t before = tests::heap_allocations();
    for (int i = 0; i < 100; i++) round();
    CHECK_EQ(tests::heap_allocations(), before);
  }

  TEST_CASE("random datagrams keep their order and their limits") {
    const uint64_t seed = tests::test_seed(40);
    INFO("QUOLL_TEST_SEED=" << seed);
    tests::SeededRng rng(seed);
    const DatagramLimits limits{.send_bytes_max = 9000, .receive_bytes_max = 7000, .count_max = 16};
    DatagramQueue sender(limits, 0), receiver(limits, 1400);
    sender.set_peer_max_frame_size(1400);
    std::vector<std::vector<uint8_t>> waiting, held;  // models of both queues
    size_t waiting_bytes = 0, held_bytes = 0;
    uint64_t dropped_on_send = 0, dropped_on_receive = 0;
    tests::BuiltTrain train;
    for (int step = 0; step < 5000; step++) {
      if (rng.below(3) != 0) {
        const std::vector<uint8_t> data = rng.bytes(rng.below(1400));
        const bool fits = waiting.size() < limits.count_max && waiting_bytes + data.size() <= limits.send_bytes_max;
        REQUIRE_EQ(sender.send(Slice::copy_of(data)).value(), fits);
        if (fits) {
          waiting.push_back(data);
          waiting_bytes += data.size();
        }
      } else if (rng.below(2) == 0) {
        const size_t payload = 400 + rng.below(1000);
        const size_t before = rng.below(2) == 0 ? 0 : rng.below(payload);
        if (rng.below(2) == 0) {
          sender.on_sealed();
          train.gaps.clear();
        }
        tests::BuiltPacket packet(train, payload, PacketType::one_rtt, rng.below(4) != 0);
        packet.builder.pad_to(before);
        sender.write_frames(packet.builder, payload);
        for (const auto& frame : packet.frames()) {
          if (frame.type == FrameType::padding) continue;
          while (waiting.front().size() + 1 > payload) {
            waiting_bytes -= waiting.front().size();
            waiting.erase(waiting.begin());
            dropped_on_send++;
          }
          REQUIRE_EQ(frame.bytes, waiting.front());
          REQUIRE(arrive(receiver, frame.bytes));
          while (held.size() == limits.count_max || held_bytes + frame.bytes.size() > limits.receive_bytes_max) {
            held_bytes -= held.front().size();
            held.erase(held.begin());
            dropped_on_receive++;
          }
          held.push_back(frame.bytes);
          held_bytes += frame.bytes.size();
          waiting_bytes -= waiting.front().size();
          waiting.erase(waiting.begin());
        }
        // What follows was dropped too, or waits for it has no room.
        while (!waiting.empty() && waiting.front().size() + 1 > payload) {
          waiting_bytes -= waiting.front().size();
          waiting.erase(waiting.begin());
          dropped_on_send++;
        }
        if (!waiting.empty()) REQUIRE(waiting.front().size() + 1 > packet.builder.room());
        REQUIRE_EQ(sender.wants_to_send(), !waiting.empty());
        REQUIRE_EQ(sender.statistics().dropped_on_send, dropped_on_send);
        packet.take_tokens();
      } else if (const auto data = receiver.receive()) {
        REQUIRE(std::ranges::equal(data->bytes(), held.front()));
        held_bytes -= held.front().size();
        held.erase(held.begin());
      } else {
        REQUIRE(held.empty());
      }
      REQUIRE_EQ(receiver.statistics().dropped_on_receive, dropped_on_receive);
    }
    CHECK(dropped_on_send > 10);
    CHECK(dropped_on_receive > 10);
  }
}
