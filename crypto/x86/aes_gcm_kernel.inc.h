// AES-GCM with 96-bit nonces (NIST SP 800-38D §7), written once over a vector type V of two or four blocks.
//
// Included for one instruction set, which QUOLL_TARGET names, after one of block_*.h.
//
// The layout that everything rests on: a message is a row of blocks,
//     [ header 0 | header 1 | text 0 | text 1 | ... | lengths ]
// cut into chunks of kChunkBlocks blocks. For GHASH the header is the last two blocks of associated data. For the
// cipher the index in the row is the counter: index 0 is not used, index 1 encrypts to the tag's mask, and the text
// starts at counter 2 as GCM wants. So the tag's mask and short associated data ride in the first chunk for free,
// chunks start at multiples of a power of two, and the counters within a chunk differ from its first one by an
// exclusive or of the last byte.
//
// Full chunks are encrypted while the chunk before (when opening: the same chunk) is hashed. What is left, with the
// lengths, is hashed as one dot product whose powers are counted from its end.
#pragma once

#include <new>

#include "crypto/aead.h"
#include "crypto/ct.h"
#include "crypto/piece_cursor.h"
#include "crypto/x86/ghash_sum.inc.h"

namespace quoll::crypto {
namespace {

/// Block i holds i where the lowest byte of a counter is.
template <size_t kBlocks>
consteval std::array<uint8_t, 16 * kBlocks> counter_offsets() {
  std::array<uint8_t, 16 * kBlocks> table{};
  for (size_t i = 0; i < kBlocks; i++) table[16 * i + 15] = static_cast<uint8_t>(i);
  return table;
}

/// kOnes bytes of ones between kBefore and kAfter bytes of zeros.
template <size_t kBefore, size_t kOnes, size_t kAfter>
consteval std::array<uint8_t, kBefore + kOnes + kAfter> mask_table() {
  std::array<uint8_t, kBefore + kOnes + kAfter> table{};
  for (size_t i = 0; i < kOnes; i++) table[kBefore + i] = 0xff;
  return table;
}

template <class V, size_t kKeySize>
struct AesGcm {
  static constexpr size_t kRounds = aes_rounds(kKeySize);
  static constexpr size_t kChunkBlocks = GhashKey<V>::kChunkBlocks;
  static constexpr size_t kChunkSize = 16 * kChunkBlocks;
  static constexpr size_t kHeaderBlocks = 2;
  static constexpr size_t kHeaderSize = 16 * kHeaderBlocks;
  static_assert(V::kBlocks == 2 || V::kBlocks == 4);
  static_assert(kChunkBlocks <= 32);

  struct State {
    GhashKey<V> ghash;
    uint8_t round_keys[kRounds + 1][16];
  };
  static_assert(sizeof(State) <= kAeadStateSize);

  /// Memory of one batch: the key stream of a tail, and chunks of plaintext that lay in pieces.
  struct Scratch {
    alignas(64) uint8_t stream[kChunkSize];
    uint8_t staging[kChunkSize];
    bool staged = false;  // whether staging was used
  };

  /// One message on its way.
  struct Message {
    __m128i counter_block;  // the counter block with counter 0, plus the first round key
    uint32_t counter;       // of the next chunk's first block
    V hash_next;  // what the next hashed vector starts with: the header, or the hash so far in its first block
    __m128i tag_mask;
    __m128i lengths;
  };

  alignas(64) static constexpr auto kCounterOffsets = counter_offsets<kChunkBlocks>();
  alignas(64) static constexpr auto kFirstBytes = mask_table<0, V::kSize, V::kSize>();
  alignas(64) static constexpr auto kOneBlock = mask_table<V::kSize - 16, 16, V::kSize - 16>();

  static const State& view(const AeadState& state) { return *reinterpret_cast<const State*>(state.bytes.data()); }

