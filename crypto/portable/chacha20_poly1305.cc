// ChaCha20-Poly1305 (RFC 8439 §2.8) and ChaCha20 header protection (RFC 9001 §5.4.4) in portable C++.
//
// One message after the other, in two passes: cipher, then authenticator. Block 0 of the keystream is the one-time key
// of the authenticator, the data are enciphered from block 1 on. Both states are the key itself. Constant-time; sizes
// are public, and so is whether a tag was right.
#include "crypto/portable/chacha20_poly1305.h"

#include "crypto/chacha20.h"
#include "crypto/ct.h"
#include "crypto/portable/chacha20.h"
#include "crypto/portable/poly1305.h"

namespace quoll::crypto {
namespace {

/// RFC 8439 §2.8: the associated data, the ciphertext, each padded to whole blocks, and both lengths.
void compute_tag(const uint8_t* key, const Nonce& nonce, Bytes aad, Bytes ciphertext, uint8_t* tag) {
  uint8_t block[kChaCha20BlockSize];
  chacha20_block(key, 0, nonce.data(), block);
  Poly1305Mac<Poly1305Limbs> mac(block);
  ct::wipe(block);
  uint8_t lengths[16];
  store_le<uint64_t>(lengths, aad.size());
  store_le<uint64_t>(lengths + 8, ciphertext.size());
  mac.absorb_padded(aad);
  mac.absorb_padded(ciphertext);
  mac.absorb(lengths);
  mac.finish(tag);
}

void expand_key(AeadState& state, const uint8_t* key) { std::memcpy(state.bytes.data(), key, kChaCha20KeySize); }

const uint8_t* key_of(const AeadState& state) { return reinterpret_cast<const uint8_t*>(state.bytes.data()); }

void seal_one(const uint8_t* key, const SealJob& job) {
  const uint8_t* in = job.out;
  size_t size = 0;
  if (job.plaintext.size() == 1) {
    in = job.plaintext[0].data();
    size = job.plaintext[0].size();
  } else {
    // Pieces are brought together where the ciphertext goes; those that lie there already stay.
    for (const Bytes piece : job.plaintext) {
      if (piece.data() != job.out + size) copy_bytes(job.out + size, piece);
      size += piece.size();
    }
  }
  portable_chacha20_apply(key, 1, job.nonce.data(), {in, size}, job.out);
  compute_tag(key, job.nonce, job.aad, {job.out, size}, job.out + size);
}

void open_one(const uint8_t* key, OpenJob& job) {
  const MutBytes text = job.data.first(job.data.size() - kAeadTagSize);
  uint8_t tag[kAeadTagSize];
  compute_tag(key, job.nonce, job.aad, text, tag);
  job.authentic = ct::equal(tag, job.data.last(kAeadTagSize));
  if (job.authentic) {
    portable_chacha20_apply(key, 1, job.nonce.data(), text, text.data());
  } else {
    ct::wipe(text.data(), text.size());
  }
  ct::wipe(tag);
}

void seal(const AeadState& state, std::span<const SealJob> jobs) {
  for (const SealJob& job : jobs) seal_one(key_of(state), job);
}

void open(const AeadState& state, std::span<OpenJob> jobs) {
  for (OpenJob& job : jobs) open_one(key_of(state), job);
}

void expand_header_key(HeaderProtectionState& state, const uint8_t* key) {
  std::memcpy(state.bytes.data(), key, kChaCha20KeySize);
}

/// RFC 9001 §5.4.4: the sample is the block counter and the nonce.
void header_masks(const HeaderProtectionState& state, std::span<const uint8_t* const> samples,
                  std::span<HeaderMask> masks) {
  const auto* const key = reinterpret_cast<const uint8_t*>(state.bytes.data());
  uint8_t block[kChaCha20BlockSize];
  for (size_t i = 0; i < samples.size(); i++) {
    chacha20_block(key, load_le<uint32_t>(samples[i]), samples[i] + 4, block);
    std::memcpy(masks[i].data(), block, masks[i].size());
  }
  ct::wipe(block);
}

}  // namespace

constinit const Aead kChaCha20Poly1305Portable{
    {.implementation = "portable"},
    AeadId::chacha20_poly1305,
    "ChaCha20-Poly1305",
    kChaCha20KeySize,
    kChaCha20Poly1305ConfidentialityLimit,
    kChaCha20Poly1305IntegrityLimit,
    expand_key,
    seal,
    open,
};

constinit const HeaderProtection kHeaderChaCha20Portable{
    {.implementation = "portable"},
    HeaderProtectionId::chacha20,
    "ChaCha20",
    kChaCha20KeySize,
    expand_header_key,
    header_masks,
};

}  // namespace quoll::crypto
