#include "tls/key_schedule.h"

#include "base/check.h"

namespace quoll::tls {
namespace {

using crypto::HashAlgorithm;
using crypto::HashId;
using crypto::Hmac;

constexpr std::string_view kLabelPrefix = "tls13 ";
constexpr size_t kLabelMax = 16;    // of the labels in this file, without the prefix
constexpr size_t kContextMax = 64;  // a transcript hash

constexpr uint8_t kZeros[crypto::kDigestSizeMax] = {};

// What every handshake would compute anew: the hash of nothing, and Derive-Secret(early secret of no PSK, "derived", "").
constexpr uint8_t kEmptySha256[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                    0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                    0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
constexpr uint8_t kEmptySha384[] = {0x38, 0xb0, 0x60, 0xa7, 0x51, 0xac, 0x96, 0x38, 0x4c, 0xd9, 0x32, 0x7e,
                                    0xb1, 0xb1, 0xe3, 0x6a, 0x21, 0xfd, 0xb7, 0x11, 0x14, 0xbe, 0x07, 0x43,
                                    0x4c, 0x0c, 0xc7, 0xbf, 0x63, 0xf6, 0xe1, 0xda, 0x27, 0x4e, 0xde, 0xbf,
                                    0xe7, 0x6f, 0x65, 0xfb, 0xd5, 0x1a, 0xd2, 0xf1, 0x48, 0x98, 0xb9, 0x5b};
constexpr uint8_t kDerivedSha256[] = {0x6f, 0x26, 0x15, 0xa1, 0x08, 0xc7, 0x02, 0xc5, 0x67, 0x8f, 0x54,
                                      0xfc, 0x9d, 0xba, 0xb6, 0x97, 0x16, 0xc0, 0x76, 0x18, 0x9c, 0x48,
                                      0x25, 0x0c, 0xeb, 0xea, 0xc3, 0x57, 0x6c, 0x36, 0x11, 0xba};
constexpr uint8_t kDerivedSha384[] = {0x15, 0x91, 0xda, 0xc5, 0xcb, 0xbf, 0x03, 0x30, 0xa4, 0xa8, 0x4d, 0xe9,
                                      0xc7, 0x53, 0x33, 0x0e, 0x92, 0xd0, 0x1f, 0x0a, 0x88, 0x21, 0x4b, 0x44,
                                      0x64, 0x97, 0x2f, 0xd6, 0x68, 0x04, 0x9e, 0x93, 0xe5, 0x2f, 0x2b, 0x16,
                                      0xfa, 0xd9, 0x22, 0xfd, 0xc0, 0x58, 0x44, 0x78, 0x42, 0x8f, 0x28, 0x2b};

Digest digest_of(Bytes bytes) {
  Digest digest(bytes.size());
  copy_bytes(digest.data(), bytes);
  return digest;
}

/// HKDF-Expand-Label with the length of one digest, from a key that is prepared already. One update: for SHA-256 the
/// whole input then fills one block.
Digest expand(const Hmac& key, size_t digest_size, std::string_view label, Bytes context) {
  QUOLL_CHECK(label.size() <= kLabelMax && context.size() <= kContextMax);
  uint8_t info[2 + 1 + kLabelPrefix.size() + kLabelMax + 1 + kContextMax + 1];
  uint8_t* end = info;
  const auto append = [&end](Bytes bytes) {
    copy_bytes(end, bytes);
    end += bytes.size();
  };
  *end++ = 0;
  *end++ = static_cast<uint8_t>(digest_size);
  *end++ = static_cast<uint8_t>(kLabelPrefix.size() + label.size());
  append(as_bytes(kLabelPrefix));
  append(as_bytes(label));
  *end++ = static_cast<uint8_t>(context.size());
  append(context);
  *end++ = 1;  // RFC 5869 §2.3: the counter of the first block
  return Hmac(key).update(Bytes(info, end)).digest();
}

Digest expand(const HashAlgorithm& hash, Bytes secret, std::string_view label, Bytes context) {
  return expand(Hmac(hash, secret), hash.digest_size, label, context);
}

Digest empty_hash(const HashAlgorithm& hash) {
  if (hash.id == HashId::sha256) return digest_of(kEmptySha256);
  if (hash.id == HashId::sha384) return digest_of(kEmptySha384);
  return crypto::hash(hash, {});
}

Hmac early_secret(const HashAlgorithm& hash, Bytes psk) {
  // RFC 8446 §7.1: without a PSK, zeros of the hash's size stand for it.
  const Bytes input = psk.empty() ? Bytes(kZeros).first(hash.digest_size) : psk;
  return Hmac(hash, crypto::hkdf_extract(hash, {}, input));
}

}  // namespace

KeySchedule::KeySchedule(const HashAlgorithm& hash, Bytes psk) : hash_(&hash) {
  if (!psk.empty()) secret_ = early_secret(hash, psk);
}

Digest KeySchedule::derive(std::string_view label, Bytes transcript_hash) const {
  if (!secret_) return expand(early_secret(*hash_, {}), hash_->digest_size, label, transcript_hash);
  return expand(*secret_, hash_->digest_size, label, transcript_hash);
}

Digest KeySchedule::derived() const {
  if (!secret_ && hash_->id == HashId::sha256) return digest_of(kDerivedSha256);
  if (!secret_ && hash_->id == HashId::sha384) return digest_of(kDerivedSha384);
  return derive("derived", empty_hash(*hash_));
}

Digest KeySchedule::binder_key(PskKind kind) const {
  QUOLL_CHECK(stage_ == Stage::early);
  return derive(kind == PskKind::resumption ? "res binder" : "ext binder", empty_hash(*hash_));
}

Digest KeySchedule::client_early_traffic(Bytes transcript_hash) const {
  QUOLL_CHECK(stage_ == Stage::early);
  return derive("c e traffic", transcript_hash);
}

Digest KeySchedule::early_exporter_master(Bytes transcript_hash) const {
  QUOLL_CHECK(stage_ == Stage::early);
  return derive("e exp master", transcript_hash);
}

void KeySchedule::enter_handshake(Bytes shared_secret) {
  QUOLL_CHECK(stage_ == Stage::early);
  const Digest salt = derived();
  secret_ = Hmac(*hash_, crypto::hkdf_extract(*hash_, salt, shared_secret));
  stage_ = Stage::handshake;
}

Digest KeySchedule::client_handshake_traffic(Bytes transcript_hash) const {
  QUOLL_CHECK(stage_ == Stage::handshake);
  return derive("c hs traffic", transcript_hash);
}

Digest KeySchedule::server_handshake_traffic(Bytes transcript_hash) const {
  QUOLL_CHECK(stage_ == Stage::handshake);
  return derive("s hs traffic", transcript_hash);
}

void KeySchedule::enter_master() {
  QUOLL_CHECK(stage_ == Stage::handshake);
  const Digest salt = derived();
  secret_ = Hmac(*hash_, crypto::hkdf_extract(*hash_, salt, Bytes(kZeros).first(hash_->digest_size)));
  stage_ = Stage::master;
}

Digest KeySchedule::client_application_traffic(Bytes transcript_hash) const {
  QUOLL_CHECK(stage_ == Stage::master);
  return derive("c ap traffic", transcript_hash);
}

Digest KeySchedule::server_application_traffic(Bytes transcript_hash) const {
  QUOLL_CHECK(stage_ == Stage::master);
  return derive("s ap traffic", transcript_hash);
}

Digest KeySchedule::exporter_master(Bytes transcript_hash) const {
  QUOLL_CHECK(stage_ == Stage::master);
  return derive("exp master", transcript_hash);
}

Digest KeySchedule::resumption_master(Bytes transcript_hash) const {
  QUOLL_CHECK(stage_ == Stage::master);
  return derive("res master", transcript_hash);
}

Digest finished_mac(const HashAlgorithm& hash, Bytes base_key, Bytes transcript_hash) {
  const Digest finished_key = expand(hash, base_key, "finished", {});
  return crypto::hmac(hash, finished_key, transcript_hash);
}

Digest next_traffic_secret(const HashAlgorithm& hash, Bytes traffic_secret) {
  return expand(hash, traffic_secret, "traffic upd", {});
}

Digest resumption_psk(const HashAlgorithm& hash, Bytes resumption_master_secret, Bytes ticket_nonce) {
  // A nonce is as long as a peer likes, up to 255 bytes, which is what a context may have.
  Digest psk(hash.digest_size);
  const Result<void> expanded = crypto::hkdf_expand_label(hash, resumption_master_secret, "resumption", ticket_nonce,
                                                          MutBytes(psk.data(), psk.size()));
  QUOLL_CHECK(expanded.has_value());
  return psk;
}

Result<void> export_keying_material(const HashAlgorithm& hash, Bytes exporter_master_secret, std::string_view label,
                                    Bytes context, MutBytes out) {
  Digest secret(hash.digest_size);
  const Result<void> derived = crypto::hkdf_expand_label(hash, exporter_master_secret, label, empty_hash(hash),
                                                         MutBytes(secret.data(), secret.size()));
  if (!derived) return derived;
  return crypto::hkdf_expand_label(hash, secret, "exporter", crypto::hash(hash, context), out);
}

}  // namespace quoll::tls
