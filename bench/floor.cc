// The floor: what moving sealed packets costs where there is no protocol. Trains of full packets are sealed (AES-128-GCM,
// header masks over the batch, data gathered from where it lies) and sent by GSO; received by GRO, unmasked and opened in
// place. Nothing is acknowledged, lost data stays lost; the receiver tells how much it has seen, so that the sender keeps
// no more than kWindow on the way: without that it would measure how fast a full socket drops.
//
//     floor receive ADDR:PORT          one run, then its figures as JSON
//     floor send ADDR:PORT BYTES [cold]
#include <sys/resource.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "app/perf_data.h"
#include "base/buffer_pool.h"
#include "base/bytes.h"
#include "crypto/provider.h"
#include "udp/loop.h"
#include "udp/socket.h"

namespace quoll::bench {
namespace {

constexpr size_t kPacket = 1452;  // UDP payload in an MTU of 1500 over IPv6
constexpr size_t kHeader = 13;    // first byte, connection id of 8, packet number of 4
constexpr size_t kNumberAt = 9;
constexpr size_t kSampleAt = kNumberAt + 4;
constexpr size_t kPayload = kPacket - kHeader - crypto::kAeadTagSize;
constexpr size_t kTrain = 45;  // packets: 65,340 bytes
constexpr uint64_t kWindow = 2 << 20;
constexpr uint64_t kBytesMax = uint64_t{8} << 30;  // one key does for them
constexpr Duration kPatience = Duration::milliseconds(20);
constexpr Duration kEndPatience = Duration::seconds(10);
constexpr uint8_t kEnd = 0;  // the first byte of the datagram after the last

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "floor: %s\n", what);
  std::exit(1);
}

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(what);
  return std::move(*result);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Both sides have the same keys, made of nothing.
struct Keys {
  crypto::AeadKey aead =
      must(crypto::AeadKey::create(*crypto::best().aes_128_gcm, std::array<uint8_t, 16>{1}), "a key");
  crypto::HeaderProtectionKey header = must(
      crypto::HeaderProtectionKey::create(*crypto::best().header_aes_128, std::array<uint8_t, 16>{2}), "a header key");
  std::array<crypto::HeaderMask, kTrain> masks{};
  std::array<const uint8_t*, kTrain> samples{};

  void make_masks(uint8_t* train, size_t count) {
    for (size_t i = 0; i < count; i++) samples[i] = train + i * kPacket + kSampleAt;
    header.masks(std::span(samples).first(count), std::span(masks).first(count));
  }
  static void apply(uint8_t* packet, const crypto::HeaderMask& mask) {
    packet[0] = static_cast<uint8_t>(packet[0] ^ (mask[0] & 0x1f));
    for (size_t i = 0; i < 4; i++) packet[kNumberAt + i] ^= mask[1 + i];
  }
  static crypto::Nonce nonce(uint32_t number) {
    crypto::Nonce nonce{};
    store_be(nonce.data() + 8, number);
    return nonce;
  }
};

void wait_for(udp::Loop& loop, Duration patience) { (void)loop.wait(udp::now() + patience); }

class Sender {
 public:
  Sender(const SocketAddress& to, bool cold) : data_(cold), to_(to) {
    if (!loop_.watch(socket_.fd(), 0, true, false)) give_up("epoll");
  }

  void run(uint64_t bytes) {
    const Instant begin = udp::now();
    const double cpu = cpu_seconds();
    while (sent_ < bytes) {
      take_reports();
      if (sent_ - std::min(sent_, seen_) + kTrain * kPayload > kWindow) {
        const uint64_t before = seen_;
        wait_for(loop_, kPatience);
        take_reports();
        if (seen_ == before) seen_ = sent_;  // lost: go on
        continue;
      }
      seal();
      send(train_, kPacket);
    }
    const double seconds = (udp::now() - begin).as_seconds();
    std::printf("{\"bytes\": %llu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", static_cast<unsigned long long>(sent_),
                seconds, cpu_seconds() - cpu);
    for (int i = 0; i < 3; i++) {  // one of them arrives
      send(std::span(&kEnd, 1), 0);
      wait_for(loop_, kPatience);
    }
  }

 private:
  void seal() {
    std::array<crypto::SealJob, kTrain> jobs;
    std::array<std::array<Bytes, 2>, kTrain> pieces;
    for (size_t i = 0; i < kTrain; i++) {
      uint8_t* packet = train_.data() + i * kPacket;
      packet[0] = 0x43;  // a short header with a packet number of four bytes
      store_be(packet + kNumberAt, number_);
      // A packet may begin at the region's end and go on at its beginning.
      pieces[i][0] = data_.at(sent_, kPayload).bytes();
      pieces[i][1] = {};
      if (const size_t first = pieces[i][0].size(); first < kPayload)
        pieces[i][1] = data_.at(sent_ + first, kPayload - first).bytes();
      jobs[i] = {.nonce = Keys::nonce(number_++),
                 .aad = Bytes(packet, kHeader),
                 .plaintext = std::span(pieces[i]).first(pieces[i][1].empty() ? 1 : 2),
                 .out = packet + kHeader};
      sent_ += kPayload;
    }
    if (!keys_.aead.seal(jobs)) give_up("the key is used up");
    keys_.make_masks(train_.data(), kTrain);
    for (size_t i = 0; i < kTrain; i++) Keys::apply(train_.data() + i * kPacket, keys_.masks[i]);
  }

