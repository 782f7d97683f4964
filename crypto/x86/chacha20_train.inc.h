// ChaCha20-Poly1305 (RFC 8439 §2.8) over a train of messages, on vectors whose lanes are keystream blocks.
//
// All keystream blocks that a train needs form one sequence: for each message block 0, the authenticator's one-time
// key, then the blocks of its data. The sequence is cut into groups of as many blocks as there are lanes, so that short
// messages share a group and only the train's last group has idle lanes. A group is worked off in two steps, one group
// apart:
//     begin    compute its keystream (and meanwhile authenticate the longest run of the group before);
//              take the one-time keys; when sealing, encipher
//     complete authenticate the rest; when opening, decipher; finish the messages that end here
// so that in both directions the authenticator reads ciphertext that is ready. Constant-time; sizes are public.
//
// An Engine names its Vector, its Mac, and its Work (Idle, or one that a Mac's run can be handed to). What includes
// this header defines QUOLL_TARGET, as in chacha20_lanes.h.
#pragma once

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/chacha20.h"
#include "crypto/ct.h"
#include "crypto/header_protection.h"
#include "crypto/poly1305.h"
#include "crypto/x86/chacha20_lanes.inc.h"

namespace quoll::crypto {
namespace {

/// Hands out a gathered plaintext in contiguous runs.
class Gather {
 public:
  Gather() = default;
  explicit Gather(std::span<const Bytes> pieces) : pieces_(pieces) {}

  /// The next `size` bytes, which will be enciphered to `out`: where they lie, or brought together at `out` when they
  /// lie in several pieces. A piece that lies at its place in `out` already stays there.
  const uint8_t* take(size_t size, uint8_t* out) {
    size_t done = 0;
    while (done < size) {
      const Bytes rest = pieces_[index_].subspan(offset_);
      if (done == 0 && rest.size() >= size) {
        offset_ += size;
        return rest.data();
      }
      const Bytes part = rest.first(std::min(rest.size(), size - done));
      if (part.data() != out + done) copy_bytes(out + done, part);
      done += part.size();
      offset_ += part.size();
      if (offset_ == pieces_[index_].size()) index_++, offset_ = 0;
    }
    return out;
  }

 private:
  std::span<const Bytes> pieces_;
  size_t index_ = 0;
  size_t offset_ = 0;
};

size_t text_size(const SealJob& job) {
  size_t size = 0;
  for (const Bytes piece : job.plaintext) size += piece.size();
  return size;
}
size_t text_size(const OpenJob& job) { return job.data.size() - kAeadTagSize; }

uint8_t* text_of(const SealJob& job) { return job.out; }
uint8_t* text_of(const OpenJob& job) { return job.data.data(); }

/// Absorbs `bytes` and the zeros that fill its last block (RFC 8439 §2.8).
template <class Mac>
void absorb_padded(Mac& mac, Bytes bytes) {
  const size_t whole = bytes.size() / kPoly1305BlockSize;
  mac.absorb(bytes.data(), whole);
  const Bytes rest = bytes.subspan(whole * kPoly1305BlockSize);
  if (rest.empty()) return;
  uint8_t block[kPoly1305BlockSize] = {};
  copy_bytes(block, rest);
  mac.absorb(block, 1);
}

template <class Engine, class Job>
class Train {
  using Vector = typename Engine::Vector;
  using Mac = typename Engine::Mac;
  static constexpr size_t kLanes = Vector::kLanes;
  static constexpr bool kSealing = std::is_same_v<Job, const SealJob>;

 public:
  Train(const uint8_t* key, std::span<Job> jobs) : jobs_(jobs) {
    states_.set_key(key);
    for (size_t& job : lane_jobs_) job = jobs.size();  // none
  }
  Train(const Train&) = delete;
  Train& operator=(const Train&) = delete;
  ~Train() {
    ct::wipe(states_);
    ct::wipe(groups_);
  }

  void run() {
    Group* current = &groups_[0];
    Group* previous = &groups_[1];
    while (assign_lanes(*current)) {
      authenticate_longest_run_while_computing(*previous, *current);
      for (Segment& segment : previous->used()) complete(segment);
      for (Segment& segment : current->used()) begin(segment);
      std::swap(current, previous);
    }
    for (Segment& segment : previous->used()) complete(segment);
  }

 private:
  /// A message in work. At most kLanes of them have lanes in one group, two groups are in work, and jobs are
  /// consecutive.
  static constexpr size_t kMessages = 2 * kLanes;

  struct Message {
    size_t size;
    Gather plaintext;  // sealing only
    Mac mac;
  };