  [[gnu::target(QUOLL_TARGET)]] static void expand_key(AeadState& state, const uint8_t* key) {
    State& s = *new (state.bytes.data()) State;
    expand_aes_key<kKeySize>(s.round_keys, key);
    __m128i block = load_block(s.round_keys[0]);
    for (size_t round = 1; round < kRounds; round++) block = _mm_aesenc_si128(block, load_block(s.round_keys[round]));
    expand_ghash_key(s.ghash, _mm_aesenclast_si128(block, load_block(s.round_keys[kRounds])));
  }

  [[gnu::target(QUOLL_TARGET)]] static void seal(const AeadState& state, std::span<const SealJob> jobs) {
    Scratch scratch;
    for (const SealJob& job : jobs) seal_one(view(state), job, scratch);
    wipe(scratch);
  }

  [[gnu::target(QUOLL_TARGET)]] static void open(const AeadState& state, std::span<OpenJob> jobs) {
    Scratch scratch;
    for (OpenJob& job : jobs) open_one(view(state), job, scratch);
    wipe(scratch);
  }

 private:
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static void seal_one(const State& s, const SealJob& job,
                                                                         Scratch& scratch) {
    PieceCursor text(job.plaintext);
    scratch.staged |= job.plaintext.size() > 1;
    const size_t text_size = PieceCursor::total_size(job.plaintext);
    Message m = begin(s, job.nonce, job.aad, text_size);
    uint8_t* out = job.out;
    size_t left = text_size;
    __m128i hash;
    if (left + kHeaderSize < kChunkSize) {
      hash = tail<true, true>(s, m, text.next(left, scratch.staging), out, left, scratch);
    } else {
      constexpr size_t kFirstSize = kChunkSize - kHeaderSize;
      chunk<true, false>(s, m, text.next(kFirstSize, scratch.staging), out, nullptr);
      const uint8_t* unhashed = begin_first_chunk(m, out);
      out += kFirstSize;
      for (left -= kFirstSize; left >= kChunkSize; left -= kChunkSize) {
        m.hash_next = V::first(chunk<false, true>(s, m, text.next(kChunkSize, scratch.staging), out, unhashed));
        unhashed = begin_chunk(m, out);
        out += kChunkSize;
      }
      m.hash_next = V::first(hash_chunk(s, m.hash_next, unhashed));
      hash = tail<false, true>(s, m, text.next(left, scratch.staging), out, left, scratch);
    }
    const __m128i tag = _mm_xor_si128(reversed(hash), m.tag_mask);
    store_block(job.out + text_size, tag);
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static void open_one(const State& s, OpenJob& job,
                                                                         Scratch& scratch) {
    const size_t text_size = job.data.size() - kAeadTagSize;
    Message m = begin(s, job.nonce, job.aad, text_size);
    uint8_t* data = job.data.data();
    size_t left = text_size;
    __m128i hash;
    if (left + kHeaderSize < kChunkSize) {
      hash = tail<true, false>(s, m, data, data, left, scratch);
    } else {
      constexpr size_t kFirstSize = kChunkSize - kHeaderSize;
      const uint8_t* unhashed = begin_first_chunk(m, data);
      m.hash_next = V::first(chunk<true, true>(s, m, data, data, unhashed));
      data += kFirstSize;
      for (left -= kFirstSize; left >= kChunkSize; left -= kChunkSize) {
        unhashed = begin_chunk(m, data);
        m.hash_next = V::first(chunk<false, true>(s, m, data, data, unhashed));
        data += kChunkSize;
      }
      hash = tail<false, false>(s, m, data, data, left, scratch);
    }
    const __m128i tag = _mm_xor_si128(reversed(hash), m.tag_mask);
    const __m128i difference = _mm_xor_si128(tag, load_block(job.data.data() + text_size));
    const uint64_t different =
        static_cast<uint64_t>(_mm_cvtsi128_si64(difference)) | static_cast<uint64_t>(_mm_extract_epi64(difference, 1));
    job.authentic = ct::declassified(ct::mask_zero(different)) != 0;
    if (!job.authentic && text_size > 0) std::memset(job.data.data(), 0, text_size);
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static Message begin(const State& s, const Nonce& nonce, Bytes aad,
                                                                         size_t text_size) {
    // Put together in registers: a load of what two narrower stores wrote would wait for everything before it.
    const __m128i counter_block =
        _mm_set_epi64x(load_le<uint32_t>(&nonce[8]), static_cast<long long>(load_le<uint64_t>(nonce.data())));
    return {.counter_block = _mm_xor_si128(counter_block, load_block(s.round_keys[0])),
            .counter = 0,
            .hash_next = header(s, aad),
            .tag_mask = _mm_setzero_si128(),
            .lengths = _mm_set_epi64x(static_cast<long long>(aad.size() * 8), static_cast<long long>(text_size * 8))};
  }

  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static void wipe(Scratch& scratch) {
    // By hand, because a call of memset, or what is generated in its place, costs a tenth of a short packet.
    V zero = V::zero();
    zero.fix();
    for (size_t at = 0; at < kChunkSize; at += V::kSize) zero.store(scratch.stream + at);
    if (scratch.staged) {
      for (size_t at = 0; at < kChunkSize; at += V::kSize) zero.store(scratch.staging + at);
    }
    __asm__ volatile("" : : "r"(&scratch) : "memory");
  }

  /// The last two blocks of associated data, the first of them with the hash of those before added.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static V header(const State& s, Bytes aad) {
    if (aad.size() <= 16) return V::pair(_mm_setzero_si128(), reversed(load_partial_block(aad.data(), aad.size())));
    __m128i hash = _mm_setzero_si128();
    if (aad.size() > 32) hash = hash_leading_blocks(s, aad);
    const __m128i first = _mm_xor_si128(hash, reversed(load_block(aad.data())));
    return V::pair(first, reversed(load_partial_block(aad.data() + 16, aad.size() - 16)));
  }

  /// Hashes all but the last two blocks and takes them off `aad`.
  [[gnu::noinline, gnu::target(QUOLL_TARGET)]] static __m128i hash_leading_blocks(const State& s, Bytes& aad) {
    __m128i hash = _mm_setzero_si128();
    while (aad.size() > kChunkSize + 32) {
      const V first = V::load(aad.data()).reversed() ^ V::first(hash);
      hash = hash_chunk(s, first, aad.data() + V::kSize);
      aad = aad.subspan(kChunkSize);
    }
    const __m128i h = load_block(s.ghash.last(1));
    while (aad.size() > 32) {
      hash = multiply(_mm_xor_si128(hash, reversed(load_block(aad.data()))), h);
      aad = aad.subspan(16);
    }
    return hash;
  }

  /// The counter block of the next chunk's first block in every lane, plus the first round key.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static V counters(const Message& m) {
    const __m128i counter = _mm_cvtsi32_si128(static_cast<int>(byte_swap(m.counter)));
    return V::broadcast(_mm_xor_si128(m.counter_block, _mm_slli_si128(counter, 12)));
  }

