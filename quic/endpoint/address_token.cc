#include "quic/endpoint/address_token.h"

#include <algorithm>

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/ct.h"
#include "crypto/hkdf.h"

namespace quoll::quic {
namespace {

/// Size of what surrounds the plaintext: kind, salt, tag.
constexpr size_t kEnvelope = 1 + AddressTokens::kSaltSize + crypto::kAeadTagSize;
constexpr size_t kRetryPlaintext = AddressTokens::kRetryTokenSize - kEnvelope;
constexpr size_t kNewTokenPlaintext = AddressTokens::kNewTokenSize - kEnvelope;

/// Of one size whatever the id's, so that all tokens of a kind have one size.
void write_padded(Writer& writer, const ConnectionId& id) {
  writer.u8(static_cast<uint8_t>(id.size()));
  writer.bytes(id);
  writer.zeros(kConnectionIdSizeMax - id.size());
}

ConnectionId read_padded(Reader& reader) {
  const size_t size = reader.u8();
  const Bytes padded = reader.bytes(kConnectionIdSizeMax);
  if (!reader.ok() || size > padded.size()) {
    reader.fail();
    return {};
  }
  return ConnectionId(padded.first(size));
}

bool is_fresh(UnixTime issued, UnixTime now, Duration lifetime) {
  return now < issued + lifetime && issued <= now + kTokenClockSkew;
}

/// The two numbers from which the bits of a token are made. Salts are random and come from us alone, so nobody can
/// choose where they fall.
struct FilterHash {
  explicit FilterHash(Bytes salt)
      : start(load_le<uint64_t>(salt.data())), step(load_le<uint64_t>(salt.data() + 8) | 1) {}
  size_t bit(int i) const {
    return static_cast<size_t>((start + static_cast<uint64_t>(i) * step) >> 40) % UsedTokens::kFilterBits;
  }

