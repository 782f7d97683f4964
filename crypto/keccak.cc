#include "crypto/keccak.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/ct.h"
#include "crypto/keccak_sponge.h"
#include "crypto/portable/keccak.h"

namespace quoll::crypto {

#ifndef QUOLL_NATIVE_CRYPTO
std::span<const Keccak* const> native_keccaks() { return {}; }
#endif

namespace {

constexpr size_t kKeccaksMax = 8;

struct KeccakList {
  std::array<const Keccak*, kKeccaksMax> entries{};
  size_t count = 0;
};

KeccakList runnable_keccaks() {
  KeccakList list;
  for (const Keccak* entry : native_keccaks()) {
    if (entry->runs_on(cpu::features(), cpu::cap())) list.entries[list.count++] = entry;
  }
  list.entries[list.count++] = &kKeccakPortable;
  return list;
}

}  // namespace

std::span<const Keccak* const> keccaks() {
  static const KeccakList list = runnable_keccaks();
  return std::span(list.entries).first(list.count);
}

Shake::~Shake() { ct::wipe(state_); }

Shake& Shake::absorb(Bytes data) {
  QUOLL_CHECK(!squeezing_);
  while (!data.empty()) {
    if (position_ == rate_) {
      keccak_->permute(state_.data());
      position_ = 0;
    }
    const size_t piece = std::min<size_t>(data.size(), rate_ - position_);
    sponge::xor_bytes(state_.data(), position_, data.first(piece));
    position_ = static_cast<uint8_t>(position_ + piece);
    data = data.subspan(piece);
  }
  return *this;
}

Shake& Shake::squeeze(MutBytes out) {
  if (!squeezing_) {
    squeezing_ = true;
    if (position_ == rate_) {
      keccak_->permute(state_.data());
      position_ = 0;
    }
    sponge::pad(state_.data(), position_, rate_, sponge::kShakeSuffix);
    position_ = rate_;
  }
  while (!out.empty()) {
    if (position_ == rate_) {
      keccak_->permute(state_.data());
      position_ = 0;
    }
    const size_t piece = std::min<size_t>(out.size(), rate_ - position_);
    sponge::read_bytes(state_.data(), position_, out.first(piece));
    position_ = static_cast<uint8_t>(position_ + piece);
    out = out.subspan(piece);
  }
  return *this;
}

}  // namespace quoll::crypto
