// What devices, kernels and operators refuse, and what a socket does about it.
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "tests/support/random.h"
#include "tests/udp/faulty_calls.h"
#include "tests/udp/loopback.h"
#include "udp/loop.h"
#include "udp/sockaddr.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::tests;
using udp::Socket;
using udp::SocketOptions;

TEST_SUITE_BEGIN("udp socket faults");

namespace {

constexpr uint16_t kSegment = 1000;

/// A socket behind faulty calls, and one that receives.
struct Bench {
  FaultyCalls calls;
  Socket receiver = bind_socket("127.0.0.1:0");
  Socket sender = bind_socket("127.0.0.1:0", options());
  BufferPool pool{receiver.receive_buffer_size(), 1024};

  SocketOptions options() {
    SocketOptions options;
    options.system = &calls;
    return options;
  }
  Transmit train(Bytes bytes) { return to(sender, receiver.local_address(), bytes, kSegment); }
  std::vector<std::vector<uint8_t>> received(size_t datagrams) {
    return datagrams_of(receive_all(receiver, pool, datagrams));
  }
};

uint32_t below(SeededRng& rng, uint32_t limit) { return load_le<uint32_t>(rng.bytes(4).data()) % limit; }

#if defined(SCM_TXTIME)
std::optional<uint64_t> departure_of(const msghdr& message) {
  auto& mutable_message = const_cast<msghdr&>(message);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&mutable_message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TXTIME) {
      uint64_t nanoseconds = 0;
      std::memcpy(&nanoseconds, CMSG_DATA(header), sizeof nanoseconds);
      return nanoseconds;
    }
  }
  return std::nullopt;
}
#endif

size_t size_of(const msghdr& message) { return message.msg_iov[0].iov_len; }

}  // namespace

TEST_CASE("a train that the device cannot segment goes out datagram by datagram, and so do later ones") {
  for (const int error : {EIO, EINVAL}) {
    Bench bench;
    REQUIRE(bench.sender.segmentation_offload());
    int trains = 0;
    bench.calls.fail_send = [&](const msghdr& message) { return is_train(message) && ++trains > 1 ? error : 0; };
    const auto bytes = pattern(10 * kSegment + 7);
    for (int round = 0; round < 3; round++) {
      CHECK(bench.sender.send(bench.train(bytes)) == Socket::SendResult::sent);
      CHECK(bench.received(11) == cut(bytes, kSegment));
      CHECK(bench.sender.segmentation_offload() == (round == 0));
    }
    CHECK(trains == 2);
    CHECK(bench.sender.statistics().datagrams_sent == 33);
    CHECK(bench.sender.statistics().send_errors == 0);
  }
}

TEST_CASE("segmentation goes on where not it but the datagrams' size or their source was refused") {
  for (const int error : {EMSGSIZE, EINVAL, EADDRNOTAVAIL}) {
    Bench bench;
    bool narrow = true;
    bench.calls.fail_send = [&](const msghdr& message) {
      if (!narrow) return 0;
      return is_train(message) ? (error == EMSGSIZE ? EINVAL : error) : size_of(message) == kSegment ? error : 0;
    };
    const auto bytes = pattern(3 * kSegment + 7);
    CHECK(bench.sender.send(bench.train(bytes)) == Socket::SendResult::sent);
    CHECK(bench.sender.segmentation_offload());
    // Where it was the source that failed, the whole train was refused for what it is.
    const bool last_passes = error != EADDRNOTAVAIL;
    if (last_passes) CHECK(bench.received(1).back().size() == 7);
    CHECK(bench.sender.statistics().send_errors == (last_passes ? 3 : 4));
    CHECK(bench.sender.statistics().too_big == (error == EMSGSIZE ? 3 : 0));
    narrow = false;
    CHECK(bench.sender.send(bench.train(bytes)) == Socket::SendResult::sent);
    CHECK(bench.received(4) == cut(bytes, kSegment));
  }
}

TEST_CASE("a full socket keeps what it did not take, and loses and repeats nothing") {
  for (const bool offload : {true, false}) {
    CAPTURE(offload);
    Bench bench;
    if (!offload) {
      bench.calls.fail_send = [](const msghdr& message) { return is_train(message) ? EIO : 0; };
      (void)bench.sender.send(bench.train(pattern(2 * kSegment)));
      REQUIRE(bench.received(2).size() == 2);
    }
    int room = 0;
    bench.calls.fail_send = [&](const msghdr&) { return room-- > 0 ? 0 : EAGAIN; };
    std::vector<std::vector<uint8_t>> wanted;
    std::vector<std::vector<uint8_t>> payloads;
    std::vector<Transmit> transmits;
    for (uint8_t i = 0; i < 50; i++) payloads.push_back(pattern(2 * kSegment + 1 + i, i));
    for (const auto& payload : payloads) {
      transmits.push_back(bench.train(payload));
      for (const auto& each : cut(payload, kSegment)) wanted.push_back(each);
    }
    CHECK(bench.sender.send(transmits[0]) == Socket::SendResult::would_block);
    size_t done = 0;
    for (int tries = 0; done < transmits.size() && tries < 1000; tries++) {
      room = tries % 7;
      done += bench.sender.send(std::span(transmits).subspan(done));
    }
    CHECK(done == transmits.size());
    CHECK(bench.received(wanted.size()) == wanted);
    CHECK(bench.sender.statistics().send_errors == 0);
    // A single train that only begins to fit is as good as lost from there.
    room = 1;
    CHECK(bench.sender.send(bench.train(payloads[0])) == Socket::SendResult::sent);
    CHECK(bench.sender.statistics().send_errors == (offload ? 0 : 2));
  }
}

