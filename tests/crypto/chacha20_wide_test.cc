// The sixteen-lane train and the IFMA authenticator of the AVX-512 code, on emulated vectors: the same templates as in
// crypto/x86/chacha20_avx512.cc, so that their logic is tested on processors without AVX-512.
#ifdef __x86_64__

#define QUOLL_TARGET "sse2"
#include <vector>

#include "crypto/provider.h"
#include "crypto/x86/chacha20_train.inc.h"
#include "crypto/x86/poly1305_ifma.inc.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::crypto {
namespace {

using tests::SeededRng;
using Buffer = std::vector<uint8_t>;

template <class Word, size_t kCount>
struct Lanes {
  Word lane[kCount];
};

/// Calls body(lane number) for each lane of a result.
template <class T, class F>
T each_lane(F body) {
  T result;
  for (size_t i = 0; i < std::size(result.lane); i++) result.lane[i] = body(i);
  return result;
}

struct EmulatedLanes {
  using T = Lanes<uint32_t, 16>;
  static constexpr size_t kLanes = 16;

  static T load(const void* from) {
    return each_lane<T>([&](size_t i) { return load_le<uint32_t>(static_cast<const uint8_t*>(from) + 4 * i); });
  }
  static void store(void* to, T value) {
    for (size_t i = 0; i < 16; i++) store_le<uint32_t>(static_cast<uint8_t*>(to) + 4 * i, value.lane[i]);
  }
  static T broadcast(uint32_t word) {
    return each_lane<T>([&](size_t) { return word; });
  }
  static T add(T a, T b) {
    return each_lane<T>([&](size_t i) { return a.lane[i] + b.lane[i]; });
  }
  static T exclusive_or(T a, T b) {
    return each_lane<T>([&](size_t i) { return a.lane[i] ^ b.lane[i]; });
  }
  template <int kBits>
  static T rotate(T x) {
    return each_lane<T>([&](size_t i) { return std::rotl(x.lane[i], kBits); });
  }
  template <class Work>
  static void rounds(T (&rows)[16], Work&) {
    plain_rounds<EmulatedLanes>(rows);
  }
  static void transpose(const T (&row)[4], T (&out)[4]) {
    for (size_t block = 0; block < 4; block++) {
      out[block] = each_lane<T>([&](size_t i) { return row[i % 4].lane[i / 4 * 4 + block]; });
    }
  }
  static void store_blocks(const T (&quarter)[4], uint8_t* out) {
    for (size_t i = 0; i < 64; i++)
      store_le<uint32_t>(out + 256 * (i / 16) + 4 * (i % 16), quarter[i % 16 / 4].lane[i / 16 * 4 + i % 4]);
  }
};

struct EmulatedWide {
  using T = Lanes<uint64_t, 8>;
  static constexpr uint64_t kMask52 = (uint64_t{1} << 52) - 1;