  /// Adds the ciphertext of a chunk's first vector to hash_next. Returns where the second vector is.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static const uint8_t* begin_chunk(Message& m,
                                                                                      const uint8_t* ciphertext) {
    m.hash_next = m.hash_next ^ V::load(ciphertext).reversed();
    return ciphertext + V::kSize;
  }

  /// The same for the first chunk, where the header comes before the text.
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static const uint8_t* begin_first_chunk(Message& m,
                                                                                            const uint8_t* ciphertext) {
    if constexpr (V::kBlocks == 4) {
      m.hash_next = m.hash_next ^ V::load_upper(ciphertext).reversed();
      return ciphertext + kHeaderSize;
    }
    return ciphertext;
  }

  /// Encrypts or decrypts the chunk at m.counter. With kHash, hashes a chunk of ciphertext meanwhile: m.hash_next is
  /// its first vector, the others are at `unhashed`. All of `unhashed` is read before the first byte of `out` is
  /// written.
  template <bool kFirst, bool kHash>
  [[gnu::noinline, gnu::target(QUOLL_TARGET)]] static __m128i chunk(const State& s, Message& m, const uint8_t* in,
                                                                    uint8_t* out, const uint8_t* unhashed) {
    std::array<V, V::kChunkVectors> x;
    const V base = counters(m);
    m.counter += kChunkBlocks;
#pragma GCC unroll 8
    for (size_t j = 0; j < V::kChunkVectors; j++) x[j] = base ^ V::load(&kCounterOffsets[j * V::kSize]);

    auto sum = GhashSum<V>::zero();
    __m128i hash = _mm_setzero_si128();
    // One vector is hashed per round; the first of the chunk, which waits for the chunk before, comes last.
    GhashProduct<V> product(kHash ? V::load(unhashed).reversed() : V::zero());
#pragma GCC unroll 16
    for (size_t round = 1; round < kRounds; round++) {
      const V key = V::broadcast(load_block(s.round_keys[round]));
      if (!kHash || round > V::kChunkVectors) {
        aes_quarters<0, 4>(x, key);
        continue;
      }
      const uint8_t* power = s.ghash.powers[round % V::kChunkVectors * V::kBlocks];
      aes_quarters<0, 1>(x, key);
      product.multiply_low(power);
      aes_quarters<1, 2>(x, key);
      product.multiply_high(power);
      aes_quarters<2, 3>(x, key);
      product.multiply_middle(power);
      aes_quarters<3, 4>(x, key);
      sum.add(product);
      if (round + 1 < V::kChunkVectors) product = GhashProduct<V>(V::load(unhashed + round * V::kSize).reversed());
      if (round + 1 == V::kChunkVectors) product = GhashProduct<V>(m.hash_next);
      if (round == V::kChunkVectors) hash = reduce(sum);
    }

    const V key = V::broadcast(load_block(s.round_keys[kRounds]));
    if constexpr (kFirst) m.tag_mask = x[0].aes_last(key).second();
#pragma GCC unroll 8
    for (size_t j = 0; j < V::kChunkVectors; j++) {
      if constexpr (!kFirst) {
        x[j].aes_last(key ^ V::load(in + j * V::kSize)).store(out + j * V::kSize);
      } else if (j > 0) {
        const size_t at = j * V::kSize - kHeaderSize;
        x[j].aes_last(key ^ V::load(in + at)).store(out + at);
      } else if constexpr (V::kBlocks == 4) {
        x[0].aes_last(key ^ V::load_upper(in)).store_upper(out);
      }
    }
    return hash;
  }

