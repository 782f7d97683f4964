#include "tls/key_exchange.h"

#include "base/check.h"
#include "tls/alert.h"

namespace quoll::tls {
namespace {

constexpr size_t kX25519Size = 32;
constexpr size_t kP256Size = 65;  // an uncompressed point (RFC 8446 §4.2.8.2)
constexpr size_t kP384Size = 97;
constexpr size_t kKemSecretSize = crypto::kMlKemSharedSecretSize;

const crypto::Group& group_of(const crypto::Provider& provider, NamedGroup group) {
  switch (group) {
    case NamedGroup::secp256r1:
      return *provider.p256;
    case NamedGroup::secp384r1:
      return *provider.p384;
    case NamedGroup::x25519:
    case NamedGroup::x25519_mlkem768:
      break;
  }
  return *provider.x25519;
}

std::unexpected<Error> bad_share() {
  return abort_with(Alert::illegal_parameter, "a key share that is no public key of its group");
}

std::unexpected<Error> bad_share_size() {
  return abort_with(Alert::illegal_parameter, "a key share of another size than its group's");
}

std::unexpected<Error> no_keys() { return abort_with(Alert::internal_error, "the random generator gives no key"); }

/// The (EC)DHE half with a new key: its public key goes to `share`, the result to `secret`.
Result<void> answer_group(const crypto::Group& group, Rng& rng, Bytes peer_share, MutBytes share, MutBytes secret) {
  crypto::Secret<crypto::kPrivateKeySizeMax> private_key;
  const MutBytes key = MutBytes(private_key).first(group.private_key_size);
  if (!crypto::generate(group, rng, key, share)) return no_keys();
  if (!crypto::agree(group, key, peer_share, secret)) return bad_share();
  return {};
}

size_t shared_secret_size(const crypto::Provider& provider, NamedGroup group) {
  const size_t kem_size = group == NamedGroup::x25519_mlkem768 ? kKemSecretSize : 0;
  return kem_size + group_of(provider, group).shared_secret_size;
}

}  // namespace

bool is_supported(NamedGroup group) { return client_share_size(group) != 0; }

size_t client_share_size(NamedGroup group) {
  switch (group) {
    case NamedGroup::secp256r1:
      return kP256Size;
    case NamedGroup::secp384r1:
      return kP384Size;
    case NamedGroup::x25519:
      return kX25519Size;
    case NamedGroup::x25519_mlkem768:
      return crypto::kMlKem768EncapsulationKeySize + kX25519Size;
  }
  return 0;
}

size_t server_share_size(NamedGroup group) {
  if (group == NamedGroup::x25519_mlkem768) return crypto::kMlKem768CiphertextSize + kX25519Size;
  return client_share_size(group);
}

struct KeyExchange::Keys {
  explicit Keys(const crypto::Provider& its_provider) : provider(its_provider) {}

  /// A group's private key, made on first demand, and its public key.
  struct Pair {
    crypto::Secret<crypto::kPrivateKeySizeMax> private_key;
    std::array<uint8_t, crypto::kPublicKeySizeMax> public_key{};
    bool made = false;
  };
  using KemKey = crypto::Secret<crypto::kMlKem768DecapsulationKeySize>;

  Pair& pair_of(NamedGroup group) {
    if (group == NamedGroup::secp256r1) return p256;
    return group == NamedGroup::secp384r1 ? p384 : x25519;
  }

  Result<void> make(Rng& rng, NamedGroup group) {
    Pair& pair = pair_of(group);
    if (pair.made) return {};
    const crypto::Group& algorithm = group_of(provider, group);
    if (!crypto::generate(algorithm, rng, MutBytes(pair.private_key).first(algorithm.private_key_size),
                          MutBytes(pair.public_key).first(algorithm.public_key_size))) {
      return no_keys();
    }
    pair.made = true;
    return {};
  }

