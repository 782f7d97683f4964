// AES header protection masks (RFC 9001 §5.4.3): AES-ECB of the samples with bitsliced AES, four at a time.
#include <algorithm>
#include <cstring>
#include <new>

#include "crypto/ct.h"
#include "crypto/portable/aes.h"
#include "crypto/portable/aes_bitsliced.h"

namespace quoll::crypto {
namespace {

static_assert(sizeof(CompactAesKey) <= kHeaderProtectionStateSize);

template <size_t kKeySize>
void expand_key(HeaderProtectionState& state, const uint8_t* key) {
  expand_aes_key(*new (state.bytes.data()) CompactAesKey, key, kKeySize);
}

template <size_t kKeySize>
void masks(const HeaderProtectionState& state, std::span<const uint8_t* const> samples, std::span<HeaderMask> masks) {
  const AesSchedule aes(*reinterpret_cast<const CompactAesKey*>(state.bytes.data()), aes_rounds(kKeySize));
  uint8_t blocks[4 * kSampleSize] = {};
  for (size_t done = 0; done < samples.size(); done += 4) {
    const size_t part = std::min<size_t>(4, samples.size() - done);
    for (size_t i = 0; i < part; i++) std::memcpy(blocks + kSampleSize * i, samples[done + i], kSampleSize);
    aes.encrypt_four(blocks, blocks);
    for (size_t i = 0; i < part; i++) std::memcpy(masks[done + i].data(), blocks + kSampleSize * i, kSampleSize);
  }
  ct::wipe(blocks);
}

template <size_t kKeySize>
constexpr HeaderProtection table(HeaderProtectionId id, std::string_view name) {
  return {{.implementation = "portable", .tier = cpu::Tier::portable, .needs = cpu::kNone},
          id,
          name,
          kKeySize,
          expand_key<kKeySize>,
          masks<kKeySize>};
}

}  // namespace

constexpr HeaderProtection kHeaderAes128Portable = table<16>(HeaderProtectionId::aes_128, "AES-128-ECB");
constexpr HeaderProtection kHeaderAes256Portable = table<32>(HeaderProtectionId::aes_256, "AES-256-ECB");

}  // namespace quoll::crypto
