#include "udp/control.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cstring>

#include "base/check.h"
#include "udp/sockaddr.h"
#include "udp/system_calls.h"

namespace quoll::udp {

namespace {

// Linux takes an int for IP_TOS, the BSDs an octet.
#if defined(__linux__)
using TypeOfService = int;
#else
using TypeOfService = unsigned char;
#endif

class ControlWriter {
 public:
  ControlWriter(ControlBuffer& buffer, msghdr& message) : buffer_(buffer), message_(message) {}

  template <class T>
  void add(int level, int type, const T& value) {
    QUOLL_CHECK(size_ + CMSG_SPACE(sizeof value) <= kControlSize);
    cmsghdr header{};
    header.cmsg_len = static_cast<decltype(header.cmsg_len)>(CMSG_LEN(sizeof value));
    header.cmsg_level = level;
    header.cmsg_type = type;
    std::memset(buffer_ + size_, 0, CMSG_SPACE(sizeof value));
    std::memcpy(buffer_ + size_, &header, sizeof header);
    std::memcpy(buffer_ + size_ + CMSG_LEN(0), &value, sizeof value);
    size_ += CMSG_SPACE(sizeof value);
  }
  void finish() {
    message_.msg_control = size_ == 0 ? nullptr : buffer_;
    message_.msg_controllen = static_cast<decltype(message_.msg_controllen)>(size_);
  }

 private:
  ControlBuffer& buffer_;
  msghdr& message_;
  size_t size_ = 0;
};

void add_source(ControlWriter& writer, const IpAddress& source) {
  if (source.family() == IpAddress::Family::ipv6) {
#if defined(IPV6_PKTINFO)
    in6_pktinfo info{};
    info.ipi6_addr = to_in6_addr(source);
    info.ipi6_ifindex = source.scope();
    writer.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
#endif
    return;
  }
#if defined(IP_PKTINFO)
  in_pktinfo info{};
  info.ipi_spec_dst = to_in_addr(source);
  writer.add(IPPROTO_IP, IP_PKTINFO, info);
#elif defined(IP_SENDSRCADDR)
  writer.add(IPPROTO_IP, IP_SENDSRCADDR, to_in_addr(source));
#endif
}

/// The value of a control message that may be shorter than T.
template <class T>
T value_of(const cmsghdr* header) {
  T value{};
  const size_t size = header->cmsg_len - CMSG_LEN(0);
  std::memcpy(&value, CMSG_DATA(header), size < sizeof value ? size : sizeof value);
  return value;
}

Ecn mark_of(unsigned octet) { return static_cast<Ecn>(octet & 3); }

/// An octet on its own, or an int that holds it.
unsigned octet_of(const cmsghdr* header) {
  return header->cmsg_len >= CMSG_LEN(sizeof(int)) ? static_cast<unsigned>(value_of<int>(header))
                                                   : value_of<unsigned char>(header);
}

void read_ipv4(const cmsghdr* header, ReceiveControl& control) {
  switch (header->cmsg_type) {
    case IP_TOS:
#if defined(IP_RECVTOS)
    case IP_RECVTOS != IP_TOS ? IP_RECVTOS:
      -1 :  // the BSDs use the option's name
#endif
            control.ecn = mark_of(octet_of(header));
      break;
#if defined(IP_PKTINFO)
    case IP_PKTINFO:
      control.destination = from_in_addr(value_of<in_pktinfo>(header).ipi_addr);
      break;
#endif
#if defined(IP_RECVDSTADDR)
    case IP_RECVDSTADDR:
      control.destination = from_in_addr(value_of<in_addr>(header));
      break;
#endif
    default:
      break;
  }
}

void read_ipv6(const cmsghdr* header, ReceiveControl& control) {
  switch (header->cmsg_type) {
    case IPV6_TCLASS:
      control.ecn = mark_of(octet_of(header));
      break;
    case IPV6_PKTINFO: {
      const auto info = value_of<in6_pktinfo>(header);
      control.destination = from_in6_addr(info.ipi6_addr, static_cast<uint32_t>(info.ipi6_ifindex));
      break;
    }
    default:
      break;
  }
}

}  // namespace

void write_control(const SendControl& control, bool ipv4, ControlBuffer& buffer, msghdr& message) {
  ControlWriter writer(buffer, message);
  if (control.ecn != Ecn::not_ect) {
    if (ipv4) {
      writer.add(IPPROTO_IP, IP_TOS, static_cast<TypeOfService>(control.ecn));
    } else {
      writer.add(IPPROTO_IPV6, IPV6_TCLASS, static_cast<int>(control.ecn));
    }
  }
  if (control.source.family() != IpAddress::Family::none) add_source(writer, control.source);
#if defined(UDP_SEGMENT)
  if (control.segment_size != 0) writer.add(IPPROTO_UDP, UDP_SEGMENT, control.segment_size);
#endif
#if defined(SCM_TXTIME)
  if (control.departure) writer.add(SOL_SOCKET, SCM_TXTIME, static_cast<uint64_t>(control.departure->as_nanoseconds()));
#endif
  writer.finish();
}

ReceiveControl read_control(msghdr& message) {
  ReceiveControl control;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == IPPROTO_IP) read_ipv4(header, control);
    if (header->cmsg_level == IPPROTO_IPV6) read_ipv6(header, control);
#if defined(UDP_GRO)
    if (header->cmsg_level == IPPROTO_UDP && header->cmsg_type == UDP_GRO) {
      control.segment_size = static_cast<uint16_t>(value_of<int>(header));
    }
#endif
  }
  return control;
}

}  // namespace quoll::udp
