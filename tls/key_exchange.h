// Key exchange: (EC)DHE groups, and X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem §4), whose shares are ML-KEM's part
// first. The client holds a KeyExchange from its ClientHello to the ServerHello; a server answers a share at once.
#pragma once

#include <memory>
#include <vector>

#include "base/rng.h"
#include "crypto/provider.h"
#include "tls/codepoints.h"

namespace quoll::tls {

inline constexpr size_t kKeyShareSizeMax = crypto::kMlKem768EncapsulationKeySize + 32;
inline constexpr size_t kSharedSecretSizeMax = 64;

/// A shared secret of up to kSharedSecretSizeMax bytes; wiped on destruction.
class SharedSecret {
 public:
  explicit SharedSecret(size_t size) : size_(size) {}
  MutBytes bytes() { return MutBytes(bytes_).first(size_); }
  operator Bytes() const { return Bytes(bytes_.bytes()).first(size_); }

 private:
  crypto::Secret<kSharedSecretSizeMax> bytes_;
  size_t size_;
};

/// Whether the group is one of the four.
bool is_supported(NamedGroup group);
/// Bytes of a client's share and of a server's; they differ for X25519MLKEM768.
size_t client_share_size(NamedGroup group);
size_t server_share_size(NamedGroup group);

/// The private keys of a ClientHello's shares. X25519 serves both its own share and the hybrid's (the draft allows it),
/// so that offering both costs one key. Wiped on destruction.
class KeyExchange {
 public:
  /// Makes keys for the groups and appends their KeyShareEntry encodings to `shares` (contents of client_shares).
  [[nodiscard]] static Result<KeyExchange> offer(const crypto::Provider& provider, Rng& rng,
                                                 std::span<const NamedGroup> groups, std::vector<uint8_t>& shares);

  KeyExchange(KeyExchange&&) noexcept;
  KeyExchange& operator=(KeyExchange&&) noexcept;
  ~KeyExchange();

  bool offered(NamedGroup group) const;
  /// The shared secret with the server's share. An alert: illegal_parameter for a group that was not offered, a share
  /// of the wrong size, or one that is no public key (RFC 8446 §4.2.8.2; all-zero results too, §7.4.2).
  [[nodiscard]] Result<SharedSecret> agree(NamedGroup group, Bytes server_share) const;

 private:
  struct Keys;
  explicit KeyExchange(std::unique_ptr<Keys> keys);
  std::unique_ptr<Keys> keys_;
};

/// A server's side in one step: writes its share of server_share_size(group) bytes into `server_share`. Alerts as above.
[[nodiscard]] Result<SharedSecret> answer(const crypto::Provider& provider, Rng& rng, NamedGroup group,
                                          Bytes client_share, MutBytes server_share);

}  // namespace quoll::tls