  /// A round for a part of the vectors: those from quarter kFrom to quarter kTo.
  template <size_t kFrom, size_t kTo>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static void aes_quarters(std::array<V, V::kChunkVectors>& x,
                                                                             V key) {
#pragma GCC unroll 8
    for (size_t j = kFrom * V::kChunkVectors / 4; j < kTo * V::kChunkVectors / 4; j++) {
      x[j] = x[j].aes(key);
      x[j].fix();
    }
  }

  [[gnu::noinline, gnu::target(QUOLL_TARGET)]] static __m128i hash_chunk(const State& s, V first, const uint8_t* rest) {
    auto sum = GhashSum<V>::zero();
#pragma GCC unroll 8
    for (size_t j = 1; j < V::kChunkVectors; j++) {
      sum.add(V::load(rest + (j - 1) * V::kSize).reversed(), s.ghash.powers[j * V::kBlocks]);
    }
    sum.add(first, s.ghash.powers[0]);
    return reduce(sum);
  }

  /// Encrypts or decrypts the last part of a message, less than a chunk, and finishes the hash. With kFirst the message
  /// has no full chunk, so that its header belongs to this part.
  template <bool kFirst, bool kSeal>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static __m128i tail(const State& s, Message& m, const uint8_t* in,
                                                                        uint8_t* out, size_t size, Scratch& scratch) {
    const size_t blocks = (kFirst ? kHeaderBlocks : 0) + (size + 15) / 16;
    key_stream_up_to<V::kChunkVectors>(s, counters(m), scratch.stream, (blocks + V::kBlocks - 1) / V::kBlocks);
    const uint8_t* stream = scratch.stream;

    // The lengths are one more block, for which a nearly full chunk has no power: then they are multiplied in
    // afterwards.
    const bool room_for_lengths = blocks < kChunkBlocks;
    bool lengths_to_add = room_for_lengths;
    const uint8_t* power = s.ghash.last(blocks + room_for_lengths);
    auto sum = GhashSum<V>::zero();
    V first = m.hash_next;
    if constexpr (kFirst) {
      m.tag_mask = load_block(stream + 16);
      sum.add(first, power);
      first = V::zero();
      stream += kHeaderSize;
      power += kHeaderSize;
    }
    for (; size >= V::kSize; size -= V::kSize) {
      const V from = V::load(in);
      const V to = from ^ V::load(stream);
      to.store(out);
      sum.add((kSeal ? to : from).reversed() ^ first, power);
      first = V::zero();
      in += V::kSize;
      out += V::kSize;
      stream += V::kSize;
      power += V::kSize;
    }
    if (size > 0) {
      const V from = V::load_partial(in, size);
      const V to = from ^ V::load(stream);
      to.store_partial(out, size);
      V hashed = first ^ (kSeal ? to & V::load(&kFirstBytes[V::kSize - size]) : from).reversed();
      const size_t last_blocks = (size + 15) / 16;
      if (lengths_to_add && last_blocks < V::kBlocks) {
        hashed = hashed ^ (V::broadcast(m.lengths) & V::load(&kOneBlock[V::kSize - 16 - 16 * last_blocks]));
        lengths_to_add = false;
      }
      sum.add(hashed, power);
      first = V::zero();
      power += 16 * last_blocks;
    }
    if (lengths_to_add) sum.add(first ^ V::first(m.lengths), power);
    const __m128i hash = reduce(sum);
    if (room_for_lengths) return hash;
    return multiply(_mm_xor_si128(hash, m.lengths), load_block(s.ghash.last(1)));
  }

