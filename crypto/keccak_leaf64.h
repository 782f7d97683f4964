// The leaf operations of crypto/keccak_f1600.h on one state at a time, a lane being a uint64_t.
//
// Included after QUOLL_KECCAK_TARGET is set, so that a file may compile it for andn and rorx.
#include <bit>
#include <cstdint>

namespace quoll::crypto {
namespace {

struct KeccakLeaf64 {
  using Lane = uint64_t;
  static constexpr int kStates = 1;

  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane load(const uint64_t* from) { return *from; }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static void store(uint64_t* to, Lane a) { *to = a; }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane broadcast(uint64_t a) { return a; }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane xor2(Lane a, Lane b) { return a ^ b; }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane xor5(Lane a, Lane b, Lane c, Lane d, Lane e) {
    return a ^ b ^ c ^ d ^ e;
  }
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane chi(Lane a, Lane b, Lane c) { return a ^ (~b & c); }
  template <int n>
  [[gnu::always_inline]] QUOLL_KECCAK_TARGET static Lane rotate(Lane a) {
    return std::rotl(a, n);
  }
};

}  // namespace
}  // namespace quoll::crypto