TEST_CASE("what the kernel refuses for other reasons is as good as lost, and the next datagram goes") {
  for (const int error : {ENOBUFS, EPERM, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, ENOMEM}) {
    Bench bench;
    bool refuse = true;
    bench.calls.fail_send = [&](const msghdr&) { return std::exchange(refuse, false) ? error : 0; };
    const auto first = pattern(3 * kSegment), second = pattern(500);
    Transmit transmits[] = {bench.train(first), bench.train(second)};
    CHECK(bench.sender.send(transmits) == 2);
    CHECK(bench.received(1) == cut(second, second.size()));
    CHECK(bench.sender.statistics().send_errors == 3);
    CHECK(bench.sender.segmentation_offload());
  }
}

TEST_CASE("a call that a signal interrupted is made again") {
  Bench bench;
  int interruptions = 3;
  bench.calls.fail_send = [&](const msghdr&) { return interruptions-- > 0 ? EINTR : 0; };
  const auto bytes = pattern(100);
  CHECK(bench.sender.send(bench.train(bytes)) == Socket::SendResult::sent);
  CHECK(bench.received(1) == cut(bytes, bytes.size()));
}

TEST_CASE("a datagram of IPv6 from a socket of IPv4 is as good as lost") {
  Bench bench;
  CHECK(bench.sender.send(to(bench.sender, address_of("[::1]:9"), pattern(10))) == Socket::SendResult::sent);
  CHECK(bench.sender.statistics().send_errors == 1);
}

TEST_CASE("receiving goes on after the network's news of earlier datagrams") {
  Bench bench;
  bench.calls.receive_errors = {ECONNREFUSED, EHOSTUNREACH, EINTR};
  const auto bytes = pattern(100);
  CHECK(bench.receiver.send(to(bench.receiver, bench.sender.local_address(), bytes)) == Socket::SendResult::sent);
  CHECK(datagrams_of(receive_all(bench.sender, bench.pool, 1)) == cut(bytes, bytes.size()));
  // Endless ones do not keep it.
  bench.calls.receive_errors.assign(1000, ECONNREFUSED);
  Received out[1];
  CHECK(bench.sender.receive(bench.pool, out) == 0);
  CHECK(bench.calls.receive_errors.size() > 900);
}

TEST_CASE("a port that nobody has, told by ICMP to a connected socket, is a lost datagram") {
  Socket sender = bind_socket("127.0.0.1:0");
  const SocketAddress nobody = bind_socket("127.0.0.1:0").local_address();
  BufferPool pool(sender.receive_buffer_size(), 16);
  udp::Sockaddr name;
  const socklen_t size = udp::to_sockaddr(nobody, AF_INET, name);
  REQUIRE(connect(sender.fd(), &name.any, size) == 0);
  for (int i = 0; i < 5; i++) CHECK(sender.send(to(sender, nobody, pattern(10))) == Socket::SendResult::sent);
  CHECK(sender.statistics().send_errors > 0);
  Received out[4];
  CHECK(sender.receive(pool, out) == 0);
  auto somebody = Socket::bind(nobody);
  REQUIRE(somebody);
  CHECK(somebody->send(to(*somebody, sender.local_address(), pattern(10))) == Socket::SendResult::sent);
  CHECK(receive_all(sender, pool, 1).size() == 1);
}

TEST_CASE("a kernel without GRO, marks or addresses is done without them") {
  FaultyCalls calls;
  calls.fail_option = [](int, int name) {
    return name == UDP_GRO || name == IP_RECVTOS || name == IP_PKTINFO ? ENOPROTOOPT : 0;
  };
  SocketOptions options;
  options.system = &calls;
  Socket receiver = bind_socket("0.0.0.0:0", options), sender = bind_socket("127.0.0.1:0");
  CHECK_FALSE(receiver.receive_offload());
  BufferPool pool(receiver.receive_buffer_size(), 16);
  const auto bytes = pattern(2 * kSegment);
  (void)sender.send(to(sender, at("127.0.0.1", receiver), bytes, kSegment, Ecn::ce));
  const auto received = receive_all(receiver, pool, 2);
  CHECK(datagrams_of(received) == cut(bytes, kSegment));
  CHECK(received[0].ecn == Ecn::not_ect);
  CHECK(received[0].path.local.ip.family() == IpAddress::Family::none);
  CHECK(received[0].path.local.port == receiver.local_address().port);
}

