// Reading packet captures: pcap and pcapng, down to the UDP datagrams in them. It knows as much of the formats as the
// captures need: Ethernet, Linux's cooked form of it, PPP, BSD loopback and raw IP; IPv4 without fragments, IPv6 without extension headers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace quoll::vectors {

/// One side of a UDP datagram: 4 or 16 bytes of address and 2 of port.
using UdpEndpoint = std::vector<uint8_t>;

struct CapturedDatagram {
  size_t number = 0;  // of the frame in the file, from 1
  UdpEndpoint source{};
  UdpEndpoint destination{};
  std::vector<uint8_t> payload{};
};

struct Capture {
  size_t frames = 0;  // of any protocol
  std::vector<CapturedDatagram> datagrams{};
};

/// Throws std::runtime_error when the file is no capture that can be read.
Capture read_capture(const std::string& path);

}  // namespace quoll::vectors
