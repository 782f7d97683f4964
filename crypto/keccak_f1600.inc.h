// The Keccak-f[1600] permutation (FIPS 202 §3.2–§3.4), written once over the leaf operations on a lane.
//
// A Leaf says what a lane is and how to do seven things with it. For the scalar code a lane is a uint64_t; for the
// parallel code it is a vector of one lane from each of several independent states. The state is 25 lanes, (x, y) at x
// + 5y. A round reads one copy of the state and writes another, so nothing but renaming is left of the step pi.
//
// The including file sets QUOLL_KECCAK_TARGET, the attributes of every function here (an instruction set or nothing),
// and this header undefines it at its end. All is in an anonymous namespace: each file gets its own code. Constant
// time.
#include <bit>
#include <cstdint>

namespace quoll::crypto {
namespace {

/// The constants of the step iota, one for each of the 24 rounds (§3.2.5).
inline constexpr uint64_t kKeccakRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/// One state at a time, a lane being a word.
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

template <class Leaf>
using LaneOf = typename Leaf::Lane;

/// The step chi on one row, §3.2.4.
template <class Leaf>
[[gnu::always_inline]] QUOLL_KECCAK_TARGET inline void keccak_chi(LaneOf<Leaf>* row, LaneOf<Leaf> b0, LaneOf<Leaf> b1,
                                                                  LaneOf<Leaf> b2, LaneOf<Leaf> b3, LaneOf<Leaf> b4) {
  row[0] = Leaf::chi(b0, b1, b2);
  row[1] = Leaf::chi(b1, b2, b3);
  row[2] = Leaf::chi(b2, b3, b4);
  row[3] = Leaf::chi(b3, b4, b0);
  row[4] = Leaf::chi(b4, b0, b1);
}

/// One round from `a` to `e`, which do not overlap.
template <class Leaf>
[[gnu::always_inline]] QUOLL_KECCAK_TARGET inline void keccak_round(const LaneOf<Leaf>* a, LaneOf<Leaf>* e,
                                                                    uint64_t constant) {
  const LaneOf<Leaf> c0 = Leaf::xor5(a[0], a[5], a[10], a[15], a[20]);
  const LaneOf<Leaf> c1 = Leaf::xor5(a[1], a[6], a[11], a[16], a[21]);
  const LaneOf<Leaf> c2 = Leaf::xor5(a[2], a[7], a[12], a[17], a[22]);
  const LaneOf<Leaf> c3 = Leaf::xor5(a[3], a[8], a[13], a[18], a[23]);
  const LaneOf<Leaf> c4 = Leaf::xor5(a[4], a[9], a[14], a[19], a[24]);
  const LaneOf<Leaf> d0 = Leaf::xor2(c4, Leaf::template rotate<1>(c1));
  const LaneOf<Leaf> d1 = Leaf::xor2(c0, Leaf::template rotate<1>(c2));
  const LaneOf<Leaf> d2 = Leaf::xor2(c1, Leaf::template rotate<1>(c3));
  const LaneOf<Leaf> d3 = Leaf::xor2(c2, Leaf::template rotate<1>(c4));
  const LaneOf<Leaf> d4 = Leaf::xor2(c3, Leaf::template rotate<1>(c0));

  // theta, rho and pi bring five lanes of `a` to each row, chi turns the row into a row of `e`.
  keccak_chi<Leaf>(e, Leaf::xor2(a[0], d0), Leaf::template rotate<44>(Leaf::xor2(a[6], d1)),
                   Leaf::template rotate<43>(Leaf::xor2(a[12], d2)), Leaf::template rotate<21>(Leaf::xor2(a[18], d3)),
                   Leaf::template rotate<14>(Leaf::xor2(a[24], d4)));
  e[0] = Leaf::xor2(e[0], Leaf::broadcast(constant));
  keccak_chi<Leaf>(e + 5, Leaf::template rotate<28>(Leaf::xor2(a[3], d3)),
                   Leaf::template rotate<20>(Leaf::xor2(a[9], d4)), Leaf::template rotate<3>(Leaf::xor2(a[10], d0)),
                   Leaf::template rotate<45>(Leaf::xor2(a[16], d1)), Leaf::template rotate<61>(Leaf::xor2(a[22], d2)));
  keccak_chi<Leaf>(e + 10, Leaf::template rotate<1>(Leaf::xor2(a[1], d1)),
                   Leaf::template rotate<6>(Leaf::xor2(a[7], d2)), Leaf::template rotate<25>(Leaf::xor2(a[13], d3)),
                   Leaf::template rotate<8>(Leaf::xor2(a[19], d4)), Leaf::template rotate<18>(Leaf::xor2(a[20], d0)));
  keccak_chi<Leaf>(e + 15, Leaf::template rotate<27>(Leaf::xor2(a[4], d4)),
                   Leaf::template rotate<36>(Leaf::xor2(a[5], d0)), Leaf::template rotate<10>(Leaf::xor2(a[11], d1)),
                   Leaf::template rotate<15>(Leaf::xor2(a[17], d2)), Leaf::template rotate<56>(Leaf::xor2(a[23], d3)));
  keccak_chi<Leaf>(e + 20, Leaf::template rotate<62>(Leaf::xor2(a[2], d2)),
                   Leaf::template rotate<55>(Leaf::xor2(a[8], d3)), Leaf::template rotate<39>(Leaf::xor2(a[14], d4)),
                   Leaf::template rotate<41>(Leaf::xor2(a[15], d0)), Leaf::template rotate<2>(Leaf::xor2(a[21], d1)));
}

/// All 24 rounds on 25 lanes, in place.
template <class Leaf>
QUOLL_KECCAK_TARGET inline void keccak_permute_lanes(LaneOf<Leaf>* lanes) {
  LaneOf<Leaf> other[25];
  for (int round = 0; round < 24; round += 2) {
    keccak_round<Leaf>(lanes, other, kKeccakRoundConstants[round]);
    keccak_round<Leaf>(other, lanes, kKeccakRoundConstants[round + 1]);
  }
}

/// The permutation of Leaf::kStates states at once, in place: word i of state s is words[i * kStates + s].
template <class Leaf>
QUOLL_KECCAK_TARGET inline void keccak_permute(uint64_t* words) {
  LaneOf<Leaf> lanes[25];
#pragma GCC unroll 25
  for (int i = 0; i < 25; i++) lanes[i] = Leaf::load(words + i * Leaf::kStates);
  keccak_permute_lanes<Leaf>(lanes);
#pragma GCC unroll 25
  for (int i = 0; i < 25; i++) Leaf::store(words + i * Leaf::kStates, lanes[i]);
}

}  // namespace
}  // namespace quoll::crypto

#undef QUOLL_KECCAK_TARGET
