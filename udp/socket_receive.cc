// Messages of the kernel to Received: into buffers of a pool, several a call where the kernel can.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "udp/socket_state.h"

namespace quoll::udp {

namespace {

// What GRO collects at most, which is also the largest datagram; or jumbo frames where datagrams come alone. A larger
// one is dropped, as by a path that it does not fit.
constexpr size_t kTrainSizeMax = 65'536;
constexpr size_t kDatagramSizeMax = 9 * 1024;

/// Errors in a row that are the network's news of earlier datagrams (ICMP), each of which a call takes off the socket.
constexpr int kSoftErrorsMax = 64;

bool is_soft(int error) {
  switch (error) {
    case EINTR:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EPROTO:
    case EMSGSIZE:
    case EACCES:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// Buffers for at most `count` messages, and the messages; gives how many.
size_t Socket::State::prepare_receive(BufferPool& pool, size_t count) {
  for (size_t i = 0; i < count; i++) {
    std::optional<Buffer> buffer = pool.take();
    if (!buffer) return i;
    Slot& slot = receive_slots[i];
    slot.piece = {.iov_base = buffer->bytes().data(), .iov_len = buffer->size()};
    receive_buffers[i] = *std::move(buffer);
    receive_messages[i] = {};
    msghdr& header = receive_messages[i].msg_hdr;
    header.msg_name = &slot.name;
    header.msg_namelen = sizeof slot.name;
    header.msg_iov = &slot.piece;
    header.msg_iovlen = 1;
    header.msg_control = slot.control;
    header.msg_controllen = sizeof slot.control;
  }
  return count;
}

/// False for what had to be dropped.
bool Socket::State::take_received(size_t index, Received& out) {
  Message& message = receive_messages[index];
  Buffer buffer = std::move(receive_buffers[index]);
  if (message.msg_hdr.msg_flags & MSG_TRUNC) {
    statistics.truncated++;
    return false;
  }
  const size_t size = message.msg_len;
  const ReceiveControl control = read_control(message.msg_hdr);
  const bool is_train = control.segment_size != 0 && control.segment_size < size;
  const bool has_name = message.msg_hdr.msg_namelen != 0;
  statistics.trains_received++;
  statistics.datagrams_received += is_train ? (size + control.segment_size - 1) / control.segment_size : 1;
  buffer.truncate(size);
  out.path.local = {wildcard ? control.destination : local.ip, local.port};
  out.path.remote = has_name ? from_sockaddr(receive_slots[index].name) : SocketAddress{};
  out.ecn = control.ecn;
  out.data = std::move(buffer);
  out.segment_size = is_train ? control.segment_size : uint16_t{0};
  return true;
}

/// As recvmmsg; a call for each where there is none.
int Socket::State::receive_messages_of(std::span<Message> messages) {
  if (batches) {
    statistics.receive_calls++;
    return system->receive_many(fd, messages);
  }
  for (size_t i = 0; i < messages.size(); i++) {
    statistics.receive_calls++;
    const ssize_t size = system->receive(fd, messages[i].msg_hdr);
    if (size < 0) return i == 0 ? -1 : static_cast<int>(i);
    messages[i].msg_len = static_cast<unsigned>(size);
  }
  return static_cast<int>(messages.size());
}

size_t Socket::State::receive(BufferPool& pool, std::span<Received> out) {
  const size_t prepared = prepare_receive(pool, std::min(out.size(), kReceiveMessagesMax));
  if (prepared == 0) return 0;
  size_t given = 0;
  for (int soft_errors = 0; given == 0;) {
    const int received = receive_messages_of(std::span(receive_messages).first(prepared));
    if (received < 0) {
      if (is_soft(errno) && ++soft_errors < kSoftErrorsMax) continue;
      break;
    }
    for (size_t i = 0; i < static_cast<size_t>(received); i++) given += take_received(i, out[given]);
    break;
  }
  // In this order the pool gives the same buffers out first next time, which are in the cache.
  for (size_t i = prepared; i-- > 0;) receive_buffers[i] = Buffer();
  return given;
}

size_t Socket::receive(BufferPool& pool, std::span<Received> out) { return state_->receive(pool, out); }

size_t Socket::receive_buffer_size() const { return state_->receive_offload ? kTrainSizeMax : kDatagramSizeMax; }

}  // namespace quoll::udp
