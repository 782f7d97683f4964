// Sockets on the loopback interface, for tests: binds, sends patterns, and waits for what arrives.
#pragma once

#include <poll.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/buffer_pool.h"
#include "udp/loop.h"
#include "udp/socket.h"

namespace quoll::tests {

inline SocketAddress address_of(std::string_view text) {
  const auto parsed = SocketAddress::parse(text);
  if (!parsed) std::abort();
  return *parsed;
}

inline udp::Socket bind_socket(std::string_view address, const udp::SocketOptions& options = {}) {
  auto socket = udp::Socket::bind(address_of(address), options);
  if (!socket) std::abort();
  return *std::move(socket);
}

/// The address of a wildcard socket as seen from this machine.
inline SocketAddress at(std::string_view ip, const udp::Socket& socket) {
  return {*IpAddress::parse(ip), socket.local_address().port};
}

/// Bytes that differ from datagram to datagram.
inline std::vector<uint8_t> pattern(size_t size, uint8_t seed = 1) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(seed + i * 7 + (i >> 8));
  return bytes;
}

/// A datagram, or a train of them, to `remote`.
inline Transmit to(const udp::Socket& from, const SocketAddress& remote, Bytes bytes, uint16_t segment_size = 0,
                   Ecn ecn = Ecn::not_ect) {
  return {.path = from.path_to(remote), .ecn = ecn, .bytes = bytes, .segment_size = segment_size, .departure = {}};
}

inline bool is_readable(const udp::Socket& socket, int milliseconds) {
  pollfd watched{.fd = socket.fd(), .events = POLLIN, .revents = 0};
  return poll(&watched, 1, milliseconds) == 1;
}

inline size_t datagrams_in(const Received& train) {
  const size_t size = train.data.size(), segment = train.segment_size;
  return segment == 0 ? 1 : (size + segment - 1) / segment;
}

/// All that arrives until nothing more does for a while, or `datagrams` have.
inline std::vector<Received> receive_all(udp::Socket& socket, BufferPool& pool, size_t datagrams = SIZE_MAX) {
  std::vector<Received> all;
  for (size_t count = 0; count < datagrams && is_readable(socket, datagrams == SIZE_MAX ? 50 : 2000);) {
    Received batch[16];
    const size_t received = socket.receive(pool, batch);
    if (received == 0) break;
    for (size_t i = 0; i < received; i++) {
      count += datagrams_in(batch[i]);
      all.push_back(std::move(batch[i]));
    }
  }
  return all;
}

/// The datagrams of trains, one by one.
inline std::vector<std::vector<uint8_t>> datagrams_of(const std::vector<Received>& trains) {
  std::vector<std::vector<uint8_t>> datagrams;
  for (const Received& train : trains) {
    Bytes rest = train.data.bytes();
    do {
      const size_t size = train.segment_size == 0 ? rest.size() : std::min<size_t>(train.segment_size, rest.size());
      datagrams.emplace_back(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(size));
      rest = rest.subspan(size);
    } while (!rest.empty());
  }
  return datagrams;
}

/// What `bytes` are as datagrams of `segment` bytes.
inline std::vector<std::vector<uint8_t>> cut(Bytes bytes, size_t segment) {
  std::vector<std::vector<uint8_t>> datagrams;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(segment, bytes.size()))) {
    const Bytes datagram = bytes.first(std::min(segment, bytes.size()));
    datagrams.emplace_back(datagram.begin(), datagram.end());
  }
  return datagrams;
}

}  // namespace quoll::tests