  uint64_t start, step;
};

}  // namespace

bool UsedTokens::contains(const Filter& filter, Bytes salt) {
  if (filter.words.empty()) return false;
  const FilterHash hash(salt);
  for (int i = 0; i < kBitsPerToken; i++) {
    const size_t bit = hash.bit(i);
    if ((filter.words[bit / 64] >> (bit % 64) & 1) == 0) return false;
  }
  return true;
}

bool UsedTokens::use(Bytes salt, UnixTime issued, UnixTime now) {
  QUOLL_DCHECK(salt.size() == kSaltSize);
  // Skew: a clock that is ahead of ours may have stamped a token that was used before we forgot.
  if (forgotten_until_ && issued <= *forgotten_until_ + kTokenClockSkew) return false;
  if (contains(current_, salt) || contains(previous_, salt)) return false;
  if (current_.tokens == kTokensPerFilter) {
    if (previous_.tokens != 0) forgotten_until_ = previous_.newest;
    std::swap(previous_, current_);
    std::ranges::fill(current_.words, 0);
    current_.tokens = 0;
  }
  if (current_.words.empty()) current_.words.resize(kFilterBits / 64);
  const FilterHash hash(salt);
  for (int i = 0; i < kBitsPerToken; i++) current_.words[hash.bit(i) / 64] |= uint64_t{1} << (hash.bit(i) % 64);
  current_.newest = current_.tokens++ == 0 ? now : std::max(current_.newest, now);
  return true;
}

struct AddressTokens::OneTimeKey {
  crypto::AeadKey aead;
  crypto::Nonce nonce;
};

AddressTokens::AddressTokens(const crypto::Provider& provider, const FleetKeys& keys, Rng& rng, Lifetimes lifetimes)
    : provider_(provider),
      rng_(rng),
      lifetimes_(lifetimes),
      retry_key_(keys.retry_token),
      new_token_key_(keys.new_token) {}

AddressTokens::OneTimeKey AddressTokens::key_of(Kind kind, Bytes salt) const {
  constexpr size_t kKeySize = 16;
  const crypto::Secret<32>& fleet_key = kind == Kind::retry ? retry_key_ : new_token_key_;
  crypto::Secret<kKeySize + crypto::kAeadNonceSize> derived;
  const Result<void> expanded = crypto::hkdf_expand(*provider_.sha256, fleet_key.bytes(), salt, derived);
  QUOLL_CHECK(expanded);
  Result<crypto::AeadKey> key = crypto::AeadKey::create(*provider_.aes_128_gcm, derived.bytes().first(kKeySize));
  QUOLL_CHECK(key);
  crypto::Nonce nonce;
  copy_bytes(nonce.data(), derived.bytes().last(crypto::kAeadNonceSize));
  return {std::move(*key), nonce};
}

std::vector<uint8_t> AddressTokens::seal(Kind kind, Bytes plaintext) {
  std::vector<uint8_t> token(plaintext.size() + kEnvelope);
  token[0] = static_cast<uint8_t>(kind);
  const MutBytes salt = MutBytes(token).subspan(1, kSaltSize);
  rng_.fill(salt);
  OneTimeKey key = key_of(kind, salt);
  const Bytes header = Bytes(token).first(1 + kSaltSize);
  const Result<void> sealed = key.aead.seal(key.nonce, header, plaintext, MutBytes(token).subspan(header.size()));
  QUOLL_CHECK(sealed);
  return token;
}

std::optional<Bytes> AddressTokens::open(Kind kind, Bytes token, MutBytes room) const {
  const Bytes header = token.first(1 + kSaltSize);
  const Bytes sealed = token.subspan(header.size());
  copy_bytes(room.data(), sealed);
  OneTimeKey key = key_of(kind, header.subspan(1));
  const Result<MutBytes> opened = key.aead.open(key.nonce, header, room.first(sealed.size()));
  if (!opened) return {};
  return Bytes(*opened);
}

std::vector<uint8_t> AddressTokens::retry_token(UnixTime now, const RetryToken& token) {
  std::array<uint8_t, kRetryPlaintext> plaintext;
  Writer writer(plaintext);
  writer.u64(static_cast<uint64_t>(now.as_milliseconds()));
  writer.u32(static_cast<uint32_t>(token.version));
  writer.bytes(token.client.key());
  write_padded(writer, token.original_destination);
  write_padded(writer, token.retry_source);
  QUOLL_CHECK(writer.ok() && writer.remaining() == 0);
  return seal(Kind::retry, plaintext);
}

std::vector<uint8_t> AddressTokens::new_token(UnixTime now, const IpAddress& client, Version version) {
  std::array<uint8_t, kNewTokenPlaintext> plaintext;
  Writer writer(plaintext);
  writer.u64(static_cast<uint64_t>(now.as_milliseconds()));
  writer.u32(static_cast<uint32_t>(version));
  // RFC 9000 §8.1.3: the port of the next connection will be another one.
  writer.bytes(SocketAddress{.ip = client, .port = 0}.key());
  QUOLL_CHECK(writer.ok() && writer.remaining() == 0);
  return seal(Kind::new_token, plaintext);
}

AddressTokens::Verdict AddressTokens::judge(UnixTime now, const Initial& initial) {
  // RFC 9000 §8.1.1: the kind stands in front; the size confirms it, since tokens of other servers may begin like ours.
  const Bytes token = initial.token;
  if (token.size() == kRetryTokenSize && token[0] == static_cast<uint8_t>(Kind::retry)) {
    return judge_retry(now, initial);
  }
  if (token.size() == kNewTokenSize && token[0] == static_cast<uint8_t>(Kind::new_token)) {
    return judge_new_token(now, initial);
  }
  return {};
}

AddressTokens::Verdict AddressTokens::judge_retry(UnixTime now, const Initial& initial) const {
  const Verdict invalid{.kind = Verdict::Kind::invalid_retry};
  std::array<uint8_t, kRetryTokenSize> room;
  const std::optional<Bytes> plaintext = open(Kind::retry, initial.token, room);
  if (!plaintext) return invalid;
  Reader reader(*plaintext);
  const UnixTime issued = UnixTime::from_milliseconds(static_cast<int64_t>(reader.u64()));
  const Version version{reader.u32()};
  const Bytes client = reader.bytes(SocketAddress::kKeySize);
  const ConnectionId original_destination = read_padded(reader);
  const ConnectionId retry_source = read_padded(reader);
  if (!reader.finished()) return invalid;
  // RFC 9000 §8.1.4: soon, and from the same address and port. RFC 9369 §4.1: in the same version.
  if (!is_fresh(issued, now, lifetimes_.retry)) return invalid;
  if (!crypto::ct::equal(client, initial.client.key())) return invalid;
  if (version != initial.version) return invalid;
  // RFC 9000 §17.2.5.2: the client goes on with our connection id.
  if (!std::ranges::equal(retry_source.bytes(), initial.destination)) return invalid;
  return {.kind = Verdict::Kind::retry, .original_destination = original_destination};
}

AddressTokens::Verdict AddressTokens::judge_new_token(UnixTime now, const Initial& initial) {
  std::array<uint8_t, kNewTokenSize> room;
  const std::optional<Bytes> plaintext = open(Kind::new_token, initial.token, room);
  if (!plaintext) return {};
  Reader reader(*plaintext);
  const UnixTime issued = UnixTime::from_milliseconds(static_cast<int64_t>(reader.u64()));
  const Version version{reader.u32()};
  const Bytes client = reader.bytes(SocketAddress::kKeySize);
  if (!reader.finished() || !is_fresh(issued, now, lifetimes_.new_token)) return {};
  // RFC 9000 §8.1.4: the client's IP address has not changed. RFC 9369 §5: a token is good for its version alone.
  if (!crypto::ct::equal(client, SocketAddress{.ip = initial.client.ip, .port = 0}.key())) return {};
  if (version != initial.version) return {};
  // RFC 9000 §8.1.4: once. Asked last, so that a token that fails for another reason stays good.
  if (!used_.use(initial.token.subspan(1, kSaltSize), issued, now)) return {};
  return {.kind = Verdict::Kind::new_token};
}

}  // namespace quoll::quic
