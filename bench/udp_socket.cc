// Sockets over loopback: trains of 45 datagrams with and without the kernel's offloads, beside a plain sendto and recvfrom
// for each datagram. Sending and receiving take turns in one thread, so both ends count.
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/buffer_pool.h"
#include "bench/harness.h"
#include "udp/sockaddr.h"
#include "udp/socket.h"

namespace quoll::bench {
namespace {

constexpr size_t kDatagrams = 45, kDatagramSize = 1452, kTrainSize = kDatagrams * kDatagramSize;

void require(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "udp_bench: %s failed\n", what);
  std::exit(1);
}

udp::Socket bind(const udp::SocketOptions& options) {
  auto socket = udp::Socket::bind(*SocketAddress::parse("127.0.0.1:0"), options);
  require(socket.has_value(), "bind");
  return *std::move(socket);
}

/// Two sockets of ours.
class Ours {
 public:
  explicit Ours(const udp::SocketOptions& options) : from_(bind(options)), to_(bind(options)) {}
  void train() {
    const Transmit transmit{.path = from_.path_to(to_.local_address()),
                            .ecn = Ecn::ect0,
                            .bytes = bytes_,
                            .segment_size = kDatagramSize,
                            .departure = {}};
    require(from_.send(transmit) == udp::Socket::SendResult::sent, "send");
    for (size_t size = 0; size < kTrainSize;) {
      const size_t count = to_.receive(pool_, received_);
      for (size_t i = 0; i < count; i++) {
        size += received_[i].data.size();
        received_[i].data = {};
      }
    }
  }

 private:
  udp::Socket from_, to_;
  BufferPool pool_{to_.receive_buffer_size(), 64};
  std::array<Received, 16> received_;
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kTrainSize, 7);
};

/// What a program does that knows nothing of all this.
class Plain {
 public:
  Plain() : from_(bind(udp::SocketOptions::portable())), to_(bind(udp::SocketOptions::portable())) {}
  void train() {
    udp::Sockaddr name;
    socklen_t name_size = udp::to_sockaddr(to_.local_address(), AF_INET, name);
    for (size_t i = 0; i < kDatagrams; i++) {
      const uint8_t* datagram = bytes_.data() + i * kDatagramSize;
      require(sendto(from_.fd(), datagram, kDatagramSize, 0, &name.any, name_size) > 0, "sendto");
    }
    for (size_t i = 0; i < kDatagrams;) {
      i += recvfrom(to_.fd(), bytes_.data(), kDatagramSize, 0, &name.any, &name_size) > 0;
    }
  }

 private:
  udp::Socket from_, to_;
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kTrainSize, 7);
};

}  // namespace
}  // namespace quoll::bench

int main(int argc, char** argv) {
  using namespace quoll;
  const bench::CommandLine line = bench::parse_command_line("udp_bench", argc, argv);
  bench::Table table(line.options, "plain");
  udp::SocketOptions batches;
  batches.segmentation_offload = batches.receive_offload = false;
  const struct {
    const char* name;
    udp::SocketOptions options;
  } rows[] = {{"gso+gro", {}}, {"mmsg", batches}, {"portable", udp::SocketOptions::portable()}};
  for (const auto& row : rows) {
    const std::string name = std::string("datagrams of 1452 bytes, ") + row.name;
    if (!table.wants(name)) continue;
    bench::Ours ours(row.options);
    bench::Plain plain;
    table.row(name, row.name, bench::kTrainSize, [&] { ours.train(); }, [&] { plain.train(); }, bench::kDatagrams);
  }
  table.print();
  if (!line.json.empty()) table.print_json(line.json);
  return 0;
}