TEST_CASE("buffers that the system caps are told in one line with the remedy, others are not") {
  FaultyCalls calls;
  calls.fail_option = [](int level, int name) {
    return level == SOL_SOCKET && (name == SO_RCVBUFFORCE || name == SO_SNDBUFFORCE) ? EPERM : 0;
  };
  SocketOptions options;
  options.system = &calls;
  options.receive_buffer = 1'000'000'000;
  options.send_buffer = 4096;
  const Socket capped = bind_socket("127.0.0.1:0", options);
  CHECK(capped.cap_notice().find("sysctl -w net.core.rmem_max=1000000000") != std::string::npos);
  CHECK(capped.cap_notice().find("wmem_max") == std::string::npos);
  CHECK(capped.cap_notice().find('\n') == std::string::npos);
  options.send_buffer = 1'000'000'000;
  CHECK(bind_socket("127.0.0.1:0", options).cap_notice().find("net.core.wmem_max=1000000000") != std::string::npos);
  options.receive_buffer = options.send_buffer = 4096;
  CHECK(bind_socket("127.0.0.1:0", options).cap_notice().empty());
}

TEST_CASE("random trains through sockets that refuse at random arrive in order, each once or never") {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    INFO("seed " << seed);
    SeededRng rng(seed);
    Bench bench;
    bench.calls.fail_send = [&](const msghdr& message) {
      const uint32_t dice = below(rng, 20);
      if (dice == 0) return EAGAIN;
      if (dice == 1) return EINTR;
      if (dice == 2) return ENOBUFS;
      return dice == 3 && is_train(message) && seed % 2 == 0 ? EIO : 0;
    };
    std::vector<std::vector<uint8_t>> payloads;
    std::vector<Transmit> transmits;
    uint64_t datagrams = 0;
    for (uint32_t i = 0; i < 30; i++) {
      const auto segment = static_cast<uint16_t>(100 + below(rng, 1200));
      payloads.push_back(std::vector<uint8_t>(1 + below(rng, 20u * segment), static_cast<uint8_t>(i)));
      transmits.push_back(to(bench.sender, bench.receiver.local_address(), payloads.back(),
                             payloads.back().size() > segment ? segment : uint16_t{0}));
      datagrams += cut(payloads.back(), segment).size();
    }
    for (size_t done = 0; done < transmits.size();) done += bench.sender.send(std::span(transmits).subspan(done));
    const udp::SocketStatistics& statistics = bench.sender.statistics();
    CHECK(statistics.datagrams_sent + statistics.send_errors == datagrams);
    const auto received = bench.received(statistics.datagrams_sent);
    CHECK(received.size() == statistics.datagrams_sent);
    CHECK(std::ranges::is_sorted(received, {}, [](const auto& datagram) { return datagram[0]; }));
  }
}

#if defined(SCM_TXTIME)
TEST_CASE("the kernel is told departures by who asks for it, if the kernel takes them") {
  for (const bool asks : {false, true}) {
    for (const int error : {0, ENOPROTOOPT}) {
      CAPTURE(asks);
      CAPTURE(error);
      FaultyCalls calls;
      calls.fail_option = [&](int level, int name) { return level == SOL_SOCKET && name == SO_TXTIME ? error : 0; };
      std::vector<std::optional<uint64_t>> told;
      calls.fail_send = [&](const msghdr& message) {
        told.push_back(departure_of(message));
        return 0;
      };
      Socket receiver = bind_socket("127.0.0.1:0");
      SocketOptions options;
      options.system = &calls;
      options.departures = asks;
      Socket sender = bind_socket("127.0.0.1:0", options);
      CHECK(sender.departures() == (asks && error == 0));
      const auto bytes = pattern(3 * kSegment);
      Transmit train = to(sender, receiver.local_address(), bytes, kSegment);
      train.departure = udp::now() + Duration::milliseconds(1);
      CHECK(sender.send(train) == Socket::SendResult::sent);
      // Here no queueing discipline holds anything back, and nothing is lost for it.
      BufferPool pool{receiver.receive_buffer_size(), 16};
      CHECK(datagrams_of(receive_all(receiver, pool, 3)) == cut(bytes, kSegment));
      REQUIRE(told.size() == 1);
      CHECK(told[0].has_value() == (asks && error == 0));
      if (told[0]) CHECK(*told[0] == static_cast<uint64_t>(train.departure.as_nanoseconds()));
    }
  }
}
#endif

TEST_SUITE_END();
