#include "udp/outbox.h"

namespace quoll::udp {

size_t socket_for(std::span<const Socket> sockets, const Path& path) {
  if (sockets.size() == 1) return 0;
  size_t of_port = 0;
  for (size_t i = sockets.size(); i-- > 0;) {
    const SocketAddress& local = sockets[i].local_address();
    if (local == path.local) return i;
    if (local.port == path.local.port && local.ip.family() == path.remote.ip.family()) of_port = i;
  }
  return of_port;
}

bool Outbox::send_collected(std::span<Socket> sockets) {
  blocked_.reset();
  while (first_ < end_) {
    const size_t index = socket_for(sockets, collected_[first_].path);
    size_t end = first_ + 1;
    while (end < end_ && socket_for(sockets, collected_[end].path) == index) end++;
    first_ += sockets[index].send(std::span(collected_).subspan(first_, end - first_));
    if (first_ < end) {
      blocked_ = index;
      return false;
    }
  }
  first_ = end_ = used_ = 0;
  return true;
}

}  // namespace quoll::udp
