#include "crypto/aead.h"

#include <utility>

#include "base/check.h"
#include "crypto/ct.h"
#include "crypto/failure.h"

namespace quoll::crypto {
namespace {

size_t total_size(std::span<const Bytes> pieces) {
  size_t size = 0;
  for (const Bytes piece : pieces) {
    if (piece.size() > kAeadMessageSizeMax) return kAeadMessageSizeMax + 1;
    size += piece.size();
    if (size > kAeadMessageSizeMax) break;
  }
  return size;
}

bool overlap(Bytes a, Bytes b) {
  const auto begin = [](Bytes bytes) { return reinterpret_cast<uintptr_t>(bytes.data()); };
  return !a.empty() && !b.empty() && begin(a) < begin(b) + b.size() && begin(b) < begin(a) + a.size();
}

}  // namespace

Result<AeadKey> AeadKey::create(const Aead& aead, Bytes key) {
  if (key.size() != aead.key_size) return refuse(Failure::length, "AEAD key of the wrong size");
  AeadKey expanded(aead);
  aead.expand_key(expanded.state_, key.data());
  return expanded;
}

AeadKey::AeadKey(AeadKey&& other) noexcept
    : state_(other.state_), aead_(other.aead_), sealed_(other.sealed_), failed_(other.failed_) {
  ct::wipe(other.state_);
  other.aead_ = nullptr;
}

AeadKey& AeadKey::operator=(AeadKey&& other) noexcept {
  if (this != &other) {
    state_ = other.state_;
    aead_ = std::exchange(other.aead_, nullptr);
    sealed_ = other.sealed_;
    failed_ = other.failed_;
    ct::wipe(other.state_);
  }
  return *this;
}

AeadKey::~AeadKey() { ct::wipe(state_); }

Result<void> AeadKey::seal(std::span<const SealJob> jobs) {
  QUOLL_CHECK(aead_);  // not moved from
  if (jobs.size() > aead_->confidentiality_limit - sealed_) {
    return refuse(Failure::limit, "AEAD key has reached its confidentiality limit");
  }
  for (const SealJob& job : jobs) {
    if (total_size(job.plaintext) > kAeadMessageSizeMax || job.aad.size() > kAeadMessageSizeMax) {
      return refuse(Failure::length, "message too long for one AEAD packet");
    }
  }
  sealed_ += jobs.size();
  aead_->seal(state_, jobs);
  return {};
}

Result<void> AeadKey::seal(const Nonce& nonce, Bytes aad, Bytes plaintext, MutBytes out) {
  if (out.size() != plaintext.size() + kAeadTagSize) {
    return refuse(Failure::length, "room for the ciphertext is not plaintext plus tag");
  }
  if (plaintext.data() != out.data() && overlap(plaintext, out)) {
    return usage_error("plaintext and ciphertext overlap but do not start together");
  }
  const SealJob job{.nonce = nonce, .aad = aad, .plaintext = {&plaintext, 1}, .out = out.data()};
  return seal({&job, 1});
}

Result<void> AeadKey::open(std::span<OpenJob> jobs) {
  QUOLL_CHECK(aead_);  // not moved from
  if (failed_ >= aead_->integrity_limit) return refuse(Failure::limit, "AEAD key has reached its integrity limit");
  for (const OpenJob& job : jobs) {
    if (job.data.size() < kAeadTagSize) return refuse(Failure::length, "ciphertext shorter than its tag");
    if (job.data.size() - kAeadTagSize > kAeadMessageSizeMax || job.aad.size() > kAeadMessageSizeMax) {
      return refuse(Failure::length, "message too long for one AEAD packet");
    }
  }
  aead_->open(state_, jobs);
  for (const OpenJob& job : jobs) failed_ += !job.authentic;
  return {};
}

Result<MutBytes> AeadKey::open(const Nonce& nonce, Bytes aad, MutBytes data) {
  OpenJob job{.nonce = nonce, .aad = aad, .data = data};
  if (const auto opened = open({&job, 1}); !opened) return std::unexpected(opened.error());
  if (!job.authentic) return refuse(Failure::authentication, "AEAD tag does not match");
  return data.first(data.size() - kAeadTagSize);
}

}  // namespace quoll::crypto
