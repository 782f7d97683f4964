// Steering: a program in the kernel that gives each datagram to the socket of its connection's worker, out of several with
// one address (SO_REUSEPORT), also after the client's address has changed.
//
// It reads the Destination Connection ID where RFC 8999 §5 puts it, 12 bytes of this form (quic::SteeredConnectionIds
// makes them):
//
//     id = nonce (8) | (worker (2) | server (2)) ^ F(nonce)
//
// where F is SipHash-2-4 under a key that the kernel's program holds too, cut to 32 bits. Datagrams with other ids, such
// as the first ones of a connection, go by the kernel's hash of the addresses, which is what happens without a program.
// Linux with the right to load programs (CAP_BPF, or kernel.unprivileged_bpf_disabled = 0); elsewhere workers hand
// datagrams over to each other (worker_group.h).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "udp/socket.h"

namespace quoll::udp {

using SteeringKey = std::array<uint8_t, 16>;

inline constexpr size_t kSteeredIdSize = 12;

/// `sockets`: all those of the address, in the order in which they were bound; workers are numbered in this order.
/// `server`: whose ids these workers have, of several servers with one key. An Error (system) where the kernel does not
/// take the program.
[[nodiscard]] Result<void> steer(std::span<const Socket> sockets, const SteeringKey& key, uint16_t server = 0);

}  // namespace quoll::udp
