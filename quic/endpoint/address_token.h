// Address validation tokens: how they are made and judged (RFC 9000 §8.1.1 to §8.1.4, RFC 9369 §5).
//
//   token = kind (1) | salt (16) | AES-128-GCM(key, nonce, aad = kind | salt, plaintext) with its tag (16)
//   key, nonce = HKDF-Expand(fleet key of the kind, salt)
//
// A key for each token: no number of tokens, by however many servers, brings a key and nonce back. Retry tokens bind
// the client's address and port, both connection ids, the version and the time; NEW_TOKEN tokens bind the address, the
// version and the time. Each kind has one size and one key, so neither serves for the other. Both are opaque to
// clients, and nothing in them links a token to a connection.
//
// A NEW_TOKEN token is good once (UsedTokens), as far as one process can know; a Retry token for some seconds.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/net.h"
#include "base/rng.h"
#include "base/unix_time.h"
#include "crypto/aead.h"
#include "quic/connection/connection.h"
#include "quic/endpoint/fleet_keys.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// Clocks of a fleet may differ by so much: a token from the future by no more is taken.
inline constexpr Duration kTokenClockSkew = Duration::seconds(5);

/// What a Retry token carries from the client's first Initial packet to its second one.
struct RetryToken {
  SocketAddress client;
  Version version = Version::v1;
  ConnectionId original_destination;
  ConnectionId retry_source;
};

/// The tokens of NEW_TOKEN that were used, within bounded memory: two Bloom filters, of which the older one is forgotten
/// when the newer one is full. Tokens from before what is forgotten are then refused without asking, so that a token is
/// never taken twice; that a new one is taken for a used one happens to less than 3 of 100.
class UsedTokens {
 public:
  static constexpr size_t kSaltSize = 16;
  /// Of a filter: 64 KiB, eight bits for each token.
  static constexpr size_t kFilterBits = size_t{1} << 19;
  static constexpr size_t kTokensPerFilter = kFilterBits / 8;

  /// True when the token with this salt was not used before; it counts as used now.
  bool use(Bytes salt, UnixTime issued, UnixTime now);

 private:
  struct Filter {
    std::vector<uint64_t> words;  // empty: no token is in it
    size_t tokens = 0;
    UnixTime newest;  // when the last token was used
  };
  static constexpr int kBitsPerToken = 4;
  static bool contains(const Filter& filter, Bytes salt);

  Filter current_, previous_;
  std::optional<UnixTime> forgotten_until_;
};

class AddressTokens final : public NewTokenSource {
 public:
  struct Lifetimes {
    Duration retry = Duration::seconds(15);
    Duration new_token = Duration::seconds(7 * 24 * 3600);
  };

  AddressTokens(const crypto::Provider& provider, const FleetKeys& keys, Rng& rng, Lifetimes lifetimes);

  std::vector<uint8_t> retry_token(UnixTime now, const RetryToken& token);
  std::vector<uint8_t> new_token(UnixTime now, const IpAddress& client, Version version) override;

  /// What the Token field of an Initial packet comes to.
  struct Verdict {
    enum class Kind : uint8_t {
      none,           // no token, or one that proves nothing: the client's address is not validated
      retry,          // a good Retry token
      new_token,      // a good token of a NEW_TOKEN frame; it is used up
      invalid_retry,  // made for a Retry, but not for this packet, or too old: INVALID_TOKEN (RFC 9000 §8.1.2)
    };
    Kind kind = Kind::none;
    ConnectionId original_destination{};  // of `retry`
  };
  /// Of an Initial packet: who sent it and what its header says.
  struct Initial {
    SocketAddress client;
    Version version = Version::v1;
    Bytes destination{};
    Bytes token{};
  };
  Verdict judge(UnixTime now, const Initial& initial);

  static constexpr size_t kSaltSize = UsedTokens::kSaltSize;
  static constexpr size_t kRetryTokenSize =
      1 + kSaltSize + 8 + 4 + SocketAddress::kKeySize + 2 * (1 + kConnectionIdSizeMax) + crypto::kAeadTagSize;
  static constexpr size_t kNewTokenSize = 1 + kSaltSize + 8 + 4 + SocketAddress::kKeySize + crypto::kAeadTagSize;

 private:
  enum class Kind : uint8_t { retry = 0x52, new_token = 0x4e };
  struct OneTimeKey;

  OneTimeKey key_of(Kind kind, Bytes salt) const;
  std::vector<uint8_t> seal(Kind kind, Bytes plaintext);
  /// The plaintext, in `room`; empty when the token is not authentic.
  std::optional<Bytes> open(Kind kind, Bytes token, MutBytes room) const;
  Verdict judge_retry(UnixTime now, const Initial& initial) const;
  Verdict judge_new_token(UnixTime now, const Initial& initial);

  const crypto::Provider& provider_;
  Rng& rng_;
  Lifetimes lifetimes_;
  crypto::Secret<32> retry_key_, new_token_key_;
  UsedTokens used_;
};

}  // namespace quoll::quic
