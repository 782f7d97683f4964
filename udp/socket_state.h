// What a Socket has, for the files that its work is cut into: socket.cc makes it, socket_send.cc and socket_receive.cc
// use it. The headers of messages are kept, so that sending and receiving allocate nothing.
#pragma once

#include <array>
#include <cstddef>

#include "udp/control.h"
#include "udp/sockaddr.h"
#include "udp/socket.h"
#include "udp/system_calls.h"

namespace quoll::udp {

/// Messages a call: beyond that a call costs little beside what it moves.
inline constexpr size_t kSendMessagesMax = 32;
inline constexpr size_t kReceiveMessagesMax = 32;

/// A message with all that its header points to.
struct Slot {
  alignas(cmsghdr) ControlBuffer control;
  Sockaddr name;
  iovec piece;
};

struct Socket::State {
  SystemCalls* system = nullptr;
  int fd = -1;
  int family = 0;
  bool wildcard = false;  // several local addresses: which, is told with each datagram
  bool batches = false;
  bool segmentation_offload = false;
  bool receive_offload = false;
  bool departures = false;
  SocketAddress local;
  std::string cap_notice;
  SocketStatistics statistics;

  std::array<Message, kSendMessagesMax> send_messages;
  std::array<Slot, kSendMessagesMax> send_slots;
  std::array<Message, kReceiveMessagesMax> receive_messages;
  std::array<Slot, kReceiveMessagesMax> receive_slots;
  std::array<Buffer, kReceiveMessagesMax> receive_buffers;

  ~State();

  // socket.cc
  Result<void> open(const SocketAddress& address, const SocketOptions& options);
  bool set(int level, int name, int value);
  void ask_for_marks_and_addresses();
  void forbid_fragments();
  bool ask_for_departures();
  void size_buffers(const SocketOptions& options);
  size_t enlarge(int name, int force_name, size_t wanted);

  // socket_send.cc
  size_t send(std::span<Transmit> transmits);
  size_t fill_messages(std::span<const Transmit> transmits, bool segment);
  bool consume_sent(Transmit& transmit, bool segment);
  bool consume_lost(Transmit& transmit, bool segment, int error);

  // socket_receive.cc
  size_t receive(BufferPool& pool, std::span<Received> out);
  size_t prepare_receive(BufferPool& pool, size_t count);
  int receive_messages_of(std::span<Message> messages);
  bool take_received(size_t index, Received& out);
};

}  // namespace quoll::udp
