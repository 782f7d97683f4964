// The ring of ticket keys. Each ring key is derived, together with its name, from one secret: a period's, or a line's.
#include <algorithm>
#include <deque>
#include <mutex>

#include "base/hex.h"
#include "crypto/hkdf.h"
#include "tls/server_ticket.h"

namespace quoll::tls {
namespace {

using Secret = TicketKeys::Secret;

constexpr size_t kNameSize = 16;  // of a key, public; two keys of a ring share one with a chance of 2^-108 or less
constexpr size_t kSaltSize = 16;  // 2^48 tickets under one ring key share one with a chance of 2^-33
constexpr size_t kHeaderSize = kNameSize + kSaltSize;

using Name = std::array<uint8_t, kNameSize>;

/// HKDF-Expand-Label over secrets of SHA-256's size; the sizes here are none that it refuses.
void derive(const crypto::HashAlgorithm& sha256, const Secret& secret, std::string_view label, Bytes context,
            MutBytes out) {
  QUOLL_CHECK(crypto::hkdf_expand_label(sha256, secret, label, context, out).has_value());
}

Secret derived(const crypto::HashAlgorithm& sha256, const Secret& secret, std::string_view label) {
  Secret out;
  derive(sha256, secret, label, {}, out);
  return out;
}

/// A key that seals and opens. The labels carry the version of all that a ticket is made of: tickets of another version
/// bear names that no ring knows.
struct RingKey {
  RingKey() = default;
  RingKey(const crypto::HashAlgorithm& sha256, const Secret& from) : secret(derived(sha256, from, "ticket 2 key")) {
    derive(sha256, from, "ticket 2 name", {}, name);
  }

  Name name{};
  Secret secret;
};

/// The keys of a ring at one time. `seals` is one of `open`.
class Ring {
 public:
  virtual ~Ring() = default;
  /// Moves on to `now`; false when it cannot, and then the ring is not to be used.
  virtual bool follow(UnixTime now) = 0;
  virtual const RingKey& sealing(UnixTime now) const = 0;
  virtual const RingKey* find(Bytes name) const = 0;
};

class ListRing final : public Ring {
 public:
  ListRing(const crypto::HashAlgorithm& sha256, std::span<const Secret> secrets) {
    for (const Secret& secret : secrets) keys_.emplace_back(sha256, secret);
  }

  bool follow(UnixTime) override { return true; }
  const RingKey& sealing(UnixTime) const override { return keys_.front(); }
  const RingKey* find(Bytes name) const override {
    for (const RingKey& key : keys_) {
      if (std::ranges::equal(key.name, name)) return &key;
    }
    return nullptr;
  }

 private:
  std::deque<RingKey> keys_;
};

/// The chain gives each period's key and then its own successor, which overwrites it. Held are the keys of the window,
/// which lead nowhere, and one link of the chain, which leads forward only: nothing held gives a key that was dropped.
class RatchetRing final : public Ring {
 public:
  RatchetRing(const crypto::HashAlgorithm& sha256, const Secret& secret, const TicketKeys::Ratchet& ratchet)
      : sha256_(sha256),
        origin_(ratchet.origin),
        period_milliseconds_(static_cast<uint64_t>(
            std::clamp(ratchet.period, Duration::seconds(1), Duration::seconds(366 * 24 * 3600)).as_milliseconds())),
        periods_open_(std::clamp<size_t>(ratchet.periods_open, 1, TicketKeys::kPeriodsOpenMax)),
        chain_(derived(sha256, secret, "ticket 2 chain")) {}

  bool follow(UnixTime now) override {
    const uint64_t period = period_of(now);
    if (!keys_.empty() && period <= current_) return true;
    const uint64_t end = period + 2;  // the next period's key too: a peer's clock may be ahead
    if (end - chain_period_ > TicketKeys::kCatchUpPeriodsMax) return false;
    current_ = period;
    const uint64_t oldest = period - std::min<uint64_t>(period, periods_open_ - 1);
    while (!keys_.empty() && first_ < oldest) {
      keys_.pop_front();
      first_++;
    }
    for (; chain_period_ < end; chain_period_++) {
      if (chain_period_ >= oldest) {
        if (keys_.empty()) first_ = chain_period_;
        keys_.emplace_back(sha256_, derived(sha256_, chain_, "ticket 2 period"));
      }
      chain_ = derived(sha256_, chain_, "ticket 2 next");
    }
    return true;
  }

  const RingKey& sealing(UnixTime now) const override {
    const uint64_t period = std::clamp(period_of(now), first_, current_);
    return keys_[static_cast<size_t>(period - first_)];
  }

  const RingKey* find(Bytes name) const override {
    // Newest first: most tickets that come back are young.
    for (size_t i = keys_.size(); i-- > 0;) {
      if (std::ranges::equal(keys_[i].name, name)) return &keys_[i];
    }
    return nullptr;
  }

 private:
  uint64_t period_of(UnixTime now) const {
    if (now <= origin_) return 0;
    const uint64_t elapsed =
        static_cast<uint64_t>(now.as_milliseconds()) - static_cast<uint64_t>(origin_.as_milliseconds());
    return elapsed / period_milliseconds_;
  }

  const crypto::HashAlgorithm& sha256_;
  UnixTime origin_;
  uint64_t period_milliseconds_;
  size_t periods_open_;

