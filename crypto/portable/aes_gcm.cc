// AES-GCM with 96-bit nonces (NIST SP 800-38D §7, RFC 5116 §5) on bitsliced AES and GHASH by integer multiplication.
//
// Constant-time in everything but sizes. The key stream is made four blocks at a time; the first four hold the block
// that masks the tag (counter 1) and the first three of the text.
#include <cstring>
#include <new>

#include "base/check.h"
#include "crypto/ct.h"
#include "crypto/piece_cursor.h"
#include "crypto/portable/aes.h"
#include "crypto/portable/aes_bitsliced.h"
#include "crypto/portable/ghash.h"

namespace quoll::crypto {
namespace {

struct State {
  CompactAesKey aes;
  GhashBlock h;
};
static_assert(sizeof(State) <= kAeadStateSize);

const State& view(const AeadState& state) { return *reinterpret_cast<const State*>(state.bytes.data()); }

constexpr size_t kBatchSize = 64;  // four blocks

/// The key stream of one message, handed out in runs of at most kBatchSize bytes. Starts at counter 1.
class KeyStream {
 public:
  KeyStream(const AesSchedule& aes, const Nonce& nonce) : aes_(aes) {
    for (size_t i = 0; i < 4; i++) copy_bytes(counters_ + 16 * i, nonce);
    refill();
  }
  KeyStream(const KeyStream&) = delete;
  KeyStream& operator=(const KeyStream&) = delete;
  ~KeyStream() { ct::wipe(stream_); }

  /// How many bytes the next take() may ask for; never 0.
  size_t available() {
    if (used_ == kBatchSize) refill();
    return kBatchSize - used_;
  }

  const uint8_t* take(size_t size) {
    const uint8_t* here = stream_ + used_;
    used_ += size;
    return here;
  }

 private:
  void refill() {
    for (size_t i = 0; i < 4; i++) store_be(counters_ + 16 * i + 12, counter_++);
    aes_.encrypt_four(stream_, counters_);
    used_ = 0;
  }

  const AesSchedule& aes_;
  uint32_t counter_ = 1;
  size_t used_ = 0;
  uint8_t counters_[kBatchSize];
  uint8_t stream_[kBatchSize];
};

void xor_bytes(uint8_t* out, const uint8_t* in, const uint8_t* with, size_t size) {
  for (size_t i = 0; i < size; i++) out[i] = in[i] ^ with[i];
}

template <size_t kKeySize>
void expand_key(AeadState& state, const uint8_t* key) {
  State& s = *new (state.bytes.data()) State;
  expand_aes_key(s.aes, key, kKeySize);
  uint8_t blocks[kBatchSize] = {};
  AesSchedule(s.aes, aes_rounds(kKeySize)).encrypt_four(blocks, blocks);
  s.h = {.high = load_be<uint64_t>(blocks), .low = load_be<uint64_t>(blocks + 8)};
  ct::wipe(blocks);
}

void seal_one(const AesSchedule& aes, Ghash& ghash, const SealJob& job) {
  KeyStream stream(aes, job.nonce);
  const uint8_t* tag_mask = stream.take(16);
  uint8_t tag_mask_copy[16];
  std::memcpy(tag_mask_copy, tag_mask, 16);
  ghash.reset();
  ghash.update(job.aad);

  PieceCursor plaintext(job.plaintext);
  const size_t size = PieceCursor::total_size(job.plaintext);
  uint8_t staging[kBatchSize];
  for (size_t done = 0; done < size;) {
    const size_t part = std::min(stream.available(), size - done);
    xor_bytes(job.out + done, plaintext.next(part, staging), stream.take(part), part);
    ghash.update({job.out + done, part});
    done += part;
  }

  uint8_t hash[16];
  ghash.finish(hash, job.aad.size(), size);
  xor_bytes(job.out + size, hash, tag_mask_copy, 16);
  ct::wipe(tag_mask_copy);
  ct::wipe(hash);
  ct::wipe(staging);
}

void open_one(const AesSchedule& aes, Ghash& ghash, OpenJob& job) {
  QUOLL_DCHECK(job.data.size() >= kAeadTagSize);
  const MutBytes text = job.data.first(job.data.size() - kAeadTagSize);
  KeyStream stream(aes, job.nonce);
  ghash.reset();
  ghash.update(job.aad);
  ghash.update(text);
  uint8_t tag[16];
  ghash.finish(tag, job.aad.size(), text.size());
  xor_bytes(tag, tag, stream.take(16), 16);
  job.authentic = ct::equal(tag, job.data.last(kAeadTagSize));
  ct::wipe(tag);
  if (!job.authentic) {
    if (!text.empty()) std::memset(text.data(), 0, text.size());
    return;
  }
  for (size_t done = 0; done < text.size();) {
    const size_t part = std::min(stream.available(), text.size() - done);
    xor_bytes(text.data() + done, text.data() + done, stream.take(part), part);
    done += part;
  }
}

template <size_t kKeySize>
void seal(const AeadState& state, std::span<const SealJob> jobs) {
  const AesSchedule aes(view(state).aes, aes_rounds(kKeySize));
  Ghash ghash(view(state).h);
  for (const SealJob& job : jobs) seal_one(aes, ghash, job);
}

template <size_t kKeySize>
void open(const AeadState& state, std::span<OpenJob> jobs) {
  const AesSchedule aes(view(state).aes, aes_rounds(kKeySize));
  Ghash ghash(view(state).h);
  for (OpenJob& job : jobs) open_one(aes, ghash, job);
}

template <size_t kKeySize>
constexpr Aead table(AeadId id, std::string_view name) {
  return {{.implementation = "portable", .tier = cpu::Tier::portable, .needs = cpu::kNone},
          id,
          name,
          kKeySize,
          kAesGcmConfidentialityLimit,
          kAesGcmIntegrityLimit,
          expand_key<kKeySize>,
          seal<kKeySize>,
          open<kKeySize>};
}

}  // namespace

constexpr Aead kAes128GcmPortable = table<16>(AeadId::aes_128_gcm, "AES-128-GCM");
constexpr Aead kAes256GcmPortable = table<32>(AeadId::aes_256_gcm, "AES-256-GCM");

}  // namespace quoll::crypto
