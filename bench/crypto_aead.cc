// AEAD sealing and opening of single packets, of a 40-packet train, and header protection masks.
#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/check.h"
#include "bench/crypto_families.h"
#include "crypto/aead.h"
#include "crypto/header_protection.h"

namespace quoll::bench {
namespace {

using namespace quoll::crypto;

constexpr size_t kTrain = 40;
constexpr size_t kPacket = 1350;
constexpr size_t kHeader = 16;  // bytes of AAD: a short header's size, and a little more

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

/// One packet through OpenSSL with a context made beforehand: only the nonce changes.
void openssl_seal(EVP_CIPHER_CTX* context, const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out) {
  int size = 0;
  EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce);
  EVP_EncryptUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size()));
  EVP_EncryptUpdate(context, out, &size, in.data(), static_cast<int>(in.size()));
  EVP_EncryptFinal_ex(context, out + size, &size);
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, out + in.size());
}

bool openssl_open(EVP_CIPHER_CTX* context, const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out) {
  int size = 0;
  EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce);
  EVP_DecryptUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size()));
  EVP_DecryptUpdate(context, out, &size, in.data(), static_cast<int>(in.size() - kAeadTagSize));
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagSize,
                      const_cast<uint8_t*>(in.data() + in.size() - kAeadTagSize));
  return EVP_DecryptFinal_ex(context, out + size, &size) == 1;
}

void bench_one(Table& table, const Aead& aead, const EVP_CIPHER* peer) {
  const std::vector<uint8_t> key(aead.key_size, 0x42);
  const std::vector<uint8_t> aad(kHeader, 0x17);
  // Nonces made beforehand: writing a byte of one and reading it whole at once would measure the store buffer.
  std::array<Nonce, 64> nonces{};
  for (size_t i = 0; i < nonces.size(); i++) nonces[i][11] = static_cast<uint8_t>(i);
  size_t turn = 0;
  const auto next_nonce = [&]() -> const Nonce& { return nonces[turn++ % nonces.size()]; };
  const Nonce nonce{};
  AeadState state;
  aead.expand_key(state, key.data());
  Context sealer(EVP_CIPHER_CTX_new()), opener(EVP_CIPHER_CTX_new());
  EVP_EncryptInit_ex(sealer.get(), peer, nullptr, key.data(), nonce.data());
  EVP_DecryptInit_ex(opener.get(), peer, nullptr, key.data(), nonce.data());

  const std::string name(aead.name);
  for (const size_t size : {16, 256, 1350, 8192, 16384}) {
    std::vector<uint8_t> plaintext(size, 0x33), out(size + kAeadTagSize), peer_out(size + kAeadTagSize);
    const Bytes piece = plaintext;
    table.row(
        name + " seal " + std::to_string(size), aead.implementation, size,
        [&] {
          const SealJob job{.nonce = next_nonce(), .aad = aad, .plaintext = {&piece, 1}, .out = out.data()};
          aead.seal(state, {&job, 1});
        },
        [&] { openssl_seal(sealer.get(), next_nonce().data(), aad, plaintext, peer_out.data()); });
  }
  for (const size_t size : {16, 256, 1350, 8192, 16384}) {
    // Opening is in place, so each call gets a fresh copy of the sealed packet; the peer's call pays for the same copy.
    std::vector<uint8_t> plaintext(size, 0x33), sealed(size + kAeadTagSize), work(size + kAeadTagSize),
        peer_work = work;
    openssl_seal(sealer.get(), nonce.data(), aad, plaintext, sealed.data());
    const Nonce sealed_nonce = nonce;
    table.row(
        name + " open " + std::to_string(size), aead.implementation, size,
        [&, sealed_nonce] {
          copy_bytes(work.data(), sealed);
          OpenJob job{.nonce = sealed_nonce, .aad = aad, .data = work};
          aead.open(state, {&job, 1});
          QUOLL_CHECK(job.authentic);
        },
        [&, sealed_nonce] {
          copy_bytes(peer_work.data(), sealed);
          QUOLL_CHECK(openssl_open(opener.get(), sealed_nonce.data(), aad, peer_work, peer_work.data()));
        });
  }

  // The train: as a sender has it, contiguous packets in a buffer, sealed in place.
  const size_t stride = kPacket + kAeadTagSize;
  std::vector<uint8_t> train(kTrain * stride, 0x33), peer_train = train;
  std::vector<Bytes> pieces(kTrain);
  std::vector<SealJob> jobs(kTrain);
  for (size_t i = 0; i < kTrain; i++) {
    pieces[i] = Bytes(train).subspan(i * stride, kPacket);
    jobs[i] = {.nonce = nonce, .aad = aad, .plaintext = {&pieces[i], 1}, .out = train.data() + i * stride};
    jobs[i].nonce[10] = static_cast<uint8_t>(i);
  }
  table.row(
      name + " seal 40 x 1350", aead.implementation, kTrain * kPacket, [&] { aead.seal(state, jobs); },
      [&] {
        for (size_t i = 0; i < kTrain; i++) {
          uint8_t* const at = peer_train.data() + i * stride;
          openssl_seal(sealer.get(), jobs[i].nonce.data(), aad, {at, kPacket}, at);
        }
      },
      kTrain);
  std::vector<uint8_t> sealed = train, opened(sealed.size()), peer_opened(sealed.size());
  {
    std::vector<uint8_t> clear(sealed.size(), 0x33);
    for (size_t i = 0; i < kTrain; i++) {
      openssl_seal(sealer.get(), jobs[i].nonce.data(), aad, Bytes(clear).subspan(i * stride, kPacket),
                   sealed.data() + i * stride);
    }
  }
  std::vector<OpenJob> open_jobs(kTrain);
  for (size_t i = 0; i < kTrain; i++) {
    open_jobs[i] = {.nonce = jobs[i].nonce, .aad = aad, .data = MutBytes(opened).subspan(i * stride, stride)};
  }
  table.row(
      name + " open 40 x 1350", aead.implementation, kTrain * kPacket,
      [&] {
        copy_bytes(opened.data(), sealed);
        aead.open(state, open_jobs);
        for (const OpenJob& job : open_jobs) QUOLL_CHECK(job.authentic);
      },
      [&] {
        copy_bytes(peer_opened.data(), sealed);
        for (size_t i = 0; i < kTrain; i++) {
          uint8_t* const at = peer_opened.data() + i * stride;
          QUOLL_CHECK(openssl_open(opener.get(), jobs[i].nonce.data(), aad, {at, stride}, at));
        }
      },
      kTrain);
  table.row(
      name + " expand key", aead.implementation, 0, [&] { aead.expand_key(state, key.data()); },
      [&] { EVP_EncryptInit_ex(sealer.get(), nullptr, nullptr, key.data(), nonce.data()); });
}

