#include "udp/system_calls.h"

namespace quoll::udp {

namespace {

class Kernel final : public SystemCalls {
 public:
  ssize_t send(int fd, const msghdr& message) override { return sendmsg(fd, &message, MSG_DONTWAIT); }

  ssize_t receive(int fd, msghdr& message) override { return recvmsg(fd, &message, MSG_DONTWAIT); }

  int send_many(int fd, std::span<Message> messages) override {
#if defined(__linux__) && !defined(QUOLL_UDP_PORTABLE)
    if (messages.size() > 1) return sendmmsg(fd, messages.data(), static_cast<unsigned>(messages.size()), MSG_DONTWAIT);
#endif
    const ssize_t sent = send(fd, messages[0].msg_hdr);
    if (sent < 0) return -1;
    messages[0].msg_len = static_cast<unsigned>(sent);
    return 1;
  }

  int receive_many(int fd, std::span<Message> messages) override {
#if defined(__linux__) && !defined(QUOLL_UDP_PORTABLE)
    if (messages.size() > 1) {
      return recvmmsg(fd, messages.data(), static_cast<unsigned>(messages.size()), MSG_DONTWAIT, nullptr);
    }
#endif
    const ssize_t received = receive(fd, messages[0].msg_hdr);
    if (received < 0) return -1;
    messages[0].msg_len = static_cast<unsigned>(received);
    return 1;
  }

  int set_option(int fd, int level, int name, const void* value, socklen_t size) override {
    return setsockopt(fd, level, name, value, size);
  }
};

}  // namespace

SystemCalls& SystemCalls::kernel() {
  static constinit Kernel calls;  // it has no state
  return calls;
}

}  // namespace quoll::udp
