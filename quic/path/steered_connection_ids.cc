#include "quic/path/steered_connection_ids.h"

namespace quoll::quic {

namespace {
constexpr size_t kNonceSize = 8;
}

SteeredConnectionIds::SteeredConnectionIds(std::span<const uint8_t, kKeySize> key, uint16_t worker, uint16_t server)
    : hash_(key), worker_(worker), server_(server) {}

uint32_t SteeredConnectionIds::function(const uint8_t* nonce) const {
  // SipHash reads its message as little-endian numbers, the kernel's program packets as big-endian ones.
  std::array<uint8_t, kNonceSize> message;
  store_le(message.data(), load_be<uint64_t>(nonce));
  return static_cast<uint32_t>(hash_(message));
}

ConnectionId SteeredConnectionIds::generate(Rng& rng) {
  std::array<uint8_t, kSize> id;
  rng.fill(MutBytes(id).first(kNonceSize));
  store_be(id.data() + kNonceSize, (uint32_t{worker_} << 16 | server_) ^ function(id.data()));
  return ConnectionId(id);
}

std::optional<uint16_t> SteeredConnectionIds::worker_of(Bytes id) const {
  if (id.size() != kSize) return {};
  const uint32_t plain = load_be<uint32_t>(id.data() + kNonceSize) ^ function(id.data());
  if ((plain & 0xffff) != server_) return {};
  return static_cast<uint16_t>(plain >> 16);
}

std::optional<uint16_t> SteeredConnectionIds::worker_of_datagram(Bytes datagram) const {
  if (datagram.empty()) return {};
  // RFC 8999 §5.1: after the first byte and the version of a long header, the size of the id and the id.
  const bool is_long = (datagram[0] & 0x80) != 0;
  if (is_long && (datagram.size() < 6 || datagram[5] != kSize)) return {};
  // RFC 8999 §5.2: a short header has the id after its first byte.
  const size_t offset = is_long ? 6 : 1;
  if (datagram.size() < offset + kSize) return {};
  return worker_of(datagram.subspan(offset, kSize));
}

}  // namespace quoll::quic