  const crypto::Provider& provider;
  std::vector<NamedGroup> offered;
  Pair x25519, p256, p384;
  std::unique_ptr<KemKey> kem;
};

KeyExchange::KeyExchange(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
KeyExchange::KeyExchange(KeyExchange&&) noexcept = default;
KeyExchange& KeyExchange::operator=(KeyExchange&&) noexcept = default;
KeyExchange::~KeyExchange() = default;

Result<KeyExchange> KeyExchange::offer(const crypto::Provider& provider, Rng& rng, std::span<const NamedGroup> groups,
                                       std::vector<uint8_t>& shares) {
  KeyExchange exchange(std::make_unique<Keys>(provider));
  Keys& keys = *exchange.keys_;
  for (const NamedGroup group : groups) {
    if (!is_supported(group)) return usage_error("a key share of a group that is not implemented");
    if (exchange.offered(group)) return usage_error("two key shares of one group");
    if (const Result<void> made = keys.make(rng, group); !made) return std::unexpected(made.error());
    const size_t size = client_share_size(group);
    const size_t begin = shares.size();
    shares.resize(begin + 4 + size);
    store_be(shares.data() + begin, static_cast<uint16_t>(group));
    store_be(shares.data() + begin + 2, static_cast<uint16_t>(size));
    MutBytes share = MutBytes(shares).subspan(begin + 4);
    if (group == NamedGroup::x25519_mlkem768) {
      keys.kem = std::make_unique<Keys::KemKey>();
      const MutBytes encapsulation_key = share.first(crypto::kMlKem768EncapsulationKeySize);
      if (!crypto::mlkem768_keygen(*provider.mlkem768, rng, encapsulation_key, *keys.kem)) return no_keys();
      share = share.subspan(encapsulation_key.size());
    }
    copy_bytes(share.data(), Bytes(keys.pair_of(group).public_key).first(share.size()));
    keys.offered.push_back(group);
  }
  return exchange;
}

bool KeyExchange::offered(NamedGroup group) const {
  for (const NamedGroup known : keys_->offered) {
    if (known == group) return true;
  }
  return false;
}

Result<SharedSecret> KeyExchange::agree(NamedGroup group, Bytes server_share) const {
  if (!offered(group)) return abort_with(Alert::illegal_parameter, "a key share of a group that was not offered");
  if (server_share.size() != server_share_size(group)) return bad_share_size();
  const crypto::Provider& provider = keys_->provider;
  SharedSecret secret(shared_secret_size(provider, group));
  MutBytes rest = secret.bytes();
  if (group == NamedGroup::x25519_mlkem768) {
    // draft-ietf-tls-ecdhe-mlkem §3.1.2: what fails here, the length apart, is our own fault. A wrong ciphertext gives
    // another secret, and Finished fails.
    const Bytes ciphertext = server_share.first(crypto::kMlKem768CiphertextSize);
    if (!crypto::mlkem768_decapsulate(*provider.mlkem768, *keys_->kem, ciphertext, rest.first(kKemSecretSize))) {
      return abort_with(Alert::internal_error, "ML-KEM does not decapsulate");
    }
    server_share = server_share.subspan(ciphertext.size());
    rest = rest.subspan(kKemSecretSize);
  }
  const crypto::Group& algorithm = group_of(provider, group);
  const Bytes private_key = keys_->pair_of(group).private_key.bytes().first(algorithm.private_key_size);
  if (!crypto::agree(algorithm, private_key, server_share, rest)) return bad_share();
  return secret;
}

Result<SharedSecret> answer(const crypto::Provider& provider, Rng& rng, NamedGroup group, Bytes client_share,
                            MutBytes server_share) {
  if (!is_supported(group)) return usage_error("a group that is not implemented");
  if (server_share.size() != server_share_size(group)) return usage_error("room of another size than the share's");
  if (client_share.size() != client_share_size(group)) return bad_share_size();
  SharedSecret secret(shared_secret_size(provider, group));
  MutBytes rest = secret.bytes();
  if (group == NamedGroup::x25519_mlkem768) {
    // draft-ietf-tls-ecdhe-mlkem §3.1.2: illegal_parameter for a key that fails FIPS 203's check.
    const Bytes encapsulation_key = client_share.first(crypto::kMlKem768EncapsulationKeySize);
    const MutBytes ciphertext = server_share.first(crypto::kMlKem768CiphertextSize);
    if (!crypto::mlkem768_encapsulate(*provider.mlkem768, rng, encapsulation_key, ciphertext,
                                      rest.first(kKemSecretSize))) {
      return bad_share();
    }
    client_share = client_share.subspan(encapsulation_key.size());
    server_share = server_share.subspan(ciphertext.size());
    rest = rest.subspan(kKemSecretSize);
  }
  const Result<void> answered = answer_group(group_of(provider, group), rng, client_share, server_share, rest);
  if (!answered) return std::unexpected(answered.error());
  return secret;
}

}  // namespace quoll::tls
