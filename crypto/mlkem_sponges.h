// A queue of sponges, worked off on the states that an engine permutes at once.
//
// ML-KEM spends most of its time in Keccak: streams for the matrix, the noise, and hashes of whole keys and
// ciphertexts. They do not depend on each other, so a free lane takes the next one of the queue, whatever its kind; put
// the longest first. Which lane does what depends on lengths and on the public matrix alone.
#pragma once

#include "base/check.h"
#include "crypto/ct.h"
#include "crypto/keccak_sponge.h"
#include "crypto/mlkem_field.h"

namespace quoll::crypto::mlkem {

/// A message of which whole blocks are hashed in place: padded for SHA3-256 or SHAKE256, whose rate is the same.
template <size_t message_size>
struct PaddedMessage {
  static constexpr size_t kRate = 136;
  static constexpr size_t kBlocks = message_size / kRate + 1;

  explicit PaddedMessage(uint8_t suffix) {
    bytes[message_size] = suffix;
    bytes[sizeof bytes - 1] |= 0x80;
  }

  uint8_t bytes[kBlocks * kRate] = {};
};

using KeccakState = std::array<uint64_t, 25>;

template <class Engine>
class SpongeQueue {
 public:
  SpongeQueue() = default;
  SpongeQueue(const SpongeQueue&) = delete;
  SpongeQueue& operator=(const SpongeQueue&) = delete;
  ~SpongeQueue() {
    ct::wipe(words_);
    ct::wipe(squeezed_);
  }

  /// Absorbs `blocks` > 0 blocks of 136 bytes into `state` and permutes after each.
  void absorb(KeccakState& state, const uint8_t* data, size_t blocks) {
    push({.use = Use::absorb, .state = &state, .data = data, .blocks = blocks});
  }

  /// SampleNTT of SHAKE128(rho || column || row), FIPS 203 algorithm 7.
  void matrix_entry(Poly& out, const uint8_t* rho, size_t row, size_t column) {
    push({.use = Use::matrix,
          .suffix = column | row << 8 | uint64_t{sponge::kShakeSuffix} << 16,
          .data = rho,
          .out = &out});
  }

  /// SamplePolyCBD_2 of SHAKE256(seed || index), FIPS 203 §4.1.
  void noise(Poly& out, const uint8_t* seed, size_t index) {
    push({.use = Use::noise, .suffix = index | uint64_t{sponge::kShakeSuffix} << 8, .data = seed, .out = &out});
  }

  /// Works the queue off and leaves it empty.
  void run() {
    Job* working[kLanes];
    size_t busy = 0;
    next_ = 0;
    for (size_t lane = 0; lane < kLanes; lane++) busy += (working[lane] = take(lane)) != nullptr;
    while (busy > 0) {
      Engine::permute(words_);
      Engine::squeeze(squeezed_, words_);
      for (size_t lane = 0; lane < kLanes; lane++) {
        if (!working[lane] || !advance(*working[lane], lane)) continue;
        working[lane] = take(lane);
        busy -= working[lane] == nullptr;
      }
    }
    count_ = 0;
  }

 private:
  static constexpr size_t kLanes = Engine::kStates;
  static constexpr size_t kJobsMax = 18;  // decapsulation's: 9 of the matrix, 7 of noise, 2 hashes
  static constexpr size_t kHashRate = 136;
  static constexpr size_t kXofRate = kXofBlockSize;

  enum class Use : uint8_t { absorb, matrix, noise };

  struct Job {
    Use use;
    uint64_t suffix = 0;            // what follows the seed, with the first bit of padding
    KeccakState* state = nullptr;   // absorb: where the computation lives between the runs
    const uint8_t* data = nullptr;  // absorb: the blocks; else the seed of 32 bytes
    size_t blocks = 0;              // absorb: how many are left
    Poly* out = nullptr;
    size_t filled = 0;  // matrix: coefficients found
  };

  uint64_t& word(size_t lane, size_t i) { return words_[i * kLanes + lane]; }

  void push(const Job& job) {
    QUOLL_DCHECK(count_ < kJobsMax);
    jobs_[count_++] = job;
  }

  /// Loads the next job, if there is one, into a lane, ready to be permuted.
  Job* take(size_t lane) {
    if (next_ == count_) return nullptr;
    Job& job = jobs_[next_++];
    switch (job.use) {
      case Use::absorb:
        for (size_t i = 0; i < 25; i++) word(lane, i) = (*job.state)[i];
        mix_block(job, lane);
        break;
      case Use::matrix:
        load_seed(job, lane, kXofRate);
        break;
      case Use::noise:
        load_seed(job, lane, kHashRate);
        break;
    }
    return &job;
  }

  void load_seed(const Job& job, size_t lane, size_t rate) {
    for (size_t i = 0; i < 4; i++) word(lane, i) = load_le<uint64_t>(job.data + 8 * i);
    word(lane, 4) = job.suffix;
    for (size_t i = 5; i < 25; i++) word(lane, i) = 0;
    word(lane, rate / 8 - 1) = uint64_t{1} << 63;
  }

  void mix_block(Job& job, size_t lane) {
    for (size_t i = 0; i < kHashRate / 8; i++) word(lane, i) ^= load_le<uint64_t>(job.data + 8 * i);
    job.data += kHashRate;
    job.blocks--;
  }

  /// After a permutation: true when the job is done.
  bool advance(Job& job, size_t lane) {
    switch (job.use) {
      case Use::absorb:
        if (job.blocks > 0) {
          mix_block(job, lane);
          return false;
        }
        for (size_t i = 0; i < 25; i++) (*job.state)[i] = word(lane, i);
        return true;
      case Use::matrix:
        job.filled = Engine::sample(*job.out, job.filled, squeezed_[lane]);
        return job.filled == kN;
      case Use::noise:
        Engine::noise(*job.out, squeezed_[lane]);
        return true;
    }
    return true;
  }

  Job jobs_[kJobsMax];
  size_t count_ = 0;
  size_t next_ = 0;
  alignas(64) uint64_t words_[25 * kLanes];  // interleaved as the engine wants them
  alignas(64) uint8_t squeezed_[kLanes][kSqueezedSize];
};

}  // namespace quoll::crypto::mlkem
