#include "quic/path/connection_id_generator.h"

#include "base/check.h"
#include "crypto/ct.h"

namespace quoll::quic {

namespace {

crypto::HeaderProtectionKey expand(const crypto::Provider& provider, Bytes key) {
  const crypto::HeaderProtection& algorithm = key.size() == 32 ? *provider.header_aes_256 : *provider.header_aes_128;
  Result<crypto::HeaderProtectionKey> expanded = crypto::HeaderProtectionKey::create(algorithm, key);
  QUOLL_CHECK(expanded);  // the key has the wrong size
  return *std::move(expanded);
}

}  // namespace

RandomConnectionIds::RandomConnectionIds(size_t size) : size_(size) { QUOLL_CHECK(size <= kConnectionIdSizeMax); }

ConnectionId RandomConnectionIds::generate(Rng& rng) {
  std::array<uint8_t, kConnectionIdSizeMax> bytes;
  const MutBytes id = MutBytes(bytes).first(size_);
  if (!id.empty()) rng.fill(id);
  return ConnectionId(id);
}

WorkerConnectionIds::WorkerConnectionIds(const crypto::Provider& provider, Bytes key, uint16_t worker)
    : key_(expand(provider, key)), worker_(worker) {}

ConnectionId WorkerConnectionIds::generate(Rng& rng) {
  std::array<uint8_t, kSize> id;
  const MutBytes nonce = MutBytes(id).first(kNonceSize);
  rng.fill(nonce);
  const uint16_t pad = load_be<uint16_t>(function(nonce, Use::hide_worker, 0).data());
  store_be<uint16_t>(id.data() + kNonceSize, static_cast<uint16_t>(worker_ ^ pad));
  copy_bytes(id.data() + kSize - kCheckSize, Bytes(function(nonce, Use::check, worker_)).first(kCheckSize));
  return ConnectionId(id);
}

std::optional<uint16_t> WorkerConnectionIds::worker_of(Bytes id) const {
  if (id.size() != kSize) return {};
  const Bytes nonce = id.first(kNonceSize);
  const uint16_t pad = load_be<uint16_t>(function(nonce, Use::hide_worker, 0).data());
  const auto worker = static_cast<uint16_t>(load_be<uint16_t>(id.data() + kNonceSize) ^ pad);
  const crypto::HeaderMask check = function(nonce, Use::check, worker);
  if (!crypto::ct::equal(Bytes(check).first(kCheckSize), id.last(kCheckSize))) return {};
  return worker;
}

crypto::HeaderMask WorkerConnectionIds::function(Bytes nonce, Use use, uint16_t worker) const {
  std::array<uint8_t, crypto::kSampleSize> block{};
  copy_bytes(block.data(), nonce);
  block[kNonceSize] = static_cast<uint8_t>(use);
  store_be<uint16_t>(block.data() + kNonceSize + 1, worker);
  return key_.mask(block);
}

}  // namespace quoll::quic