  /// Consecutive keystream blocks of one message in one group, and the part of the message that they serve.
  struct Segment {
    size_t job;
    bool first, last;  // whether it has the message's block 0; whether it has its last block
    const uint8_t* keystream;
    size_t offset, size;   // in the message, of the data that its blocks serve
    size_t authenticated;  // bytes of these that the authenticator has absorbed
  };

  struct Group {
    Segment segments[kLanes];
    size_t count = 0;
    alignas(64) uint8_t keystream[kLanes * kChaCha20BlockSize];

    std::span<Segment> used() { return std::span(segments).first(count); }
  };

  Message& message_of(const Segment& segment) { return messages_[segment.job % kMessages]; }

  /// Gives the lanes of a group to the next blocks; false when there are none left.
  bool assign_lanes(Group& group) {
    group.count = 0;
    size_t lane = 0;
    while (lane < kLanes && next_job_ < jobs_.size()) {
      Job& job = jobs_[next_job_];
      Message& message = messages_[next_job_ % kMessages];
      const bool first = next_block_ == 0;
      if (first) {
        message.size = text_size(job);
        if constexpr (kSealing) message.plaintext = Gather(job.plaintext);
      }
      const size_t blocks = 1 + (message.size + kChaCha20BlockSize - 1) / kChaCha20BlockSize;
      const size_t count = std::min(kLanes - lane, blocks - next_block_);
      for (size_t i = lane; i < lane + count; i++) {
        if (lane_jobs_[i] == next_job_) continue;
        states_.set_nonce(i, job.nonce.data());
        lane_jobs_[i] = next_job_;
      }
      if (count == kLanes) {
        states_.set_counters(static_cast<uint32_t>(next_block_));
      } else {
        for (size_t i = 0; i < count; i++) states_.set_counter(lane + i, static_cast<uint32_t>(next_block_ + i));
      }
      const size_t offset = first ? 0 : (next_block_ - 1) * kChaCha20BlockSize;
      const size_t data_blocks = count - first;
      group.segments[group.count++] = {
          .job = next_job_,
          .first = first,
          .last = next_block_ + count == blocks,
          .keystream = group.keystream + kChaCha20BlockSize * lane,
          .offset = offset,
          .size = std::min(data_blocks * kChaCha20BlockSize, message.size - offset),
          .authenticated = 0,
      };
      lane += count;
      next_block_ += count;
      if (next_block_ == blocks) next_job_++, next_block_ = 0;
    }
    return lane > 0;
  }

  void authenticate_longest_run_while_computing(Group& previous, Group& current) {
    if constexpr (!std::is_same_v<typename Engine::Work, Idle>) {
      Segment* longest = nullptr;
      for (Segment& segment : previous.used()) {
        if (!longest || segment.size > longest->size) longest = &segment;
      }
      if (longest && longest->size >= Engine::kWorthInterleaving) {
        const size_t blocks = longest->size / kPoly1305BlockSize;
        typename Engine::Work work(message_of(*longest).mac, text_of(jobs_[longest->job]) + longest->offset, blocks);
        keystream_blocks(states_, current.keystream, work);
        longest->authenticated = (blocks - work.finish(message_of(*longest).mac)) * kPoly1305BlockSize;
        return;
      }
    }
    Idle idle;
    keystream_blocks(states_, current.keystream, idle);
  }

  void begin(Segment& segment) {
    Job& job = jobs_[segment.job];
    Message& message = message_of(segment);
    if (segment.first) {
      message.mac.set_key(segment.keystream);
      absorb_padded(message.mac, job.aad);
      segment.keystream += kChaCha20BlockSize;
    }
    if constexpr (kSealing) {
      uint8_t* const out = job.out + segment.offset;
      const uint8_t* const in = message.plaintext.take(segment.size, out);
      xor_keystream<Vector>(in, segment.keystream, segment.size, out);
    }
  }

  void complete(Segment& segment) {
    Job& job = jobs_[segment.job];
    Message& message = message_of(segment);
    uint8_t* const text = text_of(job) + segment.offset;
    absorb_padded(message.mac, Bytes(text, segment.size).subspan(segment.authenticated));
    if constexpr (!kSealing) xor_keystream<Vector>(text, segment.keystream, segment.size, text);
    if (!segment.last) return;
    uint8_t lengths[16];
    store_le<uint64_t>(lengths, job.aad.size());
    store_le<uint64_t>(lengths + 8, message.size);
    message.mac.absorb(lengths, 1);
    uint8_t tag[kAeadTagSize];
    message.mac.finish(tag);
    ct::wipe(message.mac);
    if constexpr (kSealing) {
      std::memcpy(job.out + message.size, tag, kAeadTagSize);
    } else {
      job.authentic = ct::equal(tag, job.data.last(kAeadTagSize));
      if (!job.authentic) ct::wipe(job.data.data(), message.size);
    }
    ct::wipe(tag);
  }

