#include "crypto/header_protection.h"

#include <utility>

#include "base/check.h"
#include "crypto/ct.h"
#include "crypto/failure.h"

namespace quoll::crypto {

Result<HeaderProtectionKey> HeaderProtectionKey::create(const HeaderProtection& algorithm, Bytes key) {
  if (key.size() != algorithm.key_size) return refuse(Failure::length, "header protection key of the wrong size");
  HeaderProtectionKey expanded(algorithm);
  algorithm.expand_key(expanded.state_, key.data());
  return expanded;
}

HeaderProtectionKey::HeaderProtectionKey(HeaderProtectionKey&& other) noexcept
    : state_(other.state_), algorithm_(std::exchange(other.algorithm_, nullptr)) {
  ct::wipe(other.state_);
}

HeaderProtectionKey& HeaderProtectionKey::operator=(HeaderProtectionKey&& other) noexcept {
  if (this != &other) {
    state_ = other.state_;
    algorithm_ = std::exchange(other.algorithm_, nullptr);
    ct::wipe(other.state_);
  }
  return *this;
}

HeaderProtectionKey::~HeaderProtectionKey() { ct::wipe(state_); }

HeaderMask HeaderProtectionKey::mask(std::span<const uint8_t, kSampleSize> sample) const {
  const uint8_t* const data = sample.data();
  HeaderMask mask;
  masks({&data, 1}, {&mask, 1});
  return mask;
}

void HeaderProtectionKey::masks(std::span<const uint8_t* const> samples, std::span<HeaderMask> masks) const {
  QUOLL_CHECK(algorithm_);  // not moved from
  QUOLL_CHECK(samples.size() == masks.size());
  algorithm_->masks(state_, samples, masks);
}

}  // namespace quoll::crypto
