#include "interop/link/arrival_stamps.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace quoll::link {
namespace {

// Enough of a packet to know it again: a QUIC packet's number lies in it, encrypted.
constexpr uint32_t kSnapSize = 72;
constexpr uint32_t kFrameSize = 256;
constexpr uint32_t kFrames = 8192;
constexpr uint32_t kBlockSize = 65'536;
constexpr size_t kRingSize = size_t{kFrameSize} * kFrames;
// Older stamps are those of a clock that was set.
constexpr Duration kAgeMax = Duration::seconds(10);

/// Packets that leave, and of them the beginning.
bool filter_outgoing(int fd) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kSnapSize),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog program = {.len = std::size(code), .filter = code};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

bool make_ring(int fd) {
  const int version = TPACKET_V2;
  tpacket_req ring{};
  ring.tp_block_size = kBlockSize;
  ring.tp_block_nr = static_cast<uint32_t>(kRingSize / kBlockSize);
  ring.tp_frame_size = kFrameSize;
  ring.tp_frame_nr = kFrames;
  return ::setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) == 0 &&
         ::setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) == 0;
}

bool attach(int fd, int device) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = device;
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

tpacket2_hdr* frame_at(uint8_t* ring, size_t index) {
  return reinterpret_cast<tpacket2_hdr*>(ring + index % kFrames * kFrameSize);
}

bool is_full(tpacket2_hdr* frame) {
  return (std::atomic_ref(frame->tp_status).load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
}

bool is_of(const tpacket2_hdr* frame, Bytes packet) {
  const auto* content = reinterpret_cast<const uint8_t*>(frame) + frame->tp_net;
  const size_t size = std::min<size_t>(frame->tp_snaplen, packet.size());
  return frame->tp_len == packet.size() && std::memcmp(content, packet.data(), size) == 0;
}

/// By the wall's clock, which is that of the stamps.
Duration since(const tpacket2_hdr* frame) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const Duration age = Duration::seconds(now.tv_sec - int64_t{frame->tp_sec}) +
                       Duration::nanoseconds(now.tv_nsec - int64_t{frame->tp_nsec});
  return age > Duration() && age < kAgeMax ? age : Duration();
}

}  // namespace

std::unique_ptr<ArrivalStamps> ArrivalStamps::open(int device) {
  const int fd = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  void* ring = MAP_FAILED;
  if (filter_outgoing(fd) && make_ring(fd))
    ring = ::mmap(nullptr, kRingSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (ring == MAP_FAILED) {
    ::close(fd);
    return nullptr;
  }
  std::unique_ptr<ArrivalStamps> stamps(new ArrivalStamps(fd, static_cast<uint8_t*>(ring)));
  return attach(fd, device) ? std::move(stamps) : nullptr;
}

ArrivalStamps::~ArrivalStamps() {
  ::munmap(ring_, kRingSize);
  ::close(fd_);
}

Duration ArrivalStamps::age(Bytes packet) {
  // A stamp is there before its packet. Those of packets that the device lost are skipped.
  for (size_t at = next_; at < next_ + kFrames && is_full(frame_at(ring_, at)); at++) {
    if (!is_of(frame_at(ring_, at), packet)) continue;
    const Duration age = since(frame_at(ring_, at));
    for (; next_ <= at; next_++)
      std::atomic_ref(frame_at(ring_, next_)->tp_status).store(TP_STATUS_KERNEL, std::memory_order_release);
    return age;
  }
  return Duration();
}

}  // namespace quoll::link