  void send(Bytes bytes, size_t segment) {
    const Transmit transmit{
        .path = socket_.path_to(to_), .bytes = bytes, .segment_size = static_cast<uint16_t>(segment), .departure = {}};
    while (socket_.send(transmit) == udp::Socket::SendResult::would_block) wait_for(loop_, Duration::milliseconds(1));
  }

  void take_reports() {
    while (const size_t count = socket_.receive(pool_, received_)) {
      for (size_t i = 0; i < count; i++) {
        const Bytes report = received_[i].data.bytes();
        if (report.size() == sizeof(uint64_t)) seen_ = std::max(seen_, load_be<uint64_t>(report.data()));
        received_[i].data = {};
      }
    }
  }

  const app::PerfData data_;
  const SocketAddress to_;
  udp::Socket socket_ = must(udp::Socket::bind(*SocketAddress::parse("0.0.0.0:0")), "a socket");
  udp::Loop loop_ = must(udp::Loop::create(), "epoll");
  BufferPool pool_{socket_.receive_buffer_size(), 16};
  std::array<Received, 16> received_;
  std::vector<uint8_t> train_ = std::vector<uint8_t>(kTrain * kPacket);
  Keys keys_;
  uint64_t sent_ = 0, seen_ = 0;  // bytes of payload
  uint32_t number_ = 0;
};

class Receiver {
 public:
  explicit Receiver(const SocketAddress& at) : socket_(must(udp::Socket::bind(at), "the address cannot be bound")) {
    if (!loop_.watch(socket_.fd(), 0, true, false)) give_up("epoll");
  }

  void run() {
    std::printf("ready\n");
    std::fflush(stdout);
    while (!ended_) {
      const size_t count = socket_.receive(pool_, received_);
      for (size_t i = 0; i < count; i++) {
        take(received_[i]);
        received_[i].data = {};
      }
      if (count == 0) wait_for(loop_, kEndPatience);
    }
    std::printf("{\"bytes\": %llu, \"seconds\": %.6f, \"cpu_seconds\": %.6f, \"forged\": %llu}\n",
                static_cast<unsigned long long>(bytes_), (last_ - begin_).as_seconds(), cpu_seconds() - cpu_before_,
                static_cast<unsigned long long>(forged_));
  }

 private:
  void take(Received& received) {
    if (received.data.size() == 1 && received.data.bytes().data()[0] == kEnd) {
      ended_ = true;
      return;
    }
    if (bytes_ == 0) {
      begin_ = udp::now();
      cpu_before_ = cpu_seconds();
    }
    uint8_t* train = received.data.bytes().data();
    size_t left = received.data.size() / kPacket;
    while (left > 0) {
      const size_t count = std::min(left, kTrain);
      open(train, count);
      train += count * kPacket;
      left -= count;
    }
    report(received.path);
    last_ = udp::now();
  }

  void open(uint8_t* train, size_t count) {
    std::array<crypto::OpenJob, kTrain> jobs;
    keys_.make_masks(train, count);
    for (size_t i = 0; i < count; i++) {
      uint8_t* packet = train + i * kPacket;
      Keys::apply(packet, keys_.masks[i]);
      jobs[i] = {.nonce = Keys::nonce(load_be<uint32_t>(packet + kNumberAt)),
                 .aad = Bytes(packet, kHeader),
                 .data = MutBytes(packet + kHeader, kPacket - kHeader)};
    }
    if (!keys_.aead.open(std::span(jobs).first(count))) give_up("the key is used up");
    for (size_t i = 0; i < count; i++) {
      bytes_ += jobs[i].authentic ? kPayload : 0;
      forged_ += jobs[i].authentic ? 0 : 1;
    }
  }

  void report(const Path& path) {
    if (bytes_ - reported_ < kWindow / 4) return;
    reported_ = bytes_;
    std::array<uint8_t, sizeof(uint64_t)> text;
    store_be(text.data(), bytes_);
    (void)socket_.send(Transmit{.path = path, .bytes = text, .segment_size = 0, .departure = {}});
  }

  udp::Socket socket_;
  udp::Loop loop_ = must(udp::Loop::create(), "epoll");
  BufferPool pool_{socket_.receive_buffer_size(), 64};
  std::array<Received, 16> received_;
  Keys keys_;
  uint64_t bytes_ = 0, reported_ = 0, forged_ = 0;
  Instant begin_, last_;
  double cpu_before_ = 0;
  bool ended_ = false;
};

int run(std::span<char*> words) {
  const std::string_view role = words.size() > 1 ? words[1] : "";
  const auto address = words.size() > 2 ? SocketAddress::parse(words[2]) : std::nullopt;
  if (role == "receive" && words.size() == 3 && address) {
    Receiver(*address).run();
    return 0;
  }
  const uint64_t bytes = words.size() > 3 ? std::strtoull(words[3], nullptr, 10) : 0;
  const bool cold = words.size() == 5 && std::string_view(words[4]) == "cold";
  if (role == "send" && address && bytes > 0 && bytes <= kBytesMax && (words.size() == 4 || cold)) {
    Sender(*address, cold).run(bytes);
    return 0;
  }
  std::fprintf(stderr, "usage: floor receive ADDR:PORT | floor send ADDR:PORT BYTES [cold]   (BYTES: 8 GiB at most)\n");
  return 2;
}

}  // namespace
}  // namespace quoll::bench

int main(int argc, char** argv) { return quoll::bench::run(std::span(argv, static_cast<size_t>(argc))); }
