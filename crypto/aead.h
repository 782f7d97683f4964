// Authenticated encryption for packets: AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305 (RFC 5116, RFC 8439).
//
// An Aead is a constant table: sizes, limits and the functions of one implementation. An AeadKey is a key expanded for
// it; it counts what it seals and fails to open, and refuses beyond the limits of RFC 9001 §6.6. The functions take a
// batch (a GSO train: many short packets under one key), because that is where the speed is; a single packet is a batch
// of one.
//
// Sealing gathers: the plaintext may lie in pieces. Opening works in place. The nonce is the caller's business (RFC
// 9001 §5.3 forms it from the packet number); a nonce used twice under one key breaks the algorithm.
#pragma once

#include <array>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kAeadNonceSize = 12;
inline constexpr size_t kAeadTagSize = 16;
inline constexpr size_t kAeadKeySizeMax = 32;
inline constexpr size_t kAeadStateSize = 768;

/// RFC 9001 §6.6 bounds packets, not bytes; RFC 8439 §2.8 and GCM's 32-bit counter bound one message.
inline constexpr size_t kAeadMessageSizeMax = size_t{1} << 30;

using Nonce = std::array<uint8_t, kAeadNonceSize>;

/// One message to seal. `out` takes the plaintext's size plus kAeadTagSize bytes: ciphertext, then tag. Each piece of
/// plaintext either lies exactly where its ciphertext goes or overlaps no output of the batch.
struct SealJob {
  Nonce nonce;
  Bytes aad;
  std::span<const Bytes> plaintext;
  uint8_t* out;
};

/// One message to open in place: `data` is ciphertext then tag, at least kAeadTagSize bytes. After opening, `authentic`
/// tells whether the tag was right. If so, the plaintext stands where the ciphertext stood. If not, that part is zeros.
/// The tag's bytes are left as they came in either case (a stateless reset is recognised by them).
struct OpenJob {
  Nonce nonce;
  Bytes aad;
  MutBytes data;
  bool authentic = false;
};

/// A key schedule: opaque, laid out by the implementation that filled it.
struct alignas(64) AeadState {
  std::array<std::byte, kAeadStateSize> bytes;
};

enum class AeadId : uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };

struct Aead : Implementation {
  AeadId id;
  std::string_view name;           // "AES-128-GCM"
  size_t key_size;                 // bytes
  uint64_t confidentiality_limit;  // packets that one key may seal
  uint64_t integrity_limit;        // packets that may fail to open under one key

  // The raw functions: no counting, no checks beyond QUOLL_DCHECK. AeadKey is what callers use.
  void (*expand_key)(AeadState& state, const uint8_t* key);
  void (*seal)(const AeadState& state, std::span<const SealJob> jobs);
  void (*open)(const AeadState& state, std::span<OpenJob> jobs);
};

// RFC 9001 §6.6 and appendix B. ChaCha20-Poly1305 has no confidentiality limit below the number of packet numbers,
// 2^62.
inline constexpr uint64_t kAesGcmConfidentialityLimit = uint64_t{1} << 23;
inline constexpr uint64_t kAesGcmIntegrityLimit = uint64_t{1} << 52;
inline constexpr uint64_t kChaCha20Poly1305ConfidentialityLimit = uint64_t{1} << 62;
inline constexpr uint64_t kChaCha20Poly1305IntegrityLimit = uint64_t{1} << 36;

/// A key in use. Wiped on destruction. Not thread-safe.
class AeadKey {
 public:
  /// Refuses a key of the wrong size (Failure::length).
  [[nodiscard]] static Result<AeadKey> create(const Aead& aead, Bytes key);

  AeadKey(const AeadKey&) = delete;
  AeadKey& operator=(const AeadKey&) = delete;
  AeadKey(AeadKey&& other) noexcept;
  AeadKey& operator=(AeadKey&& other) noexcept;
  ~AeadKey();

  const Aead& aead() const { return *aead_; }

  /// Seals all jobs, or none: Failure::limit when that would pass the confidentiality limit, Failure::length for a
  /// message of more than kAeadMessageSizeMax bytes.
  [[nodiscard]] Result<void> seal(std::span<const SealJob> jobs);

  /// Seals one message; `out` must have exactly plaintext.size() + kAeadTagSize bytes and either start at the plaintext
  /// or not overlap it.
  [[nodiscard]] Result<void> seal(const Nonce& nonce, Bytes aad, Bytes plaintext, MutBytes out);

  /// Opens all jobs and sets their `authentic`. Failure::limit when the integrity limit was reached earlier, or
  /// Failure::length when a job's data is shorter than a tag or too long; then nothing was touched.
  [[nodiscard]] Result<void> open(std::span<OpenJob> jobs);

  /// Opens one message in place. The plaintext, a prefix of `data`; Failure::authentication if the tag is wrong.
  [[nodiscard]] Result<MutBytes> open(const Nonce& nonce, Bytes aad, MutBytes data);

  /// Packets sealed with this key so far, and packets that failed to open.
  uint64_t sealed() const { return sealed_; }
  uint64_t failed() const { return failed_; }

 private:
  explicit AeadKey(const Aead& aead) : aead_(&aead) {}

  AeadState state_;
  const Aead* aead_;
  uint64_t sealed_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace quoll::crypto
