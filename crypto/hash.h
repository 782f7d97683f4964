// Hash functions: SHA-256, SHA-384, SHA-512 (RFC 6234), SHA3-256, SHA3-512 (FIPS 202).
//
// A HashAlgorithm is a constant table of one implementation. A Hash is a running computation: a plain value that can be
// copied, so that a TLS transcript can be read in the middle and go on.
#pragma once

#include <array>
#include <span>

#include "base/bytes.h"
#include "crypto/ct.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kDigestSizeMax = 64;
inline constexpr size_t kHashBlockSizeMax = 136;
inline constexpr size_t kHashStateSize = 200;

/// A hash value of up to kDigestSizeMax bytes. May be a secret (HMAC, HKDF), so it is wiped on destruction.
class Digest {
 public:
  Digest() = default;
  explicit Digest(size_t size) : size_(static_cast<uint8_t>(size)) {}
  Digest(const Digest&) = default;
  Digest& operator=(const Digest&) = default;
  ~Digest() { ct::wipe(bytes_); }

  uint8_t* data() { return bytes_.data(); }
  const uint8_t* data() const { return bytes_.data(); }
  size_t size() const { return size_; }
  Bytes bytes() const { return Bytes(bytes_).first(size_); }
  operator Bytes() const { return bytes(); }

  /// Constant time.
  friend bool operator==(const Digest& a, const Digest& b) { return ct::equal(a.bytes(), b.bytes()); }

 private:
  std::array<uint8_t, kDigestSizeMax> bytes_{};
  uint8_t size_ = 0;
};

enum class HashId : uint8_t { sha256, sha384, sha512, sha3_256, sha3_512 };

/// The chaining value in the implementation's own layout.
struct alignas(64) HashState {
  std::array<std::byte, kHashStateSize> bytes;
};

struct HashAlgorithm : Implementation {
  HashId id;
  std::string_view name;  // "SHA-256"
  size_t digest_size;     // bytes
  size_t block_size;      // bytes; HMAC's block size (for SHA-3: the rate)

  void (*init)(HashState& state);
  /// Absorbs `count` whole blocks.
  void (*blocks)(HashState& state, const uint8_t* data, size_t count);
  /// Pads the `tail` (shorter than a block), the end of a message of `total` bytes in all, and writes the digest. The
  /// state is used up; `digest` may be where `tail` is.
  void (*finish)(HashState& state, Bytes tail, uint64_t total, uint8_t* digest);
};

class Hash {
 public:
  explicit Hash(const HashAlgorithm& algorithm);
  Hash(const Hash&) = default;
  Hash& operator=(const Hash&) = default;
  ~Hash();

  const HashAlgorithm& algorithm() const { return *algorithm_; }

  Hash& update(Bytes data);

  /// The digest of all that was fed. The computation may go on: this finishes a copy.
  Digest digest() const;

  /// As digest(), into `out` of exactly digest_size bytes.
  void digest_into(uint8_t* out) const;

 private:
  HashState state_;
  std::array<uint8_t, kHashBlockSizeMax> buffer_;
  size_t buffered_ = 0;  // bytes in the buffer, always less than a block
  uint64_t total_ = 0;   // bytes fed
  const HashAlgorithm* algorithm_;
};

/// The digest of one message.
Digest hash(const HashAlgorithm& algorithm, Bytes message);

}  // namespace quoll::crypto