  Secret chain_;               // of chain_period_, the first one whose key is not made yet
  uint64_t chain_period_ = 0;  // current_ + 2 once there are keys
  uint64_t current_ = 0;       // of the latest time that was seen
  uint64_t first_ = 0;         // of keys_.front()
  std::deque<RingKey> keys_;   // of periods first_, first_ + 1, … current_ + 1
};

/// The AEAD key and nonce of one ticket.
struct TicketKey {
  crypto::AeadKey key;
  crypto::Nonce nonce;
};

/// Servers of a fleet must read each other's tickets whatever their processors are fast at, so there is one AEAD.
TicketKey ticket_key(const crypto::Provider& provider, const Secret& ring_secret, Bytes salt) {
  const crypto::Aead& aead = *provider.aes_256_gcm;
  crypto::Secret<crypto::kAeadKeySizeMax + crypto::kAeadNonceSize> material;
  derive(*provider.sha256, ring_secret, "ticket 2 seal", salt, material);
  Result<crypto::AeadKey> key = crypto::AeadKey::create(aead, material.bytes().first(aead.key_size));
  QUOLL_CHECK(key.has_value());
  TicketKey made{std::move(*key), {}};
  copy_bytes(made.nonce.data(), material.bytes().last(crypto::kAeadNonceSize));
  return made;
}

}  // namespace

struct TicketKeys::State {
  const crypto::Provider& provider;
  std::unique_ptr<Ring> ring;
  std::mutex mutex;  // of the ring

  /// Copies of what is needed leave the lock, so that the AEAD runs outside of it.
  std::optional<RingKey> sealing(UnixTime now) {
    const std::lock_guard lock(mutex);
    if (!ring->follow(now)) return {};
    return ring->sealing(now);
  }
  std::optional<RingKey> find(Bytes name, UnixTime now) {
    const std::lock_guard lock(mutex);
    if (!ring->follow(now)) return {};
    const RingKey* key = ring->find(name);
    return key ? std::optional(*key) : std::nullopt;
  }
};

TicketKeys::TicketKeys(std::unique_ptr<State> state) : state_(std::move(state)) {}
TicketKeys::~TicketKeys() = default;

std::shared_ptr<TicketKeys> TicketKeys::ratcheted(const crypto::Provider& provider, const Secret& secret,
                                                  const Ratchet& ratchet) {
  auto ring = std::make_unique<RatchetRing>(*provider.sha256, secret, ratchet);
  return std::shared_ptr<TicketKeys>(
      new TicketKeys(std::unique_ptr<State>(new State{.provider = provider, .ring = std::move(ring), .mutex = {}})));
}

Result<std::shared_ptr<TicketKeys>> TicketKeys::from_secrets(const crypto::Provider& provider,
                                                             std::span<const Secret> secrets) {
  if (secrets.empty()) return usage_error("no ticket secret");
  if (secrets.size() > kSecretsMax) return usage_error("too many ticket secrets");
  auto ring = std::make_unique<ListRing>(*provider.sha256, secrets);
  return std::shared_ptr<TicketKeys>(
      new TicketKeys(std::unique_ptr<State>(new State{.provider = provider, .ring = std::move(ring), .mutex = {}})));
}

Result<std::shared_ptr<TicketKeys>> TicketKeys::from_text(const crypto::Provider& provider, std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<Secret> secrets;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
    if (line.empty() || line.starts_with('#')) continue;
    if (secrets.size() == kSecretsMax) return usage_error("too many ticket secrets");
    std::optional<std::vector<uint8_t>> bytes;
    if (line.size() == 2 * kSecretSize) bytes = from_hex(line);
    if (!bytes) return usage_error("a ticket secret is a line of 64 hexadecimal digits");
    secrets.emplace_back(std::span<const uint8_t, kSecretSize>(*bytes));
    crypto::ct::wipe(bytes->data(), bytes->size());
  }
  return from_secrets(provider, secrets);
}

std::vector<uint8_t> TicketKeys::seal(const ServerTicket& ticket, Rng& rng, UnixTime now) {
  std::vector<uint8_t> plaintext = ticket.encode();
  if (plaintext.empty()) return {};
  std::vector<uint8_t> sealed;
  if (const std::optional<RingKey> key = state_->sealing(now)) {
    sealed.resize(kHeaderSize + plaintext.size() + crypto::kAeadTagSize);
    const MutBytes header = MutBytes(sealed).first(kHeaderSize);
    copy_bytes(header.data(), key->name);
    rng.fill(header.subspan(kNameSize));
    TicketKey own = ticket_key(state_->provider, key->secret, header.subspan(kNameSize));
    QUOLL_CHECK(own.key.seal(own.nonce, header, plaintext, MutBytes(sealed).subspan(kHeaderSize)).has_value());
    QUOLL_DCHECK(sealed.size() <= kSealedTicketSizeMax);
  }
  crypto::ct::wipe(plaintext.data(), plaintext.size());
  return sealed;
}

std::optional<ServerTicket> TicketKeys::open(Bytes sealed, UnixTime now) {
  if (sealed.size() < kHeaderSize + crypto::kAeadTagSize || sealed.size() > kSealedTicketSizeMax) return {};
  const Bytes header = sealed.first(kHeaderSize);
  const std::optional<RingKey> key = state_->find(header.first(kNameSize), now);
  if (!key) return {};
  TicketKey own = ticket_key(state_->provider, key->secret, header.subspan(kNameSize));
  std::vector<uint8_t> data(sealed.begin() + kHeaderSize, sealed.end());
  std::optional<ServerTicket> ticket;
  if (const Result<MutBytes> plaintext = own.key.open(own.nonce, header, data)) {
    if (Result<ServerTicket> decoded = ServerTicket::decode(*plaintext)) ticket = std::move(*decoded);
  }
  crypto::ct::wipe(data.data(), data.size());
  return ticket;
}

}  // namespace quoll::tls