  static T load(const uint64_t* from) {
    return each_lane<T>([&](size_t i) { return from[i]; });
  }
  static void store(uint64_t* to, T value) { std::copy_n(value.lane, 8, to); }
  static T broadcast(uint64_t word) {
    return each_lane<T>([&](size_t) { return word; });
  }
  static T first_lane(uint64_t word) {
    return each_lane<T>([&](size_t i) { return i == 0 ? word : 0; });
  }
  static T add(T a, T b) {
    return each_lane<T>([&](size_t i) { return a.lane[i] + b.lane[i]; });
  }
  static T bit_and(T a, T b) {
    return each_lane<T>([&](size_t i) { return a.lane[i] & b.lane[i]; });
  }
  static T bit_or(T a, T b) {
    return each_lane<T>([&](size_t i) { return a.lane[i] | b.lane[i]; });
  }
  template <int kBits>
  static T shift_left(T x) {
    return each_lane<T>([&](size_t i) { return x.lane[i] << kBits; });
  }
  template <int kBits>
  static T shift_right(T x) {
    return each_lane<T>([&](size_t i) { return x.lane[i] >> kBits; });
  }
  static u128 product(uint64_t a, uint64_t b) {
    if (a > kMask52 || b > kMask52) FAIL("a factor has more than 52 bits");
    return u128{a & kMask52} * (b & kMask52);
  }
  static T add_low_product(T sum, T a, T b) {
    return each_lane<T>(
        [&](size_t i) { return sum.lane[i] + (static_cast<uint64_t>(product(a.lane[i], b.lane[i])) & kMask52); });
  }
  static T add_high_product(T sum, T a, T b) {
    return each_lane<T>(
        [&](size_t i) { return sum.lane[i] + static_cast<uint64_t>(product(a.lane[i], b.lane[i]) >> 52); });
  }
  static void load_blocks(const uint8_t* blocks, T& low, T& high) {
    constexpr size_t kBlock[8] = {0, 4, 1, 5, 2, 6, 3, 7};  // as the unpacking instructions order them
    low = each_lane<T>([&](size_t i) { return load_le<uint64_t>(blocks + 16 * kBlock[i]); });
    high = each_lane<T>([&](size_t i) { return load_le<uint64_t>(blocks + 16 * kBlock[i] + 8); });
  }
};

struct EmulatedEngine {
  using Vector = EmulatedLanes;
  using Mac = IfmaMac<EmulatedWide>;
  using Work = Idle;
};

using Functions = ChaCha20Poly1305Functions<EmulatedEngine>;

bool has_mulx() { return (cpu::features() & cpu::kBmi2) != 0; }

void require_same_tag(const Buffer& key, const Buffer& message) {
  uint8_t tag[kPoly1305TagSize], expected[kPoly1305TagSize];
  Functions::mac(key.data(), message, tag);
  portable_poly1305s().front()->mac(key.data(), message, expected);
  REQUIRE(std::equal(std::begin(tag), std::end(tag), expected));
}

TEST_CASE("Poly1305 on eight lanes of 52-bit products gives the portable tag, also where limbs are full") {
  if (!has_mulx()) return;
  SeededRng rng(31);
  for (size_t size = 0; size <= 2100; size += 3) require_same_tag(rng.bytes(kPoly1305KeySize), rng.bytes(size));
  for (const uint8_t r : {uint8_t{0x00}, uint8_t{0xff}, uint8_t{0x0f}}) {
    for (const uint8_t fill : {uint8_t{0x00}, uint8_t{0xff}, uint8_t{0xfb}}) {
      for (size_t size = 256; size <= 2048; size += 64) {
        Buffer message(size, 0xff);
        for (size_t i = 0; i < size; i += 16) message[i] = rng.below(3) ? fill : static_cast<uint8_t>(0xff);
        Buffer key(kPoly1305KeySize, r);
        require_same_tag(key, message);
      }
    }
  }
}

TEST_CASE("ChaCha20 on sixteen lanes gives the portable keystream") {
  SeededRng rng(32);
  const Buffer key = rng.bytes(kChaCha20KeySize), nonce = rng.bytes(kChaCha20NonceSize), text = rng.bytes(3000);
  for (size_t size = 0; size <= text.size(); size += 41) {
    Buffer out(size), expected(size);
    Functions::apply(key.data(), 7, nonce.data(), Bytes(text).first(size), out.data());
    portable_chacha20s().front()->apply(key.data(), 7, nonce.data(), Bytes(text).first(size), expected.data());
    REQUIRE(out == expected);
  }
}

TEST_CASE("a train on sixteen lanes is sealed as the portable code does, and opens") {
  if (!has_mulx()) return;
  const uint64_t seed = tests::test_seed(33);
  CAPTURE(seed);
  SeededRng rng(seed);
  const Aead& portable_aead = *portable().chacha20_poly1305;
  const Buffer key = rng.bytes(kChaCha20KeySize);
  AeadState state, portable_state;
  Functions::expand_key(state, key.data());
  portable_aead.expand_key(portable_state, key.data());
  for (int round = 0; round < 40; round++) {
    const size_t count = 1 + rng.below(50), bound = round % 2 ? 60 : 2500;
    std::vector<Buffer> texts(count), aads(count), outs(count), expected(count);
    std::vector<Bytes> pieces(count);
    std::vector<SealJob> jobs(count), portable_jobs;
    for (size_t i = 0; i < count; i++) {
      texts[i] = rng.bytes(rng.below(bound));
      aads[i] = rng.bytes(rng.below(30));
      pieces[i] = texts[i];
      outs[i].resize(texts[i].size() + kAeadTagSize);
      expected[i] = outs[i];
      jobs[i] = {.nonce = {}, .aad = aads[i], .plaintext = {&pieces[i], 1}, .out = outs[i].data()};
      rng.fill(jobs[i].nonce);
      portable_jobs.push_back(jobs[i]);
      portable_jobs[i].out = expected[i].data();
    }
    Functions::seal(state, jobs);
    portable_aead.seal(portable_state, portable_jobs);
    std::vector<OpenJob> open_jobs(count);
    for (size_t i = 0; i < count; i++) {
      REQUIRE(outs[i] == expected[i]);
      if (i % 5 == 4) outs[i].back() ^= 1;
      open_jobs[i] = {.nonce = jobs[i].nonce, .aad = aads[i], .data = outs[i]};
    }
    Functions::open(state, open_jobs);
    for (size_t i = 0; i < count; i++) {
      REQUIRE(open_jobs[i].authentic == (i % 5 != 4));
      const Buffer opened(outs[i].begin(), outs[i].end() - kAeadTagSize);
      REQUIRE(opened == (i % 5 == 4 ? Buffer(texts[i].size()) : texts[i]));
    }
  }
}

}  // namespace
}  // namespace quoll::crypto

#undef QUOLL_TARGET
#endif