  std::span<Job> jobs_;
  size_t next_job_ = 0;
  size_t next_block_ = 0;  // of that job
  LaneStates<Vector> states_;
  size_t lane_jobs_[kLanes];  // whose nonce each lane has
  Message messages_[kMessages];
  Group groups_[2];
};

template <class Engine>
struct ChaCha20Poly1305Functions {
  using Vector = typename Engine::Vector;
  using Mac = typename Engine::Mac;
  static constexpr size_t kLanes = Vector::kLanes;

  static void expand_key(AeadState& state, const uint8_t* key) {
    std::memcpy(state.bytes.data(), key, kChaCha20KeySize);
  }

  static void seal(const AeadState& state, std::span<const SealJob> jobs) {
    Train<Engine, const SealJob>(reinterpret_cast<const uint8_t*>(state.bytes.data()), jobs).run();
  }

  static void open(const AeadState& state, std::span<OpenJob> jobs) {
    Train<Engine, OpenJob>(reinterpret_cast<const uint8_t*>(state.bytes.data()), jobs).run();
  }

  static void expand_header_key(HeaderProtectionState& state, const uint8_t* key) {
    std::memcpy(state.bytes.data(), key, kChaCha20KeySize);
  }

  /// RFC 9001 §5.4.4: the sample is the block counter and the nonce.
  static void masks(const HeaderProtectionState& state, std::span<const uint8_t* const> samples,
                    std::span<HeaderMask> masks) {
    LaneStates<Vector> states;
    states.set_key(reinterpret_cast<const uint8_t*>(state.bytes.data()));
    alignas(64) uint8_t keystream[kLanes * kChaCha20BlockSize];
    Idle idle;
    for (size_t done = 0; done < samples.size(); done += kLanes) {
      const size_t count = std::min(kLanes, samples.size() - done);
      for (size_t lane = 0; lane < kLanes; lane++) {  // idle lanes repeat the last sample
        const uint8_t* const sample = samples[done + std::min(lane, count - 1)];
        states.set_counter(lane, load_le<uint32_t>(sample));
        states.set_nonce(lane, sample + 4);
      }
      keystream_blocks(states, keystream, idle);
      for (size_t i = 0; i < count; i++) {
        std::memcpy(masks[done + i].data(), keystream + kChaCha20BlockSize * i, sizeof(HeaderMask));
      }
    }
    ct::wipe(states);
    ct::wipe(keystream);
  }

  static void apply(const uint8_t* key, uint32_t counter, const uint8_t* nonce, Bytes in, uint8_t* out) {
    LaneStates<Vector> states;
    states.set_key(key);
    for (size_t lane = 0; lane < kLanes; lane++) states.set_nonce(lane, nonce);
    alignas(64) uint8_t keystream[kLanes * kChaCha20BlockSize];
    Idle idle;
    for (size_t done = 0; done < in.size(); done += sizeof keystream) {
      states.set_counters(counter);
      counter += kLanes;
      keystream_blocks(states, keystream, idle);
      const size_t size = std::min(in.size() - done, sizeof keystream);
      xor_keystream<Vector>(in.data() + done, keystream, size, out + done);
    }
    ct::wipe(states);
    ct::wipe(keystream);
  }

  static void mac(const uint8_t* key, Bytes message, uint8_t* tag) {
    Mac mac;
    mac.set_key(key);
    const size_t whole = message.size() / kPoly1305BlockSize;
    mac.absorb(message.data(), whole);
    const Bytes rest = message.subspan(whole * kPoly1305BlockSize);
    if (!rest.empty()) {
      uint8_t block[kPoly1305BlockSize] = {};
      copy_bytes(block, rest);
      block[rest.size()] = 1;
      mac.absorb_short(block);
    }
    mac.finish(tag);
    ct::wipe(mac);
  }

  static constexpr Aead aead(Implementation implementation) {
    return {implementation,
            AeadId::chacha20_poly1305,
            "ChaCha20-Poly1305",
            kChaCha20KeySize,
            kChaCha20Poly1305ConfidentialityLimit,
            kChaCha20Poly1305IntegrityLimit,
            expand_key,
            seal,
            open};
  }

  static constexpr HeaderProtection header_protection(Implementation implementation) {
    return {implementation, HeaderProtectionId::chacha20, "ChaCha20", kChaCha20KeySize, expand_header_key, masks};
  }
};

}  // namespace
}  // namespace quoll::crypto
