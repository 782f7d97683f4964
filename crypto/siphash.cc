#include "crypto/siphash.h"

#include <bit>

namespace quoll::crypto {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

/// The last size % 8 bytes of the message as a little-endian number.
uint64_t tail_of(Bytes message) {
  const size_t size = message.size() % 8;
  const uint8_t* end = message.data() + message.size();
  if (size == 0) return 0;
  if (message.size() >= 8) return load_le<uint64_t>(end - 8) >> (64 - 8 * size);
  if (size >= 4) return load_le<uint32_t>(end - size) | uint64_t{load_le<uint32_t>(end - 4)} << (8 * size - 32);
  return end[-static_cast<std::ptrdiff_t>(size)] | uint64_t{message[size / 2]} << (8 * (size / 2)) |
         uint64_t{end[-1]} << (8 * size - 8);
}

}  // namespace

uint64_t SipHash::operator()(Bytes message) const {
  State s{
      .v0 = k0_ ^ 0x736f6d6570736575,
      .v1 = k1_ ^ 0x646f72616e646f6d,
      .v2 = k0_ ^ 0x6c7967656e657261,
      .v3 = k1_ ^ 0x7465646279746573,
  };
  const size_t whole = message.size() / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) s.absorb(load_le<uint64_t>(message.data() + i));
  s.absorb(tail_of(message) | uint64_t{message.size()} << 56);
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; i++) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace quoll::crypto
