// Socket: a UDP socket that sends and receives trains of datagrams (base/net.h).
//
// On Linux with UDP_SEGMENT and UDP_GRO, sendmmsg and recvmmsg, ECN marks and local addresses in and out, and don't
// fragment. What the kernel lacks is done without, socket by socket; so is segmentation on a device that refuses it (a
// train that fails goes out again datagram by datagram, and where those pass, so do all later ones). Elsewhere on POSIX,
// and with all that switched off in the options: sendmsg and recvmsg, a datagram each. Non-blocking.
//
// What the network says of datagrams that were sent (ICMP) is no error of the socket: to QUIC a datagram that was
// refused is one that was lost. IPv4 addresses are IPv4 addresses, also on a socket of both families. One thread only.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/buffer_pool.h"
#include "base/net.h"
#include "base/result.h"

namespace quoll::udp {

struct SocketOptions {
  /// An IPv6 wildcard address takes IPv4 as well.
  bool dual_stack = true;
  /// SO_REUSEPORT: several sockets with one address, for workers.
  bool reuse_port = false;
  /// Wanted sizes of the kernel's buffers in bytes; what the system caps is told by cap_notice().
  size_t receive_buffer = 4 * 1024 * 1024;
  size_t send_buffer = 4 * 1024 * 1024;
  bool segmentation_offload = true;  // UDP_SEGMENT
  bool receive_offload = true;       // UDP_GRO
  bool batches = true;               // sendmmsg, recvmmsg
  bool dont_fragment = true;         // QUIC packets are never fragmented (RFC 9000 §14)
  /// SO_TXTIME: the kernel is told each train's departure. It holds trains back only where the queueing discipline of the device
  /// is fq, which the operator must see to: docs/udp.md. Goes with ConnectionConfig::departure_horizon.
  bool departures = false;
  /// Between the socket and the kernel, for tests (udp/system_calls.h); outlives the socket. Null: the kernel.
  class SystemCalls* system = nullptr;

  /// What every POSIX system has: a datagram a call.
  static SocketOptions portable() {
    SocketOptions options;
    options.segmentation_offload = options.receive_offload = options.batches = false;
    return options;
  }
};

struct SocketStatistics {
  uint64_t datagrams_sent = 0, datagrams_received = 0;
  uint64_t trains_sent = 0, trains_received = 0;  // system's units: GSO sends, GRO receives
  uint64_t send_calls = 0, receive_calls = 0;
  uint64_t send_errors = 0;  // datagrams that the kernel refused, too_big included: as good as lost
  uint64_t truncated = 0;    // dropped: larger than a buffer
  uint64_t too_big = 0;      // EMSGSIZE: larger than the interface's MTU
};

class Socket {
 public:
  /// An Error of ErrorDomain::system (an errno value) with the call that failed as reason.
  [[nodiscard]] static Result<Socket> bind(const SocketAddress& address, const SocketOptions& options = {});
  /// For a client: a port of the kernel's choice on the wildcard address of `remote`'s family.
  [[nodiscard]] static Result<Socket> bind_for(const SocketAddress& remote, const SocketOptions& options = {});
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();

  int fd() const;
  /// With the port that the kernel chose.
  const SocketAddress& local_address() const;

  /// The path to `remote` from here. Its local address is this socket's, without an IP address when that is a wildcard.
  Path path_to(const SocketAddress& remote) const;

  /// Receives what waits into buffers of `pool`, at most as many trains as `out` has elements; gives how many. The path's
  /// local address is the one that was asked (IP_PKTINFO). 0: nothing waits, or the pool is empty.
  size_t receive(BufferPool& pool, std::span<Received> out);
  /// Bytes that a buffer for receive() should have.
  size_t receive_buffer_size() const;

  enum class SendResult : uint8_t {
    sent,         // or lost like a datagram on the network: counted
    would_block,  // nothing was sent: try again when the socket is writable
  };
  /// The train leaves from path.local's address when it has one. Where a train takes several of the kernel's messages
  /// and the socket fills between them, the rest of it is lost: the other send() keeps it.
  SendResult send(const Transmit& transmit);
  /// The same for several, in as few calls of the kernel as can be. Gives how many are done; when those are not all, the
  /// socket is full, and what went out of the next one is cut off its bytes.
  size_t send(std::span<Transmit> transmits);

  /// One line for the operator when the system gave smaller buffers than we wanted, with what to do; else empty.
  const std::string& cap_notice() const;
  bool segmentation_offload() const;
  bool receive_offload() const;
  /// Whether the kernel takes departures.
  bool departures() const;
  const SocketStatistics& statistics() const;

 private:
  struct State;
  explicit Socket(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::udp
