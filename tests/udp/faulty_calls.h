// System calls that fail as a test says.
#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <vector>

#include "udp/system_calls.h"

namespace quoll::tests {

/// Whether the message asks the kernel to segment it.
inline bool is_train(const msghdr& message) {
  auto& mutable_message = const_cast<msghdr&>(message);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&mutable_message, header)) {
    if (header->cmsg_level == IPPROTO_UDP && header->cmsg_type == UDP_SEGMENT) return true;
  }
  return false;
}

class FaultyCalls final : public udp::SystemCalls {
 public:
  /// The errno value for a message; 0: it passes.
  std::function<int(const msghdr&)> fail_send = [](const msghdr&) { return 0; };
  /// The errno value for an option; 0: it is set.
  std::function<int(int level, int name)> fail_option = [](int, int) { return 0; };
  std::vector<int> receive_errors;  // the next calls', last first
  size_t options_set = 0;

  ssize_t send(int fd, const msghdr& message) override {
    if (const int error = fail_send(message); error != 0) return fail(error);
    return kernel().send(fd, message);
  }
  ssize_t receive(int fd, msghdr& message) override { return kernel().receive(fd, message); }
  int send_many(int fd, std::span<udp::Message> messages) override {
    int sent = 0;
    for (udp::Message& message : messages) {
      const ssize_t size = send(fd, message.msg_hdr);
      if (size < 0) return sent == 0 ? -1 : sent;
      message.msg_len = static_cast<unsigned>(size);
      sent++;
    }
    return sent;
  }
  int receive_many(int fd, std::span<udp::Message> messages) override {
    if (!receive_errors.empty()) {
      const int error = receive_errors.back();
      receive_errors.pop_back();
      return fail(error);
    }
    return kernel().receive_many(fd, messages);
  }
  int set_option(int fd, int level, int name, const void* value, socklen_t size) override {
    if (const int error = fail_option(level, name); error != 0) return fail(error);
    options_set++;
    return kernel().set_option(fd, level, name, value, size);
  }

 private:
  static int fail(int error) {
    errno = error;
    return -1;
  }
};

}  // namespace quoll::tests
