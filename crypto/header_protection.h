// Header protection masks (RFC 9001 §5.4): AES-ECB of the sample, or ChaCha20 keyed by counter and nonce in the sample.
//
// A HeaderProtection is a constant table of one implementation; masks are made for a whole batch of samples at once.
#pragma once

#include <array>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/implementation.h"

namespace quoll::crypto {

inline constexpr size_t kSampleSize = 16;
inline constexpr size_t kHeaderProtectionStateSize = 256;

/// The first 16 bytes of the cipher's output. QUIC uses the first five; all sixteen are the AES-ECB block, which
/// QUIC-LB connection ids use.
using HeaderMask = std::array<uint8_t, 16>;

struct alignas(16) HeaderProtectionState {
  std::array<std::byte, kHeaderProtectionStateSize> bytes;
};

enum class HeaderProtectionId : uint8_t { aes_128, aes_256, chacha20 };

struct HeaderProtection : Implementation {
  HeaderProtectionId id;
  std::string_view name;  // "AES-128-ECB"
  size_t key_size;        // bytes

  void (*expand_key)(HeaderProtectionState& state, const uint8_t* key);
  /// masks[i] is made from the kSampleSize bytes at samples[i]; the two spans have the same size.
  void (*masks)(const HeaderProtectionState& state, std::span<const uint8_t* const> samples,
                std::span<HeaderMask> masks);
};

/// A header protection key in use. Wiped on destruction.
class HeaderProtectionKey {
 public:
  /// Refuses a key of the wrong size (Failure::length).
  [[nodiscard]] static Result<HeaderProtectionKey> create(const HeaderProtection& algorithm, Bytes key);

  HeaderProtectionKey(const HeaderProtectionKey&) = delete;
  HeaderProtectionKey& operator=(const HeaderProtectionKey&) = delete;
  HeaderProtectionKey(HeaderProtectionKey&& other) noexcept;
  HeaderProtectionKey& operator=(HeaderProtectionKey&& other) noexcept;
  ~HeaderProtectionKey();

  const HeaderProtection& algorithm() const { return *algorithm_; }

  HeaderMask mask(std::span<const uint8_t, kSampleSize> sample) const;
  void masks(std::span<const uint8_t* const> samples, std::span<HeaderMask> masks) const;

 private:
  explicit HeaderProtectionKey(const HeaderProtection& algorithm) : algorithm_(&algorithm) {}

  HeaderProtectionState state_;
  const HeaderProtection* algorithm_;
};

}  // namespace quoll::crypto
