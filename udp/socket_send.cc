// Transmits to messages of the kernel: a train is one message where the kernel segments, as many as it has datagrams
// where it does not.
#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "udp/socket_state.h"

namespace quoll::udp {

namespace {

// Linux: UDP_MAX_SEGMENTS of the kernels that have the smaller one, and what an IPv4 packet holds beside its headers.
constexpr size_t kSegmentsMax = 64;
constexpr size_t kMessageSizeMax = 65'535 - 20 - 8;

size_t datagram_size(const Transmit& transmit) {
  return transmit.segment_size == 0 ? transmit.bytes.size()
                                    : std::min<size_t>(transmit.segment_size, transmit.bytes.size());
}

/// Bytes from the front that are one message.
size_t message_size(const Transmit& transmit, bool segment) {
  const size_t datagram = datagram_size(transmit);
  if (!segment || datagram == transmit.bytes.size()) return datagram;
  const size_t datagrams = std::clamp<size_t>(kMessageSizeMax / datagram, 1, kSegmentsMax);
  return std::min(datagrams * datagram, transmit.bytes.size());
}

uint64_t datagrams_in(size_t size, size_t datagram) { return datagram == 0 ? 1 : (size + datagram - 1) / datagram; }

bool is_train(const Transmit& transmit) { return transmit.bytes.size() > datagram_size(transmit); }

/// What Linux answers when a device lacks the checksum that segmentation builds on (EIO), and when a datagram of the
/// train does not fit its MTU or an option of the socket stands against it (EINVAL, EMSGSIZE).
bool may_be_for_segmentation(int error) { return error == EIO || error == EINVAL || error == EMSGSIZE; }

bool is_ipv4(const Path& path) { return path.remote.ip.family() == IpAddress::Family::ipv4; }

}  // namespace

/// Messages for the transmits from the first on, as many as a call takes; gives how many.
size_t Socket::State::fill_messages(std::span<const Transmit> transmits, bool segment) {
  const size_t limit = batches ? kSendMessagesMax : 1;
  size_t count = 0;
  for (const Transmit& transmit : transmits) {
    Transmit rest = transmit;
    const Message* head = nullptr;  // of this transmit: the others point to the same name and control messages
    do {
      if (count == limit) return count;
      Message& message = send_messages[count];
      Slot& slot = send_slots[count++];
      const size_t size = message_size(rest, segment);
      slot.piece = {.iov_base = const_cast<uint8_t*>(rest.bytes.data()), .iov_len = size};
      if (head) {
        message = *head;
      } else {
        message = {};
        message.msg_hdr.msg_name = &slot.name;
        message.msg_hdr.msg_namelen = to_sockaddr(transmit.path.remote, family, slot.name);
        write_control({.ecn = transmit.ecn,
                       .source = wildcard ? transmit.path.local.ip : IpAddress(),
                       .segment_size = segment && is_train(transmit) ? transmit.segment_size : uint16_t{0},
                       .departure = departures ? std::optional(transmit.departure) : std::nullopt},
                      is_ipv4(transmit.path), slot.control, message.msg_hdr);
        head = &message;
      }
      message.msg_hdr.msg_iov = &slot.piece;
      message.msg_hdr.msg_iovlen = 1;
      rest.bytes = rest.bytes.subspan(size);
    } while (!rest.bytes.empty());
  }
  return count;
}

/// One message of `transmit` went out: its bytes are cut off. Whether that was the last.
bool Socket::State::consume_sent(Transmit& transmit, bool segment) {
  const size_t size = message_size(transmit, segment);
  const size_t datagram = datagram_size(transmit);
  statistics.datagrams_sent += datagrams_in(size, datagram);
  statistics.trains_sent++;
  transmit.bytes = transmit.bytes.subspan(size);
  return transmit.bytes.empty();
}

/// The first message of `transmit` was refused for good: it is as good as lost. Whether that was the last.
bool Socket::State::consume_lost(Transmit& transmit, bool segment, int error) {
  const size_t size = message_size(transmit, segment);
  const uint64_t datagrams = datagrams_in(size, datagram_size(transmit));
  statistics.send_errors += datagrams;
  if (error == EMSGSIZE) statistics.too_big += datagrams;
  transmit.bytes = transmit.bytes.subspan(size);
  return transmit.bytes.empty();
}

size_t Socket::State::send(std::span<Transmit> transmits) {
  // How the front transmit goes out. A train that was refused goes singly; when its first datagram passes, it was
  // segmentation that failed, otherwise the datagrams themselves are too big, or their source address is gone.
  enum class Front : uint8_t { train, suspect, singly } front = Front::train;
  size_t done = 0;
  while (done < transmits.size()) {
    const bool segment = segmentation_offload && front == Front::train;
    const size_t count = fill_messages(transmits.subspan(done, segment ? transmits.size() - done : 1), segment);
    statistics.send_calls++;
    const int sent = system->send_many(fd, std::span(send_messages).first(count));
    const int error = sent < 0 ? errno : 0;
    if (error == EINTR) continue;
    if (error == EAGAIN || error == EWOULDBLOCK) return done;
    if (error != 0 && segment && is_train(transmits[done]) && may_be_for_segmentation(error)) {
      front = Front::suspect;
      continue;
    }
    if (front == Front::suspect) {
      if (error == 0) segmentation_offload = false;
      front = Front::singly;
    }
    const size_t before = done;
    if (error != 0) done += consume_lost(transmits[done], segment, error);
    for (int i = 0; i < sent; i++) done += consume_sent(transmits[done], segment);
    if (done != before) front = Front::train;
  }
  return done;
}

size_t Socket::send(std::span<Transmit> transmits) { return state_->send(transmits); }

Socket::SendResult Socket::send(const Transmit& transmit) {
  Transmit rest = transmit;
  if (state_->send(std::span(&rest, 1)) == 1) return SendResult::sent;
  if (rest.bytes.size() == transmit.bytes.size()) return SendResult::would_block;
  state_->statistics.send_errors += datagrams_in(rest.bytes.size(), datagram_size(rest));
  return SendResult::sent;
}

}  // namespace quoll::udp