void bench_masks(Table& table, const HeaderProtection& algorithm, const EVP_CIPHER* peer, bool sample_is_iv) {
  const std::vector<uint8_t> key(algorithm.key_size, 0x42);
  std::vector<uint8_t> packets(kTrain * kPacket, 0x5c);
  std::vector<const uint8_t*> samples(kTrain);
  for (size_t i = 0; i < kTrain; i++) samples[i] = packets.data() + i * kPacket + 20;
  std::vector<HeaderMask> masks(kTrain);
  HeaderProtectionState state;
  algorithm.expand_key(state, key.data());
  Context context(EVP_CIPHER_CTX_new());
  EVP_EncryptInit_ex(context.get(), peer, nullptr, key.data(), packets.data());
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  const auto openssl_mask = [&](size_t i) {
    int size = 0;
    if (sample_is_iv) {
      static constexpr uint8_t kZeros[5] = {};
      EVP_EncryptInit_ex(context.get(), nullptr, nullptr, nullptr, samples[i]);
      EVP_EncryptUpdate(context.get(), masks[i].data(), &size, kZeros, sizeof kZeros);
    } else {
      EVP_EncryptUpdate(context.get(), masks[i].data(), &size, samples[i], kSampleSize);
    }
  };
  const std::string name(algorithm.name);
  table.row(
      name + " mask", algorithm.implementation, 0,
      [&] { algorithm.masks(state, {samples.data(), 1}, {masks.data(), 1}); }, [&] { openssl_mask(0); });
  table.row(
      name + " mask, batch of 40", algorithm.implementation, 0, [&] { algorithm.masks(state, samples, masks); },
      [&] {
        for (size_t i = 0; i < kTrain; i++) openssl_mask(i);
      },
      kTrain);
}

}  // namespace

void bench_aead(Table& table, const Provider& provider) {
  if (provider.aes_128_gcm) bench_one(table, *provider.aes_128_gcm, EVP_aes_128_gcm());
  if (provider.aes_256_gcm) bench_one(table, *provider.aes_256_gcm, EVP_aes_256_gcm());
  if (provider.chacha20_poly1305) bench_one(table, *provider.chacha20_poly1305, EVP_chacha20_poly1305());
  if (provider.header_aes_128) bench_masks(table, *provider.header_aes_128, EVP_aes_128_ecb(), false);
  if (provider.header_aes_256) bench_masks(table, *provider.header_aes_256, EVP_aes_256_ecb(), false);
  if (provider.header_chacha20) bench_masks(table, *provider.header_chacha20, EVP_chacha20(), true);
}

}  // namespace quoll::bench