  /// Writes `count` vectors of key stream, at most kCount.
  template <size_t kCount>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static void key_stream_up_to(const State& s, V base,
                                                                                 uint8_t* stream, size_t count) {
    if (count == kCount) {
      key_stream<kCount>(s, base, stream);
    } else if constexpr (kCount > 1) {
      key_stream_up_to<kCount - 1>(s, base, stream, count);
    }
  }

  template <size_t kCount>
  [[gnu::always_inline, gnu::target(QUOLL_TARGET)]] static void key_stream(const State& s, V base, uint8_t* stream) {
    std::array<V, kCount> x;
#pragma GCC unroll 8
    for (size_t j = 0; j < kCount; j++) x[j] = base ^ V::load(&kCounterOffsets[j * V::kSize]);
    aes_middle_rounds<kRounds>(x, s.round_keys);
    const V key = V::broadcast(load_block(s.round_keys[kRounds]));
#pragma GCC unroll 8
    for (size_t j = 0; j < kCount; j++) x[j].aes_last(key).store(stream + j * V::kSize);
  }
};

/// The table of one implementation.
template <class V, size_t kKeySize>
constexpr Aead aes_gcm_table(Implementation implementation) {
  using Gcm = AesGcm<V, kKeySize>;
  return {implementation,
          kKeySize == 16 ? AeadId::aes_128_gcm : AeadId::aes_256_gcm,
          kKeySize == 16 ? "AES-128-GCM" : "AES-256-GCM",
          kKeySize,
          kAesGcmConfidentialityLimit,
          kAesGcmIntegrityLimit,
          Gcm::expand_key,
          Gcm::seal,
          Gcm::open};
}

}  // namespace
}  // namespace quoll::crypto
