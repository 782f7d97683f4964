#include "quic/protect/handshake_keys.h"

#include <utility>

#include "base/check.h"

namespace quoll::quic {

void HandshakeKeys::install_initial(const crypto::Provider& provider, Role role, Version version,
                                    Bytes client_destination) {
  // RFC 9001 §5.2: AEAD_AES_128_GCM, and the header protection that belongs to it.
  constexpr auto kSuite = tls::CipherSuite::aes_128_gcm_sha256;
  const InitialSecrets secrets = initial_secrets(provider, version, client_destination);
  const bool client = role == Role::client;
  Pair& latest = initial_[0];
  if (latest.read && latest.read->version != version) initial_[1] = std::move(latest);
  latest.read = std::make_unique<LevelKeys>(provider, kSuite, version, client ? secrets.server : secrets.client);
  latest.write = std::make_unique<LevelKeys>(provider, kSuite, version, client ? secrets.client : secrets.server);
}

void HandshakeKeys::install(const crypto::Provider& provider, PacketType type, tls::Direction direction,
                            tls::CipherSuite suite, Version version, const crypto::Digest& secret) {
  QUOLL_DCHECK(type == PacketType::zero_rtt || type == PacketType::handshake);
  Pair& pair = pair_of(type);
  (direction == tls::Direction::read ? pair.read : pair.write) =
      std::make_unique<LevelKeys>(provider, suite, version, secret);
}

void HandshakeKeys::discard(PacketType type) {
  if (type == PacketType::initial) {
    discard_initial();
  } else {
    pair_of(type) = {};
  }
}

bool HandshakeKeys::empty() const {
  const auto none = [](const Pair& pair) { return !pair.read && !pair.write; };
  return none(initial_[0]) && none(initial_[1]) && none(zero_rtt_) && none(handshake_);
}

bool HandshakeKeys::can_open(PacketType type) const { return pair_of(type).read != nullptr; }

LevelKeys* HandshakeKeys::read_keys(PacketType type, Version version) const {
  const auto matching = [version](const Pair& pair) {
    return pair.read && pair.read->version == version ? pair.read.get() : nullptr;
  };
  // RFC 9369 §4.1: Handshake packets have the negotiated version, 0-RTT packets the original one; others are dropped.
  LevelKeys* const keys = matching(pair_of(type));
  return keys == nullptr && type == PacketType::initial ? matching(initial_[1]) : keys;
}

LevelKeys* HandshakeKeys::write_keys(PacketType type) const { return pair_of(type).write.get(); }

const HandshakeKeys::Pair& HandshakeKeys::pair_of(PacketType type) const {
  QUOLL_DCHECK(type != PacketType::one_rtt);
  switch (type) {
    case PacketType::initial:
      return initial_[0];
    case PacketType::zero_rtt:
      return zero_rtt_;
    case PacketType::handshake:
    case PacketType::one_rtt:
      break;
  }
  return handshake_;
}

HandshakeKeys::Pair& HandshakeKeys::pair_of(PacketType type) {
  return const_cast<Pair&>(std::as_const(*this).pair_of(type));
}

}  // namespace quoll::quic
